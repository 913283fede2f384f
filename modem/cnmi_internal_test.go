package modem

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseCNMI(t *testing.T) {
	for text, want := range map[string]cnmi{
		"2,1,0,1,0":  {2, 1, 0, 1, 0},
		" 1, 1,0,2 ": {1, 1, 0, 2, 0},
		"3":          {3, 0, 0, 0, 0},
		"2,1,,1,1":   {2, 1, 0, 1, 1},
	} {
		if got, ok := parseCNMI(text); !ok || got != want {
			t.Errorf("%q is %v, %t; want %v", text, got, ok, want)
		}
	}
	for _, bad := range []string{"", ",1,0,1,0", "x,1,0,1,0", "2,1,0,-1,0", "2,10,0,1,0", "2,1,0,1,0x"} {
		if got, ok := parseCNMI(bad); ok {
			t.Errorf("%q understood as %v", bad, got)
		}
	}
}

// Where no reports are to be had, messages are told of at least.
func TestCNMIWithoutReports(t *testing.T) {
	for text, want := range map[string][]string{
		"(0,1,2),(0,1),(0),(0),(0)":     {"2,1,0,0,0", "1,1,0,0,0"},
		"(0,1),(0-3),(0,2),(0,1),(0,1)": {"1,1,0,0,0", "1,1,0,0,1", "1,1,2,0,0", "1,1,2,0,1"},
		"(0,1,2),(0),(0),(0),(0)":       nil,
		"(0,1,2),(1),(0),(1),(0)":       nil, // they are not to be got rid of
	} {
		offer, ok := parseCNMIOffer(text)
		if got := fmt.Sprint(offer.withoutReports()); !ok || got != "["+strings.Join(want, " ")+"]" {
			t.Errorf("%s: %s, want %v", text, got, want)
		}
	}
}

// FuzzCNMI: whatever +CNMI=? says, what we then ask for was offered, each setting once, and the
// best comes first.
func FuzzCNMI(f *testing.F) {
	f.Add("(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)")
	f.Fuzz(func(t *testing.T, args string) {
		parseCNMI(args)
		offer, ok := parseCNMIOffer(args)
		if !ok {
			return
		}
		for _, values := range offer {
			for _, v := range values {
				if v < 0 || v > 9 {
					t.Fatalf("%q offers %d", args, v)
				}
			}
		}
		list := append(offer.withReports(), offer.withoutReports()...)
		if len(list) > 60 {
			t.Fatalf("%d tries", len(list))
		}
		seen := map[cnmi]bool{}
		for i, c := range list {
			for n, v := range []int{c.mode, c.mt, c.bm, c.ds, c.bfr} {
				if !slices.Contains(offer[n], v) {
					t.Fatalf("%v is not in %q", c, args)
				}
			}
			if seen[c] || c.mt > 1 || c.mode == 0 || i > 0 && (c.mt > list[i-1].mt && c.ds != 0) {
				t.Fatalf("%v is out of place in %v", c, list)
			}
			seen[c] = true
			if again, ok := parseCNMI(c.String()); !ok || again != c {
				t.Fatalf("%v is read back as %v", c, again)
			}
		}
	})
}

// What a dongle took comes first next time, and what brought nothing comes last; another kind of
// dongle starts afresh.
func TestLearnedOrder(t *testing.T) {
	one, other := Status{Manufacturer: "a", Model: "1"}, Status{Manufacturer: "a", Model: "2"}
	list := func() []cnmi { return []cnmi{{2, 1, 0, 1, 0}, {1, 1, 0, 1, 0}, {2, 1, 0, 2, 0}} }
	check := func(what string, got []cnmi, want ...string) {
		t.Helper()
		if fmt.Sprint(got) != "["+strings.Join(want, " ")+"]" {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	var l learned
	check("at first", l.order(one, list()), "2,1,0,1,0", "1,1,0,1,0", "2,1,0,2,0")
	l.taken = cnmi{1, 1, 0, 1, 0}
	check("taken", l.order(one, list()), "1,1,0,1,0", "2,1,0,1,0", "2,1,0,2,0")
	l.mute = []int{1}
	check("mute", l.order(one, list()), "2,1,0,2,0", "2,1,0,1,0", "1,1,0,1,0")
	check("another dongle", l.order(other, list()), "2,1,0,1,0", "1,1,0,1,0", "2,1,0,2,0")
	check("the first again", l.order(one, list()), "2,1,0,1,0", "1,1,0,1,0", "2,1,0,2,0")
}

// Three reports in a row that were found untold are believed more than +CNMI; then its memories are
// looked through more often until it tells again, under another setting.
func TestReportCame(t *testing.T) {
	w := New(Config{})
	s := &session{w: w, log: w.log, ds: 1}
	came := func(roads ...reportRoad) {
		for _, road := range roads {
			s.reportCame(road)
		}
	}
	came(reportFound, reportFound, reportTold, reportFound, reportFound)
	if len(s.checks) != 0 || s.sweepEvery() != sweepRarely {
		t.Fatalf("%d checks, sweep every %v", len(s.checks), s.sweepEvery())
	}
	came(reportFound)
	if len(s.checks) != 1 || s.sweepEvery() != sweepOften || !slices.Equal(w.learned.mute, []int{1}) {
		t.Fatalf("%d checks, sweep every %v, mute %v", len(s.checks), s.sweepEvery(), w.learned.mute)
	}
	came(reportFound, reportFound, reportFound, reportFound)
	if len(s.checks) != 1 {
		t.Errorf("learned %d times", len(s.checks))
	}
	s.ds = 2
	if s.sweepEvery() != sweepRarely {
		t.Errorf("sweep every %v under another setting", s.sweepEvery())
	}
}
