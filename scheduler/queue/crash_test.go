package queue

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// snapshot is the store as a kill at that moment leaves it, and what clients and modems had seen.
type snapshot struct {
	path string
	// accepted are the IDs whose Enqueue had returned; sent counts, for each part that the network
	// had accepted and the queue knew of, how often.
	accepted []string
	sent     map[string]int
	// flying are the parts handed out whose outcome the queue did not know.
	flying map[string]bool
}

// TestCrash copies the store at random moments of a random run, and opens each copy as a restart
// after kill -9 would: every acknowledged message is there, no accepted part is handed out again,
// and at most the one part in flight of each SIM is unknown.
func TestCrash(t *testing.T) {
	for _, retry := range []bool{false, true} {
		t.Run(fmt.Sprintf("retry unknown %t", retry), func(t *testing.T) {
			opts := Options{RetryUnknown: retry}
			for _, s := range crashRun(t, opts) {
				resume(t, s, opts)
			}
		})
	}
}

// crashRun sends random messages over two SIMs and takes snapshots as it goes.
func crashRun(t *testing.T, opts Options) (taken []snapshot) {
	f := newFixture(t, opts)
	rnd := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	now := snapshot{sent: map[string]int{}, flying: map[string]bool{}}
	jobs := map[int]*Job{}
	copyStore := func() {
		path := filepath.Join(dir, fmt.Sprint(len(taken)))
		f.ok(f.view(func(btx *bolt.Tx) error { return btx.CopyFile(path, 0o600) }))
		s := snapshot{path: path, accepted: now.accepted[:len(now.accepted):len(now.accepted)], sent: map[string]int{}, flying: map[string]bool{}}
		for k, n := range now.sent {
			s.sent[k] = n
		}
		for k := range now.flying {
			s.flying[k] = true
		}
		taken = append(taken, s)
	}
	for i := range 400 {
		switch sim := 1 + rnd.IntN(2); {
		case i%5 == 0:
			id := fmt.Sprint("m", i)
			f.put(Submission{ID: id, SIM: rnd.IntN(3), Priority: int8(rnd.IntN(3)), Recipients: []string{alice, bob}[:1+rnd.IntN(2)]}, 1+rnd.IntN(4))
			now.accepted = append(now.accepted, id)
		default:
			c := []*Claim{nil, &sim1, &sim2}[sim]
			j := jobs[sim]
			var done *Outcome
			if j != nil {
				done = &Outcome{Job: j, Kind: OutcomeAccepted, MR: uint8(i)}
				if rnd.IntN(6) == 0 {
					done.Kind = OutcomeDeferred
				}
			}
			next, _ := f.step(done, c)
			if j != nil {
				delete(now.flying, partName(j))
				if done.Kind == OutcomeAccepted {
					now.sent[partName(j)]++
				}
			}
			if jobs[sim] = next; next != nil {
				now.flying[partName(next)] = true
			}
		}
		if rnd.IntN(16) == 0 {
			copyStore()
		}
	}
	return taken
}

func partName(j *Job) string { return fmt.Sprintf("%s/%d.%d", j.ID, j.Recipient, j.Part) }

// resume opens a snapshot and sends what is left.
func resume(t *testing.T, s snapshot, opts Options) {
	t.Helper()
	f := &fixture{TB: t, path: s.path, opts: opts, mr: map[string]uint8{}}
	f.start()
	defer func() {
		checkStore(t, f.Queue)
		f.ok(f.Close())
	}()
	checkStore(t, f.Queue)
	unknown := 0
	for _, id := range s.accepted {
		m, err := f.Get(ctx, id)
		if err != nil {
			t.Fatalf("acknowledged message %s: %v", id, err)
		}
		for r := range m.Recipients {
			for p, part := range m.Recipients[r].Parts {
				name := fmt.Sprintf("%s/%d.%d", id, r, p)
				switch {
				case part.State == PartUnknown && !s.flying[name]:
					t.Errorf("part %s is unknown, it was not in flight", name)
				case part.State == PartUnknown && opts.RetryUnknown && part.Attempts < 3:
					t.Errorf("part %s is unknown after %d attempts, and not tried again", name, part.Attempts)
				case part.State == PartUnknown:
					unknown++
				case (part.State == PartAccepted) != (s.sent[name] > 0):
					t.Errorf("part %s is %v, the network accepted it %d times", name, part.State, s.sent[name])
				}
			}
		}
	}
	if want := len(s.flying); unknown > want || unknown < want && !opts.RetryUnknown {
		t.Errorf("%d parts unknown, %d were in flight", unknown, want)
	}
	left := map[string]bool{}
	for _, c := range []Claim{sim1, sim2} {
		for j, _ := f.step(nil, &c); j != nil; j, _ = f.step(nil, &c) {
			name := partName(j)
			if s.sent[name] > 0 || left[name] || s.flying[name] && !opts.RetryUnknown {
				t.Errorf("part %s handed out again", name)
			}
			left[name] = true
			f.accept(j)
		}
	}
	_, total, err := f.List(ctx, Filter{State: Pending})
	f.ok(err)
	if total != 0 {
		t.Errorf("%d messages left Pending after all SIMs went idle", total)
	}
}

// TestCrashBesideWriters copies the file, not a transaction of it, while many write: a copy made
// between two commits is what a kill leaves.
func TestCrashBesideWriters(t *testing.T) {
	f := newFixture(t, Options{})
	dir := t.TempDir()
	var mu sync.Mutex
	var acknowledged []string
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("w%d-%d", w, i)
				if _, err := f.Enqueue(ctx, Submission{ID: id, Recipients: []string{alice}, Report: true}, 2); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, id)
				mu.Unlock()
			}
		})
	}
	wg.Go(func() {
		c := sim1
		var done *Outcome
		for i := 0; i < 200; i++ {
			j, _, err := f.Step(ctx, done, &c)
			if err != nil {
				t.Error(err)
				return
			}
			if done = nil; j != nil {
				done = &Outcome{Job: j, Kind: OutcomeAccepted, MR: uint8(i)}
				c.Last = j
			}
		}
	})
	type copied struct {
		path string
		ids  []string
	}
	var copies []copied
	for i := range 4 {
		mu.Lock()
		ids := acknowledged[:len(acknowledged):len(acknowledged)]
		mu.Unlock()
		path := filepath.Join(dir, fmt.Sprint(i))
		// In the writer's hands nothing of a later commit is on its way to the file.
		f.ok(f.do(ctx, func(*tx) error {
			raw, err := os.ReadFile(f.path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, raw, 0o600)
		}))
		copies = append(copies, copied{path, ids})
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	for _, c := range copies {
		q, err := Open(c.path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range c.ids {
			if _, err := q.Get(ctx, id); err != nil {
				t.Errorf("acknowledged message %s: %v", id, err)
			}
		}
		checkStore(t, q)
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	}
	// The test's SIM stopped with a part in hand: that is a crash too, and the end's check sees it.
	f.reopen()
}
