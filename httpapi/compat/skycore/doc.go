// Package skycore is Skycore's "Send SMS API V2": one URL for requests, postbacks for what became of
// them, and campaigns that people are subscribed to.
//
// # Requests
//
// POST /skycore or /skycore/v2, with the API key in x-api-key. Names are case-sensitive and must not occur
// twice, null is absent, and names that are not here are ignored.
//
//	action          sendsms, in any case; the actions of the vendor's older versions are E107
//	message-text    honoured; in as many parts as it takes, up to messages.max_parts (E712)
//	to              honoured, with or without + or 00, and answered as it came. A number is taken for one
//	                if it has 7 to 15 digits: whether a country has given it away is not asked
//	from            honoured: the SIM of that number, name or simNumber; all else is E111
//	from-mask       echoed, cut to 11 characters, in postbacks; the answer warns that it was not applied,
//	                for a SIM sends under its own number. With Options.StrictMask it is E628
//	campaign-ref    echoed in postbacks; honoured with Options.EnforceCampaignCheck (E714, E715)
//	click-tracking  honoured where there are short links, E107 where there are none
//
// Failures are answered with the HTTP status 200 as successes are, since the vendor's clients read
// "status"; Options.HTTPErrors answers them with one of their own. E503 is the gateway's fault or a full
// queue: nothing was accepted, and the request may be repeated. tracking-id is the message's ID.
//
// # Postbacks
//
//	N201 Sent       every part was accepted by the network
//	N202 Delivered  every part was reported as delivered; N201 was told before, always
//	E201 Failed     it was not submitted, refused at once, withdrawn, or nobody knows for too long
//	E202 Rejected   after it was submitted a report said that it will not be delivered
//	N211            a text came in. Data and notifications of an MMS have no place in the vendor's form
//
// A message whose report never comes stays N201. After an E201 because nobody knew, a late report may
// still bring N202. operator-id and operator-name are left out: they are of the recipient's operator, whom
// a SIM does not know. A click is told of as CLICK, which is ours, if Options.ClickPostbacks asks for it.
//
// A postback is taken by the status 200 alone, within 10 seconds; it is repeated after 5 minutes, five
// times at most.
//
// # Campaigns
//
// Which numbers are subscribed to which campaign is the gateway's own to know, below /skycore/campaigns
// and by SMS, whether it is enforced or not:
//
//	STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE, OPTOUT  ends all subscriptions of the sender
//	STOP <campaign>                                                ends that one
//	START, UNSTOP                                                  brings back what a STOP ended
//	START <campaign>, or the campaign's keyword alone              subscribes to that one
//
// A campaign is named by its reference or its keyword. Case does not matter, nor what stands around a
// word. The words are for the campaigns of the SIM that they came in on, and for those of any SIM. YES is
// none of them, though other vendors take it: as an answer to something else it would subscribe people
// who do not know. A list that is put again does not bring back whom a STOP took out.
//
// Numbers are compared in E.164. A sender whose country code the network left out is everyone whose number
// ends in his for a STOP, since one who is not written to can be asked again; for a START it has to be one
// subscriber alone.
//
// The check is in the transaction that accepts a message, and a STOP is in that which stores it, so after
// a STOP was stored nothing is accepted any more. What was accepted before is sent. While the dialect is
// switched off nobody hears a STOP.
//
// # Layout
//
//	skycore_campaigns    reference                        → id, keyword, SIM, when and by whom
//	skycore_subscribers  campaign id, number              → since when, how, by whom, ended when
//	skycore_numbers      last digits, number, campaign id → nothing; how a sender's subscriptions are found
package skycore
