package pdu

import (
	"time"

	"github.com/warthog618/sms/encoding/bcd"
	"github.com/warthog618/sms/encoding/tpdu"
)

// timestampLength is the octets of a TP time (TS 23.040 9.2.3.11).
const timestampLength = 7

// maxZone is the farthest zone that one octet can say, in quarters of an hour.
const maxZone = 79

// decodeTime reads a TP time. What is no date, such as the zeros or ones with which some Service
// Centres fill an unknown time, is the zero time: time.Date would make a plausible one of it. A
// zone that cannot be read is taken for UTC.
func decodeTime(b []byte) time.Time {
	if len(b) != timestampLength {
		return time.Time{}
	}
	var f [6]int
	for i := range f {
		n, err := bcd.Decode(b[i])
		if err != nil {
			return time.Time{}
		}
		f[i] = n
	}
	zone := time.UTC
	if quarters, err := bcd.DecodeSigned(b[6]); err == nil && quarters != 0 {
		zone = time.FixedZone("", quarters*15*60)
	}
	year := 2000 + f[0]
	if f[0] >= 70 {
		year = 1900 + f[0]
	}
	t := time.Date(year, time.Month(f[1]), f[2], f[3], f[4], f[5], 0, zone)
	same := t.Month() == time.Month(f[1]) && t.Day() == f[2] &&
		t.Hour() == f[3] && t.Minute() == f[4] && t.Second() == f[5]
	if !same {
		return time.Time{}
	}
	return t
}

// timestamp is t for writing, in its own zone rounded to a quarter of an hour, or in UTC if that is
// no zone of this earth. tpdu's writer would round the zone alone, and so change the time.
func timestamp(t time.Time) tpdu.Timestamp {
	_, offset := t.Zone()
	quarters := offset / (15 * 60)
	if quarters < -maxZone || quarters > maxZone {
		quarters = 0
	}
	return tpdu.Timestamp{Time: t.In(time.FixedZone("", quarters*15*60))}
}

// appendTime appends t, the zero time as zeros.
func appendTime(dst []byte, t time.Time) ([]byte, error) {
	if t.IsZero() {
		return append(dst, make([]byte, timestampLength)...), nil
	}
	ts := timestamp(t)
	b, err := ts.MarshalBinary()
	return append(dst, b...), err
}
