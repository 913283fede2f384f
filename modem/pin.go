package modem

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/warthog618/modem/info"
)

// refusedPINs remembers, for the life of the process, the cards that refused a PIN: by ICCID or,
// where that cannot be read, by port. After the third wrong try a card asks for its PUK, so no
// card is tried twice, in whichever dongle it turns up.
var refusedPINs = pinMemory{cards: make(map[string]pinFate)}

type pinMemory struct {
	mu    sync.Mutex
	cards map[string]pinFate
}

// A pinFate is what became of a PIN.
type pinFate uint8

const (
	pinUnanswered pinFate = iota + 1 // the answer never came: it may have been wrong
	pinRefused
)

// allTries is how many a card gives (TS 31.101 section 9.5.1). One that has them all refused nothing.
const allTries = 3

func (m *pinMemory) refused(card string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cards[card] == pinRefused
}

func (m *pinMemory) unanswered(card string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cards[card] == pinUnanswered
}

func (m *pinMemory) remember(card string, fate pinFate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cards[card] = fate
}

func (m *pinMemory) forget(card string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.cards, card)
}

// card names the SIM in refusedPINs.
func (s *session) card() string {
	st := s.w.Status()
	if st.ICCID != "" {
		return "iccid " + st.ICCID
	}
	return "port " + st.Port
}

// unlock waits until the SIM is ready, and enters the PIN at most once.
func (s *session) unlock() error {
	entered := false
	for waited := time.Duration(0); ; waited += simPoll {
		state, err := s.simState()
		if err != nil {
			return err
		}
		switch state {
		case "READY", "SIM PIN2", "SIM PUK2": // the second PIN has no part in messages
			return nil
		case "SIM PIN":
			if !entered {
				if err := s.enterPIN(); err != nil {
					return err
				}
				entered = true
			}
		case simBusy:
		case "SIM PUK":
			return fault(ProblemPUKNeeded, errors.New("the SIM asks for its PUK"))
		default:
			return fault(ProblemSIMLocked, fmt.Errorf("AT+CPIN? says %q", state))
		}
		if waited >= simSettle {
			return fault(ProblemSIMFailure, errors.New("the SIM does not become ready"))
		}
		if err := s.pause(simPoll); err != nil {
			return err
		}
	}
}

// simBusy is what simState says of a SIM that has no answer yet.
const simBusy = "busy"

// simState is <code> of +CPIN? (TS 27.007 section 8.3), or what an error says of it.
func (s *session) simState() (string, error) {
	lines, err := s.command("+CPIN?", want{prefix: "+CPIN"}, commandTimeout)
	if err == nil && len(lines) == 0 {
		return "", outOfStep(errors.New("OK to AT+CPIN?, without an answer"))
	}
	if err == nil {
		return info.TrimPrefix(lines[0], "+CPIN"), nil
	}
	r, ok := asRefusal(err)
	if !ok {
		return "", err
	}
	switch problem := r.fault.Warning; problem {
	case "":
		return simBusy, nil
	case ProblemPINNeeded:
		return "SIM PIN", nil
	case ProblemPUKNeeded:
		return "SIM PUK", nil
	default:
		return "", fault(problem, r)
	}
}

// enterPIN makes the one try.
func (s *session) enterPIN() error {
	pin, card := s.w.cfg.PIN, s.card()
	switch {
	case !validPIN(pin):
		return fault(ProblemPINNeeded, errors.New("no PIN of 4 to 8 digits is configured"))
	case refusedPINs.refused(card):
		return fault(ProblemPINRefused, errors.New("the SIM refused the PIN before"))
	}
	left, err := s.triesLeft()
	if err != nil {
		return err
	}
	switch {
	case left == 1:
		return fault(ProblemPINRefused, errors.New("the SIM has one try left, which is not risked"))
	case refusedPINs.unanswered(card) && left < allTries:
		return fault(ProblemPINRefused, errors.New("the SIM gave no answer to the PIN before, and may have refused it"))
	}
	refusedPINs.remember(card, pinUnanswered)
	err = s.do(`+CPIN="` + pin + `"`)
	r, refused := asRefusal(err)
	switch {
	case err == nil:
		refusedPINs.forget(card)
		return nil
	case refused && r.fault.Warning == ProblemPUKNeeded:
		refusedPINs.remember(card, pinRefused)
		return fault(ProblemPUKNeeded, r)
	case refused:
		refusedPINs.remember(card, pinRefused)
		s.log.Error("the SIM refused the PIN; it is not tried again", "answer", r.line)
		return fault(ProblemPINRefused, r)
	}
	return err
}

// triesLeft is <retries> of +CPINR (TS 27.007 section 8.65); 0 if the dongle does not know it.
func (s *session) triesLeft() (int, error) {
	args, err := s.ask(`+CPINR="SIM PIN"`, "+CPINR")
	if err != nil {
		return 0, err
	}
	n, _ := strconv.Atoi(field(args, 1))
	return n, nil
}

func validPIN(pin string) bool {
	return len(pin) >= 4 && len(pin) <= 8 && strings.Trim(pin, "0123456789") == ""
}
