// Package smseagle speaks the API of the SMSEagle gateways in its three forms, which Zabbix, Uptime-Kuma,
// LibreNMS, Apprise and NETWAYS' check_smseagle know. Each path is there below /index.php, too.
//
//	GET, POST /http_api/send_sms, send_togroup, send_tocontact   v1: query or form; text, or XML
//	POST      /api/v2/messages/sms                               v2: JSON
//	GET       /api/v2/modem/signal[/N]                           v2
//	POST      /jsonrpc/sms                                       JSON-RPC: sms.send_sms and so on
//
// check_smseagle asks for the signal of a modem, in percent; -1 is one that cannot send or has no level.
//
// Who asks: access_token (v1 in the query or form, JSON-RPC in params) and the header access-token (v2) are
// keys of the gateway, login and pass a user of it. Without these an Authorization header will do. In a body they
// have to be within the first 4096 bytes, as no more of a stranger's is read.
//
// Honoured: to, groups and contacts (both are groups of the configuration, a contact is one with a single
// number), the text, date (v1 in the gateway's time zone), send_after and send_before, validity, highpriority
// (any digit from 1 on is high: 90 of the queue's 127) and v2's priority (ten times that), flash, modem_no (the
// simNumber), responsetype, test. A test goes through all that an order would, the limits of the queue among
// it, and is answered with the ID 0, as the vendor has it; nothing is stored.
//
// Echoed: oid, in the answers of v2 and the extended ones of JSON-RPC. It is kept with the message.
//
// Without effect: unicode and encoding, since the alphabet follows from the text. So unicode=0 with a text
// beyond the GSM 7-bit alphabet is sent as UCS-2, and not with other letters in it. Unknown fields are let
// through: Zabbix sends url and recipient, Uptime-Kuma duration.
//
// Refused: MMS and attachments (400), calls (501).
//
// The hours between send_after and send_before are local and of each day; without one of the two they begin or
// end at midnight, and from 22:00 to 06:00 they go over it. A message that comes at another time waits for the
// next send_after. What was not handed to the network by the end of these hours fails as expired, and the
// network is told to give up by then, to the five minutes of TP-VP: here it is no message rather than one at
// night. The vendor
// would wait for the next day. validity counts from the time the message could first be sent, the time in the
// queue included.
//
// One order is one message of the queue, so that either all recipients are taken or none. Each has an ID of
// its own. The API has no questions about a message, so there are no states.
//
// Errors begin with the vendor's words and have a status of 400 and up besides, since Zabbix looks at the
// status alone and LibreNMS at the text alone. There are no callbacks for what comes in: the vendor's depend
// on rules that are made on the device.
package smseagle
