package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

const (
	card1 = "262011111111111"
	card2 = "262022222222222"
	alice = "+4915112345678"
	bob   = "+4916098765432"
)

var ctx = context.Background()

var (
	sim1 = Claim{SIM: 1, IMSI: card1, Lanes: []int{LaneAny}}
	sim2 = Claim{SIM: 2, IMSI: card2, Lanes: []int{LaneAny}}
	// swapped is SIM 1 after another card was put in.
	swapped = Claim{SIM: 1, IMSI: card2, Lanes: []int{LaneAny}}
)

// fixture is a queue on a file of its own, whose consistency is checked when the test ends.
type fixture struct {
	testing.TB
	*Queue
	path string
	opts Options
	// rooms are in the store too, before the queue.
	rooms []store.Room
	// mr is the TP-MR that each card assigned last.
	mr map[string]uint8

	mu    sync.Mutex
	woken []int
}

// bubble runs f with a fresh queue in virtual time, which starts at 2000-01-01 00:00 UTC.
func bubble(t *testing.T, opts Options, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newFixture(t, opts)) })
}

// Open opens a store at path with these rooms and a queue.
func Open(path string, opts Options, rooms ...store.Room) (*Queue, error) {
	q := New(opts)
	_, err := store.Open(path, store.Options{Log: opts.Log}, append(rooms, q)...)
	return q, err
}

func (q *Queue) Close() error { return q.store.Close() }

// storeBatch is how many operations the store takes before one has to wait.
const storeBatch = 1024

// bucketTimers is the store's, and its keys are a time, a kind and what the queue gave.
var bucketTimers = []byte("timers")

func timerKey(at int64, kind byte, rest []byte) []byte {
	return append(append(binary.BigEndian.AppendUint64(nil, uint64(at)), kind), rest...)
}

func newFixture(t testing.TB, opts Options, rooms ...store.Room) *fixture {
	t.Helper()
	f := &fixture{TB: t, path: filepath.Join(t.TempDir(), "q.db"), opts: opts, rooms: rooms, mr: map[string]uint8{}}
	f.opts.Wake = func(lane int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.woken = append(f.woken, lane)
	}
	f.start()
	t.Cleanup(func() {
		checkStore(t, f.Queue)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) start() {
	f.Helper()
	q, err := Open(f.path, f.opts, slices.Clone(f.rooms)...)
	if err != nil {
		f.Fatal(err)
	}
	f.Queue = q
	// The writer owns the handle; fsync is the disk's affair, and slow.
	f.ok(q.do(ctx, func(t *tx) error { t.DB().NoSync = true; return nil }))
}

// reopen closes the store and opens it again, as after a restart.
func (f *fixture) reopen() {
	f.Helper()
	f.ok(f.Close())
	f.start()
}

// wakes returns the lanes woken since it was last called, sorted.
func (f *fixture) wakes() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	woken := f.woken
	f.woken = nil
	slices.Sort(woken)
	return slices.Compact(woken)
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// put enqueues s, to alice if it names nobody, asking for reports.
func (f *fixture) put(s Submission, parts int) Message {
	f.Helper()
	if s.Recipients == nil {
		s.Recipients = []string{alice}
	}
	s.Content.Text, s.Report = "hello", true
	m, err := f.Enqueue(ctx, s, parts)
	f.ok(err)
	return m
}

// puts enqueues messages to alice of one part, with these IDs, one millisecond apart.
func (f *fixture) puts(ids ...string) {
	f.Helper()
	for _, id := range ids {
		f.put(Submission{ID: id}, 1)
	}
}

func (f *fixture) step(done *Outcome, want *Claim) (*Job, time.Time) {
	f.Helper()
	j, why, err := f.Step(ctx, done, want)
	f.ok(err)
	return j, why.Until
}

// take claims and insists on getting something.
func (f *fixture) take(c Claim) *Job {
	f.Helper()
	j, again := f.step(nil, &c)
	if j == nil {
		f.Fatalf("nothing to claim for SIM %d, again at %v", c.SIM, again)
	}
	return j
}

// idle insists that there is nothing to claim and returns when to ask again.
func (f *fixture) idle(c Claim) time.Time {
	f.Helper()
	j, again := f.step(nil, &c)
	if j != nil {
		f.Fatalf("claimed %s, want nothing", name(j))
	}
	return again
}

// accept settles j with the next TP-MR of its card.
func (f *fixture) accept(j *Job) uint8 {
	f.Helper()
	f.mr[j.IMSI]++
	f.acceptAs(j, f.mr[j.IMSI])
	return f.mr[j.IMSI]
}

func (f *fixture) acceptAs(j *Job, mr uint8) {
	f.Helper()
	f.mr[j.IMSI] = mr
	f.step(&Outcome{Job: j, Kind: OutcomeAccepted, MR: mr}, nil)
}

func (f *fixture) lose(j *Job) {
	f.Helper()
	f.step(&Outcome{Job: j, Kind: OutcomeUnknown, Error: "no answer"}, nil)
}

func (f *fixture) reject(j *Job) {
	f.Helper()
	f.step(&Outcome{Job: j, Kind: OutcomeRejected, Error: "refused"}, nil)
}

// run sends everything that c may claim now, in the steady rhythm of outcome and claim in one step,
// and returns what it sent.
func (f *fixture) run(c Claim) (sent []string) {
	f.Helper()
	j, _ := f.step(nil, &c)
	for j != nil {
		sent = append(sent, name(j))
		c.Last = j
		f.mr[c.IMSI]++
		j, _ = f.step(&Outcome{Job: j, Kind: OutcomeAccepted, MR: f.mr[c.IMSI]}, &c)
	}
	return sent
}

// name is how tests write a job: ID, and recipient and part where they are not the first.
func name(j *Job) string {
	s := j.ID
	if j.Recipient > 0 {
		s += fmt.Sprintf("/%d", j.Recipient)
	}
	if j.Part > 0 {
		s += fmt.Sprintf(".%d", j.Part)
	}
	return s
}

func (f *fixture) get(id string) Message {
	f.Helper()
	m, err := f.Get(ctx, id)
	f.ok(err)
	return m
}

// wantState checks the states of a message and of its first recipient's parts.
func (f *fixture) wantState(id string, want State, parts ...PartState) {
	f.Helper()
	m := f.get(id)
	if m.State != want {
		f.Errorf("%s is %v, want %v", id, m.State, want)
	}
	if len(parts) == 0 {
		return
	}
	var got []PartState
	for _, p := range m.Recipients[0].Parts {
		got = append(got, p.State)
	}
	if !slices.Equal(got, parts) {
		f.Errorf("%s has parts %v, want %v", id, got, parts)
	}
}

// report stores a report and checks what it found.
func (f *fixture) report(imsi string, mr uint8, from string, v Verdict, want Match) {
	f.Helper()
	text := ""
	if v == VerdictFailed {
		text = "no such subscriber"
	}
	got, err := f.Report(ctx, Report{IMSI: imsi, MR: mr, Recipient: from, Status: uint8(v), Verdict: v, Text: text})
	f.ok(err)
	if got != want {
		f.Errorf("report of TP-MR %d found %d, want %d", mr, got, want)
	}
}

func (f *fixture) wantOrphans(want int) {
	f.Helper()
	n, err := f.Orphans()
	f.ok(err)
	if n != want {
		f.Errorf("%d orphans, want %d", n, want)
	}
}

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func wantErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}

func openRaw(path string) (*bolt.DB, error) { return bolt.Open(path, 0o600, nil) }
