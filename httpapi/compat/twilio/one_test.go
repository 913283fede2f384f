package twilio_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/twilio"
	"dongled/scheduler/queue"
)

// TestStatuses is what becomes of a message.
func TestStatuses(t *testing.T) {
	second := func(code int) func(compattest.Part) error {
		return func(p compattest.Part) error {
			if strings.HasPrefix(p.Text, "y") {
				return compattest.Refuse(code)(p)
			}
			return nil
		}
	}
	long := strings.Repeat("x", 153) + strings.Repeat("y", 100)
	for what, tt := range map[string]struct {
		body   string
		answer func(compattest.Part) error
		report int // TP-Status; -1 for none
		want   string
		code   int
		sent   bool
	}{
		"no report":               {"Hi", nil, -1, "sent", 0, true},
		"delivered":               {"Hi", nil, 0, "delivered", 0, true},
		"an error of the phone":   {"Hi", nil, 0x45, "undelivered", 30008, true},
		"not obtainable":          {"Hi", nil, 0x43, "undelivered", 30005, true},
		"expired at the centre":   {"Hi", nil, 0x46, "undelivered", 30003, true},
		"no response":             {"Hi", nil, 0x62, "undelivered", 30003, true},
		"unassigned":              {"Hi", compattest.Refuse(1), -1, "failed", 30005, false},
		"facility not subscribed": {"Hi", compattest.Refuse(21), -1, "failed", 30008, false},
		"half of it":              {long, second(1), -1, "undelivered", 30005, false},
	} {
		t.Run(what, func(t *testing.T) {
			h := start(t)
			h.SIMs[0].Answer(tt.answer)
			a := h.send("Body", tt.body)
			state := queue.Sent
			if tt.answer != nil {
				state = queue.Failed
			}
			h.Await(a.SID, state)
			if tt.report >= 0 {
				h.Report(a.SID, uint8(tt.report))
			}
			got, code := h.get(a.SID), 0
			if got.ErrorCode != nil {
				code = *got.ErrorCode
			}
			if got.Status != tt.want || code != tt.code || (got.DateSent != nil) != tt.sent || (got.ErrorMessage != nil) != (code != 0) {
				t.Errorf("%+v, code %d", got, code)
			}
			if at, err := time.Parse(time.RFC1123Z, got.DateUpdated); err != nil || time.Since(at) > time.Minute {
				t.Errorf("updated %s: %v", got.DateUpdated, err)
			}
		})
	}
}

// A message of a service says who sends it once that is known.
func TestSender(t *testing.T) {
	h := start(t)
	a := h.send("From", "", "MessagingServiceSid", service)
	m := h.Await(a.SID, queue.Sent)
	want := map[int]string{1: "+491510000001", 2: "+491510000002"}[m.Recipients[0].SIM]
	if got := h.get(a.SID); text(got.From) != want || want == "" || text(got.Service) != service {
		t.Errorf("from %s, want %s", text(got.From), want)
	}
}

func TestExpired(t *testing.T) {
	h := start(t)
	for _, s := range h.SIMs {
		s.Hold()
	}
	h.send() // holds the SIM
	a := h.send("ValidityPeriod", "1")
	h.Await(a.SID, queue.Failed)
	if got := h.get(a.SID); got.Status != "failed" || got.ErrorCode == nil || *got.ErrorCode != 30036 {
		t.Errorf("%+v", got)
	}
}

func (h *house) scheduled() answer {
	h.t.Helper()
	return h.send("MessagingServiceSid", service, "ScheduleType", "fixed", "SendAt", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

func (h *house) cancel(sid string, header ...string) compattest.Reply {
	h.t.Helper()
	return h.post(messages+"/"+sid+".json", url.Values{"Status": {"canceled"}}, header...)
}

func TestCancel(t *testing.T) {
	h := start(t)
	a := h.scheduled()
	h.refused(401, 20003, h.cancel(a.SID, "Authorization", ""))
	h.refused(403, 20003, h.cancel(a.SID, basic(apiKey, compattest.ReadKey)...))
	for values, says := range map[string]string{"Status=sent": "canceled", "": "canceled", "Body=": "Body", "Body=&Status=canceled": "Body", "Status=%zz": "form"} {
		got := h.Do("POST", messages+"/"+a.SID+".json", values, append(h.header, "Content-Type", "application/x-www-form-urlencoded")...)
		if p := h.refused(400, 400, got); !strings.Contains(p.Message, says) {
			t.Errorf("%q: %s", values, p.Message)
		}
	}
	if got := decoded[answer](h, 200, h.cancel(a.SID)); got.Status != "canceled" || got.SID != a.SID {
		t.Errorf("%+v", got)
	}
	if got := decoded[answer](h, 200, h.cancel(a.SID)); got.Status != "canceled" { // what is so already
		t.Errorf("%+v", got)
	}
	sent := h.send()
	h.Await(sent.SID, queue.Sent)
	h.refused(409, 30409, h.cancel(sent.SID))
	h.refused(404, 20404, h.cancel("SM0123456789abcdef0123456789abcdef"))
}

func (h *house) remove(sid string, header ...string) compattest.Reply {
	h.t.Helper()
	if header == nil {
		header = h.header
	}
	return h.Do("DELETE", messages+"/"+sid+".json", "", header...)
}

func TestDelete(t *testing.T) {
	h := start(t)
	a := h.scheduled()
	h.refused(401, 20003, h.remove(a.SID, "Authorization", ""))
	h.refused(403, 20003, h.remove(a.SID, basic(apiKey, compattest.ReadKey)...))
	h.refused(409, 20009, h.remove(a.SID))
	h.cancel(a.SID)
	if got := h.remove(a.SID); got.Status != 204 || got.Body != "" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	path := messages + "/" + a.SID + ".json"
	h.refused(404, 20404, h.Do("GET", path, "", h.header...))
	h.refused(404, 20404, h.remove(a.SID))
	h.refused(404, 20404, h.cancel(a.SID))
	if p := decoded[page](h, 200, h.Do("GET", list, "", h.header...)); len(p.Messages) != 0 {
		t.Errorf("%+v", p)
	}
	if m := h.Message(a.SID); m.State != queue.Cancelled {
		t.Errorf("the queue lost it: %+v", m)
	}
}

// Notes about messages that the queue has no more do not pile up.
func TestDeletedNotes(t *testing.T) {
	h := start(t)
	d := h.Dialect.(*twilio.Dialect)
	for i := range 40 {
		d.Note(fmt.Sprintf("SM%032x", i))
	}
	if n := d.Deleted(); n != 40 {
		t.Fatalf("%d notes", n)
	}
	for range 3 {
		a := h.send()
		h.Await(a.SID, queue.Sent)
		if got := h.remove(a.SID); got.Status != 204 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	}
	if n := d.Deleted(); n > 6 { // 3 are true, and 3 of the places that were looked at may have been taken by these
		t.Errorf("%d notes", n)
	}
}

// What other APIs accepted is not to be seen here.
func TestForeign(t *testing.T) {
	h := start(t)
	m, err := h.Scheduler.Submit(context.Background(), queue.Submission{
		Content: queue.Content{Text: "native"}, Recipients: []string{number}, ScheduleAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	path := messages + "/" + m.ID + ".json"
	h.refused(401, 20003, h.Do("GET", path, "", "Authorization", ""))
	h.refused(404, 20404, h.Do("GET", path, "", h.header...))
	h.refused(404, 20404, h.cancel(m.ID))
	h.refused(404, 20404, h.remove(m.ID))
	if state := h.Message(m.ID).State; state != queue.Pending {
		t.Errorf("%s", state)
	}
}
