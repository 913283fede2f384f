package modem_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/pdu"
)

// The traps below are those of package at v0.4.0, each shown by a test of the library itself:
// what it does is said at the test, and the test shows that it does not happen to us.

// statusReport is "+CDS" PDU without SCA: TP-MR mr, TP-RA +31628870634, TP-ST 0.
func statusReport(mr int) string {
	return fmt.Sprintf("0006%02X0B911326880736F4111011719551401110117195714000", mr)
}

func cds(mr int) string { return "\r\n+CDS: 25\r\n" + statusReport(mr) + "\r\n" }

// A command whose time ran out leaves the library out of step: the late "+CMGS: 1, OK" of one
// message was taken for the next one's, whose PDU was never sent.
func TestTrapLateReferenceIsNotTheNextMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		normal := p.sent
		p.sent = func(n int) string {
			if n > 0 {
				return normal(n)
			}
			return silence
		}
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		_, err := w.Submit(t.Context(), segment(t, "one"), false, nil)
		if e := submitError(t, err); e.Fault.Action != modem.Ambiguous || !e.Submitted {
			t.Fatalf("after silence: %+v", e)
		}
		ready(t, w)
		p.urc(ok("+CMGS: 1")) // 181 s after the PDU, to whoever listens now
		mr, err := w.Submit(t.Context(), segment(t, "two"), false, nil)
		if err != nil || mr != 251 {
			t.Fatalf("second message: %d, %v; want 251", mr, err)
		}
		want := []string{segment(t, "one").Hex(), segment(t, "two").Hex()}
		if got := p.bodies(); !slices.Equal(got, want) {
			t.Fatalf("the modem got %q, want each once: %q", got, want)
		}
	})
}

// The same over the seam of two sessions: the modem keeps its late answer for whoever opens it
// next. It comes before the prompt, and so belongs to an older message.
func TestTrapReferenceBeforeThePromptIsNotOurs(t *testing.T) {
	for name, early := range map[string]string{
		"reference and OK": ok("+CMGS: 9"), "OK": ok(), "reference, then a prompt": "\r\n+CMGS: 9\r\n\r\n> ",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.prompt = func(n int) string {
					if n == 0 {
						return early
					}
					return "\r\n> "
				}
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				mr, err := w.Submit(t.Context(), segment(t, "one"), false, nil)
				if strings.Contains(early, ">") {
					if err != nil || mr != 250 {
						t.Fatalf("Submit = %d, %v; want the reference that came after the PDU, 250", mr, err)
					}
					return
				}
				if e := submitError(t, err); e.Submitted || e.Fault.Action != modem.ModemFault {
					t.Fatalf("Submit = %d, %+v; want a modem fault, nothing submitted", mr, e)
				}
				time.Sleep(5 * time.Second)
				ready(t, w)
				if p.sessions != 2 {
					t.Fatalf("%d sessions, want a new one after answers out of step", p.sessions)
				}
			})
		})
	}
}

// After a time-out the library gave AT+CPIN? the answer to AT+COPS=?, and so on, one off.
func TestTrapTimeoutEndsTheSession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		p.answer("+CREG?", silence)
		time.Sleep(16 * time.Second) // the keep-alive asks
		synctest.Wait()
		if st := w.Status(); !st.Ready() {
			t.Fatalf("before the deadline: %+v", st)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		st := w.Status()
		if st.State != modem.StateLost || st.Problem != modem.ProblemNoAnswer || st.Hint == "" {
			t.Fatalf("after the deadline: %s, %s", st.State, st.Problem)
		}
		p.answer("+CREG?", ok("+CREG: 1,5"))
		ready(t, w)
		if st := w.Status(); st.Registration != 5 || p.sessions < 2 {
			t.Fatalf("registration %d after %d sessions", st.Registration, p.sessions)
		}
	})
}

// URCs between any two lines of the dialogue. The library lets the first line of each handled
// URC through into the answer, takes whatever follows "+CDS: 25" for its PDU (a blank line,
// another URC, the OK), and ends a command by a line of a USSD text that reads OK.
func TestTrapURCsBetweenAnyTwoLines(t *testing.T) {
	urcs := map[string]string{
		"signal":                         "\r\n^RSSI: 18\r\n",
		"stored message":                 "\r\n+CMTI: \"SM\",3\r\n",
		"report":                         cds(7),
		"report, blank line":             "\r\n+CDS: 25\r\n\r\n\r\n" + statusReport(7) + "\r\n",
		"report, URC between":            "\r\n+CDS: 25\r\n\r\n^RSSI: 3\r\n" + statusReport(7) + "\r\n",
		"report, ZTE":                    "\r\n+CDS: ,25\r\n" + statusReport(7) + "\r\n",
		"report without its PDU":         "\r\n+CDS: 25\r\n",
		"message":                        "\r\n+CMT: ,23\r\n00040B911326880736F400001110117195514003D4F29C0E\r\n",
		"USSD with OK in its text":       "\r\n+CUSD: 0,\"Menu\r\nOK\r\n+CMGS: 3\r\nERROR in bill\",15\r\n",
		"registration":                   "\r\n+CREG: 5\r\n",
		"registration with cell":         "\r\n+CREG: 1,\"00C3\",\"12AB\",2\r\n",
		"call":                           "\r\nRING\r\n\r\nNO CARRIER\r\n",
		"noise":                          "\x00\xff\xfe\r\n",
		"text beginning with a prompt":   "\r\n+CMT\r\n>quoted\r\n",
		"answer to something else":       "\r\n+CSQ: 5,99\r\n",
		"blank lines":                    "\r\n\r\r\n\n",
		"storm":                          strings.Repeat("\r\n^DSFLOWRPT:0000,0000\r\n", 500),
		"long line":                      "\r\n" + strings.Repeat("x", 100<<10) + "\r\n",
		"CUSD whose end is lost, closed": "\r\n+CUSD: 0,\"half\r\n\"\r\n",
	}
	gaps := []string{"before the prompt", "after the prompt", "before the reference", "before OK", "after OK"}
	for name, text := range urcs {
		for at, gap := range gaps {
			t.Run(name+" "+gap, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					p := newPeer()
					in := func(i int) string {
						if i == at {
							return text
						}
						return ""
					}
					p.prompt = func(int) string { return in(0) + "\r\n> " }
					p.sent = func(n int) string {
						return in(1) + in(2) + "\r\n+CMGS: " + itoa(n) + "\r\n" + in(3) + "\r\nOK\r\n" + in(4)
					}
					s := &sink{}
					w := start(t, modem.Config{Open: p.open, Sink: s})
					ready(t, w)
					for i := range 3 {
						mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
						if err != nil || int(mr) != i {
							t.Fatalf("message %d: %d, %v", i, mr, err)
						}
					}
					synctest.Wait()
					if strings.Contains(text, statusReport(7)) {
						if got := s.references(); !slices.Equal(got, []int{7, 7, 7}) {
							t.Fatalf("reports %v, want 7 three times", got)
						}
					} else if len(s.references()) != 0 {
						t.Fatalf("reports %v out of nothing", s.references())
					}
					if p.sessions != 1 || p.count("AT+CMGS") != 3 || len(p.bodies()) != 3 {
						t.Fatalf("%d sessions, dialogue %q", p.sessions, p.heard())
					}
				})
			})
		}
	}
}

// The library waits for ever for the final result if it is a maker's own.
func TestTrapVendorFinals(t *testing.T) {
	for _, final := range []string{"COMMAND NOT SUPPORT", "NOT SUPPORT", "TOO MANY PARAMETERS", "ABORTED", "NO CARRIER", "+CME ERROR"} {
		t.Run(final, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.answer("+CNUM", "\r\n"+final+"\r\n")
				begun := time.Now()
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				if took := time.Since(begun); took > 200*time.Millisecond {
					t.Fatalf("ready after %v: the final result was not seen", took)
				}
			})
		})
	}
	t.Run("OK with a space", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("+CMGF=0", "\r\nOK \r\n")
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
		})
	})
	// A call that ends is no answer to the message.
	t.Run("NO CARRIER after the PDU", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.sent = func(int) string { return "\r\nNO CARRIER\r\n" + ok("+CMGS: 4") }
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 4 {
				t.Fatalf("Submit = %d, %v", mr, err)
			}
		})
	})
}

// The library does not see a prompt after an echo that ends in a lone CR, and answers every
// further prompt with the PDU again.
func TestTrapPrompts(t *testing.T) {
	for name, prompt := range map[string]string{
		"usual":               "\r\n> ",
		"no space":            "\r\n>",
		"bare":                "> ",
		"with line end":       "\r\n>\r\n",
		"after URC":           "\r\n^RSSI: 7\r\n\r\n> ",
		"after echo":          "AT+CMGS=22\r\r\n> ",
		"echo with lone CR":   "AT+CMGS=22\r> ",
		"twice":               "\r\n> \r\n> ",
		"after noise":         "\x00\xff\r\n\x80> ",
		"twice without space": ">>",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.prompt = func(int) string { return prompt }
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				for i := range 2 {
					mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
					if err != nil || int(mr) != (250+i)%256 {
						t.Fatalf("Submit %d = %d, %v", i, mr, err)
					}
				}
				if got := len(p.bodies()); got != 2 {
					t.Fatalf("%d PDUs for 2 messages", got)
				}
			})
		})
	}
}

// A prompt octet by octet, and late.
func TestTrapLatePrompt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.prompt = func(int) string {
			for _, c := range "\r\n" {
				time.Sleep(4 * time.Second)
				p.urc(string(c))
			}
			p.urc(">")
			return " >" // a space, late; and a prompt that is too much
		}
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 250 {
			t.Fatalf("Submit = %d, %v", mr, err)
		}
	})
}

// A modem that does not heed ATE0 echoes commands and even PDUs, and one set to CR-only lines
// never ends a line as the library sees it.
func TestTrapEchoAndCROnly(t *testing.T) {
	t.Run("echo", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			for cmd, text := range p.answers {
				if text != silence {
					p.answers[cmd] = "AT" + cmd + "\r" + text
				}
			}
			p.prompt = func(int) string { return "AT+CMGS=22\r\r\n> " }
			seg := segment(t, "long enough to pass for the PDU of a report")
			// The echo comes between the header of a report and its PDU.
			p.sent = func(int) string {
				return "\r\n+CDS: 25\r\n" + seg.Hex() + "\x1a\r\n" + statusReport(8) + "\r\n" + ok("+CMGS: 3")
			}
			s := &sink{}
			w := start(t, modem.Config{Open: p.open, Sink: s})
			ready(t, w)
			if mr, err := w.Submit(t.Context(), seg, false, nil); err != nil || mr != 3 {
				t.Fatalf("Submit = %d, %v", mr, err)
			}
			if st := w.Status(); st.Manufacturer != "huawei" || st.IMEI != "861234567890123" {
				t.Fatalf("identity from echoes: %+v", st)
			}
			synctest.Wait()
			if got := s.references(); !slices.Equal(got, []int{8}) {
				t.Fatalf("reports %v: our own PDU was taken for one", got)
			}
		})
	})
	t.Run("CR only", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			for cmd, text := range p.answers {
				p.answers[cmd] = strings.ReplaceAll(text, "\n", "")
			}
			p.prompt = func(int) string { return "\r> " }
			p.sent = func(int) string { return "\r+CMGS: 3\r\rOK\r" }
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 3 {
				t.Fatalf("Submit = %d, %v", mr, err)
			}
		})
	})
}

// The library runs each handler in a goroutine of its own: order is lost, and slow handlers pile
// up without bound.
func TestTrapReportsKeepTheirOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 3000 // more than the queue holds
		p := newPeer()
		s := &sink{store: func(pdu.Report) error { time.Sleep(time.Millisecond); return nil }}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		go func() {
			for i := range n {
				p.urc(cds(i % 256))
			}
		}()
		time.Sleep(10 * time.Second)
		got := s.references()
		if len(got) != n {
			t.Fatalf("%d reports of %d", len(got), n)
		}
		for i, mr := range got {
			if mr != i%256 {
				t.Fatalf("report %d has reference %d", i, mr)
			}
		}
		if s.origins[0] != peerOrigin(1) {
			t.Fatalf("origin %+v", s.origins[0])
		}
	})
}

func submitError(t *testing.T, err error) *modem.SubmitError {
	t.Helper()
	var e *modem.SubmitError
	if !errors.As(err, &e) {
		t.Fatalf("error is %v, want a *SubmitError", err)
	}
	return e
}
