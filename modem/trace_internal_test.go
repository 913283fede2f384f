package modem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const tracedPDU = "0011000B911326880736F40000AA05E8329BFD06"

// Neither PIN nor PDU nor text nor number may be read in a log; identities may, and so may
// commands. The trace gives texts when it is asked for them, and the PIN never.
func TestTraceMasks(t *testing.T) {
	tests := map[string]struct {
		lines []string // a leading > is said by us
		masks []string
		texts []string
	}{
		"PIN":            {[]string{">AT+CPIN=\"4711\"\r\n"}, []string{"AT+CPIN=<masked>"}, []string{"AT+CPIN=<masked>"}},
		"PIN echoed":     {[]string{`AT+cpin="4711"`}, []string{"AT+cpin=<masked>"}, []string{"AT+cpin=<masked>"}},
		"PIN torn apart": {[]string{"AT+CP", `IN="4711"`}, []string{"AT+CP", "IN=<masked>"}, []string{"AT+CP", "IN=<masked>"}},
		"PDU said":       {[]string{">" + tracedPDU + "\x1a"}, []string{"<PDU of 20 octets>"}, []string{tracedPDU}},
		"PDU heard":      {[]string{"+CDS: 19", strings.ToLower(tracedPDU)}, []string{"+CDS: 19", "<PDU of 20 octets>"}, []string{"+CDS: 19", strings.ToLower(tracedPDU)}},
		"PDU in a line":  {[]string{"+CMGS: 7," + tracedPDU}, []string{"+CMGS: 7,<PDU of 20 octets>"}, []string{"+CMGS: 7," + tracedPDU}},
		"USSD":           {[]string{`+CUSD: 0,"Your balance is 12.34",15`}, []string{"+CUSD:<masked>"}, []string{`+CUSD: 0,"Your balance is 12.34",15`}},
		"USSD said":      {[]string{`>AT+CUSD=1,"*103*123456789#",15`}, []string{"AT+CUSD=<masked>"}, []string{`AT+CUSD=1,"*103*123456789#",15`}},
		"USSD of lines": {
			[]string{`+CUSD: 0,"Balance`, "OK", `12.34",15`, "OK"},
			[]string{"+CUSD:<masked>", "<masked>", "<masked>", "OK"},
			[]string{`+CUSD: 0,"Balance`, "OK", `12.34",15`, "OK"},
		},
		"text mode": {
			[]string{`+CMT: "+4917012","",""`, "See you at noon", "OK"},
			[]string{"+CMT:<masked>", "<masked>", "OK"},
			[]string{`+CMT: "+4917012","",""`, "See you at noon", "OK"},
		},
		"text mode, a list": {
			[]string{`+CMGL: 1,"REC READ","+4917012"`, "one", "two", `+CMGL: 2,"REC READ",""`, "three", "OK", "huawei"},
			[]string{`+CMGL: 1,"REC READ","<number>"`, "<masked>", "<masked>", `+CMGL: 2,"REC READ",""`, "<masked>", "OK", "huawei"},
			[]string{`+CMGL: 1,"REC READ","+4917012"`, "one", "two", `+CMGL: 2,"REC READ",""`, "three", "OK", "huawei"},
		},
		"name in the phone book": {
			[]string{`+CMGL: 1,1,"Anna Müller",19`, `+CMGR: "REC UNREAD","BankOfX",,"26/04/05,10:11:12+08"`, `+CMGR: 0,"",19,""`},
			[]string{`+CMGL: 1,1,"<name>",19`, `+CMGR: "REC UNREAD","<name>",,"26/04/05,10:11:12+08"`, `+CMGR: 0,"",19,""`},
			[]string{`+CMGL: 1,1,"Anna M\xc3\xbcller",19`, `+CMGR: "REC UNREAD","BankOfX",,"26/04/05,10:11:12+08"`, `+CMGR: 0,"",19,""`},
		},
		"own number": {[]string{`+CNUM: "Ann","+491701234567",145`}, []string{"+CNUM:<masked>"}, []string{`+CNUM: "Ann","+491701234567",145`}},
		"caller":     {[]string{`+CLIP: "+491701234567",145`}, []string{"+CLIP:<masked>"}, []string{`+CLIP: "+491701234567",145`}},
		"SMSC":       {[]string{`+CSCA: "+491710760000",145`}, []string{`+CSCA: "<number>",145`}, []string{`+CSCA: "+491710760000",145`}},
		"identities": {[]string{"861234567890123", "+CCID: 8949020000012345678F"}, []string{"861234567890123", "+CCID: 8949020000012345678F"}, []string{"861234567890123", "+CCID: 8949020000012345678F"}},
		"command":    {[]string{">AT+CMGS=19\r"}, []string{"AT+CMGS=19"}, []string{"AT+CMGS=19"}},
		"cell":       {[]string{`+CREG: 2,1,"00C3","12AB"`}, []string{`+CREG: 2,1,"00C3","12AB"`}, []string{`+CREG: 2,1,"00C3","12AB"`}},
		"noise":      {[]string{"a\x00\xffb", ">\x1b"}, []string{`a\x00\xffb`, `\x1b`}, []string{`a\x00\xffb`, `\x1b`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			w := New(Config{})
			tr := newTracer(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), &w.ring, "4711")
			for _, line := range test.lines {
				if ours, said := strings.CutPrefix(line, ">"); said {
					tr.sent([]byte(ours))
				} else {
					tr.received([]byte(line))
				}
			}
			check := func(texts bool, want []string) {
				t.Helper()
				got := w.Trace(texts)
				for i, line := range got {
					if sent := strings.HasPrefix(test.lines[i], ">"); line.Text != want[i] || line.Sent != sent {
						t.Errorf("line %d is %q, sent %t; want %q", i, line.Text, line.Sent, want[i])
					}
				}
				if len(got) != len(want) {
					t.Errorf("%d lines, want %d", len(got), len(want))
				}
			}
			check(false, test.masks)
			check(true, test.texts)
			for i, text := range strings.Split(strings.TrimSpace(log.String()), "\n") {
				var record struct{ Line string }
				if err := json.Unmarshal([]byte(text), &record); err != nil || record.Line != test.masks[i] {
					t.Errorf("logged %s, want %q", text, test.masks[i])
				}
			}
		})
	}
}

// Nothing is logged line by line above level Debug; the trace is kept all the same.
func TestTraceAboveDebug(t *testing.T) {
	var log bytes.Buffer
	w := New(Config{})
	tr := newTracer(slog.New(slog.NewTextHandler(&log, nil)), &w.ring, "")
	tr.sent([]byte("AT\r\n"))
	if log.Len() != 0 || len(w.Trace(false)) != 1 {
		t.Errorf("log %q, trace %v", log.String(), w.Trace(false))
	}
}

// The ring keeps the last lines, bounded in number and length.
func TestRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{})
		started := time.Now()
		for i := range ringLines + 150 {
			w.ring.add(heard, false, fmt.Appendf(nil, "line %d", i))
			if n := len(w.Trace(true)); n != min(i+1, ringLines) {
				t.Fatalf("%d lines after %d", n, i+1)
			}
			time.Sleep(time.Second)
		}
		w.remark("usb-reset")
		w.ring.add(said, false, bytes.Repeat([]byte("x"), 5000))
		got := w.Trace(true)
		first, last := got[0], got[len(got)-1]
		if first.Text != "line 152" || !first.At.Equal(started.Add(152*time.Second)) || first.Sent {
			t.Errorf("first line %+v", first)
		}
		if len(last.Text) != ringLine || !last.Sent || got[len(got)-2].Text != "# usb-reset" {
			t.Errorf("last lines %+v", got[len(got)-2:])
		}
		dump := strings.Split(strings.TrimSpace(w.dump()), "\n")
		if len(dump) != dumpLines || !strings.HasSuffix(dump[0], " < line 512") || !strings.HasSuffix(dump[38], " # usb-reset") || !strings.Contains(dump[39], " > x") {
			t.Errorf("dump of %d lines: %q … %q %q", len(dump), dump[0], dump[38], dump[39][:40])
		}
	})
}
