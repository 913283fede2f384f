package modem

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"dongled/pdu"

	"github.com/warthog618/modem/info"
)

// identifyEquipment reads who made the dongle, and its IMEI (TS 27.007 sections 5.1 to 5.4).
func (s *session) identifyEquipment() error {
	var manufacturer, model, revision, imei string
	for _, q := range []struct {
		cmd  string
		bare bare
		into *string
	}{
		{"+CGMI", bareText, &manufacturer},
		{"+CGMM", bareText, &model},
		{"+CGMR", bareText, &revision},
		{"+CGSN", bareDigits, &imei},
	} {
		answer, err := s.askBareLightly(q.cmd, q.bare)
		if err != nil {
			return err
		}
		*q.into = answer
	}
	s.w.update(func(st *Status) {
		st.Manufacturer, st.Model, st.Revision, st.IMEI = manufacturer, model, revision, imei
	})
	return nil
}

// askBare asks for a line that most dongles give without a prefix; empty if it is refused.
func (s *session) askBare(cmd string, kind bare) (string, error) {
	lines, err := s.command(cmd, want{prefix: cmd, bare: kind}, commandTimeout)
	for _, line := range lines {
		return strings.Trim(info.TrimPrefix(line, cmd), `"`), nil
	}
	return "", unlessRefused(err)
}

// identifyCard reads the ICCID, which needs no PIN, so that a refused PIN can be remembered for
// this very card: by +CCID, which is common, else from EF-ICCID (TS 31.102 section 4.2.1 by
// +CRSM, TS 27.007 section 8.18).
func (s *session) identifyCard() error {
	iccid, err := s.askBareLightly("+CCID", bareDigits)
	if err != nil {
		return err
	}
	if iccid == "" {
		const readEFICCID = "+CRSM=176,12258,0,0,10"
		if s.w.muted(readEFICCID) {
			return nil
		}
		args, err := s.askLightly(readEFICCID, "+CRSM")
		if err != nil {
			return err
		}
		iccid = swapNibbles(field(args, 2))
	}
	iccid = strings.TrimRight(strings.ToUpper(iccid), "F")
	s.w.update(func(st *Status) {
		if st.ICCID != iccid {
			st.IMSI, st.Number = "", s.w.cfg.Number // another SIM's
		}
		st.ICCID = iccid
	})
	return nil
}

// swapNibbles undoes the order of digits in an EF.
func swapNibbles(hex string) string {
	b := []byte(hex)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}

const (
	simSettle = 30 * time.Second // a SIM may be busy for that long after its PIN
	simPoll   = 500 * time.Millisecond
)

// identifySubscriber reads the IMSI, on which the matching of reports rests, and the number.
// From here on URCs have an origin.
func (s *session) identifySubscriber() error {
	var imsi string
	for waited := time.Duration(0); imsi == ""; waited += simPoll {
		var err error
		if imsi, err = s.askBare("+CIMI", bareDigits); err != nil {
			return err
		}
		if imsi != "" {
			break
		}
		if waited >= simSettle {
			return fault(ProblemSIMFailure, errors.New("the SIM does not tell its IMSI"))
		}
		if err := s.pause(simPoll); err != nil {
			return err
		}
	}
	number, err := s.askLightly("+CNUM", "+CNUM")
	if err != nil {
		return err
	}
	s.imsi = imsi
	s.w.update(func(st *Status) { st.IMSI, st.Number = imsi, cmp.Or(s.w.cfg.Number, field(number, 1)) })
	s.startConsumer()
	return nil
}

// serviceCentre reads the service centre address, and corrects it if another is configured. The
// SIM keeps it (EF-SMSP), so it is written only if it differs.
func (s *session) serviceCentre() error {
	args, err := s.ask("+CSCA?", "+CSCA")
	if err != nil {
		return err
	}
	now := field(args, 0)
	if asked := s.w.cfg.SMSC; asked != "" && !sameAddress(asked, now) {
		if err := s.setServiceCentre(asked); err != nil {
			return err
		}
		now = asked
	}
	s.w.update(func(st *Status) { st.SMSC = now })
	return nil
}

func sameAddress(a, b string) bool { return strings.TrimPrefix(a, "+") == strings.TrimPrefix(b, "+") }

// setServiceCentre writes <sca>,<tosca>: 145 is international, 129 unknown.
func (s *session) setServiceCentre(number string) error {
	if err := pdu.ValidSMSC(number); err != nil {
		return fault(ProblemSMSC, err)
	}
	toa := 129
	if strings.HasPrefix(number, "+") {
		toa = 145
	}
	err := s.do(fmt.Sprintf(`+CSCA="%s",%d`, number, toa))
	if r, ok := asRefusal(err); ok {
		return fault(ProblemSMSC, r)
	}
	return err
}
