package virtual_test

import (
	"errors"
	"testing"
	"time"

	"dongled/modem/virtual"
)

const ring = "\r\nRING\r\n"

func call(t *testing.T, d *virtual.Dongle, number string) {
	t.Helper()
	if err := d.Call(number); err != nil {
		t.Fatal(err)
	}
}

func TestIncomingCall(t *testing.T) {
	const caller = "\r\n+CLIP: \"+99980123456\",145,,,,0\r\n"
	for name, c := range map[string]struct{ setup, number, want string }{
		"as from the factory":  {"AT\r", "+99980123456", ring},
		"with the number":      {"AT+CLIP=1\r", "+99980123456", ring + caller},
		"national":             {"AT+CLIP=1\r", "0123", ring + "\r\n+CLIP: \"0123\",129,,,,0\r\n"},
		"withheld":             {"AT+CLIP=1\r", "", ring + "\r\n+CLIP: \"\",128,,,,1\r\n"},
		"cellular result code": {"AT+CRC=1;+CLIP=1\r", "+99980123456", "\r\n+CRING: VOICE\r\n" + caller},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, virtual.Options{}, func(e *te) {
				e.dialogue(c.setup, ok)
				call(t, e.d, c.number)
				e.expect(c.want)
				time.Sleep(5 * time.Second) // the cadence
				e.expect(c.want)
				e.d.EndCall()
				e.expect("\r\nNO CARRIER\r\n")
				time.Sleep(time.Minute)
				e.expect("")
			})
		})
	}
}

func TestHangingUp(t *testing.T) {
	for _, command := range []string{"AT+CHUP\r", "ATH\r"} {
		t.Run(command, func(t *testing.T) {
			bubble(t, virtual.Options{}, func(e *te) {
				call(t, e.d, "0123")
				e.expect(ring)
				e.dialogue("AT+CPAS;+CLCC\r", "\r\n+CPAS: 3\r\n\r\n+CLCC: 1,1,4,0,0,\"0123\",129\r\n"+ok)
				e.dialogue("ATA\r", "\r\nNO CARRIER\r\n") // a data stick takes no voice
				e.dialogue(command, ok)
				e.dialogue("AT+CPAS;+CLCC\r", "\r\n+CPAS: 0\r\n"+ok)
				e.d.EndCall() // nobody calls any more
				time.Sleep(time.Minute)
				e.expect("")
				call(t, e.d, "0124")
				e.expect(ring)
			})
		})
	}
}

func TestCallsNotPutThrough(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		noCall := func(why string) {
			t.Helper()
			if err := e.d.Call("0123"); !errors.Is(err, virtual.ErrNoCall) {
				t.Errorf("%s: %v", why, err)
			}
		}
		call(t, e.d, "0123")
		e.expect(ring)
		noCall("engaged")
		e.d.SetSIM(false) // it ends the call, too
		noCall("not registered")
		e.d.SetSIM(true)
		call(t, e.d, "0123")
		e.d.Unplug()
		noCall("unplugged")
	})
}

func TestCallCommands(t *testing.T) {
	transcript(t, virtual.Options{}, []line{
		{"AT+CLIP?;+CRC?\r", "\r\n+CLIP: 0,1\r\n\r\n+CRC: 0\r\n" + ok},
		{"AT+CLIP=?;+CRC=?;+CHUP=?;+CLCC=?\r", "\r\n+CLIP: (0-1)\r\n\r\n+CRC: (0-1)\r\n" + ok},
		{"AT+CLIP=2\r", errorLine}, {"AT+CHUP=1\r", errorLine}, {"AT+CHUP?\r", errorLine}, {"AT+CLCC=1\r", errorLine},
		{"AT+CLCC;+CHUP\r", ok},
	})
}
