package twilio

import (
	"cmp"
	"slices"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
)

// The statuses of outgoing messages.
const (
	statusAccepted    = "accepted"
	statusScheduled   = "scheduled"
	statusQueued      = "queued"
	statusSending     = "sending"
	statusSent        = "sent"
	statusDelivered   = "delivered"
	statusUndelivered = "undelivered"
	statusFailed      = "failed"
	statusCanceled    = "canceled"
)

var statuses = map[queue.State]string{
	queue.Processed: statusSending,
	queue.Sent:      statusSent,
	queue.Delivered: statusDelivered,
	queue.Cancelled: statusCanceled,
}

// status goes never back: a message that waits to be tried again stays sending, and one that is due stays
// scheduled until a SIM takes it. Of the ends only one may give way to another: what was taken for lost,
// and is reported after all.
func status(m queue.Message) string {
	switch m.State {
	case queue.Pending:
		return waiting(m)
	case queue.Failed:
		if slices.ContainsFunc(m.Recipients, compat.Left) {
			return statusUndelivered
		}
		return statusFailed
	}
	return statuses[m.State]
}

func waiting(m queue.Message) string {
	switch {
	case compat.Begun(m):
		return statusSending
	case !m.ScheduleAt.IsZero():
		return statusScheduled
	case m.SIM == 0:
		return statusAccepted // who sends is not known yet
	}
	return statusQueued
}

// The vendor's codes for why a message failed.
const (
	errorUnreachable = 30003 // handset off or out of coverage
	errorUnknown     = 30005 // nobody has the number
	errorOther       = 30008
	errorExpired     = 30036 // ValidityPeriod was over before it left
)

// byStatus is by TP-Status (TS 23.040 section 9.2.3.15): not obtainable; validity expired at the service
// centre, and no response from the phone.
var byStatus = map[int]int{0x43: errorUnknown, 0x46: errorUnreachable, 0x62: errorUnreachable}

// byCMS is by +CMS ERROR, below 128 an RP cause (TS 24.011 annex E.2): unassigned number, and destination
// out of order.
var byCMS = map[int]int{1: errorUnknown, 27: errorUnreachable}

// failure is why a message failed; ok is false while it has not.
func failure(m queue.Message) (code int, why string, ok bool) {
	p, failed := compat.Culprit(m)
	if !failed || m.State != queue.Failed {
		return 0, "", false
	}
	switch {
	case p.State == queue.PartUndelivered:
		code = byStatus[p.Status]
	case compat.Doubtful(p):
	case compat.Expired(p):
		code = errorExpired
	default:
		code = byCMS[compat.CMSCode(p)]
	}
	return cmp.Or(code, errorOther), cmp.Or(p.Error, "no reason was given"), true
}
