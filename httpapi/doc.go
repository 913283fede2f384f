// Package httpapi is dongled's HTTP face. SMSGate's API is the native one: unmodified clients of
// "SMS Gateway for Android" work against it, whether they were written for the phone's local
// server, the cloud or a private server. The API is described in openapi.yaml, which is embedded,
// served at /openapi.yaml and checked against real requests and responses by the tests.
//
// # A request's way
//
// A request passes, in this order: closeUnread (a body that nobody read), cleanPath (slashes),
// observe (panic, error body, access log), authenticate, takeBody, refuseEncoding, may (the scope),
// and one handler. What is open to all (health, the document and its explorer) is answered before
// authenticate. A handler is a thin shell: a parser turns the wire into a [queue.Submission] or
// [queue.Filter] (request.go, query.go, over the strict JSON reader in json.go), [Messages] does the
// work, and wire.go turns the answer back. [Inbox], [Webhooks], [Settings], [Auth], [Logs] and
// [Modems] are asked in the same way. Handlers wait for the store's commit and for nothing else, but
// for two, whose requests are dialogues with others: USSD waits for the network's answer, and the test
// of a webhook for its endpoint's.
//
// A [Dialect] is mounted before authenticate, since each has credentials and errors of its own; its
// requests pass closeUnread, cleanPath and observe, then its check of credentials and scope (package compat),
// and takeBody. What no dialect has as a route goes on to authenticate. The document that is served has the
// parts of all dialects; what two APIs both have ends the start.
//
// The same routes are mounted at /, /3rdparty/v1 and /api/3rdparty/v1, because every client
// concatenates its base URL and the path, and the three SMSGate editions differ in the base. The last
// of them is 614901.xyz's too; what that changes is in profile.go.
//
// # Decisions where SMSGate's editions differ or are silent
//
// Requests:
//
//   - Explicit null is absent; so are an empty id, an empty deviceId, simNumber 0, and an empty
//     message beside another content, because published clients send them.
//   - Field names are case-sensitive, a duplicate known field is an error, an unknown one is ignored.
//   - Booleans in the query take what Go's ParseBool takes, because Python clients send "True".
//   - A date and time without a zone is UTC, because Python clients send such.
//   - limit above 100 is 100 and below 1 an error; X-Total-Count says how much there is.
//     state=Cancelling matches nothing.
//
// Messages:
//
//   - A message id is 1 to 36 characters of RFC 3986 pchar without percent-encoding
//     (letters, digits and -._~!$&'()*+,;=:@), not "." or "..".
//   - ttl may be as short as 1 s; dataMessage.port may be 0 (the vendor's page says 0-65535).
//   - A number that is not one is refused with 400, as in the cloud; the phone takes the message and
//     fails it. skipPhoneValidation sends it as it is.
//   - mmsMessage is refused rather than dropped: MMS need a data connection and an MMSC. flashMessage,
//     which SMSGate has as a draft, is a text of class 0, and one of the contents of which a message
//     has exactly one; it is echoed as flashMessage.
//   - templateMessage is ours: a text made of a template when the message is accepted, and a textMessage
//     in every answer and event. Faults in it are 400, also where the template is not there.
//   - An encrypted message (isEncrypted) is answered with 202 whatever is in it; it is opened after it
//     was stored, and what cannot be sent has its recipients Failed. What is only checked before
//     (base64, numbers, parts) is checked then. A ciphertext in place of a number may have 512
//     characters. Answers and events show the ciphertext, for ever. isHashed is always false.
//   - A queue at its limits answers 503 in the cloud's words, with Retry-After. The age of a message
//     that is scheduled counts from scheduleAt.
//   - Cancelling takes effect at once, as on the phone: the state is Cancelled, never Cancelling, and
//     the answer has no content; cancelling again answers the same. A message that is no longer
//     Pending answers 409, as the cloud does; one that is not there 404 with a body, also as the cloud.
//   - states has Pending from the beginning, and of each state the time at which the message first was
//     in it. Error texts have the cloud's or the phone's words behind the name of the field.
//
// Events and webhooks:
//
//   - sms:sent comes before any sms:delivered of the same recipient, and no part of a recipient that
//     failed is said to be delivered (package queue has the rules).
//   - A webhook names its device as deviceId, as in the code, or as device_id, as in the vendor's
//     pages; a foreign one is refused, as by the cloud, and none is repeated in answers. Deleting one
//     that does not exist answers 204. Those that an uplink brought are not listed.
//   - A failed delivery is tried again as the phone's code does it: after 5 s, doubling, 15 times. The
//     vendor's pages say 10 s and 14 times. Redirects are not followed. http goes to this machine, or
//     to private networks where the configuration says so.
//   - call:received, the test of a webhook, its deliveries and their replay are ours.
//   - system:ping comes an interval after it was set, and not at once. app:started comes when every
//     SIM is ready, or a minute after the start, with the SIMs that are known then.
//
// Inbox:
//
//   - GET /inbox takes limit up to 500 and words its faults as the phone does; it is newest first
//     by the time of arrival here, which is createdAt. An MMS is there as the notification that it
//     waits; no dongle fetches it, so MMS_DOWNLOADED is a type that nothing is of, attachments are
//     empty, and to ask for one is 404.
//   - An export or refresh of the inbox answers 202 and {} when it is stored. It tells again, in the
//     order of arrival, what was received from since to until, both included, with the messageId and
//     receivedAt of the first time; what comes in later is not in it. The same request twice is told
//     twice. SMS in messageTypes are texts, as on the phone; DATA_SMS is ours and asks for data. No
//     Deprecation header is sent with an export, as by the phone, and a foreign deviceId is refused,
//     as by the cloud.
//   - A refresh has the dongles searched besides for messages that they did not tell of; found ones
//     have their events as if they had just come in, whatever the request says of webhooks.
//   - The messageId of mms:received is the operator's id or else the transaction's, as in SMSGate: an
//     operator who repeats a notification repeats it too. All other ones are unique.
//
// Settings and devices:
//
//   - null takes a setting, or a section, back to the configuration's value. A change is whole or not
//     at all. PUT takes back what it does not name, secrets included; unknown names are ignored.
//     Secrets are taken and never shown.
//   - gateway, receiver and webhooks.internet_required are kept as clients set
//     them; where the uplink goes is the configuration's alone to say.
//   - The gateway is the one device: to delete it is 409, any other 404.
//
// Tokens:
//
//   - A refresh token does nothing but refresh (401), as the phone has it. A password does not refresh
//     (401), nor does an access token (403). A scope that is missing is 403 with the cloud's text.
//   - Lists take messages:list, as in the cloud, or messages:read, as on the phone.
//   - ttl of tokens: 0 is a day and what is too long is cut to a year, as in the cloud; refreshing
//     answers 201. Both spellings of tokens are sent. Deleting a token that is another's answers 204
//     and does nothing, as for one that does not exist: any other answer would tell which exist.
//   - An API key is taken where a bearer token is, and has scopes as a token has. It makes and ends no
//     tokens (403), since they would outlive it: tokens:manage is no part of a key's all:any.
//   - After five wrong passwords an address has to wait, and is answered 429.
//
// Health and logs:
//
//   - /health answers 503 only when no modem is sound (ready, and without a warning that is a
//     failure) or the store does not answer; one modem down of several is a warning. Each
//     [modem.Warning] is a check of its own, named modem:SIM:ID. /health/live never fails for want
//     of a modem, and /health/ready asks only the store, since messages are accepted and kept while
//     every modem is away. messages:failed is a warning at most, unlike the phone's, which fails if none
//     went: a wrong number must not make monitors call the gateway dead, and what keeps all messages
//     from going fails by a check of its own. connection:status says whether a modem may send, and
//     connection:transport whether one is in a network. There is no battery.
//   - GET /logs answers with the newest 1000 lines of the period, oldest first; SMSGate has no pages.
package httpapi
