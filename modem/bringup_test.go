package modem_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

func TestBringUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		w := start(t, modem.Config{SIM: 3, Port: "/dev/ttyUSB2", Open: p.open, Sink: s})
		ready(t, w)
		got := w.Status()
		if got.LastSeen.IsZero() {
			t.Error("LastSeen is not set")
		}
		got.LastSeen = time.Time{}
		want := modem.Status{
			SIM: 3, Port: "/dev/ttyUSB2", State: modem.StateReady,
			IMEI: "861234567890123", IMSI: "262011234567890", ICCID: "8949020000012345678",
			Manufacturer: "huawei", Model: "E173", Revision: "11.126.85.00.209",
			Number: "+491701234567", SMSC: "+491710760000", Operator: "Telekom.de, net", Generation: 3,
			Registration: 1, SignalDBM: -73, Reports: true, Sessions: 1, Tty: "/dev/ttyUSB2", Profile: "huawei-e173",
		}
		if got != want {
			t.Errorf("status\n%+v, want\n%+v", got, want)
		}
		wantStates := []modem.State{modem.StateOpening, modem.StateIdentifying, modem.StateReady}
		if got := s.states(); !slices.Equal(got, wantStates) {
			t.Errorf("states %v, want %v", got, wantStates)
		}
		wantHeard := []string{
			"^[", "AT", "ATE0", "AT+CMEE=1", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "AT^CURC=0", "AT+CFUN?", "AT+CCID",
			"AT+CPIN?", "AT+CIMI", "AT+CNUM", "AT+CMGF=0", "AT+CPMS?", "AT+CSCA?", "AT+CSMS=0", "AT+CNMI=?", "AT+CNMI=2,1,0,1,0",
			"AT+CNMI?", "AT+CLIP=1", "AT+CREG=1", "AT+CREG?", "AT+CGREG=1", "AT+CGREG?", "AT+CEREG=1", "AT+CEREG?",
			"AT+COPS=3,0", "AT+COPS?", "AT+CSQ",
			"AT+CPMS=?", "AT+CPMS?", `AT+CPMS="SM"`, `AT+CPMS="ME"`, `AT+CPMS="SR"`,
		}
		if got := p.heard(); !slices.Equal(got, wantHeard) {
			t.Errorf("dialogue\n%q, want\n%q", got, wantHeard)
		}
	})
}

// What a dongle may lack or say otherwise without harm.
func TestBringUpTolerates(t *testing.T) {
	tests := map[string]struct {
		answers map[string]string
		check   func(modem.Status) bool
	}{
		"nothing optional": {
			map[string]string{
				"E0": refused, "+CMEE=1": refused, "+CGMI": refused, "+CGMM": refused, "+CGMR": refused,
				"+CGSN": refused, "+CFUN?": refused, "+CCID": refused, "+CNUM": refused, "+CSCA?": refused,
				"+CSMS=0": refused, "+CREG=1": refused, "+COPS=3,0": refused, "+COPS?": refused, "+CSQ": refused,
			},
			func(st modem.Status) bool { return st.IMSI == "262011234567890" && st.IMEI == "" && st.Operator == "" },
		},
		"no number on the SIM": {map[string]string{"+CNUM": ok()}, func(st modem.Status) bool { return st.Number == "" }},
		"identity with prefixes": {
			map[string]string{"+CGSN": ok(`+CGSN: "861234567890123"`), "+CGMI": ok(`+CGMI: "ZTE INCORPORATED"`), "+CIMI": ok("+CIMI: 262011234567890")},
			func(st modem.Status) bool {
				return st.IMEI == "861234567890123" && st.Manufacturer == "ZTE INCORPORATED" && st.IMSI == "262011234567890"
			},
		},
		"ICCID from its file": {
			map[string]string{"+CCID": refused, "+CRSM=176,12258,0,0,10": ok(`+CRSM: 144,0,"98942000001032547698"`)},
			func(st modem.Status) bool { return st.ICCID == "89490200000123456789" },
		},
		"ICCID without prefix":    {map[string]string{"+CCID": ok("89490200000123456789")}, func(st modem.Status) bool { return st.ICCID == "89490200000123456789" }},
		"LTE only":                {map[string]string{"+CREG?": ok("+CREG: 1,0"), "+CGREG?": refused, "+CEREG?": ok("+CEREG: 1,5")}, func(st modem.Status) bool { return st.Registration == 5 }},
		"SMS only":                {map[string]string{"+CREG?": ok("+CREG: 1,6")}, func(st modem.Status) bool { return st.Registration == 6 }},
		"registration with cell":  {map[string]string{"+CREG?": ok(`+CREG: 2,1,"00C3","12AB",2`)}, func(st modem.Status) bool { return st.Registration == 1 }},
		"signal not known":        {map[string]string{"+CSQ": ok("+CSQ: 99,99")}, func(st modem.Status) bool { return st.SignalDBM == 0 }},
		"signal strongest":        {map[string]string{"+CSQ": ok("+CSQ: 31,0")}, func(st modem.Status) bool { return st.SignalDBM == -51 }},
		"no operator":             {map[string]string{"+COPS?": ok("+COPS: 0")}, func(st modem.Status) bool { return st.Operator == "" }},
		"no reports":              {map[string]string{"+CNMI=?": ok("+CNMI: (0,1),(0,1),(0),(0),(0)")}, func(st modem.Status) bool { return !st.Reports }},
		"second PIN not entered":  {map[string]string{"+CPIN?": ok("+CPIN: SIM PIN2")}, func(st modem.Status) bool { return true }},
		"service centre in words": {map[string]string{"+CSCA?": ok(`+CSCA: "491710760000",129`)}, func(st modem.Status) bool { return st.SMSC == "491710760000" }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				for cmd, text := range test.answers {
					p.answer(cmd, text)
				}
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				if st := w.Status(); p.sessions != 1 || !test.check(st) {
					t.Fatalf("session %d: %+v", p.sessions, st)
				}
			})
		})
	}
}

// What is configured of a SIM is its name and number from the start, whatever the SIM says of itself, another
// one too.
func TestNameAndNumber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		p.answer("+CGREG?", refused)
		w := start(t, modem.Config{Open: p.open, Sink: s, Name: "hall", Number: "+4930123456"})
		check := func(imsi string) {
			t.Helper()
			if st := w.Status(); st.Name != "hall" || st.Number != "+4930123456" || st.IMSI != imsi {
				t.Errorf("%q, %q, IMSI %q", st.Name, st.Number, st.IMSI)
			}
		}
		check("")
		ready(t, w)
		check("262011234567890")
		p.answer("+CREG?", ok("+CREG: 1,2"))
		p.answer("+CIMI", ok("262020000000002"))
		p.answer("+CCID", ok("+CCID: 8949020000000000002F"))
		p.urc("\r\n+CREG: 0\r\n")
		synctest.Wait()
		p.answer("+CREG?", ok("+CREG: 1,1"))
		time.Sleep(30 * time.Second)
		ready(t, w)
		check("262020000000002")
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, st := range s.statuses {
			if st.Number != "+4930123456" {
				t.Errorf("its number was %q meanwhile", st.Number)
			}
		}
	})
}

// What keeps a dongle from being used is named, with a hint.
func TestProblems(t *testing.T) {
	tests := map[string]struct {
		answers map[string]string
		broken  error
		state   modem.State
		problem string
	}{
		"no such port":        {nil, &fs.PathError{Op: "open", Path: "/dev/x", Err: fs.ErrNotExist}, modem.StateLost, modem.ProblemPortMissing},
		"dongle gone":         {nil, &fs.PathError{Op: "open", Path: "/dev/x", Err: syscall.ENXIO}, modem.StateLost, modem.ProblemPortMissing},
		"no permission":       {nil, os.ErrPermission, modem.StateLost, modem.ProblemPortDenied},
		"busy":                {nil, fmt.Errorf("open: %w", syscall.EBUSY), modem.StateLost, modem.ProblemPortBusy},
		"not a port":          {nil, errors.New("not a serial port"), modem.StateLost, modem.ProblemPortError},
		"nothing answers":     {map[string]string{"": silence}, nil, modem.StateLost, modem.ProblemNoAnswer},
		"silence later":       {map[string]string{"+CMGF=0": silence}, nil, modem.StateLost, modem.ProblemNoAnswer},
		"no SIM":              {map[string]string{"+CPIN?": "\r\n+CME ERROR: 10\r\n"}, nil, modem.StateLost, modem.ProblemNoSIM},
		"no SIM, CMS":         {map[string]string{"+CPIN?": "\r\n+CMS ERROR: 310\r\n"}, nil, modem.StateLost, modem.ProblemNoSIM},
		"no SIM, in words":    {map[string]string{"+CPIN?": "\r\n+CME ERROR: SIM not inserted\r\n"}, nil, modem.StateLost, modem.ProblemNoSIM},
		"SIM failure":         {map[string]string{"+CPIN?": "\r\n+CME ERROR: 13\r\n"}, nil, modem.StateLost, modem.ProblemSIMFailure},
		"SIM always busy":     {map[string]string{"+CPIN?": "\r\n+CME ERROR: 14\r\n"}, nil, modem.StateLost, modem.ProblemSIMFailure},
		"no IMSI":             {map[string]string{"+CIMI": "\r\n+CME ERROR: 14\r\n"}, nil, modem.StateLost, modem.ProblemSIMFailure},
		"PIN":                 {map[string]string{"+CPIN?": ok("+CPIN: SIM PIN")}, nil, modem.StateNeedsPIN, modem.ProblemPINNeeded},
		"PIN as an error":     {map[string]string{"+CPIN?": "\r\n+CME ERROR: 11\r\n"}, nil, modem.StateNeedsPIN, modem.ProblemPINNeeded},
		"PUK":                 {map[string]string{"+CPIN?": ok("+CPIN: SIM PUK")}, nil, modem.StateNeedsPIN, modem.ProblemPUKNeeded},
		"network lock":        {map[string]string{"+CPIN?": ok("+CPIN: PH-NET PIN")}, nil, modem.StateLost, modem.ProblemSIMLocked},
		"no PDU mode":         {map[string]string{"+CMGF=0": refused}, nil, modem.StateLost, modem.ProblemNoPDUMode},
		"out of step":         {map[string]string{"+CPIN?": ok()}, nil, modem.StateLost, modem.ProblemOutOfStep},
		"answer of another":   {map[string]string{"+CPIN?": ok("+CSQ: 17,99")}, nil, modem.StateLost, modem.ProblemOutOfStep},
		"no registration":     {map[string]string{"+CREG?": refused, "+CGREG?": refused}, nil, modem.StateLost, modem.ProblemModemFault},
		"searching":           {map[string]string{"+CREG?": ok("+CREG: 1,2"), "+CGREG?": ok("+CGREG: 1,2")}, nil, modem.StateNotRegistered, modem.ProblemNotRegistered},
		"registration denied": {map[string]string{"+CREG?": ok("+CREG: 1,3"), "+CGREG?": ok("+CGREG: 1,3")}, nil, modem.StateNotRegistered, modem.ProblemDenied},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.broken = test.broken
				for cmd, text := range test.answers {
					p.answer(cmd, text)
				}
				w := start(t, modem.Config{Open: p.open})
				for range 100 {
					time.Sleep(time.Second)
					synctest.Wait()
					if w.Status().Problem != "" {
						break
					}
				}
				st := w.Status()
				if st.State != test.state || st.Problem != test.problem || st.Hint == "" || st.Ready() {
					t.Fatalf("%s, %s (%s); want %s, %s", st.State, st.Problem, st.Hint, test.state, test.problem)
				}
				time.Sleep(2 * time.Minute) // it stands, while new sessions are tried
				synctest.Wait()
				if st := w.Status(); st.State != test.state || st.Problem != test.problem {
					t.Fatalf("later: %s, %s", st.State, st.Problem)
				}
			})
		})
	}
}

// Whatever a former life left behind: an open prompt, answers under way, a modem that boots.
func TestWake(t *testing.T) {
	t.Run("late answers", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("", silence)
			w := start(t, modem.Config{Open: p.open})
			time.Sleep(4 * time.Second)
			p.answer("", ok())
			time.Sleep(700 * time.Millisecond) // AT for the fourth time, answered
			p.urc(ok() + ok() + ok())          // and now the first three
			ready(t, w)
			if st := w.Status(); p.sessions != 1 || st.Manufacturer != "huawei" {
				t.Fatalf("session %d: %+v", p.sessions, st)
			}
		})
	})
	t.Run("garbage", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("", "\x00\xff}\x03~\r\n^BOOT:1,0,0\r\nERROR\r\n"+ok())
			w := start(t, modem.Config{Open: p.open})
			time.Sleep(250 * time.Millisecond)
			p.answer("", ok())
			ready(t, w)
			if p.sessions != 1 {
				t.Fatalf("%d sessions", p.sessions)
			}
		})
	})
	t.Run("still booting", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("", "\r\nRDY\r\n"+ok()) // it has nothing to forget yet
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			if p.sessions != 1 {
				t.Fatalf("%d sessions", p.sessions)
			}
		})
	})
	t.Run("radio off", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("+CFUN?", ok("+CFUN: 4"))
			p.answer("+CFUN=1", ok())
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			if p.count("AT+CFUN=1") != 1 {
				t.Fatalf("dialogue %q", p.heard())
			}
		})
	})
	t.Run("restart", func(t *testing.T) {
		for _, line := range []string{"RDY", "^SYSSTART", "*ATREADY: 1"} {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				p.urc("\r\n" + line + "\r\n")
				time.Sleep(5 * time.Second)
				ready(t, w)
				if p.sessions != 2 || p.count("AT+CMGF=0") != 2 {
					t.Errorf("%d sessions after %s", p.sessions, line)
				}
			})
		}
	})
}

// A question that a dongle need not know, and that leaves it speechless, is given up.
func TestSpeechlessDongle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.answer("+CCID", silence)
		p.answer("+CRSM=176,12258,0,0,10", silence)
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		if st := w.Status(); p.sessions != 5 || st.ICCID != "" {
			t.Fatalf("ready in session %d: %+v", p.sessions, st)
		}
	})
}

// A question that has to be answered is asked for as long as it takes.
func TestSpeechlessSIM(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.answer("+CIMI", silence)
		w := start(t, modem.Config{Open: p.open})
		time.Sleep(10 * time.Minute)
		p.answer("+CIMI", ok("262011234567890"))
		time.Sleep(2 * time.Minute)
		ready(t, w)
		if st := w.Status(); st.IMSI != "262011234567890" {
			t.Errorf("IMSI %q", st.IMSI)
		}
	})
}

func TestServiceCentre(t *testing.T) {
	tests := map[string]struct{ config, wrote, status string }{
		"the SIM's":        {"", "", "+491710760000"},
		"the same":         {"+491710760000", "", "+491710760000"},
		"another":          {"+491722270333", `AT+CSCA="+491722270333",145`, "+491722270333"},
		"national another": {"01722270333", `AT+CSCA="01722270333",129`, "01722270333"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				for _, cmd := range []string{`+CSCA="+491722270333",145`, `+CSCA="01722270333",129`} {
					p.answer(cmd, ok())
				}
				w := start(t, modem.Config{Open: p.open, SMSC: test.config})
				ready(t, w)
				var wrote string
				for _, line := range p.heard() {
					if len(line) > 8 && line[:8] == "AT+CSCA=" {
						wrote += line
					}
				}
				if st := w.Status(); wrote != test.wrote || st.SMSC != test.status {
					t.Fatalf("wrote %q, status %q", wrote, st.SMSC)
				}
			})
		})
	}
}
