package scheduler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"dongled/modem"
)

// Balance is how a SIM's credit is asked for.
type Balance struct {
	// Code is the USSD code that the network answers with the balance, such as "*100#".
	Code string
	// Match finds the amount in the answer: its one group is the number.
	Match *regexp.Regexp
	// Every is the time between two checks; 0 means DefaultBalanceEvery.
	Every time.Duration
	// Below this amount the SIM has the warning low-balance.
	Below float64
}

// DefaultBalanceEvery is how often a balance is asked for.
const DefaultBalanceEvery = 24 * time.Hour

const (
	// balanceSoon is the pause before the first check, and after one that could not be made because
	// the SIM was not ready or in another dialogue.
	balanceSoon = time.Minute
	// balanceRetry is the pause after the first answer that was none; it doubles up to Every, for
	// some networks charge or block who asks too often.
	balanceRetry = 10 * time.Minute
	// balancePatience bounds a check, so that it does not wait for a part which the network takes
	// minutes to answer.
	balancePatience = 90 * time.Second
)

// Credit is what is known of a SIM's balance.
type Credit struct {
	SIM int
	// Balance is the last that was told; its At is zero if none was.
	modem.Balance
	// Problem says why the latest check had no result; empty if it had.
	Problem string
}

// credit is Credit and the card it is about.
type credit struct {
	balance modem.Balance
	imsi    string
	problem string
}

// Balances are the balances of the SIMs for which a check is configured, by simNumber.
func (s *Scheduler) Balances() []Credit {
	var out []Credit
	for _, number := range slices.Sorted(maps.Keys(s.opts.Balance)) {
		known := Credit{SIM: number}
		if c, err := s.talker(number); err == nil {
			known.Balance, known.Problem = c.creditOf(c.Sender.Status().IMSI)
		}
		out = append(out, known)
	}
	return out
}

// creditOf is what is known of the credit of a card; another card's is none of its own.
func (c *sim) creditOf(imsi string) (b modem.Balance, problem string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.credit.imsi != imsi {
		return modem.Balance{}, ""
	}
	return c.credit.balance, c.credit.problem
}

func checkBalances(balances map[int]Balance) error {
	for number, b := range balances {
		if b.Match == nil || b.Match.NumSubexp() != 1 {
			return fmt.Errorf("balance of SIM %d: match must have exactly one group, around the amount", number)
		}
	}
	return nil
}

// watchBalance asks for the balance of one SIM until ctx ends.
func (s *Scheduler) watchBalance(ctx context.Context, number int, b Balance) {
	if b.Every <= 0 {
		b.Every = DefaultBalanceEvery
	}
	retry := balanceRetry
	next := time.NewTimer(balanceSoon)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		switch err := s.checkBalance(ctx, number, b); {
		case err == nil:
			retry = balanceRetry
			next.Reset(b.Every)
		case errors.Is(err, modem.ErrNotReady), errors.Is(err, modem.ErrUSSDBusy):
			next.Reset(min(balanceSoon, b.Every))
		default:
			next.Reset(min(retry, b.Every))
			retry = min(2*retry, b.Every)
		}
	}
}

// checkBalance asks once, and keeps the result or what was wrong.
func (s *Scheduler) checkBalance(ctx context.Context, number int, b Balance) error {
	c, err := s.talker(number)
	if err != nil {
		return err
	}
	st := c.Sender.Status()
	if !st.Ready() {
		return modem.ErrNotReady
	}
	if !c.dialogue.begin(false) {
		return modem.ErrUSSDBusy
	}
	defer c.dialogue.end()
	patient, cancel := context.WithTimeout(ctx, balancePatience)
	defer cancel()
	amount, err := c.askBalance(patient, b)
	if ctx.Err() == nil { // otherwise it only says that we are stopping
		s.keepBalance(c, st.IMSI, b, amount, err)
	}
	return err
}

// askBalance returns the amount in the network's answer. A menu that comes with it is left.
func (c *sim) askBalance(ctx context.Context, b Balance) (float64, error) {
	got, err := c.USSD(ctx, b.Code)
	if err != nil {
		return 0, err
	}
	if got.Open() {
		if err := c.CancelUSSD(ctx); err != nil {
			return 0, fmt.Errorf("end the USSD session: %w", err)
		}
	}
	found := b.Match.FindStringSubmatch(got.Text)
	if found == nil {
		return 0, errors.New("match does not fit the network's answer")
	}
	amount, ok := parseAmount(found[1])
	if !ok {
		return 0, errors.New("what match finds in the network's answer is no amount")
	}
	return amount, nil
}

// keepBalance keeps what came of a check. A balance that is known stays known when a check fails.
func (s *Scheduler) keepBalance(c *sim, imsi string, b Balance, amount float64, err error) {
	c.mu.Lock()
	if c.credit.imsi != imsi {
		c.credit = credit{imsi: imsi}
	}
	before := c.credit
	if err == nil {
		c.credit.balance = modem.Balance{Amount: amount, At: time.Now(), Low: amount < b.Below}
		c.credit.problem = ""
	} else {
		c.credit.problem = err.Error()
	}
	after := c.credit
	c.mu.Unlock()

	switch {
	case after.problem != "" && after.problem != before.problem:
		s.log.Warn("the balance was not told; check balance.code and balance.match", "sim", c.SIM(), "err", err)
	case after.balance.Low && !before.balance.Low:
		s.log.Warn("the balance is low: top the SIM up", "sim", c.SIM(), "balance", amount, "below", b.Below)
	}
}
