package virtual_test

import (
	"bytes"
	"testing"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
)

// A stick that hangs hears nothing, not even the command that would have it boot; only the power helps.
func TestHang(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.d.Hang()
		e.d.URC("RING")
		e.dialogue("AT\r", "")
		e.dialogue("AT+CFUN=1,1\r", "")
		time.Sleep(time.Minute)
		if err := e.hungUp(); err != nil {
			t.Fatalf("it left the bus: %v", err)
		}
		e.d.Unplug()
		e.d.Plug()
		plugTE(t, e.d).dialogue("AT\r", "AT\r"+ok)
	})
}

func TestRebootByItself(t *testing.T) {
	bubble(t, virtual.Options{RebootTime: 5 * time.Second}, func(e *te) {
		e.d.Reboot()
		time.Sleep(time.Second)
		if _, err := e.d.Open(t.Context()); err != virtual.ErrUnplugged {
			t.Errorf("Open while rebooting: %v", err)
		}
		time.Sleep(5 * time.Second)
		plugTE(t, e.d).dialogue("AT\r", "AT\r"+ok)
		e.d.Unplug()
		e.d.Reboot()
		time.Sleep(time.Minute)
		if _, err := e.d.Open(t.Context()); err != virtual.ErrUnplugged {
			t.Errorf("Open of a stick that is unplugged: %v", err)
		}
	})
}

func TestStored(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		message := pdu.Deliver{Originator: "+491701234567", Text: "x", SCTS: time.Now()}
		if err := e.d.Deliver(message); err != nil {
			t.Fatal(err)
		}
		want, err := pdu.EncodeDeliver(message)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.d.Stored("SM"); len(got) != 1 || !bytes.Equal(got[0], want) {
			t.Errorf("in SM are %x, want %x", got, want)
		}
		for _, memory := range []string{"ME", "SR", "XX"} {
			if got := e.d.Stored(memory); len(got) != 0 {
				t.Errorf("in %s are %x", memory, got)
			}
		}
	})
}

func TestKeep(t *testing.T) {
	bubble(t, virtual.Options{Slots: 2}, func(e *te) {
		draft := []byte{0, 0x11, 0, 0x0b, 0x91, 0x99, 0x89, 0x10, 0x32, 0x54, 0xf6, 0, 0, 0xa7, 0}
		for _, memory := range []string{"SM", "SM"} {
			if err := e.d.Keep(memory, draft); err != nil {
				t.Fatal(err)
			}
		}
		for _, memory := range []string{"SM", "XX"} {
			if err := e.d.Keep(memory, draft); err == nil {
				t.Errorf("one more was kept in %s", memory)
			}
		}
		const pdu = "0011000B919989103254F60000A700"
		e.dialogue("AT+CMGL=2\r", "\r\n+CMGL: 1,2,,14\r\n"+pdu+"\r\n\r\n+CMGL: 2,2,,14\r\n"+pdu+"\r\n"+ok)
	})
}
