// Package post makes one request to somebody else's server, whom nobody here vouches for: it is bounded
// in time, reads next to nothing of the answer, follows no redirect, and keeps plain http within the
// networks that are allowed. When to try, and again, is the caller's.
//
// # What is guarded
//
//   - Plain http goes to the loopback, the private networks or anywhere, as Reach says. The address that a
//     connection is made to is judged, not the name: one that leads elsewhere meanwhile (DNS rebinding)
//     leads nowhere. https may go anywhere; who cannot show a certificate for the name is not served.
//   - A proxy of the environment is used for https only. For http it would resolve names on its own.
//   - What a Verdict says holds neither the URL nor what a server answered: a URL may hold a password, and
//     whoever names URLs could read by the answers what other services of this network say.
package post
