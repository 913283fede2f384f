package bird

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/templates"
	"dongled/scheduler/queue"
)

// The media of the vendor's page.
const (
	pageAvif  = "https://files.gitbook.com/v0/b/gitbook-x-prod.appspot.com/o/spaces%2FdnJZeZvhOMhDQA8SpjQM%2Fuploads%2FRPPgQAGyZE7rvIh3WM2Z%2Fimage2.avif?alt=media"
	pagePNG   = "https://files.gitbook.com/v0/b/gitbook-x-prod.appspot.com/o/spaces%2FdnJZeZvhOMhDQA8SpjQM%2Fuploads%2FrEM9zztd8SEiJS6RQuR3%2Fimage.png?alt=media"
	pageVideo = "https://files.gitbook.com/v0/b/gitbook-x-prod.appspot.com/o/spaces%2FdnJZeZvhOMhDQA8SpjQM%2Fuploads%2FtXMQ4lIinia9ehf4EpC4%2Fvideo.mp4?alt=media"
	pageAudio = "https://files.gitbook.com/v0/b/gitbook-x-prod.appspot.com/o/spaces%2FdnJZeZvhOMhDQA8SpjQM%2Fuploads%2FbgnxOoaF4aHSHUzMFCna%2Faudio.mp3?alt=media"
)

// pageMedia are all samples of media on the vendor's page, with the texts that the fallback sends.
var pageMedia = map[string]string{
	"image":             pageAvif,
	"image_text":        "Single image message\n" + pageAvif,
	"image_text_title":  "Message subject\nSingle image message\n" + pageAvif,
	"images":            pageAvif + "\n" + pagePNG,
	"images_text":       "Multiple images message\n" + pageAvif + "\n" + pagePNG,
	"images_text_title": "Message subject\nMultiple images message\n" + pageAvif + "\n" + pagePNG,
	"file":              pageVideo,
	"file_text":         "Single file message\n" + pageVideo,
	"file_text_title":   "Message subject\nSingle file message\n" + pageVideo,
	"files":             "Multiple files message\n" + pageVideo + "\n" + pageAudio, // so on the page, text and all
	"files_text":        "Multiple files message\n" + pageVideo + "\n" + pageAudio,
	"files_text_title":  "Message subject\nMultiple files message\n" + pageVideo + "\n" + pageAudio,
}

// TestPageText: the page's body is accepted in both of its wrappers, and goes out.
func TestPageText(t *testing.T) {
	b := newBench(t, nil)
	for _, wrapper := range []string{wrappedBody, wrappedBodyNoKey} {
		m := b.accepted(wrap(wrapper, pageSample(t, "text")))
		if m.Status != "accepted" || m.Direction != "outgoing" || m.Body.Text.Text != "Single text message" || m.ChannelID != testChannel {
			t.Errorf("%+v", m)
		}
		if to := m.Receiver.Contacts; len(to) != 1 || to[0].IdentifierValue != "+31612345678" || to[0].IdentifierKey != "phonenumber" {
			t.Errorf("receiver %+v", to)
		}
		if from := m.Sender.Connector; from == nil || from.IdentifierValue != "+491510000001" || from.Annotations.Name != "Shop" {
			t.Errorf("sender %+v", from)
		}
		b.Await(m.ID, queue.Sent)
	}
	for _, p := range b.SIMs[0].Sent() {
		if p.Text != "Single text message" || p.Destination != "+31612345678" || !p.Report {
			t.Errorf("sent %+v", p)
		}
	}
	if n := len(b.SIMs[0].Sent()); n != 2 {
		t.Errorf("%d parts sent, want 2", n)
	}
}

// TestPageFetch: the page's own request names nobody.
func TestPageFetch(t *testing.T) {
	b := newBench(t, nil)
	if got := b.refused(`{"receiver": {}}`, "receiver.contacts"); got != "must have exactly one contact" {
		t.Error(got)
	}
}

// TestPageMedia: every image and file of the page is refused with the reason.
func TestPageMedia(t *testing.T) {
	b := newBench(t, nil)
	for name := range pageMedia {
		kind, _, _ := strings.Cut(strings.ReplaceAll(name, "s", ""), "_")
		want := `channel ` + testChannel + ` is not MMS capable: body.type "` + kind + `" cannot be sent by SMS`
		for _, wrapper := range []string{wrappedBody, wrappedBodyNoKey} {
			if got := b.refused(wrap(wrapper, pageSample(t, name)), "body.type"); got != want {
				t.Errorf("%s: %s\nwant %s", name, got, want)
			}
		}
	}
}

// TestPageMediaAsText: by setting, each is a text with its URLs, in the words of the answer and on the air.
func TestPageMediaAsText(t *testing.T) {
	b := newBench(t, func(o *Options) { o.MMSFallback = true })
	for _, name := range slices.Sorted(maps.Keys(pageMedia)) {
		before := len(b.SIMs[0].Sent())
		m := b.accepted(wrap(wrappedBody, pageSample(t, name)))
		if m.Body.Type != "text" || m.Body.Text.Text != pageMedia[name] || m.Details != "mms_fallback" {
			t.Errorf("%s: %+v, details %q", name, m.Body, m.Details)
		}
		b.Await(m.ID, queue.Sent)
		var sent strings.Builder
		for _, p := range b.SIMs[0].Sent()[before:] {
			sent.WriteString(p.Text)
		}
		if sent.String() != pageMedia[name] {
			t.Errorf("%s: sent %q", name, sent.String())
		}
	}
}

// TestPageTemplate: the page's template, with what it needs to be there.
func TestPageTemplate(t *testing.T) {
	b := newBench(t, nil)
	const project = "ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318"
	sample := pageSample(t, "template")
	if got := b.refused(wrap(wrappedTemplate, sample), "template.projectId"); !strings.Contains(got, project) {
		t.Errorf("the id is not named: %s", got)
	}
	b.template(project, templates.Wording{Texts: map[string]string{"en": "Hello {{name}}"}})
	for _, wrapper := range []string{wrappedTemplate, wrappedTemplateNoKey} {
		m := b.accepted(wrap(wrapper, sample))
		if m.Body.Text.Text != "Hello Robert" {
			t.Errorf("body %+v", m.Body)
		}
		if !sameJSON(t, string(m.Template), sample) {
			t.Errorf("template %s", m.Template)
		}
		b.Await(m.ID, queue.Sent)
	}
	if sent := b.SIMs[0].Sent(); len(sent) != 2 || sent[0].Text != "Hello Robert" {
		t.Errorf("sent %+v", sent)
	}
}

// template has a project with one active version.
func (b bench) template(id string, w templates.Wording) {
	b.t.Helper()
	p, err := b.Templates.Create(b.t.Context(), id, "a name", w)
	if err == nil {
		_, err = b.Templates.Activate(b.t.Context(), id, p.Versions[0].ID)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestPageResponse: all keys of the page's answer are in ours, of a message that has something to say
// under each; and those that are required are in that of the barest.
func TestPageResponse(t *testing.T) {
	b := newBench(t, nil)
	b.SIMs[0].Answer(func(p compattest.Part) error {
		if p.Concat != nil && p.Concat.Number == 2 {
			return compattest.Refuse(1)(p)
		}
		return nil
	})
	full := b.accepted(`{"receiver":{"contacts":[{"identifierValue":"+31612345678"}]},
		"body":{"type":"text","text":{"text":"` + strings.Repeat("long ", 50) + `","metadata":{"line":{"emoji":{"items":[]}}}}},
		"reference":"text","replyTo":{"id":"text","type":"message"},"tags":["text"],"shortLinks":{"enabled":false},
		"scheduledFor":"2024-11-21T09:14:49.469Z","meta":{"flow":{"name":"text"}}}`)
	b.Await(full.ID, queue.Failed)
	got := decoded[map[string]json.RawMessage](t, b.fetch(messagesOf(testChannel)+"/"+full.ID).Body)
	for key := range decoded[map[string]json.RawMessage](t, pageSample(t, "response")) {
		if _, there := got[key]; !there {
			t.Errorf("%s is not there", key)
		}
	}
	for _, key := range []string{"id", "channelId", "sender", "receiver", "status", "lastStatusAt", "createdAt", "updatedAt"} {
		bare := decoded[map[string]json.RawMessage](t, b.post(testChannel, with("")).Body)
		if v := string(bare[key]); v == "" || v == "null" || v == `""` {
			t.Errorf("%s is %q", key, v)
		}
	}
}

// sameJSON reports whether two texts are one value.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	return reflect.DeepEqual(decoded[any](t, a), decoded[any](t, b))
}
