package modem_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/pdu"
)

// peerOrigin is the origin of what comes in on newPeer.
func peerOrigin(sim int) modem.Origin {
	return modem.Origin{
		SIM: sim, IMSI: "262011234567890", ICCID: "8949020000012345678",
		IMEI: "861234567890123", Number: "+491701234567",
	}
}

func TestReport(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		w := start(t, modem.Config{SIM: 2, Open: p.open, Sink: s})
		ready(t, w)
		p.urc(cds(214))
		synctest.Wait()
		if len(s.reports) != 1 {
			t.Fatalf("%d reports", len(s.reports))
		}
		r := s.reports[0]
		if r.MR != 214 || r.Recipient != "+31628870634" || r.Status != 0 {
			t.Errorf("report %+v", r)
		}
		if want := peerOrigin(2); s.origins[0] != want {
			t.Errorf("origin %+v, want %+v", s.origins[0], want)
		}
		// One that cannot be read, and one of another type, harm nobody.
		p.urc("\r\n+CDS: 25\r\n" + strings.Repeat("FF", 26) + "\r\n")
		p.urc("\r\n+CDS: 25\r\n00040B911326880736F400001110117195514003D4F29C0E00000000\r\n")
		p.urc(cds(3))
		synctest.Wait()
		if got := s.references(); !slices.Equal(got, []int{214, 3}) {
			t.Errorf("references %v", got)
		}
	})
}

// A report comes before the answer to its own message, and is stored while that is still open.
func TestReportDuringTheDialogue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.sent = func(int) string {
			p.urc(cds(7))
			time.Sleep(60 * time.Second)
			return ok("+CMGS: 7")
		}
		s := &sink{store: func(pdu.Report) error { time.Sleep(time.Second); return nil }}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		done := make(chan struct{})
		begun := time.Now()
		go func() {
			defer close(done)
			if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 7 {
				t.Errorf("Submit = %d, %v", mr, err)
			}
			if took := time.Since(begun); took != 60*time.Second {
				t.Errorf("took %v", took)
			}
		}()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := s.references(); !slices.Equal(got, []int{7}) {
			t.Errorf("reports before +CMGS: %v", got)
		}
		<-done
	})
}

// A store that fails is offered the report again; order is kept.
func TestReportIsOfferedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var failures atomic.Int32
		s := &sink{store: func(r pdu.Report) error {
			if r.MR == 1 && failures.Add(1) <= 3 {
				return errors.New("disk full")
			}
			return nil
		}}
		p := newPeer()
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		p.urc(cds(1) + cds(2))
		time.Sleep(time.Minute)
		if got := s.references(); !slices.Equal(got, []int{1, 2}) {
			t.Fatalf("reports %v after %d failures", got, failures.Load())
		}
	})
}

// What has come when the session ends is still stored, by a store that is slow, before the next
// session begins.
func TestReportsAreDrained(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &sink{store: func(pdu.Report) error { time.Sleep(100 * time.Millisecond); return nil }}
		p := newPeer()
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		for i := range 20 {
			p.urc(cds(i))
		}
		p.hangUp(nil)
		time.Sleep(5 * time.Second)
		ready(t, w)
		if got := s.references(); len(got) != 20 || got[19] != 19 {
			t.Fatalf("reports %v", got)
		}
		if p.sessions != 2 {
			t.Fatalf("%d sessions", p.sessions)
		}
	})
}

// A report of a former life may come before we know whose SIM it is; it waits for that.
func TestReportDuringBringUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		p.answer("+CGMI", cds(9)+ok("huawei"))
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		synctest.Wait()
		if got := s.references(); !slices.Equal(got, []int{9}) || s.origins[0].IMSI != "262011234567890" {
			t.Fatalf("reports %v from %v", got, s.origins)
		}
	})
	bubble(t, func(t *testing.T) { // and is not lost if we never do
		p, s := newPeer(), &sink{}
		p.answer("+CGMI", cds(9)+ok("huawei"))
		p.answer("+CPIN?", "\r\n+CME ERROR: 10\r\n")
		start(t, modem.Config{Open: p.open, Sink: s})
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if got := s.references(); !slices.Equal(got, []int{9}) || s.origins[0].IMSI != "" {
			t.Fatalf("reports %v from %v", got, s.origins)
		}
	})
	for iccid, want := range map[string]string{ // or that of the SIM which was there before
		"8949020000012345678F": "262011234567890",
		"8949020000087654321F": "",
	} {
		bubble(t, func(t *testing.T) {
			p, s := newPeer(), &sink{}
			w := start(t, modem.Config{Open: p.open, Sink: s})
			ready(t, w)
			p.answer("+CGMI", cds(9)+ok("huawei"))
			p.answer("+CCID", ok("+CCID: "+iccid))
			p.answer("+CPIN?", "\r\n+CME ERROR: 10\r\n")
			p.hangUp(nil)
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
			if got := s.references(); !slices.Equal(got, []int{9}) || s.origins[0].IMSI != want {
				t.Fatalf("SIM %s: reports %v from %v, want %q", iccid, got, s.origins, want)
			}
		})
	}
}

// Where reports come only under AT+CSMS=1 each is acknowledged, after it is stored.
func TestReportIsAcknowledged(t *testing.T) {
	ackPeer := func() *peer {
		p := newPeer()
		p.answer("+CGMI", ok("another maker")) // +CNMA is nothing for Huawei's
		delete(p.answers, "+CNMI=2,1,0,1,0")
		p.answer("+CSMS=1", ok("+CSMS: 1,1,1"))
		return p
	}
	t.Run("after it is stored", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := ackPeer()
			failed := false
			s := &sink{}
			s.store = func(pdu.Report) error {
				if p.count("AT+CNMA") != 0 {
					t.Error("acknowledged before it was stored")
				}
				if !failed {
					failed = true
					return errors.New("disk full")
				}
				return nil
			}
			w := acknowledging(t, p, s)
			if !w.Status().Reports {
				t.Fatalf("no reports: %q", p.heard())
			}
			p.urc(cds(1))
			time.Sleep(500 * time.Millisecond)
			if p.count("AT+CNMA") != 0 {
				t.Fatal("acknowledged though it is not stored")
			}
			time.Sleep(5 * time.Second)
			if got := s.references(); !slices.Equal(got, []int{1}) || p.count("AT+CNMA") != 1 {
				t.Fatalf("reports %v, %d times AT+CNMA", got, p.count("AT+CNMA"))
			}
		})
	})
	t.Run("after the dialogue", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := ackPeer()
			p.sent = func(int) string {
				p.urc(cds(1))
				time.Sleep(10 * time.Second)
				return ok("+CMGS: 1")
			}
			w := acknowledging(t, p, &sink{})
			if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			heard := p.heard()
			if heard[len(heard)-1] != "AT+CNMA" || p.count("AT+CNMA") != 1 {
				t.Fatalf("dialogue ends %q", heard[len(heard)-3:])
			}
		})
	})
	t.Run("refused", func(t *testing.T) {
		for answer, asked := range map[string]bool{"\r\n+CMS ERROR: 340\r\n": false, "\r\n+CMS ERROR: 500\r\n": true} {
			bubble(t, func(t *testing.T) {
				p := ackPeer()
				p.answer("+CNMA", answer)
				acknowledging(t, p, &sink{})
				before := p.count("AT+CNMI=")
				p.urc(cds(1))
				synctest.Wait()
				if again := p.count("AT+CNMI=") > before; again != asked || p.sessions != 1 {
					t.Errorf("after %q reports are asked for again: %t", answer, again)
				}
			})
		}
	})
	t.Run("not under AT+CSMS=0", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			p.urc(cds(1))
			synctest.Wait()
			if n := p.count("AT+CNMA"); n != 0 {
				t.Fatalf("%d times AT+CNMA", n)
			}
		})
	})
}

// acknowledging starts a Worker on a dongle that gives reports under AT+CSMS=1 alone.
func acknowledging(t *testing.T, p *peer, s *sink) *modem.Worker {
	t.Helper()
	p.answer("+CSMS=1", silence)
	w := start(t, modem.Config{Open: p.open, Sink: s})
	settle(time.Second)
	p.answer("+CNMI=2,1,0,1,0", ok())
	p.urc(ok())
	ready(t, w)
	return w
}

// Reports that are stored and told of by +CDSI are fetched, wherever they are. A message that turns up
// in looking for them is received; nothing else is deleted.
func TestStoredReport(t *testing.T) {
	report := func(mr int) string { return ok("+CMGR: 0,,25\r\n" + statusReport(mr)) }
	const message = "+CMGR: 0,,23\r\n00040B911326880736F400001110117195514003D4F29C0E"
	tests := map[string]struct {
		urc     string
		answers map[string]string // of +CMGR, by memory
		reports []int
		heard   []string
	}{
		"where it says": {
			"\r\n+CDSI: \"SR\",0\r\n", map[string]string{"SR": report(5)}, []int{5},
			[]string{`AT+CPMS="SR"`, "AT+CMGR=0", "AT+CMGD=0"},
		},
		"elsewhere": {
			"\r\n+CDSI: \"SM\",3\r\n", map[string]string{"SM": ok(message), "SR": report(6)}, []int{6},
			[]string{
				`AT+CPMS="SM"`, "AT+CMGR=3", `AT+CPMS="SR"`, "AT+CMGR=3",
				`AT+CPMS="SM"`, "AT+CMGD=3", `AT+CPMS="SR"`, "AT+CMGD=3",
			},
		},
		"nowhere": {
			"\r\n+CDSI: \"SR\",3\r\n", map[string]string{"SR": ok(), "SM": ok(message), "ME": refused}, nil,
			[]string{
				`AT+CPMS="SR"`, "AT+CMGR=3", `AT+CPMS="SM"`, "AT+CMGR=3", `AT+CPMS="ME"`, "AT+CMGR=3",
				`AT+CPMS="SM"`, "AT+CMGD=3",
			},
		},
		"nonsense": {
			"\r\n+CDSI: \"SR\"\",-1\r\n", nil, nil, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, s := newPeer(), &sink{}
				w := start(t, modem.Config{Open: p.open, Sink: s})
				ready(t, w)
				before := len(p.heard())
				for memory := range test.answers {
					p.answer(`+CPMS="`+memory+`"`, ok("+CPMS: 1,10,1,10,1,10"))
				}
				p.answer("+CMGD=0", ok())
				p.answer("+CMGD=3", ok())
				p.byMemory(test.answers)
				p.urc(test.urc)
				synctest.Wait()
				if got := s.references(); !slices.Equal(got, test.reports) {
					t.Errorf("reports %v, want %v", got, test.reports)
				}
				if got := s.texts(); (len(got) == 1) != (test.answers["SM"] == ok(message)) {
					t.Errorf("messages %q", got)
				}
				if got := p.heard()[before:]; !slices.Equal(got, test.heard) {
					t.Errorf("dialogue %q, want %q", got, test.heard)
				}
			})
		})
	}
}

// A stored report stays in the dongle until it is in our store.
func TestStoredReportWaitsForTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		var full atomic.Bool
		full.Store(true)
		s := &sink{store: func(pdu.Report) error {
			if full.Load() {
				return errors.New("disk full")
			}
			return nil
		}}
		p.answer("+CMGR=1", ok("+CMGR: 0,,25\r\n"+statusReport(5)))
		p.answer("+CMGD=1", ok())
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		p.answer(`+CPMS="SR"`, ok("+CPMS: 1,10,1,10,1,10"))
		p.urc("\r\n+CDSI: \"SR\",1\r\n")
		synctest.Wait()
		if p.count("AT+CMGD") != 0 || p.count("AT+CMGR") != 1 {
			t.Fatalf("dialogue %q", p.heard())
		}
		full.Store(false)
		time.Sleep(31 * time.Second)
		if got := s.references(); !slices.Equal(got, []int{5}) || p.count("AT+CMGD=1") != 1 {
			t.Fatalf("reports %v, dialogue %q", got, p.heard())
		}
	})
}
