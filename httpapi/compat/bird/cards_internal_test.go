package bird

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi/compat"
	"dongled/httpapi/courier"
	"dongled/modem"
	"dongled/scheduler/store"
)

// silent takes callbacks and makes none.
type silent struct{}

func (silent) Register(string, courier.Plan)       {}
func (silent) Check(string) error                  { return nil }
func (silent) Put(*store.Tx, courier.Callback)     {}
func (s silent) base(log *slog.Logger) compat.Base { return compat.Base{Callbacks: s, Log: log} }

// slots are SIMs as they are now.
type slots []modem.Status

func (s slots) Modems() []modem.Status { return s }

// late is one SIM, which is ready from some moment on.
type late struct{ ready atomic.Bool }

func (l *late) Modems() []modem.Status {
	st := modem.Status{SIM: 1, State: modem.StateOpening, ICCID: "8949020000000000001", Number: "+491510000001"}
	if l.ready.Load() {
		st.State = modem.StateReady
	}
	return []modem.Status{st}
}

// opened is a dialect whose room is in the file at path, as Mount leaves it.
func opened(t *testing.T, path string, sims compat.SIMs, log *slog.Logger) *Dialect {
	t.Helper()
	d := New(silent{}.base(log), Options{})
	s, err := store.Open(path, store.Options{}, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	d.g.SIMs = sims
	d.settle(t.Context(), "a gateway")
	return d
}

func ids(all []channel) (out []string) {
	for _, ch := range all {
		out = append(out, ch.ID)
	}
	return out
}

// TestRemembered: the channels of SIMs that are not there are listed after a restart, and before Mount.
func TestRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dongled.db")
	sims := slots{
		{SIM: 1, State: modem.StateReady, ICCID: "8949020000000000001", IMSI: "262010000000001"},
		{SIM: 2, State: modem.StateNeedsPIN, ICCID: "8949020000000000002"},
		{SIM: 3, State: modem.StateReady, IMSI: "262010000000003"},
		{SIM: 4, State: modem.StateReady, Number: "+491510000004"},
		{SIM: 5, State: modem.StateIdentifying, ICCID: "8949020000000000005"},
		{SIM: 6, State: modem.StateReady},
		// Their numbers are the configuration's; the cards were not seen yet.
		{SIM: 7, State: modem.StateStopped, Number: "+491510000007"},
		{SIM: 8, State: modem.StateLost, Number: "+491510000008"},
		{SIM: 9, State: modem.StateNeedsPIN, Number: "+491510000009"},
	}
	first := opened(t, path, sims, slog.New(slog.DiscardHandler))
	first.remember(t.Context())
	before := ids(first.channels())
	if len(before) != 5 { // of SIMs 1 to 4, and any
		t.Fatalf("channels %v", before)
	}
	if err := first.store.Close(); err != nil {
		t.Fatal(err)
	}
	again := New(silent{}.base(slog.New(slog.DiscardHandler)), Options{})
	s, err := store.Open(path, store.Options{}, again)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if got := ids(again.channels()); !slices.Equal(got, before) || again.workspace() != first.workspace() {
		t.Errorf("after a restart there are %v, before there were %v", got, before)
	}
	for _, ch := range again.channels() {
		if ch.Active || ch.Away {
			t.Errorf("without any SIM %+v is not just inactive", ch)
		}
	}
}

// TestReplaced: by a card that another one replaced nothing is sent, also while that one is not there.
func TestReplaced(t *testing.T) {
	a := modem.Status{SIM: 1, State: modem.StateReady, ICCID: "8949020000000000001"}
	b := modem.Status{SIM: 1, State: modem.StateReady, ICCID: "8949020000000000002"}
	d := opened(t, filepath.Join(t.TempDir(), "dongled.db"), nil, slog.New(slog.DiscardHandler))
	see := func(sims ...modem.Status) {
		d.g.SIMs = slots(sims)
		d.remember(t.Context())
	}
	away := func() (all []bool) {
		for _, st := range []modem.Status{a, b} {
			ch, found := d.channel(derived(d.workspace(), "iccid:"+st.ICCID))
			if !found || ch.Away != (ch.sendable() != nil) || ch.Name == "SIM 0" {
				t.Fatalf("the channel of %s is %+v", st.ICCID, ch)
			}
			all = append(all, ch.Away)
		}
		return all
	}
	see(a)
	see(b)
	if got := away(); !slices.Equal(got, []bool{true, false}) {
		t.Errorf("with the second in the place of the first, away are %v", got)
	}
	see(modem.Status{SIM: 1, State: modem.StateLost})
	if got := away(); !slices.Equal(got, []bool{true, false}) {
		t.Errorf("with none there, away are %v", got)
	}
	b.SIM = 2
	see(a, b)
	if got := away(); !slices.Equal(got, []bool{false, false}) {
		t.Errorf("with both there, away are %v", got)
	}
	a.SIM, b.SIM = 2, 1
	see(a, b)
	if got := away(); !slices.Equal(got, []bool{false, false}) {
		t.Errorf("after they changed places, away are %v", got)
	}
	c := card{ICCID: "8949020000000000003", SIM: 2}
	if err := d.store.Do(t.Context(), func(tx *store.Tx) error { d.meet(tx, c); return nil }); err != nil {
		t.Fatal(err)
	}
	see(modem.Status{SIM: 2, State: modem.StateLost}, b)
	if got := away(); !slices.Equal(got, []bool{true, false}) {
		t.Errorf("after a message came in by a third, away are %v", got)
	}
}

// TestSameCard: what is known of a card may come bit by bit.
func TestSameCard(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b card
		want bool
	}{
		{"ICCID", card{ICCID: "1", IMSI: "1"}, card{ICCID: "1", IMSI: "2"}, true},
		{"another ICCID", card{ICCID: "1", IMSI: "1"}, card{ICCID: "2", IMSI: "1"}, false},
		{"ICCID not read now", card{ICCID: "1", IMSI: "1"}, card{IMSI: "1"}, true},
		{"another IMSI", card{ICCID: "1", IMSI: "1"}, card{IMSI: "2"}, false},
		{"number alone", card{Phone: "1"}, card{Phone: "1"}, true},
		{"a number that moved", card{ICCID: "1", Phone: "1"}, card{ICCID: "2", Phone: "1"}, false},
		{"a number and a card", card{ICCID: "1", Phone: "1"}, card{Phone: "1"}, false},
		{"nothing", card{}, card{}, false},
	} {
		if c.a.same(c.b) != c.want || c.b.same(c.a) != c.want {
			t.Errorf("%s: %v", c.name, !c.want)
		}
	}
}

// TestDamagedRecords are skipped: a channel comes back with its SIM, a subscription does not.
func TestDamagedRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dongled.db")
	var log bytes.Buffer
	d := opened(t, path, nil, slog.New(slog.NewTextHandler(&log, nil)))
	err := d.store.Do(t.Context(), func(tx *store.Tx) error {
		tx.Put(store.Bucket(tx, bucketChannels), []byte("11111111-2222-4333-8444-555555555555"), []byte("{"))
		tx.Put(store.Bucket(tx, bucketSubscriptions), []byte("11111111-2222-4333-8444-666666666666"), []byte("{"))
		d.loadCards(tx)
		if got := d.subscriptions(store.Bucket(tx, bucketSubscriptions)); len(got) != 0 {
			t.Errorf("a damaged subscription is %v", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.channels(); len(got) != 1 {
		t.Errorf("channels %v", got)
	}
	for _, want := range []string{"record of a channel is damaged", "record of a webhook subscription is damaged"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say that the %s", want)
		}
	}
}

// TestAnnounced: each channel has one line in the log, also that of a SIM that comes later.
func TestAnnounced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dongled.db")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		sim := &late{}
		d := opened(t, path, sim, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { d.watch(ctx); close(ended) }()
		synctest.Wait()
		if n := strings.Count(log.String(), "bird channel"); n != 1 {
			t.Errorf("before the SIM is known there are %d lines:\n%s", n, log.String())
		}
		sim.ready.Store(true)
		<-time.After(2 * lookEvery)
		stop()
		<-ended
		if n := strings.Count(log.String(), "bird channel"); n != 2 || strings.Contains(log.String(), "1510000001") {
			t.Errorf("there are %d lines:\n%s", n, log.String())
		}
	})
}
