package twilio_test

import (
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/twilio"
)

func TestCredentials(t *testing.T) {
	h := start(t)
	free := startWith(t, twilio.Options{})
	for what, tt := range map[string]struct {
		header         []string
		status, unset  int // with an account in the configuration, and without one
		readOnlyStatus int // of a question; 0 for the same
	}{
		"the account":         {basic(account, token), 201, 401, 0},
		"a wrong token":       {basic(account, token+"0"), 401, 401, 0},
		"another account":     {basic(other, token), 401, 401, 0},
		"no token":            {basic(account, ""), 401, 401, 0},
		"nobody":              {basic("", ""), 401, 401, 0},
		"no credentials":      {[]string{"Authorization", ""}, 401, 401, 0},
		"no Basic":            {[]string{"Authorization", "Basic %"}, 401, 401, 0},
		"a user":              {basic(compattest.User, compattest.Password), 201, 201, 0},
		"a key":               {basic(apiKey, compattest.Key), 201, 201, 0},
		"a key of an account": {basic(other, compattest.Key), 201, 201, 0},
		"a bearer":            {[]string{"Authorization", "Bearer " + compattest.Key}, 201, 201, 0},
		"a key to read":       {basic(apiKey, compattest.ReadKey), 403, 403, 200},
		"too many":            {basic(apiKey, compattest.WaitKey), 429, 429, 429},
	} {
		for _, o := range []struct {
			*house
			want int
		}{{h, tt.status}, {free, tt.unset}} {
			got := o.post(list, form(), tt.header...)
			if got.Status != o.want {
				t.Errorf("%s: %d %s, want %d", what, got.Status, got.Body, o.want)
			}
			want := tt.readOnlyStatus
			if want == 0 {
				want = map[int]int{201: 200, 401: 401}[o.want]
			}
			if got := o.Do("GET", list, "", tt.header...); got.Status != want {
				t.Errorf("%s asks: %d %s, want %d", what, got.Status, got.Body, want)
			}
		}
	}
	if got := h.post(list, form(), "Authorization", ""); len(got.Header.Values("WWW-Authenticate")) != 2 {
		t.Errorf("%v", got.Header)
	}
}

// Nothing of a body is read before the credentials are right, nor of one that is too large.
func TestBodies(t *testing.T) {
	h := start(t, func(o *compattest.Options) { o.Server.MaxBody = 4096 })
	huge := strings.Repeat("x", 5000)
	if got := h.Do("POST", list, huge, "Authorization", ""); got.Status != 401 {
		t.Errorf("%d", got.Status)
	}
	h.refused(413, 413, h.Do("POST", list, huge, append(h.header, "Content-Type", "application/x-www-form-urlencoded")...))
}

// An account sees its own messages alone, and with one in the configuration there is no other.
func TestAccounts(t *testing.T) {
	elsewhere := strings.Replace(list, account, other, 1)
	h := start(t)
	a := h.send()
	for _, path := range []string{elsewhere, "/2010-04-01/Accounts/AC1/Messages.json", strings.Replace(messages, account, other, 1) + "/" + a.SID + ".json"} {
		h.refused(404, 20404, h.Do("GET", path, "", h.header...))
	}
	h.refused(404, 20404, h.post(elsewhere, form()))

	free := startWith(t, twilio.Options{})
	free.header = basic(compattest.User, compattest.Password)
	mine := free.send()
	theirs := decoded[answer](free, 201, free.post(elsewhere, form()))
	free.refused(404, 20404, free.Do("GET", messages+"/"+theirs.SID+".json", "", free.header...))
	if p := decoded[page](free, 200, free.Do("GET", list, "", free.header...)); len(p.Messages) != 1 || p.Messages[0].SID != mine.SID {
		t.Errorf("%+v", p)
	}
}

// Who showed wrong tokens too often has to wait, whatever the question.
func TestTooMany(t *testing.T) {
	h := start(t)
	path := messages + "/SM0123456789abcdef0123456789abcdef.json"
	for _, o := range [][2]string{{"GET", list}, {"POST", list}, {"GET", path}, {"POST", path}, {"DELETE", path}, {"POST", "/authentik/sms"}} {
		got := h.Do(o[0], o[1], "", basic(account, compattest.WaitKey)...)
		h.refused(429, 20429, got)
		if got.Header.Get("Retry-After") != "7" {
			t.Errorf("%v: Retry-After %q", o, got.Header.Get("Retry-After"))
		}
	}
}
