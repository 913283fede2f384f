package main_test

import (
	"bytes"
	"slices"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler/inbox"
	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// left is all that the gateway left in its store.
type left struct {
	messages   map[string]queue.Message
	inbox      []inbox.Message
	events     []outbox.Event
	unreadable int
}

// audit ends the gateway and holds what it said and what it left against what there was.
func (s *soak) audit() {
	shown := s.listInbox()
	said := map[string]string{}
	for _, l := range s.letters {
		if s.posted[l.id].accepted {
			said[l.id] = s.g.get(s.t, l.id).State
		}
	}
	s.auditSettings()
	deliveries := map[string]map[string]earRow{}
	for _, name := range earNames {
		deliveries[name] = s.listDeliveries(name)
	}
	if status := s.g.terminate(s.t); status != 0 {
		s.wrong(time.Now(), "exit status %d after SIGTERM", status)
	}
	s.readLog(s.g)
	s.checkFlat()
	end := s.readStore()
	a := &soakAudit{soak: s, air: s.onAir(), claimed: map[*virtual.Submission]bool{}}
	tally := map[queue.State]int{}
	for _, l := range s.letters {
		m, there := end.messages[l.id]
		if !there {
			s.wrong(s.posted[l.id].at, "%s was accepted: %v, and is lost", l.id, s.posted[l.id].accepted)
			continue
		}
		if said[l.id] != m.State.String() {
			s.wrong(m.Created, "%s is %s by the API and %v in the store", l.id, said[l.id], m.State)
		}
		tally[m.State]++
		a.message(l, m)
	}
	if own := len(end.messages) - a.auditVendors(end); own != len(s.letters) {
		s.wrong(time.Now(), "%d messages are stored, want %d", own, len(s.letters))
	}
	s.auditInbox(end, shown)
	s.auditCalls(end.events)
	s.auditEars(end, deliveries)
	plugged := 0
	for _, d := range s.sticks {
		plugged += int(d.plugged.Load())
	}
	s.t.Logf("%d messages sent: %v; %d parts left by radio, %d of unknown outcome; %d came in, %d could not be read; %d calls; plugged in %d times; %d lives",
		len(s.letters), tally, len(a.air), a.doubts, len(end.inbox), end.unreadable, len(s.calls), plugged, len(s.lives))
}

// readStore reads what nobody has open any more.
func (s *soak) readStore() (end left) {
	out := outbox.New(nil, nil)
	q, in := queue.New(queue.Options{}), inbox.New(inbox.Options{Outbox: out})
	st, err := store.Open(s.store, store.Options{}, q, in, out)
	if err != nil {
		s.t.Fatalf("the store as the gateway left it: %v", err)
	}
	defer func() { _ = st.Close() }() // it was only read
	const all = 1 << 30
	messages, _, err := q.List(s.t.Context(), queue.Filter{Limit: all})
	if err != nil {
		s.t.Fatal(err)
	}
	end.messages = map[string]queue.Message{}
	for _, m := range messages {
		end.messages[m.ID] = m
	}
	if end.inbox, _, err = in.List(s.t.Context(), inbox.Filter{Limit: all}); err != nil {
		s.t.Fatal(err)
	}
	if end.events, err = out.Events(0, all); err != nil {
		s.t.Fatal(err)
	}
	_, ever, err := in.Unreadable(s.t.Context(), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	end.unreadable = int(ever)
	return end
}

// aired is an SMS-SUBMIT that a network took, and the reports about it that the dongle got.
type aired struct {
	*virtual.Submission
	stick   *soakStick
	reports []heardReport
}

// reported says whether a report of that kind came.
func (on aired) reported(is ...pdu.Class) bool {
	return slices.ContainsFunc(on.reports, func(r heardReport) bool { return slices.Contains(is, r.Status.Class()) })
}

// onAir is everything that the networks took. A part that was taken twice is the fault that must not be.
func (s *soak) onAir() map[airKey]aired {
	type key struct {
		sim    int
		number string
		mr     uint8
	}
	reports := map[key][]heardReport{}
	for _, r := range s.heard {
		k := key{r.sim, r.Recipient, r.MR}
		reports[k] = append(reports[k], r)
	}
	air := map[airKey]aired{}
	for _, d := range s.sticks {
		all := d.Submissions()
		for i := range all {
			one := &all[i]
			k := airKey{one.Submit.Destination, 1}
			if one.Submit.Concat != nil {
				k.part = int(one.Submit.Concat.Number)
			}
			if first, twice := air[k]; twice {
				s.wrong(one.At, "part %d to %s was sent twice: by SIM %d at %v, by SIM %d at %v",
					k.part, k.recipient, first.stick.sim, first.At, d.sim, one.At)
			}
			air[k] = aired{one, d, reports[key{d.sim, k.recipient, one.MR}]}
		}
	}
	return air
}

// soakAudit is the comparison of the ledger with the air.
type soakAudit struct {
	*soak
	air    map[airKey]aired
	doubts int
	// claimed are the submissions whose report settled a part without +CMGS.
	claimed map[*virtual.Submission]bool
}

// message checks that the state of a message is an end, follows from its recipients', and is what its
// client asked for.
func (a *soakAudit) message(l *letter, m queue.Message) {
	count := map[queue.State]int{}
	for i, r := range m.Recipients {
		unopened := l.said != "" && r.State == queue.Cancelled && len(r.Parts) == 1
		if i >= len(l.to) || r.Number != l.shown[i] || len(r.Parts) != l.parts && !unopened {
			a.wrong(m.Created, "%s: recipient %d is %s, of %d parts; want %v of %d", l.id, i, r.Number, len(r.Parts), l.shown, l.parts)
			return
		}
		r.Number = l.to[i]
		a.recipient(l, r)
		count[r.State]++
	}
	want := queue.Sent
	switch all := len(m.Recipients); {
	case count[queue.Pending]+count[queue.Processed] > 0:
		a.wrong(m.Created, "%s has no end: %+v", l.id, m.Recipients)
		return
	case count[queue.Cancelled] > 0:
		want = queue.Cancelled
	case count[queue.Failed] == all:
		want = queue.Failed
	case count[queue.Delivered] == all:
		want = queue.Delivered
	}
	if m.State != want || len(m.Recipients) != len(l.to) {
		a.wrong(m.Created, "%s to %v is %v, its recipients are %v", l.id, l.to, m.State, count)
	}
	if a.posted[l.id].withdrawn != (m.State == queue.Cancelled) {
		a.wrong(m.Created, "%s is %v; withdrawn by its client: %v", l.id, m.State, a.posted[l.id].withdrawn)
	}
}

// recipient checks the state of a recipient against the ledger, the ledger against the air, and what
// is on the air against what was to be sent.
func (a *soakAudit) recipient(l *letter, r queue.Recipient) {
	states := map[queue.PartState]int{}
	var text string
	var data []byte
	for i := range r.Parts {
		p := &r.Parts[i]
		states[p.State]++
		on, sent := a.air[airKey{r.Number, i + 1}]
		a.part(l, r, i, p, on, sent)
		if sent {
			text, data = text+on.Submit.Text, append(data, on.Submit.Data...)
			a.addressed(l, r, on)
		}
	}
	failed := states[queue.PartRejected] + states[queue.PartUndelivered] + states[queue.PartLost]
	want := queue.Sent
	switch {
	case failed > 0:
		want = queue.Failed
	case states[queue.PartCancelled] > 0:
		want = queue.Cancelled
	case states[queue.PartDelivered] == len(r.Parts):
		want = queue.Delivered
	}
	if r.State != want || r.State == queue.Failed && r.Error == "" {
		a.wrong(a.posted[l.id].at, "%s to %s is %v, error %q; its parts are %v", l.id, r.Number, r.State, r.Error, states)
	}
	if (want == queue.Sent || want == queue.Delivered) && (text != l.text || !bytes.Equal(data, l.data)) {
		a.wrong(a.posted[l.id].at, "%s to %s is %v; %q %x left", l.id, r.Number, r.State, text, data)
	}
}

// addressed checks what a part says besides its content, and by which SIM it left.
func (a *soakAudit) addressed(l *letter, r queue.Recipient, on aired) {
	c := on.Submit.Concat
	if (c != nil) != (l.parts > 1) || c != nil && int(c.Total) != l.parts || on.Submit.Report != l.report || on.Submit.Flash != l.flash ||
		l.sim != 0 && on.stick.sim != l.sim || r.SIM != on.stick.sim {
		a.wrong(on.At, "%s, for SIM %d in %d parts, report %v: left by SIM %d (said: %d) as %+v", l.id, l.sim, l.parts, l.report, on.stick.sim, r.SIM, on.Submit)
	}
}
