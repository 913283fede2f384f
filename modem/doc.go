// Package modem drives one GSM dongle: it brings it up over AT commands (TS 27.007), submits
// short messages in PDU mode (TS 27.005) and passes on the status reports that come back.
//
// A [Worker] owns one dongle for the life of the process. Its session, that is one opening of
// the port, is disposable: a missed deadline, a hang-up or an answer that makes no sense closes
// it, and a new one is opened after a back-off, through the very code that ran at plug-in.
// Nothing is ever repaired in place, because an answer that comes late would otherwise be taken
// for the answer to the next command, and a message would be called sent that never left.
//
//	Opener ── port ── filter ── at.AT ── session ── Worker ── Submit
//	                    └─ URCs in order ── reports ── Sink
//
// The filter sits between the port and package at. It lets through only what answers the
// command in progress, so that no URC reaches a dialogue, and hands the URCs on in the order
// in which they came. It also holds every deadline: one that passes closes the port.
//
// Goroutines of a session: the Worker's own, which alone issues commands; three of at.AT, which
// end when the port is closed; and one that consumes the URCs. Run returns after all have ended.
package modem
