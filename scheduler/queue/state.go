package queue

import "fmt"

// State is the fate of a message or of one recipient, named as SMSGate names it.
type State uint8

// The states in the order in which a message passes them.
const (
	// Pending: accepted and stored; nothing was handed to a modem, or a retry is due. Cancellable.
	Pending State = iota + 1
	// Processed: a modem has at least one part, or its outcome is unknown.
	Processed
	// Sent: the service centre accepted every part.
	Sent
	// Delivered: a status report confirmed every part. Final.
	Delivered
	// Failed: final, with a reason in Error.
	Failed
	// Cancelled: withdrawn by the client while Pending. Final.
	Cancelled
)

var stateNames = [...]string{"", "Pending", "Processed", "Sent", "Delivered", "Failed", "Cancelled"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// ParseState returns the state of that name, spelled exactly as on the wire.
func ParseState(name string) (State, bool) {
	for s := Pending; s <= Cancelled; s++ {
		if stateNames[s] == name {
			return s, true
		}
	}
	return 0, false
}

// PartState is the fate of one part. The zero value is PartQueued.
type PartState uint8

// The part states; transition is the only way from one to another.
const (
	// PartQueued: not handed to a modem, or known not to have reached the network.
	PartQueued PartState = iota
	// PartSubmitting: the intent is stored; the PDU may be on its way. A crash here means PartUnknown.
	PartSubmitting
	// PartUnknown: the PDU was handed over and no answer came. A status report may still settle it.
	PartUnknown
	// PartAccepted: the service centre accepted it (+CMGS).
	PartAccepted
	// PartDelivered: a status report confirmed it. Final.
	PartDelivered
	// PartUndelivered: a status report says it will not be delivered. Final.
	PartUndelivered
	// PartRejected: refused, expired before submission, or dropped because another part failed. Final.
	PartRejected
	// PartLost: unknown for too long; it may have gone out. Final, except that a late report settles it.
	PartLost
	// PartCancelled: withdrawn before submission. Final.
	PartCancelled
)

var partStateNames = [...]string{
	"queued", "submitting", "unknown", "accepted", "delivered", "undelivered", "rejected", "lost", "cancelled",
}

func (s PartState) String() string {
	if int(s) < len(partStateNames) {
		return partStateNames[s]
	}
	return fmt.Sprintf("PartState(%d)", uint8(s))
}

// event is what may happen to a part.
type event uint8

const (
	evSubmit    event = iota // the intent to submit is stored
	evRequeue                // not in the network for certain, or to be repeated by the user's policy
	evLose                   // no answer after the PDU was handed over
	evAccept                 // +CMGS
	evReject                 // refused, expired, or a sibling part failed
	evAbandon                // unknown for too long
	evDeliver                // final report: reached the recipient
	evUndeliver              // final report: will not reach the recipient
	evCancel                 // withdrawn by the client
)

// transitions lists every change of state there is. An event that is missing for a state is late or
// repeated news and changes nothing; so no order of arrival can turn a part back.
//
// A part waiting or under way again (on_unknown: retry) can still be settled by the report of its
// first submission, but only for the better: the repetition may yet succeed.
var transitions = map[PartState]map[event]PartState{
	PartQueued: {
		evSubmit: PartSubmitting, evReject: PartRejected, evCancel: PartCancelled, evDeliver: PartDelivered,
	},
	PartSubmitting: {
		evAccept: PartAccepted, evRequeue: PartQueued, evReject: PartRejected, evLose: PartUnknown,
		evDeliver: PartDelivered,
	},
	PartUnknown: {
		evRequeue: PartQueued, evAbandon: PartLost, evDeliver: PartDelivered, evUndeliver: PartUndelivered,
	},
	PartAccepted: {evDeliver: PartDelivered, evUndeliver: PartUndelivered},
	PartLost:     {evDeliver: PartDelivered, evUndeliver: PartUndelivered},
}

// transition returns the state after e, and whether e changes anything.
func transition(s PartState, e event) (PartState, bool) {
	next, ok := transitions[s][e]
	if !ok {
		return s, false
	}
	return next, true
}

// partCounts counts the parts of a recipient by PartState.
type partCounts [len(partStateNames)]int

// fold is the state of a recipient with these parts.
func (n partCounts) fold() State {
	all := 0
	for _, c := range n {
		all += c
	}
	switch {
	case n[PartRejected]+n[PartUndelivered]+n[PartLost] > 0:
		return Failed
	case n[PartCancelled] > 0:
		return Cancelled
	case n[PartQueued] == all:
		return Pending
	case n[PartDelivered] == all:
		return Delivered
	case n[PartDelivered]+n[PartAccepted] == all:
		return Sent
	default:
		return Processed
	}
}

// stateCounts counts recipients by State.
type stateCounts [Cancelled + 1]int

// fold is the state of a message with these recipients. The order of the rules is SMSGate's.
func (n stateCounts) fold() State {
	all := 0
	for _, c := range n {
		all += c
	}
	switch {
	case n[Pending] > 0:
		return Pending
	case n[Cancelled] > 0:
		return Cancelled
	case n[Processed] > 0:
		return Processed
	case n[Failed] == all:
		return Failed
	case n[Delivered] == all:
		return Delivered
	default:
		return Sent
	}
}
