package main_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"dongled/scheduler/inbox"
)

const soakPassphrase = "pass phrase of the soak"

// conceal encrypts a value as clients of SMSGate do; most of them take 75 000 iterations.
func (p *planner) conceal(clear string) string {
	iterations := pick(p, []int{1, 1000, 75_000})
	salt := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.Uint64()), p.Uint64())
	key, err := pbkdf2.Key(sha1.New, soakPassphrase, salt, iterations, 32)
	if err != nil {
		panic(err) // the numbers above are good
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	pad := aes.BlockSize - len(clear)%aes.BlockSize
	text := []byte(clear)
	for range pad {
		text = append(text, byte(pad))
	}
	cipher.NewCBCEncrypter(block, salt).CryptBlocks(text, text)
	return fmt.Sprintf("$aes-256-cbc/pbkdf2-sha1$i=%d$%s$%s", iterations,
		base64.StdEncoding.EncodeToString(salt), base64.StdEncoding.EncodeToString(text))
}

// seal encrypts what l is to say and to whom.
func (l *letter) seal(p *planner) {
	l.said = l.text
	if l.data != nil {
		l.said = base64.StdEncoding.EncodeToString(l.data)
	}
	l.said = p.conceal(l.said)
	for _, to := range l.to {
		l.shown = append(l.shown, p.conceal(to))
	}
}

// setting is a change of one setting by a client; nil takes it back.
type setting struct {
	section, name string
	value         any
}

func (c setting) String() string { return fmt.Sprintf("set %s.%s to %v", c.section, c.name, c.value) }

// setting draws a change that holds up nothing.
func (p *planner) setting() setting {
	n := float64(1 + p.IntN(9)) // as JSON has numbers
	c := pick(p, []setting{
		{"messages", "processing_order", pick(p, []any{"LIFO", "FIFO"})},
		{"messages", "sim_selection_mode", pick(p, []any{"OSDefault", "RoundRobin", "Random"})},
		{"messages", "limit_period", pick(p, []any{"Disabled", "PerMinute", "PerHour", "PerDay"})},
		{"messages", "limit_value", 100_000 * n},
		{"messages", "log_lifetime_days", n},
		{"ping", "interval_seconds", n},
		{"logs", "lifetime_days", n},
		{"webhooks", "retry_count", 9 + n},
		{"webhooks", "internet_required", p.oneIn(2)},
	})
	if p.oneIn(4) {
		c.value = nil
	}
	return c
}

func (c setting) play(s *soak) {
	s.going.Go(func() {
		s.setting.Lock()
		defer s.setting.Unlock()
		body, err := json.Marshal(map[string]any{c.section: map[string]any{c.name: c.value}, "encryption": map[string]any{"passphrase": soakPassphrase}})
		if err != nil {
			panic(err) // numbers and words
		}
		if status, _, said := s.insist("PATCH", "/settings", string(body)); status != http.StatusOK {
			s.wrong(time.Now(), "%v: status %d: %s", c, status, said)
		}
		if s.set == nil {
			s.set = map[[2]string]any{}
		}
		s.set[[2]string{c.section, c.name}] = c.value
	})
}

// settings are what the API shows, by section and name.
func (s *soak) settings() (all map[string]map[string]any) {
	_, answer := s.g.request(s.t, "GET", "/settings", "", http.StatusOK)
	return decode[map[string]map[string]any](s.t, answer)
}

// auditSettings checks that the last change of each setting stands, over all restarts.
func (s *soak) auditSettings() {
	now := s.settings()
	for key, want := range s.set {
		if want == nil {
			want = s.unset[key[0]][key[1]]
		}
		if got := now[key[0]][key[1]]; got != want {
			s.wrong(time.Now(), "the setting %v is %v, want %v", key, got, want)
		}
	}
}

// export has what came in in a part of the time so far told again.
type export struct {
	from, to float64 // of the time since the start
	batch    bool
	kind     inbox.Kind
}

// exported is one that was stored as often as tried, or less.
type exported struct {
	export
	since, until, asked, answered time.Time
	tries                         int
}

func (p *planner) export() export {
	from := p.Float64()
	return export{from, from + (1-from)*p.Float64(), p.oneIn(2), pick(p, []inbox.Kind{inbox.SMS, inbox.DataSMS})}
}

func (e export) String() string {
	return fmt.Sprintf("tell again of %v from %.2f to %.2f, batch %v", e.kind, e.from, e.to, e.batch)
}

func (e export) play(s *soak) {
	so := time.Since(s.began)
	at := func(part float64) time.Time {
		return s.began.Add(time.Duration(part * float64(so))).Truncate(time.Millisecond)
	}
	x := exported{export: e, since: at(e.from), until: at(e.to)}
	delivery := map[bool]string{false: "Individual", true: "Batch"}[e.batch]
	body := fmt.Sprintf(`{"since":%q,"until":%q,"messageTypes":[%q],"webhookDelivery":%q}`,
		x.since.Format(time.RFC3339Nano), x.until.Format(time.RFC3339Nano), e.kind, delivery)
	s.going.Go(func() {
		var status int
		var said []byte
		x.asked = time.Now()
		if status, x.tries, said = s.insist("POST", "/inbox/export", body); status != http.StatusAccepted {
			s.wrong(time.Now(), "%v: status %d: %s", e, status, said)
		}
		x.answered = time.Now()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.exports = append(s.exports, x)
	})
}

// tellings are how often m is told of at least and at most. Which part of a long message came when nobody
// knows; and neither where exactly a period ends.
func (s *soak) tellings(m inbox.Message) (least, most int) {
	const blur = 5 * time.Millisecond
	least, most = 1, 1
	for _, x := range s.exports {
		if x.kind != m.Kind || m.Received.Before(x.since.Add(-blur)) || m.Received.After(x.until.Add(blur)) || m.Received.After(x.answered) {
			continue
		}
		most += x.tries
		if m.Parts == 1 && m.Received.After(x.since.Add(blur)) && m.Received.Before(x.until.Add(-blur)) && m.Received.Before(x.asked.Add(-blur)) {
			least++
		}
	}
	return least, most
}
