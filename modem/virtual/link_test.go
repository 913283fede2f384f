package virtual_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"dongled/modem/virtual"
)

func TestOpenAgainHangsUpTheFormer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(virtual.Options{})
		first := plugTE(t, d)
		first.dialogue("ATE0\r", "ATE0\r"+ok)
		second := plugTE(t, d)
		if err := first.hungUp(); !errors.Is(err, virtual.ErrTaken) {
			t.Errorf("the first reads %v", err)
		}
		second.dialogue("AT\r", ok) // settings are the ME's, not the link's
		_ = d.Close()
		if err := second.hungUp(); !errors.Is(err, virtual.ErrClosed) {
			t.Errorf("after Close the second reads %v", err)
		}
		if _, err := d.Open(context.Background()); !errors.Is(err, virtual.ErrClosed) {
			t.Errorf("Open after Close: %v", err)
		}
	})
}

func TestOpenWithADeadContext(t *testing.T) {
	d := virtual.New(virtual.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Open(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
}

func TestOwnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(virtual.Options{})
		e := plugTE(t, d)
		e.say("AT+CMGS=19\r")
		_ = e.port.Close()
		if err := e.hungUp(); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("reading ended with %v", err)
		}
		if _, err := e.port.Write([]byte("AT\r")); err == nil {
			t.Error("writing to a closed port worked")
		}
		_ = e.port.Close()
		// A prompt is left when the port closes (DTR drops), and what comes meanwhile is kept.
		d.URC("RING", "+CDS: 2\r\n00061C")
		e = plugTE(t, d)
		e.expect("\r\nRING\r\n\r\n+CDS: 2\r\n00061C\r\n")
		e.dialogue("AT\r", "AT\r"+ok)
		d.URC("RING")
		e.expect("\r\nRING\r\n")
		d.Unplug()
		d.URC("RING")
		d.Unplug()
		d.Plug()
		e = plugTE(t, d)
		e.expect("")
		_ = d.Close()
	})
}

// TestStickBufferIsBounded: of very many codes nobody reads the newest are kept.
func TestStickBufferIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(virtual.Options{})
		for range 600 {
			d.URC("OLD")
		}
		for range 500 {
			d.URC("NEW")
		}
		e := plugTE(t, d)
		heard := e.heard()
		if o, n := strings.Count(heard, "OLD"), strings.Count(heard, "NEW"); o != 12 || n != 500 {
			t.Errorf("kept %d old and %d new", o, n)
		}
		_ = d.Close()
	})
}

// TestSilentTE: a TE that does not read loses answers, and blocks nobody.
func TestSilentTE(t *testing.T) {
	d := virtual.New(virtual.Options{})
	port, err := d.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 1<<16)
	for range 40 {
		d.URC(long)
	}
	buf := make([]byte, 1<<20)
	n, err := port.Read(buf)
	if err != nil || n < 1<<19 {
		t.Errorf("read %d, %v", n, err)
	}
	if n, err := port.Read(nil); n != 0 || err != nil {
		t.Errorf("an empty read gave %d, %v", n, err)
	}
	_ = port.Close()
	_ = d.Close()
}

func TestServe(t *testing.T) {
	start := func(t *testing.T, ctx context.Context, d *virtual.Dongle) (te net.Conn, end chan error) {
		te, dongle := net.Pipe()
		end = make(chan error, 1)
		go func() { end <- d.Serve(ctx, dongle) }()
		if _, err := te.Write([]byte("ATE0\r")); err != nil {
			t.Fatal(err)
		}
		expectFrom(t, bufio.NewReader(te), "ATE0\r"+ok)
		return te, end
	}
	for name, c := range map[string]struct {
		stop func(*virtual.Dongle, net.Conn, context.CancelFunc)
		want error
	}{
		"the TE closes": {func(_ *virtual.Dongle, te net.Conn, _ context.CancelFunc) { _ = te.Close() }, nil},
		"unplugged":     {func(d *virtual.Dongle, _ net.Conn, _ context.CancelFunc) { d.Unplug() }, virtual.ErrUnplugged},
		"context":       {func(_ *virtual.Dongle, _ net.Conn, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"opened elsewhere": {func(d *virtual.Dongle, _ net.Conn, _ context.CancelFunc) {
			_, _ = d.Open(context.Background())
		}, virtual.ErrTaken},
		"closed while the TE does not read": {func(d *virtual.Dongle, _ net.Conn, _ context.CancelFunc) {
			d.URC("RING")
			_ = d.Close()
		}, virtual.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			d := virtual.New(virtual.Options{})
			te, end := start(t, ctx, d)
			c.stop(d, te, cancel)
			if err := <-end; !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("Serve returned %v, want %v", err, c.want)
			}
			if _, err := te.Write([]byte("AT\r")); err == nil {
				t.Error("the stream is still open")
			}
			_ = d.Close()
		})
	}
	t.Run("while unplugged", func(t *testing.T) {
		d := virtual.New(virtual.Options{})
		d.Unplug()
		te, dongle := net.Pipe()
		if err := d.Serve(t.Context(), dongle); !errors.Is(err, virtual.ErrUnplugged) {
			t.Errorf("Serve returned %v", err)
		}
		if _, err := te.Write([]byte("AT\r")); err == nil {
			t.Error("the stream is still open")
		}
	})
}

func expectFrom(t *testing.T, r io.Reader, want string) {
	t.Helper()
	buf := make([]byte, len(want))
	if _, err := io.ReadFull(r, buf); err != nil || string(buf) != want {
		t.Fatalf("read %q, %v, want %q", buf, err, want)
	}
}

// ptyDongle serves a dongle on a pseudo-terminal with a link to it; paths has each port opened.
func ptyDongle(t *testing.T) (d *virtual.Dongle, link string, paths chan string, stop func() error) {
	t.Helper()
	d = virtual.New(virtual.Options{})
	link = filepath.Join(t.TempDir(), "modem")
	paths = make(chan string, 8)
	ctx, cancel := context.WithCancel(context.Background())
	end := make(chan error, 1)
	go func() { end <- d.ServePTY(ctx, link, func(p string) { paths <- p }) }()
	stop = sync.OnceValue(func() error {
		cancel()
		err := <-end
		_ = d.Close()
		return err
	})
	t.Cleanup(func() { _ = stop() })
	return d, link, paths, stop
}

func openTTY(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func ttyDialogue(t *testing.T, f *os.File, say, want string) {
	t.Helper()
	if _, err := io.WriteString(f, say); err != nil {
		t.Fatal(err)
	}
	expectFrom(t, f, want)
}

func TestPTY(t *testing.T) {
	d, link, paths, stop := ptyDongle(t)
	first := <-paths
	if to, err := os.Readlink(link); err != nil || to != first {
		t.Fatalf("the link points to %q, %v, want %q", to, err, first)
	}
	f := openTTY(t, link)
	ttyDialogue(t, f, "ATE0\r", "ATE0\r"+ok)
	ttyDialogue(t, f, "AT+CMGS=19\r", prompt) // raw: neither CR nor Ctrl-Z mean anything to the tty
	ttyDialogue(t, f, hello+ctrlZ, sentFirst)

	// A TE that took the port for itself and was killed can open it again.
	ttyDialogue(t, f, "AT+CMGS=19\r", prompt)
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, hello[:8]); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()

	f = openTTY(t, link)
	ttyDialogue(t, f, "\x1bAT\r", ok+ok) // the entry was still open, ESC ends it
	if exclusive, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGEXCL); err != nil || exclusive != 0 {
		t.Errorf("still exclusive: %d, %v", exclusive, err)
	}

	d.Unplug()
	if _, err := f.Read(make([]byte, 1)); err == nil {
		t.Error("reading from an unplugged port worked")
	}
	if _, err := io.WriteString(f, "AT\r"); err == nil {
		t.Error("writing to an unplugged port worked")
	}
	d.Plug()
	second := <-paths
	if second == first {
		t.Errorf("came back as %s, which the TE still holds", second)
	}
	if to, err := os.Readlink(link); err != nil || to != second {
		t.Fatalf("the link points to %q, %v, want %q", to, err, second)
	}
	f = openTTY(t, link)
	ttyDialogue(t, f, "ATE0\r", "ATE0\r"+ok)
	ttyDialogue(t, f, "AT+CMGS=19\r", prompt)
	ttyDialogue(t, f, hello+ctrlZ, "\r\n+CMGS: 251\r\n"+ok)

	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("ServePTY returned %v", err)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
}

func TestPTYLinkIsNoFile(t *testing.T) {
	precious := filepath.Join(t.TempDir(), "ttyUSB0")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := virtual.New(virtual.Options{})
	defer func() { _ = d.Close() }()
	if err := d.ServePTY(t.Context(), precious, nil); err == nil || !strings.Contains(err.Error(), "no symbolic link") {
		t.Errorf("ServePTY returned %v", err)
	}
	if b, err := os.ReadFile(precious); err != nil || string(b) != "x" {
		t.Errorf("the file is %q, %v", b, err)
	}
	if err := d.ServePTY(t.Context(), filepath.Join(precious, "x"), nil); err == nil {
		t.Error("a link below a file was made")
	}
	_ = d.Close()
	if err := d.ServePTY(t.Context(), "", nil); !errors.Is(err, virtual.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestPTYClosedWhileUnplugged: Close ends a ServePTY that waits for the stick to come back.
func TestPTYClosedWhileUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := virtual.New(virtual.Options{})
		d.Unplug()
		end := make(chan error)
		go func() { end <- d.ServePTY(context.Background(), "", nil) }()
		synctest.Wait()
		_ = d.Close()
		if err := <-end; !errors.Is(err, virtual.ErrClosed) {
			t.Errorf("ServePTY returned %v", err)
		}
	})
}

// TestManyHands: sending, reports, URCs, settings and re-plugging at once (for -race).
func TestManyHands(t *testing.T) {
	d := virtual.New(virtual.Options{ReportDelay: time.Microsecond})
	d.AddFaults(virtual.Fault{Do: virtual.URCStorm, Every: 7})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				d.URC("RING")
				d.SetSignal(7)
				d.SetRegistration(5)
				d.Submissions()
				_ = d.Report(250, 0) // there may be none yet
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			d.Unplug()
			d.AddFaults(virtual.Fault{Do: virtual.Garbage, On: "CSQ"})
			d.Plug()
		}
	})
	for range 20 {
		port, err := d.Open(context.Background())
		if err != nil {
			continue
		}
		// The port may fail at any time; only races are looked for here.
		_, _ = io.WriteString(port, "ATE0+CNMI=2,1,0,1,0\rAT+CMGS=19\r"+helloReport+ctrlZ)
		_, _ = port.Read(make([]byte, 64))
		_ = port.Close()
	}
	wg.Wait()
	_ = d.Close()
}

func TestBuiltin(t *testing.T) {
	a, known := virtual.Builtin("one")
	again, _ := virtual.Builtin("one")
	b, _ := virtual.Builtin("two")
	if !known || a.IMSI != again.IMSI || a.IMEI != again.IMEI || a.ICCID != again.ICCID || a.Number != again.Number {
		t.Errorf("%+v and %+v of one name", a, again)
	}
	if a.IMSI == b.IMSI || a.IMEI == b.IMEI || a.ICCID == b.ICCID || a.Number == b.Number {
		t.Errorf("%+v and %+v of two names", a, b)
	}
	if len(a.IMSI) != 15 || len(a.IMEI) != 15 || !luhnValid(a.IMEI) || !luhnValid(a.ICCID) {
		t.Errorf("IMSI %s, IMEI %s, ICCID %s", a.IMSI, a.IMEI, a.ICCID)
	}
	for _, bad := range []string{"", " ", "../x", "a/b", strings.Repeat("a", 33), "-x"} {
		if _, known := virtual.Builtin(bad); known {
			t.Errorf("%q is a name", bad)
		}
	}
}

// luhnValid checks an identifier with the example of a known good one: 490154203237518 is the IMEI
// that TS.06 and every text on the formula use.
func luhnValid(s string) bool {
	sum := 0
	for i := range len(s) {
		v := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			v = v/5 + v*2%10
		}
		sum += v
	}
	return sum%10 == 0
}

func TestLuhnOfTheTest(t *testing.T) {
	if !luhnValid("490154203237518") || luhnValid("490154203237519") {
		t.Error("luhnValid is wrong")
	}
}
