package modem

import (
	"context"
	"time"

	"dongled/pdu"
)

// The Sink is offered a report until it takes it, this often and with this much patience.
const (
	offerAgain   = time.Second
	offerRarely  = 30 * time.Second
	offerTimeout = 30 * time.Second
)

// report passes one status report on, and has it acknowledged only after it is stored. It runs
// in the consumer of URCs, which thereby keeps the order.
func (s *session) report(hex string) {
	raw, err := pdu.DecodeHex(hex)
	var r pdu.Report
	if err == nil {
		r, err = pdu.DecodeReport(raw)
	}
	switch {
	case err != nil:
		// Acknowledged all the same: the next one would be withheld for this one's sake.
		s.log.Warn("a status report cannot be read", "error", err)
	case !s.offer(r):
		s.log.Error("a status report is lost: it could not be stored before the session ended",
			"mr", r.MR, "status", r.Status)
		return
	}
	if s.mustAck.Load() {
		signal(s.acks)
	}
}

// offer repeats until the Sink has taken the report; after the session is gone it tries once.
func (s *session) offer(r pdu.Report) bool {
	for wait := offerAgain; ; wait = min(2*wait, offerRarely) {
		err := s.offerOnce(r)
		if err == nil {
			return true
		}
		s.log.Warn("a status report is not stored yet", "mr", r.MR, "error", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-s.gone:
			t.Stop()
			return s.offerOnce(r) == nil
		}
	}
}

// offerOnce outlives the end of Run: a report that has come is stored.
func (s *session) offerOnce(r pdu.Report) error {
	s.offering.Lock()
	defer s.offering.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), offerTimeout)
	defer cancel()
	return s.w.cfg.Sink.Reported(ctx, Origin{SIM: s.w.cfg.SIM, IMSI: s.imsi}, r)
}

// acknowledge sends RP-ACK for the report stored last. +CMS ERROR: 340 says that none was
// expected. After any other error the dongle may have switched reports off (TS 27.005
// section 3.4.1), so they are asked for anew.
func (s *session) acknowledge() error {
	err := s.do("+CNMA")
	r, refused := asRefusal(err)
	if !refused {
		return err
	}
	if r.fault.Family == "CMS" && r.fault.Code == 340 {
		return nil
	}
	s.log.Warn("the modem refused to acknowledge a status report", "answer", r.line)
	return s.askForReports()
}
