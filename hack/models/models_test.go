package models_test

import (
	"flag"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dongled/hack/models"
)

func TestChecks(t *testing.T) {
	was := flag.Lookup("rapid.checks").Value.String()
	t.Cleanup(func() { _ = flag.Set("rapid.checks", was) })
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if asked {
		t.Skip("-rapid.checks is given")
	}
	for _, n := range []string{"7", "3"} {
		models.Checks(int(n[0] - '0'))
		if got := flag.Lookup("rapid.checks").Value.String(); got != n {
			t.Errorf("%s checks, want %s", got, n)
		}
	}
	if err := flag.Set("rapid.checks", "500"); err != nil {
		t.Fatal(err)
	}
	models.Checks(9)
	if got := flag.Lookup("rapid.checks").Value.String(); got != "500" {
		t.Errorf("%s checks, where 500 were asked for", got)
	}
}

// Each bubble has a clock of its own, and hands on how it ended.
func TestInBubble(t *testing.T) {
	var ends []any
	for range 2 {
		func() {
			defer func() { ends = append(ends, recover()) }()
			models.InBubble(t, func(*testing.T) {
				began := time.Now()
				time.Sleep(240 * time.Hour)
				panic(time.Since(began))
			})
		}()
	}
	models.InBubble(t, func(*testing.T) { ends = append(ends, "orderly") })
	if want := []any{240 * time.Hour, 240 * time.Hour, "orderly"}; !slices.Equal(ends, want) {
		t.Errorf("ends %v, want %v", ends, want)
	}
}

// What is reported fails the check, so that rapid looks for a shorter one, and not the test itself.
func TestReporter(t *testing.T) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		t.Fatal(err)
	}
	for name, report := range map[string]func(models.Reporter){
		"Errorf": func(r models.Reporter) { r.Errorf("%d", 1) },
		"Error":  func(r models.Reporter) { r.Error("1") },
		"Fatal":  func(r models.Reporter) { r.Fatal("1") },
	} {
		heard := &listener{TB: t}
		func() {
			defer func() { _ = recover() }() // listener's way to stop
			rapid.Check(heard, func(rt *rapid.T) {
				rapid.Bool().Draw(rt, "either")
				report(models.Reporter{TB: t, RT: rt})
			})
		}()
		if !heard.failed {
			t.Errorf("%s did not fail the check", name)
		}
	}
}

// listener hears that a property fails.
type listener struct {
	testing.TB
	failed bool
}

func (l *listener) Errorf(string, ...any) { l.failed = true }
func (l *listener) Logf(string, ...any)   {}
func (l *listener) Log(...any)            {}
func (l *listener) Fatalf(string, ...any) { l.failed = true; panic("fatal") }
func (l *listener) Fail()                 { l.failed = true }
func (l *listener) FailNow()              { l.failed = true; panic("fail") }
