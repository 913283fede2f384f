package virtual_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"dongled/modem/virtual"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// PDUs by hand (TS 23.040 9.2.2.2, 9.2.2.3): SCA 00; first octet 11, or 31 with TP-SRR; TP-MR 00;
// TP-DA 0B 91 +99980123456; PID 00; DCS 00; TP-VP A7 24 h; UDL 05 "hello".
const (
	hello       = "0011000B919989103254F60000A705E8329BFD06"
	helloReport = "0031000B919989103254F60000A705E8329BFD06"
	helloLength = "19"
	// The report's SCA is +491710760000; FO 06; then TP-MR, TP-RA, SCTS and DT 2000-01-01 00:00:00
	// UTC, when a synctest bubble begins, and TP-ST.
	smscHex   = "0791947101670000"
	recipient = "0B919989103254F6"
	bigBang   = "00101000000000"
)

// report is what +CDS shows for helloReport with that TP-MR and TP-ST, answered at bigBang.
func report(mr, st string) string {
	return "\r\n+CDS: 25\r\n" + smscHex + "06" + mr + recipient + bigBang + bigBang + st + "\r\n"
}

const (
	ok     = "\r\nOK\r\n"
	prompt = "\r\n> "
	ctrlZ  = "\x1a"
)

// te is a terminal equipment on an in-memory cable, in a synctest bubble.
type te struct {
	t    *testing.T
	d    *virtual.Dongle
	port io.ReadWriteCloser

	mu   sync.Mutex
	got  strings.Builder
	end  error
	done chan struct{}
}

func plugTE(t *testing.T, d *virtual.Dongle) *te {
	t.Helper()
	port, err := d.Open(context.Background())
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	e := &te{t: t, d: d, port: port, done: make(chan struct{})}
	go e.read()
	return e
}

func (e *te) read() {
	defer close(e.done)
	buf := make([]byte, 4096)
	for {
		n, err := e.port.Read(buf)
		e.mu.Lock()
		e.got.Write(buf[:n])
		e.end = err
		e.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// heard waits until nothing moves any more, and returns what came since the last call.
func (e *te) heard() string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.got.String()
	e.got.Reset()
	return s
}

func (e *te) expect(want string) {
	e.t.Helper()
	if got := e.heard(); got != want {
		e.t.Errorf("heard %q\nwant  %q", got, want)
	}
}

func (e *te) say(s string) {
	e.t.Helper()
	if _, err := io.WriteString(e.port, s); err != nil {
		e.t.Fatalf("writing %q: %v", s, err)
	}
}

func (e *te) dialogue(say, want string) {
	e.t.Helper()
	e.say(say)
	if got := e.heard(); got != want {
		e.t.Errorf("to %q\nheard %q\nwant  %q", say, got, want)
	}
}

// hungUp returns the error that ended reading, nil while the line is up.
func (e *te) hungUp() error {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.end
}

// bubble runs a test with a dongle and a TE that has switched the echo off, in virtual time.
func bubble(t *testing.T, opts virtual.Options, f func(*te)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(opts)
		e := plugTE(t, d)
		e.say("ATE0\r")
		time.Sleep(opts.CommandDelay)
		e.expect("ATE0\r" + ok)
		f(e)
		_ = d.Close()
		<-e.done
	})
}

// line is one exchange of a transcript: what the TE says, what it must hear, octet for octet.
type line struct{ say, want string }

func transcript(t *testing.T, opts virtual.Options, lines []line) {
	t.Helper()
	bubble(t, opts, func(e *te) {
		e.t = t
		for _, l := range lines {
			e.dialogue(l.say, l.want)
		}
	})
}

// submit runs one +CMGS with helloReport and returns all that came after Ctrl-Z.
func (e *te) submit() string {
	e.t.Helper()
	e.dialogue("AT+CMGS="+helloLength+"\r", prompt)
	e.say(helloReport + ctrlZ)
	return e.heard()
}

// withReports turns on +CMEE=1 and +CDS.
func (e *te) withReports() {
	e.t.Helper()
	e.dialogue("AT+CMEE=1;+CNMI=2,1,0,1,0\r", ok)
}

func elapsed(from time.Time) time.Duration { return time.Since(from) }
