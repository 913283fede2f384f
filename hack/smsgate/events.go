package smsgate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// events streams what happens to a device until the client goes away or CutStreams.
func (s *Server) events(w http.ResponseWriter, r *http.Request, d *Device) {
	frames := make(chan string, 64)
	s.mu.Lock()
	d.streams[frames] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(d.streams, frames)
		s.mu.Unlock()
	}()
	flush := http.NewResponseController(w).Flush
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	_ = flush() // an answer that cannot be flushed shows that itself
	every := s.KeepAlive
	if every == 0 {
		every = 15 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		frame := ":keepalive\n\n"
		select {
		case <-r.Context().Done():
			return
		case f, open := <-frames:
			if !open {
				return
			}
			frame = f
		case <-tick.C:
		}
		if _, err := w.Write([]byte(frame)); err != nil || flush() != nil {
			return
		}
	}
}

// Push sends an event to every device; data may be nil. Nobody repeats it for those who do not listen.
func (s *Server) Push(event string, data map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.push(event, data)
}

func (s *Server) push(event string, data map[string]string) {
	raw, err := json.Marshal(data) // null for nil
	if err != nil {
		panic(err)
	}
	for _, d := range s.devices {
		for frames := range d.streams {
			select {
			case frames <- fmt.Sprintf("event: %s\ndata: %s\n\n", event, raw):
			default: // it does not read
			}
		}
	}
}

// CutStreams ends all streams of events.
func (s *Server) CutStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		for frames := range d.streams {
			close(frames)
			delete(d.streams, frames)
		}
	}
}

// Streams is how many streams of events are open.
func (s *Server) Streams() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		n += len(d.streams)
	}
	return n
}

// Enqueue gives a message to the device that registered last, as when a client posts it.
func (s *Server) Enqueue(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	m.seq, m.State, m.CreatedAt = s.seq, "Pending", time.Now()
	m.States = map[string]time.Time{"Pending": m.CreatedAt}
	m.Recipients = map[string]Recipient{}
	if m.TextMessage != nil {
		m.Message = m.TextMessage.Text
	}
	for _, to := range m.PhoneNumbers {
		m.Recipients[to] = Recipient{State: "Pending"}
	}
	d := s.devices[len(s.devices)-1]
	d.messages[m.ID] = &m
	s.push("MessageEnqueued", nil)
}

// Cancel is a client's; it reports whether the message was still Pending.
func (s *Server) Cancel(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if m := d.messages[id]; m != nil && m.State == "Pending" {
			m.State = "Cancelling"
			s.push("MessageCancelled", map[string]string{"messageId": id})
			return true
		}
	}
	return false
}

// Message is what the server knows of a message of the device that registered last.
func (s *Server) Message(id string) (found Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.devices) == 0 || s.devices[len(s.devices)-1].messages[id] == nil {
		return found
	}
	found = *s.devices[len(s.devices)-1].messages[id]
	found.Recipients, found.States, found.History = maps.Clone(found.Recipients), maps.Clone(found.States), slices.Clone(found.History)
	return found
}

// Devices are those that registered.
func (s *Server) Devices() (all []Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		all = append(all, Device{ID: d.ID, Token: d.Token, Name: d.Name, SIMCards: bytes.Clone(d.SIMCards)})
	}
	return all
}

// Forget makes all tokens worthless.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		d.Token = ""
	}
}

// SetWebhooks sets what GET /webhooks answers, and tells the devices.
func (s *Server) SetWebhooks(raw string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhooks = json.RawMessage(raw)
	s.push("WebhooksUpdated", nil)
}

// SetSettings sets what GET /settings answers, and tells the devices.
func (s *Server) SetSettings(raw string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings = json.RawMessage(raw)
	s.push("SettingsUpdated", nil)
}

// Requests counts the requests so far by method and path, such as "GET /messages".
func (s *Server) Requests(request string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r == request {
			n++
		}
	}
	return n
}
