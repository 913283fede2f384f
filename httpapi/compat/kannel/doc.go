// Package kannel speaks Kannel's smsbox: GET and POST /cgi-bin/sendsms with delivery reports by dlr-url, for
// users of the gateway (username and password). Parameters are in the query, in a form, or in X-Kannel-
// headers, where the body is the text.
//
// Honoured:
//
//	to               one number or several with spaces between, in one message
//	text, charset    any charset of the WHATWG list, UTF-8 unless given, UTF-16BE with coding=2
//	coding           0 and 2 are texts, whose alphabet follows from the characters; 1 is data
//	udh              with coding=1: application port addressing (05 04 or 04 02), the one header that is sent
//	mclass, flash    0, or 1 for flash: shown at once
//	smsc             the SIM by its name, number or simNumber; so does from, where it names a SIM
//	validity         minutes
//	deferred         minutes
//	priority         0 to 3
//	dlr-mask, -url   1 delivered, 2 failed, 8 accepted by the service centre, 16 refused; see below
//
// Kept for the escapes of dlr-url, and without effect: from, account, binfo. Without effect: alt-dcs, pid and
// rpi of 0. The source port of a udh is not kept. Refused, since it would change what arrives: another udh,
// mclass 1 to 3, mwi, pid and rpi other than 0, coding=1 without udh.
//
// A dlr-url is called with GET for each recipient, in order: 8 when the service centre took it, then 1 or 2;
// 16 alone when it never left. Bits 4 (buffered) and 32 (intermediate) never come. Escapes: %d %p %P %q %Q %t
// %T %i %I %A %F %n %a %c %o %B and %%; not in the host. A long text in many places is left out of some.
package kannel
