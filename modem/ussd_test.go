package modem_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
)

// ussdPeer is a dongle that takes any USSD request and answers it as told, after its OK.
func ussdPeer(answer string) *peer {
	p := newPeer()
	delete(p.answers, "+CGMI") // a dongle of no family
	p.answering = func(cmd string) (string, bool) {
		switch {
		case cmd == "+CUSD=2":
			return ok(), true
		case strings.HasPrefix(cmd, "+CUSD=1,"):
			return ok() + answer, true
		}
		return "", false
	}
	return p
}

// What is asked, how the answer may be written, and what comes of it.
func TestUSSD(t *testing.T) {
	tests := map[string]struct {
		answer string
		want   modem.USSD
	}{
		"plain":      {"\r\n+CUSD: 0,\"Saldo: 5\",15\r\n", modem.USSD{Text: "Saldo: 5"}},
		"packed":     {"\r\n+CUSD: 0,\"AA180C3602\",15\r\n", modem.USSD{Text: "*100#"}},
		"UCS-2":      {"\r\n+CUSD: 0,\"04110430\",72\r\n", modem.USSD{Text: "Ба"}},
		"menu":       {"\r\n+CUSD: 1,\"Menu\r\n1 OK\r\nOK\r\nERROR\r\nÄnderung\r\n> 2\",15\r\n^RSSI: 3\r\n", modem.USSD{Text: "Menu\n1 OK\nOK\nERROR\nÄnderung\n> 2", Status: 1}},
		"ended":      {"\r\n+CUSD: 2\r\n", modem.USSD{Status: 2}},
		"not known":  {"\r\n+CUSD: 4\r\n", modem.USSD{Status: 4}},
		"noise":      {"\r\n+CUSD: x\r\n\r\n^RSSI: 3\r\n\r\n+CUSD: 0,\"Saldo\",15\r\n", modem.USSD{Text: "Saldo"}},
		"twice":      {"\r\n+CUSD: 0,\"first\",15\r\n\r\n+CUSD: 0,\"second\",15\r\n", modem.USSD{Text: "first"}},
		"quote lost": {"\r\n+CUSD: 0,\"half" + strings.Repeat("\r\nx", 32) + "\r\n", modem.USSD{Text: "half" + strings.Repeat("\nx", 32)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := ussdPeer(test.answer)
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				got, err := w.USSD(t.Context(), "*100#")
				if err != nil || got != test.want {
					t.Errorf("USSD = %+v, %v; want %+v", got, err, test.want)
				}
				if got.Open() != (test.want.Status == 1) {
					t.Errorf("open: %t", got.Open())
				}
				if p.count(`AT+CUSD=1,"*100#",15`) != 1 {
					t.Errorf("dialogue %q", p.heard())
				}
			})
		})
	}
}

// The answer may come before the OK, as on dongles that hold that back.
func TestUSSDAnsweredBeforeOK(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := ussdPeer("")
		p.answering = func(cmd string) (string, bool) {
			return "\r\n+CUSD: 0,\"Saldo\",15\r\n" + ok(), strings.HasPrefix(cmd, "+CUSD=1")
		}
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		if got, err := w.USSD(t.Context(), "*100#"); err != nil || got.Text != "Saldo" {
			t.Errorf("USSD = %+v, %v", got, err)
		}
	})
}

// Both ways of writing the request: the profile says which is first, a refusal that it is the other.
func TestUSSDForms(t *testing.T) {
	const plain, packed = `AT+CUSD=1,"*100#",15`, `AT+CUSD=1,"AA180C3602",15`
	tests := map[string]struct {
		maker, takes string
		heard        []string
	}{
		"plain":               {"ACME", plain, []string{plain}},
		"packed, not known":   {"ACME", packed, []string{plain, packed}},
		"packed, known":       {"huawei", packed, []string{packed}},
		"plain, for a Huawei": {"huawei", plain, []string{packed, plain}},
		"neither":             {"ACME", "", []string{plain, packed}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.answer("+CGMI", ok(test.maker))
				p.answering = func(cmd string) (string, bool) {
					if "AT"+cmd == test.takes {
						return ok() + "\r\n+CUSD: 0,\"Saldo\",15\r\n", true
					}
					return "\r\n+CME ERROR: 30\r\n", strings.HasPrefix(cmd, "+CUSD=")
				}
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				before := len(p.heard())
				got, err := w.USSD(t.Context(), "*100#")
				var refusal *modem.USSDError
				switch {
				case test.takes != "" && (err != nil || got.Text != "Saldo"):
					t.Errorf("USSD = %+v, %v", got, err)
				case test.takes == "" && (!errors.As(err, &refusal) || refusal.Fault.Code != 30 || refusal.Fault.Family != "CME"):
					t.Errorf("USSD = %+v, %v; want a refusal with CME 30", got, err)
				}
				heard := slices.DeleteFunc(p.heard()[before:], func(s string) bool { return !strings.HasPrefix(s, "AT+CUSD") })
				if !slices.Equal(heard, test.heard) {
					t.Errorf("said %q, want %q", heard, test.heard)
				}
				if _, err := w.USSD(t.Context(), "*100#"); errors.Is(err, modem.ErrUSSDBusy) {
					t.Error("still busy after it ended")
				}
			})
		})
	}
}

// A code is checked before a command is made of it; a reply may be any text of GSM-7.
func TestUSSDCodes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := ussdPeer("\r\n+CUSD: 0,\"done\",15\r\n")
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		for _, bad := range []string{
			"", "hello", "*100# ", `*100#",15;+CFUN=0`, "*100#\r\nAT+CFUN=0", "٣", strings.Repeat("1", 183), "*100*\x1a#",
		} {
			if _, err := w.USSD(t.Context(), bad); !errors.Is(err, modem.ErrUSSDCode) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if n := p.count("AT+CUSD"); n != 0 {
			t.Errorf("%d requests made of no codes", n)
		}
		for _, good := range []string{"*100#", "1", "+491701234567", "##", strings.Repeat("1", 182)} {
			if got, err := w.USSD(t.Context(), good); err != nil || got.Text != "done" {
				t.Errorf("%q: %+v, %v", good, got, err)
			}
		}
	})
}

// A dialogue over several menus, with a reply that can only be sent packed.
func TestUSSDDialogue(t *testing.T) {
	for name, packed := range map[string]bool{"plain": false, "packed": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d := dongle(t, virtual.Options{
					Quirks: virtual.Quirks{PackedUSSD: packed, USSDMode: "^USSDMODE"},
					USSD: []virtual.USSD{{
						Code: "*100#", Text: "1 Balance\n2 Name", Delay: time.Second,
						Replies: []virtual.USSD{{Code: "1", Text: "Saldo: 5"}, {Code: "2", Text: "Which?", Replies: []virtual.USSD{{Text: "Thanks"}}}},
					}},
				})
				w := start(t, modem.Config{Open: d.Open})
				ready(t, w)
				for _, step := range []struct{ code, text string }{
					{"*100#", "1 Balance\n2 Name"}, {"1", "Saldo: 5"}, {"*100#", "1 Balance\n2 Name"}, {"2", "Which?"}, {"Anna B.", "Thanks"},
				} {
					got, err := w.USSD(t.Context(), step.code)
					if err != nil || got.Text != step.text || got.Open() != (step.text != "Saldo: 5" && step.text != "Thanks") {
						t.Errorf("%q: %+v, %v; want %q", step.code, got, err, step.text)
					}
				}
				if _, err := w.USSD(t.Context(), "Anna B."); !errors.Is(err, modem.ErrUSSDCode) {
					t.Errorf("a reply to nothing: %v", err)
				}
			})
		})
	}
}

// A reply with what means something in a command is packed.
func TestUSSDReplyIsPacked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := ussdPeer("\r\n+CUSD: 1,\"Who?\",15\r\n")
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		if _, err := w.USSD(t.Context(), "*1#"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.USSD(t.Context(), `"@`); err != nil {
			t.Fatal(err)
		}
		if p.count(`AT+CUSD=1,"2200",15`) != 1 {
			t.Errorf("dialogue %q", p.heard())
		}
		if _, err := w.USSD(t.Context(), "日本"); !errors.Is(err, modem.ErrUSSDCode) {
			t.Errorf("what GSM-7 lacks: %v", err)
		}
	})
}

// The network has a minute. Then the dialogue is ended, and what comes late is nobody's.
func TestUSSDTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := ussdPeer("")
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		begun := time.Now()
		_, err := w.USSD(t.Context(), "*100#")
		if took := time.Since(begun); !errors.Is(err, modem.ErrUSSDTimeout) || took != time.Minute {
			t.Fatalf("%v after %v", err, took)
		}
		synctest.Wait()
		if p.count("AT+CUSD=2") != 1 {
			t.Errorf("the dialogue is not ended: %q", p.heard())
		}
		p.urc("\r\n+CUSD: 0,\"late\",15\r\n")
		synctest.Wait()
		done := make(chan struct{})
		go func() {
			defer close(done)
			if got, err := w.USSD(t.Context(), "*200#"); err != nil || got.Text != "new" {
				t.Errorf("the next one: %+v, %v", got, err)
			}
		}()
		synctest.Wait()
		p.urc("\r\n+CUSD: 2\r\n") // confirms what was cancelled
		p.urc("\r\n+CUSD: 0,\"new\",15\r\n")
		<-done
	})
}

// Who asks gives up, or takes another's request back.
func TestUSSDCancel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := ussdPeer("")
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := w.USSD(ctx, "*100#"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("given up: %v", err)
		}
		synctest.Wait()
		if p.count("AT+CUSD=2") != 1 {
			t.Errorf("dialogue %q", p.heard())
		}
		failed := make(chan error)
		go func() { _, err := w.USSD(t.Context(), "*100#"); failed <- err }()
		synctest.Wait()
		if _, err := w.USSD(t.Context(), "*100#"); !errors.Is(err, modem.ErrUSSDBusy) {
			t.Errorf("a second one: %v", err)
		}
		if err := w.CancelUSSD(t.Context()); err != nil {
			t.Errorf("CancelUSSD: %v", err)
		}
		if err := <-failed; !errors.Is(err, modem.ErrUSSDCancelled) {
			t.Errorf("the cancelled one: %v", err)
		}
		p.mu.Lock()
		p.answering = nil // AT+CUSD=2 is refused where there is nothing to end
		p.mu.Unlock()
		if err := w.CancelUSSD(t.Context()); err != nil {
			t.Errorf("nothing to cancel: %v", err)
		}
	})
}

// A USSD waits for a submission in progress, and no submission for the answer to a USSD.
func TestUSSDAndSubmissions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := ussdPeer("")
		answer := p.sent
		p.sent = func(n int) string { time.Sleep(40 * time.Second); return answer(n) }
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		begun := time.Now()
		sent := make(chan time.Duration, 2)
		submit := func() {
			if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
				t.Errorf("Submit: %v", err)
			}
			sent <- time.Since(begun)
		}
		go submit()
		synctest.Wait()
		asked := make(chan error, 1)
		go func() { _, err := w.USSD(t.Context(), "*100#"); asked <- err }()
		time.Sleep(time.Second)
		if p.count("AT+CUSD") != 0 {
			t.Error("asked while a PDU waits for its answer")
		}
		if took := <-sent; took != 40*time.Second {
			t.Errorf("the first submission took %v", took)
		}
		go submit()
		if took := <-sent; took != 80*time.Second || p.count("AT+CUSD=1") != 1 {
			t.Errorf("the second submission was through after %v", took)
		}
		p.urc("\r\n+CUSD: 0,\"Saldo\",15\r\n")
		if err := <-asked; err != nil {
			t.Errorf("USSD: %v", err)
		}
	})
}

// Without a session or a network there is no USSD, and one that is under way ends with the session.
func TestUSSDNeedsASession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := ussdPeer("")
		w := start(t, modem.Config{Open: p.open})
		if _, err := w.USSD(t.Context(), "*100#"); !errors.Is(err, modem.ErrNotReady) {
			t.Errorf("before the session: %v", err)
		}
		if err := w.CancelUSSD(t.Context()); !errors.Is(err, modem.ErrNotReady) {
			t.Errorf("before the session: %v", err)
		}
		ready(t, w)
		failed := make(chan error)
		go func() { _, err := w.USSD(t.Context(), "*100#"); failed <- err }()
		synctest.Wait()
		p.hangUp(errors.New("unplugged"))
		if err := <-failed; !errors.Is(err, modem.ErrNotReady) {
			t.Errorf("when the session ended: %v", err)
		}
	})
}

// The network asks on its own: nobody waits for it, and it disturbs nothing.
func TestUSSDUnasked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := ussdPeer("\r\n+CUSD: 0,\"mine\",15\r\n")
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		p.urc("\r\n+CUSD: 1,\"Buy now?\",15\r\n")
		synctest.Wait()
		if got, err := w.USSD(t.Context(), "*100#"); err != nil || got.Text != "mine" {
			t.Errorf("USSD = %+v, %v", got, err)
		}
	})
}
