package httpapi

import (
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"dongled/httpapi/templates"
	"dongled/scheduler/queue"
)

// Limits of SMSGate's API on a request.
const (
	maxIDLen      = 36
	maxTextLen    = 65535 // characters
	maxDataLen    = 65535 // characters of base64
	maxPort       = 65535
	maxRecipients = 100
	maxNumberLen  = 128
	maxCipherLen  = 512 // of a number that is encrypted
	maxSIM        = 255
	minPriority   = -128
	maxPriority   = 127
	// maxTTL is 100 years in seconds, far beyond any use; it keeps time arithmetic from wrapping.
	maxTTL = 100 * 365 * 24 * 3600
)

// submissionFields are the fields of a request that parseSubmission knows.
var submissionFields = []string{
	"id", "deviceId", "message", "textMessage", "dataMessage", "mmsMessage", "flashMessage", "templateMessage",
	"phoneNumbers", "isEncrypted", "simNumber", "withDeliveryReport", "priority",
	"ttl", "validUntil", "scheduleAt",
}

// parseSubmission reads the body of POST /messages. deviceID is this gateway's own. A message without a
// content is of what the template makes, which is nil for any other. Every error is a *queue.FieldError.
func parseSubmission(body []byte, deviceID string, now time.Time) (queue.Submission, *templates.Request, error) {
	o := parseBody(body, submissionFields...)
	encrypted, _ := o.flag("isEncrypted")
	content, template := o.content(encrypted)
	s := queue.Submission{
		ID:         o.messageID(),
		Content:    content,
		Recipients: o.recipients(encrypted),
		Report:     true,
		Encrypted:  encrypted,
	}
	o.ownDevice(deviceID)
	if sim, found := o.integer("simNumber", 0, maxSIM); found {
		s.SIM = int(sim)
	}
	if report, found := o.flag("withDeliveryReport"); found {
		s.Report = report
	}
	if priority, found := o.integer("priority", minPriority, maxPriority); found {
		s.Priority = int8(priority)
	}
	s.ValidUntil = o.validity(now)
	s.ScheduleAt = o.schedule(now, s.ValidUntil)
	return s, template, o.err
}

func (o *object) messageID() string {
	id, _ := o.text("id")
	if id != "" && !validID(id) {
		o.reject("id", "must be 1 to %d characters out of A-Z a-z 0-9 - . _ ~ ! $ & ' ( ) * + , ; = : @", maxIDLen)
	}
	return id
}

// validID accepts pchar of RFC 3986 section 3.3 without percent-encoding, so that an id stands in
// a URL path as it is; "." and ".." would not survive there.
func validID(id string) bool {
	if id == "" || len(id) > maxIDLen || id == "." || id == ".." {
		return false
	}
	for _, r := range id {
		alnum := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !alnum && !strings.ContainsRune("-._~!$&'()*+,;=:@", r) {
			return false
		}
	}
	return true
}

func (o *object) ownDevice(deviceID string) {
	if id, _ := o.text("deviceId"); id != "" && id != deviceID {
		o.reject("deviceId", "failed to select device: record not found")
	}
}

// content reads the one of textMessage, dataMessage, flashMessage, templateMessage and the deprecated
// message that is present.
func (o *object) content(encrypted bool) (queue.Content, *templates.Request) {
	if _, found := o.take("mmsMessage"); found {
		o.reject("mmsMessage", "not supported: MMS need a data connection and an MMSC; send a textMessage")
	}
	plain, hasPlain := o.text("message")
	text := o.nested("textMessage", "text")
	flash := o.nested("flashMessage", "text")
	data := o.nested("dataMessage", "data", "port")
	template := o.nested("templateMessage", append([]string{"template"}, renderFields...)...)
	// An empty message beside another content is how some clients write "none".
	others := count(text != nil, flash != nil, data != nil, template != nil)
	hasPlain = hasPlain && (plain != "" || others == 0)

	switch others + count(hasPlain) {
	case 0:
		o.reject("body", "must specify exactly one of: textMessage, dataMessage, or message")
		return queue.Content{}, nil
	case 1:
	default:
		o.reject("body", "cannot specify multiple message types simultaneously: textMessage, dataMessage, flashMessage, templateMessage, message")
		return queue.Content{}, nil
	}
	switch {
	case text != nil:
		return queue.Content{Text: o.innerText(text)}, nil
	case flash != nil:
		return queue.Content{Text: o.innerText(flash), Flash: true}, nil
	case data != nil:
		content := data.dataContent(encrypted)
		o.adopt(data)
		return content, nil
	case template != nil:
		return queue.Content{}, o.template(template, encrypted)
	}
	return queue.Content{Text: o.checkText("message", plain, true)}, nil
}

// template reads a templateMessage.
func (o *object) template(inner *object, encrypted bool) *templates.Request {
	r := inner.render()
	id, found := inner.text("template")
	switch {
	case !found:
		inner.reject("template", "is required")
	case encrypted:
		inner.reject("template", "cannot be of a message that is encrypted")
	}
	r.Project = id
	o.adopt(inner)
	return &r
}

// innerText reads the text of a textMessage or flashMessage.
func (o *object) innerText(inner *object) string {
	value, found := inner.text("text")
	value = inner.checkText("text", value, found)
	o.adopt(inner)
	return value
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

func (o *object) checkText(field, value string, found bool) string {
	switch {
	case !found:
		o.reject(field, "is required")
	case value == "":
		o.reject(field, "must not be empty")
	case utf8.RuneCountInString(value) > maxTextLen:
		o.reject(field, "must have at most %d characters", maxTextLen)
	}
	return value
}

// dataContent reads data and port. Data that is encrypted stays as it came.
func (o *object) dataContent(encrypted bool) queue.Content {
	encoded, found := o.text("data")
	switch {
	case !found:
		o.reject("data", "is required")
	case encoded == "":
		o.reject("data", "must not be empty")
	case len(encoded) > maxDataLen:
		o.reject("data", "must have at most %d characters", maxDataLen)
	}
	data := []byte(encoded)
	if !encrypted {
		var err error
		if data, err = base64.StdEncoding.DecodeString(encoded); err != nil || len(data) == 0 {
			o.reject("data", "must be base64 with padding (RFC 4648 section 4)")
		}
	}
	port, found := o.integer("port", 0, maxPort)
	if !found {
		o.reject("port", "is required")
	}
	return queue.Content{Data: data, Port: uint16(port)}
}

func (o *object) recipients(encrypted bool) []string {
	most := maxNumberLen
	if encrypted {
		most = maxCipherLen
	}
	numbers := o.texts("phoneNumbers", maxRecipients)
	if len(numbers) == 0 {
		o.reject("phoneNumbers", "must have 1 to %d numbers", maxRecipients)
	}
	seen := make(map[string]bool, len(numbers))
	for i, number := range numbers {
		switch length := utf8.RuneCountInString(number); {
		case length == 0 || length > most:
			o.reject(element("phoneNumbers", i), "must have 1 to %d characters", most)
		case seen[number]:
			o.reject(element("phoneNumbers", i), "phone numbers must be unique")
		}
		seen[number] = true
	}
	return numbers
}

// validity returns when the message expires, by ttl or validUntil; zero means never.
func (o *object) validity(now time.Time) time.Time {
	ttl, hasTTL := o.integer("ttl", 1, maxTTL)
	until, hasUntil := o.time("validUntil")
	switch {
	case hasTTL && hasUntil:
		o.reject("ttl", "fields conflict: ttl and validUntil")
	case hasTTL:
		return now.Add(time.Duration(ttl) * time.Second)
	case hasUntil && !until.After(now):
		o.reject("validUntil", "message already expired")
	}
	return until
}

func (o *object) schedule(now, validUntil time.Time) time.Time {
	at, found := o.time("scheduleAt")
	switch {
	case !found:
	case !at.After(now):
		o.reject("scheduleAt", "must be in the future")
	case !validUntil.IsZero() && at.After(validUntil):
		o.reject("scheduleAt", "scheduleAt must be less than or equal to validUntil")
	}
	return at
}

func (o *object) time(field string) (value time.Time, found bool) {
	s, found := o.text(field)
	if !found {
		return time.Time{}, false
	}
	value, ok := parseTime(s)
	if !ok {
		o.reject(field, "must be a date and time as in RFC 3339, such as 2030-12-31T23:59:59Z")
	}
	return value, ok
}

// timeLayouts are RFC 3339, the same with a zone without colon (PHP), and without a zone
// (Python's naive datetimes), which is taken for UTC. Fractions of a second pass in each.
var timeLayouts = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"}

func parseTime(s string) (t time.Time, ok bool) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
