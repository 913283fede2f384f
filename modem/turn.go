package modem

import (
	"time"

	"github.com/warthog618/modem/at"
)

// keepAlive is how often the dongle is looked at, and asked a question if it took no message since.
const keepAlive = 15 * time.Second

// serve runs the session once it is up, until it ends; nil means because of ctx. A submission
// waits for at most the one command in progress, or the one chore.
func (s *session) serve() error {
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for s.ctx.Err() == nil {
		if err := s.turn(tick.C); err != nil {
			return err
		}
	}
	return nil
}

// turn does the next thing there is to do. Nothing can keep it from anything else for ever: a
// dongle that sends without a pause still receives, and one that never stops talking is still
// looked at.
func (s *session) turn(tick <-chan time.Time) error {
	if do := s.urgent(); do != nil {
		return do()
	}
	if err := s.fallDue(tick); err != nil {
		return err
	}
	chore := s.chore()
	if chore == nil || !s.submitted {
		select {
		case j := <-s.jobs:
			return s.run(j)
		default:
		}
	}
	s.submitted = false
	if chore != nil {
		return chore()
	}
	return s.rest(tick)
}

// urgent is what goes before a submission; nil is nothing.
func (s *session) urgent() func() error {
	select {
	case <-s.strayed: // it would take a PDU for a text
		return leftPDUMode
	case <-s.acks: // the network waits for it, and holds the next report back
		return s.acknowledge
	case do := <-s.orders:
		return do
	case <-s.hangUps:
		return s.hangUp
	case <-s.ussdEnds:
		return s.cancelUSSD
	default:
		return nil
	}
}

// fallDue notes as chores what is to be done by now. News of the network wait until the questions
// after the last ones have been asked, so that a storm of them asks no more than it has to.
func (s *session) fallDue(tick <-chan time.Time) error {
	select {
	case <-tick:
		return s.tick()
	default:
	}
	if len(s.checks) == 0 {
		select {
		case <-s.refresh:
			s.recheck()
		default:
		}
	}
	return nil
}

func (s *session) tick() error {
	s.noteErrands()
	return s.watch()
}

// chore is the next question or errand, by turns; nil is nothing.
func (s *session) chore() func() error {
	errand := s.errand()
	if len(s.checks) == 0 || s.checked && errand != nil {
		s.checked = false
		return errand
	}
	return func() error {
		s.checked = true
		check := s.checks[0]
		s.checks = s.checks[1:]
		return check()
	}
}

// maxChecks bounds the questions that wait, should they become due faster than there is time for them.
const maxChecks = 16

// check has a question asked.
func (s *session) check(ask func() error) {
	if len(s.checks) < maxChecks {
		s.checks = append(s.checks, ask)
	}
}

// rest waits until there is something to do, and does it or leaves it to the next turn.
func (s *session) rest(tick <-chan time.Time) error {
	select {
	case <-s.strayed:
		return leftPDUMode()
	case <-s.acks:
		return s.acknowledge()
	case do := <-s.orders:
		return do()
	case <-s.hangUps:
		return s.hangUp()
	case <-s.ussdEnds:
		return s.cancelUSSD()
	case j := <-s.jobs:
		return s.run(j)
	case <-s.refresh:
		s.recheck()
	case <-s.stored.wake:
	case <-tick:
		return s.tick()
	case <-s.at.Closed():
		return s.lost(at.ErrClosed)
	case <-s.ctx.Done():
	}
	return nil
}

func (s *session) run(j *job) error {
	s.submitted = true
	result, err := s.submit(j)
	if result.err == nil {
		s.w.prove()
		s.workedAt = time.Now()
	}
	j.done <- result
	return err
}
