package virtual_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"dongled/modem/virtual"
)

const (
	errorLine = "\r\nERROR\r\n"
	cms       = "\r\n+CMS ERROR: "
	cme       = "\r\n+CME ERROR: "
	end       = "\r\n"
)

func TestV250(t *testing.T) {
	for name, lines := range map[string][]line{
		"verbose and numeric results": {
			{"AT\r", ok},
			{"ATV0\r", "0\r"},
			{"AT+CSQ\r", "+CSQ: 20,99\r\n0\r"},
			{"AT+NONE\r", "4\r"},
			{"ATD123\r", "3\r"},
			{"ATV1\r", ok},
		},
		"quiet":                 {{"ATQ1\r", ""}, {"AT+CSQ\r", "\r\n+CSQ: 20,99\r\n"}, {"AT+X\r", ""}, {"ATQ0\r", ok}},
		"echo":                  {{"ATE1\r", ok}, {"ATE0\r", "ATE0\r" + ok}, {"AT\r", ok}},
		"echo default is off":   {{"ATE1\r", ok}, {"ATE\r", "ATE\r" + ok}, {"AT\r", ok}},
		"no prefix is noise":    {{"hello\r\n+CSQ\r", ""}, {"xyAT\r", ok}, {"AAT\r", ok}, {"A\rT\r", ""}},
		"either case":           {{"at+csq\r", "\r\n+CSQ: 20,99\r\n" + ok}},
		"LF after CR":           {{"AT\r\n", ok}, {"AT\r\n", ok}},
		"backspace":             {{"AT+CSX\bQ\r", "\r\n+CSQ: 20,99\r\n" + ok}, {"AT\b\b\r", ok}},
		"controls are ignored":  {{"AT+C\x1b\x00SQ\r", "\r\n+CSQ: 20,99\r\n" + ok}},
		"repeat":                {{"AT+CSQ\r", "\r\n+CSQ: 20,99\r\n" + ok}, {"A/", "\r\n+CSQ: 20,99\r\n" + ok}},
		"several on a line":     {{"ATV1Q0+CSQ;+CREG?\r", "\r\n+CSQ: 20,99\r\n" + "\r\n+CREG: 0,1\r\n" + ok}},
		"an error ends a line":  {{"AT+CSQ;+NONE;+CREG?\r", "\r\n+CSQ: 20,99\r\n" + errorLine}},
		"; in a string":         {{`AT+CSCA="12;34"` + "\r", errorLine}, {"AT+CSCA?\r", "\r\n+CSCA: \"+491710760000\",145\r\n" + ok}},
		"spaces":                {{"AT +CSQ ; +CREG? \r", "\r\n+CSQ: 20,99\r\n" + "\r\n+CREG: 0,1\r\n" + ok}},
		"not a command":         {{"AT%%\r", errorLine}, {"AT?\r", errorLine}, {"AT+\r", errorLine}, {"AT+CSQ!\r", errorLine}, {"AT+CSQ)\r", errorLine}},
		"no calls":              {{"ATD+999123;\r", "\r\nNO CARRIER\r\n"}, {"ATA\r", "\r\nNO CARRIER\r\n"}, {"ATH\r", ok}},
		"S registers":           {{"ATS3?\r", "\r\n013\r\n" + ok}, {"ATS5=127\r", ok}, {"AT+CSX\x7fQ\r", "\r\n+CSQ: 20,99\r\n" + ok}, {"ATS3=200\r", errorLine}, {"ATS9?\r", errorLine}, {"ATS3\r", errorLine}},
		"another S3":            {{"ATS3=33\r", "!\nOK!\n"}, {"AT+CSQ!", "!\n+CSQ: 20,99!\n!\nOK!\n"}},
		"factory and profile":   {{"AT+CMEE=1;&W+CMEE=2\r", ok}, {"ATZ+CMEE?\r", "\r\n+CMEE: 1\r\n" + ok}, {"AT&FE0+CMEE?\r", "\r\n+CMEE: 0\r\n" + ok}},
		"a line too long":       {{"AT" + strings.Repeat("X", 1025) + "\r", errorLine}, {"AT\r", ok}},
		"identification":        {{"ATI\r", "\r\ndongled\r\n\r\nVirtual dongle\r\n\r\n1.0\r\n" + ok}},
		"accepted and ignored":  {{"ATX4&C1&D2L0M0S0=0\r", ok}},
		"flags take 0 and 1":    {{"ATE2\r", errorLine}},
		"ESC outside a prompt":  {{"\x1b\r\nAT\r", ok}},
		"escape, then commands": {{"\x1b\r\n\r\nATZE0\r", ok}},
	} {
		t.Run(name, func(t *testing.T) { transcript(t, virtual.Options{}, lines) })
	}
}

func TestErrorReporting(t *testing.T) {
	transcript(t, virtual.Options{PIN: "1234"}, []line{
		{"AT+CIMI\r", errorLine},
		{"AT+CMGS=19\r", errorLine},
		{"AT+CMEE=1\r", ok},
		{"AT+CIMI\r", cme + "11" + end},
		{"AT+CMGS=19\r", cms + "311" + end},
		{"ATV0+CIMI\r", cme + "11" + end}, // 27.007 9.2: V does not affect it
		{"ATV1\r", ok},
		{"AT+CMEE=2\r", ok},
		{"AT+CIMI\r", cme + "SIM PIN required" + end},
		{"AT+CMGS=19\r", cms + "(U)SIM PIN required" + end},
		{"AT+CMEE=?\r", "\r\n+CMEE: (0-2)\r\n" + ok},
		{"AT+CMEE=3\r", errorLine},
		{"AT+CMEE=1,1\r", errorLine},
		{"AT+CMEE=\"1\"\r", errorLine},
		{"AT+CMEE\r", errorLine},
		{"AT+CMEE=\r", ok}, // 27.007 3.1: a parameter left out keeps its value
		{"AT+CMEE?\r", "\r\n+CMEE: 2\r\n" + ok},
	})
}

func TestIdentity(t *testing.T) {
	transcript(t, virtual.Options{
		Manufacturer: "huawei", Model: "E173", Revision: "11.126", IMEI: "356938035643809",
		IMSI: "262011234567890", ICCID: "8949020000000000001", Number: "+4915112345678",
	}, []line{
		{"AT+CGMI;+CGMM;+CGMR\r", "\r\nhuawei\r\n\r\nE173\r\n\r\n11.126\r\n" + ok},
		{"AT+GMI;+GMM;+GMR\r", "\r\nhuawei\r\n\r\nE173\r\n\r\n11.126\r\n" + ok},
		{"AT+CGSN\r", "\r\n356938035643809\r\n" + ok},
		{"AT+CGSN=1\r", "\r\n+CGSN: \"356938035643809\"\r\n" + ok},
		{"AT+CGSN=2\r", errorLine},
		{"AT+CGSN=?;+CGMI=?\r", "\r\n+CGSN: (0,1)\r\n" + ok},
		{"AT+CGMI?\r", errorLine},
		{"AT+CIMI\r", "\r\n262011234567890\r\n" + ok},
		{"AT+CCID\r", "\r\n+CCID: 8949020000000000001\r\n" + ok},
		{"AT+CCID?\r", "\r\n+CCID: 8949020000000000001\r\n" + ok},
		{"AT+CCID=1\r", errorLine},
		{"AT+CNUM\r", "\r\n+CNUM: \"\",\"+4915112345678\",145\r\n" + ok},
		{"AT+CNUM?\r", errorLine},
		{"AT+GCAP\r", "\r\n+GCAP: +CGSM\r\n" + ok},
		{"AT+CSCS=?\r", "\r\n+CSCS: (\"IRA\")\r\n" + ok},
		{"AT+CSCS=\"IRA\";+CSCS?\r", "\r\n+CSCS: \"IRA\"\r\n" + ok},
		{"AT+CSCS=\"UCS2\"\r", errorLine},
	})
}

func TestPIN(t *testing.T) {
	left := func(pin, puk string) string {
		return "\r\n+CPINR: SIM PIN," + pin + ",3\r\n\r\n+CPINR: SIM PUK," + puk + ",10\r\n" + ok
	}
	for name, lines := range map[string][]line{
		"right": {
			{"AT+CPIN=?;+CPIN?\r", "\r\n+CPIN: SIM PIN\r\n" + ok},
			{"AT+CREG?\r", "\r\n+CREG: 0,0\r\n" + ok},
			{"AT+CCID\r", "\r\n+CCID: 8900101000000000000\r\n" + ok},
			{"AT+CPIN=\"1234\"\r", ok},
			{"AT+CPIN?;+CREG?\r", "\r\n+CPIN: READY\r\n\r\n+CREG: 0,1\r\n" + ok},
			{"AT+CPIN=1234\r", cme + "3" + end},
		},
		"wrong, then right": {
			{"AT+CPIN=9999\r", cme + "16" + end},
			{"AT+CPINR\r", left("2", "10")},
			{"AT+CPIN=1234\r", ok},
			{"AT+CPINR\r", left("3", "10")},
		},
		"blocked, then unblocked": {
			{"AT+CPIN=1\r", cme + "16" + end},
			{"AT+CPIN=2\r", cme + "16" + end},
			{"AT+CPIN=3\r", cme + "16" + end},
			{"AT+CPIN?\r", "\r\n+CPIN: SIM PUK\r\n" + ok},
			{"AT+CPIN=1234\r", cme + "12" + end},
			{"AT+CNMI=2,1\r", cms + "316" + end},
			{"AT+CPIN=\"00000000\",\"4321\"\r", cme + "16" + end},
			{"AT+CPINR\r", left("0", "9")},
			{"AT+CPIN=\"12345678\",\"4321\"\r", ok},
			{"AT+CPIN?\r", "\r\n+CPIN: READY\r\n" + ok},
		},
		"not a PIN": {{"AT+CPIN\r", errorLine}, {"AT+CPIN=\r", errorLine}, {"AT+CPIN=1,2,3\r", errorLine}, {"AT+CPIN=1234,5678\r", cme + "11" + end}},
	} {
		t.Run(name, func(t *testing.T) {
			transcript(t, virtual.Options{PIN: "1234", ICCID: "8900101000000000000"},
				append([]line{{"AT+CMEE=1\r", ok}}, lines...))
		})
	}
}

func TestPINDestroyed(t *testing.T) {
	bubble(t, virtual.Options{PIN: "1234"}, func(e *te) {
		e.dialogue("AT+CMEE=1\r", ok)
		for range 3 {
			e.dialogue("AT+CPIN=0\r", cme+"16"+end)
		}
		for range 10 {
			e.dialogue("AT+CPIN=0,1\r", cme+"16"+end)
		}
		e.dialogue("AT+CPIN?\r", cme+"13"+end)
		e.dialogue("AT+CMGS=19\r", cms+"313"+end)
	})
}

func TestPINAfterReplug(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(virtual.Options{PIN: "1234"})
		e := plugTE(t, d)
		e.dialogue("ATE0+CMEE=1;+CPIN=9\r", "ATE0+CMEE=1;+CPIN=9\r"+cme+"16"+end)
		e.dialogue("AT+CPIN=1234\r", ok)
		_ = e.port.Close()
		e = plugTE(t, d) // closing the port is no power-off
		e.dialogue("AT+CPIN?\r", "\r\n+CPIN: READY\r\n"+ok)
		d.Unplug()
		d.Plug()
		e = plugTE(t, d)
		e.dialogue("AT+CPIN?\r", "AT+CPIN?\r\r\n+CPIN: SIM PIN\r\n"+ok)
		_ = d.Close()
	})
}

func TestNoSIM(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.dialogue("AT+CMEE=1;+CREG=1\r", ok)
		e.d.SetSIM(false)
		e.expect("\r\n+CREG: 0\r\n")
		e.dialogue("AT+CPIN?\r", cme+"10"+end)
		e.dialogue("AT+CPINR\r", cme+"10"+end)
		e.dialogue("AT+CCID\r", cme+"10"+end)
		e.dialogue("AT+CIMI\r", cme+"10"+end)
		e.dialogue("AT+CMGS=19\r", cms+"310"+end)
		e.dialogue("AT+CMGS=?\r", ok)
		e.d.SetSIM(true)
		e.expect("\r\n+CREG: 1\r\n")
		e.d.SetSIM(true)
		e.dialogue("AT+CPIN?\r", "\r\n+CPIN: READY\r\n"+ok)
	})
}
