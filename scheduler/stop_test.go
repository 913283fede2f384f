package scheduler_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// Stopping waits for the part in flight, stores what became of it, and begins nothing more.
func TestStopFinishesThePartInFlight(t *testing.T) {
	tests := []struct {
		name     string
		answer   error
		state    queue.State
		attempts int
	}{
		{"accepted", nil, queue.Sent, 1},
		{"rejected", refused(21), queue.Failed, 1},
		{"transient", refused(38), queue.Pending, 1},
		{"SIM fault", refused(30), queue.Pending, 0},
		{"modem fault", refused(300), queue.Pending, 0},
		{"unknown", silence(), queue.Processed, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				sim.latency = 2 * time.Minute
				sim.answer = inTurn(tt.answer)
				r := start(t, scheduler.Options{FIFO: true}, sim)
				first, second := r.post(text("a")), r.post(text("b"))
				time.Sleep(time.Minute)
				began := time.Now()
				r.halt()
				if took := time.Since(began); took != time.Minute {
					t.Errorf("Run ended after %v, the answer came after 1m", took)
				}
				m := r.get(first)
				if m.State != tt.state || m.Recipients[0].Parts[0].Attempts != tt.attempts {
					t.Errorf("part in flight: message %v, %d attempts; want %v, %d",
						m.State, m.Recipients[0].Parts[0].Attempts, tt.state, tt.attempts)
				}
				r.expect(second, queue.Pending, "")
				if n := len(sim.sent()); n != 1 {
					t.Errorf("%d submissions", n)
				}
			})
		})
	}
}

// What had not left when we stopped is no attempt, and goes out after the next start.
func TestStopBeforeThePrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.prompt = 5 * second
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text("a"))
		time.Sleep(second)
		began := time.Now()
		r.halt()
		if took := time.Since(began); took != 0 {
			t.Errorf("Run ended after %v although nothing had left", took)
		}
		if m := r.get(id); m.State != queue.Pending || m.Recipients[0].Parts[0].Attempts != 0 {
			t.Errorf("message is %v, %d attempts", m.State, m.Recipients[0].Parts[0].Attempts)
		}
		r.restart()
		time.Sleep(time.Minute)
		r.expect(id, queue.Sent, "")
	})
}

func TestStopWhileIdleOrPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready, paused, away := newSIM(t, 1), newSIM(t, 2), newSIM(t, 3)
		paused.answer = inTurn(refused(30))
		away.status.State = modem.StateLost
		r := start(t, scheduler.Options{Retention: time.Hour}, ready, paused, away)
		for sim := range 3 {
			sub := text("a")
			sub.SIM = sim + 1
			r.post(sub)
		}
		time.Sleep(second)
		began := time.Now()
		r.halt()
		if took := time.Since(began); took != 0 {
			t.Errorf("Run ended after %v", took)
		}
	})
}

// The store closed under us, as after a failed disk: the SIM's goroutine must end, not spin.
func TestStoreClosedWhileInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.latency = time.Minute
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text("a"))
		time.Sleep(second)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		r.halt()
		r.open()
		r.run()
		time.Sleep(time.Hour)
		r.expect(id, queue.Processed, "") // its outcome was never stored: unknown
		if n := len(sim.sent()); n != 1 {
			t.Errorf("%d submissions", n)
		}
	})
}

// counter is a slog.Handler that counts errors.
type counter struct{ errors atomic.Int64 }

func (c *counter) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (c *counter) WithAttrs([]slog.Attr) slog.Handler           { return c }
func (c *counter) WithGroup(string) slog.Handler                { return c }
func (c *counter) Handle(context.Context, slog.Record) error    { c.errors.Add(1); return nil }

// A damaged record is logged, once, and holds up nobody.
func TestDamagedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		log := &counter{}
		r := idle(t, scheduler.Options{Log: slog.New(log)}, sim)
		r.post(text("a"))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		damage(t, r.path)
		r.open()
		r.run()
		time.Sleep(time.Minute)
		if n := log.errors.Load(); n != 1 {
			t.Errorf("%d errors logged in a minute", n)
		}
		id := r.post(text("b"))
		time.Sleep(time.Minute)
		r.expect(id, queue.Sent, "")
		if got := sim.texts(); len(got) != 1 || got[0] != "b" {
			t.Errorf("sent %q", got)
		}
	})
}

// damage overwrites the record of the first recipient, as a worn card might.
func damage(t *testing.T, path string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("deliveries"))
		k, _ := b.Cursor().First()
		return b.Put(k, []byte("\x01worn out"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesAStoreThatIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if s, err := scheduler.Open(filepath.Join(t.TempDir(), "no", "such", "folder"), scheduler.Options{}); err == nil {
			t.Errorf("opened %v", s)
		}
	})
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = forText("bad", refused(21))
		r := start(t, scheduler.Options{Retention: 24 * time.Hour}, sim)
		old := []string{r.post(text("sent")), r.post(text("bad"))}
		waits := text("waits")
		waits.ScheduleAt = time.Now().Add(90 * time.Hour)
		kept := r.post(waits)
		time.Sleep(23 * time.Hour)
		for _, id := range old {
			r.get(id)
		}
		young := r.post(text("young"))
		time.Sleep(2*time.Hour + second)
		for _, id := range old {
			if _, err := r.Get(context.Background(), id); err != queue.ErrNotFound {
				t.Errorf("get a message that ended 25 h ago: %v", err)
			}
		}
		r.get(kept)
		r.get(young)
	})
}

func TestReportedAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{}, newSIM(t, 1))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		// Not stored, so not to be acknowledged: the network will repeat it.
		if err := r.Reported(context.Background(), modem.Origin{SIM: 1}, pdu.Report{Recipient: "+4915112345678"}); err == nil {
			t.Error("a report that was not stored was taken")
		}
	})
}
