package modem_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
)

// A letter that the store never takes keeps no other from it.
func TestOneThatIsNeverTaken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		s.keep = func(m modem.Incoming) error {
			if m.Deliver.Text == "b" {
				return errors.New("not this one")
			}
			return nil
		}
		sh := onShelf(p, map[string]map[int]string{"SM": {1: inbox("a"), 2: inbox("b"), 3: inbox("c"), 4: inbox("d")}})
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		time.Sleep(time.Hour)
		if got := s.texts(); !slices.Equal(got, []string{"a", "c", "d"}) || sh.left() != "SM2" {
			t.Errorf("messages %q, left %q", got, sh.left())
		}
	})
}

// A storm of places is bounded, and then answered by one search.
func TestStormOfPlaces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		onShelf(p, map[string]map[int]string{"SM": {}})
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		synctest.Wait()
		p.sent = func(n int) string {
			for i := range 5000 {
				p.urc(fmt.Sprintf("\r\n+CMTI: \"SM\",%d\r\n", i))
			}
			return ok("+CMGS: 1")
		}
		before := p.count("AT+CMGR")
		if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		// As many wait in the queue of URCs as are noted; all others are answered by the search.
		if n := p.count("AT+CMGR") - before; n < 1024 || n > 2*1024 || p.sessions != 1 {
			t.Errorf("%d places read in %d sessions", n, p.sessions)
		}
	})
}

// What nobody tells of is found by looking: soon, if the counters show it, else within the hour.
func TestUntoldMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, s := dongle(t, virtual.Options{}), &sink{}
		w := start(t, modem.Config{Open: d.Open, Sink: s})
		ready(t, w)
		settle(time.Minute)
		d.AddFaults(virtual.Fault{On: "CMGD", Do: virtual.CMS, Code: 500, Count: 1})
		deliver(t, d, "a") // is stored, and stays on the stick once
		settle(time.Minute)
		if got := s.texts(); !slices.Equal(got, []string{"a"}) || w.Status().Storage[0].Used != 1 {
			t.Fatalf("messages %q, storage %+v", got, w.Status().Storage)
		}
		settle(30 * time.Minute)
		if got := s.texts(); len(got) != 1 {
			t.Errorf("what is stuck is offered again before its time: %q", got)
		}
		settle(time.Hour)
		if got := s.texts(); !slices.Equal(got, []string{"a", "a"}) || w.Status().Storage[0].Used != 0 {
			t.Errorf("messages %q, storage %+v", got, w.Status().Storage)
		}
	})
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		sh := onShelf(p, map[string]map[int]string{"ME": {}, "SM": {}})
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		synctest.Wait()
		sh.put("SM", 1, inbox("a"))
		p.answer("+CPMS?", ok(`+CPMS: "SM",1,10,"SM",1,10,"SM",1,10`))
		settle(90 * time.Second)
		if got := s.texts(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("messages %q after the counter went up", got)
		}
		lists := p.count("AT+CMGL") // which the counter, that stays up for nothing, does not repeat for ever
		settle(10 * time.Minute)
		if n := p.count("AT+CMGL") - lists; n > 2 {
			t.Errorf("listed %d times more", n)
		}
		sh.put("ME", 1, inbox("b")) // of which +CPMS? says nothing
		settle(20 * time.Minute)
		if got := s.texts(); len(got) != 1 {
			t.Errorf("messages %q", got)
		}
		settle(31 * time.Minute)
		if got := s.texts(); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("messages %q after an hour", got)
		}
	})
}

// Sweep looks at once, however often it is asked; without a session there is nothing to be asked.
func TestSweepWhenAsked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, s := dongle(t, virtual.Options{}), &sink{}
		w := start(t, modem.Config{Open: d.Open, Sink: s})
		w.Sweep()
		ready(t, w)
		settle(time.Minute)
		d.AddFaults(virtual.Fault{On: "CMGD", Do: virtual.CMS, Code: 500, Count: 1})
		deliver(t, d, "a") // is stored, and stays on the stick once
		settle(time.Minute)
		for range 3 {
			w.Sweep()
		}
		settle(time.Second)
		if got := s.texts(); !slices.Equal(got, []string{"a", "a"}) || len(d.Stored("SM"))+len(d.Stored("ME")) != 0 {
			t.Errorf("messages %q", got)
		}
		d.Unplug()
		settle(time.Second)
		w.Sweep()
	})
}

// A place that is told of again before it was emptied may hold another message.
func TestPlaceIsTakenAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		sh := onShelf(p, map[string]map[int]string{"SM": {}})
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		synctest.Wait()
		s.keep = func(m modem.Incoming) error {
			if m.Deliver.Text == "a" {
				sh.put("SM", 1, inbox("b"))
				p.urc("\r\n+CMTI: \"SM\",1\r\n")
				time.Sleep(time.Second)
			}
			return nil
		}
		sh.put("SM", 1, inbox("a"))
		p.urc("\r\n+CMTI: \"SM\",1\r\n")
		settle(10 * time.Second)
		if got := s.texts(); !slices.Equal(got, []string{"a", "b"}) || p.count("AT+CMGD=1") != 1 || sh.left() != "" {
			t.Errorf("messages %q, left %q, dialogue %q", got, sh.left(), p.heard())
		}
	})
}

// The memories of an earlier life are not taken for the dongle's own choice, and what cannot be
// restored is not tried for ever.
func TestMemoriesAreRestored(t *testing.T) {
	tests := map[string]struct {
		chosen, restored string
		refuse           bool
	}{
		"as they were":        {`"SM",0,10,"SM",0,10,"SM",0,10`, `"SM","SM","SM"`, false},
		"received in ME":      {`"SM",0,10,"SM",0,10,"ME",0,10`, `"ME","SM","ME"`, false},
		"left at SR":          {`"SR",0,10,"SM",0,10,"SM",0,10`, `"SM","SM","SM"`, false},
		"all moved to SR":     {`"SR",0,10,"SR",0,10,"SR",0,10`, `"SM","SM","SM"`, false},
		"two, as Wavecom's":   {`"SM",0,10,"SM",0,10`, `"SM","SM"`, false},
		"preferred, SIMCom's": {`"SM_P",0,10,"SM_P",0,10,"SM_P",0,10`, `"SM_P","SM_P","SM_P"`, false},
		"refused":             {`"SM",0,10,"SM",0,10,"ME",0,10`, `"ME","SM","ME"`, true},
		"two sets of fields":  {`"ME",0,10, "ME" ,0,10,"ME", 0 ,10`, `"ME","ME","ME"`, false},
		"nothing to be known": {`0,10,0,10`, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.answer("+CPMS=?", ok(`+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")`))
				p.answer("+CPMS?", ok("+CPMS: "+test.chosen))
				for _, memory := range []string{"SM", "ME", "SR"} {
					p.answer(`+CPMS="`+memory+`"`, ok("+CPMS: 0,10,0,10,0,10"))
				}
				if !test.refuse {
					p.answer("+CPMS="+test.restored, ok("+CPMS: 0,10,0,10,0,10"))
				}
				p.answer("+CMGL=4", ok())
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				synctest.Wait()
				heard := p.heard()
				if last := heard[len(heard)-1]; last != "AT+CPMS="+test.restored && test.restored != "" {
					t.Errorf("the last word is %q, want %s", last, test.restored)
				}
				time.Sleep(50 * time.Minute)
				want := 1
				if test.restored == "" {
					want = 0
				}
				if n := p.count("AT+CPMS=" + test.restored); n != want && test.restored != "" {
					t.Errorf("chosen again %d times", n)
				}
				if got := w.Status().Storage; test.restored != "" && got[0].Total != 10 {
					t.Errorf("storage %+v", got)
				}
			})
		})
	}
}

// The number of a place and the name of a memory are the dongle's, and must not reach a command as
// anything else.
func TestToldNonsense(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		time.Sleep(time.Minute)
		before := len(p.heard())
		for _, urc := range []string{
			"+CMTI: \"SM\"\",\"ME\",1", "+CMTI: \"\",1", "+CMTI: \"sm;+CFUN=0\",1", "+CDSI: \"SR\",1;+CFUN=0", "+CMTI: ,", "+CDSI:",
		} {
			p.urc("\r\n" + urc + "\r\n")
		}
		synctest.Wait()
		for _, line := range p.heard()[before:] {
			if strings.Contains(line, ";") || strings.Contains(line, "CFUN") || strings.Contains(line, `""`) {
				t.Errorf("said %q", line)
			}
		}
	})
}

// Between any two lines of a list, a URC changes nothing.
func TestURCsWithinAList(t *testing.T) {
	urcs := map[string]string{
		"signal": "^RSSI: 18", "report": strings.Trim(cds(7), "\r\n"), "message": strings.Trim(cmt(hello), "\r\n"),
		"another stored": "+CMTI: \"SM\",9", "USSD": "+CUSD: 0,\"a\r\nOK\r\nb\",15", "call": "RING", "word": "Call Ready",
	}
	list := []string{"", "+CMGL: 1,0,,20", oneCharacter("a"), "+CMGL: 2,0,,20", oneCharacter("b"), "OK", ""}
	for name, urc := range urcs {
		for at := 1; at < len(list); at++ {
			t.Run(fmt.Sprint(name, " before line ", at), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					p, s := newPeer(), &sink{}
					onShelf(p, map[string]map[int]string{"SM": {1: inbox("a"), 2: inbox("b")}})
					p.answer("+CMGL=4", strings.Join(slices.Insert(slices.Clone(list), at, urc), "\r\n"))
					w := start(t, modem.Config{Open: p.open, Sink: s})
					ready(t, w)
					synctest.Wait()
					got := slices.DeleteFunc(s.texts(), func(text string) bool { return text == "hello" })
					if !slices.Equal(got, []string{"a", "b"}) || p.sessions != 1 {
						t.Errorf("messages %q in %d sessions", s.texts(), p.sessions)
					}
				})
			})
		}
	}
}

// Reports by all roads of the simulated families, with messages among them.
func TestFamiliesReceive(t *testing.T) {
	for _, family := range virtual.Families() {
		t.Run(family, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				opts, known := virtual.Family(family)
				if !known {
					t.Fatal("no such family")
				}
				opts.Slots = 10
				d, s := dongle(t, opts), &sink{}
				w := start(t, modem.Config{Open: d.Open, Sink: s})
				ready(t, w)
				var want []string
				for i := range 25 {
					if _, err := w.Submit(t.Context(), segment(t, fmt.Sprint(i)), false, nil); err != nil {
						var e *modem.SubmitError
						if errors.As(err, &e) && e.Fault.Action == modem.Ambiguous {
							t.Fatalf("Submit: %v", err)
						}
						settle(30 * time.Second)
						ready(t, w)
					}
					want = append(want, fmt.Sprint(i))
					deliver(t, d, want[i])
					settle(10 * time.Second)
				}
				settle(20 * time.Minute)
				got := make(map[string]bool)
				for _, text := range s.texts() {
					got[text] = true
				}
				if len(got) != 25 {
					t.Errorf("%d of 25 messages: %q", len(got), s.texts())
				}
				reported := make(map[int]bool)
				for _, mr := range s.references() {
					reported[mr] = true
				}
				if len(reported) != len(d.Submissions()) {
					t.Errorf("%d reports on %d submissions", len(reported), len(d.Submissions()))
				}
				for _, m := range w.Status().Storage {
					if m.Used != 0 {
						t.Errorf("storage %+v", w.Status().Storage)
					}
				}
			})
		})
	}
}
