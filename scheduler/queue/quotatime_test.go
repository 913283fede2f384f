package queue

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// stepAt is Step while the wall clock is off by so much. The bubble's clock is the true one, and the
// monotonic one.
func stepAt(q *Queue, off time.Duration, done *Outcome, want *Claim) (job *Job, why Pause, err error) {
	err = q.do(ctx, func(t *tx) error {
		right := t.now
		defer func() { t.now = right }()
		t.now += off.Milliseconds()
		if done != nil {
			if err := t.settle(done); err != nil {
				return err
			}
		}
		if want != nil {
			job, why = t.claim(want)
		}
		return t.Err
	})
	return job, why, err
}

// clockTest is a SIM with one text a minute, an hour or a day, of which one was sent just now.
type clockTest struct {
	*fixture
	claim Claim
}

func clocks(t *testing.T, f func(c *clockTest, quota string)) {
	for name, q := range map[string]Quota{
		"1 message a minute": {Minute: Caps{Messages: 1}}, "1 message an hour": {Hour: Caps{Messages: 1}},
		"1 message a day": {Day: Caps{Messages: 1}}, "1 recipient a month": {Month: Caps{Recipients: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{FIFO: true, Zone: time.UTC}, func(fx *fixture) {
				time.Sleep(14*24*time.Hour + 12*time.Hour) // to the 15th at noon
				for i := range 9 {
					fx.put(Submission{Recipients: []string{fmt.Sprint("+4915112345", i)}}, 1)
				}
				c := &clockTest{fx, with(q)}
				c.sends(0)
				f(c, name)
			})
		})
	}
}

func (c *clockTest) sends(off time.Duration) {
	c.Helper()
	j, why, err := stepAt(c.Queue, off, nil, &c.claim)
	c.ok(err)
	if j == nil {
		c.Fatalf("held by %s until %v", why.Quota, why.Until)
	}
	_, _, err = stepAt(c.Queue, off, &Outcome{Job: j, Kind: OutcomeAccepted, MR: uint8(j.Message)}, nil)
	c.ok(err)
}

// holds returns for how long.
func (c *clockTest) holds(off time.Duration) time.Duration {
	c.Helper()
	j, why, err := stepAt(c.Queue, off, nil, &c.claim)
	c.ok(err)
	if j != nil {
		c.Fatalf("sent beyond the quota")
	}
	return why.Until.Sub(time.Now().Add(off))
}

// left is how much of each window is left one minute, less a second, after noon of the 15th.
var left = map[string]time.Duration{
	"1 message a minute": time.Second, "1 message an hour": 59*time.Minute + time.Second,
	"1 message a day": 12*time.Hour - 59*time.Second, "1 recipient a month": (16*24+12)*time.Hour - 59*time.Second,
}

// TestQuotaClockSetBack: nothing is forgotten, and nothing waits for the time that was.
func TestQuotaClockSetBack(t *testing.T) {
	const years = -30 * 365 * 24 * time.Hour
	for _, restart := range []bool{false, true} {
		clocks(t, func(c *clockTest, quota string) {
			pause(59 * time.Second)
			if restart {
				c.reopen()
			}
			// After a restart nobody can tell how long ago that was: at least no time.
			want := left[quota]
			if restart {
				want += 59 * time.Second
			}
			if got := c.holds(years); got != want {
				c.Errorf("restarted %t: held for another %v, want %v", restart, got, want)
			}
			pause(want)
			c.sends(years)
		})
	}
}

// TestQuotaClockSetForward: what was sent since the start is as long ago as it was, though the clock says
// otherwise; a new day or month begins only where that is true.
func TestQuotaClockSetForward(t *testing.T) {
	const boot = -100 * 24 * time.Hour // the Pi's own idea of the time when it starts
	clocks(t, func(c *clockTest, quota string) {
		pause(24 * 100 * time.Hour) // to the 24th of April at noon: switched off meanwhile
		c.reopen()
		// It starts at the time when it stopped, and goes on there.
		if got := c.holds(boot); got <= 0 || got > left[quota]+59*time.Second {
			c.Errorf("after the start held for %v", got)
		}
		pause(59 * time.Second)
		c.holds(boot)
		// Now it is told the time: the text was 100 days ago.
		c.sends(0)
		want := map[string]time.Duration{
			"1 message a minute": time.Minute, "1 message an hour": time.Hour,
			"1 message a day": 12*time.Hour - 59*time.Second, "1 recipient a month": (6*24+12)*time.Hour - 59*time.Second,
		}[quota]
		if got := c.holds(0); got != want {
			c.Errorf("held for %v, want %v", got, want)
		}
	})
}

// TestQuotaClockSetForwardAfterSending: what went out before the clock was set went out today, also for
// the run of the daemon after that.
func TestQuotaClockSetForwardAfterSending(t *testing.T) {
	const boot = -300 * 24 * time.Hour
	for _, restart := range []bool{false, true} {
		clocks(t, func(c *clockTest, quota string) {
			pause(400 * 24 * time.Hour) // switched off, to the 18th of February 2001 at noon
			c.reopen()
			c.sends(boot) // it was off for 100 days, the clock says
			pause(10 * time.Second)
			want := map[string]time.Duration{
				"1 message a minute": 50 * time.Second, "1 message an hour": time.Hour - 10*time.Second,
				"1 message a day": 12*time.Hour - 10*time.Second, "1 recipient a month": (10*24+12)*time.Hour - 10*time.Second,
			}[quota]
			if got := c.holds(0); got != want {
				c.Errorf("held for %v, want %v", got, want)
			}
			if !restart {
				return
			}
			c.reopen()
			if got := c.holds(0); got != want {
				c.Errorf("after a restart held for %v, want %v", got, want)
			}
		})
	}
}

// sent is one part that the network has, or may have.
type sentPart struct {
	at        time.Time
	card, to  string
	beginning bool
}

// TestQuotasAreNeverExceeded: whatever is sent when, over restarts, changes of daylight saving time and
// starts with a clock that is behind, no window of true time holds more than its caps; and in the end
// everything is sent.
func TestQuotasAreNeverExceeded(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		p := drawQuotaPlan(rt)
		// A bubble for each, as rapid gives up after a day: its own time must not pass so quickly.
		var faults []string
		synctest.Test(t, func(*testing.T) { faults = p.execute(filepath.Join(dir, "q.db")) })
		if len(faults) > 0 {
			rt.Fatal(strings.Join(faults, "\n"))
		}
	})
}

// quotaPlan is one random run.
type quotaPlan struct {
	Zone   string
	FIFO   bool
	Quotas [2]Quota
	// Day is when it begins, in days of the year.
	Day   int
	Steps []quotaStep
}

// quotaStep is one of the things that may happen. What it does not need is not drawn.
type quotaStep struct {
	Do  string
	SIM int
	// a message
	First, Recipients, Parts int
	Priority                 int8
	// what becomes of some parts, and how long each takes
	Outcomes []int
	Takes    time.Duration
	// how long to wait, or how far the clock is behind
	For time.Duration
}

func drawQuotaPlan(t *rapid.T) quotaPlan {
	return quotaPlan{
		Zone:   rapid.SampledFrom([]string{"Europe/Berlin", "America/Sao_Paulo", "Atlantic/Azores", "UTC"}).Draw(t, "zone"),
		FIFO:   rapid.Bool().Draw(t, "FIFO"),
		Quotas: [2]Quota{rapid.Custom(drawQuota).Draw(t, "quota 1"), rapid.Custom(drawQuota).Draw(t, "quota 2")},
		// Some hours before clocks change in one of the zones (2000 and 2001), or any day.
		Day:   rapid.SampledFrom([]int{31, 49, 85, 280, 302, 414, 449, 653, 667}).Draw(t, "day"),
		Steps: rapid.SliceOfN(rapid.Custom(drawQuotaStep), 5, 40).Draw(t, "steps"),
	}
}

func drawQuota(t *rapid.T) Quota {
	caps := rapid.Custom(func(t *rapid.T) Caps {
		n := rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3, 5})
		return Caps{Messages: n.Draw(t, "messages"), Parts: n.Draw(t, "parts"), Recipients: n.Draw(t, "recipients")}
	})
	return Quota{Minute: caps.Draw(t, "minute"), Hour: caps.Draw(t, "hour"), Day: caps.Draw(t, "day"), Month: caps.Draw(t, "month")}
}

func drawQuotaStep(t *rapid.T) (s quotaStep) {
	s.Do = rapid.SampledFrom([]string{"enqueue", "enqueue", "send", "send", "send", "pass", "to the edge", "restart"}).Draw(t, "do")
	switch s.Do {
	case "enqueue":
		s.SIM = rapid.IntRange(0, 2).Draw(t, "SIM")
		s.First, s.Recipients = rapid.IntRange(0, 3).Draw(t, "first recipient"), rapid.IntRange(1, 3).Draw(t, "recipients")
		s.Parts, s.Priority = rapid.IntRange(1, 3).Draw(t, "parts"), rapid.SampledFrom([]int8{0, 0, 1, 127}).Draw(t, "priority")
	case "send":
		s.SIM = rapid.IntRange(0, 1).Draw(t, "SIM")
		s.Outcomes = rapid.SliceOfN(rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3, 4}), 1, 6).Draw(t, "outcomes")
		s.Takes = time.Duration(rapid.IntRange(0, 5).Draw(t, "takes")) * time.Second
	case "pass":
		s.For = rapid.SampledFrom([]time.Duration{
			time.Millisecond, 20 * time.Second, time.Minute, 19 * time.Minute, time.Hour, 5 * time.Hour, 25 * time.Hour, 8 * 24 * time.Hour,
		}).Draw(t, "for")
	case "to the edge":
		s.For = time.Duration(rapid.IntRange(-1, 1).Draw(t, "ms")) * time.Millisecond
	case "restart":
		s.For = rapid.SampledFrom([]time.Duration{0, 0, time.Minute, 3 * time.Hour, 400 * 24 * time.Hour}).Draw(t, "behind")
	}
	return s
}

// quotaRun is a plan under way.
type quotaRun struct {
	q      *Queue
	path   string
	opts   Options
	claims [2]Claim
	sent   []sentPart
	// off is what the wall clock is off by, until fixed.
	off   time.Duration
	fixed time.Time
	// edges are the ends of windows that something said it waits for.
	edges  []time.Time
	faults []string
}

func (r *quotaRun) Helper()        {}
func (r *quotaRun) Error(a ...any) { r.faults = append(r.faults, fmt.Sprint(a...)) }
func (r *quotaRun) Errorf(format string, a ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, a...))
}

func (r *quotaRun) ok(err error) {
	if err != nil {
		r.Error(err)
	}
}

// execute runs the plan to its end, when everything is sent, and lists what was wrong.
func (p *quotaPlan) execute(path string) []string {
	z, err := time.LoadLocation(p.Zone)
	r := &quotaRun{path: path, opts: Options{Zone: z, FIFO: p.FIFO}, claims: [2]Claim{sim1, sim2}}
	r.ok(err)
	for i := range r.claims {
		r.claims[i].Quota = p.Quotas[i]
	}
	time.Sleep(time.Until(time.Date(2000, 1, p.Day, 20, 0, 0, 0, time.UTC)))
	r.open()
	for _, s := range p.Steps {
		r.do(s)
	}
	r.finish()
	r.judge()
	checkStore(r, r.q)
	r.ok(r.q.Close())
	r.ok(os.Remove(path))
	return r.faults
}

func (r *quotaRun) open() {
	var err error
	r.q, err = Open(r.path, r.opts)
	r.ok(err)
	r.ok(r.q.do(ctx, func(t *tx) error { t.DB().NoSync = true; return nil }))
	synctest.Wait()
}

func (r *quotaRun) do(s quotaStep) {
	switch s.Do {
	case "enqueue":
		numbers := []string{alice, bob, "+4915112000001", "+4915112000002"}[s.First:]
		m := Submission{SIM: s.SIM, Priority: s.Priority, Recipients: numbers[:min(s.Recipients, len(numbers))]}
		_, err := r.q.Enqueue(ctx, m, s.Parts)
		r.ok(err)
	case "send":
		for _, kind := range s.Outcomes {
			if !r.one(&r.claims[s.SIM], OutcomeKind(kind), s.Takes) {
				return
			}
		}
	case "pass":
		pause(s.For)
	case "to the edge": // to just before, to, or just after the end of a window
		if n := len(r.edges); n > 0 {
			pause(time.Until(r.edges[n-1].Add(s.For)))
		}
	case "restart":
		r.restart(s.For)
	}
}

// clock is what the wall clock is off by.
func (r *quotaRun) clock() time.Duration {
	if !time.Now().Before(r.fixed) {
		r.off = 0
	}
	return r.off
}

// one sends a part, which takes so long, and reports whether there was one.
func (r *quotaRun) one(c *Claim, kind OutcomeKind, takes time.Duration) bool {
	j, why, err := stepAt(r.q, r.clock(), nil, c)
	r.ok(err)
	if j == nil {
		if !why.Until.IsZero() {
			r.edges = append(r.edges, why.Until.Add(-r.clock()))
		}
		return false
	}
	at := time.Now()
	time.Sleep(takes)
	_, _, err = stepAt(r.q, r.clock(), &Outcome{Job: j, Kind: kind, MR: uint8(len(r.sent)), Error: "x"}, nil)
	r.ok(err)
	if c.Last = j; kind == OutcomeAccepted || kind == OutcomeUnknown {
		r.sent = append(r.sent, sentPart{at, j.IMSI, j.To, j.Part == 0})
	}
	return true
}

// restart starts the daemon again, on a machine whose clock may be behind for some minutes, but not
// behind the last that it knows of.
func (r *quotaRun) restart(behind time.Duration) {
	if r.off != 0 { // that the clock is set shows in the run that counted with the wrong one
		time.Sleep(max(0, time.Until(r.fixed)))
		r.ok(r.q.do(ctx, func(t *tx) error { t.quotaTime(); return t.Err }))
	}
	r.ok(r.q.Close())
	r.claims[0].Last, r.claims[1].Last = nil, nil
	r.off, r.fixed = 0, time.Time{}
	from := time.Now().Add(-behind)
	for _, s := range r.sent {
		if s.at.After(from) {
			from = s.at
		}
	}
	// A clock that is behind through midnight cannot be seen through.
	if from.In(r.opts.Zone).Day() == from.Add(2*time.Hour).In(r.opts.Zone).Day() {
		r.off, r.fixed = -behind, time.Now().Add(10*time.Minute)
	}
	r.open()
}

// finish sends what is left.
func (r *quotaRun) finish() {
	time.Sleep(max(0, time.Until(r.fixed)))
	for range 5000 {
		r.edges = r.edges[:0]
		for i := range r.claims {
			for r.one(&r.claims[i], OutcomeAccepted, 0) {
			}
		}
		_, left, err := r.q.List(ctx, Filter{State: Pending})
		r.ok(err)
		if left == 0 {
			return
		}
		if len(r.edges) == 0 {
			r.Error("messages wait, and nothing says for what")
			return
		}
		pause(max(time.Millisecond, time.Until(slices.MinFunc(r.edges, time.Time.Compare))))
	}
	r.Error("messages wait for ever")
}

// judge counts every window that ends with a part.
func (r *quotaRun) judge() {
	for i, s := range r.sent {
		for _, c := range r.claims {
			if c.IMSI != s.card {
				continue
			}
			local := s.at.In(r.opts.Zone)
			same := func(layout string) func(time.Time) bool {
				return func(at time.Time) bool { return at.In(r.opts.Zone).Format(layout) == local.Format(layout) }
			}
			within := func(d time.Duration) func(time.Time) bool {
				return func(at time.Time) bool { return s.at.Sub(at) < d }
			}
			r.count("minute", r.sent[:i+1], s.card, c.Quota.Minute, within(time.Minute))
			r.count("hour", r.sent[:i+1], s.card, c.Quota.Hour, within(time.Hour))
			r.count("day", r.sent[:i+1], s.card, c.Quota.Day, same("2006-01-02"))
			r.count("month", r.sent[:i+1], s.card, c.Quota.Month, same("2006-01"))
		}
	}
}

func (r *quotaRun) count(window string, sent []sentPart, card string, caps Caps, in func(time.Time) bool) {
	parts, texts, recipients := 0, 0, map[string]bool{}
	for _, s := range sent {
		if s.card != card || !in(s.at) {
			continue
		}
		parts++
		recipients[s.to] = true
		if s.beginning {
			texts++
		}
	}
	over := func(n, limit int) bool { return limit > 0 && n > limit }
	if over(parts, caps.Parts) || over(texts, caps.Messages) || over(len(recipients), caps.Recipients) {
		r.Errorf("the %s to %v held %d parts of %d texts to %d recipients; the caps are %+v",
			window, sent[len(sent)-1].at.In(r.opts.Zone), parts, texts, len(recipients), caps)
	}
}
