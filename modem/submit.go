package modem

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dongled/pdu"

	"github.com/warthog618/modem/info"
)

// promptTimeout bounds the wait for the prompt of AT+CMGS; slow dongles take 5 s.
const promptTimeout = 10 * time.Second

// maxTPDU is the length of the longest SMS-SUBMIT (TS 23.040 section 9.2.2.2): 24 octets before
// the user data and 140 of it.
const maxTPDU = 164

// A job is one submission on its way through the session.
type job struct {
	ctx     context.Context
	seg     pdu.Segment
	more    bool
	cleared func() error
	done    chan submission
}

type submission struct {
	mr  uint8
	err *SubmitError
}

// Submit sends one SMS-SUBMIT and returns the TP-MR that the dongle gave it (+CMGS). more says
// that another part waits, for which the link to the network is kept open (AT+CMMS=2).
//
// cleared, unless nil, is called when the dongle is ready for the PDU; nothing leaves before it has
// returned, nor after it returned an error. So the caller's disk and the dongle work side by side.
//
// An error is always a *SubmitError. ctx counts until the PDU is handed over; from then on Submit
// waits for the answer, up to Config.SendTimeout, because whoever gave up would not know whether
// the message left.
func (w *Worker) Submit(ctx context.Context, seg pdu.Segment, more bool, cleared func() error) (uint8, error) {
	if n := seg.Length(); n == 0 || n > maxTPDU {
		return 0, &SubmitError{Fault: Fault{
			Action: Permanent, Text: fmt.Sprintf("a TPDU of %d octets", n), Result: resFormat,
		}}
	}
	s := w.live.Load()
	if s == nil || !w.ready() {
		return 0, w.notReady()
	}
	j := &job{ctx: ctx, seg: seg, more: more, cleared: cleared, done: make(chan submission, 1)}
	select {
	case s.jobs <- j:
	case <-s.gone:
		return 0, w.notReady()
	case <-ctx.Done():
		return 0, cancelled(ctx.Err())
	}
	r := <-j.done
	if r.err != nil {
		return 0, r.err
	}
	return r.mr, nil
}

// notReady refuses a submission with ErrNotReady; the attempt does not count.
func (w *Worker) notReady() *SubmitError {
	st := w.Status()
	result := resUnavailable
	if st.State == StateNotRegistered {
		result = resNoService
	}
	problem := st.Problem
	if problem == "" {
		problem = string(st.State)
	}
	return &SubmitError{Fault: Fault{
		Action: ModemFault, Text: problem, Result: result, Delay: retrySoon,
	}, Err: ErrNotReady}
}

func cancelled(cause error) *SubmitError {
	return &SubmitError{
		Fault: Fault{Action: Transient, Text: "cancelled before the message was handed over", Result: resCancelled},
		Err:   cause,
	}
}

// submit runs the whole of AT+CMGS. The second error ends the session.
func (s *session) submit(j *job) (submission, error) {
	if err := j.ctx.Err(); err != nil {
		return submission{err: cancelled(err)}, nil
	}
	if j.more && !s.linkAsked {
		s.linkAsked = true // a dongle that refuses is not asked again in this session
		if err := s.try("+CMMS=2"); err != nil {
			return submission{err: s.w.notReady()}, err
		}
	}
	hex := j.seg.Hex()
	s.f.begin(exchange{
		want: want{prefix: "+CMGS"}, pdu: hex, ctx: j.ctx, answer: s.w.cfg.SendTimeout,
		cleared: paced(j.cleared, s.family.PaceBeforePDU),
	}, promptTimeout)
	lines, err := s.at.SMSCommand("+CMGS="+strconv.Itoa(j.seg.Length()), hex)
	ex := s.f.end()
	if err == nil || ex.final != "" {
		s.w.seen()
	}
	return s.outcome(lines, err, ex)
}

// paced lets pace pass beside cleared.
func paced(cleared func() error, pace time.Duration) func() error {
	if pace == 0 {
		return cleared
	}
	return func() (err error) {
		passed := time.After(pace)
		if cleared != nil {
			err = cleared()
		}
		<-passed
		return err
	}
}

// outcome reads what became of AT+CMGS. The second error ends the session.
func (s *session) outcome(lines []string, err error, ex exchange) (submission, error) {
	mr, accepted := reference(lines)
	ends := s.afterSubmit(err, ex, accepted)
	e := &SubmitError{Submitted: ex.handedOver, Err: ends}
	switch {
	case accepted && mr >= 0:
		return submission{mr: uint8(mr)}, ends
	case accepted:
		e.Fault = ambiguous("accepted under a message reference that cannot be read")
	case ex.final != "":
		e.Fault, e.Err = faultOfFinal(ex.final), nil
		if !ex.handedOver {
			e.Fault = e.Fault.beforePDU()
		}
	case ex.handedOver && err == nil:
		e.Fault = ambiguous("OK without a message reference")
	case ex.handedOver:
		e.Fault = ambiguous("no answer after the message was handed over")
	case ex.heldBack != nil:
		e = cancelled(ex.heldBack)
	default:
		e.Fault = Fault{Action: ModemFault, Text: "no prompt for the message", Result: resModem, Delay: retrySoon}
	}
	return submission{err: e}, ends
}

// afterSubmit says why the session has to end, or nil if it stands.
func (s *session) afterSubmit(err error, ex exchange, accepted bool) error {
	switch {
	case ex.final != "" && !errors.Is(err, errGate):
		f := faultOfFinal(ex.final)
		if f.isNoService() {
			signal(s.refresh)
			return nil
		}
		if f.Action == ModemFault || f.Family == "" {
			return fault(ProblemModemFault, errors.New(ex.final))
		}
		return nil
	case err != nil:
		return s.lost(err)
	case !accepted:
		return outOfStep(errors.New("OK to AT+CMGS, without a message reference"))
	}
	return nil
}

func ambiguous(text string) Fault {
	return Fault{Action: Ambiguous, Text: text, Result: resGeneric}
}

// reference reads <mr> of "+CMGS: <mr>[,<ackpdu>]"; it is -1 if it makes no sense. accepted
// says that there was such a line, which is the network's word that it has the message.
func reference(lines []string) (mr int, accepted bool) {
	for _, line := range lines {
		if !info.HasPrefix(line, "+CMGS") {
			continue
		}
		first, _, _ := strings.Cut(info.TrimPrefix(line, "+CMGS"), ",")
		n, err := strconv.ParseUint(strings.TrimSpace(first), 10, 8)
		if err != nil {
			return -1, true
		}
		return int(n), true
	}
	return 0, false
}
