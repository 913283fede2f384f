package modem

import (
	"errors"
	"time"
)

const (
	// maxSilence is how often a question that a dongle need not know may end a session by
	// silence before it is left out.
	maxSilence = 2
	// muteTime is how long it is left out, and how long one silence counts: it may not have been the
	// question that was at fault, and a memory that is never emptied again fills up.
	muteTime = 24 * time.Hour
)

// silences counts, by command, the sessions that ended because it had no answer.
type silences map[string]silence

type silence struct {
	times  int
	latest time.Time
}

// muted says that cmd is not to be said for now.
func (w *Worker) muted(cmd string) bool {
	s := w.silences[cmd]
	return s.times >= maxSilence && time.Since(s.latest) < muteTime
}

// noteSilence notes that cmd was met with silence, if it was.
func (w *Worker) noteSilence(cmd string, err error) {
	if !errors.Is(err, errDeadline) {
		return
	}
	s := w.silences[cmd]
	if time.Since(s.latest) >= muteTime {
		s.times = 0
	}
	w.silences[cmd] = silence{s.times + 1, time.Now()}
	w.ladder.excused = true
}

// lightly says with do what a dongle need not know: under the name of cmd, and not while that is muted.
func (s *session) lightly(cmd string, do func() error) error {
	if s.w.muted(cmd) {
		return nil
	}
	err := do()
	s.w.noteSilence(cmd, err)
	return err
}

// tryLightly is try for what a dongle need not know.
func (s *session) tryLightly(cmd string) error {
	return s.lightly(cmd, func() error { return s.try(cmd) })
}

// askLightly is ask for what a dongle need not know.
func (s *session) askLightly(cmd, prefix string) (args string, err error) {
	err = s.lightly(cmd, func() (err error) {
		args, err = s.ask(cmd, prefix)
		return err
	})
	return args, err
}

// askBareLightly is askBare for what a dongle need not know.
func (s *session) askBareLightly(cmd string, kind bare) (answer string, err error) {
	err = s.lightly(cmd, func() (err error) {
		answer, err = s.askBare(cmd, kind)
		return err
	})
	return answer, err
}
