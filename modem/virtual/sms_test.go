package virtual_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"dongled/modem/virtual"
)

func TestCMGSDialogue(t *testing.T) {
	sent := func(mr string) string { return "\r\n+CMGS: " + mr + "\r\n" + ok }
	for name, lines := range map[string][]line{
		"two messages": {
			{"AT+CMGS=19\r", prompt}, {hello + ctrlZ, sent("250")},
			{"AT+CMGS=19\r", prompt}, {hello + ctrlZ, sent("251")},
		},
		"LF of the command after the prompt": {{"AT+CMGS=19\r\n", prompt}, {hello + ctrlZ, sent("250")}},
		"in pieces":                          {{"AT+CMGS=19\r", prompt}, {hello[:9], ""}, {hello[9:], ""}, {ctrlZ, sent("250")}},
		"CR and LF inside":                   {{"AT+CMGS=19\r", prompt}, {hello[:10] + "\r\n" + hello[10:] + "\r" + ctrlZ, sent("250")}},
		"lower case":                         {{"AT+CMGS=19\r", prompt}, {strings.ToLower(hello) + ctrlZ, sent("250")}},
		"with an SMSC":                       {{"AT+CMGS=19\r", prompt}, {smscHex + hello[2:] + ctrlZ, sent("250")}},
		"a correction":                       {{"AT+CMGS=19\r", prompt}, {hello + "F\b" + ctrlZ, sent("250")}},
		"echo":                               {{"ATE1\r", ok}, {"AT+CMGS=19\r", "AT+CMGS=19\r" + prompt}, {hello + ctrlZ, hello + ctrlZ + sent("250")}},
		"cancelled": {
			{"AT+CMGS=19\r", prompt}, {hello + "\x1b", ok}, {"AT\r", ok},
			{"AT+CMGS=19\r", prompt}, {hello + ctrlZ, sent("250")},
		},
		"commands are data after a prompt": {{"AT+CMGS=19\r", prompt}, {"AT\r", ""}, {"\x1b", ok}, {"AT\r", ok}},
		"length does not match":            {{"AT+CMGS=18\r", prompt}, {hello + ctrlZ, cms + "304" + end}, {"AT+CMGS=20\r", prompt}, {hello + ctrlZ, cms + "304" + end}},
		"SCA counts not":                   {{"AT+CMGS=26\r", prompt}, {smscHex + hello[2:] + ctrlZ, cms + "304" + end}},
		"odd digits":                       {{"AT+CMGS=19\r", prompt}, {hello + "0" + ctrlZ, cms + "304" + end}},
		"no hex":                           {{"AT+CMGS=19\r", prompt}, {hello[:38] + "XY" + ctrlZ, cms + "304" + end}},
		"empty":                            {{"AT+CMGS=19\r", prompt}, {ctrlZ, cms + "304" + end}},
		"endless":                          {{"AT+CMGS=19\r", prompt}, {hello + strings.Repeat("0", 1024) + ctrlZ, cms + "304" + end}},
		"bad lengths": {
			{"AT+CMGS=0\r", cms + "304" + end}, {"AT+CMGS=165\r", cms + "304" + end},
			{"AT+CMGS=-1\r", errorLine}, {"AT+CMGS=\r", errorLine}, {"AT+CMGS\r", errorLine}, {"AT+CMGS?\r", errorLine}, {"AT+CMGS=19,1\r", errorLine},
		},
		"text mode is not simulated": {
			{"AT+CMGF=1\r", ok}, {"AT+CMGS=19\r", cms + "305" + end}, {"AT+CMGS=\"+999\"\r", cms + "303" + end},
			{"AT+CMGL=4\r", cms + "305" + end}, {"AT+CMGL=\"ALL\"\r", cms + "303" + end}, {"AT+CMGR=1\r", cms + "303" + end},
			{"AT+CMGF=0\r", ok}, {"AT+CMGS=19\r", prompt}, {"\x1b", ok},
		},
		// First octet 13 has TP-MTI 11, reserved in the direction MS to SC; 10 has 00, SMS-DELIVER-REPORT.
		"not an SMS-SUBMIT": {
			{"AT+CMGS=19\r", prompt}, {"0013" + hello[4:] + ctrlZ, cms + "97" + end},
			{"AT+CMGS=19\r", prompt}, {"0010" + hello[4:] + ctrlZ, cms + "97" + end},
		},
		"UDL beyond the data": {{"AT+CMGS=19\r", prompt}, {strings.Replace(hello, "A705", "A70F", 1) + ctrlZ, cms + "96" + end}},
		"no destination":      {{"AT+CMGS=13\r", prompt}, {"0011000091" + "0000A705E8329BFD06" + ctrlZ, cms + "96" + end}},
		"more messages":       {{"AT+CMMS=2;+CMMS?\r", "\r\n+CMMS: 2\r\n" + ok}, {"AT+CMMS=3\r", errorLine}},
	} {
		t.Run(name, func(t *testing.T) {
			transcript(t, virtual.Options{}, append([]line{{"AT+CMEE=1\r", ok}}, lines...))
		})
	}
}

func TestCMGSNeedsNetwork(t *testing.T) {
	for stat := range 11 {
		t.Run(fmt.Sprint(stat), func(t *testing.T) {
			bubble(t, virtual.Options{}, func(e *te) {
				e.dialogue("AT+CMEE=1\r", ok)
				e.d.SetRegistration(stat)
				want := "\r\n+CMGS: 250\r\n" + ok
				switch stat {
				case 0, 2, 3, 4, 8:
					want = cms + "331" + end
				}
				if got := e.submit(); got != want {
					t.Errorf("heard %q, want %q", got, want)
				}
			})
		})
	}
}

func TestCMGSNeedsServiceCentre(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.dialogue("AT+CMEE=1;+CSCA=\"\"\r", ok)
		if got := e.submit(); got != cms+"330"+end {
			t.Errorf("heard %q", got)
		}
		e.dialogue("AT+CMGS=19\r", prompt)
		e.dialogue(smscHex+hello[2:]+ctrlZ, "\r\n+CMGS: 250\r\n"+ok)
	})
}

func TestServiceCentreAddress(t *testing.T) {
	transcript(t, virtual.Options{}, []line{
		{"AT+CMEE=1;+CSCA=?\r", ok},
		{"AT+CSCA=\"+491720000000\",145;+CSCA?\r", "\r\n+CSCA: \"+491720000000\",145\r\n" + ok},
		{"AT+CSCA=\"491730000000\",145;+CSCA?\r", "\r\n+CSCA: \"+491730000000\",145\r\n" + ok},
		{"AT+CSCA=\"0172\";+CSCA?\r", "\r\n+CSCA: \"0172\",129\r\n" + ok},
		{"AT+CSCA=\"none\"\r", cms + "302" + end},
		{"AT+CSCA=0172\r", errorLine},
		{"AT+CSCA\r", errorLine},
	})
}

// TestReferenceWraps: TP-MR goes on over sessions and power-off, 255 → 0 (TS 23.040 9.2.3.6).
func TestReferenceWraps(t *testing.T) {
	var used []uint8
	opts := virtual.Options{OnReference: func(mr uint8) { used = append(used, mr) }}
	bubble(t, opts, func(e *te) {
		for i, want := range []uint8{250, 251, 252, 253, 254, 255, 0, 1} {
			if i == 3 {
				e.d.Unplug()
				e.d.Plug()
				e = plugTE(t, e.d)
				e.dialogue("ATE0\r", "ATE0\r"+ok)
			}
			if got := e.submit(); got != fmt.Sprintf("\r\n+CMGS: %d\r\n", want)+ok {
				t.Errorf("heard %q, want reference %d", got, want)
			}
			if used[i] != want {
				t.Errorf("OnReference got %d, want %d", used[i], want)
			}
		}
		if got := e.d.Submissions()[6]; got.MR != 0 || got.Session != 2 {
			t.Errorf("submission 7 is MR %d of session %d", got.MR, got.Session)
		}
		e.d.SetLastMR(41)
		if got := e.submit(); got != "\r\n+CMGS: 42\r\n"+ok {
			t.Errorf("heard %q after SetLastMR(41)", got)
		}
	})
}

func TestSubmissions(t *testing.T) {
	var told []virtual.Submission
	opts := virtual.Options{OnSubmit: func(s virtual.Submission) { told = append(told, s) }}
	bubble(t, opts, func(e *te) {
		e.dialogue("AT+CMEE=1\r", ok)
		e.submit()
		e.dialogue("AT+CMGS=18\r", prompt)
		e.dialogue(hello+ctrlZ, cms+"304"+end) // the network never sees it
		subs := e.d.Submissions()
		if len(subs) != 1 || len(told) != 1 {
			t.Fatalf("%d submissions, OnSubmit called %d times", len(subs), len(told))
		}
		s := subs[0]
		if s.Submit.Text != "hello" || s.Submit.Destination != "+99980123456" || !s.Submit.Report {
			t.Errorf("decoded as %+v", s.Submit)
		}
		if raw := strings.ToUpper(hex.EncodeToString(s.Raw)); raw != helloReport {
			t.Errorf("raw is %s", raw)
		}
		if s.MR != 250 || told[0].MR != 250 || !s.At.Equal(time.Now()) {
			t.Errorf("MR %d at %v", s.MR, s.At)
		}
	})
}

func TestDelays(t *testing.T) {
	opts := virtual.Options{
		CommandDelay: 10 * time.Millisecond, PromptDelay: 2 * time.Second, SubmitDelay: 135 * time.Second,
		ReportDelay: time.Hour,
	}
	bubble(t, opts, func(e *te) {
		// Each want arrives exactly after its delay, and nothing a nanosecond before.
		exactly := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after - 1)
			e.expect("")
			time.Sleep(time.Nanosecond)
			e.expect(want)
		}
		e.say("AT+CNMI=2,1,0,1,0\r")
		exactly(10*time.Millisecond, ok)
		e.say("AT+CMGS=19\r")
		exactly(2010*time.Millisecond, prompt)
		e.say(helloReport + ctrlZ)
		exactly(135*time.Second, "\r\n+CMGS: 250\r\n"+ok)
		time.Sleep(time.Hour - 1)
		e.expect("")
		time.Sleep(time.Nanosecond)
		if got := e.heard(); !strings.HasPrefix(got, "\r\n+CDS: 25\r\n"+smscHex+"06FA"+recipient) {
			t.Errorf("heard %q", got)
		}
	})
}
