package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"dongled/configs"
)

const skycoreKey = "skycore-key-0123456789abcdef"

// speakSkycore is a client of Skycore's API. That has no question about a message and sends at once; what
// became of a message is told by postbacks.
func speakSkycore() speaker {
	return speaker{
		origin:    "skycore",
		configure: func(cfg *configs.Config, callbacks string) { cfg.Skycore.PostbackURL = callbacks + "/postbacks" },
		prepare: func(t *testing.T, w *whole, _ string) {
			if _, err := w.d.rooms.auth.AddKey(t.Context(), "skycore", skycoreKey, []string{"messages:send"}, false); err != nil {
				t.Fatal(err)
			}
		},
		send: func(t *testing.T, w *whole, m wish) (ref, refused string) {
			key := skycoreKey
			if m.stranger {
				key = "a key that nobody has"
			}
			got := w.object(t, 200, "POST", "/skycore/v2",
				fmt.Sprintf(`{"action":"sendsms","message-text":%q,"to":%q,"from":"1"}`, m.text, m.to), "x-api-key", key, "Authorization", "")
			if got["status"] != "Success" {
				return "", fmt.Sprint(got)
			}
			return got["tracking-id"].(string), ""
		},
		told: func(r calledBack) (ref, word string) {
			var p struct {
				ID   string `json:"tracking-id"`
				Code string
			}
			if r.URL.Path != "/postbacks" || json.Unmarshal([]byte(r.body), &p) != nil {
				return "", ""
			}
			return p.ID, p.Code
		},
		tells:       []string{"N201", "N202"},
		tellsFailed: []string{"E201"},
		unscheduled: true,
	}
}
