package scheduler_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// to is text for another number.
func to(number, s string) queue.Submission {
	sub := text(s)
	sub.Recipients = []string{number}
	return sub
}

const (
	german = "+4915112345678"
	french = "+33612345678"
	swiss  = "+41791234567"
)

func threeSIMs(t *testing.T) []*fakeSIM {
	return []*fakeSIM{newSIM(t, 1), newSIM(t, 2), newSIM(t, 3)}
}

// sentBy is what each SIM sent, in order.
func sentBy(sims []*fakeSIM) (out []string) {
	for _, f := range sims {
		out = append(out, strings.Join(f.texts(), " "))
	}
	return out
}

func TestRoutesChooseTheSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sims := threeSIMs(t)
		r := start(t, scheduler.Options{FIFO: true, Routes: []scheduler.Route{
			{Prefix: "+4915", SIMs: []int{3}}, {Prefix: "+49", SIMs: []int{2}}, {Prefix: "+41", SIMs: []int{3, 2}},
		}}, sims...)
		r.post(to(german, "german"))
		r.post(to("+493012345678", "berlin"))
		r.post(to(french, "french"))
		r.post(to(swiss, "swiss"))
		named := to(german, "named")
		named.SIM = 1
		r.post(named)
		synctest.Wait()
		if got, want := sentBy(sims), []string{"french named", "berlin", "german swiss"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

// One message may go over several SIMs, if its recipients do.
func TestRoutesByRecipient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sims := threeSIMs(t)
		r := start(t, scheduler.Options{Routes: []scheduler.Route{{Prefix: "+33", SIMs: []int{2}}, {Prefix: "+41", SIMs: []int{3}}}}, sims...)
		sub := text("a")
		sub.Recipients = []string{german, french, swiss, "+33698765432"}
		id := r.post(sub)
		synctest.Wait()
		var got []int
		for _, rcpt := range r.get(id).Recipients {
			got = append(got, rcpt.SIM)
		}
		if want := []int{1, 2, 3, 2}; !slices.Equal(got, want) {
			t.Errorf("sent by SIMs %v, want %v", got, want)
		}
	})
}

// By OSDefault the order of a route is preference, by RoundRobin each of its SIMs has its turn; the
// turns of a route are its own.
func TestRoutesAndSelection(t *testing.T) {
	tests := []struct {
		mode scheduler.Selection
		want []string
	}{
		{scheduler.OSDefault, []string{"a b c d", "", "A B C D"}},
		{scheduler.RoundRobin, []string{"a B d", "b D", "A c C"}},
	}
	for _, tt := range tests {
		t.Run(string(tt.mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sims := threeSIMs(t)
				r := start(t, scheduler.Options{
					Selection: tt.mode, FIFO: true, Routes: []scheduler.Route{{Prefix: "+33", SIMs: []int{3, 1, 2}}},
				}, sims...)
				if tt.mode == scheduler.RoundRobin {
					for _, sub := range []queue.Submission{
						to(german, "a"), to(german, "b"), to(french, "A"), to(french, "B"), to(german, "c"), to(german, "d"), to(french, "D"), to(french, "C"),
					} {
						r.post(sub)
						synctest.Wait()
					}
				} else {
					for _, s := range []string{"a", "b", "c", "d"} {
						r.post(to(german, s))
						r.post(to(french, strings.ToUpper(s)))
						synctest.Wait()
					}
				}
				if got := sentBy(sims); !slices.Equal(got, tt.want) {
					t.Errorf("sent %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// A route's messages wait for its SIMs, and go over another of them when the preferred one is away.
func TestRouteFailsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sims := threeSIMs(t)
		sims[1].status.State, sims[2].status.State = modem.StateLost, modem.StateLost
		r := start(t, scheduler.Options{Routes: []scheduler.Route{{Prefix: "+33", SIMs: []int{3, 2}}}}, sims...)
		id := r.post(to(french, "a"))
		time.Sleep(24 * time.Hour)
		r.expect(id, queue.Pending, "")
		sims[1].set(modem.StateReady)
		synctest.Wait()
		r.expect(id, queue.Sent, "")
		sims[2].set(modem.StateReady)
		r.post(to(french, "b"))
		synctest.Wait()
		if got, want := sentBy(sims), []string{"", "a", "b"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

// Routes may change from one start to the next; what waits follows them.
func TestRoutesChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sims := threeSIMs(t)
		sims[0].status.State = modem.StateLost
		r := start(t, scheduler.Options{Routes: []scheduler.Route{{Prefix: "+33", SIMs: []int{1}}, {Prefix: "+49", SIMs: []int{2, 3}}}}, sims...)
		id := r.post(to(french, "a"))
		synctest.Wait()
		r.opts.Routes = []scheduler.Route{{Prefix: "+336", SIMs: []int{3}}}
		r.restart()
		synctest.Wait()
		r.expect(id, queue.Sent, "")
		if got := r.get(id).Recipients[0].SIM; got != 3 {
			t.Errorf("sent by SIM %d", got)
		}
	})
}

func TestBadRoutesAreRefused(t *testing.T) {
	for want, routes := range map[string][]scheduler.Route{
		`routes[0]: prefix "" is not the beginning of a number, such as +49`:                      {{SIMs: []int{1}}},
		`routes[0]: prefix "0x49" is not the beginning of a number, such as +49`:                  {{Prefix: "0x49", SIMs: []int{1}}},
		`routes[0]: prefix +49 has no SIMs`:                                                       {{Prefix: "+49"}},
		`routes[1]: prefix +49 has a route already`:                                               {{Prefix: "+49", SIMs: []int{1}}, {Prefix: "+49", SIMs: []int{2}}},
		`routes[0]: prefix +49: SIM 256 is not a number from 1 to 255, or named twice`:            {{Prefix: "+49", SIMs: []int{1, 256}}},
		`routes[1]: prefix +: SIM 2 is not a number from 1 to 255, or named twice`:                {{Prefix: "*100#", SIMs: []int{1}}, {Prefix: "+", SIMs: []int{2, 1, 2}}},
		"routes[0]: prefix +49 has no SIMs\nroutes[1]: prefix +48 has no SIMs":                    {{Prefix: "+49"}, {Prefix: "+48"}},
		fmt.Sprintf("routes[0]: prefix %q is not the beginning of a number, such as +49", "49+1"): {{Prefix: "49+1", SIMs: []int{1}}},
	} {
		s, err := scheduler.Open(filepath.Join(t.TempDir(), "q.db"), scheduler.Options{Routes: routes})
		if err == nil || err.Error() != want {
			t.Errorf("routes %v: %v, want %s", routes, err, want)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}
