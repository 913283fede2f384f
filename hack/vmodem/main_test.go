package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// The test binary is the command itself when this is set, so that the tests run the real process.
const asCommand = "VMODEM_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a running vmodem.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), asCommand+"=1", "GORACE=atexit_sleep_ms=0")
	p.cmd.Stderr = &p.stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // ended already, mostly
	return p
}

func (p *process) dialogue(say, want string) {
	p.t.Helper()
	talk(p.t, p.in, p.out, say, want)
}

func talk(t *testing.T, w io.Writer, r io.Reader, say, want string) {
	t.Helper()
	if _, err := io.WriteString(w, say); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("to %q: %q, %v, want %q", say, got, err, want)
	}
}

// end closes standard input and expects a clean exit.
func (p *process) end() {
	p.t.Helper()
	if err := p.in.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.exits(0)
}

func (p *process) exits(code int) {
	p.t.Helper()
	_ = p.cmd.Wait() // its error is the exit code
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("exit code %d, want %d: %s", got, code, p.stderr.String())
	}
}

const ok = "\r\nOK\r\n"

// Two SMS-SUBMITs by hand (TS 23.040 9.2.2.2), both to +99980123456: "hello" with TP-SRR; and part
// 2 of 3, reference 7, of the octets CA FE for port 9200 (23F0) from port 0: UDHL 0B,
// IE 05 04 23F0 0000, IE 00 03 07 03 02.
const (
	helloReport = "0031000B919989103254F60000A705E8329BFD06"
	dataPart    = "0051000B919989103254F60004A70E0B050423F0000000030703" + "02CAFE"
)

func TestStdio(t *testing.T) {
	dir := t.TempDir()
	log, state := filepath.Join(dir, "log"), filepath.Join(dir, "state")
	args := []string{"--imsi", "001010000000007", "--pin", "1234", "--log", log, "--state", state, "--first-mr", "254"}
	p := start(t, args...)
	p.dialogue("ATE0+CMEE=1\r", "ATE0+CMEE=1\r"+ok)
	p.dialogue("AT+CIMI\r", "\r\n+CME ERROR: 11\r\n")
	p.dialogue("AT+CPIN=1234;+CIMI\r", "\r\n001010000000007\r\n"+ok)
	p.dialogue("AT+CMGS=19\r", "\r\n> ")
	p.dialogue(helloReport+"\x1a", "\r\n+CMGS: 254\r\n"+ok)
	p.dialogue("AT+CMGS=28\r", "\r\n> ")
	p.dialogue(dataPart+"\x1a", "\r\n+CMGS: 255\r\n"+ok)

	// Killed, it must stand for the same SIM when it comes again.
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // killed
	p = start(t, args...)
	p.dialogue("ATE0+CPIN=1234\r", "ATE0+CPIN=1234\r"+ok)
	p.dialogue("AT+CMGS=19\r", "\r\n> ")
	p.dialogue(helloReport+"\x1a", "\r\n+CMGS: 0\r\n"+ok)
	p.end()

	want := []line{
		{MR: 254, Destination: "+99980123456", Text: "hello", Report: true, Raw: helloReport},
		{MR: 255, Destination: "+99980123456", Data: []byte{0xca, 0xfe}, Raw: dataPart,
			Concat: &concat{Reference: 7, Total: 3, Number: 2}, Ports: &ports{Destination: 9200}},
		{MR: 0, Destination: "+99980123456", Text: "hello", Report: true, Raw: helloReport},
	}
	got := readLog(t, log)
	if len(got) != len(want) {
		t.Fatalf("%d lines in the log", len(got))
	}
	for i := range want {
		if got[i].Time.IsZero() {
			t.Errorf("line %d has no time", i+1)
		}
		got[i].Time = want[i].Time
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("line %d is %+v, want %+v", i+1, got[i], want[i])
		}
	}
	if b, err := os.ReadFile(state); err != nil || string(b) != "0\n" {
		t.Errorf("the state is %q, %v", b, err)
	}
}

func readLog(t *testing.T, path string) (lines []line) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	for dec.More() {
		var l line
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

func TestFaultScript(t *testing.T) {
	script := filepath.Join(t.TempDir(), "faults.yaml")
	if err := os.WriteFile(script, []byte("- do: cms 38\n- do: unplug\n  on: CSQ\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--faults", script)
	p.dialogue("ATE0+CMEE=1\r", "ATE0+CMEE=1\r"+ok)
	p.dialogue("AT+CMGS=19\r", "\r\n> ")
	p.dialogue(helloReport+"\x1a", "\r\n+CMS ERROR: 38\r\n")
	if _, err := io.WriteString(p.in, "AT+CSQ\r"); err != nil {
		t.Fatal(err)
	}
	p.exits(0) // unplugged: for socat, the port is gone
}

func TestFamily(t *testing.T) {
	p := start(t, "--family", "wavecom", "--ussd", "*100#=4.20", "--imsi", "001010000000007")
	p.dialogue("", "\r\n+WIND: 3\r\n\r\n+WIND: 1\r\n")
	p.dialogue("ATE0+CGMM\r", "ATE0+CGMM\r\r\n MULTIBAND  900E  1800\r\n"+ok)
	p.dialogue("AT+CNMI=?\r", "\r\n+CNMI: (0,1,2,3),(0,1,2,3),(0,1,2,3),(0,1,2),(0,1)\r\n"+ok)
	p.dialogue("AT+CPIN?\r", "\r\n+CPIN: READY\r\n")
	p.end()

	p = start(t, "--ussd", "*100#=4.20")
	p.dialogue("ATE0+CUSD=1,\"*100#\",15\r", "ATE0+CUSD=1,\"*100#\",15\r"+ok+"\r\n+CUSD: 0,\"4.20\",15\r\n")
	p.end()

	p = start(t, "--family", "nokia")
	p.exits(80) // kong's for a wrong flag
}

func TestUnregistered(t *testing.T) {
	p := start(t, "--registration", "0")
	p.dialogue("ATE0+CREG?\r", "ATE0+CREG?\r\r\n+CREG: 0,0\r\n"+ok)
	p.end()
}

func TestLink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "modem")
	p := start(t, "--link", link)
	path, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to+"\n" != path {
		t.Fatalf("the link points to %q, %v; printed %q", to, err, path)
	}
	for _, echo := range []string{"ATE0\r", ""} { // the port is opened twice
		tty, err := os.OpenFile(link, os.O_RDWR|syscall.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		talk(t, tty, tty, "ATE0\r", echo+ok)
		if err := tty.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.exits(0)
	if _, err := os.Lstat(link); !os.IsNotExist(err) {
		t.Errorf("the link is still there: %v", err)
	}
}

func TestTerminatedOnStdio(t *testing.T) {
	p := start(t)
	p.dialogue("AT\r", "AT\r"+ok)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.exits(0)
}

func TestBadFiles(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("- do: explode"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args    []string
		mention string
	}{
		"fault script": {[]string{"--faults", bad}, "explode"},
		"state":        {[]string{"--state", bad}, "TP-MR"},
		"log":          {[]string{"--log", filepath.Join(bad, "x")}, "not a directory"},
		"state folder": {[]string{"--state", filepath.Join(bad, "x")}, "not a directory"},
		"link":         {[]string{"--link", bad}, "no symbolic link"},
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, c.args...)
			p.exits(1)
			if !strings.Contains(p.stderr.String(), c.mention) {
				t.Errorf("said %q, which does not mention %q", p.stderr.String(), c.mention)
			}
		})
	}
}

// TestLostState: a state that cannot be written is told when the process ends.
func TestLostState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--state", filepath.Join(dir, "state"))
	p.dialogue("ATE0\r", "ATE0\r"+ok)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	p.dialogue("AT+CMGS=19\r", "\r\n> ")
	p.dialogue(helloReport+"\x1a", "\r\n+CMGS: 250\r\n"+ok)
	if err := p.in.Close(); err != nil {
		t.Fatal(err)
	}
	p.exits(1)
}
