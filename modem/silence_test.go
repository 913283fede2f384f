package modem_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/modem"
)

// A dongle that fell silent at the deleting of a message is asked again a day later, so that its
// memory is emptied if it can be.
func TestMutedForADay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		sh := onShelf(p, map[string]map[int]string{"SM": {1: inbox("a")}})
		usual, hangs := p.answering, true
		p.answering = func(cmd string) (string, bool) {
			if hangs && strings.HasPrefix(cmd, "+CMGD") {
				return silence, true
			}
			return usual(cmd)
		}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		settle(time.Hour)
		ready(t, w)
		sessions := w.Status().Sessions
		p.mu.Lock()
		hangs = false
		p.mu.Unlock()
		settle(22 * time.Hour)
		if got := sh.left(); got != "SM1" || w.Status().Sessions != sessions {
			t.Errorf("left %q, %d sessions, earlier %d", got, w.Status().Sessions, sessions)
		}
		settle(3 * time.Hour)
		if got := sh.left(); got != "" || w.Status().Sessions != sessions {
			t.Errorf("left %q after a day, %d sessions, earlier %d", got, w.Status().Sessions, sessions)
		}
	})
}

// Two hangs of a dongle, months apart, that happen to meet the same question are not its fault.
func TestSilencesFarApart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		onShelf(p, map[string]map[int]string{"SM": {}})
		usual, hangs := p.answering, false
		p.answering = func(cmd string) (string, bool) {
			if hangs && cmd == "+CMGL=4" {
				hangs = false
				return silence, true
			}
			return usual(cmd)
		}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		for range 2 {
			settle(60 * time.Hour)
			p.mu.Lock()
			hangs = true
			p.mu.Unlock()
		}
		settle(2 * time.Hour)
		ready(t, w)
		before := p.count("AT+CMGL=4")
		settle(2 * time.Hour)
		if n := p.count("AT+CMGL=4") - before; n == 0 || w.Status().Sessions != 3 {
			t.Errorf("listed %d times in 2 h, %d sessions; %q", n, w.Status().Sessions, slices.Compact(p.heard())[:20])
		}
	})
}
