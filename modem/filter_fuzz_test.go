package modem

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// A scriptPort gives the octets of in, in pieces, and takes whatever is written.
type scriptPort struct {
	in    []byte
	piece int
	wrote bytes.Buffer
}

func (p *scriptPort) Read(b []byte) (int, error) {
	if len(p.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.piece)], p.in)
	p.in = p.in[n:]
	return n, nil
}

func (p *scriptPort) Write(b []byte) (int, error) { return p.wrote.Write(b) }
func (p *scriptPort) Close() error                { return nil }

const fuzzPDU = "0011000B911326880736F40000AA05E8329BFD06"

// FuzzFilter feeds whatever a modem may say during AT+CMGS, in pieces of any size. Whatever it
// is, at sees at most one prompt, references and one final result, and nothing else; the URCs
// and what at sees do not depend on the pieces.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"\r\n> \r\n+CMGS: 7\r\n\r\nOK\r\n",
		"AT+CMGS=19\r> \r\n+CDS: 25\r\n\r\nOK\r\n+CMGS: 1\r\nOK\r\n",
		"> " + fuzzPDU + "\x1a\r\n+CMS ERROR: 38\r\n",
		"\r\n+CUSD: 0,\"a\r\nOK\r\nb\",15\r\n>\r\n+CMGS: 300\r\nNO CARRIER\r\nABORTED\r\n",
		"\r\n+CDS: ,25\r\n^RSSI: 3\r\n0006D60B911326880736F4111011719551401110117195714000\r\n>>ERROR",
		"+CREG: 1\r\n+CREG: 2,5\r\n+CDSI: \"SR\",0\r\nRDY\r\n>" + strings.Repeat("A", 5000) + "\r\nOK\r\n",
	} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, said []byte, piece uint8) {
		lines, urcs := runFilter(t, said, int(piece)+1)
		prompts, finals := 0, 0
		for _, line := range lines {
			switch {
			case line == ">":
				prompts++
			case finalResult([]byte(line)) != notFinal:
				finals++
			case strings.HasPrefix(line, "+CMGS:"):
				if finals > 0 || prompts == 0 {
					t.Errorf("a reference at the wrong place: %q", lines)
				}
			default:
				t.Errorf("%q leaked into the dialogue %q", line, lines)
			}
		}
		if prompts > 1 || finals > 1 {
			t.Errorf("%d prompts, %d final results: %q", prompts, finals, lines)
		}
		whole, urcsWhole := runFilter(t, said, len(said)+1)
		if strings.Join(lines, "\n") != strings.Join(whole, "\n") || len(urcs) != len(urcsWhole) {
			t.Errorf("in pieces of %d: %q, %v; whole: %q, %v", int(piece)+1, lines, urcs, whole, urcsWhole)
		}
	})
}

// runFilter plays at's part in AT+CMGS against what a modem says.
func runFilter(t *testing.T, said []byte, piece int) (lines []string, urcs []urc) {
	port := &scriptPort{in: said, piece: piece}
	f := newFilter(port, nil, func(u urc) {
		if u.kind == urcTPDU && !isHex([]byte(u.text)) {
			t.Errorf("a report that is no PDU: %q", u.text)
		}
		urcs = append(urcs, u)
	}, func() {})
	f.begin(exchange{want: want{prefix: "+CMGS"}, pdu: fuzzPDU, ctx: t.Context(), answer: time.Hour}, time.Hour)
	if _, err := f.Write([]byte("AT+CMGS=19\r")); err != nil {
		t.Fatal(err)
	}
	var dialogue bytes.Buffer
	buf := make([]byte, 2*maxLine) // holds whatever one Read gives: a line or a prompt
	for {
		n, err := f.Read(buf)
		if err != nil {
			break
		}
		if string(buf[:n]) != ">" {
			dialogue.Write(buf[:n])
			continue
		}
		if _, err := f.Write([]byte(fuzzPDU + "\x1a")); err != nil && !errors.Is(err, errGate) {
			t.Fatal(err)
		}
		dialogue.WriteString(">\r\n")
	}
	if line := f.line; len(line) > maxLine {
		t.Errorf("a line of %d octets is kept", len(line))
	}
	f.end()
	for _, line := range strings.Split(dialogue.String(), "\r\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines, urcs
}

// FuzzURC: no line makes the joiner or the parser fail, and a joined report is always hex.
func FuzzURC(f *testing.F) {
	f.Add("+CDS: 25", "0006D60B911326880736F4111011719551401110117195714000")
	f.Add(`+CUSD: 0,"x`, `y",15`)
	f.Add(`+CREG: 1,"00C3"`, "+CDSI: \"SR\",1")
	f.Fuzz(func(t *testing.T, first, second string) {
		var j joiner
		for _, line := range []string{first, second} {
			line = strings.Trim(line, "\r\n \x00\x1a")
			if line == "" {
				continue
			}
			u, done, taken := j.add([]byte(line), fuzzPDU)
			if done && !taken || done && u.kind == urcTPDU && (!isHex([]byte(u.text)) || len(u.text)%2 != 0) {
				t.Errorf("%q, %q made %+v", first, second, u)
			}
			if !taken {
				if u, ok := parseURC([]byte(line)); ok && u.kind == urcStored && u.index < -1 {
					t.Errorf("%q made %+v", line, u)
				}
			}
		}
	})
}
