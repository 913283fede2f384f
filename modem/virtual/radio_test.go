package virtual_test

import (
	"fmt"
	"testing"
	"time"

	"dongled/modem/virtual"
)

func TestRegistrationDomains(t *testing.T) {
	// 27.007: 6, 7, 9 and 10 are of +CREG only.
	for stat, want := range map[int][3]string{
		0: {"0", "0", "0"}, 1: {"1", "1", "1"}, 2: {"2", "2", "2"}, 3: {"3", "3", "3"}, 5: {"5", "5", "5"},
		6: {"6", "0", "1"}, 7: {"7", "0", "5"}, 8: {"8", "8", "8"}, 9: {"9", "0", "1"}, 10: {"10", "0", "5"},
	} {
		t.Run(fmt.Sprint(stat), func(t *testing.T) {
			bubble(t, virtual.Options{}, func(e *te) {
				e.d.SetRegistration(stat)
				e.dialogue("AT+CREG?;+CGREG?;+CEREG?\r", "\r\n+CREG: 0,"+want[0]+
					"\r\n\r\n+CGREG: 0,"+want[1]+"\r\n\r\n+CEREG: 0,"+want[2]+"\r\n"+ok)
			})
		})
	}
}

func TestRegistrationURC(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.d.SetRegistration(2)
		e.expect("")
		e.dialogue("AT+CREG=1;+CEREG=2\r", ok)
		e.d.SetRegistration(1)
		e.expect("\r\n+CREG: 1\r\n" + "\r\n+CEREG: 1,\"00C3\",\"0000A1B2\",7\r\n")
		e.d.SetRegistration(6)
		e.expect("\r\n+CREG: 6\r\n") // +CEREG stays 1
		e.dialogue("AT+CREG=2;+CREG?\r", "\r\n+CREG: 2,6,\"00C3\",\"0000A1B2\",7\r\n"+ok)
		e.dialogue("AT+CREG=?\r", "\r\n+CREG: (0-2)\r\n"+ok)
		e.dialogue("AT+CREG=3\r", errorLine)
		e.d.SetRegistration(3)
		e.expect("\r\n+CREG: 3\r\n" + "\r\n+CEREG: 3\r\n")
	})
}

func TestRegistrationTakesTime(t *testing.T) {
	bubble(t, virtual.Options{RegisterDelay: 7 * time.Second}, func(e *te) {
		e.dialogue("AT+CREG=1;+CREG?\r", "\r\n+CREG: 1,2\r\n"+ok)
		start := time.Now()
		time.Sleep(6 * time.Second)
		e.expect("")
		time.Sleep(time.Second)
		e.expect("\r\n+CREG: 1\r\n")
		if d := elapsed(start); d != 7*time.Second {
			t.Errorf("took %v", d)
		}
		// A registration begun before the radio went off must not end after it.
		e.dialogue("AT+CFUN=4\r", "\r\n+CREG: 0\r\n"+ok)
		e.dialogue("AT+CFUN=1\r", "\r\n+CREG: 2\r\n"+ok)
		time.Sleep(3 * time.Second)
		e.dialogue("AT+CFUN=4\r", "\r\n+CREG: 0\r\n"+ok)
		time.Sleep(time.Minute)
		e.expect("")
	})
}

func TestRadioCommands(t *testing.T) {
	for name, lines := range map[string][]line{
		"operator": {
			{"AT+COPS?\r", "\r\n+COPS: 0,0,\"Virtual\",7\r\n" + ok},
			{"AT+COPS=3,2;+COPS?\r", "\r\n+COPS: 0,2,\"00101\",7\r\n" + ok},
			{"AT+COPS=?\r", "\r\n+COPS: (2,\"Virtual\",\"Virtual\",\"00101\",7),,(0-4),(0-2)\r\n" + ok},
			{"AT+COPS=1,2,\"00101\"\r", ok},
			{"AT+COPS=1,2,\"26201\"\r", cme + "30" + end},
			{"AT+COPS=5\r", errorLine}, {"AT+COPS=x\r", errorLine}, {"AT+COPS\r", errorLine}, {"AT+COPS=0,3\r", errorLine},
		},
		"deregister": {
			{"AT+COPS=2\r", ok},
			{"AT+CREG?;+COPS?\r", "\r\n+CREG: 0,0\r\n\r\n+COPS: 2\r\n" + ok},
			{"AT+COPS=3,0;+COPS?\r", "\r\n+COPS: 2\r\n" + ok},
			{"AT+COPS=0;+COPS?\r", "\r\n+COPS: 0,0,\"Virtual\",7\r\n" + ok},
		},
		"functionality": {
			{"AT+CFUN?;+CFUN=?\r", "\r\n+CFUN: 1\r\n\r\n+CFUN: (0,1,4),(0,1)\r\n" + ok},
			{"AT+CFUN=4;+CFUN?;+CREG?\r", "\r\n+CFUN: 4\r\n\r\n+CREG: 0,0\r\n" + ok},
			{"AT+CFUN=1;+CREG?\r", "\r\n+CREG: 0,1\r\n" + ok},
			{"AT+CFUN=7\r", cme + "4" + end}, {"AT+CFUN=1,2\r", errorLine}, {"AT+CFUN\r", errorLine}, {"AT+CFUN=a\r", errorLine},
		},
		"activity": {{"AT+CPAS\r", "\r\n+CPAS: 0\r\n" + ok}},
	} {
		t.Run(name, func(t *testing.T) {
			transcript(t, virtual.Options{}, append([]line{{"AT+CMEE=1\r", ok}}, lines...))
		})
	}
}

func TestSignal(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.d.SetSignal(99)
		e.dialogue("AT+CSQ\r", "\r\n+CSQ: 99,99\r\n"+ok)
		e.d.SetRegistration(2)
		e.dialogue("AT+COPS?\r", "\r\n+COPS: 0\r\n"+ok)
	})
}

func TestReboot(t *testing.T) {
	bubble(t, virtual.Options{PIN: "1234", RebootTime: 30 * time.Second}, func(e *te) {
		e.dialogue("AT+CPIN=1234\r", ok)
		e.dialogue("AT+CFUN=1,1\r", ok)
		if err := e.hungUp(); err != nil {
			t.Fatalf("gone before OK was heard: %v", err)
		}
		time.Sleep(time.Second)
		if e.hungUp() == nil {
			t.Fatal("still on the bus")
		}
		if _, err := e.d.Open(t.Context()); err != virtual.ErrUnplugged {
			t.Fatalf("Open while rebooting: %v", err)
		}
		time.Sleep(30 * time.Second)
		back := plugTE(t, e.d)
		back.dialogue("AT+CPIN?\r", "AT+CPIN?\r\r\n+CPIN: SIM PIN\r\n"+ok)
	})
}
