package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"dongled/scheduler/queue"
)

// stamp is a time as SMSGate writes it: RFC 3339 with milliseconds and a zone, here always UTC.
type stamp time.Time

func (s stamp) MarshalJSON() ([]byte, error) {
	return time.Time(s).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z07:00"`), nil
}

// messageState is SMSGate's MessageState.
type messageState struct {
	ID          string           `json:"id"`
	DeviceID    string           `json:"deviceId"`
	State       string           `json:"state"`
	IsHashed    bool             `json:"isHashed"`
	IsEncrypted bool             `json:"isEncrypted"`
	Recipients  []recipientState `json:"recipients"`
	// States holds when each state was first reached.
	States      map[string]stamp `json:"states"`
	TextMessage *textMessage     `json:"textMessage,omitempty"`
	DataMessage *dataMessage     `json:"dataMessage,omitempty"`
	// FlashMessage is of SMSGate's draft.
	FlashMessage *textMessage `json:"flashMessage,omitempty"`
	ScheduleAt   *stamp       `json:"scheduleAt,omitempty"`
	CreatedAt    stamp        `json:"createdAt"`
}

type recipientState struct {
	PhoneNumber string          `json:"phoneNumber"`
	State       string          `json:"state"`
	Error       json.RawMessage `json:"error,omitempty"`
}

type textMessage struct {
	Text string `json:"text"`
}

type dataMessage struct {
	Data string `json:"data"` // base64, or encrypted
	Port uint16 `json:"port"`
}

func newMessageState(p profile, m queue.Message, deviceID string, includeContent bool) messageState {
	state := messageState{
		ID:         m.ID,
		DeviceID:   deviceID,
		State:      m.State.String(),
		Recipients: make([]recipientState, 0, len(m.Recipients)),
		States:     make(map[string]stamp, len(m.Reached)),
		CreatedAt:  stamp(m.Created),

		IsEncrypted: m.Encrypted,
	}
	for _, r := range m.Recipients {
		state.Recipients = append(state.Recipients, recipientState{r.Number, r.State.String(), p.problem(r.Error)})
	}
	for _, r := range m.Reached {
		state.States[r.State.String()] = stamp(r.At)
	}
	if !m.ScheduleAt.IsZero() {
		at := stamp(m.ScheduleAt)
		state.ScheduleAt = &at
	}
	if includeContent {
		state.putContent(m)
	}
	return state
}

// putContent shows the content as it came: of an encrypted message, the ciphertext.
func (s *messageState) putContent(m queue.Message) {
	switch c := m.Content; {
	case c.IsData() && m.Encrypted:
		s.DataMessage = &dataMessage{string(c.Data), c.Port}
	case c.IsData():
		s.DataMessage = &dataMessage{base64.StdEncoding.EncodeToString(c.Data), c.Port}
	case c.Flash:
		s.FlashMessage = &textMessage{c.Text}
	default:
		s.TextMessage = &textMessage{c.Text}
	}
}

// device is SMSGate's Device. Every time is present, because some clients do not take null.
type device struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt stamp     `json:"createdAt"`
	UpdatedAt stamp     `json:"updatedAt"`
	LastSeen  stamp     `json:"lastSeen"`
	SIMCards  []simCard `json:"simCards"`
}

type simCard struct {
	SlotIndex   int    `json:"slotIndex"` // simNumber - 1
	SIMNumber   int    `json:"simNumber"`
	PhoneNumber string `json:"phoneNumber,omitempty"`
	CarrierName string `json:"carrierName,omitempty"`
	ICCID       string `json:"iccid,omitempty"`
}

// health is SMSGate's HealthResponse.
type health struct {
	Status    healthStatus           `json:"status"`
	Version   string                 `json:"version,omitempty"`
	ReleaseID int                    `json:"releaseId"`
	Checks    map[string]healthCheck `json:"checks"`
}

type healthCheck struct {
	Description   string       `json:"description,omitempty"`
	ObservedUnit  string       `json:"observedUnit,omitempty"`
	ObservedValue int          `json:"observedValue"`
	Status        healthStatus `json:"status"`
}

type healthStatus string

const (
	pass healthStatus = "pass"
	warn healthStatus = "warn"
	fail healthStatus = "fail"
)
