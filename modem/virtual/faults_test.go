package virtual_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem/virtual"
)

// script parses a fault script written as its users write it.
func script(t *testing.T, yaml string) []virtual.Fault {
	t.Helper()
	faults, err := virtual.ParseFaults([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

// TestSubmitFaults: each fault stands on the first of two messages; the second goes well, so what
// reference it gets tells what the first one used.
func TestSubmitFaults(t *testing.T) {
	second := "\r\n+CMGS: 251\r\n" + ok + report("FB", "00")
	for name, c := range map[string]struct {
		script, first string
		taken         int // submissions in the end
	}{
		"CMS":                        {"- do: cms 38", cms + "38" + end, 1},
		"CMS, but taken":             {"- {do: cms 500, network: takes}", cms + "500" + end + report("FA", "00"), 2},
		"CME":                        {"- do: cme 14", cme + "14" + end, 1},
		"ERROR":                      {"- do: error", errorLine, 1},
		"a vendor's error":           {"- {do: answer, lines: [COMMAND NOT SUPPORT]}", "\r\nCOMMAND NOT SUPPORT\r\n", 1},
		"silence after taking it":    {"- do: silence", report("FA", "00"), 2},
		"silence and not taken":      {"- {do: silence, network: misses}", "", 1},
		"OK, but lost":               {"- {do: garbage, lines: [''], network: misses}", "\r\n+CMGS: 250\r\n" + ok, 1},
		"no reference":               {"- do: no-reference", ok + report("FA", "00"), 2},
		"garbage":                    {"- {do: garbage, lines: [\"\\x00\\xff~\"]}", "\x00\xc3\xbf~\r\n+CMGS: 250\r\n" + ok + report("FA", "00"), 2},
		"storm before the answer":    {"- {do: urc-storm, on: submit, lines: ['^RSSI: 1', RING]}", "\r\n^RSSI: 1\r\n\r\nRING\r\n\r\n+CMGS: 250\r\n" + ok + report("FA", "00"), 2},
		"report before the answer":   {"- do: report-before", report("FA", "00") + "\r\n+CMGS: 250\r\n" + ok, 2},
		"no report, ever":            {"- do: report-never", "\r\n+CMGS: 250\r\n" + ok, 2},
		"report twice":               {"- do: report-twice", "\r\n+CMGS: 250\r\n" + ok + report("FA", "00") + report("FA", "00"), 2},
		"another status":             {"- do: report-status 0x46", "\r\n+CMGS: 250\r\n" + ok + report("FA", "46"), 2},
		"still trying, then done":    {"- do: report-status 48", "\r\n+CMGS: 250\r\n" + ok + report("FA", "30") + report("FA", "00"), 2},
		"only to another number":     {"- {do: cms 38, to: '+999777'}", "\r\n+CMGS: 250\r\n" + ok + report("FA", "00"), 2},
		"to this number, nationally": {"- {do: cms 38, to: '0123456'}", cms + "38" + end, 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, virtual.Options{Faults: script(t, c.script)}, func(e *te) {
				e.withReports()
				if got := e.submit(); got != c.first {
					t.Errorf("heard %q\nwant  %q", got, c.first)
				}
				if got := e.submit(); got != second {
					t.Errorf("then  %q\nwant  %q", got, second)
				}
				if n := len(e.d.Submissions()); n != c.taken {
					t.Errorf("the network took %d, want %d", n, c.taken)
				}
			})
		})
	}
}

func TestPromptFaults(t *testing.T) {
	for name, c := range map[string]struct {
		script, want string
		dataFollows  bool
	}{
		"none":             {"- do: no-prompt", "", true},
		"bare":             {"- {do: answer, on: prompt, lines: ['>']}", ">", true},
		"CMS instead":      {"- {do: cms 302, on: prompt}", cms + "302" + end, false},
		"CME instead":      {"- {do: cme 14, on: prompt}", cme + "14" + end, false},
		"ERROR instead":    {"- {do: error, on: prompt}", errorLine, false},
		"at the command":   {"- {do: error, on: +cmgs}", errorLine, false},
		"a storm before":   {"- {do: urc-storm, on: prompt, lines: [RING]}", "\r\nRING\r\n" + prompt, true},
		"garbage before":   {"- {do: garbage, on: prompt, lines: ['~~']}", "~~" + prompt, true},
		"a line before":    {"- {do: urc-storm, lines: ['^MODE: 5']}", "\r\n^MODE: 5\r\n" + prompt, true},
		"silence for ever": {"- {do: silence, on: CMGS}", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, virtual.Options{}, func(e *te) {
				e.dialogue("AT+CMEE=1\r", ok)
				e.d.AddFaults(script(t, c.script)...)
				e.dialogue("AT+CMGS=19\r", c.want)
				if c.dataFollows {
					e.dialogue(hello+ctrlZ, sentFirst)
				} else {
					e.dialogue("AT\r", ok)
				}
			})
		})
	}
}

func TestLatePrompt(t *testing.T) {
	bubble(t, virtual.Options{Faults: script(t, "- do: late-prompt 12s")}, func(e *te) {
		e.say("AT+CMGS=19\r")
		time.Sleep(12*time.Second - 1)
		e.expect("")
		e.say("\x1b") // too late to be anything but the end of the entry
		time.Sleep(time.Nanosecond)
		e.expect(prompt + ok)
		e.dialogue("AT\r", ok)
	})
}

func TestLateAnswer(t *testing.T) {
	// The trap: a TE that gave up hears the late answer in place of the next command's.
	bubble(t, virtual.Options{Faults: script(t, "- do: late-answer 200s")}, func(e *te) {
		e.say("AT+CMGS=19\r")
		e.expect(prompt)
		e.say(hello + ctrlZ)
		time.Sleep(180 * time.Second)
		e.expect("")
		if len(e.d.Submissions()) != 1 {
			t.Error("the network takes it when it gets it")
		}
		e.say("AT+CSQ\r")
		time.Sleep(20*time.Second - 1)
		e.expect("")
		time.Sleep(time.Nanosecond)
		e.expect(sentFirst + "\r\n+CSQ: 20,99\r\n" + ok)
	})
}

func TestCommandFaults(t *testing.T) {
	faults := script(t, `
- {on: CSQ, do: cme 13, nth: 2}
- {on: "+cnmi", args: "2,1,0,1,0", do: cms 303}
- {on: "&F", do: late-answer 3s}
- {on: E, do: answer, lines: ["BUSY"], every: 1, count: 1, nth: 2}
- {on: "^CURC", do: answer, lines: [OK]}
- {on: CREG, do: garbage, lines: ["~"]}
`)
	bubble(t, virtual.Options{Faults: faults}, func(e *te) {
		e.dialogue("AT+CMEE=1;+CSQ\r", "\r\n+CSQ: 20,99\r\n"+ok)
		e.dialogue("AT+CSQ\r", cme+"13"+end)
		e.dialogue("AT+CSQ\r", "\r\n+CSQ: 20,99\r\n"+ok)
		e.dialogue("AT+CNMI=2,1,0,2,0\r", ok)
		e.dialogue("AT+CNMI=2,1,0,1,0\r", cms+"303"+end)
		e.dialogue("AT+CNMI=2,1,0,1,0\r", ok)
		e.dialogue("AT^CURC=0\r", ok)
		e.dialogue("AT^CURC=0\r", errorLine)
		e.dialogue("ATE0\r", "\r\nBUSY\r\n") // bubble's was the first
		e.dialogue("ATE0\r", ok)
		e.dialogue("AT+CREG?\r", "~\r\n+CREG: 0,1\r\n"+ok)
		e.say("AT&F\r")
		time.Sleep(3*time.Second - 1)
		e.expect("")
		time.Sleep(time.Nanosecond)
		e.expect(ok)
	})
}

func TestDefaultNoise(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.d.AddFaults(script(t, "- {do: urc-storm, on: CSQ}\n- {do: garbage, on: CREG}")...)
		e.say("AT+CSQ\r")
		storm := e.heard()
		if !strings.HasSuffix(storm, "\r\n+CSQ: 20,99\r\n"+ok) || strings.Count(storm, "\r\n^") < 4 {
			t.Errorf("the storm was %q", storm)
		}
		e.say("AT+CREG?\r")
		garbage, found := strings.CutSuffix(e.heard(), "\r\n+CREG: 0,1\r\n"+ok)
		if !found || !strings.ContainsRune(garbage, 0) {
			t.Errorf("the garbage was %q", garbage)
		}
	})
}

func TestClearFaults(t *testing.T) {
	bubble(t, virtual.Options{Faults: script(t, "[{do: error, on: CSQ, every: 1}]")}, func(e *te) {
		e.dialogue("AT+CSQ\r", "\r\nERROR\r\n")
		e.d.ClearFaults()
		e.dialogue("AT+CSQ\r", "\r\n+CSQ: 20,99\r\n"+ok)
		e.d.AddFaults(script(t, "[{do: cme 3, on: CSQ}]")...)
		e.dialogue("AT+CSQ\r", "\r\nERROR\r\n")
	})
}

// TestBetweenLines: a URC may stand before every line and prompt, never within one.
func TestBetweenLines(t *testing.T) {
	const u = "\r\nRING\r\n"
	bubble(t, virtual.Options{}, func(e *te) {
		e.d.AddFaults(virtual.Fault{Do: virtual.URCStorm, Every: 1, Lines: []string{"RING"}})
		e.dialogue("AT+CSQ;+CREG?\r", u+"\r\n+CSQ: 20,99\r\n"+u+"\r\n+CREG: 0,1\r\n"+u+ok)
		e.dialogue("AT+CMGS=19\r", u+prompt)
		e.dialogue(hello+ctrlZ, u+"\r\n+CMGS: 250\r\n"+u+ok)
	})
}

func TestReportTiming(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		// what is heard right after two messages, and what each later minute brings
		minutes []string
	}{
		"late":      {"- do: report-late 2m", []string{"FB00", "", "FA00"}},
		"twice":     {"- do: report-twice 1m", []string{"FA00 FB00", "FA00"}},
		"reordered": {"- do: report-reorder", []string{"FB00 FA00", ""}},
		"trying":    {"- do: report-status 0x20 \n  delay: 1m", []string{"FA20 FB00", "FA00"}},
		"all never": {"- {do: report-never, every: 1}", []string{"", "", ""}},
		"second":    {"- {do: report-status 0x45, nth: 2}", []string{"FA00 FB45"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, virtual.Options{Faults: script(t, c.script)}, func(e *te) {
				e.withReports()
				heard := e.submit() + e.submit()
				for i, want := range c.minutes {
					if i > 0 {
						time.Sleep(time.Minute)
						heard = e.heard()
					}
					if got := reportsIn(heard); got != want {
						t.Errorf("minute %d: reports %q, want %q", i, got, want)
					}
				}
			})
		})
	}
}

// reportsIn lists TP-MR and TP-ST of the +CDS in a stretch of what was heard.
func reportsIn(heard string) string {
	var found []string
	for _, l := range strings.Split(heard, "\r\n") {
		if pdu, is := strings.CutPrefix(l, smscHex+"06"); is {
			found = append(found, pdu[:2]+pdu[len(pdu)-2:])
		}
	}
	return strings.Join(found, " ")
}

func TestUnplugFaults(t *testing.T) {
	for name, c := range map[string]struct {
		script      string
		beforePDU   bool
		submissions int
	}{
		"after taking the PDU":   {"- {do: unplug, return: 30s}", false, 1},
		"before the PDU arrived": {"- {do: unplug, network: misses, return: 30s}", false, 0},
		"before the prompt":      {"- {do: unplug, on: prompt, return: 30s}", true, 0},
		"at the command":         {"- {do: unplug, on: CMGS, return: 30s}", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, virtual.Options{Faults: script(t, c.script)}, func(e *te) {
				e.withReports()
				e.say("AT+CMGS=19\r")
				if !c.beforePDU {
					e.expect(prompt)
					e.say(helloReport + ctrlZ)
				}
				e.expect("")
				if err := e.hungUp(); !errors.Is(err, virtual.ErrUnplugged) {
					t.Fatalf("reading ended with %v", err)
				}
				if _, err := e.port.Write([]byte("AT\r")); !errors.Is(err, virtual.ErrUnplugged) {
					t.Errorf("writing gave %v", err)
				}
				time.Sleep(30*time.Second - 1)
				if _, err := e.d.Open(context.Background()); !errors.Is(err, virtual.ErrUnplugged) {
					t.Fatalf("back too early: %v", err)
				}
				time.Sleep(time.Nanosecond)
				synctest.Wait()
				back := plugTE(t, e.d)
				reports := strings.Repeat(report("FA", "00"), c.submissions)
				back.dialogue("ATE0\r", "ATE0\r"+ok)
				back.dialogue("AT+CNMI=2,1,0,1,0\r", reports+ok)
				if n := len(e.d.Submissions()); n != c.submissions {
					t.Errorf("the network took %d, want %d", n, c.submissions)
				}
			})
		})
	}
}

func TestUnplugForGood(t *testing.T) {
	bubble(t, virtual.Options{Faults: script(t, "- {do: unplug, on: CSQ, delay: 2s}")}, func(e *te) {
		e.say("AT+CSQ\r")
		time.Sleep(2*time.Second - 1)
		if err := e.hungUp(); err != nil {
			t.Fatalf("too early: %v", err)
		}
		time.Sleep(time.Hour)
		if _, err := e.d.Open(context.Background()); !errors.Is(err, virtual.ErrUnplugged) {
			t.Fatalf("Open: %v", err)
		}
		e.d.Plug()
		plugTE(t, e.d).dialogue("ATE0\r", "ATE0\r"+ok)
	})
}

// TestHangUpWhileWaiting: a message whose answer is still due when the port is closed was taken.
func TestHangUpWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(virtual.Options{SubmitDelay: time.Minute})
		e := plugTE(t, d)
		e.dialogue("ATE0+CNMI=2,1,0,1,0\r", "ATE0+CNMI=2,1,0,1,0\r"+ok)
		e.dialogue("AT+CMGS=19\r", prompt)
		e.say(helloReport + ctrlZ)
		synctest.Wait()
		start := time.Now()
		_ = e.port.Close()
		<-e.done
		synctest.Wait()
		if elapsed(start) != 0 || len(d.Submissions()) != 1 {
			t.Errorf("%d submissions after %v", len(d.Submissions()), elapsed(start))
		}
		// The report waited in the stick for the port to open; +CMGS was lost with the port.
		e = plugTE(t, d)
		e.expect(report("FA", "00"))
		_ = d.Close()
	})
}

func TestParseFaults(t *testing.T) {
	got := script(t, `
- {on: submit, do: late-answer 135s, nth: 3, network: takes}
- do: report-status 0x30
  delay: 1m30s
- do: unplug
  return: 5s
`)
	want := []virtual.Fault{
		{On: "submit", Do: virtual.LateAnswer, Delay: 135 * time.Second, Nth: 3, Network: virtual.Takes},
		{Do: virtual.ReportStatus, Code: 48, Delay: 90 * time.Second},
		{Do: virtual.Unplug, Return: 5 * time.Second},
	}
	if len(got) != len(want) {
		t.Fatalf("%d faults", len(got))
	}
	for i := range want {
		g, w := got[i], want[i]
		if g.On != w.On || g.Do != w.Do || g.Delay != w.Delay || g.Nth != w.Nth || g.Network != w.Network ||
			g.Code != w.Code || g.Return != w.Return {
			t.Errorf("fault %d is %+v, want %+v", i+1, g, w)
		}
	}
	for _, empty := range []string{"", "[]", "# nothing\n"} {
		if got := script(t, empty); len(got) != 0 {
			t.Errorf("%q holds %v", empty, got)
		}
	}
	if got := script(t, `[{"do":"cms","code":38}]`); len(got) != 1 || got[0].Code != 38 {
		t.Errorf("JSON gave %+v", got)
	}
}

func TestParseFaultsRefuses(t *testing.T) {
	for bad, mention := range map[string]string{
		"- do: explode":                        "explode",
		"- {do: error}\n- {}":                  "fault 2",
		"- {do: cms 38, when: now}":            "when",
		"- do: cms many":                       "many",
		"- do: cms 1000":                       "1000",
		"- {do: cms 38, on: report}":           "report",
		"- {do: report-never, on: submit}":     "submit",
		"- {do: report-late}":                  "delay",
		"- {do: late-answer -3s}":              "delay",
		"- {do: error, code: 3}":               "code",
		"- {do: report-status 256}":            "TP-ST",
		"- {do: answer}":                       "lines",
		"- {do: error, nth: -1}":               "nth",
		"- {do: error, return: 3s}":            "return",
		"- {do: error, network: maybe}":        "maybe",
		"- {do: report-never, network: takes}": "network",
		"- {do: error, args: '1'}":             "args",
		"- {do: error, on: CSQ, to: '+999'}":   "to:",
		"do: error":                            "fault script",
	} {
		faults, err := virtual.ParseFaults([]byte(bad))
		if err == nil {
			t.Errorf("%q gave %+v", bad, faults)
		} else if !strings.Contains(err.Error(), mention) {
			t.Errorf("%q: %v does not mention %q", bad, err, mention)
		}
	}
}

func TestNewRefusesInvalidFaults(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New took a fault that does nothing")
		}
	}()
	virtual.New(virtual.Options{Faults: []virtual.Fault{{On: "CSQ"}}})
}
