package pdu_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"dongled/pdu"
)

// Packed by hand, or as sticks and networks were seen to send them: AA180C3602 is the "*100#" that
// Huawei's sticks want.
func TestPackUSSD(t *testing.T) {
	tests := map[string]struct{ text, hex string }{
		"a code":                             {"*100#", "AA180C3602"},
		"one character":                      {"1", "31"},
		"seven, filled with CR":              {"1234567", "31D98C56B3DD1A"},
		"eight":                              {"12345678", "31D98C56B3DD70"},
		"eight that end with CR":             {"1234567\r", "31D98C56B3DD1A0D"},
		"a last character with few bits set": {"a$", "6101"},
		"an escape":                          {"{}", "1BD42605"},
	}
	for name, test := range tests {
		got, err := pdu.PackUSSD(test.text)
		if err != nil || strings.ToUpper(hex.EncodeToString(got)) != test.hex {
			t.Errorf("%s: %X, %v, want %s", name, got, err, test.hex)
		}
		raw, err := hex.DecodeString(test.hex)
		if err != nil {
			t.Fatal(err)
		}
		if got := pdu.UnpackUSSD(raw); got != test.text && name != "eight that end with CR" {
			t.Errorf("%s: read as %q, want %q", name, got, test.text)
		}
	}
	// The CR that keeps the first from reading as filling goes, and the first stays.
	if got := pdu.UnpackUSSD([]byte{0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x1A, 0x0D}); got != "1234567\r" {
		t.Errorf("a text that ends with CR reads %q", got)
	}
	// Zeros fill as well.
	if got := pdu.UnpackUSSD([]byte{0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x00}); got != "1234567" {
		t.Errorf("filled with zeros: %q", got)
	}
	if got := pdu.UnpackUSSD(nil); got != "" {
		t.Errorf("nothing reads %q", got)
	}
}

func TestPackUSSDRefuses(t *testing.T) {
	if _, err := pdu.PackUSSD(""); !errors.Is(err, pdu.ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := pdu.PackUSSD("日本"); err == nil {
		t.Error("packed what GSM-7 lacks")
	}
	if b, err := pdu.PackUSSD(strings.Repeat("1", 182)); err != nil || len(b) != 160 {
		t.Errorf("182 characters: %d octets, %v", len(b), err)
	}
	if _, err := pdu.PackUSSD(strings.Repeat("1", 183)); !errors.Is(err, pdu.ErrTooLong) {
		t.Errorf("183 characters: %v", err)
	}
}

// What is packed is read again, but for the "@" that ends 8n characters, and for a CR after a CR, which fills.
func FuzzPackUSSD(f *testing.F) {
	for _, seed := range []string{"*100#", "1234567", "1234567\r", "a$", "Guthaben: 12,34 €", "{}", "\r\r\r\r\r\r\r\r"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := pdu.PackUSSD(text)
		if err != nil {
			return
		}
		if got := pdu.UnpackUSSD(b); got != text && !strings.HasSuffix(text, "@") && !strings.HasSuffix(text, "\r\r") {
			t.Errorf("%q is packed as %X, which reads %q", text, b, got)
		}
	})
}
