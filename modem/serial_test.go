package modem_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dongled/modem"

	"golang.org/x/sys/unix"
)

// The traps below are those of go.bug.st/serial v1.8.0, on real pseudo-terminals.

// newPTY makes a pseudo-terminal: the modem's side, and the path of ours.
func newPTY(t *testing.T) (master *os.File, path string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	conn, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return master, fmt.Sprintf("/dev/pts/%d", number)
}

func openSerial(t *testing.T, path string) io.ReadWriteCloser {
	t.Helper()
	port, err := modem.Serial(path, 0)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	return port
}

// within fails the test if f takes longer than any machine needs.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("blocked")
	}
}

func TestSerialIsRaw(t *testing.T) {
	master, path := newPTY(t)
	port := openSerial(t, path)
	sent := []byte("AT+CMGS=1\r\n\x1a\x1b\x03\x11\x13\x00\xff")
	got := make([]byte, len(sent))
	within(t, func() {
		if _, err := port.Write(sent); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(master, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("the modem got %q, %v", got, err)
		}
		if _, err := master.Write(sent); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(port, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("we got %q, %v", got, err)
		}
	})
}

// The library waits by select(2), which panics from descriptor 1024 on.
func TestTrapHighDescriptor(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < 1200 {
		t.Fatalf("at most %d descriptors allowed, 1200 needed", limit.Max)
	}
	raised := limit
	raised.Cur = max(limit.Cur, 1200)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	master, path := newPTY(t)
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Fd() >= 1024 {
			break
		}
	}
	port := openSerial(t, path)
	within(t, func() {
		master.Write([]byte("OK\r\n"))
		got := make([]byte, 4)
		if _, err := io.ReadFull(port, got); err != nil || string(got) != "OK\r\n" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// The library's Write goes by the number of the descriptor, whoever has it after Close.
func TestTrapWriteAfterClose(t *testing.T) {
	_, path := newPTY(t)
	port := openSerial(t, path)
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	var victims []*os.File
	for i := range 8 { // one of them has the number
		f, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		victims = append(victims, f)
	}
	if _, err := port.Write([]byte("AT+CMGS=23\r")); !errors.Is(err, os.ErrClosed) {
		t.Fatalf("Write after Close: %v", err)
	}
	if _, err := port.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Fatalf("Read after Close: %v", err)
	}
	for _, f := range victims {
		if info, err := f.Stat(); err != nil || info.Size() != 0 {
			t.Fatalf("%s has %d octets of ours", f.Name(), info.Size())
		}
	}
}

// The library's Write stays blocked after Close, and its Read may see another error.
func TestTrapCloseFreesReadAndWrite(t *testing.T) {
	_, path := newPTY(t)
	port := openSerial(t, path)
	ended := make(chan error, 2)
	go func() {
		_, err := port.Read(make([]byte, 1))
		ended <- err
	}()
	go func() {
		_, err := port.Write(make([]byte, 1<<20)) // nobody reads
		ended <- err
	}()
	time.Sleep(50 * time.Millisecond)
	port.Close()
	within(t, func() {
		for range 2 {
			if err := <-ended; !errors.Is(err, os.ErrClosed) {
				t.Errorf("ended by %v", err)
			}
		}
	})
}

func TestHangUpEndsRead(t *testing.T) {
	master, path := newPTY(t)
	port := openSerial(t, path)
	ended := make(chan error, 1)
	go func() {
		_, err := port.Read(make([]byte, 1))
		ended <- err
	}()
	time.Sleep(20 * time.Millisecond)
	master.Close()
	within(t, func() {
		if err := <-ended; err == nil {
			t.Error("Read ended without an error")
		}
	})
}

// The library's lock does not bind root, who runs many a daemon.
func TestTrapSecondOpenIsRefused(t *testing.T) {
	_, path := newPTY(t)
	port := openSerial(t, path)
	open := modem.Serial(path, 0)
	if second, err := open(t.Context()); err == nil {
		second.Close()
		t.Fatal("opened twice")
	} else if !strings.Contains(err.Error(), "in use") && !errors.Is(err, unix.EBUSY) {
		t.Fatalf("second open: %v", err)
	}
	port.Close()
	third, err := open(t.Context())
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	third.Close()
}

// The library's descriptors leak into every child process.
func TestTrapChildrenDoNotInherit(t *testing.T) {
	_, path := newPTY(t)
	before := childDescriptors(t)
	openSerial(t, path)
	if after := childDescriptors(t); after != before {
		t.Fatalf("a child has descriptors\n%s\nbut without the port\n%s", after, before)
	}
}

// childDescriptors are the numbers of the descriptors that a child process has.
func childDescriptors(t *testing.T) string {
	t.Helper()
	list, err := exec.Command("ls", "/proc/self/fd").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(list)
}

// The library leaves a thread waiting for each port.
func TestTrapNoThreadPerPort(t *testing.T) {
	const ports = 24
	before := threads(t)
	for range ports {
		_, path := newPTY(t)
		port := openSerial(t, path)
		go port.Read(make([]byte, 1))
	}
	time.Sleep(50 * time.Millisecond)
	if grown := threads(t) - before; grown > ports/2 {
		t.Fatalf("%d threads more for %d ports", grown, ports)
	}
}

func threads(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestSerialErrors(t *testing.T) {
	if _, err := modem.Serial("/dev/no-such-port", 0)(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a port that does not exist: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := modem.Serial(file, 0)(t.Context()); err == nil {
		t.Error("a file was opened as a port")
	}
}

// A whole session over a pseudo-terminal, opened a second time after a hang-up on our side.
func TestWorkerOnPTY(t *testing.T) {
	master, path := newPTY(t)
	p := newPeer()
	served := make(chan struct{})
	go func() { defer close(served); p.serveOn(master) }()
	for round := range 2 {
		w := modem.New(modem.Config{SIM: 1, Port: path, Open: modem.Serial(path, 0), Sink: &sink{}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		within(t, func() {
			for !w.Status().Ready() {
				time.Sleep(time.Millisecond)
			}
			if mr, err := w.Submit(ctx, segment(t, "x"), false, nil); err != nil || int(mr) != (250+round)%256 {
				t.Errorf("Submit = %d, %v", mr, err)
			}
			cancel()
			<-ended
		})
	}
	master.Close()
	<-served
}
