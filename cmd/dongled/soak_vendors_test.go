package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"dongled/scheduler/queue"
)

// vendorLetter is a message that a client of another vendor's API has sent. Those APIs do not know a
// request again, so one that got no answer is not repeated.
type vendorLetter struct {
	*letter
	api string
}

func (l *vendorLetter) String() string { return l.api + ": " + l.letter.String() }

// vendorLetter draws the next one. All ask for reports and name a SIM.
func (p *planner) vendorLetter() *vendorLetter {
	l := &letter{id: fmt.Sprintf("vendor-%06d", p.vendors), sim: p.sim(), report: true}
	l.to = []string{fmt.Sprintf("+49152%08d", 10_000_000+p.vendors)}
	l.shown = l.to
	l.text, l.parts = l.id+". Short and simple.", 1
	if p.oneIn(5) { // 15 + 8*50 = 415 septets
		l.text, l.parts = l.id+". "+strings.Repeat(" septets", 50), 3
	}
	p.vendors++
	switch {
	case p.oneIn(8):
		l.fault = p.submitFault()
		l.exposed(p)
	case p.oneIn(6):
		l.fault = p.reportFault()
		l.exposed(p)
	}
	return &vendorLetter{l, pick(p, []string{"bird", "skycore", "kannel"})}
}

func (l *vendorLetter) play(s *soak) {
	s.vendorLetters = append(s.vendorLetters, l)
	if l.fault != nil {
		s.sticks[l.sim-1].AddFaults(*l.fault)
	}
	s.going.Go(func() {
		status, said, err := s.vendors.sendLetter(s.gateway(), l)
		if err != nil {
			return // between two lives, or cut off by the end of one
		}
		if status != http.StatusAccepted && !strings.Contains(string(said), `"Success"`) {
			s.wrong(time.Now(), "%s: status %d: %s", l.id, status, said)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.posted[l.id] = answer{at: time.Now(), accepted: true}
	})
}

func soakChannel(sim int) string { return fmt.Sprintf("3c5a1f0e-8d7b-4a69-9b1e-2f6d7c8e9a0%d", sim) }

// sendLetter posts l by its API, to its SIM.
func (c *vendorCrash) sendLetter(g *gateway, l *vendorLetter) (int, []byte, error) {
	to := l.to[0]
	switch l.api {
	case "bird":
		return c.post(g, "/workspaces/"+vendorWorkspace+"/channels/"+soakChannel(l.sim)+"/messages",
			fmt.Sprintf(`{"receiver":{"contacts":[{"identifierValue":%q}]},"body":{"type":"text","text":{"text":%q}}}`, to, l.text),
			"Authorization", "AccessKey "+c.key)
	case "skycore":
		return c.post(g, "/skycore/v2", fmt.Sprintf(`{"action":"sendsms","message-text":%q,"to":%q,"from":"%d"}`, l.text, to, l.sim), "x-api-key", c.key)
	}
	q := url.Values{
		"username": {testUser}, "password": {testPassword}, "to": {to}, "text": {l.text}, "dlr-mask": {"31"}, "smsc": {fmt.Sprint(l.sim)},
		"dlr-url": {c.ear.URL + "/kannel?id=%I&value=%d"},
	}
	return c.post(g, "/cgi-bin/sendsms?"+q.Encode(), "", "X-Client", "kannel")
}

// vendorSettings are what those APIs need of the configuration.
func (s *soak) vendorSettings(seed uint64) string {
	s.vendors = &vendorCrash{ear: newVendorEar(s.t, seed)}
	// Skycore repeats after five minutes, which a soak need not have.
	s.vendors.ear.spared, s.vendors.ear.chance = "/skycore", 6
	var channels []string
	for sim := 1; sim <= soakSIMs; sim++ {
		channels = append(channels, fmt.Sprintf("{id: %s, sim: %d, name: SIM %d, kind: transactional}", soakChannel(sim), sim, sim))
	}
	return fmt.Sprintf("bird: {workspace: %s}\nchannels: [%s]\nskycore: {postback_url: %q}",
		vendorWorkspace, strings.Join(channels, ", "), s.vendors.ear.URL+"/skycore")
}

// subscribeVendors makes their key and subscribes to Bird's callbacks.
func (s *soak) subscribeVendors() {
	s.vendors.key, _ = s.command(s.t, 0, "key", "add", "vendors")
	body := fmt.Sprintf(`{"service":"channels","event":"sms.outbound","url":%q,"signingKey":%q}`, s.vendors.ear.URL+"/bird", vendorSecret)
	s.vendors.ask(s.t, s.g, "/workspaces/"+vendorWorkspace+"/webhook-subscriptions", body, http.StatusCreated)
}

func (s *soak) pendingCallbacks() string {
	header, _ := s.g.request(s.t, "GET", "/callbacks?limit=1&state=pending", "", http.StatusOK)
	return header.Get("X-Total-Count")
}

// auditVendors holds what vendors' clients sent and were told against the ledger and the air.
func (a *soakAudit) auditVendors(end left) (stored int) {
	byNumber := map[string]queue.Message{}
	for _, m := range end.messages {
		if m.Origin != "" {
			stored++
			byNumber[m.Recipients[0].Number] = m
		}
	}
	if stored != len(byNumber) {
		a.wrong(time.Now(), "vendors' clients have %d messages to %d numbers", stored, len(byNumber))
	}
	ear := a.vendors.ear
	ear.mu.Lock()
	defer ear.mu.Unlock()
	for _, w := range ear.wrong {
		a.wrong(time.Now(), "the receiver of callbacks got %s", w)
	}
	told, tally := 0, map[string]int{}
	for _, l := range a.vendorLetters {
		m, there := byNumber[l.to[0]]
		if !there {
			if a.posted[l.id].accepted {
				a.wrong(a.posted[l.id].at, "%s was accepted by the API of %s and is lost", l.id, l.api)
			}
			continue
		}
		a.recipient(l.letter, m.Recipients[0])
		words, faults := ear.words(m.ID)
		for _, f := range faults {
			a.wrong(m.Created, "%s: %s", l.id, f)
		}
		if !tells(l.api, words, m.State) {
			a.wrong(m.Created, "%s of %s is %v, and what was told is %v", l.id, l.api, m.State, words)
		}
		told += len(words)
		tally[l.api+" "+m.State.String()]++
	}
	a.t.Logf("vendors' clients: %d asked, %d stored: %v; %d callbacks", len(a.vendorLetters), stored, tally, told)
	return stored
}

// vendorWords are the words for states.
var vendorWords = map[string]map[string]queue.State{
	"bird": {
		"accepted": queue.Pending, "processing": queue.Processed, "sent": queue.Sent, "delivered": queue.Delivered,
		"sending_failed": queue.Failed, "delivery_failed": queue.Failed,
	},
	"skycore": {"N201": queue.Sent, "N202": queue.Delivered, "E201": queue.Failed, "E202": queue.Failed},
	"kannel":  {"8": queue.Sent, "1": queue.Delivered, "2": queue.Failed, "16": queue.Failed},
}

// courses are the ways to an end, behind accepted and processing. What was given up as lost may be set right
// by a report.
var courses = [][]queue.State{
	{queue.Sent}, {queue.Delivered}, {queue.Failed},
	{queue.Sent, queue.Delivered}, {queue.Sent, queue.Failed}, {queue.Failed, queue.Delivered}, {queue.Failed, queue.Sent},
	{queue.Failed, queue.Sent, queue.Delivered}, {queue.Sent, queue.Failed, queue.Delivered},
}

// tells says whether words are a way to state.
func tells(api string, words []string, state queue.State) bool {
	var way []queue.State
	for _, w := range words {
		s, known := vendorWords[api][w]
		if !known {
			return false
		}
		way = append(way, s)
	}
	if api == "bird" {
		if len(way) == 0 || way[0] != queue.Pending {
			return false
		}
		if way = way[1:]; len(way) > 0 && way[0] == queue.Processed {
			way = way[1:]
		}
	}
	return len(way) > 0 && way[len(way)-1] == state &&
		slices.ContainsFunc(courses, func(c []queue.State) bool { return slices.Equal(c, way) })
}
