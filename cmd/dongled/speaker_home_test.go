package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"dongled/configs"
	"dongled/scheduler/queue"
)

// speakHome is a client of 614901.xyz. Callbacks are SMSGate's webhooks.
func speakHome() speaker {
	const base = "/api/3rdparty/v1"
	words := map[queue.State]string{0: "Pending"}
	for s := queue.Pending; s <= queue.Cancelled; s++ {
		words[s] = s.String()
	}
	return speaker{
		origin:    "", // it is the gateway's own API
		configure: func(*configs.Config, string) {},
		prepare: func(t *testing.T, w *whole, callbacks string) {
			for _, event := range []string{"sms:sent", "sms:delivered", "sms:failed"} {
				w.object(t, 201, "POST", base+"/webhooks", fmt.Sprintf(`{"url":"%s","event":"%s"}`, callbacks, event))
			}
		},
		send: func(t *testing.T, w *whole, m wish) (ref, refused string) {
			more := ""
			if !m.at.IsZero() {
				more = `,"scheduleAt":"` + m.at.Format(time.RFC3339) + `"`
			}
			header := []string{}
			if m.stranger {
				header = []string{"Authorization", "Bearer nobody"}
			}
			got := w.ask(t, "POST", base+"/messages", fmt.Sprintf(`{"phoneNumbers":[%q],"textMessage":{"text":%q}%s}`, m.to, m.text, more), header...)
			var answer struct{ ID, Message string }
			if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
				t.Fatal(err)
			}
			if got.status != 200 {
				return "", fmt.Sprint(got.status, " ", answer.Message)
			}
			return answer.ID, ""
		},
		status: func(t *testing.T, w *whole, ref string) string {
			return fmt.Sprint(w.object(t, 200, "GET", base+"/messages/"+ref, "")["state"])
		},
		words: words,
		told: func(r calledBack) (ref, word string) {
			var body struct {
				Event   string
				Payload struct{ MessageID string }
			}
			_ = json.Unmarshal([]byte(r.body), &body)
			return body.Payload.MessageID, body.Event
		},
		tells: []string{"sms:delivered", "sms:sent"}, unordered: true, tellsFailed: []string{"sms:failed"},
	}
}
