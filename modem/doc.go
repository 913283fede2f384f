// Package modem drives one GSM dongle: it brings it up over AT commands (TS 27.007), submits
// short messages in PDU mode (TS 27.005) and passes on what comes in: status reports, messages,
// calls and the answers to USSD requests.
//
// A [Worker] owns one dongle for the life of the process. Its session, that is one opening of
// the port, is disposable: a missed deadline, a hang-up or an answer that makes no sense closes
// it, and a new one is opened after a back-off, through the very code that ran at plug-in.
// Nothing is ever repaired in place, because an answer that comes late would otherwise be taken
// for the answer to the next command, and a message would be called sent that never left.
//
//	Opener ── port ── filter ── at.AT ── session ── Worker ── Submit
//	                    └─ URCs in order ── arrivals, calls ── Sink
//	                         places in memory ── stored ──────────┘
//
// The filter sits between the port and package at. It lets through only what answers the
// command in progress, so that no URC reaches a dialogue, and hands the URCs on in the order
// in which they came. It also holds every deadline: one that passes closes the port.
//
// What comes in is stored by the Sink first, and acknowledged or deleted then. Whichever way it
// came, its TPDU says what it is: passed on (+CMT, +CDS), told of (+CMTI, +CDSI, rightly or not), or
// found by searching the memories, at the start, every hour, and when the counters show more than
// was left there. What cannot be read goes to the Sink as it is, so that it fills nothing.
//
// What a family of dongles needs beyond the standards is a row of data, a [Profile], chosen by what
// the dongle says of itself; nothing that only one maker knows is said before that. A dongle that
// stops doing what it is for, which is more than answering AT, is brought back by ever harder
// means between two sessions: a new one, AT+CFUN=1,1, then those of [Config].Recovery. What a
// person has to see to is a [Warning]; what was said before is in [Worker.Trace].
//
// Goroutines of a session: the Worker's own, which alone issues commands; three of at.AT, which
// end when the port is closed; and one that consumes the URCs. Beside the sessions one asks after
// the machine. Run returns after all have ended.
package modem
