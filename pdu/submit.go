package pdu

import (
	"bytes"
	"fmt"

	"github.com/warthog618/sms/encoding/tpdu"
)

// Submit is an SMS-SUBMIT as a network reads it (3GPP TS 23.040 9.2.2.2).
type Submit struct {
	SMSC string
	MR   uint8
	// Destination is TP-DA, with "+" where International.
	Destination   string
	International bool
	PID, DCS      uint8
	// Report is TP-SRR, RejectDuplicates TP-RD.
	Report, RejectDuplicates bool
	Validity                 Validity
	Alphabet                 Alphabet
	Flash                    bool
	// UDH is the user data header with its length octet, nil if there is none; Concat and Ports
	// are what it says of them.
	UDH    []byte
	Concat *Concat
	Ports  *Ports
	// Text is the text of this part, Data its octets if the alphabet is Octets.
	Text string
	Data []byte
}

// DecodeSubmit reads SCA and SMS-SUBMIT, and is as strict as a network: ErrMalformed for a length
// that does not agree with what is there, an address that is no number, a reserved or compressed
// data coding, a validity that is no time, a known information element of a wrong length or for
// an impossible part; ErrNotSubmit for another TPDU.
func DecodeSubmit(raw []byte) (Submit, error) {
	r := reader{rest: bytes.Clone(raw)}
	sca := r.sca()
	first := tpdu.FirstOctet(r.octet("TP-MTI"))
	if r.err == nil && first.MTI() != tpdu.MtSubmit {
		return Submit{}, fmt.Errorf("%w: TP-MTI is %d", ErrNotSubmit, first.MTI())
	}
	s := Submit{Report: first.SRR(), RejectDuplicates: first.RD(), MR: r.octet("TP-MR")}
	da := r.address("TP-DA")
	s.PID, s.DCS = r.octet("TP-PID"), r.octet("TP-DCS")
	s.Validity = r.validity(ValidityFormat(first.VPF()))
	u, fault := r.userData(tpdu.DCS(s.DCS), first.UDHI())
	if r.err != nil {
		return Submit{}, r.err
	}
	if raw[0] != 0 {
		if err := sca.check("SCA", ValidSMSC); err != nil {
			return Submit{}, err
		}
	}
	if err := da.check("TP-DA", ValidAddress); err != nil {
		return Submit{}, err
	}
	if fault != nil {
		return Submit{}, fault
	}
	s.SMSC, s.Destination = sca.String(), da.String()
	s.International = da.typeOfNumber() == tpdu.TonInternational
	s.Alphabet, s.Flash = u.alphabet, u.flash
	s.UDH, s.Concat, s.Ports = u.udh, u.concat, u.ports
	s.Text, s.Data = u.text, u.data
	return s, nil
}
