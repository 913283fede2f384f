package modem_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

const allOffered = "+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)"

// settings are the +CNMI that were tried.
func (p *peer) settings() (list []string) {
	for _, s := range p.heard() {
		if c, ok := strings.CutPrefix(s, "AT+CNMI="); ok && c != "?" {
			list = append(list, c)
		}
	}
	return list
}

// What a family likes best is tried first, if it is offered; then what +CNMI=? says.
func TestProfileSettings(t *testing.T) {
	tests := map[string]struct {
		maker, model, offer string
		takes               []string
		tried               []string
		reports             bool
		plus                bool // AT+CSMS=1 is tried
	}{
		"usual":                {"huawei", "E173", allOffered, []string{"2,1,0,1,0"}, []string{"2,1,0,1,0"}, true, false},
		"Huawei, mode 1":       {"huawei", "E173", allOffered, []string{"1,1,0,1,0"}, []string{"2,1,0,1,0", "1,1,0,1,0"}, true, false},
		"ZTE":                  {"ZTE CORPORATION", "MF190", allOffered, []string{"2,1,0,1,0", "1,1,0,1,0"}, []string{"1,1,0,1,0"}, true, false},
		"Novatel":              {"Novatel Wireless", "MC950D", allOffered, []string{"2,1,0,1,0", "2,1,0,2,0"}, []string{"2,1,0,2,0"}, true, false},
		"Siemens":              {"SIEMENS", "TC35", "+CNMI: (0-3),(0,1),(0,2,3),(0,2),(1)", []string{"2,1,0,2,1"}, []string{"2,1,0,2,1"}, true, false},
		"preference not there": {"Novatel Wireless", "MC950D", "+CNMI: (2),(1),(0),(0,1),(0)", []string{"2,1,0,1,0"}, []string{"2,1,0,1,0"}, true, false},
		"stored at most":       {"other", "", "+CNMI: (2),(1),(0),(0,1,2),(0)", []string{"2,1,0,2,0"}, []string{"2,1,0,1,0", "2,1,0,2,0"}, true, false},
		"messages alone":       {"other", "", "+CNMI: (2),(1),(0),(0,1),(0)", []string{"2,1,0,0,0"}, []string{"2,1,0,1,0", "2,1,0,1,0", "2,1,0,0,0"}, false, true},
		"no acknowledging":     {"huawei", "E173", "+CNMI: (2),(1),(0),(0,1),(0)", []string{"2,1,0,0,0"}, []string{"2,1,0,1,0", "2,1,0,0,0"}, false, false},
		"offer not readable":   {"other", "", "+CNMI: any", []string{"1,1,0,1,1"}, []string{"2,1,0,1,0", "2,1,0,1,1", "2,1,2,1,0", "2,1,2,1,1", "1,1,0,1,0", "1,1,0,1,1"}, true, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.answer("+CGMI", ok(test.maker))
				p.answer("+CGMM", ok(test.model))
				p.answer("+CNMI=?", ok(test.offer))
				p.answer("+CNMI?", ok("+CNMI: 2,1")) // as much as some tell
				p.answer("+CSMS=1", ok("+CSMS: 1,1,1"))
				delete(p.answers, "+CNMI=2,1,0,1,0")
				for _, c := range test.takes {
					p.answer("+CNMI="+c, ok())
				}
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				if got := p.settings(); !slices.Equal(got, test.tried) {
					t.Errorf("tried %q, want %q", got, test.tried)
				}
				if st := w.Status(); st.Reports != test.reports || p.sessions != 1 {
					t.Errorf("session %d: %+v", p.sessions, st)
				}
				if plus := p.count("AT+CSMS=1") > 0; plus != test.plus {
					t.Errorf("AT+CSMS=1 tried: %t", plus)
				}
				tries := len(p.settings())
				p.hangUp(nil) // what was taken is tried first the next time
				time.Sleep(5 * time.Second)
				ready(t, w)
				if got := p.settings()[tries]; test.reports && got != test.takes[len(test.takes)-1] && got != test.tried[0] {
					t.Errorf("then %q", got)
				} else if name == "Huawei, mode 1" && got != "1,1,0,1,0" {
					t.Errorf("then %q, want what was taken", got)
				}
			})
		})
	}
}

// Nothing that only one maker knows is said before the maker is known, nor to another's.
func TestNothingVendorSpecific(t *testing.T) {
	for maker, want := range map[string][]string{
		"huawei": {"AT^CURC=0"}, "ZTE INCORPORATED": nil, "Quectel": nil, "u-blox": nil, "": nil,
	} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("+CGMI", ok(maker))
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			heard := p.heard()
			known := slices.Index(heard, "AT+CGMM")
			var said []string
			for i, line := range heard {
				if strings.HasPrefix(line, "AT^") || strings.HasPrefix(line, "AT$") || strings.HasPrefix(line, "AT+Z") || strings.HasPrefix(line, "AT+Q") {
					said = append(said, line)
					if i < known {
						t.Errorf("%s before AT+CGMM", line)
					}
				}
			}
			if !slices.Equal(said, want) {
				t.Errorf("to %q: %q, want %q", maker, said, want)
			}
		})
	}
}

// An init command that is met with silence is left out after the second time.
func TestInitIsNotForced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.answer("^CURC=0", silence)
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		if n := p.count("AT^CURC=0"); n != 2 || p.sessions != 3 || w.Status().Resets != 0 {
			t.Errorf("said %d times in %d sessions: %+v", n, p.sessions, w.Status())
		}
	})
}

// A dongle that stays in phase 2+ waits for +CNMA, unless it is one that +CNMA confuses.
func TestPhase2PlusThatStays(t *testing.T) {
	for maker, want := range map[string]int{"other": 1, "SIMCOM_Ltd": 0} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("+CGMI", ok(maker))
			p.answer("+CSMS=0", refused)
			p.answer("+CSMS?", ok("+CSMS: 1,1,1,1"))
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			p.urc(cds(1))
			synctest.Wait()
			if n := p.count("AT+CNMA"); n != want {
				t.Errorf("%s: %d times AT+CNMA, want %d", maker, n, want)
			}
		})
	}
}

// Modems behind a slow line get the PDU a while after the prompt, in which the caller's disk works.
func TestPaceBeforePDU(t *testing.T) {
	for _, test := range []struct {
		maker      string
		disk, want time.Duration
	}{
		{"huawei", 0, 0},
		{"huawei", 30 * time.Millisecond, 30 * time.Millisecond},
		{"SIEMENS", 0, 100 * time.Millisecond},
		{"SIEMENS", 30 * time.Millisecond, 100 * time.Millisecond},
		{"SIEMENS", 300 * time.Millisecond, 300 * time.Millisecond},
	} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("+CGMI", ok(test.maker))
			var prompted, handed time.Time
			p.prompt = func(int) string { prompted = time.Now(); return "\r\n> " }
			p.sent = func(int) string { handed = time.Now(); return ok("+CMGS: 1") }
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			var cleared func() error
			if test.disk > 0 {
				cleared = func() error { time.Sleep(test.disk); return nil }
			}
			if _, err := w.Submit(t.Context(), segment(t, "x"), false, cleared); err != nil {
				t.Fatal(err)
			}
			if got := handed.Sub(prompted); got != test.want {
				t.Errorf("%s, disk %v: PDU after %v, want %v", test.maker, test.disk, got, test.want)
			}
		})
	}
}

// While the SIM is busy, all that needs it would be refused; some are busy for ever.
func TestBusySIMIsWaitedFor(t *testing.T) {
	for _, busy := range []string{"+CMS ERROR: 314", "+CMS ERROR: 515", "+CME ERROR: 14"} {
		for _, ends := range []bool{true, false} {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.answer("+CPMS?", "\r\n"+busy+"\r\n")
				w := start(t, modem.Config{Open: p.open})
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if n := p.count("AT+CNMI"); n != 0 || w.Status().Ready() {
					t.Errorf("%s: not waited for", busy)
				}
				if ends {
					p.answer("+CPMS?", ok(`+CPMS: "SM",0,10,"SM",0,10,"SM",0,10`))
					time.Sleep(time.Second)
				} else {
					time.Sleep(30 * time.Second)
				}
				synctest.Wait()
				if st := w.Status(); !st.Ready() || !st.Reports || p.sessions != 1 {
					t.Errorf("%s, ends %t: session %d, %+v", busy, ends, p.sessions, st)
				}
			})
		}
	}
}

// Wavecom's answer to +CPIN? has no OK, or has one all the same.
func TestAnswerWithoutOK(t *testing.T) {
	for _, answer := range []string{"\r\n+CPIN: READY\r\n", ok("+CPIN: READY")} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("+CGMI", ok(" WAVECOM MODEM"))
			p.answer("+CPIN?", answer)
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			if st := w.Status(); p.sessions != 1 || st.IMSI != "262011234567890" || st.Profile != "wavecom" {
				t.Errorf("%q: session %d, %+v", answer, p.sessions, st)
			}
		})
	}
}
