// Package scheduler decides which message goes over which SIM and when, and what an outcome means.
//
// Submissions are checked here and stored by package queue; one goroutine a SIM claims a part, has
// its Sender submit it, and hands the outcome back together with the next claim, in one commit.
// Status reports come in beside it, from the Sender's Sink. Nothing polls: a commit that makes work
// claimable, and a change of a SIM's status, wake the SIM concerned.
package scheduler
