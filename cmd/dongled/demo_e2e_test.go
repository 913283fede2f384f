package main_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// paste is the curl line of the demo, over its lines, and the one that asks for the state.
var (
	paste = regexp.MustCompile(`(?m)^  (curl -u (\S+):(\S+) -H (?:.*\\\n)+.*(http://\S+)/messages)$`)
	ask   = regexp.MustCompile(`(?m)^  (curl -u \S+ http://\S+/messages/)ID$`)
)

// TestDemo does what a newcomer does: starts the demo, pastes the line it prints into a shell, and
// watches.
func TestDemo(t *testing.T) {
	t.Parallel()
	demo := start(t, "dongled", "demo", "--listen", "127.0.0.1:0")
	var line, question []string
	await(t, "the curl line", func() (bool, string) {
		out := demo.stdout.String()
		line, question = paste.FindStringSubmatch(out), ask.FindStringSubmatch(out)
		return line != nil && question != nil, fmt.Sprintf("%s%s", out, demo.stderr.String())
	})
	g := &gateway{process: demo, url: line[4], password: line[3]}
	defer g.http.CloseIdleConnections()
	greeting := demo.stdout.String()
	for _, want := range []string{
		"login     " + line[2] + "\n", "password  " + line[3] + "\n", "API       " + line[4] + "\n",
		"\nSIM 1     ", "\nSIM 2     ",
	} {
		if !strings.Contains(greeting, want) {
			t.Errorf("%q is not in the greeting", want)
		}
	}

	m := decode[message](t, pasted(t, g, line[1]))
	g.awaitState(t, m.ID, "Delivered")
	if state := decode[message](t, pasted(t, g, question[1]+m.ID)); state.ID != m.ID || state.State != "Delivered" {
		t.Errorf("asked by curl, the state is %+v", state)
	}
	checkReceived(t, g, demo)
	checkCommentary(t, strings.TrimPrefix(demo.stdout.String(), greeting), m)
	if status := demo.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// checkReceived: the network's welcome is in the inbox, and its code is answered.
func checkReceived(t *testing.T, g *gateway, demo *process) {
	t.Helper()
	var lines [][]string
	await(t, "the other curl lines", func() (bool, string) {
		lines = regexp.MustCompile(`(?m)^  (curl -u .*/(?:inbox|ussd))$`).FindAllStringSubmatch(demo.stdout.String(), -1)
		return len(lines) == 2, demo.stdout.String()
	})
	type incoming struct{ Sender, ContentPreview string }
	var inbox []incoming
	await(t, "the welcome", func() (bool, string) {
		inbox = decode[[]incoming](t, pasted(t, g, lines[0][1]))
		return len(inbox) == 1, fmt.Sprint(inbox)
	})
	if want := (incoming{"Virtual", "Welcome! Dial *100# for your balance."}); inbox[0] != want {
		t.Errorf("inbox %+v, want %+v", inbox[0], want)
	}
	if answer := decode[struct{ Text string }](t, pasted(t, g, lines[1][1])); answer.Text != "Your balance is 12.50" {
		t.Errorf("USSD answered %+v", answer)
	}
}

// pasted runs a line in a shell. Where there is no curl, what it would ask for is asked for without.
func pasted(t *testing.T, g *gateway, line string) []byte {
	t.Helper()
	if _, err := exec.LookPath("curl"); err == nil {
		out, err := exec.Command("sh", "-c", line+" --silent --show-error --fail").Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return out
	}
	path := line[strings.LastIndex(line, g.url)+len(g.url):]
	if _, rest, posts := strings.Cut(line, "-d '"); posts {
		body, _, _ := strings.Cut(rest, "'")
		status := http.StatusAccepted
		if strings.HasSuffix(path, "/ussd") {
			status = http.StatusOK
		}
		_, answer := g.request(t, "POST", path, body, status)
		return answer
	}
	_, answer := g.request(t, "GET", path, "", http.StatusOK)
	return answer
}

// checkCommentary: each part is seen to leave, with its PDU decoded, to be accepted, and to be
// reported, in an order that can be.
func checkCommentary(t *testing.T, said string, m message) {
	t.Helper()
	number := m.Recipients[0].PhoneNumber
	for part := 1; part <= 2; part++ {
		at := 0
		for _, want := range []string{
			fmt.Sprintf(`SIM 1  →  part %d/2 of %s`, part, m.ID),
			`AT\+CMGS=\d+  [0-9A-F]+\n`,
			fmt.Sprintf(`SMS-SUBMIT to %s, GSM-7, status report requested, reference %s part %d of 2, text "`,
				regexp.QuoteMeta(number), `\d+`, part),
			fmt.Sprintf(`SIM 1  ✓  part %d/2 of %s accepted by the network`, part, m.ID),
			fmt.Sprintf(`SIM 1  ←  \+CDS: report for TP-MR %d to %s: `, 249+part, regexp.QuoteMeta(number)),
		} {
			found := regexp.MustCompile(want).FindStringIndex(said[at:])
			if found == nil {
				t.Fatalf("after octet %d nothing matches %s in\n%s", at, want, said)
			}
			at += found[1]
		}
	}
}
