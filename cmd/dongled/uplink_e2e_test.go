package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dongled/hack/smsgate"
)

// underServer is a site whose gateway is a device of a fresh SMSGate server.
func underServer(t *testing.T, server *smsgate.Server, ports []string, settings ...string) site {
	t.Helper()
	hs := httptest.NewServer(http.StripPrefix("/api/mobile/v1", server))
	t.Cleanup(func() {
		server.CutStreams()
		hs.CloseClientConnections()
		hs.Close()
	})
	url := fmt.Sprintf("uplink: {url: '%s/api/mobile/v1', private_token: 'a private token'}", hs.URL)
	return newSite(t, ports, append(settings, knownPassword, url)...)
}

func awaitDevice(t *testing.T, server *smsgate.Server) {
	t.Helper()
	await(t, "the device", func() (bool, string) { return len(server.Devices()) > 0, "" })
}

func awaitTold(t *testing.T, server *smsgate.Server, id, state string) smsgate.Message {
	t.Helper()
	var m smsgate.Message
	await(t, id+" to be "+state, func() (bool, string) {
		m = server.Message(id)
		return m.State == state, fmt.Sprintf("it is %q; told %v", m.State, m.History)
	})
	return m
}

func fromServer(id, to, text string) smsgate.Message {
	return smsgate.Message{ID: id, TextMessage: &smsgate.TextMessage{Text: text}, PhoneNumbers: []string{to}, WithDeliveryReport: true}
}

// TestUplink: a message of the server goes out once and ends Delivered there; an encrypted one is opened
// here, one that cannot be sent fails there, and one that waits is cancelled from there.
func TestUplink(t *testing.T) {
	t.Parallel()
	dongle := onPTY(t, t.TempDir(), "one")
	server := &smsgate.Server{PrivateToken: "a private token"}
	s := underServer(t, server, []string{dongle.port()}, `encryption: {passphrase: "correct horse"}`)
	g := s.serve(t)
	g.awaitReady(t)
	awaitDevice(t, server)

	server.Enqueue(fromServer("plain", "+4915112345678", "hello"))
	// The test vectors of SMSGate's format.
	const sealed = "$aes-256-cbc/pbkdf2-sha1$i=75000$AAECAwQFBgcICQoLDA0ODw==$"
	secret := fromServer("secret", sealed+"myWkJ4AQRkTWO8J6QSJ4Rw==", sealed+"hrO9FdjFIzo6zOjEa45sKg==")
	secret.IsEncrypted = true
	server.Enqueue(secret)
	lost, nine := fromServer("lost", "+4915112345678", "hello"), 9
	lost.SIMNumber = &nine
	server.Enqueue(lost)
	later, tomorrow := fromServer("later", "+4915112345678", "hello"), time.Now().Add(24*time.Hour)
	later.ScheduleAt = &tomorrow
	server.Enqueue(later)

	if m := awaitTold(t, server, "plain", "Delivered"); m.Recipients["+4915112345678"].State != "Delivered" ||
		m.States["Pending"].IsZero() || !m.States["Delivered"].After(m.States["Pending"]) {
		t.Errorf("recipients %+v, states %v", m.Recipients, m.States)
	}
	awaitTold(t, server, "secret", "Delivered")
	if m := awaitTold(t, server, "lost", "Failed"); !strings.HasPrefix(m.Recipients["+4915112345678"].Error, "Can't send message: SIM 9 not found") {
		t.Errorf("recipients %+v", m.Recipients)
	}
	g.awaitState(t, "later", "Pending")
	if !server.Cancel("later") {
		t.Error("later cannot be cancelled any more")
	}
	awaitTold(t, server, "later", "Cancelled")

	taken := dongle.taken(t)
	if len(taken) != 2 || len(to("+4915112345678", taken)) != 1 || text(t, to("+79990001234", taken)) != "Hello, world!" {
		t.Errorf("taken by the network: %+v", taken)
	}
	if check := g.checks("/health")["uplink:connected"]; check.ObservedValue != 1 || check.Status != "pass" {
		t.Errorf("health %+v", check)
	}
	if said := g.stderr.String(); strings.Contains(said, "4915112345678") || strings.Contains(said, "hello") || strings.Contains(said, "a private token") {
		t.Error("the log has a number, a text or the token")
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestUplinkKilled: SIGKILL over and over, and every message of the server goes out once, and its state
// there is the true one. What was in hand at a kill may be unknown, and a report that came while nobody
// was there is lost.
func TestUplinkKilled(t *testing.T) {
	t.Parallel()
	const rounds, each = 8, 15
	dongle := onPTY(t, t.TempDir(), "one", "--submit-delay=4ms")
	server := &smsgate.Server{PrivateToken: "a private token"}
	s := underServer(t, server, []string{dongle.port()})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	number := func(n int) string { return fmt.Sprintf("+4915112345%03d", n) }

	sent := 0
	for range rounds {
		g := s.serve(t)
		awaitDevice(t, server)
		for range each {
			server.Enqueue(fromServer(fmt.Sprintf("m%03d", sent), number(sent), "hello"))
			sent++
		}
		before, parts := len(dongle.taken(t)), 1+random.IntN(each)
		await(t, "parts to leave", func() (bool, string) {
			now := len(dongle.taken(t)) - before
			return now >= parts, fmt.Sprintf("%d of %d", now, parts)
		})
		time.Sleep(time.Duration(random.Int64N(int64(8 * time.Millisecond)))) // the moment is what varies
		g.kill()
	}
	g := s.serve(t)
	g.awaitCount(t, "Pending", 0)
	states := map[string]int{}
	await(t, "the server to know", func() (bool, string) {
		clear(states)
		for n := range sent {
			id := fmt.Sprintf("m%03d", n)
			here, there := g.get(t, id).State, server.Message(id).State
			if states[there]++; here != there {
				return false, fmt.Sprintf("%s is %s, and %s there", id, here, there)
			}
		}
		return states["Processed"] <= rounds, fmt.Sprint(states)
	})
	t.Logf("%d kills left %v", rounds, states)
	if states["Delivered"]+states["Sent"]+states["Processed"] != sent || states["Delivered"] < sent/2 {
		t.Errorf("states %v", states)
	}
	all := dongle.taken(t)
	for n := range sent {
		if times := len(to(number(n), all)); times > 1 || times == 0 && server.Message(fmt.Sprintf("m%03d", n)).State == "Delivered" {
			t.Errorf("m%03d left %d times", n, times)
		}
	}
	if n := len(server.Devices()); n != 1 {
		t.Errorf("%d devices", n)
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestUplinkDuties: the server's webhooks are delivered here, in the name of its device; its settings are
// in effect; and the inbox is told again when it asks.
func TestUplinkDuties(t *testing.T) {
	t.Parallel()
	receiver := newHookReceiver(t)
	dongle := onPTY(t, t.TempDir(), "one")
	server := &smsgate.Server{PrivateToken: "a private token"}
	g := underServer(t, server, []string{dongle.port()}).serve(t)
	g.awaitReady(t)
	await(t, "the stream", func() (bool, string) { return server.Streams() == 1, "" })

	server.SetSettings(`{"ping":{"interval_seconds":3600}}`)
	await(t, "the settings", func() (bool, string) {
		_, answer := g.request(t, "GET", "/settings", "", http.StatusOK)
		return strings.Contains(string(answer), `"interval_seconds":3600`), string(answer)
	})
	server.SetWebhooks(fmt.Sprintf(`[{"id":"hook","deviceId":null,"url":%q,"event":"sms:sent"}]`, receiver.URL))
	await(t, "the webhook", func() (bool, string) { return server.Requests("GET /webhooks") > 2, "" })
	server.Push("MessagesExportRequested", map[string]string{"since": "2026-09-01T10:00:00Z", "until": "2026-09-01T12:00:00Z"})
	server.Enqueue(fromServer("one", "+4915112345678", "hello"))
	await(t, "the event", func() (bool, string) { return len(receiver.came()) > 0, "" })
	body := decode[struct {
		WebhookID, Event, DeviceID string
		Payload                    struct{ MessageID string }
	}](t, []byte(receiver.came()[0].body))
	if body.WebhookID != "hook" || body.Event != "sms:sent" || body.DeviceID != server.Devices()[0].ID || body.Payload.MessageID != "one" {
		t.Errorf("posted %+v", body)
	}
	if g.logged("the inbox was not exported") != nil {
		t.Error("the inbox was not exported")
	}
}

// TestUplinkAccount: the password of an account that the server made is shown once, and not to those who
// read the log over the API.
func TestUplinkAccount(t *testing.T) {
	t.Parallel()
	server := &smsgate.Server{}
	s := underServer(t, server, []string{"virtual:one"}, "logs: {lifetime: 24h}")
	s.env = []string{"DONGLED_UPLINK__PRIVATE_TOKEN="}
	g := s.serve(t)
	const msg = "the server made an account for this gateway; its password is shown only this once"
	await(t, "the account", func() (bool, string) { return g.logged(msg) != nil, g.stderr.String() })
	if shown := g.logged(msg); shown["username"] != "ABCDEF" || shown["password"] != "made-by-the-server" {
		t.Errorf("shown %v", shown)
	}
	await(t, "the stream", func() (bool, string) { return server.Streams() == 1, "" })
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	again := s.serve(t)
	await(t, "the stream", func() (bool, string) { return server.Requests("GET /events") > 1, "" })
	if again.logged(msg) != nil || len(server.Devices()) != 1 {
		t.Errorf("shown again: %v; %d devices", again.logged(msg), len(server.Devices()))
	}
}
