package virtual

import "strings"

var (
	manufacturer = text(func(d *Dongle) string { return d.opts.Manufacturer })
	model        = text(func(d *Dongle) string { return d.opts.Model })
	revision     = text(func(d *Dongle) string { return d.opts.Revision })
)

// identityCommands are 27.007 section 5, with V.250 6.1 beside it.
var identityCommands = map[string]command{
	"CGMI": {do: manufacturer},
	"GMI":  {do: manufacturer},
	"CGMM": {do: model},
	"GMM":  {do: model},
	"CGMR": {do: revision},
	"GMR":  {do: revision},
	"CGSN": {do: serialNumber},
	"GSN":  {do: serialNumber},
	"GCAP": {do: prefixed("GCAP", func(*Dongle) string { return "+CGSM" })},
	"CIMI": {needs: simForCME, do: text(func(d *Dongle) string { return d.opts.IMSI })},
	// The ICCID can be read before the PIN (TS 31.101 13.2).
	"CCID": {do: func(s *session, c call) error {
		if !s.d.sim.inserted {
			return cmeNoSIM
		}
		return prefixed("CCID", func(d *Dongle) string { return d.opts.ICCID })(s, c)
	}},
	"CRSM": {do: (*session).restrictedAccess},
	"CNUM": {needs: simForCME, do: func(s *session, c call) error {
		switch c.form {
		case execForm:
			s.infof(`+CNUM: "",%s,%d`, quote(s.d.opts.Number), typeOfAddress(s.d.opts.Number))
		case testForm:
		default:
			return errSyntax
		}
		return nil
	}},
	"CMEE": {do: parameter("CMEE", 2, func(p *settings) *int { return &p.cmee })},
	"CSCS": {do: func(s *session, c call) error {
		switch c.form {
		case testForm:
			s.info(`+CSCS: ("IRA")`)
		case readForm:
			s.info(`+CSCS: "IRA"`)
		default:
			if set, err := c.params().text(0, ""); err != nil || set != "IRA" {
				return errSyntax
			}
		}
		return nil
	}},
}

// restrictedAccess is +CRSM (27.007 8.18) as far as reading EF-ICCID goes, which needs no PIN; other
// files are not found (TS 31.101 10.2.1: 6A82). The digits are swapped in each octet.
func (s *session) restrictedAccess(c call) error {
	const readBinary, efICCID = "176", "12258"
	p := c.params()
	switch {
	case c.form == testForm:
		return nil
	case c.form != setForm || len(p) < 2:
		return errSyntax
	case !s.d.sim.inserted:
		return cmeNoSIM
	case p[0] != readBinary || p[1] != efICCID:
		s.info("+CRSM: 106,130")
		return nil
	}
	digits := []byte(s.d.opts.ICCID + strings.Repeat("F", max(0, 20-len(s.d.opts.ICCID))))
	for i := 0; i+1 < len(digits); i += 2 {
		digits[i], digits[i+1] = digits[i+1], digits[i]
	}
	s.infof(`+CRSM: 144,0,"%s"`, digits)
	return nil
}

// serialNumber is +CGSN: the IMEI (27.007 5.4); <snt> 0 and none are the bare form.
func serialNumber(s *session, c call) error {
	switch {
	case c.form == testForm:
		s.info("+CGSN: (0,1)")
	case c.form == execForm, c.form == setForm && c.args == "0":
		s.info(s.d.opts.IMEI)
	case c.form == setForm && c.args == "1":
		s.info("+CGSN: " + quote(s.d.opts.IMEI))
	default:
		return errSyntax
	}
	return nil
}

// typeOfAddress is the octet of TS 24.008 10.5.4.7 as 27.005 shows it in decimal.
func typeOfAddress(number string) int {
	if number != "" && number[0] == '+' {
		return 145
	}
	return 129
}
