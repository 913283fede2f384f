package scheduler

import (
	"regexp"
	"testing"
)

func TestNormalise(t *testing.T) {
	tests := []struct {
		name, number, region string
		want                 string // empty: refused
	}{
		{"E.164 stays", "+4915112345678", "", "+4915112345678"},
		{"spaces", "+49 1511 2345678", "", "+4915112345678"},
		{"dashes and brackets", "+1 (415) 555-2671", "", "+14155552671"},
		{"blanks around", "  +447911123456\t", "", "+447911123456"},
		{"trunk zero in brackets", "+49 (0)1511 2345678", "", "+4915112345678"},
		{"plus beats the region", "+447911123456", "DE", "+447911123456"},

		{"digits that lost their plus", "4915112345678", "", "+4915112345678"},
		{"digits that lost their plus, region", "4915112345678", "DE", "+4915112345678"},
		{"digits of another country, region", "447911123456", "DE", "+447911123456"},
		{"digits that are no number with a plus", "15112345678", "", ""},

		{"national", "01511 2345678", "DE", "+4915112345678"},
		{"national without trunk zero", "15112345678", "DE", "+4915112345678"},
		{"national of another region", "07911 123456", "GB", "+447911123456"},
		{"national without a region", "015112345678", "", ""},
		{"00 prefix", "004915112345678", "DE", "+4915112345678"},
		{"00 prefix to another country", "0044 7911 123456", "DE", "+447911123456"},
		{"00 prefix without a region", "004915112345678", "", ""},
		{"011 prefix", "011 49 1511 2345678", "US", "+4915112345678"},

		{"fixed line", "+49 30 123456", "", "+4930123456"},
		{"toll-free", "+1 800 253 0000", "", "+18002530000"},
		{"national toll-free", "0800 3301000", "DE", "+498003301000"},
		{"premium rate", "+49 900 1234567", "", "+499001234567"},

		{"short code", "12345", "", ""},
		{"short code with a region", "22122", "DE", ""},
		{"service code", "*100#", "DE", ""},
		{"too short", "+4915", "", ""},
		{"too long", "+4915112345678901234", "", ""},
		{"no such country", "+999123456789", "", ""},
		{"letters", "hello", "DE", ""},
		{"name", "Mum", "", ""},
		{"empty", "", "DE", ""},
		{"blank", " ", "DE", ""},
		{"plus alone", "+", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := normalise(tt.number, tt.region)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("normalise(%q, %q) = %q, %v; want %q", tt.number, tt.region, got, err, tt.want)
			}
		})
	}
}

func TestDialable(t *testing.T) {
	tests := []struct{ name, number, want string }{
		{"short code", "12345", "12345"},
		{"E.164", "+4915112345678", "+4915112345678"},
		{"service code", "*100#", "*100#"},
		{"blanks and dashes go", " 0151-123 45/678 ", "015112345678"},
		{"brackets go", "+49 (151) 12345678", "+4915112345678"},
		{"letters go", "info22122", "22122"},
		{"a second plus goes", "++49151+123", "+49151123"},
		{"a plus inside goes", "49+151", "49151"},
		{"not even valid", "+1", "+1"},
		{"20 digits", "12345678901234567890", "12345678901234567890"},
		{"21 digits", "123456789012345678901", ""},
		{"service code with a plus", "+*100#", ""},
		{"plus alone", "+", ""},
		{"letters only", "Mum", ""},
		{"other digits are not dialled", "١٢٣", ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dialable(tt.number)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("dialable(%q) = %q, %v; want %q", tt.number, got, err, tt.want)
			}
		})
	}
}

// Whatever a client puts beside or into a number must not reach an AT command.
func TestNumbersCarryNoInjection(t *testing.T) {
	clean := regexp.MustCompile(`^\+?[0-9*#]{1,20}$`)
	for _, evil := range []string{"\r", "\n", "\r\n", "\x1a", "\x1b", "\x00", "\"", ";", "\r\nAT+CMGD=1,4\r\n", "\u2028", "\uff0b"} {
		for _, number := range []string{evil + "+4915112345678", "+49151" + evil + "12345678", "+4915112345678" + evil} {
			for _, region := range []string{"", "DE"} {
				if got, err := normalise(number, region); err == nil && !clean.MatchString(got) {
					t.Errorf("normalise(%q, %q) = %q", number, region, got)
				}
			}
			got, err := dialable(number)
			if err != nil {
				t.Errorf("dialable(%q): %v", number, err)
			} else if !clean.MatchString(got) {
				t.Errorf("dialable(%q) = %q", number, got)
			}
		}
	}
}

func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"+4915112345678", "0151 12345678", "*100#", "\r\nAT", "+49;ext=1", "tel:+49-30-123456;phone-context=+49"} {
		f.Add(s, "DE")
	}
	e164 := regexp.MustCompile(`^\+[1-9][0-9]{1,17}$`)
	dialled := regexp.MustCompile(`^(\+[0-9]{1,20}|[0-9*#]{1,20})$`)
	f.Fuzz(func(t *testing.T, number, region string) {
		if got, err := normalise(number, region); err == nil {
			again, err := normalise(got, "")
			if !e164.MatchString(got) || err != nil || again != got {
				t.Errorf("normalise(%q, %q) = %q, of which %q, %v", number, region, got, again, err)
			}
		}
		if got, err := dialable(number); err == nil && !dialled.MatchString(got) {
			t.Errorf("dialable(%q) = %q", number, got)
		}
	})
}
