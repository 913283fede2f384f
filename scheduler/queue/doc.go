// Package queue holds every accepted message and the ledger of its parts, as a room of the store.
//
// It keeps the three promises: an accepted message is on disk before Enqueue returns, the intent
// to submit a part is on disk before Step hands the part out, and states move only through
// transition. It knows nothing of modems, PDUs or HTTP.
//
// # Layout
//
// A message has a sequence number, given in the order of acceptance. Buckets, with their keys:
//
//	ids         client ID                          → seq
//	messages    seq                                → what was asked for; what was found in it when it was
//	                                               opened, and until when quiet hours put it off
//	deliveries  seq, recipient                     → state and parts of one recipient
//	ready       lane, priority, seq, recipient     → may be claimed now
//	reports     IMSI, TP-MR, last digits, seq, …   → the part a status report belongs to
//	orphans     IMSI, TP-MR, last digits, count    → reports that matched nothing yet
//	sends       IMSI, time, seq                    → messages begun, for the limits
//	quotas      IMSI, kind, …                      → what was sent, for the quotas (see quotaKind)
//	blocks      seq/256                            → one state octet a message, bounds of creation
//	supers      seq/65536                          → how many messages are in which state
//	sealed      seq                                → an encrypted message that is still to be opened
//	ages        since when, seq                    → is Pending, while Limits.MaxPendingAge is set
//	meta        active part of each SIM, last TP-MR, concatenation references, gateway identity,
//	            routes of the lanes, clock of the quotas, simNumbers given away
//
// A lane is a simNumber, or what several SIMs share: 0 for any, 256 and above for routes by number.
// It goes by the routes that the store was opened with; when they change, ready is put in order at the
// next start. Recipients of whom something may have gone out are in their SIM's lane. Blocks and supers answer counts and
// pages of listings without touching the messages, whatever their number. Retries, expiry, the
// end of quiet hours for what they put off, and the end of waiting for the unknown are timers of the store.
//
// # Who is told
//
// What becomes of a message is an event in the outbox, as SMSGate's webhooks have it (events.go). A message
// of another part of the gateway (Submission.Origin) is told of state by state besides, to Options.Changed.
// Both are in the transaction that makes it true: with it they come to be, or do not.
package queue
