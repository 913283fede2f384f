package virtual_test

import (
	"testing"
	"time"

	"dongled/modem/virtual"
)

func TestStorage(t *testing.T) {
	entry := func(head string) string { return "\r\n" + head + ",,24\r\n" + delivered + "\r\n" }
	bubble(t, virtual.Options{Slots: 3}, func(e *te) {
		e.dialogue("AT+CMEE=1;+CNMI=2,1,0,2\r", ok)
		e.dialogue("AT+CPMS=?\r", "\r\n+CPMS: (\"SM\",\"ME\",\"SR\"),(\"SM\",\"ME\"),(\"SM\",\"ME\")\r\n"+ok)
		e.dialogue("AT+CMGL\r", ok)
		e.dialogue("AT+CMGR=1\r", cms+"321"+end)
		for range 3 {
			incoming(t, e.d)
		}
		e.expect("\r\n+CMTI: \"SM\",1\r\n\r\n+CMTI: \"SM\",2\r\n\r\n+CMTI: \"SM\",3\r\n")
		e.dialogue("AT+CPMS?\r", "\r\n+CPMS: \"SM\",3,3,\"SM\",3,3,\"SM\",3,3\r\n"+ok)
		e.dialogue("AT+CMGR=2\r", entry("+CMGR: 0")+ok)
		e.dialogue("AT+CMGR=2\r", entry("+CMGR: 1")+ok) // read by now
		e.dialogue("AT+CMGL=0\r", entry("+CMGL: 1,0")+entry("+CMGL: 3,0")+ok)
		e.dialogue("AT+CMGL\r", ok)
		e.dialogue("AT+CMGL=4\r", entry("+CMGL: 1,1")+entry("+CMGL: 2,1")+entry("+CMGL: 3,1")+ok)
		// A message that finds no room waits with the SC until there is.
		incoming(t, e.d)
		e.expect("")
		e.dialogue("AT+CMGD=2\r", "\r\n+CMTI: \"SM\",2\r\n"+ok)
		e.dialogue("AT+CMGD=?\r", "\r\n+CMGD: (1,2,3),(0-4)\r\n"+ok)
		e.dialogue("AT+CMGD=1,1\r", ok) // the read ones
		e.dialogue("AT+CMGD=?\r", "\r\n+CMGD: (2),(0-4)\r\n"+ok)
		e.dialogue("AT+CMGD=1,4\r", ok)
		e.dialogue("AT+CPMS?\r", "\r\n+CPMS: \"SM\",0,3,\"SM\",0,3,\"SM\",0,3\r\n"+ok)
	})
}

func TestStorageSurvivesUnplugging(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		incoming(t, e.d)
		e.d.Unplug()
		e.d.Plug()
		again := plugTE(t, e.d)
		again.dialogue("ATE0+CPMS?\r", "ATE0+CPMS?\r\r\n+CPMS: \"SM\",1,50,\"SM\",1,50,\"SM\",1,50\r\n"+ok)
	})
}

func TestStorageFromZero(t *testing.T) {
	bubble(t, virtual.Options{ZeroIndex: true}, func(e *te) {
		e.dialogue("AT+CNMI=2,1\r", ok)
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"SM\",0\r\n")
		e.dialogue("AT+CMGD=0\r", ok)
	})
}

func TestReportStoreFull(t *testing.T) {
	bubble(t, virtual.Options{Slots: 1}, func(e *te) {
		e.dialogue("AT+CNMI=2,1,0,2;+CPMS=\"SR\"\r", "\r\n+CPMS: 0,1,0,1,0,1\r\n"+ok)
		if got := e.submit(); got != sentFirst+"\r\n+CDSI: \"SR\",1\r\n" {
			t.Errorf("heard %q", got)
		}
		if got := e.submit(); got != "\r\n+CMGS: 251\r\n"+ok {
			t.Errorf("heard %q", got)
		}
		e.dialogue("AT+CMGD=1\r", "\r\n+CDSI: \"SR\",1\r\n"+ok)
	})
}

func TestStorageErrors(t *testing.T) {
	transcript(t, virtual.Options{}, []line{
		{"AT+CMEE=1\r", ok},
		{"AT+CPMS=\"XX\"\r", cms + "302" + end},
		{"AT+CPMS=\"SM\",\"SR\"\r", cms + "302" + end}, // nothing can be written to SR
		{"AT+CPMS=SM\r", errorLine}, {"AT+CPMS\r", errorLine}, {"AT+CPMS=\r", errorLine},
		{"AT+CMGR=0\r", cms + "321" + end}, {"AT+CMGR=51\r", cms + "321" + end}, {"AT+CMGR\r", errorLine}, {"AT+CMGR=x\r", errorLine}, {"AT+CMGR=?\r", ok},
		{"AT+CMGD=0\r", cms + "321" + end}, {"AT+CMGD=1,5\r", errorLine}, {"AT+CMGD\r", errorLine}, {"AT+CMGD=x\r", errorLine},
		{"AT+CMGD=1\r", ok}, // empty already
		{"AT+CMGL=5\r", cms + "303" + end}, {"AT+CMGL?\r", errorLine}, {"AT+CMGL=?\r", "\r\n+CMGL: (0-4)\r\n" + ok},
	})
}

// TestFull: the SIM full, the network keeps what comes, and sends it again after RP-SMMA.
func TestFull(t *testing.T) {
	const smmemfull = "\r\n^SMMEMFULL: \"SM\"\r\n"
	opts := virtual.Options{Slots: 2, Quirks: virtual.Quirks{FullURC: `^SMMEMFULL: "{mem}"`}, AlertDelay: 3 * time.Second}
	bubble(t, opts, func(e *te) {
		e.dialogue("AT+CNMI=2,1\r", ok)
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"SM\",1\r\n")
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"SM\",2\r\n" + smmemfull)
		for range 2 { // +CMTI has stopped
			incoming(t, e.d)
			e.expect(smmemfull)
		}
		e.dialogue("AT+CMGD=2\r", ok)
		time.Sleep(3*time.Second - 1)
		e.expect("")
		time.Sleep(time.Nanosecond)
		e.expect("\r\n+CMTI: \"SM\",2\r\n" + smmemfull + smmemfull) // one came, one found no room again
		e.dialogue("AT+CMGD=1,4\r", ok)
		time.Sleep(3 * time.Second)
		e.expect("\r\n+CMTI: \"SM\",1\r\n")
	})
}

// TestRoomElsewhere: another <mem3> is room too.
func TestRoomElsewhere(t *testing.T) {
	bubble(t, virtual.Options{Slots: 1}, func(e *te) {
		e.dialogue("AT+CNMI=2,1\r", ok)
		incoming(t, e.d)
		incoming(t, e.d)
		e.expect("\r\n+CMTI: \"SM\",1\r\n")
		e.dialogue("AT+CPMS=\"ME\"\r", "\r\n+CPMS: 0,1,1,1,1,1\r\n"+ok)
		e.dialogue("AT+CPMS=\"SM\",\"SM\",\"ME\"\r", "\r\n+CMTI: \"ME\",1\r\n\r\n+CPMS: 1,1,1,1,1,1\r\n"+ok)
	})
}

// TestFullSurvivesUnplugging: a SIM that was full is full when it comes back.
func TestFullSurvivesUnplugging(t *testing.T) {
	bubble(t, virtual.Options{Slots: 1}, func(e *te) {
		incoming(t, e.d)
		incoming(t, e.d)
		e.d.Unplug()
		e.d.Plug()
		again := plugTE(t, e.d)
		again.dialogue("ATE0\r", "ATE0\r"+ok)
		again.dialogue("AT+CNMI=2,1\r", ok)
		again.dialogue("AT+CMGD=1\r", "\r\n+CMTI: \"SM\",1\r\n"+ok)
	})
}
