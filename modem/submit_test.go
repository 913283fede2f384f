package modem_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/pdu"
)

func TestSubmitReferencesWrap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer() // its first reference is 250
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		seg := segment(t, "hello")
		var got []int
		for range 8 {
			mr, err := w.Submit(t.Context(), seg, false, nil)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, int(mr))
		}
		if want := []int{250, 251, 252, 253, 254, 255, 0, 1}; !slices.Equal(got, want) {
			t.Fatalf("references %v, want %v", got, want)
		}
		if bodies := p.bodies(); len(bodies) != 8 || bodies[0] != seg.Hex() {
			t.Fatalf("PDUs %q, want 8 times %s", bodies, seg.Hex())
		}
		if n := p.count("AT+CMGS=" + itoa(seg.Length())); n != 8 {
			t.Fatalf("dialogue %q", p.heard())
		}
	})
}

// What each end of AT+CMGS means. stays says that the session goes on.
func TestSubmitOutcomes(t *testing.T) {
	const prompt = "\r\n> "
	type want struct {
		mr        int
		action    modem.Action // 0: accepted
		submitted bool
		text      string
		stays     bool
		took      time.Duration
	}
	tests := map[string]struct {
		prompt, sent string
		hangUp       bool // after the PDU
		want         want
	}{
		"accepted":             {prompt, ok("+CMGS: 7"), false, want{mr: 7, stays: true}},
		"accepted, ackpdu":     {prompt, ok(`+CMGS: 8,"0001"`), false, want{mr: 8, stays: true}},
		"accepted, no space":   {prompt, ok("+CMGS:0"), false, want{mr: 0, stays: true}},
		"accepted, then noise": {prompt, "\r\n+CMGS: 9\r\n", true, want{mr: 9}},
		"accepted, OK missing": {prompt, "\r\n+CMGS: 9\r\n", false, want{mr: 9, took: 5 * time.Second}},
		"reference -1":         {prompt, ok("+CMGS: -1"), false, want{action: modem.Ambiguous, submitted: true, text: "reference that cannot be read", stays: true}},
		"reference 256":        {prompt, ok("+CMGS: 256"), false, want{action: modem.Ambiguous, submitted: true, text: "reference that cannot be read", stays: true}},
		"OK alone":             {prompt, ok(), false, want{action: modem.Ambiguous, submitted: true, text: "OK without a message reference"}},

		"rejected":            {prompt, "\r\n+CMS ERROR: 21\r\n", false, want{action: modem.Permanent, submitted: true, text: "+CMS ERROR: 21 (short message transfer rejected)", stays: true}},
		"rejected in words":   {prompt, "\r\n+CMS ERROR: SMSC address unknown\r\n", false, want{action: modem.SIMFault, submitted: true, text: "+CMS ERROR: 330 (SMSC address unknown)", stays: true}},
		"congested":           {prompt, "\r\n+CMS ERROR: 42\r\n", false, want{action: modem.Transient, submitted: true, text: "42 (congestion)", stays: true}},
		"network timeout":     {prompt, "\r\n+CMS ERROR: 332\r\n", false, want{action: modem.Ambiguous, submitted: true, text: "332 (network timeout)", stays: true}},
		"unknown error":       {prompt, "\r\n+CMS ERROR: 500\r\n", false, want{action: modem.Ambiguous, submitted: true, text: "500", stays: true}},
		"ERROR":               {prompt, refused, false, want{action: modem.Ambiguous, submitted: true, text: "ERROR without a cause"}},
		"vendor error":        {prompt, "\r\nCOMMAND NOT SUPPORT\r\n", false, want{action: modem.Ambiguous, submitted: true, text: "COMMAND NOT SUPPORT"}},
		"ME failure":          {prompt, "\r\n+CMS ERROR: 300\r\n", false, want{action: modem.ModemFault, submitted: true, text: "300 (ME failure)"}},
		"no network":          {prompt, "\r\n+CMS ERROR: 331\r\n", false, want{action: modem.ModemFault, submitted: true, text: "331 (no network service)", stays: true}},
		"CME network timeout": {prompt, "\r\n+CME ERROR: 31\r\n", false, want{action: modem.Ambiguous, submitted: true, text: "+CME ERROR: 31", stays: true}},
		"silence":             {prompt, silence, false, want{action: modem.Ambiguous, submitted: true, text: "no answer after", took: 180 * time.Second}},
		"hang-up":             {prompt, silence, true, want{action: modem.Ambiguous, submitted: true, text: "hung up"}},

		// Whatever comes before the PDU, the message has not left: never ambiguous.
		"CMS before the prompt":             {"\r\n+CMS ERROR: 310\r\n", "", false, want{action: modem.ModemFault, text: "310"}},
		"network timeout before the prompt": {"\r\n+CMS ERROR: 332\r\n", "", false, want{action: modem.Transient, text: "332", stays: true}},
		"500 before the prompt":             {"\r\n+CMS ERROR: 500\r\n", "", false, want{action: modem.Transient, text: "500", stays: true}},
		"ERROR before the prompt":           {refused, "", false, want{action: modem.Transient, text: "ERROR without a cause"}},
		"wrong length before the prompt":    {"\r\n+CMS ERROR: 304\r\n", "", false, want{action: modem.Permanent, text: "304", stays: true}},
		"no prompt":                         {silence, "", false, want{action: modem.ModemFault, text: "no prompt", took: 10 * time.Second}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.prompt = func(int) string { return test.prompt }
				p.sent = func(int) string {
					if test.hangUp {
						io.WriteString(p.line, test.sent)
						p.line.Close()
						return ""
					}
					return test.sent
				}
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				begun := time.Now()
				mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
				if took := time.Since(begun); took != test.want.took {
					t.Errorf("took %v, want %v", took, test.want.took)
				}
				if test.want.action == 0 {
					if err != nil || int(mr) != test.want.mr {
						t.Errorf("Submit = %d, %v; want %d", mr, err, test.want.mr)
					}
				} else {
					e := submitError(t, err)
					if e.Fault.Action != test.want.action || e.Submitted != test.want.submitted || !strings.Contains(e.Error(), test.want.text) {
						t.Errorf("Submit = %v, submitted %t: %q; want %+v", e.Fault.Action, e.Submitted, e, test.want)
					}
					if e.Fault.Result == "" {
						t.Error("no RESULT_ name")
					}
				}
				time.Sleep(5 * time.Second)
				ready(t, w)
				if stayed := p.sessions == 1; stayed != test.want.stays {
					t.Errorf("%d sessions, want the first to stay: %t", p.sessions, test.want.stays)
				}
			})
		})
	}
}

func TestSubmitSendTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.sent = func(n int) string {
			time.Sleep(135 * time.Second) // seen on a Quectel EG06
			return ok("+CMGS: 5")
		}
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		begun := time.Now()
		mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
		if took := time.Since(begun); err != nil || mr != 5 || took != 135*time.Second {
			t.Fatalf("Submit = %d, %v after %v", mr, err, took)
		}
	})
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.sent = func(n int) string { return silence }
		w := start(t, modem.Config{Open: p.open, SendTimeout: 20 * time.Second})
		ready(t, w)
		begun := time.Now()
		_, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
		if took := time.Since(begun); submitError(t, err).Fault.Action != modem.Ambiguous || took != 20*time.Second {
			t.Fatalf("%v after %v", err, took)
		}
	})
}

// A caller may give up before the PDU is handed over, and never afterwards.
func TestSubmitCancelled(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := w.Submit(ctx, segment(t, "x"), false, nil)
			if e := submitError(t, err); e.Submitted || !errors.Is(err, context.Canceled) || p.count("AT+CMGS") != 0 {
				t.Fatalf("%+v, dialogue %q", e, p.heard())
			}
		})
	})
	t.Run("while waiting for the prompt", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.prompt = func(n int) string {
				if n == 0 {
					time.Sleep(5 * time.Second)
				}
				return "\r\n> "
			}
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := w.Submit(ctx, segment(t, "x"), false, nil)
			if e := submitError(t, err); e.Submitted || e.Fault.Action != modem.Transient || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%+v", e)
			}
			if len(p.bodies()) != 0 {
				t.Fatalf("the PDU left: %q", p.bodies())
			}
			time.Sleep(2 * time.Second)
			ready(t, w)
			if mr, err := w.Submit(t.Context(), segment(t, "y"), false, nil); err != nil || mr != 251 {
				t.Fatalf("the next one: %d, %v", mr, err)
			}
			if got := p.bodies(); !slices.Equal(got, []string{segment(t, "y").Hex()}) {
				t.Fatalf("PDUs %q", got)
			}
		})
	})
	t.Run("after", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.sent = func(int) string { time.Sleep(30 * time.Second); return ok("+CMGS: 6") }
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if mr, err := w.Submit(ctx, segment(t, "x"), false, nil); err != nil || mr != 6 {
				t.Fatalf("Submit = %d, %v; want the answer that came later", mr, err)
			}
		})
	})
}

// Run's ctx ends while a message waits for its answer: it is waited for.
func TestStopFinishesTheMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.sent = func(int) string { time.Sleep(30 * time.Second); return ok("+CMGS: 6") }
		w := modem.New(modem.Config{SIM: 1, Open: p.open, Sink: &sink{}})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		ready(t, w)
		type result struct {
			mr  uint8
			err error
		}
		got, behind := make(chan result, 1), make(chan result, 1)
		go func() {
			mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
			got <- result{mr, err}
		}()
		synctest.Wait()
		begun := time.Now()
		go func() { // a second one waits its turn, and gets none
			mr, err := w.Submit(t.Context(), segment(t, "y"), false, nil)
			behind <- result{mr, err}
		}()
		synctest.Wait()
		stop()
		if err := <-ended; err != nil || time.Since(begun) != 30*time.Second {
			t.Fatalf("Run = %v after %v", err, time.Since(begun))
		}
		if r := <-got; r.err != nil || r.mr != 6 {
			t.Fatalf("the message in flight: %+v", r)
		}
		if e := submitError(t, (<-behind).err); e.Submitted || e.Fault.Action != modem.ModemFault {
			t.Fatalf("the one behind it: %+v", e)
		}
		if len(p.bodies()) != 1 {
			t.Fatalf("PDUs %q", p.bodies())
		}
		if st := w.Status(); st.State != modem.StateStopped {
			t.Fatalf("state %s", st.State)
		}
	})
}

// Without a PDU in flight Run ends at once, wherever the session stands.
func TestStopAtAnyTime(t *testing.T) {
	for _, cmd := range []string{"", "+CGMI", "+CPIN?", "+CNMI=?", "+CREG?", "+CSQ"} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer(cmd, silence)
			w := modem.New(modem.Config{SIM: 1, Open: p.open, Sink: &sink{}})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- w.Run(ctx) }()
			time.Sleep(500 * time.Millisecond)
			begun := time.Now()
			stop()
			if err := <-ended; err != nil || time.Since(begun) > time.Second {
				t.Errorf("stopped in AT%s: %v after %v", cmd, err, time.Since(begun))
			}
		})
	}
}

func TestSubmitNotReady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := modem.New(modem.Config{SIM: 1, Open: newPeer().open, Sink: &sink{}})
		_, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
		if e := submitError(t, err); e.Submitted || e.Fault.Action != modem.ModemFault || e.Fault.Result != "RESULT_RADIO_NOT_AVAILABLE" {
			t.Fatalf("before Run: %+v", e)
		}
		p := newPeer()
		p.answer("+CREG?", ok("+CREG: 1,2"))
		p.answer("+CGREG?", ok("+CGREG: 1,0"))
		w = start(t, modem.Config{Open: p.open})
		time.Sleep(time.Second)
		_, err = w.Submit(t.Context(), segment(t, "x"), false, nil)
		if e := submitError(t, err); e.Fault.Result != "RESULT_ERROR_NO_SERVICE" || p.count("AT+CMGS") != 0 {
			t.Fatalf("without network: %+v, dialogue %q", e, p.heard())
		}
		for _, seg := range []pdu.Segment{{}, {TPDU: make([]byte, 165)}} {
			_, err = w.Submit(t.Context(), seg, false, nil)
			if e := submitError(t, err); e.Fault.Action != modem.Permanent {
				t.Fatalf("%d octets: %+v", seg.Length(), e)
			}
		}
	})
}

// AT+CMMS=2 is asked for once, when a part waits, and left alone where it is refused.
func TestMoreMessagesToSend(t *testing.T) {
	for _, answer := range []string{ok(), refused, "\r\n+CMS ERROR: 303\r\n"} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("+CMMS=2", answer)
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			for i, more := range []bool{false, true, true, false, true} {
				if _, err := w.Submit(t.Context(), segment(t, "x"), more, nil); err != nil {
					t.Fatal(err)
				}
				if n, want := p.count("AT+CMMS=2"), min(i, 1); n != want {
					t.Fatalf("AT+CMMS=2 %d times after part %d, want %d", n, i, want)
				}
			}
			if p.sessions != 1 {
				t.Fatalf("%d sessions", p.sessions)
			}
		})
	}
}

// Submissions from many callers go one after the other.
func TestSubmitFromManyCallers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		seen := make(chan uint8, 100)
		for range 100 {
			go func() {
				mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
				if err != nil {
					t.Error(err)
				}
				seen <- mr
			}()
		}
		got := make(map[uint8]bool)
		for range 100 {
			got[<-seen] = true
		}
		if len(got) != 100 || len(p.bodies()) != 100 {
			t.Fatalf("%d references, %d PDUs, want 100 of each", len(got), len(p.bodies()))
		}
	})
}
