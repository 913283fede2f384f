package virtual_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem/virtual"
)

// TestSlowReader: octets keep their order when the TE reads in crumbs while more arrive.
func TestSlowReader(t *testing.T) {
	d := virtual.New(virtual.Options{})
	port, err := d.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want, got strings.Builder
	crumb := make([]byte, 7)
	for i := range 200 {
		code := strings.Repeat(string(rune('A'+i%26)), i)
		d.URC(code)
		want.WriteString("\r\n" + code + "\r\n")
		n, err := port.Read(crumb)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(crumb[:n])
	}
	rest := make([]byte, want.Len()-got.Len())
	if _, err := io.ReadFull(port, rest); err != nil {
		t.Fatal(err)
	}
	if got.Write(rest); got.String() != want.String() {
		t.Error("the octets came in another order")
	}
	_ = port.Close()
	_ = d.Close()
}

// TestFlowControl: a TE that sends faster than the dongle reads is held, and let go by a hang-up.
func TestFlowControl(t *testing.T) {
	const wire = 1 << 20
	noise := strings.Repeat("x", wire)
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(virtual.Options{CommandDelay: time.Minute})
		e := plugTE(t, d)
		e.say("AT\r") // the dongle is busy with it for a minute
		synctest.Wait()
		e.say(noise)
		start := time.Now()
		e.say(noise)
		if d := elapsed(start); d != time.Minute {
			t.Errorf("writing took %v", d)
		}
		synctest.Wait()
		e.say("AT\r")
		synctest.Wait()
		e.say(noise)
		failed := make(chan error)
		go func() {
			_, err := e.port.Write([]byte(noise))
			failed <- err
		}()
		synctest.Wait()
		d.Unplug()
		if err := <-failed; err != virtual.ErrUnplugged {
			t.Errorf("writing to an unplugged port gave %v", err)
		}
		_ = d.Close()
	})
}
