package scheduler

import (
	"strconv"
	"strings"
	"unicode"
)

// parseAmount reads an amount of money as people write it: 1234.56, 1.234,56, 1,234.56, 1 234,56,
// 1'234.56, -3,20. Of two different marks the last is the decimal one. A point or comma that stands
// alone is the decimal one, unless exactly three digits follow it and one to three stand before it
// (15.000, 1,234): then it groups thousands, which is far more common than a currency of three
// decimals. A zero before it (0,500) settles that. Marks at the end belong to the sentence around.
func parseAmount(s string) (float64, bool) {
	s = strings.Trim(strings.Map(plainMark, s), " ")
	s = strings.TrimRight(s, ".,' ")
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], strings.TrimLeft(s[1:], " ")
	}
	whole, decimals := splitDecimals(s)
	whole, ok := ungroup(whole)
	if !ok || !digits(decimals) || whole+decimals == "" {
		return 0, false
	}
	amount, err := strconv.ParseFloat(sign+"0"+whole+"."+decimals+"0", 64)
	return amount, err == nil
}

// plainMark makes one blank, one apostrophe and one minus sign of the many there are.
func plainMark(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case strings.ContainsRune("’‘´`", r):
		return '\''
	case r == '−' || r == '–':
		return '-'
	}
	return r
}

// splitDecimals cuts an amount at its decimal mark, if it has one.
func splitDecimals(s string) (whole, decimals string) {
	last := strings.LastIndexAny(s, ".,")
	if last < 0 {
		return s, ""
	}
	whole, decimals = s[:last], s[last+1:]
	if strings.ContainsRune(whole, rune(s[last])) {
		return s, "" // it comes again
	}
	thousands := len(decimals) == 3 && len(whole) <= 3 && strings.Trim(whole, "0") != ""
	if thousands && digits(whole) {
		return s, ""
	}
	return whole, decimals
}

// ungroup takes out what groups digits: one kind of mark, before groups of three, or of two where
// the last has three (as in India).
func ungroup(s string) (string, bool) {
	at := strings.IndexAny(s, "., '")
	if at < 0 {
		return s, digits(s)
	}
	groups := strings.Split(s, s[at:at+1])
	last := len(groups) - 1
	for i, g := range groups {
		fits := len(g) == 3 || i < last && len(g) == 2 || i == 0 && len(g) == 1
		if !fits || !digits(g) {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
