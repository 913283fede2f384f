package queue

import (
	"fmt"
	"slices"
	"time"
)

// Quota caps what one card sends, so that its operator sees no more than the contract allows. The
// minute and the hour slide; day and month are those of the calendar in Options.Zone.
//
// What counts is what the network accepted or may have: a part counts from the moment its intent is
// stored, and no longer once the network refused it or it turned out never to have left. A window
// whose cap is not set counts nothing; a cap that is set later does not know what was sent before.
type Quota struct{ Minute, Hour, Day, Month Caps }

// Caps are the most that one window may hold; 0 sets no cap.
type Caps struct {
	// Messages counts texts begun, each to one recipient and however long.
	Messages int
	// Parts counts SMS-SUBMITs. A text is begun when all its parts fit, or if it has more than the
	// cap, when nothing else is in the window.
	Parts int
	// Recipients counts different numbers. When no new one is allowed, those in the window still are.
	Recipients int
}

// window is a Quota's period as it stands, in ms of quotaTime.
type window struct {
	Caps
	name  string
	start int64
	// period is what slides; or else next is when the calendar's next one begins.
	period, next int64
}

// frees is when the window no longer holds what happened at a time that it holds now.
func (w *window) frees(at int64) int64 {
	if w.period > 0 {
		return at + w.period
	}
	return w.next
}

// windows returns those of q that have a cap.
func (q *Quota) windows(now int64, zone *time.Location) []window {
	at := time.UnixMilli(now).In(zone)
	all := []window{
		sliding(q.Minute, "a minute", now, time.Minute),
		sliding(q.Hour, "an hour", now, time.Hour),
		{Caps: q.Day, name: "a day", start: dayStart(at, 0, at.Day()), next: dayStart(at, 0, at.Day()+1)},
		{Caps: q.Month, name: "a month", start: dayStart(at, 0, 1), next: dayStart(at, 1, 1)},
	}
	return slices.DeleteFunc(all, func(w window) bool { return w.Caps == Caps{} })
}

func sliding(c Caps, name string, now int64, period time.Duration) window {
	ms := period.Milliseconds()
	return window{Caps: c, name: name, start: now - ms + 1, period: ms}
}

// dayStart is the first moment (ms) of a day of the month of at, or of so many months later. That is
// not always midnight, and midnight may come twice: zones change their clocks then too.
func dayStart(at time.Time, months, day int) int64 {
	y, m, _ := at.Date()
	noon := time.Date(y, m+time.Month(months), day, 12, 0, 0, 0, at.Location())
	y, m, day = noon.Date()
	s := time.Date(y, m, day, 0, 0, 0, 0, at.Location())
	const step = 15 * time.Minute // every offset there is, is a multiple
	for s.Day() != day {
		s = s.Add(step)
	}
	for s.Add(-step).Day() == day {
		s = s.Add(-step)
	}
	return s.UnixMilli()
}

// held is a Pause by a quota.
type held struct {
	Pause
	// others says that recipients are the matter, so that a text to another one may be allowed.
	others bool
}

// heldByQuota is what keeps the next part of d from going over the card of c now, or nil.
func (t *tx) heldByQuota(c *Claim, d *delivery) *held {
	if c.Quota == (Quota{}) {
		return nil
	}
	need := Caps{Parts: 1}
	if !d.started() {
		need = Caps{Messages: 1, Parts: len(d.Parts)}
	}
	now := t.quotaTime()
	seen := t.seen(c.IMSI, d.To)
	h, until := held{others: true}, now
	for _, w := range c.Quota.windows(now, t.opts.Zone) {
		need.Recipients = 0
		if seen.last == 0 || seen.last < w.start {
			need.Recipients = 1
		}
		for _, u := range w.uses(need) {
			at := t.fits(c.IMSI, &w, u)
			if at == 0 {
				continue
			}
			h.others = h.others && u.kind == quotaRecipient
			if at > until {
				until, h.Quota = at, u.String()+" "+w.name
			}
		}
	}
	if until == now {
		return nil
	}
	h.Until = timeOf(t.now + until - now)
	return &h
}

// use is what a claim needs of one cap.
type use struct {
	kind      quotaKind
	name      string
	cap, need int
}

func (u use) String() string {
	if u.cap == 1 {
		return "1 " + u.name
	}
	return fmt.Sprint(u.cap, " ", u.name, "s")
}

func (w *window) uses(need Caps) [3]use {
	return [...]use{
		{quotaMessage, "message", w.Messages, need.Messages},
		{quotaPart, "part", w.Parts, need.Parts},
		{quotaRecipient, "recipient", w.Recipients, need.Recipients},
	}
}

// fits is when the window has room for u, or 0 if it has now.
func (t *tx) fits(imsi string, w *window, u use) int64 {
	if u.cap <= 0 || u.need == 0 {
		return 0
	}
	// There is room for need when what is cap-need+1 back is out of the window.
	if at, ok := t.nth(imsi, u.kind, u.cap-min(u.need, u.cap)+1, w.start); ok {
		return w.frees(at)
	}
	return 0
}
