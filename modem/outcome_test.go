package modem_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dongled/modem"
)

// The causes as the standards and the makers list them, and what each asks for: P permanent,
// S SIM fault, T transient, M modem fault, A ambiguous.
func TestCMS(t *testing.T) {
	wants := map[byte][]int{
		'P': {1, 21, 95, 96, 97, 99, 128, 129, 130, 143, 144, 145, 159, 160, 161, 175, 176, 195, 196, 197, 198, 199, 303, 304, 516, 517, 519, 531, 538, 549, 550, 551, 553, 554},
		'S': {8, 10, 28, 29, 30, 50, 69, 193, 312, 315, 316, 317, 318, 330, 770},
		'T': {0, 11, 17, 22, 27, 31, 38, 41, 42, 47, 81, 98, 111, 126, 131, 146, 162, 177, 192, 194, 200, 212, 213, 214, 224, 254, 255, 301, 314, 512, 514, 518, 520, 522, 534, 535, 615, 616},
		'M': {34, 208, 209, 210, 211, 300, 302, 305, 310, 311, 313, 320, 322, 331, 340, 399, 511, 515, 526, 529, 532, 772},
		'A': {127, 332, 350, 500, 513, 521, 600, 999, -1},
	}
	checkFaults(t, "CMS", wants, modem.CMS)
}

func TestCME(t *testing.T) {
	wants := map[byte][]int{
		'P': {4, 21, 22, 24, 25, 26, 27, 50, 150},
		'S': {5, 6, 7, 12, 15, 16, 17, 18, 32, 40, 48, 103, 106, 107, 111, 112, 113, 133, 149},
		'T': {3, 14, 132, 134, 148},
		'M': {0, 1, 2, 10, 11, 13, 20, 23, 30},
		'A': {31, 100, 257, -1},
	}
	checkFaults(t, "CME", wants, modem.CME)
}

var actions = map[byte]modem.Action{
	'P': modem.Permanent, 'S': modem.SIMFault, 'T': modem.Transient, 'M': modem.ModemFault, 'A': modem.Ambiguous,
}

func checkFaults(t *testing.T, family string, wants map[byte][]int, of func(int) modem.Fault) {
	for letter, codes := range wants {
		for _, code := range codes {
			f := of(code)
			if f.Action != actions[letter] || f.Code != code || f.Family != family {
				t.Errorf("%s %d is %+v, want %v", family, code, f, actions[letter])
			}
			if f.Text == "" || !strings.HasPrefix(f.Result, "RESULT_") {
				t.Errorf("%s %d says nothing: %+v", family, code, f)
			}
			switch f.Action {
			case modem.SIMFault:
				if f.Warning == "" {
					t.Errorf("%s %d pauses a SIM without a warning", family, code)
				}
			case modem.Transient, modem.ModemFault:
				if f.Delay <= 0 {
					t.Errorf("%s %d is tried again without a delay", family, code)
				}
			}
		}
	}
}

func TestFaultDetails(t *testing.T) {
	tests := []struct {
		f       modem.Fault
		text    string
		result  string
		delay   time.Duration
		tries   int
		warning string
	}{
		{modem.CMS(8), "+CMS ERROR: 8 (operator determined barring)", "RESULT_RIL_ACCESS_BARRED", 0, 0, "operator-barred"},
		{modem.CMS(21), "+CMS ERROR: 21 (short message transfer rejected)", "RESULT_NETWORK_REJECT", 0, 0, ""},
		{modem.CMS(38), "+CMS ERROR: 38 (network out of order)", "RESULT_NETWORK_ERROR", 5 * time.Minute, 0, ""},
		{modem.CMS(41), "+CMS ERROR: 41 (temporary failure)", "RESULT_NETWORK_ERROR", 5 * time.Second, 0, ""},
		{modem.CMS(42), "+CMS ERROR: 42 (congestion)", "RESULT_RIL_REQUEST_RATE_LIMITED", time.Minute, 0, ""},
		{modem.CMS(98), "+CMS ERROR: 98 (message not compatible with short message protocol state)", "RESULT_INVALID_STATE", 5 * time.Second, 2, ""},
		{modem.CMS(255), "+CMS ERROR: 255 (unspecified error cause)", "RESULT_ERROR_GENERIC_FAILURE", 30 * time.Second, 2, ""},
		{modem.CMS(302), "+CMS ERROR: 302 (operation not allowed)", "RESULT_OPERATION_NOT_ALLOWED", 10 * time.Second, 0, ""},
		{modem.CMS(303), "+CMS ERROR: 303 (operation not supported)", "RESULT_REQUEST_NOT_SUPPORTED", 0, 0, ""},
		{modem.CMS(304), "+CMS ERROR: 304 (invalid PDU mode parameter)", "RESULT_INVALID_SMS_FORMAT", 0, 0, ""},
		{modem.CMS(305), "+CMS ERROR: 305 (invalid text mode parameter)", "RESULT_INVALID_ARGUMENTS", 5 * time.Second, 0, ""},
		{modem.CMS(310), "+CMS ERROR: 310 ((U)SIM not inserted)", "RESULT_RIL_SIM_ABSENT", 30 * time.Second, 0, "no-sim"},
		{modem.CMS(322), "+CMS ERROR: 322 (memory full)", "RESULT_NO_MEMORY", 30 * time.Second, 0, "storage-full"},
		{modem.CMS(330), "+CMS ERROR: 330 (SMSC address unknown)", "RESULT_INVALID_SMSC_ADDRESS", 0, 0, "smsc-unknown"},
		{modem.CMS(331), "+CMS ERROR: 331 (no network service)", "RESULT_ERROR_NO_SERVICE", 5 * time.Second, 0, ""},
		{modem.CMS(332), "+CMS ERROR: 332 (network timeout)", "RESULT_NETWORK_ERROR", 0, 0, ""},
		{modem.CMS(500), "+CMS ERROR: 500 (unknown error)", "RESULT_MODEM_ERROR", 0, 0, ""},
		{modem.CMS(1234), "+CMS ERROR: 1234 (unknown to the standard)", "RESULT_ERROR_GENERIC_FAILURE", 0, 0, ""},
		{modem.CME(10), "+CME ERROR: 10 (SIM not inserted)", "RESULT_RIL_SIM_ABSENT", 30 * time.Second, 0, "no-sim"},
		{modem.CME(16), "+CME ERROR: 16 (incorrect password)", "RESULT_INVALID_STATE", 0, 0, "pin-refused"},
	}
	for _, test := range tests {
		f := test.f
		if f.String() != test.text || f.Result != test.result || f.Delay != test.delay || f.Tries != test.tries || f.Warning != test.warning {
			t.Errorf("%+v, want %+v", f, test)
		}
	}
}

func TestSubmitErrorText(t *testing.T) {
	e := &modem.SubmitError{Fault: modem.CMS(21), Submitted: true}
	if e.Error() != "+CMS ERROR: 21 (short message transfer rejected)" || e.Unwrap() != nil {
		t.Errorf("%q", e)
	}
	e = &modem.SubmitError{Fault: modem.Fault{Action: modem.Transient, Text: "cancelled"}, Err: context.Canceled}
	if e.Error() != "cancelled: context canceled" || !errors.Is(e, context.Canceled) {
		t.Errorf("%q", e)
	}
	for a, want := range map[modem.Action]string{modem.Permanent: "permanent", modem.Ambiguous: "ambiguous", 0: "none", 77: "Action(77)"} {
		if a.String() != want {
			t.Errorf("%d is %q, want %q", a, a, want)
		}
	}
}

func TestRegistered(t *testing.T) {
	for stat := -1; stat <= 11; stat++ {
		want := strings.Contains(" 1 5 6 7 9 10 ", " "+itoa(stat+256)+" ")
		if got := modem.Registered(stat); got != want {
			t.Errorf("Registered(%d) = %t", stat, got)
		}
	}
}
