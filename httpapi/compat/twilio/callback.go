package twilio

import (
	"crypto/hmac"
	"crypto/sha1" // the vendor's choice
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dongled/httpapi/compat"
	"dongled/httpapi/courier"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// Changed implements compat.Follower: it tells the StatusCallback of each status but the first.
func (d *Dialect) Changed(t *store.Tx, c queue.Change) {
	target := metaOf(c.Message).Callback
	if target == "" || !news(c, t.Now) {
		return
	}
	d.callbacks.Put(t, courier.Callback{
		Dialect: d.Name(), Method: http.MethodPost, URL: target,
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
		Body:   []byte(report(c.Message).Encode()),
		Line:   c.Message.ID, Ref: c.Message.ID,
	})
}

// report is what a callback says.
func report(m queue.Message) url.Values {
	v := view(m)
	form := url.Values{
		"MessageSid": {v.SID}, "SmsSid": {v.SID}, "MessageStatus": {v.Status}, "SmsStatus": {v.Status},
		"To": {v.To}, "AccountSid": {v.AccountSID}, "ApiVersion": {v.APIVersion},
	}
	for name, value := range map[string]*string{"From": v.From, "MessagingServiceSid": v.MessagingServiceSID} {
		if value != nil {
			form.Set(name, *value)
		}
	}
	if v.ErrorCode != nil {
		form.Set("ErrorCode", strconv.Itoa(*v.ErrorCode))
	}
	return form
}

// news says whether a change is told: all that compat.News has, but that it was accepted or waits.
func news(c queue.Change, now int64) bool {
	return c.Was != 0 && c.Message.State != queue.Pending && compat.News(c, now)
}

// signer signs requests with a token, which so is in no row of the store.
func signer(token string) func(*http.Request, []byte, string, time.Time) {
	return func(r *http.Request, body []byte, _ string, _ time.Time) {
		r.Header.Set("X-Twilio-Signature", signature(token, r.URL, body))
	}
}

// signature is of the URL as the receiver sees it, and of the form's names and values in the order of the
// names.
func signature(token string, target *url.URL, body []byte) string {
	seen := *target
	seen.User, seen.Fragment, seen.RawFragment = nil, "", ""
	form, _ := url.ParseQuery(string(body)) // it is our own
	var signed strings.Builder
	signed.WriteString(seen.String())
	for _, name := range slices.Sorted(maps.Keys(form)) {
		signed.WriteString(name + form.Get(name))
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(signed.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
