package pdu

import (
	"fmt"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"
)

// Report is an SMS-STATUS-REPORT (3GPP TS 23.040 9.2.2.3).
type Report struct {
	SMSC string
	// MR is the reference that the modem gave the SMS-SUBMIT and told in +CMGS.
	MR uint8
	// Recipient is TP-RA in the network's form, which need not be the one it was sent to; compare
	// by SameNumber.
	Recipient string
	// SCTS is when the Service Centre got the message, Discharge when the status came about. A
	// time that cannot be read is zero. Neither need agree with our clock.
	SCTS, Discharge time.Time
	Status          Status
}

// DecodeReport reads SCA and SMS-STATUS-REPORT as they come in +CDS. The SCA may be missing, as
// some modems leave it out; unreadable times are zero; what follows TP-ST is not looked at, and
// may be the optional fields or filling. ErrNotReport says that it is another TPDU, ErrMalformed
// that it ends before TP-ST.
func DecodeReport(raw []byte) (Report, error) {
	r := reader{rest: raw}
	sca := r.sca()
	report, err := Report{}, r.err
	if err == nil {
		report, err = decodeReport(r.rest)
		report.SMSC = sca.String()
	}
	if err == nil && !report.SCTS.IsZero() {
		return report, nil
	}
	// Without the SCA, TP-MR can pass for its type and TP-RA for its digits; but then something
	// else stands where the times should be.
	if bare, bareErr := decodeReport(raw); bareErr == nil && !bare.SCTS.IsZero() {
		return bare, nil
	}
	if err != nil {
		return Report{}, err
	}
	return report, nil
}

func decodeReport(tp []byte) (Report, error) {
	r := reader{rest: tp}
	mti := tpdu.FirstOctet(r.octet("TP-MTI")).MTI()
	if r.err == nil && mti != tpdu.MtCommand {
		return Report{}, fmt.Errorf("%w: TP-MTI is %d", ErrNotReport, mti)
	}
	report := Report{
		MR:        r.octet("TP-MR"),
		Recipient: r.address("TP-RA").String(),
		SCTS:      decodeTime(r.take("TP-SCTS", timestampLength)),
		Discharge: decodeTime(r.take("TP-DT", timestampLength)),
		Status:    Status(r.octet("TP-ST")),
	}
	return report, r.err
}

// EncodeReport writes SCA and SMS-STATUS-REPORT as a Service Centre sends them, without the
// optional fields: TP-SRQ 0 for an SMS-SUBMIT, TP-MMS 1 for no more messages waiting. A zero time
// is written as zeros. The error is ErrAddress, of the SMSC or the recipient.
func EncodeReport(r Report) ([]byte, error) {
	if err := ValidAddress(r.Recipient); err != nil {
		return nil, err
	}
	raw, err := encodeSCA(r.SMSC)
	if err != nil {
		return nil, err
	}
	address := numberAddress(r.Recipient)
	ra, err := address.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	raw = append(raw, byte(tpdu.MtCommand)|tpdu.FoMMS, r.MR)
	raw = append(raw, ra...)
	for _, t := range []time.Time{r.SCTS, r.Discharge} {
		if raw, err = appendTime(raw, t); err != nil {
			return nil, err
		}
	}
	return append(raw, byte(r.Status)), nil
}
