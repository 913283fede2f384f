package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
)

// TestSoak runs a gateway for as long as SOAK says, on three dongles of different makes, while clients
// send, people answer, and everything goes wrong that the virtual dongle knows. It is looked at from
// outside only: what the API says, what left by radio, what the process uses. In the end all that was
// accepted has one true end, and all that was sent in is in the inbox once.
//
// SOAK_SEED repeats the plan of an earlier run; how it meets the gateway is up to the machine.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if os.Getenv("SOAK") == "" {
		t.Skip("this takes minutes: make soak runs it")
	}
	if err != nil || length < 30*time.Second {
		t.Fatalf("SOAK=%s: want a time of 30s or more, such as 2m", os.Getenv("SOAK"))
	}
	s := newSoak(t, soakSeed(t), length)
	s.run()
	s.drain()
	s.audit()
	s.explain()
}

func soakSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("SOAK_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SOAK_SEED: %v", err)
		}
	}
	t.Logf("SOAK_SEED=%d", seed)
	return seed
}

// soak is a gateway with its surroundings.
type soak struct {
	t *testing.T
	site
	plan   []soakStep
	sticks []*soakStick
	ears   map[string]*ear
	began  time.Time
	// going are acts that go on beside the plan.
	going sync.WaitGroup

	// These belong to the goroutine of the test.
	played  []soakStep // at the time when it was
	letters []*letter
	notes   []*note
	calls   []called
	lives   []*soakLife
	// vendors is their key and receiver of callbacks.
	vendors       *vendorCrash
	vendorLetters []*vendorLetter
	said          []record // by all gateways; read when the last one has ended
	kills         []cut    // of the gateway, whatever the SIM
	// unset are the settings that the gateway began with.
	unset map[string]map[string]any

	// setting is held by one change of the settings after the other; it guards set.
	setting sync.Mutex
	set     map[[2]string]any

	mu     sync.Mutex
	g      *gateway
	heard  []heardReport
	cuts   []cut
	posted map[string]answer
	faults []complaint
	// accepting is how long that took where no restart came between.
	accepting []time.Duration
	exports   []exported
}

// soakStick is a dongle, whose place on the bus outlives its plug.
type soakStick struct {
	*virtual.Dongle
	virtual.Options
	sim  int
	link string
	// plugged counts how often it came back to the bus.
	plugged atomic.Int32
}

// heardReport is a status report that a dongle got from the network.
type heardReport struct {
	pdu.Report
	sim int
	at  time.Time
}

// cut is a time in which what passes between a dongle and the gateway may be lost.
type cut struct {
	sim      int
	from, to time.Time
}

// called is a call that the network put through.
type called struct {
	call
	at time.Time
}

// answer is what the API said to a letter.
type answer struct {
	at                  time.Time
	accepted, withdrawn bool
}

// complaint is what must not be, and the time around which to look for its cause.
type complaint struct {
	at   time.Time
	text string
}

func newSoak(t *testing.T, seed uint64, length time.Duration) *soak {
	t.Helper()
	s := &soak{t: t, plan: soakPlan(seed, length), posted: map[string]answer{}}
	dir := t.TempDir()
	var ports []string
	makes := (&planner{Rand: rand.New(rand.NewPCG(seed, 4))}).families()
	for i, o := range makes {
		d := &soakStick{sim: i + 1, link: filepath.Join(dir, fmt.Sprintf("tty%d", i+1))}
		t.Logf("SIM %d: %s", d.sim, describe(o))
		o.OnReport = func(r pdu.Report) { s.hear(heardReport{r, d.sim, time.Now()}) }
		d.Options, d.Dongle = o, virtual.New(o)
		s.serveStick(d)
		s.sticks, ports = append(s.sticks, d), append(ports, d.link)
	}
	s.site = newSite(t, ports, knownPassword,
		fmt.Sprintf("messages: {send_timeout: %v, unknown_after: %v}", sendTimeout, unknownAfter),
		fmt.Sprintf("encryption: {passphrase: %q}\nwebhooks: {signing_key: %q}", soakPassphrase, soakSigningKey),
		s.vendorSettings(seed))
	s.listenAll()
	return s
}

// serveStick gives d a pseudo-terminal; and another one after each time that it was off the bus.
func (s *soak) serveStick(d *soakStick) {
	ready := make(chan struct{})
	opened := sync.OnceFunc(func() { close(ready) })
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = d.ServePTY(s.t.Context(), d.link, func(string) {
			opened()
			d.plugged.Add(1)
			now := time.Now()
			s.cut(d.sim, now.Add(-longestCut), now)
		})
	}()
	s.t.Cleanup(func() {
		_ = d.Close()
		<-served
	})
	<-ready
}

// longestCut is longer than a dongle is off the bus at most.
const longestCut = 3*time.Second + 2*bootTime

func (s *soak) hear(r heardReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, r)
}

func (s *soak) cut(sim int, from, to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts = append(s.cuts, cut{sim, from, to})
}

// wasCut says whether the way to a SIM was cut around a time, which is the beginning of something that
// takes at most as long as given.
func (s *soak) wasCut(sim int, at time.Time, takes time.Duration) bool {
	const blur = time.Second // of two processes on a busy machine
	return slices.ContainsFunc(s.cuts, func(c cut) bool {
		return c.sim == sim && at.Before(c.to.Add(blur)) && at.Add(takes).After(c.from.Add(-blur))
	})
}

func (s *soak) wrong(at time.Time, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, complaint{at, fmt.Sprintf(format, args...)})
}

// after has f happen later. The soak does not end before.
func (s *soak) after(d time.Duration, f func()) {
	s.going.Go(func() {
		time.Sleep(d)
		f()
	})
}

// run plays the plan.
func (s *soak) run() {
	s.began = time.Now()
	s.start()
	s.unset = s.settings()
	s.registerAll()
	s.subscribeVendors()
	for _, step := range s.plan {
		time.Sleep(time.Until(s.began.Add(step.at)))
		s.played = append(s.played, soakStep{time.Since(s.began), step.act})
		step.act.play(s)
		if !s.g.running() {
			s.t.Fatalf("the gateway ended by itself, with status %d; the plan until then:\n%s",
				s.g.cmd.ProcessState.ExitCode(), s.planAround(time.Now()))
		}
	}
	s.endLife()
	s.going.Wait()
}

// start begins a life of the gateway.
func (s *soak) start() {
	s.vendors.ear.life(true)
	g := s.serve(s.t)
	s.mu.Lock()
	s.g = g
	s.mu.Unlock()
	s.lives = append(s.lives, s.watch(g))
}

func (s *soak) gateway() *gateway {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.g
}

func (s *soak) endLife() { s.lives[len(s.lives)-1].end() }

func (s *soak) restart(r restart) {
	from := time.Now()
	s.endLife()
	if r.kill {
		s.g.kill()
		s.kills = append(s.kills, cut{0, from, time.Now()})
	} else if status := s.g.terminate(s.t); status != 0 {
		s.wrong(from, "exit status %d after SIGTERM", status)
	}
	s.readLog(s.g)
	down := time.Now()
	time.Sleep(r.pause)
	s.start()
	for _, d := range s.sticks {
		if r.kill {
			s.cut(d.sim, from, time.Now())
		} else {
			s.cut(d.sim, down, time.Now())
		}
	}
}
