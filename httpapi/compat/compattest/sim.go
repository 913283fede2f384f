package compattest

import (
	"context"
	"slices"
	"sync"

	"dongled/modem"
	"dongled/pdu"
)

// Part is one SMS-SUBMIT as the network reads it.
type Part struct {
	pdu.Submit
	SIM int
}

// SIM is one whose network does what the test says.
type SIM struct {
	mu     sync.Mutex
	status modem.Status
	mr     uint8
	sent   []Part
	answer func(Part) error
	held   chan struct{}
}

func newSIM(number int, name string) *SIM {
	digit := string(rune('0' + number))
	return &SIM{status: modem.Status{
		SIM: number, Name: name, State: modem.StateReady, Number: "+49151000000" + digit,
		IMSI: "26201000000000" + digit, ICCID: "894902000000000000" + digit, IMEI: "49015420323751" + digit,
		Registration: 1, Operator: "Test Net",
	}}
}

// SIM implements scheduler.Sender.
func (s *SIM) SIM() int { return s.Status().SIM }

// Status implements scheduler.Sender.
func (s *SIM) Status() modem.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Edit changes what the SIM is.
func (s *SIM) Edit(edit func(*modem.Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit(&s.status)
}

// Answer has the network answer each part; nil accepts.
func (s *SIM) Answer(answer func(Part) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// Hold has parts wait before they leave, until Release.
func (s *SIM) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = make(chan struct{})
	}
}

// Release ends Hold.
func (s *SIM) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		close(s.held)
		s.held = nil
	}
}

// Sent is what the SIM was handed so far.
func (s *SIM) Sent() []Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Refuse is a network's answer with a +CMS ERROR (TS 27.005 section 3.2.5); 1 is permanent.
func Refuse(code int) func(Part) error {
	return func(Part) error { return &modem.SubmitError{Fault: modem.CMS(code), Submitted: true} }
}

// Submit implements scheduler.Sender.
func (s *SIM) Submit(ctx context.Context, seg pdu.Segment, _ bool, cleared func() error) (uint8, error) {
	if err := cleared(); err != nil {
		return 0, &modem.SubmitError{Fault: modem.Fault{Action: modem.Transient, Text: "cancelled"}, Err: err}
	}
	s.mu.Lock()
	held := s.held
	s.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done(): // the test is over: what is under way is let go
		}
	}
	raw, err := pdu.DecodeHex(seg.Hex())
	if err != nil {
		return 0, &modem.SubmitError{Fault: modem.CMS(304), Submitted: true, Err: err}
	}
	part := Part{SIM: s.SIM()}
	if part.Submit, err = pdu.DecodeSubmit(raw); err != nil {
		return 0, &modem.SubmitError{Fault: modem.CMS(304), Submitted: true, Err: err}
	}
	s.mu.Lock()
	s.mr++
	mr, answer := s.mr, s.answer
	s.sent = append(s.sent, part)
	s.mu.Unlock()
	if answer != nil {
		if err := answer(part); err != nil {
			return 0, err
		}
	}
	return mr, nil
}

// USSD implements scheduler.Talker.
func (*SIM) USSD(context.Context, string) (modem.USSD, error) {
	return modem.USSD{}, modem.ErrNotReady
}

// CancelUSSD implements scheduler.Talker.
func (*SIM) CancelUSSD(context.Context) error { return nil }

// Trace implements scheduler.Talker.
func (*SIM) Trace(bool) []modem.TraceLine { return nil }
