package modem

import (
	"slices"
	"time"
)

// reportRoad is the way on which a status report reached us.
type reportRoad uint8

const (
	// reportTold: it came as +CDS, or was told of by +CDSI or +CMTI.
	reportTold reportRoad = iota
	// reportFound: a sweep found it, other than the first one of the session, whose finds may be
	// older than the session.
	reportFound
)

// learnAfter is how many reports in a row have to be found untold before +CNMI is not believed.
const learnAfter = 3

// learned is what a dongle taught us about its reports. It outlives the sessions, and is
// forgotten when another kind of dongle takes the port.
type learned struct {
	// dongle is maker, model and revision.
	dongle string
	// taken is the setting of +CNMI that the dongle took last.
	taken cnmi
	// mute are the <ds> under which it stored reports and told nothing.
	mute []int
}

// order puts first what the dongle took last time, and last what turned out to be mute.
func (l *learned) order(st Status, list []cnmi) []cnmi {
	if dongle := st.Manufacturer + "\n" + st.Model + "\n" + st.Revision; dongle != l.dongle {
		*l = learned{dongle: dongle}
	}
	rank := func(c cnmi) int {
		switch {
		case slices.Contains(l.mute, c.ds):
			return 2
		case c == l.taken:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b cnmi) int { return rank(a) - rank(b) })
	return list
}

// reportCame notes how a report came. One that was found is noted from the goroutine of Run only.
// Where reports keep being found that +CNMI should have brought, another <ds> is tried.
func (s *session) reportCame(road reportRoad) {
	if road == reportTold {
		s.untold.Store(0)
		return
	}
	if s.untold.Add(1) != learnAfter || slices.Contains(s.w.learned.mute, s.ds) {
		return
	}
	s.w.learned.mute = append(s.w.learned.mute, s.ds)
	s.log.Warn("the modem stores status reports without telling; its memories are looked through more often", "ds", s.ds)
	s.checks = append(s.checks, s.askForReports)
}

const (
	sweepRarely = time.Hour
	sweepOften  = 2 * time.Minute
)

// sweepEvery is how often the memories are worth a look: often, if the dongle is known not to tell of
// what it stores.
func (s *session) sweepEvery() time.Duration {
	if s.ds == 0 || slices.Contains(s.w.learned.mute, s.ds) {
		return sweepOften
	}
	return sweepRarely
}
