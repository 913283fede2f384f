package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// record is a line of the gateway's log.
type record struct {
	Time time.Time
	Msg  string
	SIM  int
	line string
}

// readLog reads what a gateway said until its end.
func (s *soak) readLog(g *gateway) {
	for line := range strings.Lines(g.stderr.String()) {
		r := record{line: strings.TrimSpace(line)}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			s.wrong(time.Now(), "the log has a line that is no JSON: %s", line)
		}
		s.said = append(s.said, r)
	}
}

// explain fails the test for what was wrong, with what happened around that.
func (s *soak) explain() {
	if len(s.faults) > 0 {
		s.saveLog()
	}
	const most = 12
	for i, c := range s.faults {
		if i == most {
			s.t.Errorf("and %d more", len(s.faults)-most)
			break
		}
		s.t.Errorf("%s\nwhat was done around %.3fs, %s:\n%swhat the gateway said:\n%s", c.text,
			c.at.Sub(s.began).Seconds(), c.at.UTC().Format(time.RFC3339Nano), s.planAround(c.at), s.logAround(c.at))
	}
}

// saveLog keeps the whole plan and log where they outlive the test.
func (s *soak) saveLog() {
	f, err := os.CreateTemp("", "soak-*.log")
	if err != nil {
		s.t.Errorf("the log is lost: %v", err)
		return
	}
	for _, step := range s.played {
		_, _ = fmt.Fprintln(f, step)
	}
	for _, r := range s.said {
		_, _ = fmt.Fprintln(f, r.line)
	}
	s.t.Logf("all that was done and said: %s (%v)", f.Name(), f.Close())
}

const (
	explainBefore = 3 * time.Second
	explainAfter  = 2 * time.Second
)

// planAround is what was done shortly before a time and after it.
func (s *soak) planAround(at time.Time) string {
	var b strings.Builder
	for _, step := range s.played {
		if d := s.began.Add(step.at).Sub(at); -explainBefore < d && d < explainAfter {
			fmt.Fprintf(&b, "  %v\n", step)
		}
	}
	return b.String()
}

// logAround is what the gateway said then.
func (s *soak) logAround(at time.Time) string {
	const longest = 600
	var b strings.Builder
	for _, r := range s.said {
		if d := r.Time.Sub(at); -explainBefore < d && d < explainAfter {
			fmt.Fprintf(&b, "  %.*s\n", longest, r.line)
		}
	}
	return b.String()
}
