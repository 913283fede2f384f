package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTemplatesOfARunningDaemon: the commands act on it at once, programs send what they stored, and it
// outlives the daemon; what was accepted keeps its text.
func TestTemplatesOfARunningDaemon(t *testing.T) {
	s := newSite(t, []string{"virtual:one"}, knownPassword)
	g := s.serve(t)
	file := filepath.Join(t.TempDir(), "greeting.yaml")
	if err := os.WriteFile(file, []byte("name: Greeting\ntexts: {en: 'Hello {{name}}', de: 'Hallo {{name}}'}\ndefaultLocale: en\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id, _ := s.command(t, 0, "template", "add", file)
	order := func(values string) string {
		return fmt.Sprintf(`{"templateMessage":{"template":%q,"locale":"de-AT","values":{%s}},"phoneNumbers":["+491701234567"]}`, id, values)
	}
	if _, answer := g.request(t, "POST", "/messages", order(`"name":"Robert"`), 400); !strings.Contains(string(answer), "has no active version") {
		t.Errorf("a draft: %s", answer)
	}
	s.command(t, 0, "template", "activate", id)
	if _, answer := g.request(t, "POST", "/messages", order(``), 400); !strings.Contains(string(answer), "templateMessage.values.name: is required") {
		t.Errorf("without a value: %s", answer)
	}
	m := g.send(t, order(`"name":"Robert"`))
	g.awaitState(t, m.ID, "Delivered")
	if _, said := s.command(t, 1, "template", "remove", id, "1"); said != "dongled: version: version 1 is active: retire it first" {
		t.Errorf("said %q", said)
	}

	g.terminate(t)
	if text, said := s.command(t, 0, "template", "render", id, "name=Ada"); text != "Hello Ada" || said != "locale en, GSM-7, 1 of 255 parts" {
		t.Errorf("%q, %q", text, said)
	}
	s.command(t, 0, "template", "remove", id)
	g = s.serve(t)
	if _, answer := g.request(t, "GET", "/messages/"+m.ID, "", 200); !strings.Contains(string(answer), `"textMessage":{"text":"Hallo Robert"}`) {
		t.Errorf("the message is now %s", answer)
	}
	if _, answer := g.request(t, "GET", "/templates", "", 200); strings.TrimSpace(string(answer)) != "[]" {
		t.Errorf("templates are %s", answer)
	}
}
