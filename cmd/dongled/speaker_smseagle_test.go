package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"dongled/configs"
)

const eagleKey = "smseagle-key-0123456789abcdef"

// speakEagle is a client of one of the three forms of SMSEagle's API. None has questions about a message, or
// callbacks.
func speakEagle(send func(t *testing.T, w *whole, m wish) (ref, refused string)) speaker {
	return speaker{
		origin:    "smseagle",
		configure: func(*configs.Config, string) {},
		prepare: func(t *testing.T, w *whole, _ string) {
			if _, err := w.d.rooms.auth.AddKey(t.Context(), "smseagle", eagleKey, []string{"messages:send"}, false); err != nil {
				t.Fatal(err)
			}
		},
		send: send,
	}
}

// speakEagleV1 is LibreNMS, which has a user and looks at how the answer begins.
func speakEagleV1() speaker {
	return speakEagle(func(t *testing.T, w *whole, m wish) (ref, refused string) {
		query := url.Values{"login": {wholeUser}, "pass": {wholePassword}, "to": {m.to}, "message": {m.text}}
		if m.stranger {
			query.Set("pass", "wrong")
		}
		if !m.at.IsZero() {
			query.Set("date", m.at.Local().Format("200601021504"))
		}
		got := w.ask(t, "GET", "/index.php/http_api/send_sms?"+query.Encode(), "", "Authorization", "")
		if !strings.HasPrefix(got.body, "OK") {
			return "", fmt.Sprint(got.status, " ", got.body)
		}
		return "", ""
	})
}

// speakEagleV2 is Uptime-Kuma, which counts what is queued.
func speakEagleV2() speaker {
	return speakEagle(func(t *testing.T, w *whole, m wish) (ref, refused string) {
		order := map[string]any{"text": m.text, "to": []string{m.to}, "encoding": "standard", "priority": 0}
		if !m.at.IsZero() {
			order["date"] = m.at.UTC().Format(time.RFC3339)
		}
		got := w.ask(t, "POST", "/api/v2/messages/sms", inJSON(t, order), "Authorization", "", "access-token", eagleToken(m))
		var all []struct{ Status string }
		if err := json.Unmarshal([]byte(got.body), &all); got.status != 200 || err != nil || len(all) != 1 || all[0].Status != "queued" {
			return "", fmt.Sprint(got.status, " ", got.body)
		}
		return "", ""
	})
}

// speakEagleRPC is Apprise, which has its key in the body.
func speakEagleRPC() speaker {
	return speakEagle(func(t *testing.T, w *whole, m wish) (ref, refused string) {
		params := map[string]any{
			"access_token": eagleToken(m), "to": m.to, "message": m.text, "highpriority": 0, "unicode": 1, "message_type": "sms",
			"responsetype": "extended", "flash": 0, "test": 0,
		}
		if !m.at.IsZero() {
			params["date"] = m.at.Local().Format("200601021504")
		}
		got := w.ask(t, "POST", "/jsonrpc/sms", inJSON(t, map[string]any{"method": "sms.send_sms", "params": params}), "Authorization", "")
		var answer struct{ Result struct{ Status string } }
		if err := json.Unmarshal([]byte(got.body), &answer); got.status != 200 || err != nil || answer.Result.Status != "ok" {
			return "", fmt.Sprint(got.status, " ", got.body)
		}
		return "", ""
	})
}

func eagleToken(m wish) string {
	if m.stranger {
		return "a key that nobody has"
	}
	return eagleKey
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
