package modem_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
)

// dongle is a simulated dongle that ends with the test's bubble.
func dongle(t *testing.T, opts virtual.Options) *virtual.Dongle {
	t.Helper()
	d := virtual.New(opts)
	t.Cleanup(func() { d.Close() })
	return d
}

// A dongle by the standards, from bring-up to the report.
func TestVirtualDongle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := dongle(t, virtual.Options{
			Name: "one", IMSI: "001010123456789", SMSC: "+491710760000", Operator: "Virtual",
			SubmitDelay: 2 * time.Second, ReportDelay: 4 * time.Second,
		})
		s := &sink{}
		w := start(t, modem.Config{Open: d.Open, Sink: s})
		ready(t, w)
		st := w.Status()
		if st.IMSI != "001010123456789" || st.SMSC != "+491710760000" || st.Operator != "Virtual" || st.SignalDBM != -73 || !st.Reports {
			t.Errorf("status %+v", st)
		}
		if st.IMEI == "" || st.ICCID == "" || st.Manufacturer == "" || st.Model == "" || st.Number == "" {
			t.Errorf("status %+v", st)
		}
		segments, err := pdu.Encode(
			pdu.Content{Text: "Grüße an alle, die das lesen: 日本 and more, more, more, more, more, more, more."},
			pdu.Options{To: "+491701234567", Reference: 7, Report: true})
		if err != nil || len(segments) < 2 {
			t.Fatalf("%d segments, %v", len(segments), err)
		}
		for i, seg := range segments {
			mr, err := w.Submit(t.Context(), seg, i < len(segments)-1, nil)
			if err != nil || int(mr) != 250+i {
				t.Fatalf("part %d: %d, %v", i, mr, err)
			}
		}
		time.Sleep(5 * time.Second)
		if got := s.references(); !slices.Equal(got, []int{250, 251}) {
			t.Fatalf("reports %v", got)
		}
		if s.origins[0].IMSI != "001010123456789" || s.reports[0].Recipient != "+491701234567" {
			t.Errorf("report %+v from %+v", s.reports[0], s.origins[0])
		}
		taken := d.Submissions()
		if len(taken) != 2 || taken[0].Submit.Concat.Total != 2 || taken[1].Submit.Concat.Number != 2 {
			t.Errorf("submissions %+v", taken)
		}
	})
}

// What the simulated dongle does wrong, and what becomes of three messages sent by a scheduler
// that repeats what did not leave.
func TestVirtualFaults(t *testing.T) {
	tests := map[string]struct {
		opts    virtual.Options
		unknown int // messages whose outcome is unknown
	}{
		"no prompt":           {virtual.Options{Faults: []virtual.Fault{{Do: virtual.NoPrompt}}}, 0},
		"late prompt":         {virtual.Options{Faults: []virtual.Fault{{Do: virtual.LatePrompt, Delay: 9 * time.Second}}}, 0},
		"very late prompt":    {virtual.Options{Faults: []virtual.Fault{{Do: virtual.LatePrompt, Delay: time.Minute}}}, 0},
		"error for a prompt":  {virtual.Options{Faults: []virtual.Fault{{Do: virtual.PlainError, On: virtual.OnPrompt}}}, 0},
		"silence":             {virtual.Options{Faults: []virtual.Fault{{Do: virtual.Silence}}}, 1},
		"late answer":         {virtual.Options{Faults: []virtual.Fault{{Do: virtual.LateAnswer, Delay: 135 * time.Second}}}, 0},
		"too late an answer":  {virtual.Options{Faults: []virtual.Fault{{Do: virtual.LateAnswer, Delay: 200 * time.Second}}}, 1},
		"no reference":        {virtual.Options{Faults: []virtual.Fault{{Do: virtual.NoReference}}}, 1},
		"unplugged after it":  {virtual.Options{Faults: []virtual.Fault{{Do: virtual.Unplug, Return: 7 * time.Second}}}, 1},
		"unplugged before it": {virtual.Options{Faults: []virtual.Fault{{Do: virtual.Unplug, On: virtual.OnPrompt, Return: 7 * time.Second}}}, 0},
		"storm on each line":  {virtual.Options{Faults: []virtual.Fault{{Do: virtual.URCStorm, Every: 1}}}, 0},
		"congestion":          {virtual.Options{Faults: []virtual.Fault{{Do: virtual.CMS, Code: 42}}}, 0},
		"report first":        {virtual.Options{SubmitDelay: time.Second, Faults: []virtual.Fault{{Do: virtual.ReportBefore, Every: 1}}}, 0},
		"report twice":        {virtual.Options{Faults: []virtual.Fault{{Do: virtual.ReportTwice, Every: 1, Delay: time.Second}}}, 0},
		"slow in everything": {virtual.Options{
			CommandDelay: 300 * time.Millisecond, PromptDelay: 5 * time.Second, SubmitDelay: 60 * time.Second,
			ReportDelay: time.Minute, RegisterDelay: 20 * time.Second,
		}, 0},
		"reports are stored": {virtual.Options{CNMI: "(1),(1),(0),(2),(1)"}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d := dongle(t, test.opts)
				s := &sink{}
				w := start(t, modem.Config{Open: d.Open, Sink: s})
				unknown := 0
				for i := range 3 {
					if !submitUntilKnown(t, w, segment(t, fmt.Sprint("message ", i))) {
						unknown++
					}
				}
				if unknown != test.unknown {
					t.Errorf("%d messages unknown, want %d", unknown, test.unknown)
				}
				texts := make(map[string]int)
				for _, taken := range d.Submissions() {
					texts[taken.Submit.Text]++
				}
				for text, n := range texts {
					if n != 1 {
						t.Errorf("%q was submitted %d times", text, n)
					}
				}
				if len(texts) != 3 {
					t.Errorf("the network has %v", texts)
				}
				time.Sleep(10 * time.Minute)
				reported := make(map[int]bool)
				for _, mr := range s.references() {
					reported[mr] = true
				}
				if len(reported) < 3-test.unknown {
					t.Errorf("reports %v", s.references())
				}
			})
		})
	}
}

// submitUntilKnown repeats a submission that did not leave; false means that its fate is unknown.
func submitUntilKnown(t *testing.T, w *modem.Worker, seg pdu.Segment) bool {
	t.Helper()
	for range 20 {
		ready(t, w)
		_, err := w.Submit(t.Context(), seg, false, nil)
		if err == nil {
			return true
		}
		e := submitError(t, err)
		if e.Fault.Action == modem.Ambiguous {
			return false
		}
		if e.Fault.Action == modem.Permanent || e.Fault.Action == modem.SIMFault {
			t.Fatalf("Submit: %v", e)
		}
		time.Sleep(max(e.Fault.Delay, time.Second))
	}
	t.Fatal("20 attempts")
	return false
}

func TestVirtualPIN(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := dongle(t, virtual.Options{Name: "right", PIN: "4711", ICCID: "89490200000000000201"})
		w := start(t, modem.Config{Open: d.Open, PIN: "4711"})
		ready(t, w)
	})
	bubble(t, func(t *testing.T) {
		d := dongle(t, virtual.Options{Name: "wrong", PIN: "4711", ICCID: "89490200000000000202"})
		w := start(t, modem.Config{Open: d.Open, PIN: "0000"})
		settle(time.Hour)
		if st := w.Status(); st.Problem != modem.ProblemPINRefused {
			t.Fatalf("%+v", st)
		}
		// One wrong try of three, so that the right one still opens it.
		other := start(t, modem.Config{Open: d.Open})
		settle(time.Second)
		if st := other.Status(); st.Problem == modem.ProblemPUKNeeded {
			t.Fatalf("the SIM is blocked: %+v", st)
		}
	})
}

func TestVirtualRegistration(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := dongle(t, virtual.Options{})
		w := start(t, modem.Config{Open: d.Open})
		ready(t, w)
		for _, step := range []struct {
			stat  int
			ready bool
		}{{0, false}, {2, false}, {3, false}, {5, true}, {4, false}, {6, true}, {8, false}, {7, true}} {
			d.SetRegistration(step.stat)
			settle(time.Second)
			if st := w.Status(); st.Ready() != step.ready || st.Registration != step.stat {
				t.Errorf("registration %d: %+v", step.stat, st)
			}
		}
		d.SetSIM(false)
		settle(2 * time.Minute)
		if st := w.Status(); st.Ready() {
			t.Errorf("ready without a SIM: %+v", st)
		}
	})
}

// Unplugged for a while and back, in the midst of work.
func TestVirtualUnplug(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := dongle(t, virtual.Options{})
		w := start(t, modem.Config{Open: d.Open})
		ready(t, w)
		for round := range 5 {
			d.Unplug()
			settle(time.Duration(round) * 3 * time.Second)
			if w.Status().Ready() {
				t.Fatal("ready without a dongle")
			}
			if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); submitError(t, err).Submitted {
				t.Fatal(err)
			}
			d.Plug()
			ready(t, w)
			if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || int(mr) != (250+round)%256 {
				t.Fatalf("round %d: %d, %v", round, mr, err)
			}
		}
	})
}

// The same over a real pseudo-terminal, with an unplug that gives it another name.
func TestVirtualOnPTY(t *testing.T) {
	d := virtual.New(virtual.Options{})
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	link := filepath.Join(t.TempDir(), "ttyVirtual")
	s := &sink{}
	served, ended := make(chan struct{}), make(chan struct{})
	opened := make(chan string, 4)
	go func() { defer close(served); _ = d.ServePTY(ctx, link, func(path string) { opened <- path }) }()
	<-opened
	w := modem.New(modem.Config{SIM: 1, Port: link, Open: modem.Serial(link, 115200), Sink: s})
	go func() { defer close(ended); _ = w.Run(ctx) }()
	await := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not come: %+v", what, w.Status())
			}
		}
	}
	for round := range 2 {
		await("readiness", func() bool { return w.Status().Ready() && w.Status().Sessions > round })
		for i := range 10 {
			if _, err := w.Submit(ctx, segment(t, fmt.Sprint(round, i)), true, nil); err != nil {
				t.Fatal(err)
			}
		}
		await("the last report", func() bool { return len(s.references()) == 10*(round+1) })
		if round == 0 {
			d.Unplug()
			await("the loss", func() bool { return !w.Status().Ready() })
			d.Plug()
			<-opened
		}
	}
	cancel()
	<-ended
	<-served
	if n := len(d.Submissions()); n != 20 {
		t.Fatalf("%d submissions of 20", n)
	}
}

// A storm of URCs during a whole life of the session changes nothing.
func TestVirtualNoise(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d := dongle(t, virtual.Options{ReportDelay: time.Second})
		s := &sink{}
		w := start(t, modem.Config{Open: d.Open, Sink: s})
		ready(t, w)
		stop := make(chan struct{})
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
					d.URC("^RSSI: 18", `+CMTI: "SM",1`, "^DSFLOWRPT:0,0", "RING", "NO CARRIER")
				}
			}
		}()
		for i := range 50 {
			if mr, err := w.Submit(t.Context(), segment(t, "x"), true, nil); err != nil || int(mr) != (250+i)%256 {
				t.Fatalf("message %d: %d, %v", i, mr, err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		close(stop)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(s.references()); n != 50 || w.Status().Sessions != 1 {
			t.Fatalf("%d reports of 50 in %d sessions", n, w.Status().Sessions)
		}
	})
}
