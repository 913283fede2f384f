package virtual_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
)

// settled is when every family has said what it says at power-up and its SIM can be used.
const settled = 10 * time.Second

// family runs a test with a dongle of a family, its echo off, its errors numbered, its noise heard.
func family(t *testing.T, name string, f func(*te)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts, known := virtual.Family(name)
		if !known {
			t.Fatalf("%s is no family", name)
		}
		d := virtual.New(opts)
		e := plugTE(t, d)
		time.Sleep(settled)
		e.heard()
		e.say("ATE0+CMEE=1\r")
		if got := e.heard(); !strings.HasSuffix(got, ok) {
			t.Fatalf("at first: %q", got)
		}
		f(e)
		_ = d.Close()
		<-e.done
	})
}

// familyLines is what a family says to what everybody asks, without any time passing.
var familyLines = map[string][]line{
	"generic": {
		{"AT+CGMI;+CGMM\r", "\r\ndongled\r\n\r\nVirtual generic\r\n" + ok},
		{"AT+CNMI=?\r", "\r\n+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)\r\n" + ok},
		{"AT+CPMS?\r", "\r\n+CPMS: \"SM\",0,50,\"SM\",0,50,\"SM\",0,50\r\n" + ok},
		{"AT^CURC=0\r", errorLine},
	},
	"huawei-e173": {
		{"AT+CGMI;+CGMM;+CGMR\r", "\r\nhuawei\r\n\r\nE173\r\n\r\n11.126.85.00.209\r\n" + ok},
		{"AT+CNMI=?\r", "\r\n+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)\r\n" + ok},
		{"AT+CNMI=2,1,0,1,0\r", errorLine}, {"AT+CNMI=2,1,0,2\r", errorLine},
		{"AT+CNMI=1,1,0,1,0;+CNMI?\r", "\r\n+CNMI: 1,1,0,1,0\r\n" + ok},
		{"AT+CPMS=?\r", "\r\n+CPMS: (\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\")\r\n" + ok},
		{"AT+CPMS?\r", "\r\n+CPMS: \"SM\",0,50,\"SM\",0,50,\"SM\",0,50\r\n" + ok},
		{"AT+CPMS=\"MT\",\"MT\",\"MT\"\r", "\r\n+CPMS: 0,100,0,100,0,100\r\n" + ok},
		{"AT+CSMS?\r", "\r\n+CSMS: 0,1,1,1,1\r\n" + ok},
		{"AT+CCID\r", errorLine}, {"AT+CEREG?\r", errorLine},
		{"AT^CURC=0\r", ok}, {"AT^CURC=?\r", ok},
		{"AT+CUSD=1,\"*100#\",15\r", errorLine}, {"AT+CUSD=1,\"AA180C3602\",15\r", ok + ussd("4")},
		{"AT+CUSD=2\r", errorLine},
		{"AT+CMGR=1\r", cms + "321" + end}, {"AT+CMGD=0\r", cms + "321" + end},
	},
	"huawei-e1752": {
		// The reading commands show the CR too many and the blank line.
		{"AT+CGMM\r", "\r\nE1752\r\r\n\r\n" + ok},
		{"AT+WIND?\r", "\r\nCOMMAND NOT SUPPORT\r\n"}, {"AT+CEREG?\r", "\r\nCOMMAND NOT SUPPORT\r\n"},
		{"AT+CNMI=2,1,0,1,0\r", ok}, {"AT+CMGD=0\r", ok},
		{"AT^USSDMODE?\r", "\r\n^USSDMODE: 1\r\r\n\r\n" + ok},
		{"AT^USSDMODE=0;+CUSD=1,\"*100#\",15\r", ok + ussd("4")},
		{"AT^USSDMODE=1;+CUSD=1,\"*100#\",15\r", errorLine},
	},
	"huawei-e3372": {
		{"AT+CGMM\r", "\r\nE3372\r\n" + ok},
		{"AT+CEREG?\r", "\r\n+CEREG: 0,1\r\n" + ok},
		{"AT+CPMS?\r", "\r\n+CPMS: \"ME\",0,50,\"ME\",0,50,\"ME\",0,50\r\n" + ok},
		{"AT+CNMI=?\r", "\r\n+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)\r\n" + ok},
		{"AT+CNMI=2,1,0,1,0\r", ok}, {"AT+CMGD=0\r", ok},
	},
	"zte-mf190": {
		{"AT+CGMI;+CGMM\r", "\r\nZTE CORPORATION\r\n\r\nMF190\r\n" + ok},
		{"AT+CNMI=2,1,0,1,0\r", errorLine}, {"AT+CNMI=1,1,0,1,0\r", ok},
		{"AT+CNMA\r", errorLine}, {"AT+ZCDRUN=8\r", ok},
	},
	"quectel-ec25": {
		{"AT+CGMI;+CGMM\r", "\r\nQuectel\r\n\r\nEC25\r\n" + ok},
		{"AT+CPMS?\r", "\r\n+CPMS: \"ME\",0,50,\"ME\",0,50,\"ME\",0,50\r\n" + ok},
		{"AT+CMGR=0\r", ok}, {"AT+CMGR=999\r", ok}, // a bare OK
		{"AT+CNMI=2,1,0,1,0\r", ok}, {"AT+CEREG?\r", "\r\n+CEREG: 0,1\r\n" + ok},
		{"AT+CNMA\r", cms + "340" + end},
	},
	"sim800": {
		{"AT+CGMI;+CGMM\r", "\r\nSIMCOM_Ltd\r\n\r\nSIMCOM_SIM800\r\n" + ok},
		{"AT+CNMI=2,1,0,2\r", cms + "303" + end}, {"AT+CNMI=2,1,0,1,0\r", ok},
		{"AT+CPMS?\r", "\r\n+CPMS: \"SM_P\",0,50,\"SM_P\",0,50,\"SM_P\",0,50\r\n" + ok},
		{"AT+CPMS=\"SR\"\r", cms + "302" + end}, {"AT+CEREG?\r", errorLine}, {"AT+CMGR=1\r", ok},
	},
	"sim7600": {
		{"AT+CGMI;+CGMM\r", "\r\nSIMCOM INCORPORATED\r\n\r\nSIMCOM_SIM7600E-H\r\n" + ok},
		{"AT+CGMR\r", "\r\n+CGMR: LE20B04SIM7600M22\r\n" + ok},
		{"AT+CNMI=2,1,0,1,0\r", ok}, {"AT+CEREG?\r", "\r\n+CEREG: 0,1\r\n" + ok},
	},
	"wavecom": {
		{"AT+CGMI;+CGMM\r", "\r\n WAVECOM MODEM\r\n\r\n MULTIBAND  900E  1800\r\n" + ok},
		{"AT+CGMR\r", errorLine},
		{"AT+CPIN?\r", "\r\n+CPIN: READY\r\n"}, {"AT+CPIN?;+CSQ\r", "\r\n+CPIN: READY\r\n\r\n+CSQ: 20,99\r\n" + ok},
		{"AT+CPMS=?\r", "\r\n+CPMS: ((\"SM\",\"BM\",\"SR\"),(\"SM\"))\r\n" + ok},
		{"AT+CPMS?\r", "\r\n+CPMS: \"SM\",0,50,\"SM\",0,50\r\n" + ok},
		{"AT+CPMS=\"SM\",\"SM\",\"SR\"\r", errorLine}, {"AT+CPMS=\"ME\"\r", cms + "302" + end},
		{"AT+CPMS=\"SR\",\"SM\"\r", "\r\n+CPMS: 0,50,0,50\r\n" + ok},
		{"AT+CNMI=2,1,0,2\r", ok}, {"AT+CNMI=3,3,3,2,1\r", ok},
	},
	"tc35": {
		{"AT+CGMI;+CGMM;+CGMR\r", "\r\nSIEMENS\r\n\r\nTC35\r\n\r\nREVISION 04.00\r\n" + ok},
		{"AT+CNMI=2,1,0,2,0\r", cms + "303" + end}, {"AT+CNMI=2,1,0,1,1\r", cms + "303" + end}, {"AT+CNMI=2,1,0,2,1\r", ok},
		{"AT+CSMS=1;+CNMI=?\r", "\r\n+CSMS: 1,1,1\r\n\r\n+CNMI: (0-3),(0-3),(0,2,3),(0-2),(1)\r\n" + ok},
		{"AT+CNMI=2,2,0,1,1\r", ok},
		{"AT+CSMS=0;+CNMI?\r", "\r\n+CSMS: 1,1,1\r\n\r\n+CNMI: 2,0,0,0,1\r\n" + ok}, // no longer offered
		{"AT+CPMS?\r", "\r\n+CPMS: \"ME\",0,50,\"ME\",0,50,\"SM\",0,50\r\n" + ok},
		{"AT+CPMS=\"SM\",\"SM\",\"ME\"\r", cms + "302" + end},
		{"AT+CMGR=1\r", "\r\n+CMGR: 0,,0\r\n\r\n" + ok},
	},
	"novatel": {
		{"AT+CGMI;+CGMM\r", "\r\nNovatel Wireless Incorporated\r\n\r\nMC950D\r\n" + ok},
		{"AT+CNMI=2,1,0,2,0\r", ok},
	},
	"ublox": {
		{"AT+CGMI;+CGMM;+CGMR\r", "\r\nu-blox\r\n\r\nSARA-U201\r\n\r\n23.60\r\n" + ok},
		{"AT+CNMI=2,1,3,2,1\r", ok},
	},
}

func TestFamilies(t *testing.T) {
	if got := virtual.Families(); len(got) != len(familyLines) || !slices.IsSorted(got) {
		t.Errorf("the families are %v", got)
	}
	for name, lines := range familyLines {
		t.Run(name, func(t *testing.T) {
			family(t, name, func(e *te) {
				for _, l := range lines {
					e.dialogue(l.say, l.want)
				}
			})
		})
	}
	if _, known := virtual.Family("huawei"); known {
		t.Error("huawei alone is no family")
	}
}

// TestFamilyICCID: every card can be read, by the make's own command or from its file.
func TestFamilyICCID(t *testing.T) {
	for name, command := range map[string]struct{ say, want string }{
		"huawei-e173":  {"AT^ICCID?", "^ICCID: %s"},
		"zte-mf190":    {"AT+ZGETICCID", "+ZGETICCID: %s"},
		"quectel-ec25": {"AT+QCCID", "+QCCID: %s"},
		"sim800":       {"AT+CCID", "%sf"},
		"sim7600":      {"AT+CICCID", "+ICCID: %s"},
		"wavecom":      {"AT+CCID", `+CCID: "%s"`},
		"tc35":         {"AT^SCID", "^SCID: %s"},
		"ublox":        {"AT+CCID", "+CCID: %s"},
		"novatel":      {"AT+CRSM=176,12258,0,0,10", `+CRSM: 144,0,"98940200000100000010"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const iccid = "89492000001000000001"
				opts, _ := virtual.Family(name)
				opts.ICCID, opts.Quirks.Unsolicited = iccid, nil
				d := virtual.New(opts)
				e := plugTE(t, d)
				e.dialogue("ATE0\r", "ATE0\r"+ok)
				e.dialogue(command.say+"\r", "\r\n"+strings.ReplaceAll(command.want, "%s", iccid)+"\r\n"+ok)
				_ = d.Close()
			})
		})
	}
}

// TestFamilyNoise: what a family says by itself, in order, in the first 30 s with the port open.
func TestFamilyNoise(t *testing.T) {
	for name, want := range map[string]string{
		"generic": "", "novatel": "",
		"huawei-e173": "^SIMST:1 ^BOOT ^SRVST:2 ^MODE ^RSSI:18 ^DSFLOWRPT ^RSSI:18 ^DSFLOWRPT ^RSSI:18 ^DSFLOWRPT " +
			"^RSSI:18 ^DSFLOWRPT ^BOOT ^RSSI:18 ^DSFLOWRPT ^RSSI:18 ^DSFLOWRPT",
		"quectel-ec25": "RDY +CPIN: +CFUN: +QUSIM: +QIND: +QIND:",
		"sim800":       "RDY +CFUN: +CPIN: Call SMS *PSUTTZ: DST: OVER-VOLTAGE",
		"sim7600":      "RDY +CPIN: SMS PB",
		"wavecom":      "+WIND: +WIND: +WIND: +WIND:",
		"tc35":         "^SYSSTART",
		"ublox":        "+AT: +PBREADY",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts, _ := virtual.Family(name)
				d := virtual.New(opts)
				e := plugTE(t, d)
				time.Sleep(30*time.Second - 1)
				var words []string
				for _, l := range strings.Split(strings.Trim(e.heard(), "\r\n"), "\r\n\r\n") {
					words = append(words, regexp.MustCompile(`^(\^(BOOT|MODE|DSFLOWRPT)|\S*)`).FindString(l))
				}
				if got := strings.Join(words, " "); got != want {
					t.Errorf("it said %s\nwant    %s", got, want)
				}
				_ = d.Close()
			})
		})
	}
}

// TestNoiseEnds: by the make's own command, until the power is cut.
func TestNoiseEnds(t *testing.T) {
	for name, command := range map[string]string{"huawei-e173": "AT^CURC=0\r", "zte-mf190": "AT+CPMS?\r"} {
		t.Run(name, func(t *testing.T) {
			family(t, name, func(e *te) {
				time.Sleep(20 * time.Second)
				if e.heard() == "" {
					t.Error("it said nothing before")
				}
				e.say(command)
				e.heard()
				time.Sleep(time.Hour)
				e.expect("")
				e.d.Unplug()
				e.d.Plug()
				again := plugTE(t, e.d)
				time.Sleep(20 * time.Second)
				if again.heard() == "" {
					t.Error("it said nothing after")
				}
			})
		})
	}
}

// TestUnreadNoise: a ZTE stick whose port nobody reads crashes, and comes back.
func TestUnreadNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts, _ := virtual.Family("zte-mf190")
		d := virtual.New(opts)
		plugged := func() bool {
			port, err := d.Open(t.Context())
			if err == nil {
				_ = port.Close()
			}
			return err == nil
		}
		time.Sleep(time.Minute)
		if !plugged() { // and read, a little
			t.Fatal("it crashed at once")
		}
		time.Sleep(3*time.Minute + 24*time.Second)
		if plugged() {
			t.Error("it did not crash")
		}
		time.Sleep(opts.RebootTime)
		if !plugged() {
			t.Error("it did not come back")
		}
		_ = d.Close()
	})
}

// TestBusyAfterPIN: the SIM cannot be used for messages at once.
func TestBusyAfterPIN(t *testing.T) {
	for name, code := range map[string]string{"huawei-e173": "515", "quectel-ec25": "314", "wavecom": "515"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts, _ := virtual.Family(name)
				opts.PIN, opts.Quirks.Unsolicited = "1234", nil
				d := virtual.New(opts)
				e := plugTE(t, d)
				e.dialogue("ATE0+CMEE=1\r", "ATE0+CMEE=1\r"+ok)
				e.dialogue("AT+CMGF=0;+CNMI=1,1\r", cms+"311"+end)
				e.dialogue("AT+CPIN=1234\r", ok)
				e.dialogue("AT+CNMI=1,1\r", cms+code+end)
				e.dialogue("AT+CIMI\r", cme+"14"+end)
				e.dialogue("AT+CMGS=19\r", cms+code+end)
				time.Sleep(opts.Quirks.Busy)
				e.dialogue("AT+CNMI=1,1\r", ok)
				_ = d.Close()
			})
		})
	}
}

// TestFamilyReports: how a status report reaches the TE, and where it is.
func TestFamilyReports(t *testing.T) {
	stored := "\r\n+CMGR: 0,,25\r\n" + smscHex + "06FA" + recipient + "????" + "\r\n" + ok
	for name, c := range map[string]struct{ cnmi, announced, memory, index, read string }{
		"generic":      {"2,1,0,2", `+CDSI: "SR",1`, "SR", "1", stored},
		"huawei-e1752": {"2,1,0,2", `+CDSI: "SR",0`, "SR", "0", ""},
		"zte-mf190":    {"1,1,0,2", `+CDSI: "SR",1`, "ME", "1", "\r\n+CMGR: 0,,26\r\n" + "0297F106FA0D910B" + "9989103254F6" + "????" + "\r\n" + ok},
		"quectel-ec25": {"2,1,0,2", `+CDSI: "SM",0`, "SR", "0", stored},
		"wavecom":      {"2,1,0,2", `+CDSI: "SR",1`, "SR", "1", strings.Replace(stored, smscHex, "000000FF00"+smscHex, 1)},
		"tc35":         {"2,1,0,2,1", `+CDSI: "SM",1`, "SM", "1", stored},
		"novatel":      {"2,1,0,2", `+CDSI: "SR",1`, "SR", "1", stored},
	} {
		t.Run(name, func(t *testing.T) {
			family(t, name, func(e *te) {
				e.dialogue("AT+CNMI="+c.cnmi+"\r", ok)
				if got := e.submit(); got != sentFirst+"\r\n"+c.announced+"\r\n" {
					t.Errorf("heard %q", got)
				}
				e.say("AT+CPMS=\"" + c.memory + "\"\r")
				e.heard()
				e.say("AT+CMGR=" + c.index + "\r")
				got := regexp.MustCompile(`(9989103254F6)[0-9A-F]{28}00`).ReplaceAllString(e.heard(), "$1????")
				if c.read != "" && got != c.read {
					t.Errorf("read %q\nwant %q", got, c.read)
				}
			})
		})
	}
}

// TestZTEDirectReport: a comma stands before the length.
func TestZTEDirectReport(t *testing.T) {
	family(t, "zte-mf190", func(e *te) {
		e.dialogue("AT+CPMS?;+CNMI=1,1,0,1\r", "\r\n+CPMS: \"SM\",0,50,\"SM\",0,50,\"SM\",0,50\r\n"+ok)
		err := e.d.SendReport(pdu.Report{SMSC: "+491710760000", MR: 0x1c, Recipient: "+99980123456"})
		if err != nil {
			t.Fatal(err)
		}
		zeros := strings.Repeat("00", 14)
		e.expect("\r\n+CDS: ,26\r\n0297F1061C0D910B9989103254F6" + zeros + "00\r\n")
		if err := e.d.DeliverRaw([]byte{0x00, 0x06, 0x1c}); err != nil { // cut off, it cannot be mangled
			t.Fatal(err)
		}
		e.expect("\r\n+CDS: ,2\r\n00061C\r\n")
	})
}

// TestNovatelTrap: a +CDS can neither be acknowledged nor be left alone.
func TestNovatelTrap(t *testing.T) {
	family(t, "novatel", func(e *te) {
		e.dialogue("AT+CNMI=2,1,0,1\r", ok)
		if got := e.submit(); !strings.Contains(got, "+CDS: 25") {
			t.Fatalf("heard %q", got)
		}
		e.dialogue("AT+CNMA\r", cms+"340"+end)
		time.Sleep(virtual.DefaultAckTimeout)
		e.expect("")
		e.dialogue("AT\r", "")
		e.d.URC("unheard")
		e.expect("")
		e.d.Unplug()
		e.d.Plug()
		again := plugTE(t, e.d)
		again.dialogue("AT\r", "AT\r"+ok)
		time.Sleep(time.Minute)
		again.dialogue("AT\r", "AT\r"+ok)
	})
}

func TestFamilyRestart(t *testing.T) {
	for name, command := range map[string]string{"huawei-e173": "AT^RESET\r", "sim7600": "AT+CRESET\r", "tc35": "AT+CFUN=1,1\r"} {
		t.Run(name, func(t *testing.T) {
			family(t, name, func(e *te) {
				e.dialogue(command, ok)
				time.Sleep(time.Second)
				if err := e.hungUp(); err == nil {
					t.Error("it is still on the bus")
				}
			})
		})
	}
}
