package probe_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dongled/modem"
	"dongled/modem/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A tree is a machine's /sys, /dev, /proc and /run as the kernel and udev lay them out.
type tree struct {
	t    *testing.T
	root string
}

func newTree(t *testing.T) tree {
	tr := tree{t, t.TempDir()}
	for _, dir := range []string{"sys/class/tty", "sys/bus/usb/devices", "sys/bus/usb/drivers/usb", "dev", "proc", "run"} {
		tr.mkdir(dir)
	}
	// Not USB's: a virtual terminal and the board's own port.
	for _, own := range []string{"virtual/tty/tty0", "platform/serial8250/tty/ttyS0"} {
		tr.write("sys/devices/"+own+"/dev", "4:64")
		tr.link("sys/class/tty/"+filepath.Base(own), "../../devices/"+own)
	}
	return tr
}

func (tr tree) bus() probe.Bus {
	return probe.Bus{Sys: tr.path("sys"), Dev: tr.path("dev"), Proc: tr.path("proc"), Run: tr.path("run")}
}

func (tr tree) path(p string) string { return filepath.Join(tr.root, p) }

func (tr tree) node(tty string) string { return tr.path("dev/" + tty) }

func (tr tree) mkdir(p string) {
	tr.t.Helper()
	if err := os.MkdirAll(tr.path(p), 0o755); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr tree) write(p, content string) {
	tr.t.Helper()
	tr.mkdir(filepath.Dir(p))
	if err := os.WriteFile(tr.path(p), []byte(content+"\n"), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr tree) link(p, target string) {
	tr.t.Helper()
	tr.mkdir(filepath.Dir(p))
	if err := os.Symlink(target, tr.path(p)); err != nil {
		tr.t.Fatal(err)
	}
}

// A stick is a USB device of a tree. Its ports are written "interface class/subclass/protocol tty".
type stick struct {
	device   string
	address  int
	vid, pid string
	driver   string // option unless told; cdc_acm has its ttys right below the interface
	product  string
	ports    []string
}

func (tr tree) plug(s stick) {
	tr.t.Helper()
	driver := s.driver
	if driver == "" {
		driver = "option"
	}
	parent := "devices/pci0000:00/usb1/" + s.device
	dev := "sys/" + parent + "/"
	for name, value := range map[string]string{
		"idVendor": s.vid, "idProduct": s.pid, "busnum": "1", "devnum": fmt.Sprint(s.address),
		"product": s.product, "dev": fmt.Sprintf("189:%d", s.address-1),
	} {
		tr.write(dev+name, value)
	}
	tr.link(dev+"driver", "../../../../bus/usb/drivers/usb")
	tr.link("sys/bus/usb/devices/"+s.device, "../../../"+parent)
	tr.write(fmt.Sprintf("dev/bus/usb/001/%03d", s.address), "")
	for _, p := range s.ports {
		var iface int
		var class, sub, proto, tty string
		if _, err := fmt.Sscanf(strings.ReplaceAll(p, "/", " "), "%d %s %s %s %s", &iface, &class, &sub, &proto, &tty); err != nil {
			tr.t.Fatalf("port %q: %v", p, err)
		}
		dir := fmt.Sprintf("%s/%s:1.%d", parent, s.device, iface)
		for name, value := range map[string]string{
			"bInterfaceNumber": fmt.Sprintf("%02x", iface), "bInterfaceClass": class,
			"bInterfaceSubClass": sub, "bInterfaceProtocol": proto,
		} {
			tr.write("sys/"+dir+"/"+name, value)
		}
		if _, err := os.Lstat(tr.path("sys/" + dir + "/driver")); err != nil {
			tr.link("sys/"+dir+"/driver", "../../../../../bus/usb/drivers/"+driver)
		}
		below := "/" + tty + "/tty/" + tty
		if driver == "cdc_acm" {
			below = "/tty/" + tty
		}
		tr.write("sys/"+dir+below+"/dev", "188:"+strings.TrimLeft(tty, "ABCHMSUty"))
		tr.link("sys/class/tty/"+tty, "../../"+dir+below)
		tr.link("dev/serial/by-path/pci-usb-"+s.device+fmt.Sprintf("-if%02d", iface), "../../"+tty)
	}
}

// unplug takes a stick away.
func (tr tree) unplug(s stick) {
	tr.t.Helper()
	for _, p := range s.ports {
		tty := p[strings.LastIndexByte(p, ' ')+1:]
		tr.remove("sys/class/tty/" + tty)
		tr.remove("dev/" + tty)
	}
	links, _ := filepath.Glob(tr.path("dev/serial/by-path/pci-usb-" + s.device + "-if*"))
	for _, l := range links {
		os.Remove(l)
	}
	tr.remove("sys/bus/usb/devices/" + s.device)
	tr.remove("sys/devices/pci0000:00/usb1/" + s.device)
}

func (tr tree) remove(p string) {
	tr.t.Helper()
	if err := os.RemoveAll(tr.path(p)); err != nil {
		tr.t.Fatal(err)
	}
}

// holds lets a process of the tree hold a node.
func (tr tree) holds(pid int, name, tty string) {
	tr.write(fmt.Sprintf("proc/%d/comm", pid), name)
	tr.link(fmt.Sprintf("proc/%d/fd/3", pid), tr.node(tty))
	if _, err := os.Stat(tr.node(tty)); err != nil {
		tr.write("dev/"+tty, "") // Holders follows links, so there has to be something
	}
}

// said is a part of an answer, and how long it takes.
type said struct {
	after time.Duration
	text  string
}

// A talker is what is behind a tty: it answers lines, which end in CR.
type talker struct {
	// answer is told a line without CR; ESC comes with the line it begins.
	answer func(line string) []said
	// unasked is said as soon as the port is opened.
	unasked []said
	// openTime and closeTime are how long that takes.
	openTime, closeTime time.Duration
	openErr             error
	deaf                bool // takes nothing that is written

	mu     sync.Mutex
	heard  []string
	opens  int
	isOpen bool
}

// heardLines is all that was said to the talker so far.
func (k *talker) heardLines() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.heard)
}

func (k *talker) opened() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.opens
}

// open is a modem.Opener.
func (k *talker) open(context.Context) (io.ReadWriteCloser, error) {
	time.Sleep(k.openTime)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.openErr != nil {
		return nil, k.openErr
	}
	if k.isOpen {
		return nil, fmt.Errorf("taken: %w", errTaken)
	}
	k.opens++
	k.isOpen = true
	p := &talkerPort{k: k, said: make(chan string), closed: make(chan struct{})}
	go p.say(k.unasked)
	return p, nil
}

type talkerPort struct {
	k      *talker
	line   []byte
	rest   string
	said   chan string
	closed chan struct{}
	once   sync.Once
}

func (p *talkerPort) say(parts []said) {
	for _, part := range parts {
		select {
		case <-time.After(part.after):
		case <-p.closed:
			return
		}
		select {
		case p.said <- part.text:
		case <-p.closed:
			return
		}
	}
}

func (p *talkerPort) Read(b []byte) (int, error) {
	if p.rest == "" {
		select {
		case p.rest = <-p.said:
		case <-p.closed:
			return 0, fs.ErrClosed
		}
		if p.rest == hangUp {
			return 0, io.EOF
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *talkerPort) Write(b []byte) (int, error) {
	if p.k.deaf {
		<-p.closed
		return 0, fs.ErrClosed
	}
	for _, c := range b {
		if c != '\r' {
			p.line = append(p.line, c)
			continue
		}
		line := string(p.line)
		p.line = p.line[:0]
		p.k.mu.Lock()
		p.k.heard = append(p.k.heard, line)
		p.k.mu.Unlock()
		if p.k.answer != nil {
			go p.say(p.k.answer(line))
		}
	}
	return len(b), nil
}

func (p *talkerPort) Close() error {
	p.once.Do(func() {
		close(p.closed)
		time.Sleep(p.k.closeTime)
		p.k.mu.Lock()
		defer p.k.mu.Unlock()
		p.k.isOpen = false
	})
	return nil
}

// hangUp as a part of an answer ends the connection.
const hangUp = "\x00hang up"

var errTaken = syscall.EBUSY

// dongle is a talker that answers as a dongle with that IMEI and IMSI.
func dongle(imei, imsi string) *talker {
	return &talker{answer: answers(map[string]string{"AT+CGSN": imei, "AT+CIMI": imsi})}
}

// answers are those of a dongle, with some of them changed; an answer ERROR… is a final result,
// an answer "-" is silence.
func answers(changed map[string]string) func(string) []said {
	table := map[string]string{
		"AT": "", "ATE0": "", "AT+CMEE=1": "",
		"AT+CGMI": "huawei", "AT+CGMM": "E173", "AT+CGMR": "11.126.16.04.284",
		"AT+CGSN": "490154203237518", "AT+CPIN?": "+CPIN: READY", "AT+CIMI": "262010123456789",
	}
	for line, answer := range changed {
		table[line] = answer
	}
	return func(line string) []said {
		answer, known := table[line]
		switch {
		case line == "\x1b" || line == "" || answer == "-":
			return nil
		case !known:
			answer = "ERROR"
		}
		switch {
		case strings.HasPrefix(answer, "ERROR"), strings.HasPrefix(answer, "+CME ERROR"):
			return []said{{0, "\r\n" + answer + "\r\n"}}
		case answer == "":
			return []said{{0, "\r\nOK\r\n"}}
		}
		return []said{{0, "\r\n" + answer + "\r\n\r\nOK\r\n"}}
	}
}

// polite are all lines that a port may ever be sent: V.250, TS 27.007, and the end of a prompt.
var polite = []string{
	"AT", "\x1b", "ATE0", "AT+CMEE=1", "AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN", "AT+CPIN?", "AT+CIMI",
}

// checkPolite fails the test if a talker heard anything else, or anything before AT.
func checkPolite(t *testing.T, talkers ...*talker) {
	t.Helper()
	for _, k := range talkers {
		heard := k.heardLines()
		if len(heard) > 0 && heard[0] != "AT" {
			t.Errorf("began with %q", heard[0])
		}
		for _, line := range heard {
			if !slices.Contains(polite, line) {
				t.Errorf("sent %q", line)
			}
		}
	}
}

// prober asks talkers by the names of their ttys; a node without one is deaf and dumb.
func prober(tr tree, behind map[string]*talker) *probe.Prober {
	var mu sync.Mutex
	return &probe.Prober{Bus: tr.bus(), Open: func(node string, _ int) modem.Opener {
		mu.Lock()
		defer mu.Unlock()
		k := behind[filepath.Base(node)]
		if k == nil {
			k = &talker{}
			behind[filepath.Base(node)] = k
		}
		return k.open
	}}
}
