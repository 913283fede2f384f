package main_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"dongled/scheduler/inbox"
)

func (l *letter) play(s *soak) {
	s.letters = append(s.letters, l)
	if l.fault != nil {
		s.sticks[l.sim-1].AddFaults(*l.fault)
	}
	s.going.Go(func() { s.post(l) })
}

// body is the request. The gateway's id and the client's are the same, so that a request that got no
// answer can be repeated.
func (l *letter) body() string {
	m := map[string]any{"id": l.id, "phoneNumbers": l.shown, "priority": l.priority, "withDeliveryReport": l.report}
	said := l.text
	if l.said != "" {
		said, m["isEncrypted"] = l.said, true
	} else if l.data != nil {
		said = base64.StdEncoding.EncodeToString(l.data)
	}
	switch {
	case l.data != nil:
		m["dataMessage"] = map[string]any{"data": said, "port": 2948}
	case l.flash:
		m["flashMessage"] = map[string]any{"text": said}
	default:
		m["textMessage"] = map[string]any{"text": said}
	}
	if l.sim != 0 {
		m["simNumber"] = l.sim
	}
	body, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(body)
}

// post has l accepted, over whatever restarts come between, and then perhaps withdrawn.
func (s *soak) post(l *letter) {
	from := time.Now()
	status, tries, said := s.insist("POST", "/messages", l.body())
	took := time.Since(from)
	if status != http.StatusAccepted && !(status == http.StatusConflict && tries > 1) {
		s.wrong(time.Now(), "%s, posted %d times: status %d: %s", l.id, tries, status, said)
		return
	}
	a := answer{at: time.Now(), accepted: true}
	if l.cancel > 0 {
		time.Sleep(l.cancel)
		status, _, said = s.insist("DELETE", "/messages/"+l.id, "")
		if status != http.StatusOK && status != http.StatusConflict {
			s.wrong(time.Now(), "%s, withdrawn: status %d: %s", l.id, status, said)
		}
		a.withdrawn = status == http.StatusOK
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.posted[l.id] = a; tries == 1 {
		s.accepting = append(s.accepting, took)
	}
}

// insist repeats a request until a gateway answers it.
func (s *soak) insist(method, path, body string) (status, tries int, said []byte) {
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		tries++
		resp, said, err := s.gateway().try(method, path, body)
		if err == nil {
			return resp.StatusCode, tries, said
		}
		if time.Now().After(deadline) {
			return 0, tries, []byte(err.Error())
		}
	}
}

// drainPatience is how long what is under way may take after the last fault.
const drainPatience = 2 * time.Minute

// drain mends the dongles and waits until everything has its end, and every report has come. A SIM that
// often gave no answer is left alone for minutes, which the last restart cuts short.
func (s *soak) drain() {
	for _, d := range s.sticks {
		d.ClearFaults()
	}
	s.ears[moodyEar].behave(manner{moodyEar, http.StatusOK, 0})
	s.played = append(s.played, soakStep{time.Since(s.began), restart{}})
	s.restart(restart{})
	s.vendors.ear.heal()
	s.endLife()
	from := time.Now()
	late := from.Add(latestReport + 3*time.Second)
	for {
		open := s.g.count(s.t, "Pending") + s.g.count(s.t, "Processed")
		in, want := s.inboxCount(), s.wantNotes()
		if open == 0 && in >= want && time.Now().After(late) && s.pendingFor(wellEar) == 0 && s.pendingCallbacks() == "0" {
			s.t.Logf("drained in %v", time.Since(from).Round(time.Second))
			return
		}
		if time.Since(from) > drainPatience {
			_, modems := s.g.request(s.t, "GET", "/modems", "", http.StatusOK)
			s.wrong(time.Now(), "%v after the last fault %d messages have no end, %d of %d are in the inbox, and %d events and %s callbacks are not told; the modems: %s",
				drainPatience, open, in, want, s.pendingFor(wellEar), s.pendingCallbacks(), modems)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *soak) wantNotes() (n int) {
	for _, note := range s.notes {
		if !note.unreadable {
			n++
		}
	}
	return n
}

func (s *soak) inboxCount() (n int) {
	header, _ := s.g.request(s.t, "GET", "/inbox?limit=1", "", http.StatusOK)
	if _, err := fmt.Sscan(header.Get("X-Total-Count"), &n); err != nil {
		s.t.Fatalf("X-Total-Count: %v", err)
	}
	return n
}

// incoming is what the API says of a message that came in.
type incoming struct {
	ID, Type, Sender, Recipient string
	SIMNumber                   int
	ContentPreview              string
	CreatedAt                   time.Time
	Attachments                 []any
	Partial                     bool
}

// listInbox is all that GET /inbox shows, by id.
func (s *soak) listInbox() map[string]incoming {
	const page = 500
	all := map[string]incoming{}
	for offset := 0; ; offset += page {
		_, list := s.g.request(s.t, "GET", fmt.Sprintf("/inbox?limit=%d&offset=%d", page, offset), "", http.StatusOK)
		got := decode[[]incoming](s.t, list)
		for _, m := range got {
			if _, twice := all[m.ID]; twice {
				s.wrong(m.CreatedAt, "GET /inbox shows %s twice", m.ID)
			}
			all[m.ID] = m
		}
		if len(got) < page {
			return all
		}
	}
}

// previewOf is how the API shows the content of a stored message.
func previewOf(m inbox.Message) string {
	if m.Kind == inbox.DataSMS {
		return fmt.Sprintf("%x", m.Data)
	}
	return m.Text
}
