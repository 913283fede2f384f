// Package links makes long URLs in messages short, leads who follows them to where they pointed, and
// counts. It is a room of the store, with a listener of its own.
//
// # Texts
//
// Rewrite runs before a message is submitted, so that what is stored, counted in parts and sent is one
// and the same text; Keep stores the links in the transaction that stores the message, and fails it if
// one of the codes was taken in between. So two messages never share a code. A URL gets one link in a
// message, however often it stands there; who sends one text to many calls Rewrite for each.
//
// A URL is http:// or https:// up to the next blank, quotation mark or punctuation that no URL has, less
// the punctuation and the emoji at its end; what begins with www. leads to http://, as phones have it.
// Other schemes stay, and so do URLs with a user or password (they would be stored, and shown by the
// browser of whoever is led), hosts that are none, and links of our own. With Options.Bare names such as
// example.com count too, if their end is a public suffix (ICANN's section or a private one); it is off
// by default, since in a text without blanks behind its full stops "done.it" is such a name.
//
// # Counts
//
// Hits are all GETs that were led on, and Human those of them that look like a person's: not announced
// as a prefetch, not by a preview, scanner or library that says so in its User-Agent, and not within 2 s
// after the message was accepted. Both are estimates: a preview that poses as a browser counts as a
// person. Of whoever follows a link nothing is stored but that and when; no address, no User-Agent.
//
// Counts are kept in memory and stored 5 s after the first that is not, and at the end of Serve: one
// write for any number of clicks, for the sake of the card. A crash loses those seconds.
//
// # Retention
//
// A link leads for Options.Lifetime from when the message was accepted, answers 410 for 30 days more,
// and is deleted then, with all others of its hour. It does not go with its message: queued messages
// are kept for weeks at the most, while the recipient has the text on a phone and may follow the link
// as long as it was promised to lead.
package links
