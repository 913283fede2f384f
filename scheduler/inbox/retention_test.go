package inbox_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"dongled/scheduler/inbox"
	"dongled/scheduler/store"
)

// TestRetention: messages go within the hour after their time, and not before.
func TestRetention(t *testing.T) {
	bubble(t, inbox.Options{PartialAfter: 2 * day, Retention: 2 * day}, func(f *fixture) {
		for i := range 600 { // more than one commit looks at
			f.receive(sms{text: fmt.Sprint(i)})
		}
		f.ok(f.Archive(ctx, card1, inbox.Unreadable{Line: "old"}))
		f.receive(part(1))
		pass(day)
		f.receive(sms{text: "young"}, part(2), part(3))
		f.ok(f.Archive(ctx, card1, inbox.Unreadable{Line: "young"}))
		pass(day - time.Millisecond)
		if n := len(f.all()); n != 602 {
			t.Errorf("%d messages before the time", n)
		}
		pass(time.Hour + time.Millisecond)
		if got := f.all(); len(got) != 2 || got[0].Text != "young" || got[1].Text != "123" {
			t.Errorf("messages %+v", got)
		}
		latest, ever, err := f.Unreadable(ctx, 10)
		f.ok(err)
		if len(latest) != 1 || latest[0].Line != "young" || ever != 2 {
			t.Errorf("%d of %d: %+v", len(latest), ever, latest)
		}
		f.receive(sms{text: "7"}) // gone is not forgotten
		if n := len(f.all()); n != 2 {
			t.Errorf("%d messages after a repetition", n)
		}
		pass(2 * day)
		if n := f.size("inbox") + f.size("inbox_blocks") + f.size("inbox_supers") + f.size("inbox_raw"); n != 0 {
			t.Errorf("%d entries are left", n)
		}
	})
}

// TestRetentionChanges at a restart, to shorter, to none and to longer.
func TestRetentionChanges(t *testing.T) {
	bubble(t, inbox.Options{Retention: 100 * day}, func(f *fixture) {
		f.receive(sms{text: "a"})
		pass(5 * day)
		f.receive(sms{text: "b"})
		pass(4 * day)
		f.receive(sms{text: "c"})
		restart := func(retention time.Duration) {
			f.ok(f.store.Close())
			f.opts.Retention = retention
			f.start()
			pass(0)
		}
		texts := func(when, want string) {
			t.Helper()
			var got []string
			for _, m := range f.all() {
				got = append(got, m.Text)
			}
			if strings.Join(got, "") != want {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		restart(7 * day)
		texts("at once", "bc")
		pass(3*day + time.Hour) // the timer of b was set for another retention
		texts("later", "c")
		restart(0)
		pass(30 * day)
		texts("with none", "c")
		restart(1000 * day)
		texts("with a longer one", "c")
	})
}

// TestArchive: what cannot be read is kept once, counted, and bounded.
func TestArchive(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		first := inbox.Unreadable{PDU: []byte{0x00, 0xff}, Error: "TP-OA is cut off"}
		for range 3 {
			f.ok(f.Archive(ctx, card1, first))
			f.reopen()
		}
		f.ok(f.Archive(ctx, card2, first))
		f.ok(f.Archive(ctx, card1, inbox.Unreadable{Line: "+CMGR: nonsense", Error: "no PDU"}))
		latest, ever, err := f.Unreadable(ctx, 10)
		f.ok(err)
		if len(latest) != 3 || ever != 3 {
			t.Fatalf("%d of %d", len(latest), ever)
		}
		got := latest[2]
		if !got.At.Equal(time.Now()) || got.SIM != 1 || got.IMSI != card1.IMSI || string(got.PDU) != "\x00\xff" || got.Error != first.Error {
			t.Errorf("archived %+v", got)
		}
		if latest[0].Line != "+CMGR: nonsense" || latest[1].SIM != 2 {
			t.Errorf("archived %+v", latest)
		}
		for i := range 1100 {
			f.ok(f.Archive(ctx, card1, inbox.Unreadable{Line: fmt.Sprint(i)}))
		}
		latest, ever, err = f.Unreadable(ctx, 5000)
		f.ok(err)
		if len(latest) != 1000 || ever != 1103 || latest[0].Line != "1099" || latest[999].Line != "100" {
			t.Errorf("%d of %d, from %s to %s", len(latest), ever, latest[0].Line, latest[len(latest)-1].Line)
		}
		if events, err := f.out.Events(0, 1); len(events) > 0 || err != nil || len(f.all()) > 0 {
			t.Errorf("somebody was told: %+v, %v", events, err)
		}
	})
}

// TestClockSet: a machine without a battery clock starts in the past and is set right minutes later.
// What came before that was received since the start, and is no reason to delete it or to forget it.
func TestClockSet(t *testing.T) {
	bubble(t, inbox.Options{Retention: 7 * day}, func(f *fixture) {
		pass(100 * day)
		f.receive(sms{text: "before"})
		f.reopen()
		start := time.Now()
		pass(time.Minute)
		f.receive(sms{text: "a"}, sms{text: "b"})
		f.ok(f.store.Do(ctx, func(t *store.Tx) error { // as if that had been at the epoch
			old := binary.BigEndian.AppendUint64(nil, uint64(epoch.UnixMilli()))
			for _, bucket := range []string{"inbox", "inbox_blocks", "inbox_supers"} {
				b := t.Bucket([]byte(bucket))
				values := map[string][]byte{}
				_ = b.ForEach(func(k, v []byte) error {
					values[string(k)] = append(bytes.Clone(old), v[8:]...)
					return nil
				})
				for k, v := range values {
					t.Put(b, []byte(k), v)
				}
			}
			due := map[string]bool{} // and so its memory is over
			_ = t.Bucket([]byte("timers")).ForEach(func(k, _ []byte) error { due[string(k)] = k[8] == 12; return nil })
			for k, forgets := range due {
				if forgets {
					t.Del(t.Bucket([]byte("timers")), []byte(k))
					t.At(t.Now, 12, []byte(k[9:]))
				}
			}
			t.At(t.Now, 10, nil)
			return nil
		}))
		pass(0)
		for _, m := range f.all() {
			if !m.Received.Equal(start) {
				t.Errorf("%s was received at %v, want the start of the run, %v", m.Text, m.Received, start)
			}
		}
		f.receive(sms{text: "a"}, sms{text: "b"})
		if got := f.all(); len(got) != 2 || got[0].Text != "a" || got[1].Text != "b" {
			t.Errorf("messages %+v", got)
		}
		pass(7*day + time.Hour)
		if got := f.all(); len(got) != 0 {
			t.Errorf("messages %+v", got)
		}
	})
}
