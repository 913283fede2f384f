package settings

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// kind is how a value is read and shown.
type kind interface {
	// set reads raw, which is valid JSON and not null, into v; the problem completes "NAME …".
	set(v *Values, raw json.RawMessage) (problem string)
	// get is what set would read, and whether the value is there: not zero, not empty.
	get(v *Values) (value any, there bool)
}

const (
	// maxNumber is the highest that SMSGate's Int can have.
	maxNumber = math.MaxInt32
	// maxDays is 100 years, far beyond any use; it keeps arithmetic with time from wrapping.
	maxDays = 36500
	// maxText bounds a text, in characters.
	maxText = 1024

	day = 24 * time.Hour
)

// number is a whole number, least or more.
type number struct {
	at    func(*Values) *int
	least int
}

func (k number) set(v *Values, raw json.RawMessage) (problem string) {
	n, problem := wholeNumber(raw, k.least, maxNumber)
	if problem == "" {
		*k.at(v) = n
	}
	return problem
}

func (k number) get(v *Values) (any, bool) { return *k.at(v), *k.at(v) != 0 }

// length is a length of time, on the wire a whole number of units.
type length struct {
	at    func(*Values) *time.Duration
	unit  time.Duration
	least int
}

func (k length) set(v *Values, raw json.RawMessage) (problem string) {
	n, problem := wholeNumber(raw, k.least, k.most())
	if problem == "" {
		*k.at(v) = time.Duration(n) * k.unit
	}
	return problem
}

func (k length) most() int {
	if k.unit == day {
		return maxDays
	}
	return maxNumber
}

// get rounds up what the configuration has in smaller units: nothing that is on is shown as 0.
func (k length) get(v *Values) (any, bool) {
	d := *k.at(v)
	n := d / k.unit
	if d%k.unit > 0 {
		n++
	}
	return min(int64(n), int64(k.most())), d != 0
}

// wholeNumber takes 5, 5.0 and, as SMSGate does, either as a string.
func wholeNumber(raw json.RawMessage, least, most int) (n int, problem string) {
	digits := string(raw)
	if s, ok := jsonString(raw); ok {
		digits = s
	}
	f, err := strconv.ParseFloat(digits, 64)
	switch {
	case strings.Trim(digits, "0123456789+-.eE") != "" || digits == "":
		return 0, "must be a whole number"
	case f < float64(least):
		return 0, fmt.Sprintf("must be >= %d", least)
	case f > float64(most):
		return 0, fmt.Sprintf("must be <= %d", most)
	case err != nil || f != math.Trunc(f):
		return 0, "must be a whole number"
	}
	return int(f), ""
}

// flag is true or false.
type flag struct{ at func(*Values) *bool }

func (k flag) set(v *Values, raw json.RawMessage) (problem string) {
	on := string(raw) == "true"
	if !on && string(raw) != "false" {
		return "must be true or false"
	}
	*k.at(v) = on
	return ""
}

func (k flag) get(v *Values) (any, bool) { return *k.at(v), true }

// text is a string; problem, if set, says what else is wrong with it.
type text struct {
	at      func(*Values) *string
	problem func(string) string
}

func (k text) set(v *Values, raw json.RawMessage) (problem string) {
	s, ok := jsonString(raw)
	switch {
	case !ok:
		return "must be a string"
	case utf8.RuneCountInString(s) > maxText:
		return fmt.Sprintf("must have at most %d characters", maxText)
	case k.problem != nil:
		problem = k.problem(s)
	}
	if problem == "" {
		*k.at(v) = s
	}
	return problem
}

func (k text) get(v *Values) (any, bool) { return *k.at(v), *k.at(v) != "" }

// word is a text out of a few.
func word(at func(*Values) *string, choices ...string) kind {
	return text{at: at, problem: func(s string) string {
		if !slices.Contains(choices, s) {
			return "must be one of " + strings.Join(choices, ", ")
		}
		return ""
	}}
}

func urlProblem(s string) string {
	if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "must be an https URL without a password"
	}
	return ""
}

func clockProblem(s string) string {
	if t, err := time.Parse("15:04", s); err != nil || t.Format("15:04") != s {
		return "must be HH:mm, such as 09:00"
	}
	return ""
}

func emptyProblem(s string) string {
	if s == "" {
		return "must not be empty"
	}
	return ""
}

func jsonString(raw json.RawMessage) (s string, ok bool) {
	return s, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}
