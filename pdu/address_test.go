package pdu_test

import (
	"errors"
	"strings"
	"testing"

	"dongled/pdu"
)

func TestValidAddress(t *testing.T) {
	twenty := strings.Repeat("1234567890", 2)
	for _, ok := range []string{"+4915112345678", "+1", "12345", "0151123456", "*100#", "#31#0151", "+" + twenty, twenty} {
		if err := pdu.ValidAddress(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{"", "+", "abc", "+49 151", "+49-151", "0151/1", "++49", "4+9", "+*100#", "a",
		"+" + twenty + "1", twenty + "1", "٣٤٥", "1\r2", "1\x1a", "1;2"} {
		if err := pdu.ValidAddress(bad); !errors.Is(err, pdu.ErrAddress) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := pdu.Encode(pdu.Content{Text: "a"}, pdu.Options{To: bad}); !errors.Is(err, pdu.ErrAddress) {
			t.Errorf("Encode to %q: %v", bad, err)
		}
	}
}

func TestValidSMSC(t *testing.T) {
	for _, ok := range []string{"", "+491760000470", "491760000470"} {
		if err := pdu.ValidSMSC(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{"+", "*100#", "1#", "FONIC", "+49 176", strings.Repeat("1", 21)} {
		if err := pdu.ValidSMSC(bad); !errors.Is(err, pdu.ErrAddress) {
			t.Errorf("%q: %v", bad, err)
		}
		o := pdu.Options{To: "1", SMSC: bad}
		if _, err := pdu.Encode(pdu.Content{Text: "a"}, o); !errors.Is(err, pdu.ErrAddress) {
			t.Errorf("Encode over %q: %v", bad, err)
		}
	}
}

func TestSameNumber(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"+4915259911630", "+4915259911630", true},
		{"+4915259911630", "4915259911630", true},
		{"+4915259911630", "015259911630", true},
		{"+4915259911630", "004915259911630", true},
		{"+4915259911630", "9911630", true},
		{"+4915259911630", "911630", true},
		{"+358123456789", "123456789", true},
		{"+#08427829207025", "+27829207025", true},
		{"+#08427829207025", "0829207025", true},
		{"639337937", "+34639337937", true},
		{"12345", "12345", true},
		{"*21#", "*21#", true},

		{"+4915259911630", "11630", false}, // five digits are no proof
		{"+4915259911630", "0011630", false},
		{"+4915259911630", "+4915259911631", false},
		{"+4915259911630", "+4915259911", false}, // a beginning is no end
		{"12345", "2345", false},
		{"12345", "012345", false},
		{"", "", false},
		{"", "+4915259911630", false},
		{"FONIC", "+4915259911630", false},
		{"000000", "+4915259000000", false},
	} {
		if got := pdu.SameNumber(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %v", c.a, c.b, got)
		}
		if got := pdu.SameNumber(c.b, c.a); got != c.want {
			t.Errorf("%q, %q: %v", c.b, c.a, got)
		}
	}
}

func TestDecodeHex(t *testing.T) {
	for _, s := range []string{"00a1FF", "00A1ff"} {
		b, err := pdu.DecodeHex(s)
		if err != nil {
			t.Fatal(err)
		}
		sameHex(t, b, "00A1FF")
	}
	for _, s := range []string{"0", "00A", "0G", " 00", "00\r", "+CDS: 25"} {
		if b, err := pdu.DecodeHex(s); !errors.Is(err, pdu.ErrMalformed) {
			t.Errorf("%q: % X, %v", s, b, err)
		}
	}
}
