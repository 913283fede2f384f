package scheduler

import (
	"math"
	"testing"
)

func TestParseAmount(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "7": 7, "12.50": 12.5, "12,50": 12.5, "12,5": 12.5, "12,": 12, "12.50.": 12.5, " 12.50 ,": 12.5,
		"1.234,56": 1234.56, "1,234.56": 1234.56, "12.345.678,90": 12345678.9, "12,345,678.90": 12345678.9,
		"1 234,56": 1234.56, "1\u00a0234,56": 1234.56, "1\u202f234,5": 1234.5, "1'234.50": 1234.5, "1’234’567.50": 1234567.5,
		"12,34,567.89": 1234567.89, // as in India
		"15.000":       15000, "1,234": 1234, "1.234.567": 1234567, "1,234,567": 1234567,
		"0.500": 0.5, "0,500": 0.5, "00.125": 0.125, "1234.567": 1234.567, "1'234.567": 1234.567,
		"-3.20": -3.2, "−3,20": -3.2, "- 3,20": -3.2, "-1.234,56": -1234.56, "+5": 5, "-0,50": -0.5,
		".50": 0.5, ",5": 0.5, ".500": 0.5, "0012": 12,
	} {
		if got, ok := parseAmount(text); !ok || math.Abs(got-want) > 1e-9 {
			t.Errorf("%q: %v, %t, want %v", text, got, ok, want)
		}
	}
}

func TestParseAmountRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", ".", ",", "-", "--1", "€", "12 EUR", "1e5", "0x1F", "Inf", "NaN", "1.2.3", "1,2,3.4", "12.05.2026", "1.234.56",
		"1.23.456,7.8", "1.234,567.8", "1 2", "1 23", "1234 567", "'1", "1''2", "1.,2", "1 234'567", "٣",
	} {
		if got, ok := parseAmount(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzParseAmount(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseAmount(text)
		switch {
		case ok && (math.IsNaN(got) || math.IsInf(got, 0)):
			t.Errorf("%q is %v", text, got)
		case !ok && got != 0:
			t.Errorf("%q is refused, and %v", text, got)
		}
		if !ok {
			return
		}
		// A sentence's end and blanks around change nothing.
		if again, ok := parseAmount("  " + text + ". "); !ok || again != got {
			t.Errorf("%q is %v, in a sentence %v", text, got, again)
		}
	})
}
