// Package courier makes the requests that other vendors' APIs promise their clients: status callbacks,
// postbacks, delivery URLs. It is a room of the store: a callback is put in the transaction that makes
// true what it tells, and stays until the receiver took it or its plan ends.
//
// # What is promised
//
// A callback is there if and only if the transaction that put it was committed, and then over restarts
// and SIGKILL. It is made at least once: what came of a try is stored after it, so who is killed in
// between tries again, and so does a start after a stop that cut a try. Nothing else makes a request
// again that was taken. It ends as delivered or failed.
//
// # When a callback is tried
//
//   - New: at once. After try n failed: Plan.Pauses[n-1] later; without such a pause, it has failed. A try
//     that a stop cut does not count.
//   - A try fails by any status that Plan.Taken does not take, redirects included, which are not followed,
//     and by no answer within Plan.Timeout, 5 s of which to connect.
//   - In its Line none is tried before the one before it has ended; so one that is refused for hours holds
//     the later ones of its line for as long. Lines are each dialect's own.
//   - At most 16 requests are under way, 4 of them to one host (name and port), and half of them to hosts
//     that were found unreachable last. Of hosts with something due, that with the fewest requests under
//     way has its turn, and of those the one that waited longest.
//
// Pauses are measured by the monotonic clock, whatever the clock of the day is set to. Over a restart
// only the latter is there: what is due earlier is tried at once, and what lies further off than its
// pause, as behind a clock that was set back, has that pause again.
//
// One goroutine looks for what is to be done. It sleeps until the first callback is due, or for good
// where there is none, and commits and ended tries wake it. What it has to know of a pending callback
// is in memory, less than 200 octets each; what is to be sent is read when it is.
//
// # What is kept
//
// An ended callback keeps for people whom it told of what, and how that ended, but no URL, header, body
// or secret. It goes after seven days; of the delivered ones, and of the failed ones, a little more than
// the latest 10,000 stay. Callbacks of a dialect that has no plan, as it is switched off, wait as they are; once
// it was off for seven days they are dropped.
//
// Secrets are stored beside what they sign until the callback ended. A subscription may be changed or
// deleted while its callbacks are on their way, and those are signed as was agreed when they came to
// be. The file is its owner's alone (mode 0600).
//
// # Layout
//
//	vendors/callbacks       number  → state, when it is due or ended, what to do, body
//	vendors/callbacks_away  dialect → since when (ms) it is without a plan and has callbacks
package courier
