// Package twilio speaks Twilio's Messages resource (2010-04-01): POST and GET Messages.json, GET, POST and
// DELETE Messages/{Sid}.json, with forms or JSON; and POST /authentik/sms, the generic provider of
// authentik's SMS stage, with From, To and Body as JSON. Clients are let in with Basic: as the account of
// the configuration, as a user of the gateway, or under any AC or SK identifier with an API key of the
// gateway as the password. A Bearer token or key does as well. With an account in the configuration the
// path can name no other; without one it may name any, and sees its own messages.
//
// Honoured:
//
//	To                   one number
//	From                 the SIM by its number, name or simNumber
//	MessagingServiceSid  any SIM, unless From names one; an MG identifier in From is taken as such
//	Body                 1 to 1600 characters
//	ValidityPeriod       1 to 36000 s, 36000 unless given, from SendAt on if that is set
//	ScheduleType, SendAt fixed, 300 s to 35 d ahead, with MessagingServiceSid as the vendor has it
//	ShortenUrls          short links of this gateway
//	StatusCallback       POST of a form, see below
//
// Echoed: MessagingServiceSid. Refused: MediaUrl, SendAsMms and ContentSid (no MMS, no templates of the
// vendor's), retention other than retain, another From, and Body in an update. Everything else is taken and
// changes nothing: SmartEncoded, Attempt, ProvideFeedback, ForceDelivery, MaxPrice, ApplicationSid and what
// the vendor adds. Prices are null, and there are no media. Messages that come in are not in this API.
//
// # Statuses
//
//	Pending                 scheduled with SendAt, accepted while any SIM may send, or else queued;
//	                        sending where a part was tried before
//	Processed               sending
//	Sent, Delivered         sent, delivered
//	Failed                  undelivered if any part left or may have, or else failed
//	Cancelled               canceled
//
// sent is the last where no report comes: no clock makes a failure of it. error_code is 30003 (unreachable
// handset), 30005 (unknown handset), 30036 (validity period over) where the network or the clock said so,
// and 30008 for everything else; error_message is what this gateway knows, in its own words.
//
// A StatusCallback is told of each status after the first, in their order: MessageSid, SmsSid,
// MessageStatus, SmsStatus, To, From once it is known, AccountSid, ApiVersion, MessagingServiceSid and
// ErrorCode. With an auth token in the configuration it is signed (X-Twilio-Signature).
//
// # Lists, cancelling and deleting
//
// Lists have the latest first. A page may be shorter than PageSize and be followed by another: clients go by
// next_page_uri. DateSent takes dates and times.
//
// Status=canceled takes back whatever no SIM has begun to send, scheduled or not; after that it is 409 with
// 30409. DELETE takes a message off this API once it is sent or ended, before it is 409 with 20009; the
// gateway's own API and store keep it as long as messages.retention says.
//
// # Errors
//
// Codes are the vendor's where one is known to fit; 400 and 413 are ours. A full queue is 503 with 20503: try again
// after Retry-After.
package twilio
