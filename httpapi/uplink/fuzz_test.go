package uplink

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tmaxmax/go-sse"

	"dongled/scheduler/queue"
)

// FuzzMessage: whatever the server lists is either a submission or has a report that the server takes.
func FuzzMessage(f *testing.F) {
	f.Add(`{"id":"a","textMessage":{"text":"hello"},"phoneNumbers":["+4915112345678"],"simNumber":1,"ttl":60,"priority":5}`)
	f.Add(`{"id":"a","dataMessage":{"data":"AAH/","port":53739},"phoneNumbers":["1"],"isEncrypted":true,"state":"Cancelling"}`)
	f.Add(`{"id":"a","message":"x","phoneNumbers":["1",2,null],"priority":1e3,"validUntil":"2026-09-01T12:00:00Z"}`)
	f.Add(`{"id":"a","ttl":9223372036854775807,"phoneNumbers":["1"],"message":"x","createdAt":"9999-12-31T23:59:59Z"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, raw string) {
		m, err := decodeMessage(json.RawMessage(raw))
		if m.ID == "" || len(m.PhoneNumbers) == 0 {
			return
		}
		var s queue.Submission
		if err == nil {
			s, err = m.submission("d")
		}
		if err != nil {
			r := m.ended(queue.Failed, problemOf(m, err))
			if len(r.Recipients) != len(m.PhoneNumbers) || *r.Recipients[0].Error == "" {
				t.Errorf("report %+v", r)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
			return
		}
		if s.Content.Text == "" && len(s.Content.Data) == 0 || s.Content.Text != "" && len(s.Content.Data) > 0 {
			t.Errorf("content %+v", s.Content)
		}
		q := queue.Message{ID: s.ID, Meta: s.Meta, State: queue.Sent, Recipients: make([]queue.Recipient, len(s.Recipients))}
		if own, err := metaOf(&q); err != nil || own.Device != "d" || len(own.To) != len(s.Recipients) {
			t.Errorf("meta %+v, %v", own, err)
		}
	})
}

// FuzzEvents: whatever the stream says is an event or none.
func FuzzEvents(f *testing.F) {
	f.Add("event: MessageEnqueued\ndata: null\n\n:keepalive\n\n")
	f.Add("event: MessageCancelled\ndata: {\"messageId\":\"a\"}\n\n")
	f.Add("event: MessagesExportRequested\ndata: {\"since\":\"2026-09-01T10:00:00Z\",\"until\":\"2026-09-01T12:00:00Z\",\"messageTypes\":\",,\"}\n\n")
	f.Add("data\n\nevent\r\nretry: 9999999999999\rid: \x00\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		s := &session{Uplink: New(Options{}), woken: make(chan struct{}, 1)}
		for e, err := range sse.Read(strings.NewReader(stream), nil) {
			if err != nil {
				break
			}
			s.hear(e)
		}
		for _, e := range s.exports {
			if e.Until.Before(e.Since) || len(e.Types) == 0 {
				t.Errorf("export %+v", e)
			}
		}
	})
}
