package bird

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"dongled/httpapi/compat"
)

// content takes the body or the template: the vendor's page wants exactly one.
func (d *Dialect) content(o *order, r *request, ch channel) error {
	switch {
	case r.Body != nil && len(r.Template) > 0:
		return compat.Fault("template", "must be the only one of body and template")
	case len(r.Template) > 0:
		return d.templated(o, r.Template, ch)
	case r.Body == nil:
		return compat.Fault("body", "must be set, or template")
	}
	b := r.Body
	switch {
	case b.Type == "text" && b.Text != nil:
		return o.plain(b.Text)
	case b.Type == "image" && b.Image != nil:
		return d.media(o, ch, b.Type, "images", b.Image.Images, b.Image.Text, b.Image.Metadata)
	case b.Type == "file" && b.File != nil:
		return d.media(o, ch, b.Type, "files", b.File.Files, b.File.Text, b.File.Metadata)
	case b.Type == "text" || b.Type == "image" || b.Type == "file":
		return compat.Fault("body."+b.Type, "must be set, as body.type says")
	case b.Type == "":
		return compat.Fault("body.type", "must be text")
	}
	return compat.Fault("body.type", "must be text: an SMS channel sends nothing else")
}

// plain takes a text. What of it an SMS cannot carry is refused, not left out.
func (o *order) plain(t *textWish) error {
	subject, err := subjectOf("body.text.metadata", t.Metadata)
	switch {
	case err != nil:
		return err
	case t.Text == "":
		return compat.Fault("body.text.text", "must not be empty")
	case len(t.Attachments) > 0:
		return compat.Fault("body.text.attachments", "must be left out: an SMS carries no media")
	case len(t.Actions) > 0:
		return compat.Fault("body.text.actions", "must be left out: an SMS has no buttons")
	case subject != "":
		return compat.Fault("body.text.metadata.subject", "must be left out: an SMS has no subject")
	}
	o.text, o.kept.Metadata = t.Text, t.Metadata
	return nil
}

// subjectOf reads the one thing in metadata that a recipient would see.
func subjectOf(field string, metadata json.RawMessage) (string, error) {
	var about struct {
		Subject string `json:"subject"`
	}
	switch {
	case len(metadata) == 0:
		return "", nil
	case len(metadata) > maxKept:
		return "", compat.Fault(field, "must have at most %d bytes", maxKept)
	case json.Unmarshal(metadata, &about) != nil:
		return "", compat.Fault(field, "must be an object, and its subject a string")
	}
	return about.Subject, nil
}

// maxMedia is what the vendor's page allows.
const maxMedia = 10

// media refuses images and files, as the vendor does on a channel without MMS; or makes a text of them, if
// the configuration says so: the subject, the text, and each URL have a line of their own.
func (d *Dialect) media(o *order, ch channel, kind, list string, items []media, text string, metadata json.RawMessage) error {
	if !d.opts.MMSFallback {
		return noMMS("body.type", ch, fmt.Sprintf("body.type %q", kind))
	}
	field := "body." + kind
	subject, err := subjectOf(field+".metadata", metadata)
	if err != nil {
		return err
	}
	if len(items) < 1 || len(items) > maxMedia {
		return compat.Fault(field+"."+list, "must be 1 to %d, not %d", maxMedia, len(items))
	}
	var lines []string
	for _, line := range []string{subject, text} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	for i, item := range items {
		u, err := url.Parse(item.MediaURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return compat.Fault(fmt.Sprintf("%s.%s[%d].mediaUrl", field, list, i), "must be an http or https URL")
		}
		lines = append(lines, item.MediaURL)
	}
	o.text, o.kept.Metadata, o.kept.Media = strings.Join(lines, "\n"), metadata, true
	return nil
}

// noMMS says what of a request would need MMS, which no modem here sends.
func noMMS(field string, ch channel, what string) error {
	return compat.Fault(field, "channel %s is not MMS capable: %s cannot be sent by SMS", ch.ID, what)
}
