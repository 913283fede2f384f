package compat_test

import (
	"regexp"
	"testing"

	"dongled/httpapi/compat"
	"dongled/modem"
)

func TestSIM(t *testing.T) {
	sims := []modem.Status{
		{SIM: 1, Name: "office", Number: "+49151000001"},
		{SIM: 2, Name: "3"},
		{SIM: 3, Number: "00 49 151 000003"},
		{SIM: 49},
	}
	for _, tt := range []struct {
		name string
		want int // 0 for none
	}{
		{"office", 1}, {" office ", 1}, {"Office", 0},
		{"+49151000001", 1}, {"0049151000001", 1}, {"49151000001", 1}, {"+49 (0)151 000-001", 1}, {"+49151000003", 3},
		{"3", 2}, // a name comes before a simNumber
		{"1", 1}, {"2", 2}, {"49", 49}, {"01", 1},
		{"", 0}, {" ", 0}, {"+", 0}, {"00", 0}, {"0", 0}, {"4", 0}, {"-1", 0}, {"+49151000002", 0}, {"1x", 0}, {"99999999999999999999", 0},
	} {
		got, ok := compat.SIM(sims, tt.name)
		if ok != (tt.want != 0) || got.SIM != tt.want {
			t.Errorf("%q is %d, %t; want %d", tt.name, got.SIM, ok, tt.want)
		}
	}
	if _, ok := compat.SIM(nil, "1"); ok {
		t.Error("found one of none")
	}
}

func TestInternational(t *testing.T) {
	for _, tt := range []struct{ number, want string }{
		{"+491510000001", "+491510000001"},
		{"00491510000001", "+491510000001"},
		{"491510000001", "+491510000001"},
		{" +49 151 / 000-0001 ", "+491510000001"},
		{"+49 (0) 151 0000001", "+491510000001"},
		{"(415) 555.0100", "+4155550100"},
		{"1234567", "+1234567"},
		{"123456789012345", "+123456789012345"},
		{"123456", ""},
		{"1234567890123456", ""},
		{"01510000001", ""},
		{"(0)1510000001", ""},
		{"+00491510000001", ""},
		{"++491510000001", ""},
		{"0000491510000001", ""},
		{"+49151000000١", ""},
		{"+49151000000x", ""},
		{"ACME", ""},
		{"", ""},
	} {
		if got, ok := compat.International(tt.number); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%q is %q, %t; want %q", tt.number, got, ok, tt.want)
		}
	}
}

// FuzzInternational: whatever comes in, what goes out is E.164, and is read as itself.
func FuzzInternational(f *testing.F) {
	e164 := regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	f.Fuzz(func(t *testing.T, number string) {
		got, ok := compat.International(number)
		if !ok && got != "" || ok && !e164.MatchString(got) {
			t.Fatalf("%q is %q, %t", number, got, ok)
		}
		if again, _ := compat.International(got); again != got {
			t.Errorf("%q is read as %q", got, again)
		}
	})
}
