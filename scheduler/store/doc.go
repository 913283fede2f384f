// Package store is the one file that holds everything, on bbolt, and the one goroutine that writes
// to it. What stands in the file belongs to the rooms: packages that keep buckets of their own, such
// as queue and inbox.
//
// # Writing
//
// One goroutine writes. It takes what waits, runs it in one bbolt transaction together with the
// timers that are due, and reports each result after the commit: a lone caller never waits for
// company, a crowd shares an fsync. Reads run beside it, each on a state of its own between two
// commits. So an operation sees the file alone, and what several rooms write in one operation is
// there after a crash together or not at all.
//
// # Layout
//
// Besides the rooms' buckets there is one:
//
//	timers      time in ms, kind, …                → becomes due; the kind says to which room
//
// A timer set for the past fires in the commit that set it, or the next. It fires once, and late
// rather than never: after a restart all that fell due meanwhile comes at once, in order of time.
package store
