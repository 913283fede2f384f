package configs

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setText reads s into a leaf. The error completes "KEY: VALUE: …".
func setText(v reflect.Value, s string) error {
	if c, ok := v.Interface().(chooser); ok {
		if !slices.Contains(c.choices(), s) {
			return fmt.Errorf("must be one of %s%s", strings.Join(c.choices(), ", "), didYouMean(s, c.choices()))
		}
		v.SetString(s)
		return nil
	}
	var err error
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = s
	case *int:
		*p, err = parseInt(s)
	case *bool:
		*p, err = parseBool(s)
	case *float64:
		*p, err = parseNumber(s)
	case *[]string:
		*p, err = parseList(s)
	case *[]int:
		*p, err = parseInts(s)
	case *time.Duration:
		*p, err = parseDuration(s)
	default:
		panic(fmt.Sprintf("configs: %T is no type of a setting", p))
	}
	return err
}

func parseInt(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, errors.New("must be a whole number in decimal digits")
	}
	return int(n), nil
}

func parseBool(s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, errors.New("must be true or false")
	}
	return s == "true", nil
}

func parseNumber(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, errors.New("must be a number such as 5 or 2.50")
	}
	return f, nil
}

// getText writes a leaf so that setText reads the same value.
func getText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case int:
		return strconv.Itoa(x)
	case bool:
		return strconv.FormatBool(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case []string:
		return formatList(x)
	case []int:
		return formatNumbers(x)
	case time.Duration:
		return formatDuration(x)
	}
	return v.String()
}

const day = 24 * time.Hour

var errDuration = errors.New("must be a length of time such as 180s, 10m, 24h or 30d; a number alone is seconds")

// parseDuration reads Go's notation, whole days before it (30d, 1d12h) and, as
// SMSGate's settings are written, a number alone as seconds.
func parseDuration(s string) (time.Duration, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return scale(n, time.Second)
	}
	var days time.Duration
	if head, tail, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(head, 10, 31)
		if err != nil {
			return 0, errDuration
		}
		if days, err = scale(int64(n), day); err != nil || tail == "" {
			return days, err
		}
		if s = tail; s[0] == '-' || s[0] == '+' {
			return 0, errDuration
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errDuration
	}
	if d > math.MaxInt64-days {
		return 0, errTooLong
	}
	return days + d, nil
}

var errTooLong = errors.New("is longer than 292 years")

func scale(n int64, unit time.Duration) (time.Duration, error) {
	if n > math.MaxInt64/int64(unit) || n < math.MinInt64/int64(unit) {
		return 0, errTooLong
	}
	return time.Duration(n) * unit, nil
}

// formatDuration uses the largest unit that says it in one whole number, but never "1d" for 24h.
func formatDuration(d time.Duration) string {
	for _, u := range []struct {
		unit  time.Duration
		name  string
		least time.Duration
	}{
		{day, "d", 2 * day},
		{time.Hour, "h", 2 * time.Hour},
		{time.Minute, "m", 5 * time.Minute},
		{time.Second, "s", time.Second},
	} {
		if d >= u.least && d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	if d == 0 {
		return "0"
	}
	return d.String()
}
