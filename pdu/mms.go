package pdu

import (
	"errors"
	"strings"
	"time"
)

// PushPort is where WAP pushes come in, among them MMS notifications (WAP-259-WDP, appendix B).
const PushPort = 2948

// ErrNotMMS: the data are no WAP push, or one of something else than an MMS notification.
var ErrNotMMS = errors.New("pdu: not an MMS notification")

// MMSNotification is M-Notification.ind (OMA-TS-MMS_ENC section 6.2): an MMS waits at the operator's
// server. Fields that are not there are zero.
type MMSNotification struct {
	// TransactionID and Location are always there.
	TransactionID string
	// MessageID is rarely there before the message itself is fetched.
	MessageID string
	// Version is that of MMS, such as "1.2".
	Version string
	// From is the sender, a number without its "/TYPE=PLMN", or an e-mail address; empty if the server
	// keeps it back.
	From    string
	Subject string
	// Class is Personal, Advertisement, Informational, Auto, or a word of the sender's own.
	Class string
	// ContentClass is that of X-Mms-Content-Class, in capitals with underscores, as SMSGate has it.
	ContentClass string
	// Size is that of the whole message in octets, roughly.
	Size int64
	// Expires is when the server drops it; ExpiresIn the same, counted from when it was sent. One of
	// them is zero.
	Expires   time.Time
	ExpiresIn time.Duration
	// Location is the URI that it is fetched from.
	Location string
}

// Of WSP: the type of a connectionless push (WAP-230-WSP table 34), and the content type of MMS, as a
// text and as the number that the registry of well-known types has for it.
const (
	wspPush      = 0x06
	mmsMediaType = "application/vnd.wap.mms-message"
	mmsMediaCode = 0x3E
)

// The fields of MMS that are read, by their assigned numbers (OMA-TS-MMS_ENC table 25).
const (
	mmsLocation     = 0x03
	mmsContentType  = 0x04
	mmsExpiry       = 0x08
	mmsFrom         = 0x09
	mmsClass        = 0x0A
	mmsMessageID    = 0x0B
	mmsType         = 0x0C
	mmsVersion      = 0x0D
	mmsSize         = 0x0E
	mmsSubject      = 0x16
	mmsTransaction  = 0x18
	mmsContentClass = 0x3A
)

// Well-known values begin at 128, which is 0 here.
const (
	mmsNotificationInd = 2 // of X-Mms-Message-Type
	mmsAddressPresent  = 0x80
	mmsInsertAddress   = 0x81
	mmsAbsolute        = 0x80
	mmsRelative        = 0x81
)

var (
	mmsClasses        = [...]string{"Personal", "Advertisement", "Informational", "Auto"}
	mmsContentClasses = [...]string{
		"TEXT", "IMAGE_BASIC", "IMAGE_RICH", "VIDEO_BASIC", "VIDEO_RICH", "MEGAPIXEL", "CONTENT_BASIC", "CONTENT_RICH",
	}
)

// DecodeMMSNotification reads the user data of a message for PushPort, whole. It is strict: the error
// is ErrNotMMS, or ErrMalformed for a notification that is cut off, or lacks what it is of no use
// without.
func DecodeMMSNotification(data []byte) (MMSNotification, error) {
	r, err := openPush(data)
	if err != nil {
		return MMSNotification{}, err
	}
	n, notification := MMSNotification{}, false
	for len(r.rest) > 0 && r.err == nil {
		name := r.octet("header")
		if name < 0x80 { // an application's own: a token and a text
			if name <= 0x20 || name == wspQuote {
				r.reject("header", "0x%02X is no name", name)
			}
			r.text("header", name)
			r.value("application header", true)
			continue
		}
		if name &= 0x7F; name == mmsContentType {
			break // what follows is a body
		}
		v := r.value("header", isMMSText(name))
		if name == mmsType {
			notification = v.form == wspShort && v.short == mmsNotificationInd
		}
		if err := n.set(name, v); r.err == nil {
			r.err = err
		}
	}
	switch {
	case r.err != nil:
		return MMSNotification{}, r.err
	case !notification:
		return MMSNotification{}, ErrNotMMS
	case n.TransactionID == "" || n.Location == "":
		return MMSNotification{}, malformed("notification", "has no X-Mms-Transaction-Id or no X-Mms-Content-Location")
	}
	return n, nil
}

// openPush is at the body of a WAP push of MMS (WAP-230-WSP section 8.2.4.1).
func openPush(data []byte) (*wspReader, error) {
	r := &wspReader{reader{rest: data}}
	r.octet("transaction")
	if kind := r.octet("PDU type"); r.err == nil && kind != wspPush {
		return nil, ErrNotMMS
	}
	headers := &wspReader{reader{rest: r.take("headers", r.uintvar("headers length"))}}
	kind := headers.value("Content-Type", false)
	if kind.form == wspOctets { // with parameters
		kind = wspOf(kind).value("Content-Type", false)
	}
	if r.err == nil {
		r.err = headers.err
	}
	mms := kind.form == wspShort && kind.short == mmsMediaCode ||
		kind.form == wspText && strings.EqualFold(string(kind.octets), mmsMediaType)
	if r.err == nil && !mms {
		r.err = ErrNotMMS
	}
	return r, r.err
}

// isMMSText says that a field is a text where it bears no length.
func isMMSText(name byte) bool {
	return name == mmsSubject || name == mmsTransaction || name == mmsLocation || name == mmsMessageID
}

// set notes one field.
func (n *MMSNotification) set(name byte, v wspValue) (err error) {
	switch name {
	case mmsTransaction:
		n.TransactionID, err = v.plain("X-Mms-Transaction-Id")
	case mmsMessageID:
		n.MessageID, err = v.plain("Message-ID")
	case mmsLocation:
		n.Location, err = v.plain("X-Mms-Content-Location")
	case mmsVersion:
		n.Version, err = v.version()
	case mmsFrom:
		n.From, err = v.mmsSender()
	case mmsSubject:
		n.Subject, err = v.encoded("Subject")
	case mmsClass:
		n.Class, err = v.token("X-Mms-Message-Class", mmsClasses[:])
	case mmsContentClass:
		n.ContentClass, err = v.token("X-Mms-Content-Class", mmsContentClasses[:])
	case mmsSize:
		n.Size, err = v.integer("X-Mms-Message-Size")
	case mmsExpiry:
		n.Expires, n.ExpiresIn, err = v.expiry()
	}
	return err
}

// token is a well-known word, or one of the sender's own; a number without a word is passed over.
func (v wspValue) token(field string, words []string) (string, error) {
	if v.form != wspShort {
		return v.plain(field)
	}
	if int(v.short) < len(words) {
		return words[v.short], nil
	}
	return "", nil
}

// version is a Version-value (WAP-230-WSP section 8.4.2.3): three bits before the point and four behind
// it, 15 for none.
func (v wspValue) version() (string, error) {
	if v.form != wspShort {
		return v.plain("X-Mms-MMS-Version")
	}
	major, minor := string('0'+rune(v.short>>4)), v.short&0x0F
	switch {
	case minor == 0x0F:
		return major, nil
	case minor > 9:
		return major + ".1" + string('0'+rune(minor-10)), nil
	}
	return major + "." + string('0'+rune(minor)), nil
}

// mmsSender is From: an address, or the wish that the server put one in, which it did not.
func (v wspValue) mmsSender() (string, error) {
	const field = "From"
	r := wspOf(v)
	switch token := r.octet(field); {
	case v.form != wspOctets || r.err != nil || token != mmsAddressPresent && token != mmsInsertAddress:
		return "", malformed(field, "is no address")
	case token == mmsInsertAddress:
		return "", nil
	}
	address, err := r.value(field, true).encoded(field)
	if err == nil {
		err = r.err
	}
	// OMA-TS-MMS_ENC section 8: the type follows the address.
	const kind = "/TYPE="
	if i := strings.LastIndexByte(address, '/'); i >= 0 && len(address)-i >= len(kind) && strings.EqualFold(address[i:i+len(kind)], kind) {
		address = address[:i]
	}
	return address, err
}

// expiry is an absolute time or a distance, in seconds.
func (v wspValue) expiry() (at time.Time, in time.Duration, err error) {
	const field = "X-Mms-Expiry"
	r := wspOf(v)
	token := r.octet(field)
	seconds, err := r.value(field, false).integer(field)
	switch {
	case v.form != wspOctets || r.err != nil || err != nil || token != mmsAbsolute && token != mmsRelative:
		return time.Time{}, 0, malformed(field, "is no time")
	case seconds > maxMMSSeconds:
		return time.Time{}, 0, nil // never
	case token == mmsAbsolute:
		return time.Unix(seconds, 0).UTC(), 0, nil
	}
	return time.Time{}, time.Duration(seconds) * time.Second, nil
}

// maxMMSSeconds keeps times within what JSON and a Duration can hold: the year 2242, or 272 years.
const maxMMSSeconds = 1 << 33
