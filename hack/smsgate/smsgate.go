// Package smsgate is the device API of an SMSGate server, in memory, for tests alone: those of the
// uplink and of the daemon run against it. It does what the server of September 2026 does, its quirks
// too (its own test lists them), and fails as it is told. Paths are those behind /api/mobile/v1.
package smsgate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// pageLen is how many messages the server lists.
const pageLen = 100

// Message is one that a client of the server posted.
type Message struct {
	ID                 string       `json:"id"`
	Message            string       `json:"message"`
	TextMessage        *TextMessage `json:"textMessage,omitempty"`
	DataMessage        *DataMessage `json:"dataMessage,omitempty"`
	PhoneNumbers       []string     `json:"phoneNumbers"`
	IsEncrypted        bool         `json:"isEncrypted"`
	SIMNumber          *int         `json:"simNumber"`
	WithDeliveryReport bool         `json:"withDeliveryReport"`
	TTL                *int         `json:"ttl"`
	ValidUntil         *time.Time   `json:"validUntil"`
	ScheduleAt         *time.Time   `json:"scheduleAt"`
	Priority           int          `json:"priority"`
	State              string       `json:"state"`
	CreatedAt          time.Time    `json:"createdAt"`

	// Recipients are their states and errors, by number; States when each was reached.
	Recipients map[string]Recipient `json:"-"`
	States     map[string]time.Time `json:"-"`
	// History are the states in the order in which they were told.
	History []string `json:"-"`
	seq     int
}

// TextMessage is the text of one.
type TextMessage struct {
	Text string `json:"text"`
}

// DataMessage is the data of one, in base64.
type DataMessage struct {
	Data string `json:"data"`
	Port int    `json:"port"`
}

// Recipient is what became of a message for one number.
type Recipient struct{ State, Error string }

// Device is one that registered.
type Device struct {
	ID, Token, Name string
	SIMCards        json.RawMessage
	messages        map[string]*Message
	streams         map[chan string]bool
}

// Fault is what goes wrong with a request.
type Fault int

// The faults.
const (
	None Fault = iota
	// Error answers 500 and does nothing.
	Error
	// Unauthorized answers 401 and does nothing.
	Unauthorized
	// Lost does what is asked, and cuts the connection instead of an answer.
	Lost
	// Hang does nothing and never answers.
	Hang
	// Invalid answers 400 and does nothing.
	Invalid
)

// Server is an http.Handler. Its fields are set before it is used.
type Server struct {
	// PrivateToken, Login with Password, and Code let devices register; nobody needs any of them if all
	// are empty, and gets an account then.
	PrivateToken, Login, Password, Code string
	// KeepAlive is how often a stream says that it lives; 0 means 15 s, as the server does.
	KeepAlive time.Duration

	mu       sync.Mutex
	fault    func(*http.Request) Fault
	devices  []*Device
	seq      int
	webhooks json.RawMessage
	settings json.RawMessage
	requests []string
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch s.note(r) {
	case Error:
		fail(w, http.StatusInternalServerError, "it is broken")
		return
	case Invalid:
		fail(w, http.StatusBadRequest, "it is wrong")
		return
	case Unauthorized:
		fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	case Hang:
		_, _ = io.Copy(io.Discard, r.Body) // until then a server does not see that the client gave up
		<-r.Context().Done()
		return
	case Lost:
		s.serve(discard{}, r)
		panic(http.ErrAbortHandler)
	}
	s.serve(w, r)
}

// discard is an answer that nobody gets.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && r.URL.Path == "/device" {
		s.register(w, r)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	d := s.find(func(d *Device) bool { return d.Token == token && token != "" })
	if r.Method == http.MethodGet && r.URL.Path == "/device" {
		s.device(w, d)
		return
	}
	if d == nil {
		fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "PATCH /device":
		s.changeDevice(w, r, d)
	case "GET /message", "GET /messages":
		s.list(w, r, d)
	case "PATCH /message", "PATCH /messages":
		s.report(w, r, d)
	case "GET /webhooks":
		s.answerStored(w, &s.webhooks, "[]")
	case "GET /settings":
		s.answerStored(w, &s.settings, "{}")
	case "GET /events":
		s.events(w, r, d)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) find(is func(*Device) bool) *Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.devices, is)
	if i < 0 {
		return nil
	}
	return s.devices[i]
}

// note enters a request, and says what goes wrong with it.
func (s *Server) note(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if s.fault == nil {
		return None
	}
	return s.fault(r)
}

// SetFault has f say what goes wrong with each request, one at a time; nil is nothing.
func (s *Server) SetFault(f func(*http.Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	user, password, basic := r.BasicAuth()
	open := s.PrivateToken == "" && s.Login == "" && s.Code == ""
	switch auth := r.Header.Get("Authorization"); {
	case open && auth == "":
	case s.PrivateToken != "" && auth == "Bearer "+s.PrivateToken:
	case s.Login != "" && basic && user == s.Login && password == s.Password:
	case s.Code != "" && auth == "Code "+s.Code:
	default:
		fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	var asked struct {
		Name      string          `json:"name"`
		PushToken *string         `json:"pushToken"`
		SIMCards  json.RawMessage `json:"simCards"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Name) > 128 {
		fail(w, http.StatusBadRequest, "failed to parse body")
		return
	}
	s.mu.Lock()
	s.seq++
	d := &Device{
		ID: fmt.Sprintf("device-%014d", s.seq), Token: fmt.Sprintf("token-%015d", s.seq), Name: asked.Name, SIMCards: asked.SIMCards,
		messages: map[string]*Message{}, streams: map[chan string]bool{},
	}
	s.devices = append(s.devices, d)
	s.mu.Unlock()
	made := map[string]string{"id": d.ID, "token": d.Token, "login": "ABCDEF"}
	if open {
		made["password"] = "made-by-the-server"
	}
	answer(w, http.StatusCreated, made)
}

func (s *Server) device(w http.ResponseWriter, d *Device) {
	told := map[string]any{"externalIp": "192.0.2.1"}
	if d != nil {
		told["device"] = map[string]string{"id": d.ID, "name": d.Name}
	}
	answer(w, http.StatusOK, told)
}

func (s *Server) changeDevice(w http.ResponseWriter, r *http.Request, d *Device) {
	var asked struct {
		ID       string          `json:"id"`
		SIMCards json.RawMessage `json:"simCards"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		fail(w, http.StatusBadRequest, "failed to parse body")
		return
	}
	if asked.ID != d.ID {
		fail(w, http.StatusForbidden, "Forbidden")
		return
	}
	s.mu.Lock()
	d.SIMCards = asked.SIMCards
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, d *Device) {
	s.mu.Lock()
	page := []Message{}
	for _, m := range d.messages {
		if m.State == "Pending" || m.State == "Cancelling" {
			page = append(page, *m)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(page, func(a, b Message) int {
		bySeq := cmp.Compare(a.seq, b.seq)
		if r.URL.Query().Get("order") != "fifo" {
			bySeq = -bySeq
		}
		return cmp.Or(schedule(a).Compare(schedule(b)), cmp.Compare(b.Priority, a.Priority), bySeq)
	})
	answer(w, http.StatusOK, page[:min(len(page), pageLen)])
}

func schedule(m Message) (at time.Time) {
	if m.ScheduleAt != nil {
		at = *m.ScheduleAt
	}
	return at
}

// patch is what a device says of a message.
type patch struct {
	ID         string
	State      string
	Recipients []struct {
		PhoneNumber, State string
		Error              *string
	}
	States map[string]time.Time
}

var states = []string{"Pending", "Cancelling", "Cancelled", "Processed", "Sent", "Delivered", "Failed"}

func (p patch) valid() bool {
	return p.ID != "" && len(p.ID) <= 36 && len(p.Recipients) > 0 && slices.Contains(states, p.State)
}

// report takes states from a device, as the server does: it believes what it is told, and skips what it
// does not know.
func (s *Server) report(w http.ResponseWriter, r *http.Request, d *Device) {
	var told []patch
	if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
		fail(w, http.StatusBadRequest, "failed to parse body")
		return
	}
	if slices.ContainsFunc(told, func(p patch) bool { return !p.valid() }) {
		fail(w, http.StatusBadRequest, "failed to validate")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range told {
		if m := d.messages[p.ID]; m != nil {
			m.change(p)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// change makes Processed of Pending, writes the given times, and puts a + before every number without.
func (m *Message) change(p patch) {
	if p.State == "Pending" {
		p.State = "Processed"
	}
	m.State = p.State
	m.History = append(m.History, p.State)
	m.States = p.States
	for _, to := range p.Recipients {
		if !strings.HasPrefix(to.PhoneNumber, "+") {
			to.PhoneNumber = "+" + to.PhoneNumber
		}
		if _, is := m.Recipients[to.PhoneNumber]; !is {
			continue
		}
		reason := ""
		if to.Error != nil {
			reason = *to.Error
		}
		m.Recipients[to.PhoneNumber] = Recipient{to.State, reason}
	}
}

func (s *Server) answerStored(w http.ResponseWriter, stored *json.RawMessage, otherwise string) {
	s.mu.Lock()
	raw := *stored
	s.mu.Unlock()
	if raw == nil {
		raw = json.RawMessage(otherwise)
	}
	answer(w, http.StatusOK, raw)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client went away
}

func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"message": message})
}
