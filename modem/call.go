package modem

import (
	"context"
	"strings"
	"time"
)

const (
	// callerWait is how long the number of a caller may take after the first RING.
	callerWait = 3 * time.Second
	// ringGap is the silence after which a RING is a new call's; networks ring every 3 to 6 s.
	ringGap = 10 * time.Second
)

// A ringing is one call that comes in, from the first RING on. It belongs to the consumer of URCs.
type ringing struct {
	call Call
	// last is when it rang last; zero if nothing rings.
	last time.Time
	// told says that the Sink has heard of it.
	told  bool
	timer *time.Timer
}

// callerNumber asks for +CLIP with each RING (TS 27.007 section 7.6).
func (s *session) callerNumber() error { return s.tryLightly("+CLIP=1") }

// rings follows a call that comes in, so that the Sink hears of it once, with its number if that
// comes in time.
func (s *session) rings(u urc) {
	r := &s.ringing
	now := time.Now()
	number := ""
	if u.kind == urcCaller {
		number = callerOf(u.text)
	}
	another := r.told && number != "" && r.call.Number != "" && number != r.call.Number
	if u.kind == urcCallEnded || another || now.Sub(r.last) > ringGap {
		s.endRinging()
	}
	switch u.kind {
	case urcCallEnded:
		return
	case urcUnnamed:
		if !r.last.IsZero() {
			s.tellCall()
		}
		return
	}
	if r.last.IsZero() {
		r.call.At = now
		r.timer = time.AfterFunc(callerWait, func() { s.urcs.push(urc{kind: urcUnnamed}) })
	}
	r.last = now
	if number != "" && !r.told {
		r.call.Number = number
	}
	if (u.kind == urcCaller) != r.told { // the number, or another RING after it
		s.tellCall()
	}
}

// tellCall tells the Sink of the call, once, and has it hung up, as long as it rings.
func (s *session) tellCall() {
	r := &s.ringing
	r.timer.Stop()
	if !r.told {
		r.told = true
		call := r.call
		if !s.offer("call", callTries, func(ctx context.Context) error { return s.w.cfg.Sink.Called(ctx, s.origin(), call) }) {
			s.log.Error("a call is not stored", "at", call.At)
		}
	}
	if s.w.cfg.HangUp {
		signal(s.hangUps)
	}
}

// endRinging makes an end of the call, if there is one.
func (s *session) endRinging() {
	r := &s.ringing
	if r.last.IsZero() {
		return
	}
	if !r.told {
		s.tellCall()
	}
	*r = ringing{}
}

// hangUp refuses the call (TS 27.007 section 6.5), or by V.250 where that is not known.
func (s *session) hangUp() error {
	err := s.do("+CHUP")
	if _, refused := asRefusal(err); refused {
		return s.try("H")
	}
	return err
}

// callerOf reads <number>,<type>,… of +CLIP. Type 145 is international, with or without its "+".
func callerOf(args string) string {
	number := field(args, 0)
	if field(args, 1) == "145" && number != "" && !strings.HasPrefix(number, "+") {
		number = "+" + number
	}
	return number
}
