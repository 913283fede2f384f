package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/inbox"
	"dongled/scheduler/outbox"
)

// mmsOfVodafone are the two parts of an MMS notification as a phone got them: see pdu's tests.
var mmsOfVodafone = []string{
	"0791447758100650400E80885810000000810004016082415464408C0C08049F8E020105040B8423F00106226170706C69636174696F6E2F766E642E7761702E6D6D732D6D65737361676500AF848C82984E4F4B3543694B636F544D595347344D4253774141734B7631344655484141414141414141008D908919802B3434373738353334323734392F545950453D504C4D4E008A808E0274008805810301194083687474703A2F",
	"0791447758100650440E8088581000000081000401608241547440440C08049F8E020205040B8423F02F70726F6D6D732F736572766C6574732F4E4F4B3543694B636F544D595347344D4253774141734B763134465548414141414141414100",
}

// rings has both parts come in, the second one first and once more.
func (r *radio) rings(t *testing.T) {
	t.Helper()
	for _, n := range []int{1, 0, 1} {
		raw, err := hex.DecodeString(mmsOfVodafone[n])
		if err == nil {
			err = r.DeliverRaw(raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// told is what the outbox has behind the first events.
func (s *stack) told(first int) []outbox.Event {
	s.t.Helper()
	events, err := s.Events(uint64(first), 10_000)
	if err != nil {
		s.t.Fatal(err)
	}
	return events
}

// TestStackMMS: from the air to the event, whatever way the dongle hands the parts over.
func TestStackMMS(t *testing.T) {
	for _, family := range []string{"generic", "huawei-e173", "sim800", "wavecom"} {
		t.Run(family, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, _ := virtual.Family(family)
				o.Number = "+447700900123"
				s := newStack(t, scheduler.Options{}, o)
				s.pass(time.Minute)
				s.radios[0].rings(t)
				s.pass(time.Minute)
				page, _, err := s.Inbox().List(t.Context(), inbox.Filter{Limit: 10})
				if err != nil || len(page) != 1 {
					t.Fatalf("in the inbox: %+v, %v", page, err)
				}
				m := page[0]
				want := inbox.Notification{
					TransactionID: "NOK5CiKcoTMYSG4MBSwAAsKv14FUHAAAAAAAA", Pusher: "88850100000018", Class: "Personal", Size: 29696,
					Location: "http://promms/servlets/NOK5CiKcoTMYSG4MBSwAAsKv14FUHAAAAAAAA", Expires: m.Received.Add(20 * time.Hour).UTC(),
				}
				if m.Kind != inbox.MMS || m.Sender != "+447785342749" || m.Parts != 2 || m.SMSC != "+447785016005" || *m.Notification != want {
					t.Errorf("%+v\n got %+v\nwant %+v", m, *m.Notification, want)
				}
				events := s.told(0)
				payload := `{"messageId":"` + want.TransactionID + `","phoneNumber":"+447785342749","sender":"+447785342749","recipient":"+447700900123","simNumber":1,"transactionId":"` +
					want.TransactionID + `","size":29696,"receivedAt":"` + m.Received.Format("2006-01-02T15:04:05.000Z07:00") + `"}`
				if len(events) != 1 || events[0].Name != "mms:received" || events[0].Ref != "mms:1" || string(events[0].Payload) != payload {
					t.Errorf("events %+v\nwant %s", events, payload)
				}
			})
		})
	}
}

// TestStackReplay: what came in through a dongle is told again, over a crash and while more comes in.
func TestStackReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, virtual.Options{})
		s.pass(time.Minute)
		comes := func(text string) {
			if err := s.radios[0].Deliver(pdu.Deliver{Originator: "+491701234567", Text: text, SCTS: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		const texts = 30
		for i := range texts {
			comes(fmt.Sprint("text ", i))
			s.pass(time.Second)
		}
		s.radios[0].rings(t)
		s.pass(10 * time.Minute)
		first := s.told(0)
		if len(first) != texts+1 {
			t.Fatalf("%d events", len(first))
		}
		r := inbox.Replay{Until: time.Now().Add(time.Hour), Kinds: []inbox.Kind{inbox.SMS, inbox.MMS}}
		for range 10 {
			if err := s.Inbox().Replay(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		comes("while events are told again")
		s.crash(nil)
		s.pass(10 * time.Minute)
		var want, got []string
		for range 10 {
			for _, e := range first {
				want = append(want, e.Name+string(e.Payload))
			}
		}
		newest := ""
		for _, e := range s.told(len(first)) {
			if e.Ref == fmt.Sprint("text:", texts+2) {
				newest += string(e.Payload)
				continue
			}
			got = append(got, e.Name+string(e.Payload))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d events were told again, want %d", len(got), len(want))
		}
		var p struct{ Message string }
		if err := json.Unmarshal([]byte(newest), &p); err != nil || p.Message != "while events are told again" {
			t.Errorf("of what came in meanwhile was told %s, %v", newest, err)
		}
	})
}

// TestStackSweep: what the dongle keeps and does not tell of any more is found when somebody asks, and not
// an hour later.
func TestStackSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, virtual.Options{}, virtual.Options{})
		s.pass(time.Minute)
		kept := func() (n int) {
			for _, r := range s.radios {
				n += len(r.Stored("SM")) + len(r.Stored("ME"))
			}
			return n
		}
		for i, r := range s.radios {
			r.AddFaults(virtual.Fault{On: "CMGD", Do: virtual.CMS, Code: 500, Count: 1})
			if err := r.Deliver(pdu.Deliver{Originator: "+491701234567", Text: fmt.Sprint("kept by ", i), SCTS: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		s.pass(10 * time.Minute)
		if n := kept(); n != 2 {
			t.Fatalf("%d messages are on the sticks", n)
		}
		s.Sweep()
		s.pass(time.Minute)
		got := s.inboxTexts()
		slices.Sort(got)
		if n := kept(); n != 0 || !slices.Equal(got, []string{"kept by 0", "kept by 1"}) || len(s.told(0)) != 2 {
			t.Errorf("%d messages are on the sticks, in the inbox: %q", n, got)
		}
	})
}
