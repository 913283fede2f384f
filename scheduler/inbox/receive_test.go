package inbox_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"

	"dongled/scheduler/inbox"
	"dongled/scheduler/store"
)

// TestReceive: the row and the payload of the event, in SMSGate's form.
func TestReceive(t *testing.T) {
	base := inbox.Message{
		ID: "text:1", Kind: inbox.SMS, Sender: alice, Recipient: card1.Number, SMSC: smsc, Parts: 1,
		SIM: 1, IMSI: card1.IMSI, ICCID: card1.ICCID, IMEI: card1.IMEI,
	}
	row := func(change func(*inbox.Message)) inbox.Message {
		m := base
		change(&m)
		return m
	}
	const to, at = `"recipient":"+4917000000001","simNumber":1`, `"receivedAt":"2000-01-01T01:00:00.000Z"}`
	for _, c := range []struct {
		name    string
		sms     sms
		row     inbox.Message
		event   string
		payload string
	}{
		{
			"text", sms{text: "hello"}, row(func(m *inbox.Message) { m.Text = "hello" }), "sms:received",
			`{"messageId":"1","phoneNumber":"+4915112345678","sender":"+4915112345678",` + to + `,"message":"hello",` + at,
		},
		{
			"emoji, from a name", sms{from: "ACME", text: "ж😀"}, row(func(m *inbox.Message) { m.Sender, m.Text = "ACME", "ж😀" }), "sms:received",
			`{"messageId":"1","phoneNumber":"ACME","sender":"ACME",` + to + `,"message":"ж😀",` + at,
		},
		{
			"nothing", sms{}, row(func(*inbox.Message) {}), "sms:received",
			`{"messageId":"1","phoneNumber":"+4915112345678","sender":"+4915112345678",` + to + `,"message":"",` + at,
		},
		{
			"flash", sms{text: "now", flash: true}, row(func(m *inbox.Message) { m.Text, m.Flash = "now", true }), "sms:received",
			`{"messageId":"1","phoneNumber":"+4915112345678","sender":"+4915112345678",` + to + `,"message":"now",` + at,
		},
		{
			"a part of one", sms{text: "alone", parts: 1, part: 1}, row(func(m *inbox.Message) { m.Text = "alone" }), "sms:received",
			`{"messageId":"1","phoneNumber":"+4915112345678","sender":"+4915112345678",` + to + `,"message":"alone",` + at,
		},
		{
			"data", sms{data: []byte{0, 1, 0xff}, port: 53739},
			row(func(m *inbox.Message) {
				m.ID, m.Kind, m.Data, m.Port = "data:1", inbox.DataSMS, []byte{0, 1, 0xff}, 53739
			}), "sms:data-received",
			`{"messageId":"1","phoneNumber":"+4915112345678","sender":"+4915112345678",` + to + `,"data":"AAH/",` + at,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, inbox.Options{}, func(f *fixture) {
				pass(time.Hour)
				c.sms.at = 30 * time.Minute
				f.receive(c.sms)
				f.checkRow(c.row)
				events, err := f.out.Events(0, 10)
				f.ok(err)
				if len(events) != 1 || events[0].Name != c.event || events[0].Ref != c.row.ID || string(events[0].Payload) != local(c.payload) {
					t.Errorf("events %+v\n got %s\nwant %s", events, events[0].Payload, c.payload)
				}
			})
		})
	}
}

// local is a payload with its time as this machine's zone writes it.
func local(payload string) string {
	at := epoch.Add(time.Hour).Local().Format("2006-01-02T15:04:05.000Z07:00")
	return strings.Replace(payload, "2000-01-01T01:00:00.000Z", at, 1)
}

// checkRow checks the only message, received at 01:00 and sent at 00:30, however it is read.
func (f *fixture) checkRow(want inbox.Message) {
	f.Helper()
	got, err := f.Get(ctx, want.ID)
	f.ok(err)
	if listed := f.all(); len(listed) != 1 || !reflect.DeepEqual(listed[0], got) {
		f.Errorf("listed %+v, got %+v", listed, got)
	}
	if !got.Sent.Equal(epoch.Add(30*time.Minute)) || !got.Received.Equal(epoch.Add(time.Hour)) {
		f.Errorf("sent %v, received %v", got.Sent, got.Received)
	}
	got.Sent, got.Received = time.Time{}, time.Time{}
	if !reflect.DeepEqual(got, want) {
		f.Errorf("message\n %+v, want\n %+v", got, want)
	}
}

// TestReceivedTwice: what makes two messages of two, and what does not.
func TestReceivedTwice(t *testing.T) {
	first := sms{text: "yes", at: time.Hour}
	for _, c := range []struct {
		name   string
		again  sms
		on     inbox.Origin
		tweak  func(raw []byte) []byte
		stored int
	}{
		{name: "the same", again: first, on: card1, stored: 1},
		{name: "in another dongle", again: first, on: inbox.Origin{SIM: 7, IMSI: card1.IMSI}, stored: 1},
		{name: "on another card", again: first, on: card2, stored: 2},
		{name: "said again a second later", again: sms{text: "yes", at: time.Hour + time.Second}, on: card1, stored: 2},
		{name: "another text", again: sms{text: "no", at: time.Hour}, on: card1, stored: 2},
		{name: "another sender", again: sms{from: bob, text: "yes", at: time.Hour}, on: card1, stored: 2},
		{name: "another Service Centre", again: sms{smsc: "+491722270000", text: "yes", at: time.Hour}, on: card1, stored: 2},
		{name: "another header", again: sms{text: "yes", at: time.Hour, parts: 1, part: 1}, on: card1, stored: 2},
		{name: "junk behind it", again: first, on: card1, tweak: func(raw []byte) []byte { return append(raw, 0, 0) }, stored: 1},
		{
			name: "more messages wait now (TP-MMS)", again: first, on: card1, stored: 1,
			tweak: func(raw []byte) []byte { raw[1+raw[0]] ^= 0x04; return raw },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, inbox.Options{}, func(f *fixture) {
				f.receive(first)
				again := c.again.deliver(t)
				if c.tweak != nil {
					again = decode(t, c.tweak(again.Raw))
				}
				f.reopen()
				f.ok(f.Receive(ctx, c.on, again))
				f.ok(f.Receive(ctx, c.on, again))
				if got := f.all(); len(got) != c.stored {
					t.Errorf("%d messages: %+v", len(got), got)
				}
			})
		})
	}
}

// TestSlotStandsForCard: without an IMSI two SIMs are told apart by their numbers.
func TestSlotStandsForCard(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		for range 2 {
			for sim := range 3 {
				f.ok(f.Receive(ctx, inbox.Origin{SIM: 1 + sim}, sms{text: "hello"}.deliver(t)))
			}
		}
		f.want("hello", "hello", "hello")
	})
}

// TestMemory: what came is remembered for thirty days after it was last seen, and then forgotten.
func TestMemory(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(sms{text: "a"})
		for range 40 { // a dongle that does not delete
			pass(day)
			f.receive(sms{text: "a"})
		}
		f.reopen()
		pass(26 * day)
		f.receive(sms{text: "a"})
		if events, err := f.out.Events(1, 1); len(events) > 0 || err != nil || len(f.all()) != 1 {
			t.Errorf("it was received again: %+v, %v", f.all(), err)
		}
		pass(31 * day)
		if n := f.size("inbox_seen"); n != 0 {
			t.Errorf("%d are still remembered", n)
		}
		f.receive(sms{text: "a"})
		if n := len(f.all()); n != 2 {
			t.Errorf("%d messages", n)
		}
	})
}

// TestRepetitionCostsNothing: a dongle that offers the same hour by hour does not wear out the card.
func TestRepetitionCostsNothing(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		id := func() (id int) {
			f.ok(f.store.Do(ctx, func(t *store.Tx) error { id = t.ID(); return nil }))
			return id
		}
		f.receive(sms{text: "a"})
		before := id()
		for range 34 * 24 {
			pass(time.Hour)
			f.receive(sms{text: "a"})
		}
		if n := id() - before; n > 34/3 {
			t.Errorf("%d commits in 34 days", n)
		}
		if n := len(f.all()); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}

// TestTimeless: what bears no time can only be told from a repetition by when it comes.
func TestTimeless(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		raw := sms{text: "yes"}.deliver(t).Raw
		copy(raw[len(raw)-11:], make([]byte, 7)) // TP-SCTS, before TP-UDL and three octets
		d := decode(t, raw)
		if !d.SCTS.IsZero() || d.Text != "yes" {
			t.Fatalf("message %+v", d)
		}
		for range 10 { // the dongle's, at every sweep
			f.ok(f.Receive(ctx, card1, d))
			pass(time.Hour)
		}
		f.want("yes")
		pass(2 * time.Hour)
		f.ok(f.Receive(ctx, card1, d)) // the sender's
		f.want("yes", "yes")
		if m := f.all()[0]; !m.Sent.IsZero() {
			t.Errorf("sent %v", m.Sent)
		}
	})
}

// TestRefused: what the disk refuses leaves nothing behind, and is received when it is offered again.
func TestRefused(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		setMax := func(n int) {
			f.ok(f.store.Do(ctx, func(t *store.Tx) error { t.DB().MaxSize = n; return nil }))
		}
		long := make([]sms, 200) // more than the file has room for
		for i := range long {
			long[i] = sms{data: make([]byte, 100), ref: uint16(i), parts: 2, part: 1}
		}
		setMax(1)
		refused := 0
		for _, s := range long {
			if err := f.Receive(ctx, card1, s.deliver(t)); errors.Is(err, bolterrors.ErrMaxSizeReached) {
				refused++
			} else {
				f.ok(err)
			}
		}
		if refused == 0 {
			t.Fatal("nothing was refused")
		}
		setMax(0)
		for i, s := range long {
			second := s
			second.part = 2
			f.receive(s, second)
			if n := len(f.all()); n != i+1 {
				t.Fatalf("%d messages after %d", n, i+1)
			}
		}
	})
}

// TestConcurrent: the same message from many at once is one.
func TestConcurrent(t *testing.T) {
	f := newFixture(t, inbox.Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				if err := f.Receive(ctx, card1, sms{text: fmt.Sprint(n)}.deliver(t)); err != nil {
					t.Error(i, err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(f.all()); n != 20 {
		t.Errorf("%d messages", n)
	}
}

func TestClosed(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(sms{text: "a"})
		f.ok(f.store.Close())
		synctest.Wait()
		_, listErr := f.out.Events(0, 1)
		_, _, pageErr := f.List(ctx, inbox.Filter{})
		_, getErr := f.Get(ctx, "text:1")
		_, _, rawErr := f.Unreadable(ctx, 1)
		for _, err := range []error{
			f.Receive(ctx, card1, sms{text: "b"}.deliver(t)), f.Archive(ctx, card1, inbox.Unreadable{Line: "x"}),
			listErr, pageErr, getErr, rawErr,
		} {
			if !errors.Is(err, store.ErrClosed) {
				t.Errorf("error %v", err)
			}
		}
		f.start()
		f.want("a")
	})
}
