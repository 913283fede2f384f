package bird

import (
	"cmp"
	"strconv"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
)

// The statuses are all that the vendor's page has.
const (
	statusAccepted       = "accepted"
	statusRejected       = "rejected"
	statusProcessing     = "processing"
	statusScheduled      = "scheduled"
	statusSent           = "sent"
	statusSendingFailed  = "sending_failed"
	statusDelivered      = "delivered"
	statusDeliveryFailed = "delivery_failed"
	statusDeleted        = "deleted"
)

var statuses = []string{
	statusAccepted, statusRejected, statusProcessing, statusScheduled, statusSent,
	statusSendingFailed, statusDelivered, statusDeliveryFailed, statusDeleted,
}

// status is what the vendor calls the state of a message. It goes accepted or scheduled, processing, sent,
// and then one of the others, and never back: a message that waits to be tried again stays processing, and
// one that is due stays scheduled until a SIM takes it. Of the ends only one may give way to another:
// what was taken for lost, and is reported after all.
func status(m queue.Message) string {
	switch m.State {
	case queue.Pending:
		return waiting(m)
	case queue.Processed:
		return statusProcessing
	case queue.Sent:
		return statusSent
	case queue.Delivered:
		return statusDelivered
	case queue.Cancelled:
		return statusDeleted
	}
	switch p, _ := compat.Culprit(m); {
	case metaOf(m).Refused != "":
		return statusRejected
	case p.State == queue.PartRejected && !compat.Doubtful(p):
		return statusSendingFailed
	}
	return statusDeliveryFailed
}

func waiting(m queue.Message) string {
	switch {
	case compat.Begun(m):
		return statusProcessing
	case !m.ScheduleAt.IsZero():
		return statusScheduled
	}
	return statusAccepted
}

// failure is why a message ended badly, as a number of the vendor's and one of whoever was asked.
type failure struct {
	Code        int    `json:"code"`
	Description string `json:"description"`
	Source      source `json:"source"`
	// slug is a word for programs.
	slug string
}

type source struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

// The vendor's codes. These four are documented, and no other is made up for what they do not tell apart.
const (
	codeChannel = 11001 // INVALID_CHANNEL_CONFIGURATION, such as several receivers
	codeInput   = 11002 // INVALID_INPUT
	codeNetwork = 15001 // system failure
	codeUnknown = 15005 // unknown subscriber
)

// Where a failure comes from: before the radio, which is a word of the vendor's, or from there.
const (
	sourceBefore = "pre-processing"
	sourceRadio  = "sms-modem"
)

// overCap is why a marketing message was rejected.
const overCap = "frequency_cap_exceeded"

// failureOf is nil while nothing failed.
func failureOf(m queue.Message) *failure {
	p, failed := compat.Culprit(m)
	if !failed || m.State != queue.Failed {
		return nil
	}
	f := &failure{Code: codeNetwork, Description: cmp.Or(p.Error, "no reason was given"), Source: source{Name: sourceRadio}}
	switch refused := metaOf(m).Refused; {
	case refused != "":
		f.Code, f.Source, f.slug = codeInput, source{sourceBefore, refused}, refused
	case p.State == queue.PartUndelivered:
		f.blame(tpStatusCauses, p.Status)
	case compat.Doubtful(p):
		f.Source.Code, f.slug = "outcome_unknown", "outcome_unknown"
	case compat.Expired(p):
		f.Source, f.slug = source{sourceBefore, "expired"}, "expired"
	default:
		f.blame(cmsCauses, compat.CMSCode(p))
	}
	return f
}

// cause is the number by which the vendor's list has an error, that of MAP (TS 29.002 section 17.6.6),
// and the word for it.
type cause struct{ code, slug string }

var (
	causeUnknownSubscriber = cause{"1", "unknown_subscriber"}
	causeBarred            = cause{"13", "call_barred"}
	causeAbsent            = cause{"27", "absent_subscriber"}
	causeDelivery          = cause{"32", "sm_delivery_failure"}
	causeSystem            = cause{"34", "received_network_error"}
)

// cmsCauses are by +CMS ERROR: those below 128 are RP causes (TS 24.011 annex E.2). Causes that blame the
// SIM are not here: on them a message waits, and does not fail.
var cmsCauses = map[int]cause{
	1:  causeUnknownSubscriber,
	21: causeDelivery,
	27: causeAbsent,
	38: causeSystem, 41: causeSystem, 42: causeSystem, 47: causeSystem,
}

// tpStatusCauses are by TP-Status (TS 23.040 section 9.2.3.15).
var tpStatusCauses = map[int]cause{
	0x40: causeDelivery, 0x41: causeDelivery, 0x42: causeDelivery,
	0x43: causeUnknownSubscriber,
	0x45: causeBarred,
	0x46: causeAbsent,
	0x60: causeSystem, 0x61: causeSystem, 0x62: causeSystem, 0x63: causeSystem, 0x64: causeSystem, 0x65: causeSystem,
}

// blame fills in the cause behind a number; what the table does not have is a system failure under the
// network's own number.
func (f *failure) blame(table map[int]cause, number int) {
	c, known := table[number]
	switch {
	case !known && number > 0:
		c = cause{strconv.Itoa(number), causeSystem.slug}
	case !known:
		c = causeSystem
	}
	if c == causeUnknownSubscriber {
		f.Code = codeUnknown
	}
	f.Source.Code, f.slug = c.code, c.slug
}

// fail writes what failed the way the vendor's documentation shows it.
func (out *message) fail(f *failure) {
	if f == nil {
		return
	}
	out.Failure, out.Details = f, f.slug
	out.Reason = "details: " + f.Description + "; reason: " + f.slug + "; code: " + f.Source.Code
}
