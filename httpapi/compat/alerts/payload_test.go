package alerts_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"dongled/httpapi/compat/alerts"
	"dongled/httpapi/compat/compattest"
)

// TestPayloads: what is sent, unless the receiver has words of its own, of what the webhook
// notifier of Alertmanager 0.34.2 posted, and of Grafana's payloads, that of its Test button among them.
func TestPayloads(t *testing.T) {
	am, g := alertmanager(t), grafana(t)
	for _, tt := range []struct {
		h                *compattest.House
		dialect, payload string
		want             string
	}{
		{am, "alertmanager", "one", "[firing:1] DiskFull web-1:9100: disk is 91% full"},
		{am, "alertmanager", "two", "[firing:2] DiskFull web-1:9100: disk is 91% full; HighLoad web-2:9100: load is 17"},
		// Of what still fires: the rest is over.
		{am, "alertmanager", "mixed", "[firing:1] HighLoad web-2:9100: load is 17"},
		{am, "alertmanager", "over", "[resolved:2] DiskFull web-1:9100: disk is 91% full; HighLoad web-2:9100: load is 17"},
		{am, "alertmanager", "truncated", "[firing:1, 1 more] DiskFull web-1:9100: disk is 91% full"},
		{g, "grafana", "test", "[firing:1] TestAlert Grafana: Notification test"},
		{g, "grafana", "resolved", "[resolved:1] Memory: more than 90% for 5 minutes"},
	} {
		body, err := os.ReadFile("testdata/" + tt.dialect + "/" + tt.payload + ".json")
		if err != nil {
			t.Fatal(err)
		}
		got := tt.h.Do("POST", "/hooks/"+tt.dialect+"?to=%2B4915112345678", string(body), bearer()...)
		if got.Status != 200 {
			t.Errorf("%s: %d %s", tt.payload, got.Status, got.Body)
			continue
		}
		if text := tt.h.Messages()[0].Content.Text; text != tt.want {
			t.Errorf("%s: %q, want %q", tt.payload, text, tt.want)
		}
	}
}

// Alerts that say less than they should.
func TestDefaultTemplate(t *testing.T) {
	for body, want := range map[string]string{
		`{"status":"firing","alerts":[{}]}`: "[firing:1]",
		`{"status":"firing","commonLabels":{"alertname":"Watchdog"},"alerts":[{"status":"firing"}]}`:                                                                             "[firing:1] Watchdog",
		`{"status":"firing","groupLabels":{"alertname":"A"},"alerts":[{"status":"firing","annotations":{"description":"d"}},{"status":"firing","annotations":{"summary":"s"}}]}`: "[firing:2] A: d; s",
		`{"status":"firing","commonAnnotations":{"summary":"s"},"alerts":[{"labels":{"alertname":"A"}},{"labels":{"alertname":"B"}}]}`:                                           "[firing:2] A; B",
	} {
		if got, err := alerts.Text([]byte(body), alerts.Receiver{MaxParts: 3}); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", body, got, err, want)
		}
	}
}

// TestGuessing: Alertmanager gives an alert up upon 429, so that who has to wait is told with 503.
func TestGuessing(t *testing.T) {
	h := alertmanager(t)
	got := h.Do("POST", "/hooks/alertmanager", fromAlertmanager, "Authorization", "Bearer wrong-key-0123456789", "Content-Type", "application/json")
	for i := 0; i < 100 && got.Status == http.StatusUnauthorized; i++ {
		got = h.Do("POST", "/hooks/alertmanager", fromAlertmanager, "Authorization", "Bearer wrong-key-0123456789", "Content-Type", "application/json")
	}
	if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || !strings.Contains(got.Body, "too many wrong credentials") {
		t.Errorf("%d %s, Retry-After %q", got.Status, got.Body, got.Header.Get("Retry-After"))
	}
}
