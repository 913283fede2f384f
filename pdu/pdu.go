// Package pdu turns messages into SMS-SUBMIT TPDUs and back (3GPP TS 23.040, TS 23.038).
//
// One message goes out as [Content] with [Options] through [Encode], one [Segment] a part; what
// the network has to say comes back through [DecodeReport] and [DecodeDeliver]. [DecodeSubmit],
// [EncodeReport] and [EncodeDeliver] are the Service Centre's side of the same dialogue.
// [DecodeMMSNotification] reads the data that [Join] made of a WAP push.
//
// It is pure: no I/O, no clock of its own, no package of ours beneath it. Encoding is strict,
// because a bad PDU costs the sender money; decoding of what a modem hands over is tolerant,
// because a PDU refused there is a report or a message lost. No input panics.
//
// Every function is safe for concurrent use and keeps no reference to its arguments.
package pdu

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/warthog618/sms/encoding/gsm7/charset"
)

// Errors of encoding: the caller's content or options are at fault, and trying again cannot help.
var (
	// ErrEmpty: there is no text and no data, or the text held nothing but U+001B.
	ErrEmpty = errors.New("pdu: the message is empty")
	// ErrTextAndData: both contents are given, or a port is given with a text.
	ErrTextAndData = errors.New("pdu: the content is a text, or data with a port, not both")
	// ErrNotUTF8: the text is not valid UTF-8.
	ErrNotUTF8 = errors.New("pdu: the text is not valid UTF-8")
	// ErrTooLong: the message needs more than MaxParts parts.
	ErrTooLong = errors.New("pdu: the message is too long")
	// ErrAddress: a number cannot stand in an address field; see ValidAddress.
	ErrAddress = errors.New("pdu: not a number that can be addressed")
	// ErrExpired: nothing remains of the validity period.
	ErrExpired = errors.New("pdu: the validity period is over")
	// ErrNoTime: an absolute time is needed and was not given.
	ErrNoTime = errors.New("pdu: a time is missing")
)

// Errors of decoding: the PDU is at fault.
var (
	// ErrMalformed: a field is missing, too long, or holds a value it may not hold.
	ErrMalformed = errors.New("pdu: malformed")
	// ErrNotReport: TP-MTI is not that of an SMS-STATUS-REPORT.
	ErrNotReport = errors.New("pdu: not an SMS-STATUS-REPORT")
	// ErrNotSubmit: TP-MTI is not that of an SMS-SUBMIT.
	ErrNotSubmit = errors.New("pdu: not an SMS-SUBMIT")
	// ErrNotDeliver: TP-MTI is not that of an SMS-DELIVER.
	ErrNotDeliver = errors.New("pdu: not an SMS-DELIVER")
)

// DecodeHex reads the hexadecimal form in which a modem writes a PDU, upper or lower case. An odd
// number of digits, or anything that is no digit, is ErrMalformed.
func DecodeHex(s string) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}

// init fills the tables that warthog618/sms builds on first use without a lock; after package
// initialisation they are only read.
func init() {
	charset.DefaultEncoder()
	charset.DefaultExtEncoder()
	charset.DefaultDecoder()
	for nli := charset.Start; nli < charset.End; nli++ {
		charset.NewDecoder(nli)
		charset.NewExtDecoder(nli)
	}
}

// reader walks the fields of a PDU. After the first field that does not fit, err is set and every
// further field reads as zero, so that a decoder looks at err once, at its end.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(field string, n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.err = malformed(field, "needs %d octets, %d are left", n, len(r.rest))
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) octet(field string) byte {
	if b := r.take(field, 1); b != nil {
		return b[0]
	}
	return 0
}

func malformed(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s %s", ErrMalformed, field, fmt.Sprintf(format, args...))
}
