// Package gammu speaks the API of the "SMS Gammu gateway" (pajikos/sms-gammu-gateway), which Home Assistant's
// rest notifications are often set to. Who uses it is a user of the gateway (Basic), or has a token or key of it.
//
//	POST   /sms      text, number (several with commas), as JSON, form or query
//	GET    /sms      what came in, oldest first; /sms/N is one by its place in that list
//	DELETE /sms/N    takes it out of the list
//	GET    /getsms   the first, which is taken out of the list
//	GET    /signal, /network
//
// Honoured: text, number. Without effect: smsc, since a card has its own (modems[].smsc), and unicode, since
// the alphabet follows from the text. GET /reset is refused (501): dongles that hang are reset anyway.
//
// Where this differs: the numbers that POST answers are of the queue and not of the network, as it answers
// before anything is sent. What is deleted here stays in the gateway's own inbox. Every route asks for
// credentials, also those that are open in the original.
package gammu
