package modem

import (
	"context"
	"errors"
	"math"
	"time"

	"dongled/pdu"
)

// An arrival is a TPDU that came from the network: one of the two.
type arrival struct {
	report  *pdu.Report
	message *Incoming
}

func (a arrival) String() string {
	switch {
	case a.report != nil:
		return "status report"
	case a.message.Err != nil:
		return "message that cannot be read"
	}
	return "message"
}

// arrivalOf reads SCA and TPDU in hex. Its TP-MTI says which it is, whatever road it came by;
// report says that one was promised, for those that can be read both ways because the SCA may be
// missing: a time where it belongs tells. What can be read neither way is a message with an error.
func arrivalOf(text string, report bool) arrival {
	raw, err := pdu.DecodeHex(text)
	if err != nil {
		return arrival{message: &Incoming{Line: text, Err: err}}
	}
	d, notDeliver := pdu.DecodeDeliver(raw)
	r, notReport := decodeReport(raw)
	switch {
	case report && notReport == nil && !r.SCTS.IsZero():
		return arrival{report: &r}
	case notDeliver == nil && !d.SCTS.IsZero():
		return arrival{message: &Incoming{Raw: raw, Deliver: d}}
	case notReport == nil:
		return arrival{report: &r}
	case notDeliver == nil:
		return arrival{message: &Incoming{Raw: raw, Deliver: d}}
	case errors.Is(notDeliver, pdu.ErrNotDeliver):
		return arrival{message: &Incoming{Raw: raw, Err: notReport}}
	}
	return arrival{message: &Incoming{Raw: raw, Err: notDeliver}}
}

// The Sink is offered what came until it takes it, this often and with this much patience.
const (
	offerAgain   = time.Second
	offerRarely  = 30 * time.Second
	offerTimeout = 30 * time.Second
	// callTries bounds it for a call, which is not worth holding reports and messages back.
	callTries = 5
)

// arrived passes on what came by +CMT or +CDS, and has it acknowledged only after it is stored. It
// runs in the consumer of URCs, which thereby keeps the order.
func (s *session) arrived(a arrival) {
	if a.report != nil {
		s.reportCame(reportTold)
	}
	if !s.offer(a.String(), math.MaxInt, func(ctx context.Context) error { return s.take(ctx, a) }) {
		s.log.Error("it could not be stored before the session ended", "lost", a)
		return
	}
	if s.mustAck.Load() {
		signal(s.acks)
	}
}

// take gives an arrival to the Sink. The Sink is told of what cannot be read as well, and it is
// acknowledged all the same: the next one would be withheld for its sake.
func (s *session) take(ctx context.Context, a arrival) error {
	if a.report != nil {
		return s.w.cfg.Sink.Reported(ctx, s.origin(), *a.report)
	}
	return s.w.cfg.Sink.Received(ctx, s.origin(), *a.message)
}

// origin is what is known of the SIM and its dongle.
func (s *session) origin() Origin {
	st := s.w.Status()
	return Origin{SIM: s.w.cfg.SIM, IMSI: s.imsi, ICCID: st.ICCID, IMEI: st.IMEI, Number: st.Number}
}

// offer repeats until the Sink has taken it or tries are over; after the session is gone it tries
// once more.
func (s *session) offer(what string, tries int, take func(context.Context) error) bool {
	for wait := offerAgain; ; wait = min(2*wait, offerRarely) {
		err := s.offerOnce(take)
		if tries--; err == nil || tries == 0 {
			return err == nil
		}
		s.log.Warn("not stored yet", "what", what, "error", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-s.gone:
			t.Stop()
			return s.offerOnce(take) == nil
		}
	}
}

// offerOnce outlives the end of Run: what has come is stored.
func (s *session) offerOnce(take func(context.Context) error) error {
	s.offering <- struct{}{}
	defer func() { <-s.offering }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), offerTimeout)
	defer cancel()
	return take(ctx)
}
