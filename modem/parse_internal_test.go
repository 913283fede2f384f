package modem

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
)

// Offers as dongles make them, and what is tried first and how much in all.
func TestCNMICandidates(t *testing.T) {
	tests := map[string]struct {
		offer string
		first []string
		count int
	}{
		"usual":           {"(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)", []string{"2,1,0,1,0", "2,1,0,1,1", "2,1,2,1,0"}, 32},
		"ranges":          {"(0-3),(0-3),(0-3),(0-2),(0-1)", []string{"2,1,0,1,0"}, 48},
		"Siemens":         {"(0-3),(0,1),(0,2,3),(0,2),(1)", []string{"2,1,0,2,1", "2,1,2,2,1", "1,1,0,2,1"}, 12},
		"SIM800":          {"(0,1,2,3),(0,1,2,3),(0,2),(0,1),(0,1)", []string{"2,1,0,1,0"}, 24},
		"mode 1 at most":  {"(0,1),(0,1),(0,2),(0,1),(0,1)", []string{"1,1,0,1,0"}, 8},
		"lone numbers":    {"2,1,0,1,0", []string{"2,1,0,1,0"}, 1},
		"spaces":          {" (1, 2) , ( 0-1 ),(0),(1),( 0 )", []string{"2,1,0,1,0", "1,1,0,1,0", "2,0,0,1,0"}, 4},
		"no reports":      {"(0,1,2),(0,1),(0,2),(0),(0)", nil, 0},
		"only mode 0":     {"(0),(0,1),(0),(0,1),(0)", nil, 0},
		"mixed in a list": {"(0-1,3),(1),(0),(1),(0)", []string{"1,1,0,1,0", "3,1,0,1,0"}, 2},
	}
	for name, test := range tests {
		offer, ok := parseCNMIOffer(test.offer)
		if !ok {
			t.Errorf("%s: %q not understood", name, test.offer)
			continue
		}
		var got []string
		for _, c := range offer.candidates() {
			got = append(got, c.String())
		}
		if len(got) != test.count || !slices.Equal(got[:min(len(got), len(test.first))], test.first) {
			t.Errorf("%s: %d candidates %v, want %d from %v", name, len(got), got, test.count, test.first)
		}
	}
	for _, bad := range []string{"", "(0,1", "(0,1),(0),(0),(1)", "(a),(0),(0),(1),(0)", "(0-),(0),(0),(1),(0)", "(3-1),(0),(0),(1),(0)", "(0-99999999),(0),(0),(1),(0)", "(-1),(0),(0),(1),(0)"} {
		if offer, ok := parseCNMIOffer(bad); ok {
			t.Errorf("%q understood as %v", bad, offer)
		}
	}
}

func TestField(t *testing.T) {
	const args = `0,0,"Telekom.de, net","",7 , x`
	for n, want := range []string{"0", "0", "Telekom.de, net", "", "7", "x", "", ""} {
		if got := field(args, n); got != want {
			t.Errorf("field %d of %s is %q, want %q", n, args, got, want)
		}
	}
	if got := field("", 0); got != "" {
		t.Errorf("field of nothing: %q", got)
	}
}

// "+CREG: 1,5" answers a question; "+CREG: 1,\"00C3\"" and "+CREG: 1,0145,03A2" are news.
func TestParseURC(t *testing.T) {
	tests := map[string]struct {
		want urc
		ok   bool
	}{
		"+CREG: 5":                   {urc{kind: urcRegistration, domain: circuit, stat: 5}, true},
		"+CGREG:1":                   {urc{kind: urcRegistration, domain: packet, stat: 1}, true},
		`+CEREG: 1,"00C3","12AB",7`:  {urc{kind: urcRegistration, domain: evolved, stat: 1}, true},
		"+CREG: 1,0145,03A2":         {urc{kind: urcRegistration, domain: circuit, stat: 1}, true},
		"+CREG: 2,1":                 {},
		`+CREG: 2,1,"00C3","12AB",2`: {},
		"+CREG: x":                   {},
		`+CDSI: "SR",0`:              {urc{kind: urcStored, text: "SR", index: 0}, true},
		`+CDSI: "SM",12`:             {urc{kind: urcStored, text: "SM", index: 12}, true},
		`+CDSI: "SM",-1`:             {},
		`+CDSI: "SM"`:                {},
		"RDY":                        {urc{kind: urcRestarted}, true},
		"^SYSSTART":                  {urc{kind: urcRestarted}, true},
		"^RSSI: 18":                  {},
		`+CMTI: "SM",3`:              {},
		"RING":                       {},
		":":                          {},
	}
	for line, test := range tests {
		got, ok := parseURC([]byte(line))
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%q is %+v, %t; want %+v, %t", line, got, ok, test.want, test.ok)
		}
	}
}

func TestReference(t *testing.T) {
	for line, want := range map[string]int{
		"+CMGS: 0": 0, "+CMGS: 255": 255, "+CMGS:17": 17, `+CMGS: 9,"00"`: 9, "+CMGS: 9 ,1": 9,
		"+CMGS: 256": -1, "+CMGS: -1": -1, "+CMGS:": -1, "+CMGS: x": -1,
	} {
		if mr, accepted := reference([]string{"noise", line}); !accepted || mr != want {
			t.Errorf("%q is %d, %t; want %d", line, mr, accepted, want)
		}
	}
	if _, accepted := reference([]string{"+CMGSX: 1", "1"}); accepted {
		t.Error("a reference out of nothing")
	}
}

func TestCauseInWords(t *testing.T) {
	for line, want := range map[string]string{
		"+CMS ERROR: 21":                  "+CMS ERROR: 21 (short message transfer rejected)",
		"+CMS ERROR:  38 ":                "+CMS ERROR: 38 (network out of order)",
		"+CMS ERROR: network timeout":     "+CMS ERROR: 332 (network timeout)",
		"+CMS ERROR: SIM not inserted":    "+CMS ERROR: 310 ((U)SIM not inserted)",
		"+CME ERROR: SIM PIN required":    "+CME ERROR: 11 (SIM PIN required)",
		"+CME ERROR: operation no sense":  "operation no sense",
		"ERROR":                           "ERROR without a cause",
		"COMMAND NOT SUPPORT":             "COMMAND NOT SUPPORT",
		"+CME ERROR: PH-SIM PIN required": "PH-SIM PIN required",
	} {
		if f := faultOfFinal(line); f.String() != want || f.Action == 0 || f.Result == "" {
			t.Errorf("%q is %+v, want %q", line, f, want)
		}
	}
}

// Neither PIN nor PDU nor USSD text may be read in a log; identities may, and so may commands.
func TestTraceMasks(t *testing.T) {
	var log bytes.Buffer
	tr := newTracer(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	const body = "0011000B911326880736F40000AA05E8329BFD06"
	tr.sent([]byte("AT+CPIN=\"4711\"\r\n"))
	tr.received([]byte("AT+cpin=\"4711\""))
	tr.sent([]byte(body + "\x1a"))
	tr.received([]byte(strings.ToLower(body)))
	tr.received([]byte(`+CUSD: 0,"Your balance is 12.34",15`))
	tr.received([]byte("861234567890123"))
	tr.sent([]byte("AT+CMGS=19\r"))
	got := log.String()
	for _, secret := range []string{"4711", body, strings.ToLower(body), "balance"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in the log:\n%s", secret, got)
		}
	}
	for _, plain := range []string{"AT+CPIN=", "PDU of 20 octets", "861234567890123", "AT+CMGS=19", "+CUSD:"} {
		if !strings.Contains(got, plain) {
			t.Errorf("%q is not in the log:\n%s", plain, got)
		}
	}
	if newTracer(slog.New(slog.NewTextHandler(&log, nil))) != nil {
		t.Error("traced above level Debug")
	}
}
