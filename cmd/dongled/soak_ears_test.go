package main_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// The ears of a soak are receivers of webhooks, each registered for every event and with manners of its
// own: one that is always well, one that is so by spells, one that is dead until shortly before the
// end, and one that takes its time.
const (
	wellEar, moodyEar, deadEar, slowEar = "well", "moody", "dead", "slow"
	soakSigningKey                      = "key of the soak"
)

var earNames = []string{wellEar, moodyEar, deadEar, slowEar}

// earEvents are all that webhooks can be registered for.
var earEvents = strings.Fields(`sms:received sms:data-received sms:sent sms:delivered sms:failed sms:cancelled mms:received
	mms:downloaded system:ping app:started sms:batch:received sms:batch:data-received mms:batch:received
	mms:batch:downloaded call:received`)

// ear is one of them.
type ear struct {
	name string
	*httptest.Server

	mu    sync.Mutex
	now   manner
	posts []earPost
	wrong []complaint
}

// earPost is a post that was read; took says that it was answered with 200.
type earPost struct {
	came, answered  time.Time
	id, hook, event string
	payload, body   string
	took            bool
}

// manner is how an ear answers from a time on: with a status, none if that is 0, after a while.
type manner struct {
	ear    string
	status int
	takes  time.Duration
}

func (m manner) String() string {
	return fmt.Sprintf("the %s receiver answers %d after %v", m.ear, m.status, m.takes)
}

func (m manner) play(s *soak) { s.ears[m.ear].behave(m) }

func (e *ear) behave(m manner) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = m
}

// listenAll opens the ears.
func (s *soak) listenAll() {
	s.ears = map[string]*ear{}
	for _, name := range earNames {
		e := &ear{name: name, now: manner{status: http.StatusOK}}
		e.Server = httptest.NewServer(http.HandlerFunc(e.hear))
		s.t.Cleanup(e.Close)
		s.ears[name] = e
	}
}

// registerAll registers each ear for each event.
func (s *soak) registerAll() {
	for _, name := range earNames {
		for _, event := range earEvents {
			body := fmt.Sprintf(`{"id":%q,"url":%q,"event":%q}`, hookOf(name, event), s.ears[name].URL+"/hook", event)
			s.g.request(s.t, "POST", "/webhooks", body, http.StatusCreated)
		}
	}
}

func hookOf(ear, event string) string { return ear + "-" + strings.ReplaceAll(event, ":", "-") }

func (e *ear) hear(w http.ResponseWriter, req *http.Request) {
	came := time.Now()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // its sender was killed while it wrote
	}
	e.mu.Lock()
	m := e.now
	e.mu.Unlock()
	time.Sleep(m.takes)
	e.note(req, body, came, m.status == http.StatusOK)
	if m.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(m.status)
}

// note records a post, and what is wrong with it by itself.
func (e *ear) note(req *http.Request, body []byte, came time.Time, took bool) {
	var got struct {
		ID, WebhookID, Event, DeviceID string
		Payload                        json.RawMessage
	}
	err := json.Unmarshal(body, &got)
	mac := hmac.New(sha256.New, []byte(soakSigningKey))
	mac.Write(append(body, req.Header.Get("X-Timestamp")...))
	e.mu.Lock()
	defer e.mu.Unlock()
	if signature := hex.EncodeToString(mac.Sum(nil)); err != nil || req.Header.Get("X-Signature") != signature ||
		got.ID == "" || got.DeviceID == "" || got.WebhookID != hookOf(e.name, got.Event) {
		e.wrong = append(e.wrong, complaint{came, fmt.Sprintf("the %s receiver got %v, %v: %s", e.name, err, req.Header, body)})
	}
	e.posts = append(e.posts, earPost{came, time.Now(), got.ID, got.WebhookID, got.Event, string(got.Payload), string(body), took})
}

// manners draws how the ears behave in a soak of that length.
func (p *planner) manners(length time.Duration) (steps []soakStep) {
	steps = append(steps,
		soakStep{0, manner{slowEar, http.StatusOK, p.within(50*time.Millisecond, 150*time.Millisecond)}},
		soakStep{0, manner{deadEar, 0, 0}},
		soakStep{length - length/5, manner{deadEar, http.StatusOK, 0}})
	for at := time.Second; at < length; {
		ill := manner{moodyEar, pick(p, []int{0, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusFound}), 0}
		if p.oneIn(3) {
			ill.takes = p.within(time.Second, 3*time.Second)
		}
		steps = append(steps, soakStep{at, ill})
		at += p.within(time.Second/2, 3*time.Second)
		steps = append(steps, soakStep{at, manner{moodyEar, http.StatusOK, 0}})
		at += p.within(time.Second/2, 4*time.Second)
	}
	return steps
}

// earRow is a delivery as the API shows it.
type earRow struct {
	ID, WebhookID, Event, State string
	CreatedAt, NextAttemptAt    time.Time
}

// listDeliveries is all that the API shows of the deliveries to an ear, by id.
func (s *soak) listDeliveries(name string) map[string]earRow {
	const page = 500
	all := map[string]earRow{}
	for _, event := range earEvents {
		for offset, got := 0, page; got == page; offset += got {
			path := fmt.Sprintf("/webhooks/%s/deliveries?limit=%d&offset=%d", hookOf(name, event), page, offset)
			_, list := s.g.request(s.t, "GET", path, "", http.StatusOK)
			rows := decode[[]earRow](s.t, list)
			for _, r := range rows {
				all[r.ID] = r
			}
			got = len(rows)
		}
	}
	return all
}

// pendingFor is how many deliveries an ear has still to get.
func (s *soak) pendingFor(name string) (n int) {
	for _, event := range earEvents {
		header, _ := s.g.request(s.t, "GET", "/webhooks/"+hookOf(name, event)+"/deliveries?limit=1&state=pending", "", http.StatusOK)
		var here int
		if _, err := fmt.Sscan(header.Get("X-Total-Count"), &here); err != nil {
			s.t.Fatalf("X-Total-Count: %v", err)
		}
		n += here
	}
	return n
}
