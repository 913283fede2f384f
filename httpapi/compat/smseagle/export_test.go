package smseagle

import "time"

// For the tests that no request can make, or not without knowing the time.
var (
	Validities = validities
	ParseCall  = parseCall
)

// Times are those that an order with these fields has.
func Times(fields map[string]string, now time.Time) (from, until time.Time, err error) {
	return params(fields).times(now)
}

// Peek is what the beginning of a JSON-RPC request shows.
func Peek(head []byte) map[string]string { return peek(head) }

// Form is what a form has.
func Form(form []byte, cut bool) map[string]string {
	p := params{}
	p.addForm(form, cut)
	return p
}

// Hours are send_after and send_before.
func Hours(fields map[string]string) (begin, end time.Duration, err error) {
	h, err := params(fields).hours()
	return h.begin, h.end, err
}
