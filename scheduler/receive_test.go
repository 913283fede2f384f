package scheduler_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
)

var origin = modem.Origin{SIM: 2, IMSI: "262010000000002", ICCID: "89490200", IMEI: "490154203237518", Number: "+49170"}

// incoming is a message from "+4916" as a dongle hands it over.
func incoming(t *testing.T, text string, part *pdu.Concat) modem.Incoming {
	t.Helper()
	raw, err := pdu.EncodeDeliver(pdu.Deliver{Originator: "+4916", SCTS: time.Unix(1e9, 0), Text: text, Concat: part})
	if err != nil {
		t.Fatal(err)
	}
	d, err := pdu.DecodeDeliver(raw)
	if err != nil {
		t.Fatal(err)
	}
	return modem.Incoming{Raw: raw, Deliver: d}
}

func (r *rig) received(m modem.Incoming) {
	r.t.Helper()
	if err := r.Received(r.t.Context(), origin, m); err != nil {
		r.t.Error(err)
	}
}

// wantInbox checks the texts in the inbox, the latest first.
func (r *rig) wantInbox(want ...string) []inbox.Message {
	r.t.Helper()
	page, _, err := r.Inbox().List(r.t.Context(), inbox.Filter{Limit: 100})
	if err != nil {
		r.t.Fatal(err)
	}
	var got []string
	for _, m := range page {
		got = append(got, m.Text)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("inbox %q, want %q", got, want)
	}
	return page
}

// wantEvents checks the names of all events.
func (r *rig) wantEvents(want ...string) {
	r.t.Helper()
	events, err := r.Events(0, 100)
	if err != nil {
		r.t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, e.Name)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("events %q, want %q", got, want)
	}
}

// TestReceived: a message is stored once, with where it came in, whatever the dongle repeats.
func TestReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{})
		r.received(incoming(t, "hello", nil))
		r.received(incoming(t, "hello", nil))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r.open()
		r.received(incoming(t, "hello", nil))
		m := r.wantInbox("hello")[0]
		if m.SIM != 2 || m.IMSI != origin.IMSI || m.ICCID != origin.ICCID || m.IMEI != origin.IMEI || m.Recipient != origin.Number || m.Sender != "+4916" {
			t.Errorf("message %+v", m)
		}
		r.wantEvents("sms:received")
	})
}

// TestReceivedUnreadable: it is archived with its reason, and is neither message nor event.
func TestReceivedUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{})
		r.received(modem.Incoming{Raw: []byte{1, 2}, Err: errors.New("TP-OA is cut off")})
		r.received(modem.Incoming{Line: "garbage", Err: errors.New("no hex")})
		r.wantInbox()
		r.wantEvents()
		latest, ever, err := r.Inbox().Unreadable(t.Context(), 10)
		if err != nil || ever != 2 || len(latest) != 2 {
			t.Fatalf("%d archived: %+v, %v", ever, latest, err)
		}
		if got := latest[0]; got.Line != "garbage" || got.Error != "no hex" || got.SIM != 2 {
			t.Errorf("archived %+v", got)
		}
		if got := latest[1]; string(got.PDU) != "\x01\x02" || got.Error != "TP-OA is cut off" || got.IMSI != origin.IMSI {
			t.Errorf("archived %+v", got)
		}
	})
}

// TestInboxOptions: how long parts are waited for and messages kept.
func TestInboxOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{Inbox: scheduler.Inbox{PartialAfter: time.Hour, Retention: 48 * time.Hour}})
		r.received(incoming(t, "two", &pdu.Concat{Reference: 1, Total: 2, Number: 2}))
		time.Sleep(time.Hour - time.Millisecond)
		r.wantInbox()
		time.Sleep(time.Millisecond)
		synctest.Wait()
		r.wantInbox("[…]two")
		r.wantEvents("sms:received")
		time.Sleep(48 * time.Hour)
		r.wantInbox("[…]two")
		time.Sleep(time.Hour)
		synctest.Wait()
		r.wantInbox()
	})
}

// TestCalled: a call is an event, with the time it came at and the caller if he is known.
func TestCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{})
		at := time.Now()
		time.Sleep(time.Minute)
		for _, c := range []modem.Call{{Number: "+4917", At: at}, {}} {
			if err := r.Called(t.Context(), origin, c); err != nil {
				t.Fatal(err)
			}
		}
		r.wantEvents("call:received", "call:received")
		events, err := r.Events(0, 2)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []struct {
			number string
			at     time.Time
		}{{"+4917", at}, {"", time.Now()}} {
			var got map[string]any
			if err := json.Unmarshal(events[i].Payload, &got); err != nil {
				t.Fatal(err)
			}
			told, err := time.Parse(time.RFC3339, got["receivedAt"].(string))
			if err != nil || !told.Equal(want.at) {
				t.Errorf("received at %v, %v", told, err)
			}
			delete(got, "receivedAt")
			if fmt.Sprint(got) != fmt.Sprint(map[string]any{
				"phoneNumber": want.number, "sender": want.number, "recipient": "+49170", "simNumber": 2,
			}) {
				t.Errorf("payload %v", got)
			}
		}
	})
}

// TestReceivedTooLate: what a closed store cannot take stays with the dongle.
func TestReceivedTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{})
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			r.Received(t.Context(), origin, incoming(t, "hello", nil)),
			r.Received(t.Context(), origin, modem.Incoming{Line: "x", Err: errors.New("no hex")}),
			r.Called(t.Context(), origin, modem.Call{}),
		} {
			if !errors.Is(err, queue.ErrClosed) {
				t.Errorf("error %v", err)
			}
		}
	})
}

// searched is a SIM that counts how often it was asked to look.
type searched struct {
	*fakeSIM
	times int
}

func (s *searched) Sweep() { s.times++ }

// TestSweep: every dongle that can is asked to look for messages.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{})
		r.Sweep() // nobody
		one, three := &searched{fakeSIM: newSIM(t, 1)}, &searched{fakeSIM: newSIM(t, 3)}
		for _, s := range []scheduler.Sender{one, newSIM(t, 2), three} {
			r.Add(s)
		}
		r.Sweep()
		r.Sweep()
		if one.times != 2 || three.times != 2 {
			t.Errorf("asked %d and %d times", one.times, three.times)
		}
	})
}
