// Package webhook tells others what happened: it keeps the registered webhooks and, for each, the
// events that are still to be delivered, as a room of the store, and posts them.
//
// # What is promised
//
// An event enters a delivery for every webhook that is registered for it then, in the transaction that
// makes the event true. The delivery has an id of its own, and its body is the same in every try. It
// ends as delivered, failed or superseded; until then it is pending, over restarts and SIGKILL. What
// came of a try is stored after it: whoever is killed in between tries again, with the same id, by
// which the receiver knows it. Nothing else is posted twice.
//
// # Lanes
//
// Every webhook has a lane: a goroutine that is there while the webhook has something pending, and
// posts one delivery at a time. Lanes share a number of connections, and those whose endpoint was last
// found unreachable share others, so that dead endpoints delay nobody but each other. Between two
// new events a lane takes at most one older delivery, and between two older ones at most one new event.
//
// # When a delivery is tried
//
//   - New: at once, in the order of events.
//   - After try n failed: 5 s * 2^(n-1) later, 24 h at the most. After the first try and as many more
//     as the settings allow (15: 45 hours), or a try that fails seven days after the event, the
//     delivery has failed.
//   - A try fails by any status but 2xx, redirects included, which are not followed, and by no answer
//     within 30 s, 5 s of which to connect. One that got no answer, or 502, 503 or 504, found the endpoint
//     unreachable. Any other status is an answer.
//   - Early: when a lane's endpoint answers, whichever delivery or test that is, or its webhook gets
//     another URL, the pending deliveries whose last try found it unreachable are tried one after the
//     other, in the order of events, until one finds it unreachable again. A try before its time that
//     fails is not counted and changes nothing about when the next one is due; if it got an answer,
//     the delivery waits for that time and is not tried early again. So of a row of early tries
//     at most one finds the endpoint unreachable, and none is repeated without an answer in between.
//   - A newer system:ping supersedes those that are still pending. One that is being tried then may
//     still end as delivered.
//
// The time of a try is that of the wall clock, but never further off than the pause before it: a clock
// that was set back holds up nothing.
//
// # What is kept
//
// Ended deliveries are kept for seven days, and the latest 10,000 of a webhook. An endpoint that is
// dead for days costs one row for each event until that has failed, and then for as long as ended ones
// are kept. Deleting a webhook deletes its deliveries.
//
// # Layout
//
//	webhooks             lane                        → webhook; lanes rise in the order of registration
//	webhook_deliveries   lane, number                → state, id, what was tried, event, payload
//	webhook_index        lane, class, [time,] number → by class: new; to be tried again, by time;
//	                                                   unreachable; pending pings; ended, by time
//	webhook_ended        lane                        → number of ended deliveries
package webhook
