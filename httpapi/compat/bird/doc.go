// Package bird is the Channels API of Bird (MessageBird) for SMS: messages, channels, webhook subscriptions,
// signed callbacks. A channel is a SIM, and there is one workspace.
//
// # Fields of a request
//
// Honoured: receiver with its one contact, body.text.text, template, scheduledFor, validity,
// ignoreQuietHours, capFrequency, shortLinks, enableLinkTracking, notification.url, and image and file if the
// configuration has them sent as a text with URLs.
//
// Repeated, with no effect on the radio: reference, tags, meta, replyTo, body.text.metadata, and what a
// template has besides. GSM has no threads, and a reference is nothing by which the vendor knows a
// repetition.
//
// Refused, as leaving them out would change what the recipient gets: several contacts, copies, contacts by
// id, a sender that is not the SIM, attachments, actions, a subject, other types of a body, and what needs
// a setting that is not made (the cap, short links). Keys of the top level that the vendor does not have
// are ignored, or refused if the configuration says so.
//
// # Decisions where the vendor's documentation is silent
//
//   - A message is due at scheduledFor to the second, also within ten minutes; the vendor may send it at once
//     then. Past times are now. A time without a zone is UTC.
//   - validity counts from when the message is due, and is both the time until which it waits here and the
//     time for which the service centre keeps it (TP-VP). Quiet hours are part of it.
//   - Every message asks for a status report. One whose report never comes stays sent, where the vendor
//     says delivery_failed when the validity is over: the message may have arrived.
//   - The body of an answer is what is sent: with the values of a template, with short links, and the text
//     that was made of media.
//   - shortLinks with a domain and without enabled is enabled; those of a template go first, and the message's
//     must not contradict.
//   - Without utmParameters of a template, enableLinkTracking appends utm_source with the channel's name,
//     utm_medium=sms, and utm_campaign if meta.campaign has a name.
//   - The cap counts a message for the moment at which it is due, whatever becomes of it. One too many is
//     answered with 202 and is rejected.
//   - A media URL has a line of its own in the text that is sent in its place, behind the subject and the
//     text; the message's details are mms_fallback.
//   - Lists are newest first and cannot be reversed. Texts that came in are shown to who has the scope
//     inbox:list as well; for others a list is of what was sent.
//
// # Channels
//
// The workspace's id is derived from the gateway's, a channel's from the SIM's ICCID (or from its IMSI or
// number where there is none), as UUIDs of version 5; so they stay wherever a SIM is plugged in, and are
// known while it is not. One more channel is any SIM. The configuration may give the ids that clients have;
// the channels of a SIM that it names take the place of the derived one. A channel whose SIM gave its place
// to another one refuses to send, as the message would leave by a stranger's number.
//
// What comes in belongs to the first configured channel of its SIM, or to the SIM's own. A subscription
// that filters for another one that has this SIM, such as that of any, hears of it as of that one. Only
// texts have a form here: binary messages and notifications of MMS are in the gateway's own API.
//
// # Callbacks
//
// Every status of an outgoing message is told once and in order, accepted or scheduled first: to the
// subscriptions whose filters it matches, and to notification.url. The payload is the message as it was then;
// date and signature are those of the try. A receiver may be away for eight hours. A template of a
// subscription is kept and shown, and changes nothing. interactionType is clicked alone, and the payload is
// that of the vendor's list of interactions.
//
// # Statuses
//
//	accepted, scheduled   Pending; scheduled until a SIM takes it
//	processing            Processed; also Pending again, for another try
//	sent                  Sent
//	delivered             Delivered
//	sending_failed        Failed, before the network took it: refused, or its time was over
//	delivery_failed       Failed by a report, or with an unknown outcome; of the latter a late report
//	                      may still make delivered
//	rejected              Failed by the frequency cap
//	deleted               Cancelled
//
// An end never gives way to what comes before it. failure.code is one of the vendor's documented numbers:
// 11002 for what was refused before the radio, 15005 for an unknown subscriber, 15001 for all else; the
// network's own cause is failure.source.code.
package bird
