package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// span is a range of +CMS ERROR codes.
type span struct{ first, last int }

func (s span) holds(code int) bool { return s.first <= code && code <= s.last }

// causes is what each code asks for: RP causes (TS 24.011 section 8.2.5.4), TP failure causes (TS 23.040
// section 9.2.3.22), those of TS 27.005 section 3.2.5 and the makers'. A code in none of the other lists
// is transient up to 255, is the dongle's own fault from 300 to 511, and is unknown, so that the
// message may have gone out, everywhere else.
var causes = map[verdict][]span{
	final: {
		{1, 1}, {21, 21}, {95, 97}, {99, 99}, {128, 130}, {143, 145}, {159, 161}, {175, 176}, {195, 199},
		{303, 304}, {516, 517}, {519, 519}, {531, 531}, {538, 538}, {549, 551}, {553, 554},
	},
	barred: {{8, 8}, {10, 10}, {28, 30}, {50, 50}, {69, 69}, {193, 193}, {312, 312}, {315, 318}, {330, 330}},
	passing: {
		{301, 301}, {314, 314}, {512, 512}, {514, 514}, {518, 518}, {520, 520}, {522, 522}, {534, 535},
	},
	modems: {{34, 34}, {208, 211}, {515, 515}, {526, 529}, {532, 532}},
	open:   {{127, 127}, {332, 332}, {350, 350}, {500, 500}},
}

// verdict is what a user sees of a message after a submission that failed.
type verdict string

const (
	final   verdict = "failed"                            // for good
	barred  verdict = "sent when the SIM was tried again" // meanwhile the SIM is shown as paused
	passing verdict = "sent at the second attempt"
	modems  verdict = "sent when the modem had recovered" // and no attempt counted
	open    verdict = "processed until its report comes"  // and never sent again
)

// verdictOn is that on a code; plainError stands for ERROR without a number.
func verdictOn(code int) verdict {
	for v, spans := range causes {
		if slices.ContainsFunc(spans, func(s span) bool { return s.holds(code) }) {
			return v
		}
	}
	switch {
	case code != plainError && code <= 255:
		return passing
	case code >= 300 && code <= 511:
		return modems
	}
	return open
}

const plainError = -1

// TestStackCodes has the network refuse messages with every code there is and with a plain ERROR, and looks
// at what a user sees: nobody else is held up, nothing is sent twice.
func TestStackCodes(t *testing.T) {
	for _, codes := range []span{{plainError, 127}, {128, 255}, {256, 450}, {451, 600}} {
		t.Run(fmt.Sprintf("%d to %d", codes.first, codes.last), func(t *testing.T) {
			var all []int
			for code := codes.first; code <= codes.last; code++ {
				all = append(all, code)
			}
			refuseAll(t, virtual.OnSubmit, all)
		})
	}
}

// TestStackCodesBeforeThePrompt has the dongle itself refuse, with the first code of each kind.
func TestStackCodesBeforeThePrompt(t *testing.T) {
	codes := []int{plainError, 0, 41, 255, 256, 300, 321, 331, 340, 511, 513, 600}
	for _, spans := range causes {
		for _, s := range spans {
			codes = append(codes, s.first)
		}
	}
	refuseAll(t, virtual.OnPrompt, codes)
}

func refuseAll(t *testing.T, place string, codes []int) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{FIFO: true}, silent(7))
		s.pass(time.Minute)
		for _, code := range codes {
			s.refuse(place, code)
		}
	})
}

// refuse has one message refused with a code, and another one sent after it.
func (s *stack) refuse(place string, code int) {
	s.t.Helper()
	r := s.radios[0]
	want, number, good := verdictOn(code), fmt.Sprintf("+49151%07d", code+1), fmt.Sprintf("+49152%07d", code+1)
	f := virtual.Fault{On: place, Do: virtual.CMS, Code: code}
	answer := fmt.Sprintf("+CMS ERROR: %d (", code)
	if code == plainError {
		f, answer = virtual.Fault{On: place, Do: virtual.PlainError}, "ERROR"
	}
	switch {
	case place == virtual.OnPrompt && want == open:
		want = passing // nothing has left
	case want == open:
		f.Network = virtual.Takes
	}
	before := len(r.Submissions())
	r.AddFaults(f)
	id := s.post(to(number, "refused"))
	s.pass(500 * time.Millisecond)
	s.sees(code, id, want, answer)
	other := s.post(to(good, "good"))
	for range 100 { // 5 min and a fifth, at most
		if s.get(id).State != queue.Pending && s.get(other).State == queue.Sent {
			break
		}
		s.pass(5 * time.Second)
	}
	s.became(code, id, want, answer)
	s.expect(other, queue.Sent, "")
	on := map[string]int{}
	for _, sub := range r.Submissions()[before:] {
		on[sub.Submit.Destination]++
	}
	times := 1
	if want == final {
		times = 0
	}
	if on[good] != 1 || on[number] != times {
		s.t.Errorf("%d: on the air were %v", code, on)
	}
	if want == open {
		r.reportAs(s.t, r.Submissions()[before].MR, number, 0)
		s.expect(id, queue.Delivered, "")
	}
}

// sees is what a user sees at once.
func (s *stack) sees(code int, id string, want verdict, answer string) {
	s.t.Helper()
	m, st := s.get(id), s.Modems()[0]
	states := map[verdict]queue.State{
		final: queue.Failed, barred: queue.Pending, passing: queue.Pending, modems: queue.Pending, open: queue.Processed,
	}
	if m.State != states[want] {
		s.t.Errorf("%d: at once the message is %v, want %v (%s)", code, m.State, states[want], want)
	}
	if paused := st.State == modem.StatePaused && strings.Contains(st.Hint, answer); want == barred && !paused {
		s.t.Errorf("%d: the SIM is %s with %q, %q", code, st.State, st.Problem, st.Hint)
	}
}

// became is what a user sees in the end.
func (s *stack) became(code int, id string, want verdict, answer string) {
	s.t.Helper()
	m := s.get(id)
	p := m.Recipients[0].Parts[0]
	state, attempts := queue.Sent, 1
	switch want {
	case final:
		state = queue.Failed
	case passing:
		attempts = 2
	case open:
		state = queue.Processed
	}
	if m.State != state || p.Attempts != attempts {
		s.t.Errorf("%d: in the end the message is %v after %d attempts, want %v after %d (%s)", code, m.State, p.Attempts, state, attempts, want)
	}
	if problem := m.Recipients[0].Error; strings.Contains(problem, answer) != (want == final) {
		s.t.Errorf("%d: its error is %q", code, problem)
	}
}
