package scheduler

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"dongled/pdu"
)

var (
	errNotANumber = errors.New("not a valid phone number; write it as + and country code, such as +4915112345678")
	errNoDialable = errors.New("nothing in it can be dialled")
)

// normalise returns the number as E.164. A national number is read in region (empty: none); digits
// that are an international number without its plus pass too, as exports from spreadsheets lose it.
// Digits that can be read both ways are read as a mobile number: 4915112345678 is also a fixed line
// of a German town, written without its 0.
func normalise(number, region string) (string, error) {
	number = strings.TrimSpace(number)
	candidates := []struct{ number, region string }{{number, region}}
	if !strings.HasPrefix(number, "+") {
		candidates = append(candidates, struct{ number, region string }{"+" + number, ""})
	}
	fixed := ""
	for _, c := range candidates {
		n, err := phonenumbers.Parse(c.number, c.region)
		if err != nil || !phonenumbers.IsValidNumber(n) {
			continue
		}
		e164 := phonenumbers.Format(n, phonenumbers.E164)
		switch phonenumbers.GetNumberType(n) {
		case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
			return e164, nil
		}
		if fixed == "" {
			fixed = e164
		}
	}
	if fixed == "" {
		return "", errNotANumber
	}
	return fixed, nil
}

// dialable keeps of an unvalidated number what can be dialled: digits, '*', '#' and a leading '+'.
func dialable(number string) (string, error) {
	kept := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '*' || r == '#' || r == '+' {
			return r
		}
		return -1
	}, number)
	plus := strings.HasPrefix(kept, "+")
	kept = strings.ReplaceAll(kept, "+", "")
	if kept == "" {
		return "", errNoDialable
	}
	if plus {
		kept = "+" + kept
	}
	if err := pdu.ValidAddress(kept); err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), "pdu: "))
	}
	return kept, nil
}
