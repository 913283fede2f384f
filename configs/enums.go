package configs

import "time"

// chooser is a setting with a closed list of values.
type chooser interface{ choices() []string }

// ProcessingOrder is the order of messages of equal priority.
type ProcessingOrder string

const (
	LIFO ProcessingOrder = "LIFO" // newest first
	FIFO ProcessingOrder = "FIFO" // oldest first
)

func (ProcessingOrder) choices() []string { return []string{string(LIFO), string(FIFO)} }

// SIMSelection chooses the SIM of a message that names none.
type SIMSelection string

const (
	OSDefault  SIMSelection = "OSDefault"  // the first ready SIM
	RoundRobin SIMSelection = "RoundRobin" // ready SIMs in turn
	Random     SIMSelection = "Random"     // any ready SIM
)

func (SIMSelection) choices() []string {
	return []string{string(OSDefault), string(RoundRobin), string(Random)}
}

// LimitPeriod is the window in which at most limit_value messages are sent.
type LimitPeriod string

const (
	Disabled     LimitPeriod = "Disabled"
	PerMinute    LimitPeriod = "PerMinute"
	Per30Minutes LimitPeriod = "Per30Minutes"
	PerHour      LimitPeriod = "PerHour"
	PerDay       LimitPeriod = "PerDay"
)

func (LimitPeriod) choices() []string {
	return []string{string(Disabled), string(PerMinute), string(Per30Minutes), string(PerHour), string(PerDay)}
}

// Window is the length of the period, 0 for Disabled.
func (p LimitPeriod) Window() time.Duration {
	return map[LimitPeriod]time.Duration{
		PerMinute:    time.Minute,
		Per30Minutes: 30 * time.Minute,
		PerHour:      time.Hour,
		PerDay:       24 * time.Hour,
	}[p]
}

// OnUnknown is what becomes of a part whose outcome is unknown because the dongle
// fell silent between the PDU and the answer of the network.
type OnUnknown string

const (
	Wait  OnUnknown = "wait"  // for its report; never sent again
	Retry OnUnknown = "retry" // sent again; the recipient may get it twice
)

func (OnUnknown) choices() []string { return []string{string(Wait), string(Retry)} }
