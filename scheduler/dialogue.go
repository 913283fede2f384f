package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dongled/modem"
)

// Talker is what a dongle says beside sending. *modem.Worker is one.
type Talker interface {
	// USSD sends a code, or the reply to an open session, and waits for the network's answer, at
	// most a minute beyond the part that is being handed over.
	USSD(ctx context.Context, code string) (modem.USSD, error)
	CancelUSSD(ctx context.Context) error
	// Trace is the latest of the AT dialogue, oldest first; see modem.Worker.
	Trace(texts bool) []modem.TraceLine
}

// sessionPatience is how long a session may wait for a person's reply before it counts as over.
// Networks give up after some minutes at most, not always with a word.
const sessionPatience = 5 * time.Minute

// dialogue guards the one USSD session that a SIM can have: any code sent while it is open is a
// reply in it, so nobody may break into another's.
type dialogue struct {
	mu   sync.Mutex
	busy bool
	// openUntil is when a session that waits for a reply counts as over.
	openUntil time.Time
}

// begin reserves the dialogue; reply says that an open session is to be gone on with.
func (d *dialogue) begin(reply bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy || !reply && time.Now().Before(d.openUntil) {
		return false
	}
	d.busy = true
	return true
}

// end gives the dialogue free; what it left open stays so.
func (d *dialogue) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
}

// session notes whether the network waits for a reply.
func (d *dialogue) session(open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.openUntil = time.Time{}
	if open {
		d.openUntil = time.Now().Add(sessionPatience)
	}
}

// USSD sends a code on a SIM, or the reply to what it was answered last, and waits for the answer.
// The error is modem.ErrUSSDBusy while another request is under way, or the Talker's.
func (s *Scheduler) USSD(ctx context.Context, sim int, code string) (modem.USSD, error) {
	c, err := s.talker(sim)
	if err != nil {
		return modem.USSD{}, err
	}
	if !c.dialogue.begin(true) {
		return modem.USSD{}, modem.ErrUSSDBusy
	}
	defer c.dialogue.end()
	got, err := c.USSD(ctx, code)
	if !errors.Is(err, modem.ErrUSSDCode) { // the network heard nothing of that
		c.dialogue.session(err == nil && got.Open())
	}
	return got, err
}

// CancelUSSD ends the session on a SIM, also one that a request waits in.
func (s *Scheduler) CancelUSSD(ctx context.Context, sim int) error {
	c, err := s.talker(sim)
	if err != nil {
		return err
	}
	if err := c.CancelUSSD(ctx); err != nil {
		return err
	}
	c.dialogue.session(false)
	return nil
}

// Trace is the latest of the AT dialogue of a SIM.
func (s *Scheduler) Trace(sim int, texts bool) (lines []modem.TraceLine, found bool) {
	c, err := s.talker(sim)
	if err != nil {
		return nil, false
	}
	return c.Trace(texts), true
}

// talker finds a SIM; one that does not exist is not ready.
func (s *Scheduler) talker(number int) (*sim, error) {
	if c := s.find(number); c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("no SIM has the number %d: %w", number, modem.ErrNotReady)
}
