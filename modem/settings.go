package modem

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settingsEvery is how often the settings are verified on which messages depend.
const settingsEvery = 15 * time.Minute

var errTextMode = errors.New("the modem left PDU mode")

// leftPDUMode ends the session: whatever took AT+CMGF=0 back took more with it, and the next session
// finds what could not be read meanwhile.
func leftPDUMode() error { return fault(ProblemModemFault, errTextMode) }

// verify asks for the settings that another program, or a restart of which the dongle told nothing,
// would have taken back: in text mode AT+CMGS takes the length for a telephone number and the PDU
// for the text, and without <ds> there are no reports (TS 27.005 sections 3.2.3 and 3.4.1).
func (s *session) verify() error {
	s.verifiedAt = time.Now()
	format, err := s.askLightly("+CMGF?", "+CMGF")
	if err != nil {
		return err
	}
	if format == "1" {
		return leftPDUMode()
	}
	now, err := s.askLightly("+CNMI?", "+CNMI")
	if err != nil || s.ds == 0 || now == "" {
		return err
	}
	if ds := field(now, 3); ds == "" || ds == strconv.Itoa(s.ds) {
		return nil
	}
	s.log.Warn("the modem does not pass reports on any more; it is asked to again", "answer", now)
	s.unswept = true
	return s.askForReports()
}

// inTextMode says whether +CMGR or +CMGL was answered in text mode, where <stat> is a word.
func inTextMode(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool {
		args, isRead := strings.CutPrefix(line, "+CMGR:")
		stat := field(args, 0)
		if !isRead {
			args, isRead = strings.CutPrefix(line, "+CMGL:")
			stat = field(args, 1)
		}
		return isRead && (strings.HasPrefix(stat, "REC ") || strings.HasPrefix(stat, "STO "))
	})
}
