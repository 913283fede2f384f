package modem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"
)

// A dongle that stops working is brought back by ever harder means:
//
//	a new session     closes and opens the port, sends ESC and repeats AT: see wake
//	restart           AT+CFUN=1,1, which a dongle may hear that does not answer
//	Config.Recovery   USB reset, driver rebind, the user's command
//
// None of them meets an open AT+CMGS: each follows the end of a session, and that ends only after
// its submission has been told what is known of it.
const (
	// settleTime is the rest after a reset. A port opened too early keeps its number, so that the
	// dongle comes back under another one, or gets an AT into its boot loader.
	settleTime = 30 * time.Second
	// returnTime is how long a dongle may stay off the bus after a reset.
	returnTime = 120 * time.Second
	// stepTime bounds one step of Config.Recovery.
	stepTime = 30 * time.Second
	// strangerTime is the first patience with what never answered since the start: the port may be
	// another device's altogether.
	strangerTime = 5 * time.Minute
	// unregisteredTime is the first patience with a dongle that finds no network. A reset rarely
	// finds one, and a network comes back by itself.
	unregisteredTime = 15 * time.Minute
	// maxPatience bounds the growth of each of these.
	maxPatience = time.Hour
	// provenTime is how long a dongle has to be ready before what went wrong earlier is forgotten.
	provenTime = 10 * time.Minute

	maxResets   = 10
	resetWindow = 24 * time.Hour
)

// nameRestart is the name of the first step in status, log and trace.
const nameRestart = "restart"

// A ladder knows which means is next and when. It belongs to the goroutine of Run.
type ladder struct {
	// climbed counts the steps taken since the dongle last proved that it works.
	climbed int
	// failures counts the sessions that ended since the latest step, the first one at since.
	failures int
	since    time.Time
	// excused says that the session at hand ended over a question that will not be asked again.
	excused bool
	// away says that the dongle has not been seen since the latest step, which may be why.
	away bool
	// settled is when the latest step had had its rest.
	settled time.Time
}

// patience is the time between two steps, which doubles with each.
func (l *ladder) patience(first time.Duration) time.Duration {
	return min(first<<min(l.climbed, 10), maxPatience)
}

// prove notes that the dongle does what it is for.
func (w *Worker) prove() { w.ladder = ladder{} }

// returning says that a dongle that was reset may still be on its way back.
func (l *ladder) returning() bool { return l.away && time.Since(l.settled) < returnTime }

// curable says whether a reset may help against err. What the SIM, the network or a person
// decides, and a port that is not ours to touch, no reset changes.
func (l *ladder) curable(problem string, err error) bool {
	switch problem {
	case ProblemNoAnswer, ProblemOutOfStep, ProblemModemFault, ProblemPortLost, ProblemSIMFailure, ProblemNotRegistered:
		return true
	case ProblemPortError: // of the driver, not for want of a serial line
		return errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EPROTO) || errors.Is(err, syscall.ETIMEDOUT)
	case ProblemPortMissing:
		return l.away && !l.returning()
	}
	return false
}

// due notes that a session ended with err, and says whether it is time for a step.
func (w *Worker) due(problem string, err error) bool {
	l := &w.ladder
	if !l.curable(problem, err) {
		l.failures = 0
		return false
	}
	if l.excused {
		l.excused = false
		return false
	}
	if l.failures++; l.failures == 1 {
		l.since = time.Now()
	}
	if !w.mayReset() {
		return false
	}
	if problem == ProblemNotRegistered {
		return true // the session had the patience
	}
	first := settleTime
	if w.lastSeen().IsZero() {
		first = strangerTime
	}
	return l.failures > 1 && time.Since(l.since) >= l.patience(first)
}

// recover takes the next step if it is due. It returns whether it did, after the dongle had its
// rest.
func (w *Worker) recover(ctx context.Context, problem string, err error) bool {
	if !w.due(problem, err) {
		return false
	}
	for range 1 + len(w.cfg.Recovery) {
		if w.step(ctx, problem) {
			break
		}
		if ctx.Err() != nil || !w.mayReset() {
			break
		}
	}
	w.rest(ctx)
	return true
}

// step takes the next step; a step that cannot be taken is followed by the next one at once.
func (w *Worker) step(ctx context.Context, problem string) bool {
	n := w.ladder.climbed % (1 + len(w.cfg.Recovery))
	w.ladder.climbed++
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	var name string
	var err error
	if n == 0 {
		name, err = nameRestart, w.restart(ctx)
		if err == nil {
			w.noteReset(name)
		}
	} else {
		step := w.cfg.Recovery[n-1]
		name = step.Name
		w.noteReset(name)
		st := w.Status()
		err = step.Do(ctx, st.Tty, st)
	}
	if err != nil {
		w.remark(name + " failed")
		w.log.Warn("the modem could not be reset", "step", name, "problem", problem, "error", err)
		return false
	}
	w.remark(name)
	w.log.Warn("the modem was reset", "step", name, "problem", problem)
	return true
}

// restart has the dongle boot (TS 27.007 section 8.2). One that does not answer may still hear.
func (w *Worker) restart(ctx context.Context) error {
	s, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	defer closeWhenDone(ctx, s.f)()
	s.family = profileOf(w.Status().Manufacturer, w.Status().Model)
	if err := s.wake(); err != nil && s.f.closedBy() != nil {
		return err
	}
	err = s.do("+CFUN=1,1")
	if _, refused := asRefusal(err); refused && s.family.Restart != "" {
		err = s.do(s.family.Restart)
	}
	if r, refused := asRefusal(err); refused {
		return fmt.Errorf("the modem refused to restart: %w", r)
	}
	return nil // it may well be gone before it answers
}

// rest leaves the dongle alone after a step.
func (w *Worker) rest(ctx context.Context) {
	st := w.Status()
	sleep(ctx, max(settleTime, profileOf(st.Manufacturer, st.Model).SettleTime))
	w.ladder.failures = 0
	w.ladder.away, w.ladder.settled = true, time.Now()
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// mayReset says whether the day's resets are not used up.
func (w *Worker) mayReset() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.resetsToday() < maxResets
}

// resetsToday forgets those before the window; it needs mu.
func (w *Worker) resetsToday() int {
	w.resets = slices.DeleteFunc(w.resets, func(at time.Time) bool { return time.Since(at) >= resetWindow })
	return len(w.resets)
}

func (w *Worker) noteReset(name string) {
	w.update(func(st *Status) {
		w.resets = append(w.resets, time.Now())
		st.Resets, st.LastReset, st.LastResetAt = w.resetsToday(), name, time.Now()
	})
}
