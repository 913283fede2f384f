package modem

import (
	"bytes"

	"dongled/pdu"
)

// dirt stands before the reports that Wavecom's modems keep in SR.
var dirt = []byte{0x00, 0x00, 0x00, 0xFF, 0x00}

// decodeReport is pdu.DecodeReport without the dirt.
func decodeReport(raw []byte) (pdu.Report, error) {
	if rest, ok := bytes.CutPrefix(raw, dirt); ok {
		if r, err := pdu.DecodeReport(rest); err == nil && !r.SCTS.IsZero() {
			return r, nil
		}
	}
	return pdu.DecodeReport(raw)
}

// acknowledge sends RP-ACK for what was stored last. +CMS ERROR: 340 says that none was expected.
// After any other error the dongle may have switched the routing off (TS 27.005 section 3.4.1),
// so it is asked for anew.
func (s *session) acknowledge() error {
	err := s.do("+CNMA")
	r, refused := asRefusal(err)
	if !refused {
		return err
	}
	if r.fault.Family == "CMS" && r.fault.Code == 340 {
		return nil
	}
	s.log.Warn("the modem refused to acknowledge what it passed on", "answer", r.line)
	return s.askForReports()
}
