package modem

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// watch looks at what the dongle achieves, not only whether it answers. It runs at every tick.
func (s *session) watch() error {
	if time.Since(s.workedAt) >= keepAlive/2 {
		s.checkNext()
	}
	st := s.w.Status()
	if st.State == StateReady {
		s.without = time.Time{}
		if s.with.IsZero() {
			s.with = time.Now()
		} else if time.Since(s.with) >= provenTime {
			s.w.prove()
		}
		return nil
	}
	s.with = time.Time{}
	s.check(s.checkCard)
	if s.without.IsZero() || s.w.registered().denied() {
		s.without = time.Now()
		return nil
	}
	if d := time.Since(s.without); d >= s.w.ladder.patience(unregisteredTime) && s.w.mayReset() {
		return fault(ProblemNotRegistered, fmt.Errorf("no network for %v", d.Round(time.Second)))
	}
	return nil
}

// checkCard ends the session if the SIM is gone or locked: the next one looks whose it is then. It
// is asked only without a network, which a SIM taken out always means.
func (s *session) checkCard() error {
	state, err := s.simState()
	if err != nil {
		return err
	}
	switch state {
	case simBusy:
		return nil
	case "READY", "SIM PIN2", "SIM PUK2":
		imsi, err := s.askBare("+CIMI", bareDigits)
		if err != nil || imsi == "" || imsi == s.imsi {
			return err
		}
		return fault(ProblemModemFault, errors.New("the SIM was changed"))
	}
	return fault(ProblemModemFault, errors.New("the SIM was locked: AT+CPIN? says "+state))
}

// housekeeping is how often the machine is asked after, and what has become old is forgotten.
const housekeeping = time.Minute

// keepHouse runs beside the sessions, because Config.Host may take its time.
func (w *Worker) keepHouse(ctx context.Context) {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		var host Host
		if w.cfg.Host != nil {
			host = w.cfg.Host()
		}
		w.update(func(st *Status) { st.Host, st.Resets = host, w.resetsToday() })
		select {
		case <-tick.C:
		case <-w.failed:
		case <-ctx.Done():
			return
		}
	}
}
