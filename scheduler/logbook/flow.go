package logbook

import (
	"encoding/json"
	"slices"
	"time"
)

const (
	// burst is how many different lines of one message are kept in a window.
	burst = 20
	// A window is a minute, twice as long after each in which lines were left out, at most an hour.
	firstWindow = time.Minute
	lastWindow  = time.Hour
	// maxFlows bounds the messages that are watched; messages are constants of the code.
	maxFlows = 1000
)

// flow is what came lately of one message of a module.
type flow struct {
	began  time.Time
	window time.Duration
	// kept are the contexts of the lines that were kept in this window.
	kept []string
	// left counts the lines left out, and last is the latest of them.
	left int
	last Entry
}

// passes says whether a line is to be kept; mu is held. A line that was kept in this window already
// is not, nor is one more than the burst.
func (b *Book) passes(e Entry) bool {
	key := e.Level + "\x00" + e.Module + "\x00" + e.Message
	f := b.flows[key]
	if f != nil && e.At.Sub(f.began).Abs() >= f.window { // the clock may have been set
		b.turn(key, f, e.At)
		f = b.flows[key]
	}
	if f == nil {
		if len(b.flows) >= maxFlows {
			b.turnAll(e.At, false)
		}
		if len(b.flows) >= maxFlows {
			return true
		}
		f = &flow{began: e.At, window: firstWindow}
		b.flows[key] = f
	}
	context := string(e.Context)
	if len(f.kept) >= burst || slices.Contains(f.kept, context) {
		f.left++
		f.last = e
		return false
	}
	f.kept = append(f.kept, context)
	return true
}

// turn ends the window of a flow: what was left out is noted, and the next window is longer. A flow
// of which nothing was left out has ended.
func (b *Book) turn(key string, f *flow, now time.Time) {
	if f.left == 0 {
		delete(b.flows, key)
		return
	}
	note := f.last
	note.At = now.Truncate(time.Millisecond) // who asks for what is new must find it
	note.Context = repeated(note.Context, f.left)
	f.began, f.window, f.left, f.kept = now, min(2*f.window, lastWindow), 0, nil
	b.enter(note)
}

// turnAll ends the windows that are over, or all; mu is held.
func (b *Book) turnAll(now time.Time, all bool) {
	for key, f := range b.flows {
		if all || now.Sub(f.began).Abs() >= f.window {
			b.turn(key, f, now)
		}
	}
}

// repeated is the context of the latest of several lines that stand for all.
func repeated(context json.RawMessage, times int) json.RawMessage {
	fields := map[string]json.RawMessage{}
	if context != nil {
		_ = json.Unmarshal(context, &fields) // it is an object of ours
	}
	fields["repeated"], _ = json.Marshal(times)
	raw, _ := json.Marshal(fields) // of what was JSON before
	return raw
}
