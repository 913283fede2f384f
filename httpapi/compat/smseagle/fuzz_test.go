package smseagle_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/smseagle"
	"dongled/scheduler/queue"
)

// FuzzCall: what is read early of a request is what is read of it whole, and a part of it shows nothing else.
func FuzzCall(f *testing.F) {
	f.Add([]byte(`{"method":"sms.send_sms","params":{"access_token":"k","to":["1",2],"message":"Hi","flash":true}}`), 30)
	f.Fuzz(func(t *testing.T, whole []byte, cut int) {
		early := smseagle.Peek(whole)
		if cut >= 0 && cut < len(whole) {
			for name, value := range smseagle.Peek(whole[:cut]) {
				if early[name] != value {
					t.Errorf("%q of %q, cut to %d: %q", name, whole, cut, value)
				}
			}
		}
		method, p, err := smseagle.ParseCall(whole)
		if err != nil {
			return
		}
		if !json.Valid(whole) || !strings.Contains(string(whole), `"`) && method != "" {
			t.Errorf("%q was read as %q %v", whole, method, p)
		}
		for name, value := range p {
			if value == "" {
				t.Errorf("%q has %q", whole, name)
			}
		}
	})
}

// FuzzForm: a form that was cut off shows no field but those it has.
func FuzzForm(f *testing.F) {
	f.Add([]byte("login=sms&pass=correct+horse+battery&to=%2B4915112345678&message=Hi"), 20)
	f.Fuzz(func(t *testing.T, form []byte, cut int) {
		all := smseagle.Form(form, false)
		if cut < 0 || cut > len(form) {
			return
		}
		for name, value := range smseagle.Form(form[:cut], true) {
			if all[name] != value {
				t.Errorf("%q, cut to %d: %q is %q", form, cut, name, value)
			}
		}
	})
}

// FuzzTimes: what is accepted is a time to come before another, of hours that are within a day and the next.
func FuzzTimes(f *testing.F) {
	f.Add("202601312132", "08:00", "20:00", "5m", int64(1767225600))
	f.Fuzz(func(t *testing.T, date, after, before, validity string, unix int64) {
		fields := map[string]string{"date": date, "send_after": after, "send_before": before, "validity": validity}
		begin, end, err := smseagle.Hours(fields)
		if err == nil && after+before != "" && !(0 <= begin && begin < end && end < 48*time.Hour) {
			t.Errorf("%v: from %v to %v", fields, begin, end)
		}
		now := time.Unix(unix%(1<<33), 0)
		from, until, err := smseagle.Times(fields, now)
		if err != nil {
			return
		}
		if !from.IsZero() && !from.After(now) || !until.IsZero() && !until.After(now) || !until.IsZero() && !until.After(from) {
			t.Errorf("%v at %v: from %v until %v", fields, now, from, until)
		}
	})
}

// FuzzQuery: whatever comes is answered, and a test sends nothing.
func FuzzQuery(f *testing.F) {
	f.Add("to=4915112345678&message=Hi&test=0")
	h := compattest.Start(f, build)
	f.Fuzz(func(t *testing.T, query string) {
		req := request(t, "POST", h.URL+"/http_api/send_sms?test=1&"+token, query)
		req.Header.Set("Content-Type", asForm)
		got := answerTo(t, req)
		if ok := strings.HasPrefix(got, "200 OK; ID=0"); !ok && !strings.HasPrefix(got, "200 <xml><item>") && !strings.HasPrefix(got, "400 ") {
			t.Errorf("%q: %s", query, got)
		}
		if _, n, err := h.Scheduler.List(t.Context(), queue.Filter{}); n != 0 || err != nil {
			t.Errorf("%q: a test made %d messages, %v", query, n, err)
		}
	})
}
