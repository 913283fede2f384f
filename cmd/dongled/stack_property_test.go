package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler/queue"
)

// TestEveryMessageEndsInATrueState plays random plans against the gateway, which waits for the
// reports of parts whose outcome is unknown: no part is sent twice, whatever happens.
func TestEveryMessageEndsInATrueState(t *testing.T) { checkPlans(t, false) }

// TestEveryMessageEndsInATrueStateWhenRetried is the same with on_unknown: retry: only a part that
// was in doubt is sent again, once for each doubt and three times at the most.
func TestEveryMessageEndsInATrueStateWhenRetried(t *testing.T) { checkPlans(t, true) }

// checkPlans plays random plans. They are drawn outside the bubble, so that rapid's own clock for
// shrinking is the real one.
func checkPlans(t *testing.T, retry bool) {
	limitChecks()
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		p := anyPlan(retry).Draw(rt, "plan")
		var wrong []string
		synctest.Test(t, func(t *testing.T) { wrong = p.play(t) })
		if len(wrong) > 0 {
			rt.Fatalf("%s", strings.Join(wrong, "\n"))
		}
	})
}

// limitChecks is called by tests that run beside each other.
var limitChecks = sync.OnceFunc(func() { models.Checks(16) })

// partOf names one part of one recipient of one message.
type partOf struct {
	message   int
	recipient int
	part      int // from 0
}

func (k partOf) String() string {
	return fmt.Sprintf("message %d, recipient %d, part %d", k.message, k.recipient, k.part)
}

// journal notes what a plan did and what was seen of it, apart from what the gateway says.
type journal struct {
	s    *stack
	plan plan
	sent []*sending

	mu sync.Mutex
	// flying is the part that each SIM has in hand; doubts counts how often nobody could know
	// whether a part had left: no clear answer, or a crash while it was in hand.
	flying map[int]partOf
	doubts map[partOf]int
	// stored are the reports that were on disk.
	stored []heard
	faults []string
}

// sending is a message that the gateway accepted.
type sending struct {
	order
	sub       queue.Submission
	id        string
	cancelled bool
}

// heard is a status report as a SIM received it; imsi is what the session knew of the SIM.
type heard struct {
	sim  int
	imsi string
	pdu.Report
}

func newJournal(s *stack, p plan) *journal {
	j := &journal{s: s, plan: p, flying: map[int]partOf{}, doubts: map[partOf]int{}}
	s.onPart, s.onReport = j.part, j.report
	return j
}

func (j *journal) wrong(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

func (j *journal) part(job *queue.Job, err error, after bool) {
	var n int
	if _, bad := fmt.Sscanf(job.ID, "message-%d", &n); bad != nil {
		j.wrong("a part of message %q, which nobody sent", job.ID)
		return
	}
	k := partOf{n, int(job.Recipient), job.Part}
	j.mu.Lock()
	was, busy := j.flying[job.SIM]
	if after {
		delete(j.flying, job.SIM)
	} else {
		j.flying[job.SIM] = k
	}
	if fault := (*modem.SubmitError)(nil); after && asSubmitError(err, &fault) && fault.Fault.Action == modem.Ambiguous {
		j.doubts[k]++
	}
	j.mu.Unlock()
	if busy != after || after && was != k {
		j.wrong("SIM %d: %v while it has %v in hand: %v", job.SIM, k, was, busy)
	}
}

func (j *journal) report(from modem.Origin, r pdu.Report) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stored = append(j.stored, heard{from.SIM, from.IMSI, r})
}

// crash puts what is in hand in doubt: one part a SIM.
func (j *journal) crash() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range j.flying {
		j.doubts[k]++
	}
	clear(j.flying)
}

// settle lets time pass until everything has its end: every retry, every doubt, every late report.
func (j *journal) settle() {
	const step, patience = 5 * time.Minute, 3 * 24 * time.Hour
	for waited := time.Duration(0); waited < patience && !j.ended(); waited += step {
		j.s.pass(step)
	}
	j.s.pass(latestReport + unknownAfter)
}

func (j *journal) ended() bool {
	return !slices.ContainsFunc(j.sent, func(m *sending) bool {
		state := j.s.get(m.id).State
		return state == queue.Pending || state == queue.Processed
	})
}
