package pdu_test

import (
	"errors"
	"testing"
	"time"

	"dongled/pdu"
)

// TP-VP by TS 23.040 9.2.3.12.1: 0-143 (n+1) x 5 min, 144-167 12 h + (n-143) x 30 min, 168-196
// (n-166) days, 197-255 (n-192) weeks.
func TestEncodeValidity(t *testing.T) {
	const (
		day  = 24 * time.Hour
		week = 7 * day
	)
	now := time.Date(2026, 2, 27, 22, 59, 58, 1, time.FixedZone("CET", 3600)) // 21:59:58 UTC
	for _, c := range []struct {
		name string
		d    time.Duration
		want string // TP-VPF and TP-VP
	}{
		{"none", 0, "00"},
		{"1 ns", 1, "18 62207212959500"},
		{"1 s", time.Second, "18 62207222000000"},
		{"5 min less 1 s", 299 * time.Second, "18 62207222408500"},
		{"5 min", 5 * time.Minute, "10 00"},
		{"5 min 1 s", 301 * time.Second, "10 01"},
		{"10 min", 10 * time.Minute, "10 01"},
		{"1 h", time.Hour, "10 0B"},
		{"12 h less 1 s", 12*time.Hour - time.Second, "10 8F"},
		{"12 h", 12 * time.Hour, "10 8F"},
		{"12 h 1 s , half an hour short of its step", 12*time.Hour + time.Second, "18 62208201000000"},
		{"12 h 26 min", 12*time.Hour + 26*time.Minute, "10 90"},
		{"12 h 25 min overshoots by 5", 12*time.Hour + 25*time.Minute, "18 62208201429500"},
		{"12 h 30 min", 12*time.Hour + 30*time.Minute, "10 90"},
		{"24 h", day, "10 A7"},
		{"36 h, between two steps", 36 * time.Hour, "18 62301090959500"},
		{"2 d less 1 min", 2*day - time.Minute, "10 A8"},
		{"2 d", 2 * day, "10 A8"},
		{"30 d", 30 * day, "10 C4"},
		{"34 d, between two steps", 34 * day, "18 62402012959500"},
		{"5 w", 5 * week, "10 C5"},
		{"63 w", 63 * week, "10 FF"},
		{"63 w 1 min", 63*week + time.Minute, "18 72504122009500"},
		{"290 years are cut to ten of 365 days", 290 * 365 * day, "18 63205212959500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := pdu.Encode(pdu.Content{Text: "a"}, pdu.Options{To: "12", ValidFor: c.d, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			tp := s[0].TPDU
			// First octet, TP-MR, three octets of TP-DA, TP-PID, TP-DCS; at the end TP-UDL and one
			// septet.
			sameHex(t, append([]byte{tp[0] & 0x18}, tp[7:len(tp)-2]...), c.want)
		})
	}
}

func TestEncodeValidityRefuses(t *testing.T) {
	now := time.Date(2026, 2, 27, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		o    pdu.Options
		want error
	}{
		{"over", pdu.Options{To: "12", ValidFor: -1, Now: now}, pdu.ErrExpired},
		{"absolute, and no time", pdu.Options{To: "12", ValidFor: time.Minute}, pdu.ErrNoTime},
	} {
		if _, err := pdu.Encode(pdu.Content{Text: "a"}, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := pdu.Encode(pdu.Content{Text: "a"}, pdu.Options{To: "12", ValidFor: time.Hour}); err != nil {
		t.Errorf("relative needs no time: %v", err)
	}
}

func TestDecodeValidity(t *testing.T) {
	for _, c := range []struct {
		name, first, vp string
		want            pdu.Validity
	}{
		{"none", "01", "", pdu.Validity{Format: pdu.ValidityNone}},
		{"relative 0", "11", "00", pdu.Validity{Format: pdu.ValidityRelative, For: 5 * time.Minute}},
		{"relative 143", "11", "8F", pdu.Validity{Format: pdu.ValidityRelative, For: 12 * time.Hour}},
		{"relative 167", "11", "A7", pdu.Validity{Format: pdu.ValidityRelative, For: 24 * time.Hour}},
		{"relative 168", "11", "A8", pdu.Validity{Format: pdu.ValidityRelative, For: 48 * time.Hour}},
		{"relative 255", "11", "FF", pdu.Validity{Format: pdu.ValidityRelative, For: 63 * 7 * 24 * time.Hour}},
		{"absolute", "19", "62208212345440",
			pdu.Validity{Format: pdu.ValidityAbsolute, Until: zoned(4, 2026, 2, 28, 21, 43, 45)}},
		{"enhanced, seconds", "09", "42030000000000",
			pdu.Validity{Format: pdu.ValidityEnhanced, For: 3 * time.Second}},
		{"enhanced, hh mm ss", "09", "03102030000000",
			pdu.Validity{Format: pdu.ValidityEnhanced, For: time.Hour + 2*time.Minute + 3*time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := pdu.DecodeSubmit(unhex(t, "00"+c.first+"00"+"028121"+"0000"+c.vp+"0161"))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "format", s.Validity.Format, c.want.Format)
			equal(t, "period", s.Validity.For, c.want.For)
			if !s.Validity.Until.Equal(c.want.Until) {
				t.Errorf("until %v, want %v", s.Validity.Until, c.want.Until)
			}
			sameHex(t, s.Validity.Octets, c.vp)
		})
	}
}
