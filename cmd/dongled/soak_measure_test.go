package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// What a process may use more of in the last third of a life than in the first, in the median.
const (
	// moreFDs and moreGoroutines: the connections that webhooks share at one time, of which each receiver
	// that is up holds some, and the goroutines of those; and of a session that is up without a network.
	moreFDs        = 12
	moreGoroutines = 8 + 2*moreFDs
	// The heap breathes by what the collector leaves between two runs. What the store grew by comes on
	// top, since the store is mapped.
	moreRSSPercent = 15
	moreRSS        = 4 << 10 // KiB
)

// sample is what the process used at a quiet moment, with so many dongles ready.
type sample struct {
	at                                 time.Duration // since the start of the life
	rss, store, fds, goroutines, ready int           // the first two in KiB
}

// soakLife is one life of the gateway, measured from outside.
type soakLife struct {
	number  int
	length  time.Duration
	samples []sample
	end     func() // ends the measuring; it may be called again
}

// watch samples g until the life is ended.
func (s *soak) watch(g *gateway) *soakLife {
	l := &soakLife{number: len(s.lives) + 1}
	stop, stopped, began := make(chan struct{}), make(chan struct{}), time.Now()
	l.end = sync.OnceFunc(func() {
		close(stop)
		<-stopped
	})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				l.length = time.Since(began)
				return
			case <-tick.C:
			}
			if time.Since(s.began)%beat < busy+200*time.Millisecond {
				continue
			}
			if m, ok := s.measure(g); ok {
				m.at = time.Since(began)
				l.samples = append(l.samples, m)
			}
		}
	}()
	return l
}

// measure reads /proc and the API; ok is false when the process is gone.
func (s *soak) measure(g *gateway) (m sample, ok bool) {
	checks := g.checks("/health")
	for sim := range soakSIMs {
		m.ready += checks[fmt.Sprintf("modem:%d:status", sim+1)].ObservedValue
	}
	m.goroutines = g.checks("/health/live")["system:goroutines"].ObservedValue
	proc := fmt.Sprintf("/proc/%d", g.cmd.Process.Pid)
	status, err := os.ReadFile(proc + "/status")
	_, rss, found := strings.Cut(string(status), "VmRSS:")
	if err != nil || !found { // it ended
		return m, false
	}
	if _, err := fmt.Sscan(rss, &m.rss); err != nil {
		s.wrong(time.Now(), "VmRSS: %v", err)
	}
	fds, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return m, false
	}
	if info, err := os.Stat(s.store); err == nil {
		m.store = int(info.Size() >> 10)
	}
	m.fds = len(fds)
	return m, m.goroutines > 0
}

type healthCheck struct {
	Status        string
	ObservedValue int
}

// checks are what a health page shows, nothing if it does not answer.
func (g *gateway) checks(path string) map[string]healthCheck {
	_, answer, err := g.try("GET", path, "")
	var page struct{ Checks map[string]healthCheck }
	if err != nil || json.Unmarshal(answer, &page) != nil {
		return nil
	}
	return page.Checks
}

// The least that is judged: a life of that length, with that many samples after its first quarter,
// in which it warms up.
const (
	leastLife    = 20 * time.Second
	leastSamples = 9
)

// alike are the samples after the warm-up with the same number of dongles ready: the number that was
// seen over the longest time.
func (l *soakLife) alike() (found []sample) {
	for ready := range soakSIMs + 1 {
		some := slices.DeleteFunc(slices.Clone(l.samples), func(m sample) bool { return m.at < l.length/4 || m.ready != ready })
		if len(some) >= leastSamples && (found == nil || span(some) >= span(found)) {
			found = some
		}
	}
	return found
}

func span(of []sample) time.Duration { return of[len(of)-1].at - of[0].at }

// checkFlat judges every life that is long enough, of which there is one at least.
func (s *soak) checkFlat() {
	judged := 0
	for _, l := range s.lives {
		warm := l.alike()
		if l.length < leastLife || len(warm) < leastSamples {
			continue
		}
		judged++
		third := len(warm) / 3
		first, last := warm[:third], warm[len(warm)-third:]
		s.t.Logf("life %d of %v, %d samples with %d dongles ready; medians of the first and the last third: %s, %s",
			l.number, l.length.Round(time.Second), len(warm), warm[0].ready, medians(first), medians(last))
		grown := median(last, storeOf) - median(first, storeOf)
		s.checkGrowth(l, "goroutines", median(first, goroutinesOf), median(last, goroutinesOf), moreGoroutines)
		s.checkGrowth(l, "file descriptors", median(first, fdsOf), median(last, fdsOf), moreFDs)
		s.checkGrowth(l, "KiB of VmRSS", median(first, rssOf), median(last, rssOf),
			moreRSS+grown+median(first, rssOf)*moreRSSPercent/100)
	}
	if judged == 0 {
		s.wrong(time.Now(), "no life of %d was long enough to be measured", len(s.lives))
	}
}

func (s *soak) checkGrowth(l *soakLife, what string, first, last, most int) {
	if last > first+most {
		s.wrong(time.Now(), "life %d: %s grew from %d to %d, by more than %d; samples: %+v", l.number, what, first, last, most, l.samples)
	}
}

func rssOf(m sample) int        { return m.rss }
func storeOf(m sample) int      { return m.store }
func fdsOf(m sample) int        { return m.fds }
func goroutinesOf(m sample) int { return m.goroutines }

func median(of []sample, field func(sample) int) int {
	values := make([]int, len(of))
	for i, m := range of {
		values[i] = field(m)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func medians(of []sample) string {
	return fmt.Sprintf("%d KiB (store %d), %d goroutines, %d fds",
		median(of, rssOf), median(of, storeOf), median(of, goroutinesOf), median(of, fdsOf))
}
