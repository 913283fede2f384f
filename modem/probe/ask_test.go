package probe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/probe"
	"dongled/modem/virtual"
)

// whole is what answers(nil) comes to.
var whole = probe.Answer{
	AT: true, Manufacturer: "huawei", Model: "E173", Revision: "11.126.16.04.284",
	IMEI: "490154203237518", IMSI: "262010123456789",
}

func with(change func(*probe.Answer)) probe.Answer {
	a := whole
	change(&a)
	return a
}

func TestAsk(t *testing.T) {
	for name, c := range map[string]struct {
		talker *talker
		want   probe.Answer
	}{
		"dongle": {&talker{answer: answers(nil)}, whole},
		"names before the values, quotes": {
			&talker{answer: answers(map[string]string{
				"AT+CGMI": `+CGMI: "huawei"`, "AT+CGMM": "+CGMM: E173", "AT+CGSN": `+CGSN: "490154203237518"`, "AT+CIMI": "+CIMI:262010123456789",
			})}, whole,
		},
		"IMEI among other things": {
			&talker{answer: answers(map[string]string{"AT+CGSN": "IMEI: 490154203237518,01"})}, whole,
		},
		"IMEISV": {
			&talker{answer: answers(map[string]string{"AT+CGSN": "4901542032375101"})},
			with(func(a *probe.Answer) { a.IMEI = "4901542032375101" }),
		},
		"terminal controls in a name": {
			&talker{answer: answers(map[string]string{"AT+CGMM": "E\x1b[2J173\x07"})},
			with(func(a *probe.Answer) { a.Model = "E[2J173" }),
		},
		"refuses to be named": {
			&talker{answer: answers(map[string]string{"AT+CGMI": "ERROR", "AT+CGMR": "+CME ERROR: 4"})},
			with(func(a *probe.Answer) { a.Manufacturer, a.Revision = "", "" }),
		},
		"data port that knows AT only": {
			&talker{answer: answers(map[string]string{
				"AT+CGMI": "ERROR", "AT+CGMM": "ERROR", "AT+CGMR": "ERROR", "AT+CGSN": "ERROR", "AT+CPIN?": "ERROR", "AT+CIMI": "ERROR",
			})},
			probe.Answer{AT: true, Problem: modem.ProblemSIMFailure, Detail: `no IMSI: AT+CPIN? says "", AT+CIMI "ERROR"`},
		},
		"PIN": {
			&talker{answer: answers(map[string]string{"AT+CPIN?": "+CPIN: SIM PIN", "AT+CIMI": "ERROR"})},
			with(func(a *probe.Answer) { a.IMSI, a.Problem, a.Detail = "", modem.ProblemPINNeeded, "SIM PIN" }),
		},
		"PIN, and no OK after that": {
			&talker{answer: func(line string) []said {
				if line == "AT+CPIN?" {
					return []said{{0, "\r\n+CPIN: SIM PIN\r\n"}}
				}
				return answers(nil)(line)
			}},
			with(func(a *probe.Answer) { a.IMSI, a.Problem, a.Detail = "", modem.ProblemPINNeeded, "SIM PIN" }),
		},
		"PUK": {
			&talker{answer: answers(map[string]string{"AT+CPIN?": "+CPIN: SIM PUK"})},
			with(func(a *probe.Answer) { a.IMSI, a.Problem, a.Detail = "", modem.ProblemPUKNeeded, "SIM PUK" }),
		},
		"locked to a network": {
			&talker{answer: answers(map[string]string{"AT+CPIN?": "+CPIN: PH-NET PIN"})},
			with(func(a *probe.Answer) { a.IMSI, a.Problem, a.Detail = "", modem.ProblemSIMLocked, "PH-NET PIN" }),
		},
		"no SIM": {
			&talker{answer: answers(map[string]string{"AT+CPIN?": "+CME ERROR: 10"})},
			with(func(a *probe.Answer) { a.IMSI, a.Problem, a.Detail = "", modem.ProblemNoSIM, "+CME ERROR: 10" }),
		},
		"PIN2 has no part in it": {
			&talker{answer: answers(map[string]string{"AT+CPIN?": "+CPIN: SIM PIN2"})}, whole,
		},
		"silent": {&talker{}, probe.Answer{Problem: modem.ProblemNoAnswer, Detail: "no answer"}},
		"deaf":   {&talker{deaf: true}, probe.Answer{Problem: modem.ProblemNoAnswer, Detail: "no answer"}},
		"echoes all it is sent": {
			&talker{answer: func(line string) []said { return []said{{0, line + "\r"}} }},
			probe.Answer{Problem: modem.ProblemNoAnswer, Detail: "no answer"},
		},
		"hangs up at once": {
			&talker{unasked: []said{{0, hangUp}}},
			probe.Answer{Problem: modem.ProblemPortLost, Detail: "unexpected EOF"},
		},
		"hangs up on the way": {
			&talker{answer: func(line string) []said {
				if line == "AT+CGMM" {
					return []said{{0, hangUp}}
				}
				return answers(nil)(line)
			}},
			probe.Answer{AT: true, Manufacturer: "huawei", Problem: modem.ProblemPortLost, Detail: "unexpected EOF"},
		},
		"in use": {&talker{openErr: errTaken}, probe.Answer{Problem: modem.ProblemPortBusy, Detail: "device or resource busy"}},
		"gone":   {&talker{openErr: fs.ErrNotExist}, probe.Answer{Problem: modem.ProblemPortMissing, Detail: "file does not exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				if got := probe.Ask(t.Context(), c.talker.open); got != c.want {
					t.Errorf("said\n%+v, want\n%+v", got, c.want)
				}
				if took := time.Since(start); took > probe.AskTimeout {
					t.Errorf("took %v", took)
				}
				checkPolite(t, c.talker)
			})
		})
	}
}

// What a port says unasked must not change what is understood, nor hold us up.
func TestAskThroughNoise(t *testing.T) {
	for name, noise := range map[string][]string{
		"URCs":    {"\r\n^RSSI: 18\r\n", "\r\nRING\r\n", "\r\n+CREG: 1\r\n", "\r\nCall Ready\r\n", "\r\n*PSUTTZ: 1\r\n", "\r\n+ZUSIMR:2\r\n"},
		"garbage": {strings.Repeat("\xff\x00\x7f~", 3000) + "\r\n", "\r\n\r\n\r\n", "> \r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				plain, round := answers(nil), 0
				k := &talker{answer: func(line string) []said {
					round++
					n := said{0, noise[round%len(noise)]}
					return slices.Concat([]said{n}, plain(line), []said{n})
				}}
				if got := probe.Ask(t.Context(), k.open); got != whole {
					t.Errorf("said %+v", got)
				}
				checkPolite(t, k)
			})
		})
	}
}

// stream repeats a line for longer than anybody listens.
func stream(line string, every time.Duration) []said {
	return slices.Repeat([]said{{every, line}}, int(2*probe.AskTimeout/every))
}

func TestAskStream(t *testing.T) {
	const fix = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
	for name, c := range map[string]struct {
		talker *talker
		want   probe.Answer
	}{
		"satellite receiver": {
			&talker{unasked: stream(fix, 100*time.Millisecond)},
			probe.Answer{NMEA: true, Problem: modem.ProblemNoAnswer, Detail: "no answer"},
		},
		"octets without end": {
			&talker{unasked: stream(strings.Repeat("\xa5", 999), time.Millisecond)},
			probe.Answer{Problem: modem.ProblemNoAnswer, Detail: "no answer"},
		},
		"a modem that reports positions": {&talker{unasked: stream(fix, 50*time.Millisecond), answer: answers(nil)}, whole},
		"a flood of URCs":                {&talker{unasked: stream("\r\n+ZUSIMR:2\r\n", time.Millisecond), answer: answers(nil)}, whole},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				if got := probe.Ask(t.Context(), c.talker.open); got != c.want {
					t.Errorf("said %+v", got)
				}
				if took := time.Since(start); took > probe.AskTimeout {
					t.Errorf("took %v", took)
				}
				checkPolite(t, c.talker)
			})
		})
	}
}

// An answer that comes after we stopped waiting must not be taken for the next one's.
func TestAskLateAnswers(t *testing.T) {
	delays := map[string]time.Duration{}
	late := func(line string) []said {
		parts := answers(nil)(line)
		if len(parts) > 0 {
			parts[0].after = delays[line]
		}
		return parts
	}
	for name, c := range map[string]struct {
		delays map[string]time.Duration
		want   probe.Answer
	}{
		"AT slow":                       {map[string]time.Duration{"AT": 900 * time.Millisecond}, whole},
		"AT later than the second":      {map[string]time.Duration{"AT": 1500 * time.Millisecond}, whole},
		"model late":                    {map[string]time.Duration{"AT+CGMM": 2100 * time.Millisecond}, with(func(a *probe.Answer) { a.Model = "" })},
		"revision never":                {map[string]time.Duration{"AT+CGMR": time.Hour}, with(func(a *probe.Answer) { a.Revision = "" })},
		"all slow, but within the time": {map[string]time.Duration{"AT+CGMI": 900 * time.Millisecond, "AT+CGSN": 900 * time.Millisecond, "AT+CIMI": 1900 * time.Millisecond}, whole},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				delays = c.delays
				if got := probe.Ask(t.Context(), (&talker{answer: late}).open); got != c.want {
					t.Errorf("said\n%+v, want\n%+v", got, c.want)
				}
			})
		})
	}
}

// What an earlier program was still to be told comes first, and is not ours.
func TestAskAfterStaleAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &talker{answer: answers(nil), unasked: []said{{0, "\r\nSomeone Else\r\n\r\nOK\r\n"}}}
		if got := probe.Ask(t.Context(), k.open); got != whole {
			t.Errorf("said %+v", got)
		}
	})
}

func TestAskSIMThatIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready := time.Now().Add(3 * time.Second)
		k := &talker{answer: func(line string) []said {
			busy := map[string]string{}
			if time.Now().Before(ready) {
				busy = map[string]string{"AT+CPIN?": "+CME ERROR: 14", "AT+CIMI": "+CME ERROR: 14"}
			}
			return answers(busy)(line)
		}}
		if got := probe.Ask(t.Context(), k.open); got != whole {
			t.Errorf("said %+v", got)
		}
		checkPolite(t, k)
	})
}

// A program that died may have left the dongle at the prompt for a message. It has to be freed, and
// nothing may be sent.
func TestAskAtPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		d := virtual.New(virtual.Options{
			Name: "left", Manufacturer: "huawei", Model: "E173", Revision: "1", IMEI: whole.IMEI, IMSI: whole.IMSI,
			OnSubmit: func(virtual.Submission) { sent++ },
		})
		defer d.Close()
		before, err := d.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(before, "AT+CMGF=0\rAT+CMGS=19\r")
		synctest.Wait()
		got := probe.Ask(t.Context(), func(context.Context) (io.ReadWriteCloser, error) { return before, nil })
		if want := with(func(a *probe.Answer) { a.Revision = "1" }); got != want {
			t.Errorf("said %+v", got)
		}
		if sent != 0 {
			t.Errorf("%d messages were sent", sent)
		}
	})
}

func TestAskBounds(t *testing.T) {
	for name, k := range map[string]*talker{
		"opening hangs":                 {openTime: time.Minute},
		"closing hangs after silence":   {closeTime: time.Minute},
		"closing hangs after an answer": {closeTime: time.Minute, answer: answers(nil)},
		"deaf, and closing hangs":       {closeTime: time.Minute, deaf: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				probe.Ask(t.Context(), k.open)
				if took := time.Since(start); took > probe.AskTimeout {
					t.Errorf("took %v", took)
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if port, err := k.open(t.Context()); err != nil {
					t.Errorf("left open: %v", err)
				} else {
					port.Close()
				}
			})
		})
	}
}

func TestAskEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, errors.New("enough"))
		defer cancel()
		start := time.Now()
		if got := probe.Ask(ctx, (&talker{}).open); got.AT || got.Problem == "" {
			t.Errorf("said %+v", got)
		}
		if took := time.Since(start); took != 500*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}
