// Package httpapi is dongled's HTTP face. SMSGate's API is the native one: unmodified clients of
// "SMS Gateway for Android" work against it, whether they were written for the phone's local
// server, the cloud or a private server. The API is described in openapi.yaml, which is embedded,
// served at /openapi.yaml and checked against real requests and responses by the tests.
//
// # A request's way
//
// A request passes, in this order: cleanPath (slashes), observe (panic, error body, access log),
// authenticate, refuseEncoding, and one handler. A handler is a thin shell: a parser turns the wire
// into a [queue.Submission] or [queue.Filter] (request.go, query.go, over the strict JSON reader
// in json.go), [Messages] does the work, and wire.go turns the answer back. [Inbox] and [Modems]
// are asked in the same way. Handlers wait for the store's commit and for nothing else; USSD alone
// is a dialogue with the network, and its request waits for the network's answer.
//
// The same routes are mounted at /, /3rdparty/v1 and /api/3rdparty/v1, because every client
// concatenates its base URL and the path, and the three SMSGate editions differ in the base.
//
// # Decisions where SMSGate's editions differ or are silent
//
//   - A message id is 1 to 36 characters of RFC 3986 pchar without percent-encoding
//     (letters, digits and -._~!$&'()*+,;=:@), not "." or "..".
//   - Explicit null is absent; so are an empty id, an empty deviceId, simNumber 0, and an empty
//     message beside another content, because published clients send them.
//   - Field names are case-sensitive, a duplicate known field is an error, an unknown one is ignored.
//   - mmsMessage and flashMessage are refused rather than dropped.
//   - ttl may be as short as 1 s; dataMessage.port may be 0 (the vendor's page says 0-65535).
//   - Booleans in the query take what Go's ParseBool takes, because Python clients send "True".
//   - A date and time without a zone is UTC, because Python clients send such.
//   - limit outside 1..100 is an error, as in the cloud; state=Cancelling matches nothing.
//   - Cancelling a message that is no longer Pending answers 409, as the cloud does.
//   - GET /inbox takes limit up to 500 and words its faults as the phone does; it is newest first
//     by the time of arrival here, which is createdAt. MMS are a type that nothing is of.
//   - /health answers 503 only when no modem is sound (ready, and without a warning that is a
//     failure) or the store does not answer; one modem down of several is a warning. Each
//     [modem.Warning] is a check of its own, named modem:SIM:ID. /health/live never fails for want
//     of a modem, and /health/ready asks only the store, since messages are accepted and kept while
//     every modem is away.
package httpapi
