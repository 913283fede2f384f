package modem_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/modem"
)

// inTextModePeer is a dongle that another program put into text mode; AT+CMGF=0 takes that back.
func inTextModePeer() (p *peer, stray func()) {
	p = newPeer()
	sh := onShelf(p, map[string]map[int]string{"SM": {}})
	usual, text := p.answering, false
	p.answering = func(cmd string) (string, bool) {
		switch {
		case cmd == "+CMGF=0":
			text = false
		case cmd == "+CMGF?" && text:
			return ok("+CMGF: 1"), true
		case cmd == "+CMGF?":
			return ok("+CMGF: 0"), true
		case text && cmd == "+CMGL=4":
			return "\r\n+CMS ERROR: 305\r\n", true
		case text && cmd == "+CMGR=2":
			return ok("+CMGR: \"REC UNREAD\",\"+491701234567\",,\"26/04/05,10:11:12+08\"\r\nhello"), true
		}
		return usual(cmd)
	}
	return p, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		text = true
		sh.places["SM"][2] = inbox("h")
	}
}

// A dongle that has left PDU mode is set up anew before a PDU can pass for a text: when it shows in
// what it says, or at the latest when it is asked. What was stored meanwhile is read then, and what
// came as a text is archived as it is.
func TestTextMode(t *testing.T) {
	const header = `+CMT: "+491701234567",,"26/04/05,10:11:12+08"`
	tests := map[string]struct {
		says  string
		wait  time.Duration
		lines []string
	}{
		"told of a message": {"\r\n+CMTI: \"SM\",2\r\n", 5 * time.Second, nil},
		"a message":         {"\r\n" + header + "\r\nwhat 4D616D61?\r\n", 5 * time.Second, []string{header + "\nwhat 4D616D61?"}},
		"with its length":   {"\r\n" + header + ",145,4,0,0,\"+491710760000\",145,2\r\n41\r\n", 5 * time.Second, []string{header + ",145,4,0,0,\"+491710760000\",145,2\n41"}},
		"an empty message":  {"\r\n" + header + "\r\n\r\n\r\nOK\r\n", 5 * time.Second, []string{header}},
		"a report": {"\r\n+CDS: 6,250,\"+491701234567\",145,\"26/04/05,10:11:12+08\",\"26/04/05,10:11:14+08\",0\r\n", 5 * time.Second,
			[]string{`+CDS: 6,250,"+491701234567",145,"26/04/05,10:11:12+08","26/04/05,10:11:14+08",0`}},
		"nothing": {"", 16 * time.Minute, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, stray := inTextModePeer()
				s := &sink{}
				w := start(t, modem.Config{Open: p.open, Sink: s})
				ready(t, w)
				settle(5 * time.Second)
				stray()
				p.urc(test.says)
				settle(test.wait)
				ready(t, w)
				if w.Status().Sessions != 2 || w.Status().Resets != 0 {
					t.Errorf("%+v", w.Status())
				}
				var lines []string
				for _, m := range s.messages {
					if m.Err != nil {
						lines = append(lines, m.Line)
					}
				}
				if !slices.Equal(lines, test.lines) {
					t.Errorf("archived %q, want %q", lines, test.lines)
				}
				if got := s.texts(); !slices.Contains(got, "h") {
					t.Errorf("messages %q", got)
				}
				for _, line := range w.Trace(false) {
					if strings.Contains(line.Text, "491701234567") || strings.Contains(line.Text, "4D616D61") {
						t.Errorf("in the trace: %q", line.Text)
					}
				}
			})
		})
	}
}

// Reports that the dongle switched off by itself are asked for again, without a new session.
func TestReportsAreAskedForAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		settle(time.Minute)
		before := p.count("AT+CNMI=2,1,0,1,0")
		taken := false
		p.mu.Lock()
		p.answering = func(cmd string) (string, bool) {
			switch {
			case strings.HasPrefix(cmd, "+CNMI=2"):
				taken = true
			case cmd == "+CNMI?" && !taken:
				return ok("+CNMI: 2,0,0,0,0"), true
			}
			return "", false
		}
		p.mu.Unlock()
		settle(time.Hour)
		if n := p.count("AT+CNMI=2,1,0,1,0") - before; n != 1 || w.Status().Sessions != 1 || !w.Status().Reports {
			t.Errorf("asked for reports %d times; %+v", n, w.Status())
		}
	})
}
