package pdu

import (
	"fmt"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"
)

const (
	day  = 24 * time.Hour
	week = 7 * day

	// validityStep is the finest step of a relative TP-VP, and by how much less than which a
	// period may be rounded up.
	validityStep = 5 * time.Minute
	// maxRelative is the longest relative TP-VP.
	maxRelative = 63 * week
	// maxValidity bounds the absolute TP-VP, whose year has two digits. No Service Centre keeps a
	// message for so long.
	maxValidity = 10 * 365 * day
)

// ValidityFormat is TP-VPF (3GPP TS 23.040 9.2.3.3).
type ValidityFormat uint8

// The values of TP-VPF.
const (
	ValidityNone ValidityFormat = iota
	ValidityEnhanced
	ValidityRelative
	ValidityAbsolute
)

// Validity is a received TP-VP (3GPP TS 23.040 9.2.3.12).
type Validity struct {
	Format ValidityFormat
	// For is the period of a relative or an enhanced TP-VP, counted from receipt by the Service
	// Centre.
	For time.Duration
	// Until is the absolute TP-VP.
	Until time.Time
	// Octets is TP-VP as received: 0, 1 or 7.
	Octets []byte
}

// validityPeriod chooses how TP-VP says d: relative where that, rounded up, is right to less than
// five minutes, so always from 5 minutes to 12 hours; absolute in UTC otherwise.
func validityPeriod(d time.Duration, now time.Time) (tpdu.ValidityPeriod, error) {
	var vp tpdu.ValidityPeriod
	switch {
	case d == 0:
		return vp, nil
	case d < 0:
		return vp, ErrExpired
	}
	if r := roundUpRelative(d); d >= validityStep && d <= maxRelative && r-d < validityStep {
		if r == validityStep {
			// tpdu codes five minutes as ten, and anything less as five.
			r = 0
		}
		vp.SetRelative(r)
		return vp, nil
	}
	if now.IsZero() {
		return vp, fmt.Errorf("%w: Options.Now, for an absolute validity period", ErrNoTime)
	}
	until := now.UTC().Add(min(d, maxValidity) + time.Second - 1).Truncate(time.Second)
	vp.SetAbsolute(tpdu.Timestamp{Time: until})
	return vp, nil
}

// roundUpRelative returns the shortest relative TP-VP that is not shorter than d. The steps of
// tpdu round down, to nearly half in the worst case.
func roundUpRelative(d time.Duration) time.Duration {
	step := week
	switch {
	case d <= 12*time.Hour:
		step = validityStep
	case d <= day:
		step = 30 * time.Minute
	case d <= 30*day:
		step = day
	}
	return (d + step - 1) / step * step
}

// validity reads TP-VP of the given format as a network would.
func (r *reader) validity(format ValidityFormat) Validity {
	const field = "TP-VP"
	v := Validity{Format: format}
	switch format {
	case ValidityRelative:
		v.Octets = r.take(field, 1)
	case ValidityEnhanced, ValidityAbsolute:
		v.Octets = r.take(field, timestampLength)
	}
	if r.err != nil || format == ValidityNone {
		return v
	}
	if format == ValidityAbsolute {
		if v.Until = decodeTime(v.Octets); v.Until.IsZero() {
			r.err = malformed(field, "% X is no time", v.Octets)
		}
		return v
	}
	var vp tpdu.ValidityPeriod
	if _, err := vp.UnmarshalBinary(v.Octets, tpdu.ValidityPeriodFormat(format)); err != nil {
		r.err = malformed(field, "% X: %v", v.Octets, err)
	}
	v.For = vp.Duration
	return v
}
