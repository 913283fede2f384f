package inbox_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"dongled/pdu"
	"dongled/scheduler/inbox"
	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// TestMain fails if a closed store leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

const (
	smsc  = "+491710760000"
	alice = "+4915112345678"
	bob   = "+4916098765432"
)

var card1 = inbox.Origin{
	SIM: 1, IMSI: "262011111111111", ICCID: "8949020000000000001", IMEI: "490154203237518", Number: "+4917000000001",
}

var card2 = inbox.Origin{SIM: 2, IMSI: "262022222222222"}

// fixture is an inbox on a file of its own, whose consistency is checked when the test ends.
type fixture struct {
	testing.TB
	*inbox.Inbox
	out   *outbox.Outbox
	store *store.Store
	path  string
	opts  inbox.Options
	// told, if set, is the outbox's.
	told func(*store.Tx, outbox.Event)
}

// bubble runs f with a fresh inbox in virtual time, which starts at 2000-01-01 00:00 UTC.
func bubble(t *testing.T, opts inbox.Options, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newFixture(t, opts)) })
}

func newFixture(t testing.TB, opts inbox.Options) *fixture {
	t.Helper()
	f := &fixture{TB: t, path: filepath.Join(t.TempDir(), "s.db"), opts: opts}
	f.start()
	t.Cleanup(func() {
		f.check()
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) start() {
	f.Helper()
	f.out = outbox.New(f.told, nil)
	f.opts.Outbox = f.out
	f.Inbox = inbox.New(f.opts)
	s, err := store.Open(f.path, store.Options{}, f.out, f.Inbox)
	f.ok(err)
	f.store = s
	f.ok(s.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
}

// reopen closes the store and opens it again, as after a restart.
func (f *fixture) reopen() {
	f.Helper()
	f.ok(f.store.Close())
	f.start()
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// sms is an SMS-DELIVER to be made.
type sms struct {
	from, smsc string // alice and smsc unless given
	text       string
	data       []byte
	port       uint16
	flash      bool
	at         time.Duration // TP-SCTS, after 2000-01-01 00:00 UTC
	// ref, of parts parts number part, unless parts is 0.
	ref         uint16
	parts, part uint8
	wide        bool
}

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (s sms) deliver(t testing.TB) pdu.Deliver {
	t.Helper()
	d := pdu.Deliver{Originator: alice, SMSC: smsc, SCTS: epoch.Add(s.at), Text: s.text, Data: s.data, Flash: s.flash}
	if s.from != "" {
		d.Originator = s.from
	}
	if s.smsc != "" {
		d.SMSC = s.smsc
	}
	if s.port != 0 {
		d.Ports = &pdu.Ports{Destination: s.port, Source: 1}
	}
	if s.parts > 0 {
		d.Concat = &pdu.Concat{Reference: s.ref, Total: s.parts, Number: s.part, Wide: s.wide}
	}
	raw, err := pdu.EncodeDeliver(d)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, raw)
}

func decode(t testing.TB, raw []byte) pdu.Deliver {
	t.Helper()
	d, err := pdu.DecodeDeliver(raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// receive hands in s on the first card.
func (f *fixture) receive(all ...sms) {
	f.Helper()
	for _, s := range all {
		f.ok(f.Receive(ctx, card1, s.deliver(f)))
	}
}

// all is every message in the inbox, the first to come first.
func (f *fixture) all() []inbox.Message {
	f.Helper()
	page, total, err := f.List(ctx, inbox.Filter{Limit: 1_000_000})
	f.ok(err)
	if len(page) != total {
		f.Errorf("%d messages of %d", len(page), total)
	}
	slices.Reverse(page)
	return page
}

// want checks the texts in the inbox, in the order of arrival, a partial one marked by a question
// mark before it; and that there is an event for each.
func (f *fixture) want(texts ...string) {
	f.Helper()
	var got, refs, told []string
	for _, m := range f.all() {
		text := m.Text
		if m.Kind == inbox.DataSMS {
			text = fmt.Sprintf("% x", m.Data)
		}
		if m.Partial {
			text = "?" + text
		}
		got, refs = append(got, text), append(refs, m.ID)
	}
	events, err := f.out.Events(0, 10_000)
	f.ok(err)
	for _, e := range events {
		told = append(told, e.Ref)
	}
	equal(f, "inbox", got, texts)
	equal(f, "events", told, refs)
}

// size is how many entries a bucket has.
func (f *fixture) size(bucket string) (n int) {
	f.Helper()
	f.ok(f.store.View(func(btx *bolt.Tx) error { n = btx.Bucket([]byte(bucket)).Stats().KeyN; return nil }))
	return n
}

// check compares everything in the store with everything else.
func (f *fixture) check() {
	f.Helper()
	f.ok(f.store.View(func(btx *bolt.Tx) error {
		for err := range btx.Check() {
			f.Errorf("bbolt: %v", err)
		}
		each := func(bucket string, do func(k, v []byte)) {
			_ = btx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error { do(k, v); return nil })
		}
		forget, giveUp, again := map[string]bool{}, map[string]bool{}, false
		each("timers", func(k, _ []byte) {
			switch k[8] {
			case 11:
				giveUp[string(k[9:])] = true
			case 12:
				forget[string(k[9:])] = true
			case 13:
				again = true
			}
		})
		if n := btx.Bucket([]byte("inbox_replays")).Stats().KeyN; n > 0 && !again {
			f.Errorf("%d replays wait for ever", n)
		}
		each("inbox_seen", func(k, _ []byte) {
			if !forget[string(k)] {
				f.Errorf("%x is remembered for ever", k)
			}
			delete(forget, string(k))
		})
		sets := map[string]bool{}
		each("inbox_open", func(k, _ []byte) {
			if !giveUp[string(k)] {
				f.Errorf("message %x waits for ever", k)
			}
			delete(giveUp, string(k))
			sets[string(k[16:])] = true
		})
		each("inbox_parts", func(k, _ []byte) {
			if !sets[string(k[:8])] {
				f.Errorf("part %x is of no message", k)
			}
		})
		if len(forget)+len(giveUp) > 0 {
			f.Errorf("timers for nothing: %v, %v", forget, giveUp)
		}
		rows := btx.Bucket([]byte("inbox")).Stats().KeyN
		if _, total, err := f.List(ctx, inbox.Filter{}); rows != total || err != nil {
			f.Errorf("%d rows, %d counted, %v", rows, total, err)
		}
		return nil
	}))
}

// pass lets d pass, and a moment more in which what is due is done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const day = 24 * time.Hour

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}
