package modem

import (
	"slices"
	"strings"
	"testing"
)

func TestParseMemories(t *testing.T) {
	for args, want := range map[string]string{
		`("SM","ME","SR"),("SM","ME"),("SM","ME")`:                               "SM ME SR",
		`("ME","MT","SM","SR"),("ME","MT","SM","SR"),("ME","MT","SM","SR")`:      "SM ME MT SR",
		`(("SM","BM","SR"),("SM"))`:                                              "SM SR",
		`("SM"),("SM"),("SM")`:                                                   "SM",
		` ( "SM" , "ME" ) , ("SM")`:                                              "SM ME",
		`("SM","ME","SM_P","ME_P","MT"),("SM","ME","SM_P","ME_P","MT"),("SM_P")`: "SM ME MT",
		`"SM","ME"`: "SM ME", "(SM,ME)": "SM ME", "": "", "()": "", `("BM","TA")`: "", "(0-3)": "",
	} {
		if got := strings.Join(parseMemories(args), " "); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
}

func TestParseCPMS(t *testing.T) {
	for args, want := range map[string][]Memory{
		`"SM",2,10,"ME",3,255,"SR",0,5`:          {{"SM", 2, 10}, {"ME", 3, 255}, {"SR", 0, 5}},
		`2,10,3,255,0,5`:                         {{"", 2, 10}, {"", 3, 255}, {"", 0, 5}},
		` "SM" , 2 , 10 `:                        {{"SM", 2, 10}},
		`"SM",2,10,"ME",3`:                       {{"SM", 2, 10}},
		`"SM",2,10,"SM",2,10,"SM",2,10,"SM",1,1`: {{"SM", 2, 10}, {"SM", 2, 10}, {"SM", 2, 10}},
		`"SM",-1,10`:                             nil,
		`"SM","ME",1`:                            nil,
		`"SM",2`:                                 nil,
		``:                                       nil,
		`2,10,x`:                                 {{"", 2, 10}},
	} {
		if got := parseCPMS(args); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", args, got, want)
		}
	}
}

func TestParseSlots(t *testing.T) {
	tests := map[string]struct {
		lines []string
		want  []slot
	}{
		"list": {
			[]string{"+CMGL: 1,0,,23", "0004AB", "+CMGL: 9,3,,19", "0011", `+CMGL: 254,1,"Anna, B.",25`, "0006"},
			[]slot{{1, false, "0004AB", 23}, {9, true, "0011", 19}, {254, false, "0006", 25}},
		},
		"one":                  {[]string{"+CMGR: 1,,23", "0004AB"}, []slot{{7, false, "0004AB", 23}}},
		"one of ours":          {[]string{"+CMGR: 2,,23", "0011"}, []slot{{7, true, "0011", 23}}},
		"without a state":      {[]string{"+CMGR: ,,27", "000000FF00"}, []slot{{7, false, "000000FF00", 27}}},
		"empty place":          {[]string{"+CMGR: 0,,0"}, []slot{{7, false, "", 0}}},
		"header without a PDU": {[]string{"+CMGL: 1,0,,23", "+CMGL: 2,0,,23", "0004"}, []slot{{1, false, "", 23}, {2, false, "0004", 23}}},
		"PDU without a header": {[]string{"0004", "+CMGL: 2,0,,23", "0005", "0006"}, []slot{{2, false, "0005", 23}}},
		"noise before the PDU": {[]string{"+CMGR: 0,,2", "0123456789ABCDEF", "00AABB", "00CCDD"}, []slot{{7, false, "00AABB", 2}}},
		"no length":            {[]string{"+CMGR: 0,", "0123456789ABCDEF", "00AABB"}, []slot{{7, false, "0123456789ABCDEF", -1}}},
		"no space":             {[]string{"+CMGL:0,1,,23", "0004"}, []slot{{0, false, "0004", 23}}},
		"no place":             {[]string{"+CMGL: x,1,,23", "+CMGL: -1,1,,23", "0004"}, nil},
		"nothing":              {nil, nil},
	}
	for name, test := range tests {
		if got := parseSlots(test.lines, 7); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// Whatever stands there, counts and names are such as can be shown, and no more than there is.
func FuzzCPMS(f *testing.F) {
	for _, seed := range []string{
		`"SM",2,10,"ME",3,255,"SR",0,5`, "2,10,3,255,0,5", `("SM","ME","SR"),("SM","ME"),("SM","ME")`, `(("SM","BM","SR"),("SM"))`,
		`"SM",,`, `"SM",99999999999999999999,1`, "(((", `"SM",1,2,"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, args string) {
		list := parseCPMS(args)
		if len(list) > 3 {
			t.Errorf("%q gives %v", args, list)
		}
		for _, m := range list {
			if m.Used < 0 || m.Total < 0 || strings.ContainsAny(m.Name, ",") {
				t.Errorf("%q gives %+v", args, m)
			}
		}
		names := parseMemories(args)
		for i, name := range names {
			if !slices.Contains(memoryNames, name) || slices.Contains(names[:i], name) || !strings.Contains(args, name) {
				t.Errorf("%q gives %q", args, names)
			}
		}
	})
}

// No list makes more of itself than it has lines, and places are such as a command can name.
func FuzzCMGL(f *testing.F) {
	for _, seed := range []string{
		"+CMGL: 1,0,,23\n0004AB\n+CMGL: 9,3,,19\n0011", "+CMGR: 1,,23\n0004AB", "+CMGL: -1,,\n\n+CMGL:", "0004\n+CMGL: 1,\"2\",\"a,b\",3",
		"+CMGL: 0,1,\",\n00", "+CMGR: ,,27\n000000FF00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		lines := strings.Split(answer, "\n")
		slots := parseSlots(lines, 3)
		if len(slots) > len(lines) {
			t.Errorf("%q gives %d", answer, len(slots))
		}
		for _, slot := range slots {
			if slot.index < 0 || slot.text != "" && !slices.Contains(lines, slot.text) {
				t.Errorf("%q gives %+v", answer, slot)
			}
			if got := slot.letter("SM", false); got != nil && (got.report == nil) == (got.message == nil) {
				t.Errorf("%q gives %+v", answer, got)
			}
		}
	})
}

// The TPDU says what it is. The vectors are those of pdu/report_test.go and of section 9.2.2.1 of
// TS 23.040, written by hand.
func TestArrivalOf(t *testing.T) {
	const (
		message    = "00040B911326880736F400001110117195514005E8329BFD06"
		withSCA    = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
		report     = "0006D60B911326880736F4111011719551401110117195714000"
		bareReport = "06D60B911326880736F4111011719551401110117195714000"
		noTime     = "00040B911326880736F400000000000000000005E8329BFD06"
	)
	tests := map[string]struct {
		text     string
		promised bool
		want     string
		content  string
	}{
		"message":                           {message, false, "message", "hello"},
		"message for a report":              {message, true, "message", "hello"},
		"message with SCA":                  {withSCA, false, "message", "How are you?"},
		"message without a time":            {noTime, false, "message", "hello"},
		"message without a time, as report": {noTime, true, "message", "hello"},
		"report":                            {report, true, "status report", ""},
		"report for a message":              {report, false, "status report", ""},
		"report without SCA":                {bareReport, false, "status report", ""},
		"report, lower case":                {strings.ToLower(report), false, "status report", ""},
		"report after Wavecom's dirt":       {"000000FF00" + bareReport, false, "status report", ""},
		"dirt and nothing":                  {"000000FF00", true, "message that cannot be read", ""},
		"no hex":                            {"hello", false, "message that cannot be read", ""},
		"odd":                               {message[:len(message)-1], false, "message that cannot be read", ""},
		"cut":                               {message[:20], false, "message that cannot be read", ""},
		"submit":                            {"0011000B911326880736F40000AA05E8329BFD06", false, "message that cannot be read", ""},
		"nothing":                           {"", false, "message that cannot be read", ""},
	}
	for name, test := range tests {
		got := arrivalOf(test.text, test.promised)
		if got.String() != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		switch {
		case got.report != nil && (got.report.MR != 0xD6 || got.report.Recipient != "+31628870634"):
			t.Errorf("%s: %+v", name, got.report)
		case got.message != nil && got.message.Deliver.Text != test.content:
			t.Errorf("%s: %+v", name, got.message)
		case got.message != nil && got.message.Err != nil && (len(got.message.Raw) > 0) == (got.message.Line != "") && test.text != "":
			t.Errorf("%s: %+v", name, got.message)
		}
	}
}
