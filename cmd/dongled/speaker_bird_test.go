package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"dongled/configs"
	"dongled/httpapi/auth"
	"dongled/scheduler/queue"
)

// speakBird is a program that was written for Bird and has its workspace and channel: both are in the
// configuration, as is the key that it had there.
func speakBird() speaker {
	const (
		workspace = "a1405560-c8d3-4b1a-877d-3f449ad95352"
		channel   = "3c5a1f0e-8d7b-4a69-9b1e-2f6d7c8e9a01"
		key       = "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIj"
		messages  = "/workspaces/" + workspace + "/channels/" + channel + "/messages"
	)
	login := []string{"Authorization", "AccessKey " + key}
	return speaker{
		origin: "bird",
		configure: func(cfg *configs.Config, _ string) {
			cfg.Bird.Workspace = workspace
			cfg.Channels = []configs.Channel{{ID: channel, Name: "Alerts", Kind: configs.Transactional}}
		},
		prepare: func(t *testing.T, w *whole, callbacks string) {
			if _, err := w.d.rooms.auth.AddKey(t.Context(), "bird", key, []string{auth.AllAny}, false); err != nil {
				t.Fatal(err)
			}
			body := fmt.Sprintf(`{"service":"channels","event":"sms.outbound","url":%q,"signingKey":"s3cret"}`, callbacks)
			w.object(t, 201, "POST", "/workspaces/"+workspace+"/webhook-subscriptions", body, login...)
		},
		send: func(t *testing.T, w *whole, m wish) (ref, refused string) {
			more, header := "", login
			if !m.at.IsZero() {
				more = `,"scheduledFor":"` + m.at.Format(time.RFC3339) + `"`
			}
			if m.stranger {
				header = []string{"Authorization", "AccessKey " + key + "x"}
			}
			body := fmt.Sprintf(`{"receiver":{"contacts":[{"identifierValue":%q}]},"body":{"type":"text","text":{"text":%q}}%s}`, m.to, m.text, more)
			got := w.ask(t, "POST", messages, body, header...)
			var answer struct{ ID, Message string }
			if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
				t.Fatal(err)
			}
			if got.status != 202 {
				return "", fmt.Sprint(got.status, " ", answer.Message)
			}
			return answer.ID, ""
		},
		status: func(t *testing.T, w *whole, ref string) string {
			return fmt.Sprint(w.object(t, 200, "GET", messages+"/"+ref, "", login...)["status"])
		},
		words: map[queue.State]string{0: "scheduled", queue.Delivered: "delivered", queue.Failed: "sending_failed", queue.Cancelled: "deleted"},
		told: func(r calledBack) (ref, word string) {
			var body struct{ Payload struct{ ID, Status string } }
			if json.Unmarshal([]byte(r.body), &body) != nil || r.Header.Get("messagebird-signature") == "" {
				return "", "unsigned or no JSON"
			}
			return body.Payload.ID, body.Payload.Status
		},
		tells:       []string{"accepted", "processing", "sent", "delivered"},
		tellsFailed: []string{"accepted", "processing", "sending_failed"},

		tellsCancelled: []string{"scheduled", "deleted"},
	}
}
