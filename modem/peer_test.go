package modem_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/pdu"
)

// A peer is a scripted dongle. Its answers are what comes between a command line and the next,
// octet by octet, so that a test can say exactly what a bad one says. It waits for nobody: what
// modem/virtual knows of TS 27.005 it does not.
type peer struct {
	mu sync.Mutex
	// answers is by command line without AT; a line that is missing is answered ERROR.
	answers map[string]string
	// prompt is what follows AT+CMGS=<n>, sent what follows the PDU.
	prompt, sent func(n int) string
	said         []string // command lines, PDUs with their ^Z, and ^[
	submits      int
	sessions     int
	broken       error // of opening
	dead         bool  // nothing is answered any more
	// onSaid, if set, is told of each line as it is said.
	onSaid func(string)
	line   net.Conn
	memory string            // chosen by +CPMS
	stored map[string]string // answers to +CMGR, by memory
	// answering, if set, answers what it knows, with mu held; the rest is by answers.
	answering func(cmd string) (text string, known bool)
	// before, if set, runs before an answer is given.
	before func(cmd string)
}

func ok(lines ...string) string {
	var b strings.Builder
	for _, l := range append(lines, "OK") {
		b.WriteString("\r\n" + l + "\r\n")
	}
	return b.String()
}

const (
	refused = "\r\nERROR\r\n"
	silence = "" // no answer at all
)

func newPeer() *peer {
	return &peer{
		answers: map[string]string{
			"":                ok(),
			"E0":              ok(),
			"+CMEE=1":         ok(),
			"+CGMI":           ok("huawei"),
			"+CGMM":           ok("E173"),
			"+CGMR":           ok("11.126.85.00.209"),
			"+CGSN":           ok("861234567890123"),
			"+CFUN?":          ok("+CFUN: 1"),
			"+CCID":           ok("+CCID: 8949020000012345678F"),
			"+CPIN?":          ok("+CPIN: READY"),
			"+CIMI":           ok("262011234567890"),
			"+CNUM":           ok(`+CNUM: "","+491701234567",145`),
			"+CMGF=0":         ok(),
			"+CSCA?":          ok(`+CSCA: "+491710760000",145`),
			"+CSMS=0":         ok("+CSMS: 1,1,1"),
			"+CNMI=?":         ok("+CNMI: (0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)"),
			"+CNMI?":          ok("+CNMI: 2,1,0,1,0"),
			"+CREG=1":         ok(),
			"+CREG?":          ok("+CREG: 1,1"),
			"+CGREG=1":        ok(),
			"+CGREG?":         ok("+CGREG: 1,1"),
			"+COPS=3,0":       ok(),
			"+COPS?":          ok(`+COPS: 0,0,"Telekom.de, net",2`),
			"+CSQ":            ok("+CSQ: 20,99"),
			"+CMMS=2":         ok(),
			"+CNMA":           ok(),
			"+CNMI=2,1,0,1,0": ok(),
		},
		prompt: func(int) string { return "\r\n> " },
		sent:   func(n int) string { return ok("+CMGS: " + itoa(250+n)) },
	}
}

func itoa(n int) string { return string(appendInt(nil, n%256)) }

func appendInt(b []byte, n int) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

// answer changes one answer.
func (p *peer) answer(cmd, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[cmd] = text
}

// byMemory sets the answers to +CMGR, by memory.
func (p *peer) byMemory(answers map[string]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stored = answers
}

// open is a modem.Opener.
func (p *peer) open(context.Context) (io.ReadWriteCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return nil, p.broken
	}
	ours, theirs := net.Pipe()
	p.line = theirs
	p.sessions++
	go p.serveOn(theirs)
	return ours, nil
}

// urc says something unasked.
func (p *peer) urc(text string) {
	p.mu.Lock()
	line := p.line
	p.mu.Unlock()
	io.WriteString(line, text)
}

// hangUp unplugs the dongle; err is what opening it gives from now on, nil that it is back.
func (p *peer) hangUp(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = err
	p.line.Close()
}

// serveOn answers on line until it is closed. A pseudo-terminal without its other side gives
// errors, and is waited for.
func (p *peer) serveOn(line io.ReadWriteCloser) {
	defer line.Close()
	in := bufio.NewReader(line)
	for {
		cmd, err := until(in, "\r\x1b")
		if errors.Is(err, syscall.EIO) {
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			return
		}
		p.note(cmd)
		if cmd == "^[" || !strings.HasPrefix(cmd, "AT") || p.isDead() {
			continue
		}
		if !strings.HasPrefix(cmd, "AT+CMGS=") {
			p.mu.Lock()
			text, known := p.answers[cmd[2:]]
			if memory, ok := strings.CutPrefix(cmd, "AT+CPMS="); ok {
				p.memory, _, _ = strings.Cut(strings.Trim(memory, `"`), `"`)
			}
			if stored, ok := p.stored[p.memory]; ok && strings.HasPrefix(cmd, "AT+CMGR=") {
				text, known = stored, true
			}
			if p.answering != nil {
				if scripted, its := p.answering(cmd[2:]); its {
					text, known = scripted, true
				}
			}
			p.mu.Unlock()
			if !known {
				text = refused
			}
			if p.before != nil {
				p.before(cmd[2:])
			}
			io.WriteString(line, text)
			continue
		}
		p.mu.Lock()
		n := p.submits
		p.submits++
		p.mu.Unlock()
		prompt := p.prompt(n)
		io.WriteString(line, prompt)
		if !strings.Contains(prompt, ">") {
			continue
		}
		body, err := until(in, "\x1a\x1b")
		if err != nil {
			return
		}
		p.note(body)
		if strings.HasSuffix(body, "^Z") && !p.isDead() {
			io.WriteString(line, p.sent(n))
		}
	}
}

// until reads up to one of ends; ^Z and ESC are shown, CR is not.
func until(in *bufio.Reader, ends string) (string, error) {
	var b strings.Builder
	for {
		c, err := in.ReadByte()
		if err != nil {
			return "", err
		}
		switch {
		case !strings.ContainsRune(ends, rune(c)):
			b.WriteByte(c)
		case c == 0x1a:
			return b.String() + "^Z", nil
		case c == 0x1b:
			return b.String() + "^[", nil
		default:
			return b.String(), nil
		}
	}
}

func (p *peer) note(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s != "" {
		p.said = append(p.said, s)
	}
	if p.onSaid != nil {
		p.onSaid(s)
	}
}

// die stops the dongle answering, or lets it answer again.
func (p *peer) die(dead bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = dead
}

func (p *peer) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// heard are the lines that dongled said, in order.
func (p *peer) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said)
}

// count is how often dongled said a line that begins with prefix.
func (p *peer) count(prefix string) (n int) {
	for _, s := range p.heard() {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// bodies are the PDUs that were handed over with a ^Z.
func (p *peer) bodies() (list []string) {
	for _, s := range p.heard() {
		if strings.HasSuffix(s, "^Z") {
			list = append(list, strings.TrimSuffix(s, "^Z"))
		}
	}
	return list
}

// A sink records.
type sink struct {
	mu       sync.Mutex
	reports  []pdu.Report
	origins  []modem.Origin
	statuses []modem.Status
	messages []modem.Incoming
	calls    []modem.Call
	// store, keep and answer, if set, stand for the storing of a report, a message and a call.
	store  func(pdu.Report) error
	keep   func(modem.Incoming) error
	answer func(modem.Call) error
}

func (s *sink) Received(_ context.Context, from modem.Origin, m modem.Incoming) error {
	if s.keep != nil {
		if err := s.keep(m); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	s.origins = append(s.origins, from)
	return nil
}

func (s *sink) Called(_ context.Context, from modem.Origin, c modem.Call) error {
	if s.answer != nil {
		if err := s.answer(c); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	s.origins = append(s.origins, from)
	return nil
}

// texts are the messages that came, in order; "?" stands for one that cannot be read.
func (s *sink) texts() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if m.Err != nil {
			list = append(list, "?")
			continue
		}
		list = append(list, m.Deliver.Text)
	}
	return list
}

// callers are the numbers of the calls that came, in order.
func (s *sink) callers() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		list = append(list, c.Number)
	}
	return list
}

func (s *sink) Reported(_ context.Context, from modem.Origin, r pdu.Report) error {
	if s.store != nil {
		if err := s.store(r); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
	s.origins = append(s.origins, from)
	return nil
}

func (s *sink) Changed(st modem.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses = append(s.statuses, st)
}

func (s *sink) references() (mrs []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reports {
		mrs = append(mrs, int(r.MR))
	}
	return mrs
}

// states are the states that were told, without repetitions.
func (s *sink) states() (list []modem.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.statuses {
		if len(list) == 0 || list[len(list)-1] != st.State {
			list = append(list, st.State)
		}
	}
	return list
}

// start runs a Worker until the test's bubble ends and checks that it then ends.
func start(t *testing.T, cfg modem.Config) *modem.Worker {
	t.Helper()
	if cfg.SIM == 0 {
		cfg.SIM = 1
	}
	if cfg.Sink == nil {
		cfg.Sink = &sink{}
	}
	w := modem.New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return w
}

// ready waits for a Worker to be ready, at most five minutes of the bubble's time.
func ready(t *testing.T, w *modem.Worker) {
	t.Helper()
	for range 3000 {
		synctest.Wait()
		if w.Status().Ready() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("not ready: %+v", w.Status())
}

// segment is a message of one part with its own text.
func segment(t testing.TB, text string) pdu.Segment {
	t.Helper()
	segments, err := pdu.Encode(pdu.Content{Text: text}, pdu.Options{To: "+491701234567", Report: true})
	if err != nil || len(segments) != 1 {
		t.Fatalf("Encode: %d segments, %v", len(segments), err)
	}
	return segments[0]
}

// bubble runs a test in virtual time, and as the first of its process.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	modem.ForgetRefusedPINs()
	synctest.Test(t, f)
}
