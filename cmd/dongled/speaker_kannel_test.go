package main

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"dongled/configs"
)

// speakKannel is a client of Kannel's smsbox. It is told by its dlr-url, which bears its own name of the
// message; the API has no questions about one.
func speakKannel() speaker {
	return speaker{
		origin:    "kannel",
		configure: func(*configs.Config, string) {},
		send: func(t *testing.T, w *whole, m wish) (ref, refused string) {
			password := wholePassword
			if m.stranger {
				password = "wrong"
			}
			q := url.Values{
				"username": {wholeUser}, "password": {password}, "to": {m.to}, "text": {m.text}, "dlr-mask": {"31"},
				"dlr-url": {m.callbacks + "/dlr?name=" + url.QueryEscape(m.text) + "&value=%d"},
			}
			if !m.at.IsZero() {
				// In whole minutes from now; one begins while we count.
				q.Set("deferred", fmt.Sprint(int(time.Until(m.at).Round(time.Minute).Minutes())))
			}
			got := w.ask(t, "GET", "/cgi-bin/sendsms?"+q.Encode(), "", "Authorization", "")
			if got.status != 202 {
				return "", fmt.Sprint(got.status, " ", got.body)
			}
			return m.text, ""
		},
		told: func(r calledBack) (ref, word string) {
			return r.URL.Query().Get("name"), r.URL.Query().Get("value")
		},
		tells: []string{"8", "1"}, tellsFailed: []string{"16"}, tellsCancelled: []string{"16"},
		minutes: true,
	}
}
