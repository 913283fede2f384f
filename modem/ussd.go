package modem

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dongled/pdu"
)

// USSD is what the network answered to a code (TS 27.007 section 7.15).
type USSD struct {
	Text string
	// Status is <m>: 0 the dialogue is over, 1 a reply is wanted, 2 the network ended it, 3 another
	// client of the dongle answered, 4 not supported, 5 the network's time is up.
	Status int
}

// Open says that the network waits for a reply.
func (u USSD) Open() bool { return u.Status == 1 }

// Errors of Worker.USSD and Worker.CancelUSSD; what the dongle itself refused is a *USSDError.
var (
	// ErrNotReady: there is no session with the dongle, or no network. Try again when there is.
	ErrNotReady = errors.New("the modem is not ready")
	// ErrUSSDBusy: another request waits for its answer. Try again after it.
	ErrUSSDBusy = errors.New("another USSD request waits for its answer")
	// ErrUSSDTimeout: the network gave no answer within a minute. The dialogue was ended.
	ErrUSSDTimeout = errors.New("the network did not answer the USSD request in time")
	// ErrUSSDCode: neither a code nor, in an open dialogue, a reply. The caller's mistake.
	ErrUSSDCode = errors.New("a USSD code has 1 to 182 of the characters 0-9 * # +, a reply as many of the GSM-7 alphabet")
	// ErrUSSDCancelled: CancelUSSD was called meanwhile.
	ErrUSSDCancelled = errors.New("the USSD request was cancelled")
)

// A USSDError is the dongle's refusal of a USSD request: Fault says whether to try again.
type USSDError struct{ Fault Fault }

func (e *USSDError) Error() string { return "the modem refused the USSD request: " + e.Fault.String() }

const (
	// ussdTimeout bounds the wait for the network's answer.
	ussdTimeout = 60 * time.Second
	// ussdSettle is how long after a cancellation the network may still confirm it.
	ussdSettle = 3 * time.Second
	// maxUSSD is the most characters that a USSD string of GSM-7 has (TS 24.080 section 4.5).
	maxUSSD = 182
)

// ussdDesk keeps the one USSD dialogue that a dongle can have.
type ussdDesk struct {
	mu sync.Mutex
	// taken says that a request is under way, from Worker.USSD to its return.
	taken bool
	// answer is where the answer goes, from the moment that the request is given to the dongle;
	// nil while none is expected.
	answer chan ussdAnswer
	// open says that the network waits for a reply.
	open bool
	// cancelled is when the last dialogue was.
	cancelled time.Time
}

type ussdAnswer struct {
	USSD
	err error
}

// USSD sends a code, or the reply in a dialogue that the network keeps open, and waits for the
// answer: at most 60 s from when the dongle has it, and first for a submission in progress. It
// holds no submission back meanwhile. The error is one of those above, or that of ctx; where a
// request had been made the dialogue is then ended.
func (w *Worker) USSD(ctx context.Context, code string) (USSD, error) {
	s := w.live.Load()
	if s == nil || !w.ready() {
		return USSD{}, ErrNotReady
	}
	if err := s.ussd.take(code); err != nil {
		return USSD{}, err
	}
	defer s.ussd.leave()
	answer := make(chan ussdAnswer, 1)
	select {
	case s.orders <- func() error { return s.dial(ctx, code, answer) }:
	case <-s.gone:
		return USSD{}, ErrNotReady
	case <-ctx.Done():
		return USSD{}, ctx.Err()
	}
	limit := time.NewTimer(ussdTimeout)
	defer limit.Stop()
	select {
	case a := <-answer:
		return a.USSD, a.err
	case <-s.gone:
		return USSD{}, ErrNotReady
	case <-limit.C:
		signal(s.ussdEnds)
		return USSD{}, ErrUSSDTimeout
	case <-ctx.Done():
		signal(s.ussdEnds)
		return USSD{}, ctx.Err()
	}
}

// CancelUSSD ends the dialogue, if there is one, and the request that waits for an answer.
func (w *Worker) CancelUSSD(ctx context.Context) error {
	s := w.live.Load()
	if s == nil {
		return ErrNotReady
	}
	done := make(chan error, 1)
	select {
	case s.orders <- func() error {
		err := s.cancelUSSD()
		done <- err
		return err
	}:
	case <-s.gone:
		return ErrNotReady
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := <-done; err != nil {
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	return nil
}

// take begins a request, which leave ends.
func (d *ussdDesk) take(code string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.taken:
		return ErrUSSDBusy
	case !isUSSDCode(code) && !(d.open && isUSSDReply(code)):
		return ErrUSSDCode
	}
	d.taken = true
	return nil
}

func (d *ussdDesk) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.taken, d.answer = false, nil
}

// expect names where the next answer goes; nil forgets it. It is false if the request was left.
func (d *ussdDesk) expect(answer chan ussdAnswer) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.taken {
		return false
	}
	d.answer = answer
	return true
}

// settle gives an answer to whoever waits for it, if anybody does.
func (d *ussdDesk) settle(a ussdAnswer) (wanted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = a.err == nil && a.Open()
	if d.answer == nil {
		return false
	}
	d.answer <- a
	d.answer = nil
	return true
}

// lateEnd says whether u only confirms what was cancelled, and is no answer to what came after.
func (d *ussdDesk) lateEnd(u USSD) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return u.Status == 2 && u.Text == "" && time.Since(d.cancelled) < ussdSettle
}

// dial gives the request to the dongle. OK says no more than that it has it.
func (s *session) dial(ctx context.Context, code string, answer chan ussdAnswer) error {
	select {
	case <-s.ussdEnds: // of the request before
		if err := s.cancelUSSD(); err != nil {
			return err
		}
	default:
	}
	if ctx.Err() != nil || !s.ussd.expect(answer) {
		return nil
	}
	var err error
	for _, text := range s.ussdForms(code) {
		err = s.ussdCommand(`+CUSD=1,"` + text + `",15`)
		if _, refused := asRefusal(err); !refused {
			return err
		}
	}
	r, _ := asRefusal(err)
	s.ussd.settle(ussdAnswer{err: &USSDError{r.fault}})
	return nil
}

// ussdCommand allows for dongles whose OK waits for the network.
func (s *session) ussdCommand(cmd string) error {
	_, err := s.command(cmd, want{}, ussdTimeout+commandTimeout)
	return err
}

// ussdForms are the ways to write a text into AT+CUSD, the other one to be tried where the first is
// refused: as it is, and in packed septets as hex, which Huawei's dongles want. What AT+CSCS could
// change is only packed.
func (s *session) ussdForms(text string) []string {
	var forms []string
	if packed, err := pdu.PackUSSD(text); err == nil {
		forms = append(forms, strings.ToUpper(hex.EncodeToString(packed)))
	}
	if strings.Trim(text, plainUSSD) == "" {
		forms = append(forms, text)
	}
	if !s.family.PackedUSSD {
		slices.Reverse(forms)
	}
	return forms
}

func (s *session) cancelUSSD() error {
	s.ussd.mu.Lock()
	s.ussd.cancelled = time.Now()
	s.ussd.mu.Unlock()
	err := unlessRefused(s.ussdCommand("+CUSD=2")) // refused where there is nothing to end
	s.ussd.settle(ussdAnswer{err: ErrUSSDCancelled})
	return err
}

// heardUSSD takes a +CUSD.
func (s *session) heardUSSD(args string) {
	u, ok := parseUSSD(args)
	if !ok || s.ussd.lateEnd(u) {
		return
	}
	if !s.ussd.settle(ussdAnswer{USSD: u}) {
		s.log.Debug("a USSD that nobody asked for", "status", u.Status)
	}
}

// plainUSSD are the characters that are the same in all character sets of AT+CSCS but UCS2, and
// mean nothing in a quoted string.
const plainUSSD = "0123456789*#+ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .,:;!?()/&%=<>'-"

func isUSSDCode(code string) bool {
	return code != "" && len(code) <= maxUSSD && strings.Trim(code, "0123456789*#+") == ""
}

func isUSSDReply(text string) bool {
	_, err := pdu.PackUSSD(text)
	return err == nil
}
