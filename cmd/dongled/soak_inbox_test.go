package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"dongled/scheduler/inbox"
	"dongled/scheduler/outbox"
)

// auditInbox checks that each note is in the inbox once, as it was sent, shown as it is, and told of in
// one event, or as often as clients wished.
func (s *soak) auditInbox(end left, shown map[string]incoming) {
	notes := map[int64]*note{}
	unreadable := 0
	for _, n := range s.notes {
		if n.unreadable {
			unreadable++
		} else {
			notes[n.sent.Unix()] = n
		}
	}
	told := s.events(end.events)
	for _, m := range end.inbox {
		n := notes[m.Sent.Unix()]
		delete(notes, m.Sent.Unix())
		if n == nil {
			s.wrong(m.Received, "%s is in the inbox, and nobody sent it, or not twice: %+v", m.ID, m)
			continue
		}
		s.received(n, m)
		s.shown(m, shown[m.ID])
		events := told[messageIDOf(m)]
		for _, e := range events {
			s.toldOf(m, e)
		}
		if least, most := s.tellings(m); len(events) < least || len(events) > most {
			s.wrong(m.Received, "there are %d events about %s, want %d to %d", len(events), m.ID, least, most)
		}
		delete(told, messageIDOf(m))
	}
	for _, n := range notes {
		s.wrong(time.Now(), "it was sent and is not in the inbox: %v", n)
	}
	for id, events := range told {
		s.wrong(events[0].At, "there is an event about %s, which is not in the inbox", id)
	}
	if len(shown) != len(end.inbox) || end.unreadable != unreadable {
		s.wrong(time.Now(), "GET /inbox shows %d messages of %d; %d that cannot be read are archived of %d",
			len(shown), len(end.inbox), end.unreadable, unreadable)
	}
}

// received compares what is stored with what was sent.
func (s *soak) received(n *note, m inbox.Message) {
	d := s.sticks[n.sim-1]
	kind := inbox.SMS
	if n.data != nil {
		kind = inbox.DataSMS
	}
	want := inbox.Message{
		ID: m.ID, Kind: kind, Sender: n.from, Recipient: d.Number, SMSC: "+491710760000", Text: n.text, Data: n.data, Port: n.port,
		Parts: n.parts, SIM: n.sim, IMSI: d.IMSI, ICCID: m.ICCID, IMEI: d.IMEI, Sent: m.Sent, Received: m.Received,
	}
	// Not every make tells the ICCID.
	if !reflect.DeepEqual(m, want) || !m.Sent.Equal(n.sent) || m.ICCID != "" && m.ICCID != d.ICCID {
		s.wrong(m.Received, "in the inbox is\n %+v\nwant\n %+v\nICCID %s, for %v", m, want, d.ICCID, n)
	}
	if m.Received.Before(s.began.Truncate(time.Millisecond)) || m.Received.After(time.Now()) {
		s.wrong(m.Received, "%s was received at %v", m.ID, m.Received)
	}
}

// shown compares what the API shows with what is stored.
func (s *soak) shown(m inbox.Message, got incoming) {
	want := incoming{
		ID: m.ID, Type: m.Kind.String(), Sender: m.Sender, Recipient: m.Recipient, SIMNumber: m.SIM,
		ContentPreview: previewOf(m), CreatedAt: got.CreatedAt, Attachments: []any{},
	}
	if !reflect.DeepEqual(got, want) || !got.CreatedAt.Equal(m.Received) {
		s.wrong(m.Received, "GET /inbox shows\n %+v\nwant\n %+v", got, want)
	}
}

// events are those about messages, by messageId; those in a batch are taken apart.
func (s *soak) events(all []outbox.Event) map[string][]outbox.Event {
	told := map[string][]outbox.Event{}
	add := func(name string, e outbox.Event, payload json.RawMessage) {
		var got struct{ MessageID string }
		if err := json.Unmarshal(payload, &got); err != nil {
			s.wrong(e.At, "an event that came in: %v: %s", err, payload)
		}
		e.Name, e.Payload = name, payload
		told[got.MessageID] = append(told[got.MessageID], e)
	}
	single := map[string]string{outbox.BatchSMSReceived: outbox.SMSReceived, outbox.BatchDataSMSReceived: outbox.DataSMSReceived}
	for _, e := range all {
		switch e.Name {
		case outbox.SMSReceived, outbox.DataSMSReceived:
			add(e.Name, e, e.Payload)
		case outbox.BatchSMSReceived, outbox.BatchDataSMSReceived:
			var batch struct{ Messages []json.RawMessage }
			if err := json.Unmarshal(e.Payload, &batch); err != nil || len(batch.Messages) == 0 {
				s.wrong(e.At, "a batch: %v: %s", err, e.Payload)
			}
			for _, one := range batch.Messages {
				add(single[e.Name], e, one)
			}
		}
	}
	return told
}

// messageIDOf is the messageId in the events about m.
func messageIDOf(m inbox.Message) string {
	var number int
	_, _ = fmt.Sscanf(m.ID[len("text:"):], "%d", &number)
	return fmt.Sprintf("%x", number)
}

// toldOf compares an event with the message that it is about.
func (s *soak) toldOf(m inbox.Message, e outbox.Event) {
	var got struct {
		MessageID, PhoneNumber, Sender, Recipient, ReceivedAt string
		SIMNumber                                             int
		Message                                               string
		Data                                                  []byte
	}
	if err := json.Unmarshal(e.Payload, &got); err != nil {
		s.wrong(m.Received, "the event about %s: %v", m.ID, err)
		return
	}
	name := outbox.SMSReceived
	if m.Kind == inbox.DataSMS {
		name = outbox.DataSMSReceived
	}
	at, badTime := time.Parse(outbox.TimeFormat, got.ReceivedAt)
	if badTime != nil || !at.Equal(m.Received) || e.Name != name || got.MessageID != messageIDOf(m) ||
		got.PhoneNumber != m.Sender || got.Sender != m.Sender || got.Recipient != m.Recipient || got.SIMNumber != m.SIM ||
		got.Message != m.Text || !bytes.Equal(got.Data, m.Data) {
		s.wrong(m.Received, "the event about %+v is %s: %s", m, e.Name, e.Payload)
	}
}

// auditCalls checks that each call was told of once; or not at all, or without its number, if the way to
// the dongle was cut just then or +CLIP not yet asked for. What a URC storm says is nobody's call.
func (s *soak) auditCalls(events []outbox.Event) {
	told := map[string]int{}
	for _, e := range events {
		if e.Name != outbox.CallReceived {
			continue
		}
		var got struct {
			PhoneNumber string
			SIMNumber   int
		}
		if err := json.Unmarshal(e.Payload, &got); err != nil {
			s.wrong(e.At, "the event of a call: %v", err)
		}
		told[fmt.Sprint(got.SIMNumber, " ", got.PhoneNumber)]++
	}
	for _, c := range s.calls {
		n := told[fmt.Sprint(c.sim, " ", c.number)]
		if n > 1 || n == 0 && !s.wasCut(c.sim, c.at, time.Second) && !s.wasBetweenSessions(c.sim, c.at) {
			s.wrong(c.at, "of %v there are %d events", c, n)
		}
		delete(told, fmt.Sprint(c.sim, " ", c.number))
	}
	for who, n := range told {
		var sim int
		var number string
		if _, _ = fmt.Sscan(who, &sim, &number); number != nobody && number != "" {
			s.wrong(time.Now(), "%d events of calls that there were not: SIM and number %s", n, who)
		}
	}
}

// wasBetweenSessions says whether by the log a session ended or began around that time.
func (s *soak) wasBetweenSessions(sim int, at time.Time) bool {
	return slices.ContainsFunc(s.said, func(r record) bool {
		return r.SIM == sim && (r.Msg == "no session with the modem" || r.Msg == "the modem is up") && r.Time.Sub(at).Abs() < 2*time.Second
	})
}
