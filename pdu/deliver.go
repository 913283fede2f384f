package pdu

import (
	"bytes"
	"fmt"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"
)

// Deliver is an SMS-DELIVER, a message or a part of one that came in (3GPP TS 23.040 9.2.2.1).
type Deliver struct {
	SMSC string
	// Originator is TP-OA: a number, with "+" where it is international, or a name.
	Originator string
	// SCTS is when the Service Centre got it, in the zone that it gives; zero if unreadable.
	SCTS     time.Time
	PID, DCS uint8
	Alphabet Alphabet
	Flash    bool
	Concat   *Concat
	Ports    *Ports
	// Text is the text of this part, Data its octets if the alphabet is Octets.
	Text string
	Data []byte
	// Raw is the PDU as received; decoding does not keep all of it.
	Raw []byte
}

// DecodeDeliver reads SCA and SMS-DELIVER, and makes the best of a faulty one: unreadable times are
// zero, reserved data codings the GSM-7 default alphabet, user data shorter or longer than TP-UDL
// is taken as far as both go, an information element that is wrong is passed over, a compressed
// text is left as octets. Only ErrMalformed, for a PDU that ends before the user data, and
// ErrNotDeliver remain; the reserved TP-MTI 3 is read as SMS-DELIVER (TS 23.040 9.2.3.1).
func DecodeDeliver(raw []byte) (Deliver, error) {
	d, _, err := decodeDeliver(raw)
	return d, err
}

func decodeDeliver(raw []byte) (Deliver, userData, error) {
	r := reader{rest: raw}
	d := Deliver{SMSC: r.sca().String()}
	first := tpdu.FirstOctet(r.octet("TP-MTI"))
	if mti := first.MTI(); r.err == nil && mti != tpdu.MtDeliver && mti != tpdu.MtReserved {
		return Deliver{}, userData{}, fmt.Errorf("%w: TP-MTI is %d", ErrNotDeliver, mti)
	}
	d.Originator = r.address("TP-OA").String()
	d.PID, d.DCS = r.octet("TP-PID"), r.octet("TP-DCS")
	d.SCTS = decodeTime(r.take("TP-SCTS", timestampLength))
	// The fault of the user data is what only a strict reader refuses.
	u, _ := r.userData(tpdu.DCS(d.DCS), first.UDHI())
	if r.err != nil {
		return Deliver{}, userData{}, r.err
	}
	d.Alphabet, d.Flash, d.Concat, d.Ports = u.alphabet, u.flash, u.concat, u.ports
	d.Text, d.Data = u.text, u.data
	d.Raw = bytes.Clone(raw)
	return d, u, nil
}

// EncodeDeliver writes SCA and SMS-DELIVER as a Service Centre sends them. The content must fit
// into one part, else ErrTooLong, and may be empty; the alphabet is chosen as by Encode. Alphabet,
// DCS and Raw are not read. An Originator that is no number is sent as a name of up to 11 GSM-7
// characters. SCTS must be given, else ErrNoTime.
func EncodeDeliver(d Deliver) ([]byte, error) {
	if d.SCTS.IsZero() {
		return nil, fmt.Errorf("%w: TP-SCTS", ErrNoTime)
	}
	if d.Text != "" && len(d.Data) > 0 {
		return nil, ErrTextAndData
	}
	alphabet, ud := Octets, d.Data
	if len(d.Data) == 0 {
		alphabet, ud = codeText(d.Text)
	}
	oa, err := originator(d.Originator)
	if err != nil {
		return nil, err
	}
	t := tpdu.TPDU{
		FirstOctet: tpdu.FirstOctet(tpdu.MtDeliver) | tpdu.FoMMS,
		OA:         oa,
		PID:        d.PID,
		DCS:        tpdu.DCS(alphabet.dcs(d.Flash)),
		SCTS:       timestamp(d.SCTS),
		UD:         ud,
	}
	var udh tpdu.UserDataHeader
	if d.Ports != nil {
		udh = append(udh, d.Ports.element())
	}
	if d.Concat != nil {
		udh = append(udh, d.Concat.element())
	}
	t.SetUDH(udh)
	if len(ud) > t.UDBlockSize() {
		return nil, ErrTooLong
	}
	sca, err := encodeSCA(d.SMSC)
	if err != nil {
		return nil, err
	}
	b, err := t.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("pdu: %w", err)
	}
	return append(sca, b...), nil
}
