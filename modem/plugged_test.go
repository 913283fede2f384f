package modem_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

// counting counts the openings of p.
func counting(p *peer, n *atomic.Int32) modem.Opener {
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		n.Add(1)
		return p.open(ctx)
	}
}

// plug puts a dongle back that was unplugged.
func (p *peer) plug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = nil
}

// Where the bus tells of changes a missing port is not polled, and looked for at once when
// something was plugged in; then often for a while, because its node comes a little later.
func TestPlugged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		var opened atomic.Int32
		plugged := make(chan struct{}, 1)
		w := start(t, modem.Config{Open: counting(p, &opened), Plugged: plugged})
		ready(t, w)
		opened.Store(0)
		p.hangUp(fs.ErrNotExist)
		time.Sleep(time.Minute)
		if n := opened.Swap(0); n != 1 {
			t.Errorf("looked for %d times in the first minute", n)
		}
		time.Sleep(time.Hour)
		if n := opened.Swap(0); n != 12 {
			t.Errorf("looked for %d times in an hour, want every five minutes", n)
		}
		plugged <- struct{}{} // another dongle's
		synctest.Wait()
		if n := opened.Load(); n != 1 {
			t.Errorf("looked for %d times at once", n)
		}
		time.Sleep(50 * time.Second)
		if n := opened.Load(); n < 4 || n > 8 {
			t.Errorf("looked for %d times after a change", n)
		}
		time.Sleep(10 * time.Minute)
		opened.Store(0)
		plugged <- struct{}{}
		synctest.Wait()
		time.Sleep(700 * time.Millisecond) // until there is a node
		p.plug()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := opened.Load(); n > 3 || !w.Status().Ready() {
			t.Errorf("looked for %d times: %+v", n, w.Status())
		}
	})
}

// A change on the bus also ends the wait for a port that was busy or denied.
func TestPluggedWakesTheBackOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.broken = syscall.EBUSY
		plugged := make(chan struct{}, 1)
		w := start(t, modem.Config{Open: p.open, Plugged: plugged})
		time.Sleep(10 * time.Minute)
		p.plug()
		plugged <- struct{}{}
		time.Sleep(time.Second)
		synctest.Wait()
		if !w.Status().Ready() {
			t.Errorf("%+v", w.Status())
		}
	})
}

// ttyPort is a port that knows its node.
type ttyPort struct {
	io.ReadWriteCloser
	tty string
}

func (p ttyPort) Tty() string { return p.tty }

// The node is the one in use, and each return to the bus counts.
func TestTtyAndEnumerations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		tty := "/dev/ttyUSB2"
		w := start(t, modem.Config{Port: "imei:861234567890123", Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
			port, err := p.open(ctx)
			if err != nil {
				return nil, err
			}
			return ttyPort{port, tty}, nil
		}})
		ready(t, w)
		if st := w.Status(); st.Tty != "/dev/ttyUSB2" || st.Enumerations != 0 || st.Port != "imei:861234567890123" {
			t.Fatalf("%+v", st)
		}
		tty = "/dev/ttyUSB3"
		for n := 1; n <= 5; n++ {
			p.hangUp(fs.ErrNotExist)
			time.Sleep(10 * time.Second)
			p.plug()
			back := time.Now()
			time.Sleep(20 * time.Second)
			ready(t, w)
			st := w.Status()
			if st.Tty != "/dev/ttyUSB3" || st.Enumerations != n || st.EnumeratedAt[0].Before(back) {
				t.Fatalf("the %dth time: %+v", n, st)
			}
			if warned := len(st.Warnings(time.Now())) != 0; warned != (n > 3) {
				t.Errorf("the %dth time in an hour: warned %t", n, warned)
			}
		}
		time.Sleep(time.Hour)
		if list := w.Status().Warnings(time.Now()); len(list) != 0 {
			t.Errorf("an hour later: %v", list)
		}
		p.die(true) // a session lost for silence is no return to the bus
		time.Sleep(20 * time.Second)
		p.die(false)
		time.Sleep(time.Minute)
		ready(t, w)
		if st := w.Status(); st.Enumerations != 5 {
			t.Errorf("%+v", st)
		}
	})
}

// The machine is asked once a minute, and when a session fails.
func TestHost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		var asked atomic.Int32
		var starving atomic.Bool
		w := start(t, modem.Config{Open: p.open, Host: func() modem.Host {
			asked.Add(1)
			return modem.Host{UnderVoltage: starving.Load()}
		}})
		ready(t, w)
		time.Sleep(10*time.Minute + time.Second)
		if n := asked.Swap(0); n != 11 {
			t.Errorf("asked %d times in ten minutes", n)
		}
		starving.Store(true)
		p.hangUp(nil)
		synctest.Wait()
		if n := asked.Load(); n != 1 || !w.Status().Host.UnderVoltage {
			t.Errorf("asked %d times when the session was lost: %+v", n, w.Status().Host)
		}
		starving.Store(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if w.Status().Host.UnderVoltage {
			t.Error("not seen that it is over")
		}
	})
}

// A session that dies of the dongle leaves the end of its dialogue in the log, once.
func TestDump(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		var out lockedBuffer
		log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
		p.answer("+CPIN?", ok("+CPIN: SIM PIN"))
		p.answer(`+CPIN="4711"`, ok())
		w := start(t, modem.Config{Open: p.open, Log: log, PIN: "4711"})
		time.Sleep(time.Second)
		p.answer("+CPIN?", ok("+CPIN: READY"))
		ready(t, w)
		if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
			t.Fatal(err)
		}
		p.hangUp(nil)
		time.Sleep(time.Minute)
		if text := out.String(); strings.Contains(text, "dialogue") {
			t.Errorf("an unplugged dongle: %s", text)
		}
		ready(t, w)
		if p.count(`AT+CPIN="4711"`) == 0 {
			t.Error("the PIN was not entered")
		}
		p.die(true)
		time.Sleep(10 * time.Minute)
		text := out.String()
		if strings.Count(text, "the end of the dialogue") != 1 || !strings.Contains(text, `AT+CREG?\n`) {
			t.Errorf("log: %s", text)
		}
		if hex := segment(t, "x").Hex(); strings.Contains(text, "4711") || strings.Contains(text, hex) {
			t.Errorf("secrets in %s", text)
		}
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A watcher of the bus that ends leaves the back-off to itself.
func TestPluggedIsClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.broken = fs.ErrNotExist
		var opened atomic.Int32
		plugged := make(chan struct{})
		close(plugged)
		start(t, modem.Config{Open: counting(p, &opened), Plugged: plugged})
		time.Sleep(time.Hour)
		if n := opened.Load(); n < 55 || n > 85 {
			t.Errorf("looked for %d times in an hour, want about every minute", n)
		}
	})
}
