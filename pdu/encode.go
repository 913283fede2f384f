package pdu

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"
)

// Options are what an SMS-SUBMIT says beside its content.
type Options struct {
	// To is the recipient, TP-DA; see ValidAddress.
	To string
	// SMSC is the Service Centre's number; "" leaves it to the SIM (+CSCA).
	SMSC string
	// Reference is the 8-bit concatenation reference (IEI 0x00), used if there are two parts or
	// more. Two messages to one recipient must not share it until the first is assembled there.
	Reference uint8
	// Report asks for an SMS-STATUS-REPORT: TP-SRR, on every part.
	Report bool
	// ValidFor is what remains of the validity at Now; 0 sends no TP-VP and so leaves the period
	// to the Service Centre.
	ValidFor time.Duration
	// Now is the time from which an absolute TP-VP is counted. ErrNoTime says that it is missing.
	Now time.Time
}

// Segment is one SMS-SUBMIT, a whole message or one part of it.
type Segment struct {
	// TPDU is the SMS-SUBMIT, TP-MR 0: the modem assigns the reference (EF-SMSS, TS 31.102).
	TPDU []byte
	// SCA is the Service Centre address with its length octet; nil, or one octet of 0, is the SIM's.
	SCA []byte
}

// Hex returns what follows the prompt of AT+CMGS: SCA and TPDU, upper-case.
func (s Segment) Hex() string {
	sca := s.SCA
	if len(sca) == 0 {
		sca = []byte{0}
	}
	return strings.ToUpper(hex.EncodeToString(sca) + hex.EncodeToString(s.TPDU))
}

// Length is the argument of AT+CMGS: the octets of the TPDU, without the SCA (3GPP TS 27.005 4.3).
func (s Segment) Length() int { return len(s.TPDU) }

// Encode returns the SMS-SUBMITs of the content, in order. The errors are those of Count,
// ErrAddress, ErrExpired and ErrNoTime; none is worth a second try.
func Encode(c Content, o Options) ([]Segment, error) {
	alphabet, ud, err := c.userData()
	if err != nil {
		return nil, err
	}
	if err := ValidAddress(o.To); err != nil {
		return nil, err
	}
	sca, err := encodeSCA(o.SMSC)
	if err != nil {
		return nil, err
	}
	vp, err := validityPeriod(o.ValidFor, o.Now)
	if err != nil {
		return nil, err
	}
	t := c.submit(alphabet)
	t.DA = numberAddress(o.To)
	t.SetVP(vp)
	if o.Report {
		t.FirstOctet |= tpdu.FoSRR
	}
	parts, err := split(t, ud, o.Reference)
	if err != nil {
		return nil, err
	}
	segments := make([]Segment, len(parts))
	for i := range parts {
		b, err := parts[i].MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("pdu: part %d: %w", i+1, err)
		}
		segments[i] = Segment{TPDU: b, SCA: sca}
	}
	return segments, nil
}
