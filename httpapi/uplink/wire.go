package uplink

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"dongled/scheduler/queue"
)

// pageLen is how many messages the server lists at most.
const pageLen = 100

// maxIDLen is the server's limit, in characters; what is longer cannot be reported.
const maxIDLen = 36

// message is one as the server lists it.
type message struct {
	ID          string
	Message     *string // a copy of the text, for old apps
	TextMessage *struct{ Text string }
	DataMessage *struct {
		Data string
		Port int
	}
	PhoneNumbers       []string
	IsEncrypted        *bool
	SIMNumber          *int
	WithDeliveryReport *bool
	TTL                *int64 // seconds
	ValidUntil         *time.Time
	ScheduleAt         *time.Time
	Priority           *int
	State              string
	CreatedAt          *time.Time
}

const stateCancelling = "Cancelling"

// decodeMessage returns what could be read, the ID if possible, beside an error.
func decodeMessage(raw json.RawMessage) (m message, err error) {
	if err = json.Unmarshal(raw, &m); err == nil {
		return m, nil
	}
	var head struct {
		ID           any
		State        any
		PhoneNumbers any
	}
	m = message{}
	if json.Unmarshal(raw, &head) == nil {
		m.ID, _ = head.ID.(string)
		m.State, _ = head.State.(string)
		numbers, _ := head.PhoneNumbers.([]any)
		for _, n := range numbers {
			if s, is := n.(string); is {
				m.PhoneNumbers = append(m.PhoneNumbers, s)
			}
		}
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return m, fmt.Errorf("%s cannot be a %s", wrong.Field, wrong.Value)
	}
	return m, errors.New("the message does not decode")
}

// meta is what a message needs for its reports beyond what the queue knows.
type meta struct {
	Device string `json:"device"`
	// To are the recipients as the server spells them.
	To []string `json:"to"`
	// Created is when the server took the message.
	Created time.Time `json:"created,omitzero"`
}

// created is zero if it is not known; JSON writes no year beyond 9999, which other zones may make of it.
func (m message) created() time.Time {
	if m.CreatedAt == nil || m.CreatedAt.Year() < 1 || m.CreatedAt.Year() > 9998 {
		return time.Time{}
	}
	return *m.CreatedAt
}

// submission is m in the queue's words. The queue checks the rest.
func (m message) submission(device string) (s queue.Submission, err error) {
	own, err := json.Marshal(meta{Device: device, To: m.PhoneNumbers, Created: m.created()})
	if err != nil {
		return s, err
	}
	s = queue.Submission{
		ID: m.ID, Recipients: m.PhoneNumbers, Report: true, SkipPhoneValidation: true, Origin: Origin, Meta: own,
		Encrypted: m.IsEncrypted != nil && *m.IsEncrypted,
	}
	if m.WithDeliveryReport != nil {
		s.Report = *m.WithDeliveryReport
	}
	if m.SIMNumber != nil {
		if s.SIM = *m.SIMNumber; s.SIM < 0 || s.SIM > 255 {
			return s, fmt.Errorf("SIM %d not found", s.SIM)
		}
	}
	if m.Priority != nil {
		if *m.Priority < math.MinInt8 || *m.Priority > math.MaxInt8 {
			return s, errors.New("priority must be -128 to 127")
		}
		s.Priority = int8(*m.Priority)
	}
	if m.ScheduleAt != nil {
		s.ScheduleAt = *m.ScheduleAt
	}
	s.ValidUntil = m.validUntil()
	s.Content, err = m.content(s.Encrypted)
	return s, err
}

// maxTTL is 100 years in seconds; it keeps time arithmetic from wrapping.
const maxTTL = 100 * 365 * 24 * 3600

// validUntil is zero for ever. A time to live counts from when the server took the message.
func (m message) validUntil() time.Time {
	switch {
	case m.ValidUntil != nil:
		return *m.ValidUntil
	case m.TTL == nil || *m.TTL <= 0:
		return time.Time{}
	}
	from := m.created()
	if from.IsZero() {
		from = time.Now()
	}
	return from.Add(time.Duration(min(*m.TTL, maxTTL)) * time.Second)
}

// content reads the one of textMessage, dataMessage and message that is there; message may repeat a
// text.
func (m message) content(encrypted bool) (c queue.Content, err error) {
	switch {
	case m.TextMessage != nil && m.DataMessage != nil:
		return c, errors.New("cannot specify multiple message types simultaneously")
	case m.TextMessage != nil:
		c.Text = m.TextMessage.Text
	case m.DataMessage != nil:
		return dataContent(m.DataMessage.Data, m.DataMessage.Port, encrypted)
	case m.Message != nil:
		c.Text = *m.Message
	default:
		return c, errors.New("it is neither text nor data, and this gateway sends nothing else")
	}
	if c.Text == "" {
		return c, errors.New("text message is empty")
	}
	return c, nil
}

func dataContent(data string, port int, encrypted bool) (c queue.Content, err error) {
	switch {
	case data == "":
		return c, errors.New("data message cannot be empty")
	case port < 0 || port > math.MaxUint16:
		return c, fmt.Errorf("port must be 0 to %d", math.MaxUint16)
	}
	c.Port = uint16(port)
	if encrypted {
		c.Data = []byte(data) // ciphertext of the base64
		return c, nil
	}
	if c.Data, err = base64.StdEncoding.DecodeString(data); err != nil {
		return c, errors.New("dataMessage.data is not base64")
	}
	if len(c.Data) == 0 {
		return c, errors.New("data message cannot be empty")
	}
	return c, nil
}

// report is what the server is told of a message: the whole of it each time.
type report struct {
	ID         string               `json:"id"`
	State      string               `json:"state"`
	Recipients []recipient          `json:"recipients"`
	States     map[string]time.Time `json:"states"`
}

type recipient struct {
	PhoneNumber string  `json:"phoneNumber"`
	State       string  `json:"state"`
	Error       *string `json:"error"`
}

// metaOf is what submission put into the Meta of q.
func metaOf(q *queue.Message) (own meta, err error) {
	if err = json.Unmarshal(q.Meta, &own); err == nil && len(own.To) != len(q.Recipients) {
		err = errors.New("it names other recipients than the message")
	}
	return own, err
}

// reportOf is q as the server knows it.
func reportOf(q *queue.Message, own meta) report {
	r := report{ID: q.ID, State: q.State.String(), States: map[string]time.Time{}}
	for i, to := range q.Recipients {
		told := recipient{PhoneNumber: own.To[i], State: to.State.String()}
		if to.Error != "" {
			told.Error = &to.Error
		}
		r.Recipients = append(r.Recipients, told)
	}
	for _, reached := range q.Reached {
		r.States[reached.State.String()] = reached.At.UTC()
	}
	if !own.Created.IsZero() {
		// It was Pending from when the server took it.
		r.States[queue.Pending.String()] = own.Created.UTC()
	}
	return r
}

// ended is the report of a message that never came into the queue.
func (m message) ended(state queue.State, problem string) report {
	r := report{ID: m.ID, State: state.String(), States: map[string]time.Time{state.String(): time.Now().UTC()}}
	if created := m.created(); !created.IsZero() {
		r.States[queue.Pending.String()] = created.UTC()
	}
	for _, to := range m.PhoneNumbers {
		told := recipient{PhoneNumber: to, State: state.String()}
		if problem != "" {
			told.Error = &problem
		}
		r.Recipients = append(r.Recipients, told)
	}
	return r
}

// untouched reports whether every recipient is as it was when the message was stored.
func untouched(q *queue.Message) bool {
	for _, r := range q.Recipients {
		if r.State != queue.Pending {
			return false
		}
	}
	return true
}

// problemOf says why the queue refuses a message, as SMSGate's app would. It goes to the server alone.
func problemOf(m message, err error) string {
	if until := m.validUntil(); !until.IsZero() && !until.After(time.Now()) {
		return "TTL expired"
	}
	problem := err.Error()
	var field *queue.FieldError
	if errors.As(err, &field) {
		problem = field.Problem
		if strings.HasPrefix(field.Field, "phoneNumbers[") {
			return "sendSMS: " + problem
		}
	}
	return "Can't send message: " + problem
}
