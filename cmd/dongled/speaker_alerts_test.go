package main

import (
	"fmt"
	"net/url"
	"testing"

	"dongled/configs"
)

// speakAlerts is Alertmanager or Grafana. What they say of a message is its text, and that is all.
func speakAlerts(name string) speaker {
	return speaker{
		origin: name,
		configure: func(cfg *configs.Config, _ string) {
			cfg.Receivers = []configs.Receiver{{Name: "words", To: []string{goodNumber}, MaxParts: 3, Template: "{{ .CommonAnnotations.summary }}"}}
		},
		send: func(t *testing.T, w *whole, m wish) (ref, refused string) {
			header := []string{}
			if m.stranger {
				header = []string{"Authorization", "Bearer nobody"}
			}
			body := fmt.Sprintf(`{"version":"4","status":"firing","receiver":"words","groupKey":%q,"commonAnnotations":{"summary":%q},`+
				`"alerts":[{"status":"firing","startsAt":"2026-01-02T03:04:05Z","fingerprint":"f1c7e8a4"}]}`, m.text, m.text)
			got := w.ask(t, "POST", "/hooks/"+name+"/words?to="+url.QueryEscape(m.to), body, header...)
			if got.status != 200 {
				return "", fmt.Sprint(got.status, " ", got.body)
			}
			return "", ""
		},
		unscheduled: true,
	}
}
