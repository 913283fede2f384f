package main

import (
	"fmt"
	"testing"

	"dongled/configs"
)

// speakGammu is Home Assistant's rest notification. The API has no questions about a message, and no
// callbacks.
func speakGammu() speaker {
	return speaker{
		origin:    "gammu",
		configure: func(*configs.Config, string) {},
		send: func(t *testing.T, w *whole, m wish) (ref, refused string) {
			var header []string
			if m.stranger {
				header = []string{"Authorization", "Basic c21zOndyb25n"}
			}
			got := w.ask(t, "POST", "/sms", fmt.Sprintf(`{"text":%q,"number":%q}`, m.text, m.to), header...)
			if got.status != 200 {
				return "", fmt.Sprint(got.status, " ", got.body)
			}
			return "", ""
		},
		unscheduled: true,
	}
}
