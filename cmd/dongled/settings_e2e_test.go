package main_test

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

const pacedSettings = `messages: {processing_order: FIFO, limit_period: PerDay, limit_value: 1}
encryption: {passphrase: 5ECRETconfigured}
uplink: {private_token: 5ECRETconfigured}`

// settingsOf is what the API says of the settings.
type settingsOf struct {
	Messages struct {
		LimitPeriod string `json:"limit_period"`
		LimitValue  int    `json:"limit_value"`
	}
	Ping struct {
		Interval int `json:"interval_seconds"`
	}
}

func (g *gateway) settings(t *testing.T, method, body string) settingsOf {
	t.Helper()
	_, answer := g.request(t, method, "/settings", body, http.StatusOK)
	if strings.Contains(string(answer), "5ECRET") {
		t.Errorf("%s /settings shows a secret: %s", method, answer)
	}
	return decode[settingsOf](t, answer)
}

// stillHeld: something urgent goes out, and the message before it does not.
func (g *gateway) stillHeld(t *testing.T, id string) {
	t.Helper()
	urgent := g.send(t, `{"message":"urgent","phoneNumbers":["+4915112345678"],"priority":100,"withDeliveryReport":false}`)
	g.awaitState(t, urgent.ID, "Sent")
	if m := g.get(t, id); m.State != "Pending" {
		t.Errorf("the message that the limit holds is %s", m.State)
	}
}

// TestSettingsLive: what a client changes is in effect at once and after a restart, and its secrets are
// seen nowhere.
func TestSettingsLive(t *testing.T) {
	t.Parallel()
	s := newSite(t, []string{"virtual:one"}, knownPassword, pacedSettings)
	const body = `{"message":"Hi","phoneNumbers":["+4915112345678"],"withDeliveryReport":false}`
	g := s.serve(t)
	g.awaitReady(t)
	first, second := g.send(t, body), g.send(t, body)
	g.awaitState(t, first.ID, "Sent")
	g.stillHeld(t, second.ID)

	// The urgent one counts too.
	changed := g.settings(t, "PATCH", `{"messages":{"limit_value":3},"ping":{"interval_seconds":3600},
		"encryption":{"passphrase":"5ECRETpassphrase"},"gateway":{"private_token":"5ECRETtoken"},"webhooks":{"signing_key":"5ECRETkey"}}`)
	if changed.Messages.LimitValue != 3 || changed.Messages.LimitPeriod != "PerDay" {
		t.Errorf("changed to %+v", changed)
	}
	g.awaitState(t, second.ID, "Sent")
	third := g.send(t, body)
	g.stillHeld(t, third.ID)
	if _, answer := g.request(t, "PATCH", "/settings", `{"messages":{"limit_value":-1}}`, http.StatusBadRequest); !strings.Contains(string(answer), "Failed to import messages: Limit value must be") {
		t.Errorf("refused with %s", answer)
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}

	again := s.serve(t)
	again.awaitReady(t)
	if kept := again.settings(t, "GET", ""); kept != changed || kept.Ping.Interval != 3600 {
		t.Errorf("after the restart %+v, before %+v", kept, changed)
	}
	again.stillHeld(t, third.ID)
	if back := again.settings(t, "PUT", `{}`); back.Messages.LimitValue != 1 || back.Ping.Interval != 0 {
		t.Errorf("replaced by nothing: %+v", back)
	}
	again.settings(t, "PATCH", `{"messages":{"limit_period":"Disabled"}}`)
	again.awaitState(t, third.ID, "Sent")

	printed := start(t, "dongled", "config", "print", "--config", s.config)
	if status := printed.status(t); status != 0 || !strings.Contains(printed.stdout.String(), "passphrase: \"********\"") {
		t.Errorf("config print: %d, %s", status, printed.stdout.String())
	}
	for name, text := range map[string]string{
		"the log": g.stderr.String(), "the log after the restart": again.stderr.String(),
		"standard output": g.stdout.String() + again.stdout.String(), "config print": printed.stdout.String() + printed.stderr.String(),
	} {
		if strings.Contains(text, "5ECRET") {
			t.Errorf("%s shows a secret", name)
		}
	}
}

// TestSettingsSurviveAKill: what was answered with 200 is stored, whatever happens next.
func TestSettingsSurviveAKill(t *testing.T) {
	t.Parallel()
	s := newSite(t, []string{"virtual:one"}, knownPassword)
	g := s.serve(t)
	changed := g.settings(t, "PATCH", `{"messages":{"limit_period":"PerHour","limit_value":77}}`)
	if err := g.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-g.ended
	if info, err := os.Stat(s.store); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the store, which holds secrets: %v, %v", info, err)
	}
	if kept := s.serve(t).settings(t, "GET", ""); kept != changed || kept.Messages.LimitValue != 77 {
		t.Errorf("after the kill %+v, before %+v", kept, changed)
	}
}
