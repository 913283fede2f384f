package modem

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"dongled/pdu"

	"github.com/warthog618/modem/info"
)

// storedReports are the reports that the dongle told of by +CDSI: <mem>,<index> and that still
// have to be fetched, oldest first.
type storedReports struct {
	wake chan struct{}
	mu   sync.Mutex
	list []urc
}

func newStoredReports() *storedReports { return &storedReports{wake: make(chan struct{}, 1)} }

func (l *storedReports) add(u urc) {
	l.putBack(u)
	signal(l.wake)
}

// putBack adds u, once, without waking anybody.
func (l *storedReports) putBack(u urc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.list, u) {
		l.list = append(l.list, u)
	}
}

func (l *storedReports) take() (u urc, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == 0 {
		return urc{}, false
	}
	u = l.list[0]
	l.list = slices.Delete(l.list, 0, 1)
	return u, true
}

// sweep notes the reports in SR of which no session heard, or one that ended before it fetched them.
// Left there they would be lost, and in the end fill the memory, so that no more come.
func (s *session) sweep() error {
	const list = "+CMGL=4" // all of them (TS 27.005 section 4.1)
	if s.w.muted(list) {
		return nil
	}
	if err := s.do(`+CPMS="SR"`); err != nil {
		return unlessRefused(err)
	}
	lines, err := s.command(list, want{prefix: "+CMGL", bare: barePDU}, commandTimeout)
	s.w.noteSilence(list, err)
	for _, line := range lines {
		if !info.HasPrefix(line, "+CMGL") {
			continue // the PDU
		}
		if index, err := strconv.Atoi(field(info.TrimPrefix(line, "+CMGL"), 0)); err == nil {
			s.stored.add(urc{kind: urcStored, text: "SR", index: index})
		}
	}
	return unlessRefused(err)
}

// fetchReports fetches one of them and leaves the rest for the next turn.
func (s *session) fetchReports() error {
	if s.unswept {
		s.unswept = false
		signal(s.stored.wake)
		return s.sweep()
	}
	u, ok := s.stored.take()
	if !ok {
		return nil
	}
	found, err := s.fetchReport(u)
	switch {
	case err != nil:
		return err
	case found == (pdu.Report{}):
		s.log.Warn("no status report where the modem said", "memory", u.text, "index", u.index)
	default:
		if err := s.offerOnce(found); err != nil {
			s.log.Warn("a status report is not stored yet", "mr", found.MR, "error", err)
			s.stored.putBack(u) // until the line is idle again
			return nil
		}
		if err := s.try("+CMGD=" + strconv.Itoa(u.index)); err != nil {
			return err
		}
	}
	signal(s.stored.wake)
	return nil
}

// fetchReport looks where the dongle said, and elsewhere: some store in SR but tell of SM. The
// memory in which the report was found stays chosen. What is not a report is left alone.
func (s *session) fetchReport(u urc) (pdu.Report, error) {
	memories := []string{u.text, "SR", "SM", "ME"}
	for i, memory := range memories {
		if slices.Contains(memories[:i], memory) || strings.Trim(memory, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			continue
		}
		if err := s.do(`+CPMS="` + memory + `"`); err != nil {
			if err := unlessRefused(err); err != nil {
				return pdu.Report{}, err
			}
			continue
		}
		r, err := s.readReport(u.index)
		if err != nil || r != (pdu.Report{}) {
			return r, err
		}
	}
	return pdu.Report{}, nil
}

// readReport reads one place of the chosen memory; the result is zero if no report is there.
func (s *session) readReport(index int) (pdu.Report, error) {
	lines, err := s.command("+CMGR="+strconv.Itoa(index), want{prefix: "+CMGR", bare: barePDU}, commandTimeout)
	if err != nil || len(lines) < 2 {
		return pdu.Report{}, unlessRefused(err)
	}
	raw, err := pdu.DecodeHex(lines[1])
	if err != nil {
		return pdu.Report{}, nil
	}
	r, err := pdu.DecodeReport(raw)
	if err != nil {
		return pdu.Report{}, nil
	}
	return r, nil
}
