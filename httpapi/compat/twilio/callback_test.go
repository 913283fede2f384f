package twilio_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/twilio"
	"dongled/scheduler/queue"
)

const callback = "https://client.example.com/status?of=1&x=a%20b"

// told are the statuses that the client was told, in their order.
func (h *house) told() (statuses []string) {
	h.t.Helper()
	for _, c := range h.Callbacks.All() {
		values, err := url.ParseQuery(string(c.Body))
		if err != nil || c.Method != "POST" || c.URL != callback || c.Dialect != "twilio" || c.Line == "" || c.Line != c.Ref || c.Secret != "" {
			h.t.Fatalf("%+v: %v", c, err)
		}
		if values.Get("MessageStatus") != values.Get("SmsStatus") || values.Get("MessageSid") != values.Get("SmsSid") {
			h.t.Errorf("%s", c.Body)
		}
		statuses = append(statuses, strings.Trim(values.Get("MessageStatus")+" "+values.Get("ErrorCode"), " "))
	}
	return statuses
}

func TestCallbacks(t *testing.T) {
	for what, tt := range map[string]struct {
		answer func(compattest.Part) error
		status int // of the report; -1 for none
		want   []string
	}{
		"delivered":     {nil, 0, []string{"sending", "sent", "delivered"}},
		"not delivered": {nil, 0x45, []string{"sending", "sent", "undelivered 30008"}},
		"no report":     {nil, -1, []string{"sending", "sent"}},
		"refused":       {compattest.Refuse(1), -1, []string{"sending", "failed 30005"}},
	} {
		t.Run(what, func(t *testing.T) {
			h := start(t)
			h.SIMs[0].Answer(tt.answer)
			a := h.send("StatusCallback", callback)
			end := queue.Sent
			if tt.answer != nil {
				end = queue.Failed
			}
			h.Await(a.SID, end)
			if tt.status >= 0 {
				h.Report(a.SID, uint8(tt.status))
			}
			h.Callbacks.Await(t, len(tt.want))
			if got := h.told(); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestCallbackOfCancel(t *testing.T) {
	h := start(t)
	a := h.send("MessagingServiceSid", service, "ScheduleType", "fixed", "SendAt", time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "StatusCallback", callback)
	h.cancel(a.SID)
	if got := h.told(); !slices.Equal(got, []string{"canceled"}) {
		t.Errorf("%v", got)
	}
}

func TestNoCallback(t *testing.T) {
	h := start(t)
	h.Await(h.send().SID, queue.Sent)
	if got := h.told(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestCallbackForm(t *testing.T) {
	h := start(t)
	a := h.send("StatusCallback", callback, "From", "two", "MessagingServiceSid", service)
	c := h.Callbacks.Await(t, 1)[0]
	got, err := url.ParseQuery(string(c.Body))
	if err != nil || c.Header["Content-Type"] != "application/x-www-form-urlencoded; charset=utf-8" {
		t.Fatalf("%+v: %v", c, err)
	}
	want := url.Values{
		"MessageSid": {a.SID}, "SmsSid": {a.SID}, "MessageStatus": {"sending"}, "SmsStatus": {"sending"}, "To": {number},
		"From": {"+491510000002"}, "AccountSid": {account}, "ApiVersion": {"2010-04-01"}, "MessagingServiceSid": {service},
	}
	if got.Encode() != want.Encode() {
		t.Errorf("%s\nwant %s", got.Encode(), want.Encode())
	}
}

// TestSignature has the example of the vendor's documentation of request signatures.
func TestSignature(t *testing.T) {
	form := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"},
	}
	for target, want := range map[string]bool{
		"https://mycompany.com/myapp.php?foo=1&bar=2":               true,
		"https://user:secret@mycompany.com/myapp.php?foo=1&bar=2#x": true, // these two the receiver never sees
		"https://mycompany.com/myapp.php?bar=2&foo=1":               false,
	} {
		if got := twilio.Signature("12345", target, []byte(form.Encode())); (got == "RSOYDt4T1cUTdK1PDd93/VVr8B8=") != want {
			t.Errorf("%s: %s", target, got)
		}
	}
}

// What is signed is what goes out, with the token of the configuration, if there is one.
func TestSigned(t *testing.T) {
	h := start(t)
	h.send("StatusCallback", callback)
	c := h.Callbacks.Await(t, 1)[0]
	r, err := http.NewRequest(c.Method, c.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Callbacks.Plan("twilio").Sign(r, c.Body, c.Secret, time.Now())
	if got, want := r.Header.Get("X-Twilio-Signature"), twilio.Signature(token, callback, c.Body); got != want || len(got) != 28 {
		t.Errorf("%q, want %q", got, want)
	}
	if free := startWith(t, twilio.Options{}); free.Callbacks.Plan("twilio").Sign != nil || len(free.Callbacks.Plan("twilio").Pauses) == 0 {
		t.Error("signed without a token, or not tried again")
	}
}
