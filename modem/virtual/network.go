package virtual

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dongled/pdu"
)

// ErrNoSubmission: the network has no SMS-SUBMIT with that TP-MR. The caller's mistake.
var ErrNoSubmission = errors.New("virtual: no SMS-SUBMIT with this TP-MR was taken")

// Submission is one SMS-SUBMIT that the network took: accepted, or taken without the TE ever
// hearing of it. Nothing in it changes later.
type Submission struct {
	At      time.Time
	Session int // which opening of the port it came over, from 1
	MR      uint8
	Raw     []byte // SCA and TPDU as the TE gave them
	Submit  pdu.Submit
}

// network is the service centre and what it has for this SIM.
type network struct {
	submissions []Submission
	byMR        [256]int // index+1 of the latest submission with that TP-MR
	queue       []arrival
	held        []pdu.Report // reports that a report-reorder fault keeps until the next
	awaiting    bool         // +CNMA is due (27.005 3.4.4)
	unacked     arrival
	ackTimer    int // counts deliveries, so that an old time-out is known as such
}

// arrival is a TPDU on its way to the SIM.
type arrival struct {
	raw    []byte // SCA and TPDU
	report *pdu.Report
	again  bool    // the SC's further attempt: offered when the ME routes reports, not before
	noRoom *memory // the memory that had no room for it; the SC waits for RP-SMMA
}

// verdict is what the ME answers the network about an arrival.
type verdict uint8

const (
	taken   verdict = iota
	refused         // not now; the SC tries again as soon as it may
	full            // RP-ERROR 22, memory capacity exceeded (TS 24.011 8.2.5.4)
)

// isReport reads TP-MTI in the direction SC to MS (TS 23.040 9.2.3.1).
func (a arrival) isReport() bool { return a.raw[1+int(a.raw[0])]&3 == 2 }

// length is that of the TPDU, as +CDS, +CMT and +CMGL show it.
func (a arrival) length() int { return tpduLength(a.raw) }

func tpduLength(raw []byte) int { return len(raw) - 1 - int(raw[0]) }

func hexOf(raw []byte) string { return strings.ToUpper(fmt.Sprintf("%x", raw)) }

// Submissions returns what the network took so far, in order. The caller must not change it.
func (d *Dongle) Submissions() []Submission {
	d.lock()
	defer d.unlock()
	return slices.Clip(d.network.submissions)
}

// take is the network accepting an SMS-SUBMIT. mu is held.
func (d *Dongle) take(s Submission) {
	d.network.submissions = append(d.network.submissions, s)
	d.network.byMR[s.MR] = len(d.network.submissions)
}

// reportOn is the status report that the SC sends about a submission now.
func (d *Dongle) reportOn(s *Submission, status pdu.Status) pdu.Report {
	smsc := s.Submit.SMSC
	if smsc == "" {
		smsc = d.sim.smsc
	}
	return pdu.Report{
		SMSC: smsc, MR: s.MR, Recipient: s.Submit.Destination,
		SCTS: s.At.UTC(), Discharge: time.Now().UTC(), Status: status,
	}
}

// Report makes the SC send a status report about the latest SMS-SUBMIT with that TP-MR, whether
// it asked for one or not.
func (d *Dongle) Report(mr uint8, status pdu.Status) error {
	d.lock()
	defer d.unlock()
	i := d.network.byMR[mr]
	if i == 0 {
		return fmt.Errorf("%w: %d", ErrNoSubmission, mr)
	}
	return d.report(d.reportOn(&d.network.submissions[i-1], status))
}

// SendReport makes the SC send any status report. The error is pdu.EncodeReport's.
func (d *Dongle) SendReport(r pdu.Report) error {
	d.lock()
	defer d.unlock()
	return d.report(r)
}

func (d *Dongle) report(r pdu.Report) error {
	raw, err := pdu.EncodeReport(r)
	if err != nil {
		return err
	}
	if d.opts.Quirks.MangledReports {
		raw = mangle(raw)
	}
	d.arrive(arrival{raw: raw, report: &r})
	return nil
}

// Deliver makes the SC send a message to the SIM. The error is pdu.EncodeDeliver's.
func (d *Dongle) Deliver(m pdu.Deliver) error {
	raw, err := pdu.EncodeDeliver(m)
	if err != nil {
		return err
	}
	return d.DeliverRaw(raw)
}

// DeliverRaw makes the SC send a TPDU as it is, with its SCA before it, however odd. TP-MTI makes
// it a status report (10) or a message. Only what has no first octet of a TPDU is an error.
func (d *Dongle) DeliverRaw(raw []byte) error {
	if len(raw) < 2 || len(raw) < 2+int(raw[0]) {
		return fmt.Errorf("virtual: %d octets hold no SCA and TPDU", len(raw))
	}
	d.lock()
	defer d.unlock()
	a := arrival{raw: slices.Clone(raw)}
	if a.isReport() && d.opts.Quirks.MangledReports {
		a.raw = mangle(a.raw)
	}
	if r, err := pdu.DecodeReport(a.raw); a.isReport() && err == nil {
		a.report = &r
	}
	d.arrive(a)
	return nil
}

// arrive puts a TPDU on its way. mu is held.
func (d *Dongle) arrive(a arrival) {
	d.network.queue = append(d.network.queue, a)
	d.pump()
}

// pump delivers what can be delivered, in the order in which it came. mu is held.
func (d *Dongle) pump() {
	if len(d.network.queue) == 0 {
		return
	}
	kept := d.network.queue[:0]
	for _, a := range d.network.queue {
		switch {
		case !d.plugged || !d.registered():
			a.again = true
			kept = append(kept, a)
		case d.network.awaiting || a.noRoom != nil || d.offer(&a) != taken:
			kept = append(kept, a)
		case a.report != nil && d.opts.OnReport != nil:
			r := *a.report
			d.after = append(d.after, func() { d.opts.OnReport(r) })
		}
	}
	clear(d.network.queue[len(kept):])
	d.network.queue = kept
}

// offer routes an arrival, and remembers on the SIM that memory capacity was exceeded (EF-SMSS,
// TS 31.102 4.2.28). mu is held.
func (d *Dongle) offer(a *arrival) verdict {
	v, m := d.route(*a)
	if v == full {
		a.noRoom, a.again = m, true
		d.announceFull(m)
	}
	return v
}

// freed is a place becoming free: the ME sends RP-SMMA when the SC was told that there was none
// (TS 23.040 10.3), and the SC then sends again. mu is held.
func (d *Dongle) freed() {
	if !slices.ContainsFunc(d.network.queue, arrival.nowHasRoom) {
		return
	}
	d.later(d.opts.AlertDelay, func() {
		for i := range d.network.queue {
			if a := &d.network.queue[i]; a.nowHasRoom() {
				a.noRoom = nil
			}
		}
		d.pump()
	})
}

func (a arrival) nowHasRoom() bool { return a.noRoom != nil && a.noRoom.hasRoom() }

// detached is the SIM leaving the network: what was not acknowledged comes again.
func (n *network) detached() {
	if n.awaiting {
		n.awaiting = false
		n.unacked.again = true
		n.queue = append([]arrival{n.unacked}, n.queue...)
	}
}

// planned is a status report that is due some time after the answer to +CMGS.
type planned struct {
	after  time.Duration
	report pdu.Report
	early  bool // before the answer
	hold   bool // after the next report
}

// plan says which reports follow a submission, after the faults that stand on them. mu is held.
func (d *Dongle) plan(s *Submission) []planned {
	if !s.Submit.Report {
		return nil
	}
	p := planned{after: d.opts.ReportDelay, report: d.reportOn(s, 0)}
	if len(d.faults) == 0 {
		return []planned{p}
	}
	plan := []planned{p}
	for _, f := range d.fire(OnReport, "", s.Submit.Destination) {
		switch f.Do {
		case ReportNever:
			return nil
		case ReportBefore:
			plan[0].early = true
		case ReportLate:
			plan[0].after += f.Delay
		case ReportReorder:
			plan[0].hold = true
		case ReportTwice:
			plan = append(plan, planned{after: plan[0].after + f.Delay, report: p.report})
		case ReportStatus:
			final := plan[0]
			plan[0].report.Status = pdu.Status(f.Code)
			if !plan[0].report.Status.Final() {
				final.after += f.Delay
				plan = append(plan, final)
			}
		}
	}
	return plan
}

// dispatch sends the planned reports that are due before, or after, the answer. mu is held.
func (d *Dongle) dispatch(plan []planned, early bool) {
	for _, p := range plan {
		switch {
		case p.early != early:
		case early:
			d.issue(p.report)
		case p.hold:
			d.network.held = append(d.network.held, p.report)
		default:
			d.later(p.after, func() { d.issue(p.report) })
		}
	}
}

// issue sends a report, and after it those that waited for it. mu is held.
func (d *Dongle) issue(r pdu.Report) {
	held := d.network.held
	d.network.held = nil
	r.Discharge = time.Now().UTC()
	// The address and the SMSC came out of a PDU or passed +CSCA, so they can be encoded.
	_ = d.report(r)
	for _, r := range held {
		_ = d.report(r)
	}
}
