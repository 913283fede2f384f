package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"dongled/configs"
	"dongled/scheduler/queue"
)

// speakTwilio is a program that was written for Twilio and has its account, which is in the configuration.
func speakTwilio() speaker {
	const (
		account  = "AC0123456789abcdef0123456789abcdef"
		service  = "MG0123456789abcdef0123456789abcdef"
		token    = "fedcba9876543210fedcba9876543210"
		messages = "/2010-04-01/Accounts/" + account + "/Messages"
	)
	login := func(token string) []string {
		return []string{
			"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(account+":"+token)),
			"Content-Type", "application/x-www-form-urlencoded",
		}
	}
	return speaker{
		origin: "twilio",
		configure: func(cfg *configs.Config, _ string) {
			cfg.Twilio = configs.Twilio{AccountSID: account, AuthToken: token}
		},
		send: func(t *testing.T, w *whole, m wish) (ref, refused string) {
			form := url.Values{"To": {m.to}, "Body": {m.text}, "MessagingServiceSid": {service}, "StatusCallback": {m.callbacks + "/status"}}
			if !m.at.IsZero() {
				form.Set("ScheduleType", "fixed")
				form.Set("SendAt", m.at.UTC().Format(time.RFC3339))
			}
			header := login(token)
			if m.stranger {
				header = login("wrong")
			}
			got := w.ask(t, "POST", messages+".json", form.Encode(), header...)
			var answer struct{ SID, Message string }
			if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
				t.Fatal(err)
			}
			if got.status != 201 {
				return "", fmt.Sprint(got.status, " ", answer.Message)
			}
			return answer.SID, ""
		},
		status: func(t *testing.T, w *whole, ref string) string {
			return fmt.Sprint(w.object(t, 200, "GET", messages+"/"+ref+".json", "", login(token)...)["status"])
		},
		words: map[queue.State]string{0: "scheduled", queue.Delivered: "delivered", queue.Failed: "failed", queue.Cancelled: "canceled"},
		told: func(r calledBack) (ref, word string) {
			form, err := url.ParseQuery(r.body)
			if err != nil || len(r.Header.Get("X-Twilio-Signature")) != 28 {
				return "", "unsigned or no form"
			}
			return form.Get("MessageSid"), form.Get("MessageStatus")
		},
		tells: []string{"sending", "sent", "delivered"}, tellsFailed: []string{"sending", "failed"}, tellsCancelled: []string{"canceled"},
	}
}
