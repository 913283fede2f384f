package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cnmi is a setting of +CNMI (TS 27.005 section 3.4.1).
type cnmi struct{ mode, mt, bm, ds, bfr int }

func (c cnmi) String() string {
	return fmt.Sprintf("%d,%d,%d,%d,%d", c.mode, c.mt, c.bm, c.ds, c.bfr)
}

// parseCNMI reads "2,1,0,1,0", the answer to +CNMI?, where dongles leave out what they do not know.
func parseCNMI(args string) (c cnmi, ok bool) {
	for i, into := range []*int{&c.mode, &c.mt, &c.bm, &c.ds, &c.bfr} {
		value := field(args, i)
		if value == "" && i > 0 {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 9 {
			return cnmi{}, false
		}
		*into = n
	}
	return c, true
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

// withReports are the settings worth a try, best first. Dongles offer what they then refuse, so
// every combination that would do is a candidate: reports sent on as +CDS (ds 1), else stored
// and told of as +CDSI (ds 2); messages stored and told of (mt 1), else found by looking (mt 0);
// mode 2 buffers URCs while the line is taken, mode 1 drops them.
func (o cnmiOffer) withReports() []cnmi {
	var list []cnmi
	for _, mt := range among(o[1], 1, 0) {
		for _, ds := range among(o[3], 1, 2) {
			list = append(list, o.routed(mt, ds)...)
		}
	}
	return list
}

// withoutReports are those that tell of messages at least.
func (o cnmiOffer) withoutReports() []cnmi {
	if len(among(o[1], 1)) == 0 || len(among(o[3], 0)) == 0 {
		return nil
	}
	return o.routed(1, 0)
}

// routed are the settings with mt and ds.
func (o cnmiOffer) routed(mt, ds int) (list []cnmi) {
	for _, mode := range among(o[0], 2, 1, 3) {
		for _, bm := range among(o[2], 0, 2) {
			for _, bfr := range among(o[4], 0, 1) {
				list = append(list, cnmi{mode, mt, bm, ds, bfr})
			}
		}
	}
	return list
}

// among are those of wanted that are offered, in the order of wanted.
func among(offered []int, wanted ...int) []int {
	return slices.DeleteFunc(wanted, func(v int) bool { return !slices.Contains(offered, v) })
}

// askForReports has status reports sent on to us, and messages told of. With AT+CSMS=0 the dongle
// acknowledges them by itself; only where that does not do, AT+CSMS=1 is tried, which makes it
// wait for our +CNMA and switch reports off if that is late. A dongle without reports still sends.
func (s *session) askForReports() error {
	phase2plus, err := s.plainService()
	if err != nil {
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
	list := s.w.learned.order(s.w.Status(), s.preferred(offer))
	set, err := s.setCNMI(list)
	if err == nil && set.ds == 0 && len(list) > 0 && !phase2plus && !s.family.AckNever {
		if err = s.try("+CSMS=1"); err == nil {
			set, err = s.setCNMI(list)
			phase2plus = set.ds != 0
		}
	}
	if err == nil && set.ds == 0 {
		s.log.Warn("the modem does not pass status reports on", "offer", args)
		set, err = s.setCNMI(offer.withoutReports())
	}
	if err != nil {
		return err
	}
	s.mustAck.Store(phase2plus && !s.family.AckNever)
	s.settleReports(set)
	return nil
}

// plainService asks for AT+CSMS=0; phase2plus says that the dongle stays with 1 all the same.
func (s *session) plainService() (phase2plus bool, err error) {
	err = s.do("+CSMS=0")
	if _, refused := asRefusal(err); !refused {
		return false, err
	}
	args, err := s.ask("+CSMS?", "+CSMS")
	return field(args, 0) == "1", err
}

// preferred are the settings with reports; what the family likes best comes first, if it is offered.
func (s *session) preferred(offer cnmiOffer) []cnmi {
	derived := offer.withReports()
	var list []cnmi
	for _, text := range s.family.CNMI {
		if c, ok := parseCNMI(text); ok && slices.Contains(derived, c) {
			list = append(list, c)
		}
	}
	return append(list, slices.DeleteFunc(derived, func(c cnmi) bool { return slices.Contains(list, c) })...)
}

// settleReports notes the setting that was taken.
func (s *session) settleReports(set cnmi) {
	s.ds, s.verifiedAt = set.ds, time.Now()
	s.untold.Store(0)
	if set.ds != 0 {
		s.w.learned.taken = set
	}
	if set.ds == 2 {
		s.unswept = true
		signal(s.stored.wake)
	}
	s.w.update(func(st *Status) { st.Reports = set.ds != 0 })
}

// setCNMI tries the candidates until one is taken and reads back the same; the zero cnmi is none.
func (s *session) setCNMI(list []cnmi) (cnmi, error) {
	for _, c := range list {
		err := s.do("+CNMI=" + c.String())
		if err != nil {
			if err := unlessRefused(err); err != nil {
				return cnmi{}, err
			}
			continue
		}
		args, err := s.ask("+CNMI?", "+CNMI")
		if err != nil {
			return cnmi{}, err
		}
		if ds := field(args, 3); ds == strconv.Itoa(c.ds) || ds == "" {
			return c, nil
		}
	}
	return cnmi{}, nil
}
