package modem

import (
	"slices"
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
		for _, c := range offer.withReports() {
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
		`+CDSI: "SR",0`:              {urc{kind: urcStored, text: "SR", index: 0, report: true}, true},
		`+CDSI: "SM",12`:             {urc{kind: urcStored, text: "SM", index: 12, report: true}, true},
		`+CDSI: "SM",-1`:             {urc{kind: urcStored, text: "SM", index: -1, report: true}, true},
		`+CDSI: "SM"`:                {urc{kind: urcStored, text: "SM", index: -1, report: true}, true},
		`+CMTI: "ME",0`:              {urc{kind: urcStored, text: "ME", index: 0}, true},
		"+CMTI: SM,3":                {urc{kind: urcStored, text: "SM", index: 3}, true},
		`+CMTI:"SM", 254`:            {urc{kind: urcStored, text: "SM", index: 254}, true},
		`+CMTI: "SM",-1`:             {urc{kind: urcStored, text: "SM", index: -1}, true},
		`+CMTI: "SM",x`:              {urc{kind: urcStored, text: "SM", index: -1}, true},
		"+CMTI:":                     {urc{kind: urcStored, index: -1}, true},
		`^SMMEMFULL: "SM"`:           {urc{kind: urcFull}, true},
		`^SMMEMFULL:"SM"`:            {urc{kind: urcFull}, true},
		`+CIEV: "smsfull",1`:         {urc{kind: urcFull}, true},
		`+CIEV: smsfull,2`:           {urc{kind: urcFull}, true},
		`+CIEV: "smsfull",0`:         {},
		`+CIEV: "signal",3`:          {},
		`+QIND: "smsfull","ME"`:      {urc{kind: urcFull}, true},
		`+QIND: "csq",22,99`:         {},
		"+QIND: SMS DONE":            {urc{kind: urcSettled}, true},
		"SMS Ready":                  {urc{kind: urcSettled}, true},
		"PB DONE":                    {urc{kind: urcSettled}, true},
		"RDY":                        {urc{kind: urcRestarted}, true},
		"^SYSSTART":                  {urc{kind: urcRestarted}, true},
		"^RSSI: 18":                  {},
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
