// Package inbox holds every message that came in, as a room of the store.
//
// A dongle may hand over the same message again: after a restart, after a delete that failed, because
// the network never got the acknowledgement. So receipt is idempotent: what came is known by card,
// service centre, sender, time stamp and user data, and remembered for a month after it was last seen.
// A message, its event in the outbox and that memory are one commit.
//
// # Layout
//
//	inbox          number                               → one message
//	inbox_blocks   number/256                           → its kind in one octet, bounds of receipt
//	inbox_supers   number/65536                         → how many messages are of which kind
//	inbox_seen     hash                                 → when it was last seen
//	inbox_open     hash of card, sender and reference, set → a long message that is not whole yet
//	inbox_parts    set, part                            → SCA and TPDU of a part that waits
//	inbox_raw      number                               → what could not be decoded, the latest 1000
//	inbox_replays  number                               → whose events are to be told again, and how far that is
//
// # Long messages
//
// Parts wait on disk, as they came, until the last one is there; the user data is put together before
// it is decoded, so that a character split between two parts survives. Senders reuse references, some
// always the same one: a part that is there already, or was sent more than an hour apart from the
// others, begins another set. What is not whole a day after its last part came is delivered as it is,
// and marked; a part that comes later still is a partial message of its own.
//
// # MMS
//
// A dongle has no way to fetch an MMS, but hears that one waits: the notification comes as data for the
// port of WAP pushes. It is stored as it came, with what it says. What cannot be read as one, or is not
// whole, is data like any other. Operators repeat a notification until the MMS is fetched, each time as
// a new message; each is a row.
//
// # Replays
//
// The events of a period can be told again. A replay is a row until it is done, and a timer; each time
// it falls due, one page of events and the number to go on with are one commit, so a crash repeats
// nothing and leaves nothing out. Replays take turns by age. What comes after a replay was asked for is
// not in it: that is told of anyway. Payloads are made from the row, with the messageId and receivedAt
// that they had the first time: those follow from the row's number, which is never given away again,
// and its time.
//
// # Time
//
// For two hours after a start nothing is given up or forgotten: what came while nobody ran comes then,
// and the clock of a machine without a battery is set, by days or months. What came in this run is
// never deleted as older than that.
package inbox
