package virtual_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
)

func TestPrompts(t *testing.T) {
	for _, form := range []string{"\r\n> ", "> ", ">", "\r\n>\r\n"} {
		t.Run(fmt.Sprintf("%q", form), func(t *testing.T) {
			bubble(t, virtual.Options{Quirks: virtual.Quirks{Prompt: form}}, func(e *te) {
				e.dialogue("AT+CMGS=19\r", form)
				e.dialogue(hello+ctrlZ, sentFirst)
			})
		})
	}
}

// TestEchoOfTheEntry: the PDU comes back although the echo is off.
func TestEchoOfTheEntry(t *testing.T) {
	bubble(t, virtual.Options{Quirks: virtual.Quirks{EchoEntry: true}}, func(e *te) {
		e.dialogue("AT+CMGS=19\r", prompt)
		e.dialogue(hello+ctrlZ, hello+sentFirst)
		e.dialogue("AT\r", ok)
	})
}

// TestListingRefused: what some firmware does to +CMGL=4 is a fault like any other.
func TestListingRefused(t *testing.T) {
	opts := virtual.Options{Faults: []virtual.Fault{{On: "CMGL", Args: "4", Do: virtual.CMS, Code: 303, Every: 1}}}
	bubble(t, opts, func(e *te) {
		e.dialogue("AT+CMEE=1\r", ok)
		incoming(t, e.d)
		e.dialogue("AT+CMGL=4\r", cms+"303"+end)
		e.dialogue("AT+CMGR=1\r", "\r\n+CMGR: 0,,24\r\n"+delivered+"\r\n"+ok)
	})
}

func TestRefusedCNMI(t *testing.T) {
	quirks := virtual.Quirks{CNMIRefused: []string{"2,*,*,1", "*,3"}}
	transcript(t, virtual.Options{Quirks: quirks}, []line{
		{"AT+CMEE=1;+CNMI=2,1,0,2\r", ok},
		{"AT+CNMI=2,1,0,1,0\r", errorLine}, {"AT+CNMI=1,3\r", errorLine},
		{"AT+CNMI?\r", "\r\n+CNMI: 2,1,0,2,0\r\n" + ok},
		{"AT+CNMI=1,1,0,1,0\r", ok},
		{"AT+CNMI=2\r", errorLine}, // with what it has already
	})
}

// TestLateCounters: +CMTI comes before +CPMS knows of the message.
func TestLateCounters(t *testing.T) {
	bubble(t, virtual.Options{Quirks: virtual.Quirks{CountLag: time.Second}}, func(e *te) {
		e.dialogue("AT+CNMI=2,1\r", ok)
		counts := func(n string) { // of the third memory
			t.Helper()
			e.dialogue("AT+CPMS=\"SM\",\"SM\",\"SM\"\r", "\r\n+CPMS: "+n+",50,"+n+",50,"+n+",50\r\n"+ok)
		}
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"SM\",1\r\n")
		counts("0")
		e.dialogue("AT+CMGR=1\r", "\r\n+CMGR: 0,,24\r\n"+delivered+"\r\n"+ok)
		time.Sleep(time.Second + time.Nanosecond)
		counts("1")
	})
}

// part is one of two parts of a long message from a person.
func part(t *testing.T, d *virtual.Dongle, from string, reference uint16, number uint8) {
	t.Helper()
	err := d.Deliver(pdu.Deliver{
		Originator: from, Text: "part", SCTS: time.Now().UTC(),
		Concat: &pdu.Concat{Reference: reference, Total: 2, Number: number},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDeletingTheFirstPart deletes the others with it (SIM600), and none but those.
func TestDeletingTheFirstPart(t *testing.T) {
	left := func(indices string) string { return "\r\n+CMGD: (" + indices + "),(0-4)\r\n" + ok }
	bubble(t, virtual.Options{Quirks: virtual.Quirks{DeletesWhole: true}}, func(e *te) {
		part(t, e.d, "+99980123456", 7, 1)
		part(t, e.d, "+99980123456", 8, 2)
		part(t, e.d, "+99980123457", 7, 2)
		part(t, e.d, "+99980123456", 7, 2)
		incoming(t, e.d)
		if err := e.d.DeliverRaw([]byte{0, 4, 1}); err != nil { // no message that could be read
			t.Fatal(err)
		}
		e.dialogue("AT+CMGD=?\r", left("1,2,3,4,5,6"))
		e.dialogue("AT+CMGD=2;+CMGD=?\r", left("1,3,4,5,6")) // a second part goes alone
		e.dialogue("AT+CMGD=5;+CMGD=?\r", left("1,3,4,6"))
		e.dialogue("AT+CMGD=1;+CMGD=?\r", left("3,6"))
		e.dialogue("AT+CMGD=6;+CMGD=1;+CMGD=?\r", left("3"))
	})
}

// TestUnionOfMemories: MT is SIM and ME in one row, and SM_P another name for SM.
func TestUnionOfMemories(t *testing.T) {
	const both = `("SM","ME","MT","SM_P"),("SM","ME"),("SM","ME","MT","SM_P")`
	opts := virtual.Options{Slots: 2, Quirks: virtual.Quirks{Memories: both, FullURC: `+CIEV: "smsfull","{mem}"`}}
	bubble(t, opts, func(e *te) {
		e.dialogue("AT+CNMI=2,1;+CPMS=\"MT\",\"SM\",\"ME\"\r", "\r\n+CPMS: 0,4,0,2,0,2\r\n"+ok)
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"ME\",1\r\n")
		e.dialogue("AT+CMGR=3\r", "\r\n+CMGR: 0,,24\r\n"+delivered+"\r\n"+ok)
		e.dialogue("AT+CMGD=3;+CPMS=\"SM\",\"SM\",\"SM_P\"\r", "\r\n+CPMS: 0,2,0,2,0,2\r\n"+ok)
		for range 3 {
			incoming(t, e.d)
		}
		e.expect("\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n\r\n+CIEV: \"smsfull\",\"SM\"\r\n\r\n+CIEV: \"smsfull\",\"SM\"\r\n")
		e.dialogue("AT+CMGD=1\r", "\r\n+CMTI: \"SM\",1\r\n\r\n+CIEV: \"smsfull\",\"SM\"\r\n"+ok)
	})
}

func TestICCIDFile(t *testing.T) {
	bubble(t, virtual.Options{ICCID: "8949200000100000001", PIN: "1234"}, func(e *te) {
		e.dialogue("AT+CMEE=1;+CRSM=?\r", ok)
		e.dialogue("AT+CRSM=176,12258,0,0,10\r", "\r\n+CRSM: 144,0,\"989402000001000000F1\"\r\n"+ok)
		e.dialogue("AT+CRSM=176,28423,0,0,9\r", "\r\n+CRSM: 106,130\r\n"+ok)
		e.dialogue("AT+CRSM=176\r", errorLine)
		e.d.SetSIM(false)
		e.dialogue("AT+CRSM=176,12258,0,0,10\r", cme+"10"+end)
	})
}

// TestBuiltinFamilies: a port may name a family, and a stick of it.
func TestBuiltinFamilies(t *testing.T) {
	plain, known := virtual.Builtin("huawei-e173")
	if !known || plain.Model != "E173" || plain.Name != "huawei-e173" {
		t.Errorf("huawei-e173 is %+v, %t", plain, known)
	}
	left, _ := virtual.Builtin("huawei-e173.left")
	right, _ := virtual.Builtin("huawei-e173.right")
	if left.Model != "E173" || left.IMEI == right.IMEI || left.IMSI == plain.IMSI {
		t.Errorf("left is %s %s, right %s", left.Model, left.IMEI, right.IMEI)
	}
	other, known := virtual.Builtin("huawei-e173x")
	if !known || !strings.HasPrefix(other.Model, "Virtual") {
		t.Errorf("huawei-e173x is %s, %t", other.Model, known)
	}
	plain.Quirks.Vendor["^CURC"] = []string{"changed"}
	if again, _ := virtual.Family("huawei-e173"); again.Quirks.Vendor["^CURC"] != nil {
		t.Error("who changes a family changes it for all")
	}
}

func TestStrictCancel(t *testing.T) {
	opts := virtual.Options{USSD: menu, Quirks: virtual.Quirks{StrictCancel: true}}
	transcript(t, opts, []line{
		{"AT+CUSD=2\r", errorLine},
		{"AT+CUSD=1,\"*105#\"\r", ok}, {"AT+CUSD=2\r", ok}, {"AT+CUSD=2\r", errorLine},
		{"AT+CUSD=1,\"#123#\"\r", ok + ussd("1,\"1 Data\n2 Calls\",15")}, {"AT+CUSD=2\r", ok}, {"AT+CUSD=2\r", errorLine},
	})
}

func TestNoIndexInCMTI(t *testing.T) {
	bubble(t, virtual.Options{Quirks: virtual.Quirks{StoredMessage: `+CMTI: "{mem}",-1`}}, func(e *te) {
		e.dialogue("AT+CNMI=2,1\r", ok)
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"SM\",-1\r\n")
		e.dialogue("AT+CMGR=1\r", "\r\n+CMGR: 0,,24\r\n"+delivered+"\r\n"+ok)
	})
}

// TestDirectReportsStored: <ds> 1 is accepted and read back, and no +CDS ever comes.
func TestDirectReportsStored(t *testing.T) {
	bubble(t, virtual.Options{Quirks: virtual.Quirks{DirectStored: true, ReportMemory: "SM"}}, func(e *te) {
		e.dialogue("AT+CNMI=2,1,0,1,0;+CNMI?\r", "\r\n+CNMI: 2,1,0,1,0\r\n"+ok)
		if got := e.submit(); got != sentFirst {
			t.Errorf("heard %q", got)
		}
		e.dialogue("AT+CMGL=4\r", "\r\n+CMGL: 1,0,,25\r\n"+smscHex+"06FA"+recipient+bigBang+bigBang+"00\r\n"+ok)
	})
}

// TestBrownOut: the boot loop of a stick whose supply is too weak.
func TestBrownOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(virtual.Options{RebootTime: 5 * time.Second})
		there := func() bool {
			synctest.Wait()
			port, err := d.Open(t.Context())
			if err == nil {
				_ = port.Close()
			}
			return err == nil
		}
		time.Sleep(time.Hour)
		d.SetBrownOut(10 * time.Second)
		for round := range 3 {
			time.Sleep(10*time.Second - 1)
			if !there() {
				t.Fatalf("round %d: it left too early", round)
			}
			time.Sleep(time.Nanosecond)
			if there() {
				t.Fatalf("round %d: it stayed", round)
			}
			time.Sleep(5 * time.Second)
		}
		d.SetBrownOut(0)
		time.Sleep(time.Hour)
		if !there() {
			t.Error("it was not mended")
		}
		_ = d.Close()
	})
}
