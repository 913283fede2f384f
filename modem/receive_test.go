package modem_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
)

// sentAt is when the messages of these tests reached the service centre.
var sentAt = time.Date(2026, 4, 5, 10, 11, 12, 0, time.UTC)

// deliver has the network send a text.
func deliver(t *testing.T, d *virtual.Dongle, text string) {
	t.Helper()
	if err := d.Deliver(pdu.Deliver{SMSC: "+491710760000", Originator: "+491701234567", SCTS: sentAt, Text: text}); err != nil {
		t.Fatal(err)
	}
}

// hello is SCA and SMS-DELIVER of "hello" from +31628870634, 24 octets without the SCA, by hand.
const hello = "00040B911326880736F400001110117195514005E8329BFD06"

// cmt is a message passed on directly.
func cmt(hex string) string { return "\r\n+CMT: ,24\r\n" + hex + "\r\n" }

// Messages passed on directly. CNMI with mt=2 is never asked for, but class 0 comes so on some.
func TestDirectMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		w := start(t, modem.Config{SIM: 2, Open: p.open, Sink: s})
		ready(t, w)
		p.urc(cmt(hello))
		synctest.Wait()
		if len(s.messages) != 1 {
			t.Fatalf("%d messages", len(s.messages))
		}
		m := s.messages[0]
		if m.Err != nil || m.Deliver.Text != "hello" || m.Deliver.Originator != "+31628870634" || len(m.Raw) != 25 || m.Line != "" {
			t.Errorf("message %+v", m)
		}
		if want := peerOrigin(2); s.origins[0] != want {
			t.Errorf("origin %+v, want %+v", s.origins[0], want)
		}
		// By whatever name it comes, the TPDU says what it is; and what cannot be read is archived.
		p.urc("\r\n+CMT: ,25\r\n" + statusReport(7) + "\r\n")
		p.urc("\r\n+CDS: 24\r\n" + hello + "\r\n")
		p.urc("\r\n+CMT: \"Anna, B.\",24\r\n" + hello + "\r\n")
		p.urc("\r\n+CMT: ,26\r\n" + strings.Repeat("FF", 27) + "\r\n")
		p.urc("\r\n+CBM: 24\r\n" + hello + "\r\n") // of a cell, to everybody
		synctest.Wait()
		if got := s.references(); !slices.Equal(got, []int{7}) {
			t.Errorf("reports %v", got)
		}
		if got := s.texts(); !slices.Equal(got, []string{"hello", "hello", "hello", "?"}) {
			t.Errorf("messages %q", got)
		}
		if last := s.messages[len(s.messages)-1]; len(last.Raw) != 27 || last.Err == nil {
			t.Errorf("what cannot be read: %+v", last)
		}
		if p.count("AT+CNMA") != 0 {
			t.Error("acknowledged under AT+CSMS=0")
		}
	})
}

// Under AT+CSMS=1 a message is acknowledged after it is stored, one that cannot be read as well.
func TestDirectMessageIsAcknowledged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		delete(p.answers, "+CNMI=2,1,0,1,0")
		delete(p.answers, "+CGMI") // a maker whose sticks are never to be acknowledged
		p.answer("+CSMS=1", ok("+CSMS: 1,1,1"))
		tries := 0
		s := &sink{keep: func(modem.Incoming) error {
			if p.count("AT+CNMA") >= 1+tries/2 {
				t.Error("acknowledged before it was stored")
			}
			if tries++; tries%2 == 1 {
				return errors.New("disk full")
			}
			return nil
		}}
		acknowledging(t, p, s)
		p.urc(cmt(hello) + cmt(strings.Repeat("FF", 25)))
		time.Sleep(time.Minute)
		if got := s.texts(); !slices.Equal(got, []string{"hello", "?"}) || p.count("AT+CNMA") != 2 {
			t.Errorf("messages %q, %d times AT+CNMA", got, p.count("AT+CNMA"))
		}
	})
}

// A message that was passed on is stored although the session ends before the store takes it.
func TestDirectMessageOutlivesTheSession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		var broken atomic.Bool
		broken.Store(true)
		s := &sink{keep: func(modem.Incoming) error {
			if broken.Load() {
				return errors.New("disk full")
			}
			return nil
		}}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		p.urc(cmt(hello))
		synctest.Wait()
		broken.Store(false)
		p.hangUp(nil)
		time.Sleep(time.Second)
		if got := s.texts(); !slices.Equal(got, []string{"hello"}) {
			t.Errorf("messages %q", got)
		}
	})
}

// A SIM of ten places takes thirty messages, because each is deleted once it is stored; so it goes
// for a dongle that numbers from 0, and for one that tells of nothing.
func TestSmallSIMNeverFills(t *testing.T) {
	for name, opts := range map[string]virtual.Options{
		"told":          {Slots: 10},
		"from zero":     {Slots: 10, ZeroIndex: true},
		"not told":      {Slots: 10, CNMI: "(0-2),(0),(0),(1),(0)"},
		"counters late": {Slots: 10, Quirks: virtual.Quirks{CountLag: 20 * time.Second}},
		"full is told":  {Slots: 10, Quirks: virtual.Quirks{FullURC: `^SMMEMFULL: "{mem}"`}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, s := dongle(t, opts), &sink{}
				w := start(t, modem.Config{Open: d.Open, Sink: s})
				ready(t, w)
				want := make([]string, 30)
				for i := range want {
					want[i] = fmt.Sprint("message ", i)
					deliver(t, d, want[i])
				}
				settle(10 * time.Minute)
				got := s.texts()
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%d messages %q", len(got), got)
				}
				if m := w.Status().Storage[0]; m != (modem.Memory{Name: "SM", Total: 10}) {
					t.Errorf("storage %+v", w.Status().Storage)
				}
			})
		})
	}
}

// While the store is down the messages stay on the stick, and come when it is back: in the same
// session, and in the next one.
func TestMessagesWaitForTheStore(t *testing.T) {
	for name, unplugged := range map[string]bool{"same session": false, "next session": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d := dongle(t, virtual.Options{Slots: 10})
				var down atomic.Bool
				down.Store(true)
				s := &sink{keep: func(modem.Incoming) error {
					if down.Load() {
						return errors.New("disk full")
					}
					return nil
				}}
				w := start(t, modem.Config{Open: d.Open, Sink: s})
				ready(t, w)
				for i := range 5 {
					deliver(t, d, fmt.Sprint(i))
				}
				settle(5 * time.Minute)
				if m := w.Status().Storage[0]; m.Used != 5 {
					t.Fatalf("storage %+v while the store is down", m)
				}
				if unplugged {
					d.Unplug()
					settle(time.Second)
					d.Plug()
					ready(t, w)
				}
				down.Store(false)
				settle(3 * time.Minute)
				if got := s.texts(); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
					t.Errorf("messages %q", got)
				}
				if m := w.Status().Storage[0]; m.Used != 0 {
					t.Errorf("storage %+v", m)
				}
			})
		})
	}
}

// What cannot be read is archived as it is and deleted, so that it blocks nothing behind it.
func TestUndecodableIsArchivedAndDeleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, s := dongle(t, virtual.Options{Slots: 2}), &sink{}
		w := start(t, modem.Config{Open: d.Open, Sink: s})
		ready(t, w)
		for _, raw := range [][]byte{
			{0, 0x04, 0x0B, 0x91},              // ends in TP-OA
			{0, 0x40, 0xFF, 0xFF, 0xFF, 0, 10}, // nonsense
			{0, 0x04},
		} {
			if err := d.DeliverRaw(raw); err != nil {
				t.Fatal(err)
			}
		}
		deliver(t, d, "behind")
		settle(2 * time.Minute)
		if got := s.texts(); !slices.Equal(got, []string{"?", "?", "?", "behind"}) {
			t.Errorf("messages %q", got)
		}
		for _, m := range s.messages[:3] {
			if len(m.Raw) == 0 || m.Line != "" || !errors.Is(m.Err, pdu.ErrMalformed) {
				t.Errorf("archived %+v", m)
			}
		}
		if m := w.Status().Storage[0]; m.Used != 0 {
			t.Errorf("storage %+v", m)
		}
	})
}

// A dongle that sends without a pause receives all the same.
func TestReceivingWhileSending(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, s := dongle(t, virtual.Options{Slots: 10, SubmitDelay: 2 * time.Second}), &sink{}
		w := start(t, modem.Config{Open: d.Open, Sink: s})
		ready(t, w)
		for worker := range 3 { // so that another submission always waits
			go func() {
				for i := range 30 {
					if _, err := w.Submit(t.Context(), segment(t, fmt.Sprint(worker, i)), true, nil); err != nil {
						t.Errorf("Submit: %v", err)
					}
				}
			}()
		}
		for i := range 20 {
			settle(5 * time.Second)
			deliver(t, d, fmt.Sprint(i))
		}
		settle(time.Minute) // of three
		if n := len(d.Submissions()); n >= 90 {
			t.Fatalf("all of %d submissions are through already", n)
		}
		if n := len(s.messages); n != 20 {
			t.Errorf("%d messages of 20 while it sends", n)
		}
		settle(time.Minute)
	})
}

// Parts that all go with the first of them, as on SIM600, are all read before any is deleted.
func TestPartsThatAreDeletedTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := dongle(t, virtual.Options{Quirks: virtual.Quirks{DeletesWhole: true}})
		s := &sink{}
		part := func(n uint8, text string) {
			if err := d.Deliver(pdu.Deliver{
				Originator: "+491701234567", SCTS: sentAt, Text: text,
				Concat: &pdu.Concat{Reference: 7, Total: 3, Number: n},
			}); err != nil {
				t.Fatal(err)
			}
		}
		part(1, "one ")
		part(2, "two ")
		part(3, "three")
		w := start(t, modem.Config{Open: d.Open, Sink: s})
		ready(t, w)
		settle(time.Minute)
		if got := s.texts(); !slices.Equal(got, []string{"one ", "two ", "three"}) {
			t.Errorf("messages %q", got)
		}
		part(1, "four ")
		part(2, "five ")
		deliver(t, d, "another")
		part(3, "six")
		settle(time.Minute)
		if got := s.texts()[3:]; !slices.Equal(got, []string{"four ", "five ", "another", "six"}) {
			t.Errorf("messages %q", got)
		}
		if m := w.Status().Storage[0]; m.Used != 0 {
			t.Errorf("storage %+v", m)
		}
	})
}
