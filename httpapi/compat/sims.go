package compat

import (
	"strconv"
	"strings"

	"dongled/modem"
)

// SIM finds the one that a client means by its own number, with or without + or 00, by its name in the
// configuration, or by its simNumber.
func SIM(sims []modem.Status, name string) (modem.Status, bool) {
	name = strings.TrimSpace(name)
	for _, st := range sims {
		if name != "" && st.Name == name {
			return st, true
		}
	}
	wanted := digits(name)
	for _, st := range sims {
		if own := digits(st.Number); own != "" && own == wanted {
			return st, true
		}
	}
	n, err := strconv.Atoi(name)
	for _, st := range sims {
		if err == nil && st.SIM == n {
			return st, true
		}
	}
	return modem.Status{}, false
}

// digits are those of a number, without the + or 00 that says that it has its country code; "" if it has
// anything else.
func digits(number string) string {
	plain := strip(number)
	if led, is := strings.CutPrefix(plain, "+"); is {
		plain = led
	} else {
		plain = strings.TrimPrefix(plain, "00")
	}
	if strings.Trim(plain, "0123456789") != "" {
		return ""
	}
	return plain
}

// strip takes out what people write between digits, and the (0) behind a country code that is for callers
// at home.
func strip(number string) string {
	number = strings.TrimSpace(number)
	if at := strings.Index(number, "(0)"); at > 0 {
		number = number[:at] + number[at+len("(0)"):]
	}
	return strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "", "/", "").Replace(number)
}

// International reads a number that has its country code, with or without + or 00, as E.164 (ITU-T) with
// its 7 to 15 digits, of which the first is never 0. It knows nothing of the numbers that countries gave
// away; ok is false for what can be nobody's.
func International(number string) (e164 string, ok bool) {
	plain := digits(number)
	if len(plain) < 7 || len(plain) > 15 || plain[0] == '0' {
		return "", false
	}
	return "+" + plain, true
}
