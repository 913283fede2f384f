package main_test

import (
	"encoding/json"
	"slices"
	"time"

	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
)

// auditEars holds what the ears heard against the events there were, and those of messages against the
// ledger.
func (s *soak) auditEars(end left, rows map[string]map[string]earRow) {
	were := map[string]map[string]int{} // by name and payload
	total := map[string]int{}
	for _, e := range end.events {
		if were[e.Name] == nil {
			were[e.Name] = map[string]int{}
		}
		were[e.Name][string(e.Payload)]++
		total[e.Name]++
	}
	for _, name := range earNames {
		e := s.ears[name]
		e.mu.Lock()
		s.faults = append(s.faults, e.wrong...)
		s.auditPosts(e)
		s.auditRows(e, rows[name], total)
		e.mu.Unlock()
	}
	s.auditHeard(s.ears[wellEar], were)
	s.auditFates(s.ears[wellEar], end)
	s.auditLag(s.ears[wellEar], rows[wellEar])
}

// always may happen before webhooks are registered, or instead of each other.
func always(event string) bool { return event == outbox.AppStarted || event == outbox.SystemPing }

// auditPosts checks that an id is one delivery's, always with the same body, and comes again after it was
// taken only if the gateway was killed before it could have stored that.
func (s *soak) auditPosts(e *ear) {
	const storing = 3 * time.Second // on a busy machine
	first, taken := map[string]earPost{}, map[string]earPost{}
	for _, p := range e.posts {
		if f, again := first[p.id]; again && f.body != p.body {
			s.wrong(p.came, "the %s receiver got under one id\n %s\n %s", e.name, f.body, p.body)
		} else if !again {
			first[p.id] = p
		}
		t, before := taken[p.id]
		killed := slices.ContainsFunc(s.kills, func(k cut) bool {
			return !k.to.Before(t.came) && k.from.Before(t.answered.Add(storing)) && k.from.Before(p.came)
		})
		if before && !killed && p.came.After(t.answered) { // not one that was held when its sender was killed
			s.wrong(p.came, "the %s receiver took at %v what came again: %s", e.name, t.answered, p.body)
		}
		if p.took {
			taken[p.id] = p
		}
	}
}

// auditRows checks the gateway's log of deliveries against the posts and the events.
func (s *soak) auditRows(e *ear, rows map[string]earRow, total map[string]int) {
	took := map[string]bool{}
	for _, p := range e.posts {
		if _, there := rows[p.id]; !there {
			s.wrong(p.came, "the %s receiver got what the gateway does not know: %s", e.name, p.body)
		}
		took[p.id] = took[p.id] || p.took
	}
	count, states := map[string]int{}, map[string]int{}
	for _, r := range rows {
		count[r.Event]++
		states[r.State]++
		holds := false
		switch r.State {
		case "delivered":
			holds = took[r.ID]
		case "pending":
			holds = e.name != wellEar && !r.NextAttemptAt.IsZero()
		case "superseded":
			holds = r.Event == outbox.SystemPing
		}
		if !holds {
			s.wrong(r.CreatedAt, "a delivery to the %s receiver, which took it: %v, is %+v", e.name, took[r.ID], r)
		}
	}
	for name, n := range total {
		if !always(name) && count[name] != n {
			s.wrong(time.Now(), "of %d events %s the %s receiver has %d deliveries", n, name, e.name, count[name])
		}
	}
	s.t.Logf("the %s receiver: %d posts, deliveries %v", e.name, len(e.posts), states)
}

// auditHeard checks that e heard every event once, and nothing else.
func (s *soak) auditHeard(e *ear, were map[string]map[string]int) {
	ids := map[string]bool{}
	for _, p := range e.posts {
		if ids[p.id] || always(p.event) {
			continue
		}
		ids[p.id] = true
		if were[p.event][p.payload]--; were[p.event][p.payload] < 0 {
			s.wrong(p.came, "it was told and did not happen, or not again: %s", p.body)
		}
	}
	for name, payloads := range were {
		for payload, n := range payloads {
			if n > 0 && !always(name) {
				s.wrong(time.Now(), "it happened and was not told, %d times: %s %s", n, name, payload)
			}
		}
	}
}

// fated is what was told of one recipient: how often, by event.
type fated struct {
	times  map[string]int
	reason string
}

// auditFates checks that what was told of each recipient is what became of it.
func (s *soak) auditFates(e *ear, end left) {
	type who struct{ message, number string }
	told := map[who]*fated{}
	ids := map[string]bool{}
	for _, p := range e.posts {
		var got struct {
			MessageID, PhoneNumber, Recipient, Reason string
			PartsCount                                int
			SentAt, DeliveredAt, FailedAt             time.Time
			CancelledAt                               time.Time
		}
		at := map[string]*time.Time{
			outbox.SMSSent: &got.SentAt, outbox.SMSDelivered: &got.DeliveredAt, outbox.SMSFailed: &got.FailedAt, outbox.SMSCancelled: &got.CancelledAt,
		}[p.event]
		if ids[p.id] || at == nil {
			continue
		}
		ids[p.id] = true
		err := json.Unmarshal([]byte(p.payload), &got)
		if err != nil || got.PhoneNumber != got.Recipient || at.Before(s.began.Truncate(time.Millisecond)) || at.After(p.came) ||
			(p.event == outbox.SMSFailed) != (got.Reason != "") || (p.event == outbox.SMSSent) != (got.PartsCount > 0) {
			s.wrong(p.came, "told was %s, %v", p.body, err)
		}
		w := who{got.MessageID, got.Recipient}
		if told[w] == nil {
			told[w] = &fated{times: map[string]int{}}
		}
		told[w].times[p.event]++
		if p.event == outbox.SMSFailed {
			told[w].reason = got.Reason
		}
	}
	for id, m := range end.messages {
		for _, r := range m.Recipients {
			w := who{id, r.Number}
			if f := told[w]; f == nil || !f.fits(r) {
				s.wrong(m.Created, "%s to %s is %v, its parts are %+v; what was told of it: %+v", id, r.Number, r.State, r.Parts, f)
			}
			delete(told, w)
		}
	}
	for w, f := range told {
		s.wrong(time.Now(), "told was of %+v, which is none: %+v", w, f)
	}
}

// fits says whether f was told of r. A recipient that failed may have been sent before, and one that was
// sent may have been lost before its report came.
func (f *fated) fits(r queue.Recipient) bool {
	sent, failed, cancelled := f.times[outbox.SMSSent], f.times[outbox.SMSFailed], f.times[outbox.SMSCancelled]
	delivered := 0
	for _, p := range r.Parts {
		if p.State == queue.PartDelivered {
			delivered++
		}
	}
	switch r.State {
	case queue.Sent, queue.Delivered:
		return sent == 1 && failed <= 1 && cancelled == 0 && f.times[outbox.SMSDelivered] == delivered
	case queue.Failed:
		return sent <= 1 && failed == 1 && cancelled == 0 && f.reason == r.Error && f.times[outbox.SMSDelivered] <= delivered*sent
	case queue.Cancelled:
		return sent+failed+f.times[outbox.SMSDelivered] == 0 && cancelled == 1
	}
	return false
}

// auditLag checks that neither the well receiver nor the clients wait for the others, but for the
// restarts, which are few: in the median both are served in less time than one slow answer takes.
func (s *soak) auditLag(e *ear, rows map[string]earRow) {
	const most = time.Second
	var lags []time.Duration
	for _, p := range e.posts {
		lags = append(lags, p.came.Sub(rows[p.id].CreatedAt))
	}
	for what, times := range map[string][]time.Duration{"an event is told": lags, "a message is accepted": s.accepting} {
		slices.Sort(times)
		half := times[len(times)/2]
		s.t.Logf("%s after %v in the median, %v at the most", what, half, times[len(times)-1])
		if half > most {
			s.wrong(time.Now(), "%s after %v in the median", what, half)
		}
	}
}
