package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// cnmi is a setting of +CNMI (TS 27.005 section 3.4.1).
type cnmi struct{ mode, mt, bm, ds, bfr int }

func (c cnmi) String() string {
	return fmt.Sprintf("%d,%d,%d,%d,%d", c.mode, c.mt, c.bm, c.ds, c.bfr)
}

// cnmiOffer holds the values that +CNMI=? offers for each of the five parameters.
type cnmiOffer [5][]int

// cnmiAny is what we try where the offer cannot be read.
var cnmiAny = cnmiOffer{{2, 1}, {1}, {0, 2}, {1, 2}, {0, 1}}

// parseCNMIOffer reads "(0,1,2),(0-3),(0,2),(0,1),(1)"; a parameter may also be a lone number.
func parseCNMIOffer(args string) (offer cnmiOffer, ok bool) {
	for i := range offer {
		list := strings.TrimSpace(args)
		if strings.HasPrefix(list, "(") {
			list, args, ok = strings.Cut(list[1:], ")")
			if !ok {
				return cnmiOffer{}, false
			}
		} else {
			list, args, _ = strings.Cut(list, ",")
			args = "," + args
		}
		args = strings.TrimPrefix(strings.TrimSpace(args), ",")
		if offer[i], ok = parseRange(list); !ok {
			return cnmiOffer{}, false
		}
	}
	return offer, true
}

// parseRange reads "0,1,3" and "0-3"; the values of +CNMI are single digits.
func parseRange(list string) ([]int, bool) {
	var values []int
	for _, item := range strings.Split(list, ",") {
		low, high, isRange := strings.Cut(item, "-")
		if !isRange {
			high = low
		}
		a, errA := strconv.Atoi(strings.TrimSpace(low))
		b, errB := strconv.Atoi(strings.TrimSpace(high))
		if errA != nil || errB != nil || a < 0 || b > 9 || a > b {
			return nil, false
		}
		for v := a; v <= b; v++ {
			values = append(values, v)
		}
	}
	return values, true
}

// candidates are the settings worth a try, best first. Dongles offer what they then refuse, so
// every combination that would do is a candidate: reports sent on as +CDS (ds 1), else stored
// and told of as +CDSI (ds 2); mode 2 buffers URCs while the line is taken, mode 1 drops them.
func (o cnmiOffer) candidates() []cnmi {
	first := func(offered []int, wanted ...int) []int {
		return slices.DeleteFunc(wanted, func(v int) bool { return !slices.Contains(offered, v) })
	}
	var list []cnmi
	for _, ds := range first(o[3], 1, 2) {
		for _, mt := range first(o[1], 1, 0) {
			for _, mode := range first(o[0], 2, 1, 3) {
				for _, bm := range first(o[2], 0, 2) {
					for _, bfr := range first(o[4], 0, 1) {
						list = append(list, cnmi{mode, mt, bm, ds, bfr})
					}
				}
			}
		}
	}
	return list
}

// askForReports has status reports sent on to us. With AT+CSMS=0 the dongle acknowledges them by
// itself; only where that does not do, AT+CSMS=1 is tried, which makes it wait for our +CNMA and
// switch reports off if that is late. A dongle without reports still sends.
func (s *session) askForReports() error {
	if err := s.try("+CSMS=0"); err != nil {
		return err
	}
	args, err := s.ask("+CNMI=?", "+CNMI")
	if err != nil {
		return err
	}
	offer, ok := parseCNMIOffer(args)
	if !ok {
		offer = cnmiAny
	}
	list := offer.candidates()
	ds, err := s.setCNMI(list)
	if err == nil && ds == 0 && len(list) > 0 {
		if err = s.try("+CSMS=1"); err == nil {
			ds, err = s.setCNMI(list)
		}
		s.mustAck.Store(ds != 0)
	}
	switch {
	case err != nil:
		return err
	case ds == 0:
		s.log.Warn("the modem does not pass status reports on", "offer", args)
	case ds == 2:
		s.unswept = true
		signal(s.stored.wake)
	}
	s.w.update(func(st *Status) { st.Reports = ds != 0 })
	return nil
}

// setCNMI tries the candidates until one is taken and reads back the same; ds is its, or 0.
func (s *session) setCNMI(list []cnmi) (ds int, err error) {
	for _, c := range list {
		err := s.do("+CNMI=" + c.String())
		if err != nil {
			if err := unlessRefused(err); err != nil {
				return 0, err
			}
			continue
		}
		args, err := s.ask("+CNMI?", "+CNMI")
		if err != nil {
			return 0, err
		}
		if ds := field(args, 3); ds == strconv.Itoa(c.ds) || ds == "" {
			return c.ds, nil
		}
	}
	return 0, nil
}
