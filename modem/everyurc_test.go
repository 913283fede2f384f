package modem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
)

// noises are what dongles were heard to say unasked, by family, and what the standard lets them say. None
// of it belongs to the dialogue at hand; each of it looks like a part of some dialogue.
var noises = []string{
	// TS 27.007 and TS 27.005
	"RING", "+CRING: VOICE", `+CLIP: "+4930123456",145`, `+CLIP: "",128,,,,2`, "+CCWA: \"+4930123456\",145,1",
	"+CREG: 1", `+CREG: 1,"00C3","0000A1B2",2`, "+CGREG: 5", `+CEREG: 1,"1F00","0123ABCD",7`, "+CREG: 2",
	`+CMTI: "SM",17`, `+CMTI: "SM",-1`, `+CDSI: "SR",0`, `+CDSI: "SM",9`, `+CBMI: "SM",3`,
	"+CUSD: 4", "+CUSD: 2", `+CUSD: 0,"Your call was missed",15`, "+CUSD: 0,\"two\r\nlines\r\nOK\",15",
	"+CSSI: 1", "+CSSU: 2", "+CIEV: 2,3", "+CIEV: 8,1", "+CTZV: +8", `+CGEV: NW DETACH`, "+CPIN: READY", "NO CARRIER",
	"+CBM: 22\r\n00100003011" + "2C8309BFD0605D1C37A3B0C9A8FE9AABB",
	// Huawei
	"^RSSI: 18", "^RSSILVL: 99", `^HCSQ: "LTE",46,53,161,30`, "^MODE: 5,4", "^SRVST: 2", "^SIMST: 1", "^BOOT:20430879,0,0,0,89",
	"^DSFLOWRPT: 00000012,00000000,0000000000000000,00000000000001C2,0003E800,0003E800", "^STIN: 0,0,0", "^NWTIME: 26/04/05,10:11:12+08,00",
	"^SMMEMFULL:\"ME\"", "^CEND:1,0,104,16", "^LTERSRP: -101,-12",
	// ZTE, Quectel, SIMCom, Siemens, u-blox, Wavecom, Option, Sierra, Telit
	"+ZUSIMR:2", "+ZPASR: \"UMTS\"", "+ZDONR: \"Net\",262,1,\"CS_PS\",\"ROAM_OFF\"", "+ZEND", `+QIND: "csq",22,99`, "+QIND: SMS DONE", "+QUSIM: 1",
	"SMS Ready", "Call Ready", "PB DONE", "OVER-VOLTAGE WARNNING", `*PSUTTZ: 2026,4,5,10,11,12,"+8",0`,
	"^SBC: Undervoltage", "+PBREADY", "+WIND: 4", "_OSIGQ: 20,0", "+PACSP0", "#QSS: 1", "!SIGNAL",
	// No dongle's, but a line's
	"AT", "at+cgmi", ">", "\x00\xff\xfe", "0123456789ABCDEF", strings.Repeat("x", 5000),
}

// An injector is a line on which noise is heard once, at one of all the places where there can be
// any: between two lines, and before the first of an answer.
type injector struct {
	io.ReadWriteCloser
	noise  string
	at     int
	passed *atomic.Int64 // places so far
	line   int           // octets of the line at hand
	held   []byte
}

func (j *injector) place(out []byte) []byte {
	if j.passed.Add(1) == int64(j.at) {
		out = append(out, "\r\n"+j.noise+"\r\n"...)
	}
	return out
}

func (j *injector) Read(p []byte) (int, error) {
	if len(j.held) == 0 {
		chunk := make([]byte, 4096)
		n, err := j.ReadWriteCloser.Read(chunk)
		if n == 0 {
			return 0, err
		}
		var out []byte
		if j.line == 0 {
			out = j.place(out)
		}
		for _, b := range chunk[:n] {
			out = append(out, b)
			switch {
			case b != '\n' && b != '\r':
				j.line++
			case b == '\n' && j.line > 0:
				j.line = 0
				out = j.place(out)
			}
		}
		j.held = out
	}
	n := copy(p, j.held)
	j.held = j.held[n:]
	return n, nil
}

// life is what a user sees of a dialogue of every kind: two parts that leave, a message that comes,
// the reports, a USSD. It returns that, and how many places there were for noise.
func life(t *testing.T, noise string, at int) (seen string, places int) {
	var passed atomic.Int64
	bubble(t, func(t *testing.T) {
		d := dongle(t, virtual.Options{
			Name: "one", SubmitDelay: time.Second, ReportDelay: 3 * time.Second,
			USSD: []virtual.USSD{{Code: "*100#", Text: "Balance 3.50"}},
		})
		s := &sink{}
		w := start(t, modem.Config{Sink: s, Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
			line, err := d.Open(ctx)
			return &injector{ReadWriteCloser: line, noise: noise, at: at, passed: &passed}, err
		}})
		ready(t, w)
		var b strings.Builder
		for _, text := range []string{"first", "second"} {
			mr, err := w.Submit(t.Context(), segment(t, text), text == "first", nil)
			for tries := 0; tries < 2 && nothingLeft(err); tries++ { // as the scheduler does
				b.WriteString(again)
				ready(t, w)
				mr, err = w.Submit(t.Context(), segment(t, text), text == "first", nil)
			}
			fmt.Fprintf(&b, "%s: mr %d, %v\n", text, mr, err)
		}
		if err := d.Deliver(pdu.Deliver{Originator: "+491719999999", Text: "an answer", SCTS: time.Now()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		answer, err := w.USSD(t.Context(), "*100#")
		fmt.Fprintf(&b, "USSD: %q %d, %v\n", answer.Text, answer.Status, err)
		time.Sleep(time.Minute)
		synctest.Wait()
		references := s.references()
		slices.Sort(references)
		fmt.Fprintf(&b, "reports %v\nmessages %q\nsubmissions %d\nsessions %d\nready %v\n",
			references, s.texts(), len(d.Submissions()), w.Status().Sessions, w.Status().Ready())
		seen = b.String()
	})
	return seen, int(passed.Load())
}

// again begins the line of a submission that was made once more.
const again = "again "

func nothingLeft(err error) bool {
	var se *modem.SubmitError
	return errors.As(err, &se) && !se.Submitted
}

// TestAnyNoiseAnywhere has each noise heard at each place of every dialogue: a user sees nothing of it.
// The race detector makes that slow; with it, each noise is heard at every seventh place, another
// seventh than the noise before. make check runs it both ways.
func TestAnyNoiseAnywhere(t *testing.T) {
	const want = "first: mr 250, <nil>\nsecond: mr 251, <nil>\nUSSD: \"Balance 3.50\" 0, <nil>\n" +
		"reports [250 251]\nmessages [\"an answer\"]\nsubmissions 2\nsessions 1\nready true\n"
	seen, places := life(t, "", 0)
	if seen != want {
		t.Fatalf("in silence:\n%s\nwant\n%s", seen, want)
	}
	t.Logf("%d noises at %d places", len(noises), places)
	step := 1
	if raceDetector {
		step = 7
	}
	for i, noise := range noises {
		for at := 1 + i%step; at <= places; at += step {
			if seen, _ := life(t, noise, at); seen != want && !excused(noise, seen, want) {
				t.Errorf("with %.60q at place %d:\n%s", noise, at, seen)
			}
		}
	}
}

// excused are the two noises that cannot be told from an answer. What the network says by USSD while
// an answer is awaited is the answer. NO CARRIER without a call may end a data call into which the port
// had been put, so that nothing else would come: the session then begins anew, and with it a submission
// of which nothing had left.
func excused(noise, seen, want string) bool {
	switch {
	case strings.HasPrefix(noise, "+CUSD:"):
		return without(seen, "USSD:") == without(want, "USSD:")
	case noise == "NO CARRIER":
		return strings.Replace(strings.ReplaceAll(seen, again, ""), "sessions 2", "sessions 1", 1) == want
	}
	return false
}

// without is s without what begins with prefix, up to what follows it.
func without(s, prefix string) string {
	before, rest, _ := strings.Cut(s, prefix)
	_, after, _ := strings.Cut(rest, "reports")
	return before + after
}
