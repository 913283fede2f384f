package virtual_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
)

const sentFirst = "\r\n+CMGS: 250\r\n" + ok

// An SMS-DELIVER by hand (TS 23.040 9.2.2.1): FO 04, OA 0B 91 +99980123456, PID, DCS, SCTS
// bigBang, UDL 05 "hello". Its TPDU has 1+1+1+6+1+1+7+1+5 = 24 octets.
const delivered = smscHex + "04" + recipient + "0000" + bigBang + "05E8329BFD06"

func incoming(t *testing.T, d *virtual.Dongle) {
	t.Helper()
	err := d.Deliver(pdu.Deliver{
		SMSC: "+491710760000", Originator: "+99980123456", Text: "hello",
		SCTS: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatusReportRouting(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		// <ds> 0, as from the factory: no report is routed, and none comes later.
		if got := e.submit(); got != sentFirst {
			t.Errorf("ds=0: heard %q", got)
		}
		e.dialogue("AT+CNMI=2,1,0,1,0\r", ok)
		// <ds> 1: at once.
		if got := e.submit(); got != "\r\n+CMGS: 251\r\n"+ok+report("FB", "00") {
			t.Errorf("ds=1: heard %q", got)
		}
		// Without TP-SRR there is none.
		e.dialogue("AT+CMGS=19\r", prompt)
		e.dialogue(hello+ctrlZ, "\r\n+CMGS: 252\r\n"+ok)
		// <ds> 2: stored, and indicated.
		e.dialogue("AT+CNMI=2,1,0,2,0\r", ok)
		if got := e.submit(); got != "\r\n+CMGS: 253\r\n"+ok+"\r\n+CDSI: \"SR\",1\r\n" {
			t.Errorf("ds=2: heard %q", got)
		}
		e.dialogue("AT+CPMS=\"SR\"\r", "\r\n+CPMS: 1,50,0,50,0,50\r\n"+ok)
		e.dialogue("AT+CMGR=1\r", "\r\n+CMGR: 0,,25\r\n"+
			smscHex+"06FD"+recipient+bigBang+bigBang+"00"+"\r\n"+ok)
	})
}

func TestReportOnDemand(t *testing.T) {
	var heard []pdu.Report
	opts := virtual.Options{
		Faults:   []virtual.Fault{{Do: virtual.ReportNever, Every: 1}},
		OnReport: func(r pdu.Report) { heard = append(heard, r) },
	}
	bubble(t, opts, func(e *te) {
		e.withReports()
		if err := e.d.Report(250, 0); !errors.Is(err, virtual.ErrNoSubmission) {
			t.Errorf("before any submission: %v", err)
		}
		if got := e.submit(); got != sentFirst {
			t.Errorf("heard %q", got)
		}
		if err := e.d.Report(250, 0x46); err != nil {
			t.Fatal(err)
		}
		e.expect(report("FA", "46"))
		// Another form of the number, another SC, no times: FO 06, RA 81 0123, zeros for the times.
		if err := e.d.SendReport(pdu.Report{MR: 7, Recipient: "0123", Status: 0x30}); err != nil {
			t.Fatal(err)
		}
		zeros := "00000000000000"
		e.expect("\r\n+CDS: 21\r\n" + "00" + "06070481" + "1032" + zeros + zeros + "30" + "\r\n")
		if err := e.d.SendReport(pdu.Report{Recipient: "nobody"}); !errors.Is(err, pdu.ErrAddress) {
			t.Errorf("a report to nobody: %v", err)
		}
		if len(heard) != 2 || heard[0].Status != 0x46 || heard[1].MR != 7 {
			t.Errorf("OnReport got %+v", heard)
		}
	})
}

func TestRawDeliveries(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.withReports()
		// A report cut off after TP-MR, and one without an SCA and with a tail.
		if err := e.d.DeliverRaw([]byte{0x00, 0x06, 0x1c}); err != nil {
			t.Fatal(err)
		}
		e.expect("\r\n+CDS: 2\r\n00061C\r\n")
		for _, short := range [][]byte{nil, {0}, {7, 1, 2}} {
			if err := e.d.DeliverRaw(short); err == nil {
				t.Errorf("% x was delivered", short)
			}
		}
		if err := e.d.Deliver(pdu.Deliver{Originator: "+99980123456"}); !errors.Is(err, pdu.ErrNoTime) {
			t.Errorf("a message of no time: %v", err)
		}
	})
}

func TestCNMI(t *testing.T) {
	transcript(t, virtual.Options{}, []line{
		{"AT+CMEE=1\r", ok},
		{"AT+CNMI?;+CNMI=?\r", "\r\n+CNMI: 0,0,0,0,0\r\n\r\n+CNMI: (0-2),(0-3),(0,2),(0-2),(0,1)\r\n" + ok},
		{"AT+CNMI=2,1,0,1,0\r", ok},
		{"AT+CNMI=,2;+CNMI?\r", "\r\n+CNMI: 2,2,0,1,0\r\n" + ok}, // left out: as it was
		{"AT+CNMI=3\r", cms + "303" + end},
		{"AT+CNMI=2,1,1,1\r", cms + "303" + end},
		{"AT+CNMI?\r", "\r\n+CNMI: 2,2,0,1,0\r\n" + ok},
		{"AT+CNMI=a\r", errorLine},
		{"AT+CNMI=2,1,0,1,0,0\r", errorLine},
	})
}

func TestCNMIOfFew(t *testing.T) {
	// SIM800: no <ds> 2, and <bfr> is never left to choose.
	transcript(t, virtual.Options{CNMI: "(0-3),(0,1,2,3),(0),(0,1)"}, []line{
		{"AT+CMEE=1;+CNMI=?\r", "\r\n+CNMI: (0-3),(0,1,2,3),(0),(0,1)\r\n" + ok},
		{"AT+CNMI=2,1,0,2\r", cms + "303" + end},
		{"AT+CNMI=2,1,0,1,0\r", cms + "303" + end},
		{"AT+CNMI=3,3,0,1\r", ok},
	})
}

func TestMessageRouting(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		incoming(t, e.d) // <mt> 0: stored, and not a word
		e.expect("")
		e.dialogue("AT+CNMI=2,1\r", ok)
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"SM\",2\r\n")
		e.dialogue("AT+CPMS=\"SM\",\"SM\",\"ME\"\r", "\r\n+CPMS: 2,50,2,50,0,50\r\n"+ok)
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"ME\",1\r\n")
		e.dialogue("AT+CNMI=2,2\r", ok)
		incoming(t, e.d)
		e.expect("\r\n+CMT: ,24\r\n" + delivered + "\r\n")
	})
}

// TestReservedLink: while the TE enters a PDU the link is reserved (27.005 3.4.1 <mode>).
func TestReservedLink(t *testing.T) {
	for name, c := range map[string]struct {
		cnmi          string
		during, after string // a report and a stored message that arrive while the PDU is entered
	}{
		"0 buffers always":           {"0,1,0,1", "", ""},
		"1 refuses":                  {"1,1,0,1", "", report("07", "00")}, // the SC tries again, the indication is lost
		"2 buffers":                  {"2,1,0,1", "", report("07", "00") + "\r\n+CMTI: \"SM\",1\r\n"},
		"3 sends in any case":        {"3,1,0,1", report("07", "00") + "\r\n+CMTI: \"SM\",1\r\n", ""},
		"2 with the report in store": {"2,1,0,2", "", "\r\n+CDSI: \"SR\",1\r\n\r\n+CMTI: \"SM\",1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, virtual.Options{CNMI: "(0-3),(0-3),(0),(0-2),(0,1)"}, func(e *te) {
				e.dialogue("AT+CNMI="+c.cnmi+"\r", ok)
				e.dialogue("AT+CMGS=19\r", prompt)
				err := e.d.SendReport(pdu.Report{
					SMSC: "+491710760000", MR: 7, Recipient: "+99980123456", SCTS: time.Now().UTC(), Discharge: time.Now().UTC(),
				})
				if err != nil {
					t.Fatal(err)
				}
				incoming(t, e.d)
				e.expect(c.during)
				e.dialogue("\x1b", c.after+ok)
			})
		})
	}
}

func TestBufferOfModeZero(t *testing.T) {
	for bfr, want := range map[string]string{"0": "\r\n+CMTI: \"SM\",1\r\n", "1": ""} {
		t.Run("bfr="+bfr, func(t *testing.T) {
			bubble(t, virtual.Options{}, func(e *te) {
				e.dialogue("AT+CNMI=0,1\r", ok)
				incoming(t, e.d)
				e.expect("")
				e.dialogue("AT+CNMI=1,1,0,1,"+bfr+"\r", want+ok)
			})
		})
	}
}

func TestPhase2PlusAcknowledgement(t *testing.T) {
	two := func(t *testing.T, e *te) {
		t.Helper()
		e.dialogue("AT+CMEE=1;+CSMS=1;+CNMI=2,1,0,1,0\r", "\r\n+CSMS: 1,1,1\r\n"+ok)
		if got := e.submit(); got != sentFirst+report("FA", "00") {
			t.Errorf("heard %q", got)
		}
		// The second report is withheld until the first is acknowledged.
		if got := e.submit(); got != "\r\n+CMGS: 251\r\n"+ok {
			t.Errorf("heard %q", got)
		}
	}
	for name, ack := range map[string]string{"plain": "AT+CNMA\r", "n=0": "AT+CNMA=0\r", "n=1": "AT+CNMA=1\r"} {
		t.Run("acknowledged "+name, func(t *testing.T) {
			bubble(t, virtual.Options{}, func(e *te) {
				two(t, e)
				e.dialogue(ack, report("FB", "00")+ok)
				e.dialogue(ack, ok)
				e.dialogue(ack, cms+"340"+end)
				time.Sleep(time.Minute)
				e.dialogue("AT+CNMI?\r", "\r\n+CNMI: 2,1,0,1,0\r\n"+ok)
			})
		})
	}
	t.Run("not in time", func(t *testing.T) {
		bubble(t, virtual.Options{}, func(e *te) {
			two(t, e)
			time.Sleep(virtual.DefaultAckTimeout - 1)
			e.dialogue("AT+CNMI?\r", "\r\n+CNMI: 2,1,0,1,0\r\n"+ok)
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			e.dialogue("AT+CNMI?\r", "\r\n+CNMI: 2,0,0,0,0\r\n"+ok)
			e.dialogue("AT+CNMA\r", cms+"340"+end)
			// The SC sends it again to a ME that routes reports.
			e.dialogue("AT+CNMI=2,1,0,1,0\r", report("FA", "00")+ok)
		})
	})
	t.Run("back to phase 2", func(t *testing.T) {
		bubble(t, virtual.Options{}, func(e *te) {
			two(t, e)
			e.dialogue("AT+CSMS=0\r", report("FB", "00")+"\r\n+CSMS: 1,1,1\r\n"+ok)
		})
	})
	t.Run("unplugged before", func(t *testing.T) {
		bubble(t, virtual.Options{}, func(e *te) {
			two(t, e)
			e.d.Unplug()
			e.d.Plug()
			again := plugTE(t, e.d)
			again.dialogue("ATE0\r", "ATE0\r"+ok)
			again.dialogue("AT+CNMI=2,1,0,1,0\r", report("FA", "00")+report("FB", "00")+ok)
		})
	})
}

func TestAcknowledgementCommands(t *testing.T) {
	transcript(t, virtual.Options{}, []line{
		{"AT+CMEE=1;+CSMS=?\r", "\r\n+CSMS: (0,1)\r\n" + ok},
		{"AT+CSMS?\r", "\r\n+CSMS: 0,1,1,1\r\n" + ok},
		{"AT+CSMS=128\r", cms + "303" + end},
		{"AT+CSMS\r", errorLine}, {"AT+CSMS=x\r", errorLine},
		{"AT+CNMA=?\r", "\r\n+CNMA: (0-2)\r\n" + ok},
		{"AT+CNMA\r", cms + "340" + end},
		{"AT+CNMA=3\r", cms + "303" + end},
		{"AT+CNMA=1,20\r", cms + "303" + end},
		{"AT+CNMA=x\r", errorLine}, {"AT+CNMA=1,x\r", errorLine}, {"AT+CNMA?\r", errorLine},
	})
}

// TestReportsWaitForTheNetwork: what the SC has while the SIM is away comes when it is back and
// the TE asked for reports.
func TestReportsWaitForTheNetwork(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.withReports()
		e.dialogue("AT+CMGS=19\r", prompt)
		e.dialogue(hello+ctrlZ, sentFirst)
		e.d.SetRegistration(2)
		if err := e.d.Report(250, 0); err != nil {
			t.Fatal(err)
		}
		e.expect("")
		e.d.SetRegistration(1)
		e.expect(report("FA", "00"))
		e.d.Unplug()
		if err := e.d.Report(250, 0x20); err != nil {
			t.Fatal(err)
		}
		e.d.Plug()
		again := plugTE(t, e.d)
		again.dialogue("ATE0\r", "ATE0\r"+ok)
		again.dialogue("AT+CNMI=2,1,0,1,0\r", report("FA", "20")+ok)
	})
}
