// Package scheduler decides which message goes over which SIM and when, and what an outcome means.
//
// Submissions are checked here and stored by package queue; one goroutine a SIM claims a part, has
// its Sender submit it, and hands the outcome back together with the next claim, in one commit.
//
// A message that came encrypted is stored as it is and opened by one goroutine (unseal.go); until then
// it waits in no lane.
//
// A message that names no SIM waits in the lane of a pool: all SIMs, or those of a route. In each pool
// one SIM has the turn. A SIM that is away, paused by its breaker or out of quota has none, so the
// others take what waits; what may have gone out already stays with its SIM.
//
// Delays, work hours and limits hold a SIM; quiet hours hold a message, which leaves its lane until they
// end, so that nobody waits behind it.
//
// Status reports come in beside it, from the Sender's Sink. Nothing polls: a commit that makes work
// claimable, and a change of a SIM's status, wake the SIM concerned.
//
// Beside sending, a SIM can be asked by USSD (dialogue.go), one request at a time; where a balance is
// configured, it is asked on a schedule (balance.go), and a low one shows in the SIM's status.
package scheduler
