package probe_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"dongled/modem/probe"
)

// Whatever a port says, Ask ends in time, says nothing that it should not, and what it returns can be
// shown.
func FuzzAsk(f *testing.F) {
	ok := "\r\nOK\r\n"
	for _, seed := range []string{
		"", ok, "\r\nERROR\r\n", "OK\rhuawei\r\nOK\r\n", ok + ok + ok + "490154203237518" + ok,
		"$GPGGA,123519\r\n", "> ", "\xff\xfe\r\n", "+CPIN: SIM PIN" + ok, "+CPIN:" + ok, "+CGMI:" + ok,
		"+CME ERROR: 10\r\n", "+CME ERROR: x\r\n", "\"\"" + ok, "\x1b[2J" + ok, "+CGMI" + ok, "AT+CGMI\r\r\nx" + ok,
		strings.Repeat("x", 300) + ok, ":" + ok,
	} {
		f.Add(seed, uint16(0))
		f.Add(seed, uint16(1900))
	}
	f.Fuzz(func(t *testing.T, speech string, delay uint16) {
		synctest.Test(t, func(t *testing.T) {
			// One answer a line, so that each command meets another.
			answers, next := strings.SplitAfter(speech, "OK\r\n"), 0
			k := &talker{answer: func(string) []said {
				answer := answers[next%len(answers)]
				next++
				return []said{{time.Duration(delay) * time.Millisecond, answer}}
			}}
			start := time.Now()
			a := probe.Ask(t.Context(), k.open)
			if took := time.Since(start); took > probe.AskTimeout {
				t.Errorf("took %v", took)
			}
			checkPolite(t, k)
			for _, s := range []string{a.Manufacturer, a.Model, a.Revision, a.Detail} {
				if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("%q cannot be shown", s)
				}
			}
			if strings.Trim(a.IMEI+a.IMSI, "0123456789") != "" {
				t.Errorf("IMEI %q, IMSI %q", a.IMEI, a.IMSI)
			}
			if !a.AT && (a.IMEI != "" || a.Manufacturer != "") || a.AT && !strings.Contains(speech, "OK") {
				t.Errorf("answered %q with %+v", speech, a)
			}
		})
	})
}
