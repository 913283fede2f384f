// Package queue holds every accepted message and the ledger of its parts, on bbolt.
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
//	messages    seq                                → what was asked for, never changed
//	deliveries  seq, recipient                     → state and parts of one recipient
//	ready       lane, priority, seq, recipient     → may be claimed now
//	timers      time, kind, …                      → becomes due: retry, expiry, unknown too long
//	reports     IMSI, TP-MR, last digits, seq, …   → the part a status report belongs to
//	orphans     IMSI, TP-MR, last digits, count    → reports that matched nothing yet
//	sends       IMSI, time, seq                    → messages begun, for the limits
//	blocks      seq/256                            → one state octet a message, bounds of creation
//	supers      seq/65536                          → how many messages are in which state
//	meta        active part of each SIM, last TP-MR, concatenation references, gateway identity
//
// A lane is a simNumber, or 0 for messages any SIM may send. Blocks and supers answer counts and
// pages of listings without touching the messages, whatever their number.
//
// # Writing
//
// One goroutine writes. It takes what waits, runs it in one bbolt transaction and reports each
// result after the commit: a lone caller never waits for company, a crowd shares an fsync.
package queue
