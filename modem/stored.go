package modem

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"dongled/pdu"
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

// putBack adds u without waking anybody.
func (l *storedReports) putBack(u urc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, u)
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

// fetchReports fetches one of them and leaves the rest for the next turn.
func (s *session) fetchReports() error {
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
