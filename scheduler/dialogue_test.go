package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/scheduler"
)

// talk is what a fakeSIM does beside sending.
type talk struct {
	mu sync.Mutex
	// log is what the SIM was asked, with the time since it was made.
	log []string
	// takes passes before the network answers, with answer; nil is silence until ctx ends.
	takes  time.Duration
	answer func() (modem.USSD, error)
}

func (f *fakeSIM) note(what string) {
	f.talk.mu.Lock()
	defer f.talk.mu.Unlock()
	f.talk.log = append(f.talk.log, fmt.Sprintf("%v %s", time.Since(f.born), what))
}

func (f *fakeSIM) USSD(ctx context.Context, code string) (modem.USSD, error) {
	f.note(code)
	f.talk.mu.Lock()
	answer := f.talk.answer
	f.talk.mu.Unlock()
	if answer == nil {
		<-ctx.Done()
		return modem.USSD{}, ctx.Err()
	}
	time.Sleep(f.talk.takes)
	return answer()
}

// answers has the network answer every code from now on.
func (f *fakeSIM) answers(text string, status int) {
	f.answersWith(func() (modem.USSD, error) { return modem.USSD{Text: text, Status: status}, nil })
}

func (f *fakeSIM) answersWith(answer func() (modem.USSD, error)) {
	f.talk.mu.Lock()
	defer f.talk.mu.Unlock()
	f.talk.answer = answer
}

func (f *fakeSIM) CancelUSSD(context.Context) error {
	f.note("cancel")
	return nil
}

func (f *fakeSIM) Trace(texts bool) []modem.TraceLine {
	return []modem.TraceLine{{Sent: true, Text: fmt.Sprintf("SIM %d, texts %t", f.number, texts)}}
}

// asked is what the SIM was asked so far, with everything done that is due.
func (f *fakeSIM) asked() []string {
	synctest.Wait()
	f.talk.mu.Lock()
	defer f.talk.mu.Unlock()
	return slices.Clone(f.talk.log)
}

func (f *fakeSIM) wasAsked(want ...string) {
	f.t.Helper()
	if got := f.asked(); !slices.Equal(got, want) {
		f.t.Errorf("SIM %d was asked %q\nwant %q", f.number, got, want)
	}
}

func TestUSSD(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		two.answers("your credit", 0)
		r := start(t, scheduler.Options{}, one, two)
		got, err := r.USSD(t.Context(), 2, "*100#")
		if err != nil || got != (modem.USSD{Text: "your credit"}) {
			t.Errorf("answer %+v, %v", got, err)
		}
		if err := r.CancelUSSD(t.Context(), 2); err != nil {
			t.Error(err)
		}
		one.wasAsked()
		two.wasAsked("0s *100#", "0s cancel")
		if lines, found := r.Trace(2, true); !found || len(lines) != 1 || lines[0].Text != "SIM 2, texts true" {
			t.Errorf("trace %+v, %t", lines, found)
		}
	})
}

func TestUSSDWithoutTheSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, scheduler.Options{}, newSIM(t, 1))
		if _, err := r.USSD(t.Context(), 2, "*100#"); !errors.Is(err, modem.ErrNotReady) {
			t.Errorf("USSD: %v", err)
		}
		if err := r.CancelUSSD(t.Context(), 2); !errors.Is(err, modem.ErrNotReady) {
			t.Errorf("cancel: %v", err)
		}
		if lines, found := r.Trace(2, false); found || lines != nil {
			t.Errorf("trace %+v", lines)
		}
	})
}

// Two dialogues at once would answer each other. A cancelled one gets out of the way.
func TestUSSDOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{}, sim)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := r.USSD(ctx, 1, "*100#")
			ended <- err
		}()
		synctest.Wait()
		if _, err := r.USSD(t.Context(), 1, "*101#"); !errors.Is(err, modem.ErrUSSDBusy) {
			t.Errorf("second: %v", err)
		}
		if err := r.CancelUSSD(t.Context(), 1); err != nil {
			t.Errorf("a request that waits cannot be cancelled: %v", err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("first: %v", err)
		}
		sim.answers("ok", 0)
		if _, err := r.USSD(t.Context(), 1, "*102#"); err != nil {
			t.Errorf("third: %v", err)
		}
		sim.wasAsked("0s *100#", "0s cancel", "0s *102#")
	})
}

// A message goes out while the network thinks about a code.
func TestUSSDHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.talk.takes = 30 * second
		sim.answers("ok", 0)
		r := start(t, scheduler.Options{}, sim)
		go func() { _, _ = r.USSD(t.Context(), 1, "*100#") }()
		synctest.Wait()
		r.post(text("a"))
		synctest.Wait()
		if got := sim.texts(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("sent %q", got)
		}
		time.Sleep(30 * second)
	})
}
