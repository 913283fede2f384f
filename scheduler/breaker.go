package scheduler

import (
	"time"

	"dongled/modem"
)

const (
	// A SIM that is at fault itself is left alone for firstPause, doubling up to maxPause; a modem
	// that has to recover for settle at least.
	firstPause = time.Minute
	maxPause   = time.Hour
	settle     = time.Second

	// tolerance is how many faults in a row open the breaker.
	tolerance = 3
)

// breaker keeps a SIM from sending after faults of its own or its modem's. Each fault pauses it.
// After tolerance of them in a row it is open: when the pause is over, the SIM may try one message,
// while the others go on with what any may send; if that is accepted, all is as before, if not, it
// pauses again, longer. An answer that never came counts, but does not pause the SIM until then.
type breaker struct {
	// faults counts them in a row; until is when the pause ends; why is the latest fault.
	faults int
	until  time.Time
	why    modem.Fault
}

// trip notes a fault and pauses the SIM from first on, doubling with each in a row up to limit; it
// returns the end of the pause.
func (b *breaker) trip(now time.Time, first, limit time.Duration, why modem.Fault) time.Time {
	return b.pause(now.Add(doubled(first, limit, b.faults)), why)
}

func (b *breaker) pause(until time.Time, why modem.Fault) time.Time {
	b.until, b.why = until, why
	b.faults++
	return until
}

// doubt notes that an answer never came. It reports whether that pauses the SIM.
func (b *breaker) doubt(now time.Time, why modem.Fault) bool {
	if b.faults+1 < tolerance {
		b.faults++
		return false
	}
	// The first pause is a short one, although there were faults before: those made none.
	b.pause(now.Add(doubled(firstPause, maxPause, b.faults+1-tolerance)), why)
	return true
}

// absent notes that the modem was gone before it got anything. It is no fault of the SIM's, and its status
// keeps the SIM from sending from now on; settle spares a try meanwhile.
func (b *breaker) absent(now time.Time) time.Time {
	if until := now.Add(settle); until.After(b.until) {
		b.until = until
	}
	return b.until
}

func (b *breaker) pausing(now time.Time) bool { return now.Before(b.until) }

// open reports whether the SIM has still to show, with one message, that it works again.
func (b *breaker) open() bool { return b.faults >= tolerance }

// close ends the row of faults. It reports whether the breaker was open.
func (b *breaker) close() bool {
	was := b.open()
	*b = breaker{until: b.until}
	return was
}
