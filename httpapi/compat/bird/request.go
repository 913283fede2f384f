package bird

import "encoding/json"

// request is the body of a send, as the vendor's page has it. What the page calls an object and nothing
// reads is kept as it came.
type request struct {
	Sender             *senderWish     `json:"sender"`
	Receiver           *receiverWish   `json:"receiver"`
	Reference          string          `json:"reference"`
	Template           json.RawMessage `json:"template"`
	Meta               json.RawMessage `json:"meta"`
	ReplyTo            *replyTo        `json:"replyTo"`
	Body               *bodyWish       `json:"body"`
	Notification       *notification   `json:"notification"`
	CapFrequency       bool            `json:"capFrequency"`
	EnableLinkTracking bool            `json:"enableLinkTracking"`
	IgnoreQuietHours   bool            `json:"ignoreQuietHours"`
	Tags               []string        `json:"tags"`
	ShortLinks         *shortLinks     `json:"shortLinks"`
	ScheduledFor       *string         `json:"scheduledFor"`
	// Validity is in seconds.
	Validity *int64 `json:"validity"`
}

type senderWish struct {
	Connector *struct {
		IdentifierValue string `json:"identifierValue"`
	} `json:"connector"`
}

type receiverWish struct {
	Contacts []contactWish `json:"contacts"`
}

type contactWish struct {
	ID              string `json:"id"`
	IdentifierKey   string `json:"identifierKey"`
	IdentifierValue string `json:"identifierValue"`
	Type            string `json:"type"`
	PlatformAddress string `json:"platformAddress"`
}

type bodyWish struct {
	Type  string     `json:"type"`
	Text  *textWish  `json:"text"`
	Image *imageWish `json:"image"`
	File  *fileWish  `json:"file"`
}

type textWish struct {
	Text        string            `json:"text"`
	Attachments []json.RawMessage `json:"attachments"`
	Actions     []json.RawMessage `json:"actions"`
	Metadata    json.RawMessage   `json:"metadata"`
}

type media struct {
	MediaURL string `json:"mediaUrl"`
}

type imageWish struct {
	Images   []media         `json:"images"`
	Text     string          `json:"text"`
	Metadata json.RawMessage `json:"metadata"`
}

type fileWish struct {
	Files    []media         `json:"files"`
	Text     string          `json:"text"`
	Metadata json.RawMessage `json:"metadata"`
}

// fields are where the values of the top level go.
func (r *request) fields() map[string]any {
	return map[string]any{
		"sender": &r.Sender, "receiver": &r.Receiver, "reference": &r.Reference, "template": &r.Template,
		"meta": &r.Meta, "replyTo": &r.ReplyTo, "body": &r.Body, "notification": &r.Notification,
		"capFrequency": &r.CapFrequency, "enableLinkTracking": &r.EnableLinkTracking,
		"ignoreQuietHours": &r.IgnoreQuietHours, "tags": &r.Tags, "shortLinks": &r.ShortLinks,
		"scheduledFor": &r.ScheduledFor, "validity": &r.Validity,
	}
}

// parseRequest reads a body.
func parseRequest(body []byte, strict bool) (*request, error) {
	r := &request{}
	return r, decode(body, strict, r.fields())
}
