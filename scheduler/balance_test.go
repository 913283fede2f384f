package scheduler_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/scheduler"
)

// daily asks SIM 1 for its balance; below 5 is low.
func daily() scheduler.Options {
	return scheduler.Options{Balance: map[int]scheduler.Balance{
		1: {Code: "*100#", Match: regexp.MustCompile(`credit: ([0-9.,]+)`), Every: 24 * time.Hour, Below: 5},
	}}
}

func TestBalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		born := time.Now()
		one, two := newSIM(t, 1), newSIM(t, 2)
		one.answers("Your credit: 12,50.", 0)
		r := start(t, daily(), one, two)
		if got := r.Balances(); !reflect.DeepEqual(got, []scheduler.Credit{{SIM: 1}}) {
			t.Errorf("before the first check: %+v", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		first := modem.Balance{Amount: 12.5, At: born.Add(time.Minute)}
		if got := r.Balances(); !reflect.DeepEqual(got, []scheduler.Credit{{SIM: 1, Balance: first}}) {
			t.Errorf("after the first check: %+v", got)
		}
		if got := r.Modems(); got[0].Balance != first || got[1].Balance != (modem.Balance{}) {
			t.Errorf("status: %+v", got)
		}

		one.answers("Your credit: 4.99", 0)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		second := modem.Balance{Amount: 4.99, At: born.Add(24*time.Hour + time.Minute), Low: true}
		if got := r.Modems()[0].Balance; got != second {
			t.Errorf("after a day: %+v", got)
		}
		one.wasAsked("1m0s *100#", "24h1m0s *100#")
		two.wasAsked()
	})
}

// A low balance is a warning of the modem, and does not keep it from sending.
func TestBalanceWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		sim := newSIM(t, 1)
		sim.answers("credit: 1.234,56", 0)
		opts := daily()
		opts.Log = slog.New(slog.NewTextHandler(&log, nil))
		r := start(t, opts, sim)
		warned := func() bool {
			for _, w := range r.Modems()[0].Warnings(time.Now()) {
				if w.ID == "low-balance" && w.Severity == "warn" && w.Text != "" {
					return true
				}
			}
			return false
		}
		for _, day := range []struct {
			answer string
			low    bool
		}{{"credit: 5.00", false}, {"credit: 4.99", true}, {"credit: 4.98", true}, {"credit: 1.234,56", false}} {
			sim.answers(day.answer, 0)
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if st := r.Modems()[0]; warned() != day.low || !st.Ready() {
				t.Errorf("%s: warned %t, state %s", day.answer, warned(), st.State)
			}
		}
		if n := strings.Count(log.String(), "the balance is low"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, log.String())
		}
	})
}

// A SIM that is not ready is not asked; it is once it is ready, soon.
func TestBalanceWaitsForTheSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.set(modem.StateNotRegistered)
		sim.answers("credit: 9", 0)
		r := start(t, daily(), sim)
		time.Sleep(time.Hour + time.Second)
		sim.wasAsked()
		if got := r.Balances()[0]; got.Problem != "" || !got.At.IsZero() {
			t.Errorf("%+v", got)
		}
		sim.set(modem.StateReady)
		time.Sleep(time.Minute)
		sim.wasAsked("1h1m0s *100#")
	})
}

// Where a SIM is not there, nothing happens until it is.
func TestBalanceOfNoSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 2)
		r := start(t, daily(), sim)
		time.Sleep(48 * time.Hour)
		sim.wasAsked()
		if got := r.Balances(); !reflect.DeepEqual(got, []scheduler.Credit{{SIM: 1}}) {
			t.Errorf("%+v", got)
		}
	})
}

// An answer that is none is asked for again, ever more rarely: networks charge for it.
func TestBalanceRetries(t *testing.T) {
	tests := []struct {
		name, problem string
		answer        modem.USSD
		err           error
	}{
		{"another text", "match does not fit the network's answer", modem.USSD{Text: "call 123"}, nil},
		{"nothing", "match does not fit the network's answer", modem.USSD{Status: 4}, nil},
		{"a number that is none", "what match finds in the network's answer is no amount", modem.USSD{Text: "credit: 1.2.3"}, nil},
		{"an error", "no network", modem.USSD{}, errors.New("no network")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				sim := newSIM(t, 1)
				sim.answersWith(func() (modem.USSD, error) { return test.answer, test.err })
				opts := daily()
				opts.Log = slog.New(slog.NewTextHandler(&log, nil))
				r := start(t, opts, sim)
				time.Sleep(3 * 24 * time.Hour)
				// 10 minutes, doubled up to a day.
				sim.wasAsked("1m0s *100#", "11m0s *100#", "31m0s *100#", "1h11m0s *100#", "2h31m0s *100#", "5h11m0s *100#",
					"10h31m0s *100#", "21h11m0s *100#", "42h31m0s *100#", "66h31m0s *100#")
				if got := r.Balances()[0]; got.Problem != test.problem || !got.At.IsZero() {
					t.Errorf("%+v", got)
				}
				if n := strings.Count(log.String(), "the balance was not told"); n != 1 {
					t.Errorf("logged %d times:\n%s", n, log.String())
				}

				// A success forgets the failures.
				sim.answers("credit: 7", 0)
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				if got := r.Balances()[0]; got.Problem != "" || got.Amount != 7 {
					t.Errorf("%+v", got)
				}
				sim.answersWith(func() (modem.USSD, error) { return test.answer, test.err })
				time.Sleep(24 * time.Hour)
				again := []string{"90h31m0s *100#", "114h31m0s *100#", "114h41m0s *100#"}
				if got := sim.asked(); len(got) < 13 || !slices.Equal(got[10:13], again) {
					t.Errorf("asked %q", got)
				}
				if got := r.Balances()[0]; got.Problem != test.problem || got.Amount != 7 {
					t.Errorf("a known balance is kept: %+v", got)
				}
			})
		})
	}
}

// A network that says nothing, or a part that takes minutes, does not hold a check for ever.
func TestBalanceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		start(t, daily(), sim)
		time.Sleep(12*time.Minute + 30*time.Second)
		sim.wasAsked("1m0s *100#", "12m30s *100#")
	})
}

// A person's session is not answered by the balance check, until it must be over.
func TestBalanceLeavesSessionsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answers("1 credit: 8\n2 more", 1)
		r := start(t, daily(), sim)
		time.Sleep(30 * time.Second)
		if _, err := r.USSD(t.Context(), 1, "*111#"); err != nil {
			t.Fatal(err)
		}
		// A reply that is none leaves the session as it is.
		sim.answersWith(func() (modem.USSD, error) { return modem.USSD{}, modem.ErrUSSDCode })
		if _, err := r.USSD(t.Context(), 1, "漢"); !errors.Is(err, modem.ErrUSSDCode) {
			t.Errorf("reply: %v", err)
		}
		sim.answers("1 credit: 8\n2 more", 1)
		time.Sleep(5*time.Minute + 30*time.Second)
		synctest.Wait()
		// The menu that the check was answered with is left at once.
		sim.wasAsked("30s *111#", "30s 漢", "6m0s *100#", "6m0s cancel")
		if got := r.Balances()[0].Amount; got != 8 {
			t.Errorf("balance %v", got)
		}
	})
}

func TestBalanceAfterAClosedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answers("1 credit: 8\n2 more", 1)
		r := start(t, daily(), sim)
		if _, err := r.USSD(t.Context(), 1, "*111#"); err != nil {
			t.Fatal(err)
		}
		if err := r.CancelUSSD(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		sim.answers("credit: 8", 0)
		time.Sleep(time.Minute)
		sim.wasAsked("0s *111#", "0s cancel", "1m0s *100#")
	})
}

// Nobody can answer a check's menu before it was left.
func TestBalanceIsNotBrokenInto(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.talk.takes = 10 * time.Second
		sim.answers("credit: 8", 0)
		r := start(t, daily(), sim)
		time.Sleep(time.Minute + 5*time.Second)
		if _, err := r.USSD(t.Context(), 1, "*111#"); !errors.Is(err, modem.ErrUSSDBusy) {
			t.Errorf("USSD during a check: %v", err)
		}
		time.Sleep(10 * time.Second)
		if _, err := r.USSD(t.Context(), 1, "*111#"); err != nil {
			t.Errorf("USSD after a check: %v", err)
		}
	})
}

// A balance is the card's: it does not stay when another one is put in.
func TestBalanceIsTheCards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answers("credit: 2", 0)
		r := start(t, daily(), sim)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := r.Modems()[0].Balance; !got.Low {
			t.Fatalf("%+v", got)
		}
		sim.mu.Lock()
		sim.status.IMSI = "262019999999999"
		sim.mu.Unlock()
		if got := r.Modems()[0].Balance; got != (modem.Balance{}) {
			t.Errorf("another card's balance is %+v", got)
		}
		if got := r.Balances()[0]; got != (scheduler.Credit{SIM: 1}) {
			t.Errorf("another card's balance is %+v", got)
		}
	})
}

// Stopping ends a check, and is not a problem of the balance.
func TestBalanceStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, daily(), sim)
		time.Sleep(time.Minute + time.Second)
		sim.wasAsked("1m0s *100#")
		before := time.Now()
		r.halt()
		if took := time.Since(before); took != 0 {
			t.Errorf("stopping took %s", took)
		}
		if got := r.Balances()[0].Problem; got != "" {
			t.Errorf("problem %q", got)
		}
	})
}

func TestBalanceDefaultEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answers("9", 0)
		start(t, scheduler.Options{Balance: map[int]scheduler.Balance{1: {Code: "*1#", Match: regexp.MustCompile(`(\d+)`)}}}, sim)
		time.Sleep(48 * time.Hour)
		sim.wasAsked("1m0s *1#", "24h1m0s *1#")
	})
}

func TestBalanceNeedsOneGroup(t *testing.T) {
	for _, match := range []*regexp.Regexp{nil, regexp.MustCompile(`\d+`), regexp.MustCompile(`(\d+)(\d+)`)} {
		opts := scheduler.Options{Balance: map[int]scheduler.Balance{7: {Code: "*100#", Match: match}}}
		s, err := scheduler.Open(filepath.Join(t.TempDir(), "dongled.db"), opts)
		if err == nil {
			_ = s.Close()
		}
		if want := "balance of SIM 7: match must have exactly one group, around the amount"; fmt.Sprint(err) != want {
			t.Errorf("%v: %v", match, err)
		}
	}
}
