package alerts_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/alerts"
	"dongled/httpapi/compat/compattest"
	"dongled/modem"
	"dongled/scheduler/queue"
)

func TestMain(m *testing.M) { compattest.Main(m, "alertmanager.yaml", "grafana.yaml") }

const secret = "a secret of Grafana's"

var receivers = []alerts.Receiver{
	{Name: "ops", To: []string{"+4915112345678", "+4915112345679"}, SIM: 2, MaxParts: 1},
	{Name: "signed", To: []string{"+4915112345678"}, MaxParts: 3, Secret: secret},
	{Name: "own words", To: []string{"+4915112345678"}, MaxParts: 1,
		Template: `{{ .Receiver }} {{ len .Alerts.Firing }}/{{ len .Alerts.Resolved }}{{ range .Alerts }} {{ .Labels.instance }}{{ .Labels.nothing }}{{ end }} {{ .Title }}`},
	{Name: "broken", To: []string{"+4915112345678"}, MaxParts: 1, Template: `{{ index .Alerts 7 }}`},
	{Name: "silent", To: []string{"+4915112345678"}, MaxParts: 1, Template: `{{ if eq .Status "resolved" }}over{{ end }}`},
}

func alertmanager(t *testing.T, edits ...func(*compattest.Options)) *compattest.House {
	t.Helper()
	return compattest.Start(t, func(b compat.Base) compat.Dialect { return alerts.NewAlertmanager(b, receivers) }, edits...)
}

func grafana(t *testing.T) *compattest.House {
	t.Helper()
	return compattest.Start(t, func(b compat.Base) compat.Dialect { return alerts.NewGrafana(b, receivers) })
}

func bearer(more ...string) []string {
	return append([]string{"Authorization", "Bearer " + compattest.Key, "Content-Type", "application/json"}, more...)
}

// fromAlertmanager is the example of Alertmanager's documentation, filled in.
const fromAlertmanager = `{
  "version": "4", "groupKey": "{}:{alertname=\"DiskFull\"}", "truncatedAlerts": 0, "status": "firing", "receiver": "ops",
  "groupLabels": {"alertname": "DiskFull"},
  "commonLabels": {"alertname": "DiskFull", "instance": "web-1:9100", "severity": "critical"},
  "commonAnnotations": {"summary": "disk is 91% full"},
  "externalURL": "http://prometheus:9093",
  "alerts": [
    {"status": "firing", "labels": {"alertname": "DiskFull", "instance": "web-1:9100", "mountpoint": "/"}, "annotations": {"summary": "disk is 91% full"},
     "startsAt": "2026-01-02T03:04:05.678Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus:9090/graph", "fingerprint": "f1c7e8a4"},
    {"status": "firing", "labels": {"alertname": "DiskFull", "instance": "web-1:9100", "mountpoint": "/var"}, "annotations": {"summary": "disk is 91% full"},
     "startsAt": "2026-01-02T03:05:05.678Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus:9090/graph", "fingerprint": "a4f1c7e8"}
  ]}`

// fromGrafana is the example of Grafana's documentation, shortened.
const fromGrafana = `{
  "receiver": "ops", "status": "firing", "orgId": 1, "version": "1", "groupKey": "{}:{}", "truncatedAlerts": 0,
  "title": "[FIRING:1]  (High memory usage Berlin)", "state": "alerting", "message": "**Firing**\n\nValue: B=22",
  "groupLabels": {}, "commonLabels": {"alertname": "High memory usage", "zone": "us-1"}, "commonAnnotations": {}, "externalURL": "https://play.grafana.org/",
  "alerts": [
    {"status": "firing", "labels": {"alertname": "High memory usage", "team": "blue", "zone": "us-1"},
     "annotations": {"description": "The system has high memory usage", "summary": "This alert was triggered for zone us-1"},
     "startsAt": "2021-10-12T09:51:03.157076+02:00", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "https://play.grafana.org/alerting/1afz29v7z/edit",
     "fingerprint": "c6eadffa33fcdf37", "silenceURL": "https://play.grafana.org/alerting/silence/new", "dashboardURL": "", "panelURL": "",
     "values": {"B": 44.23943737541908, "C": 1}, "valueString": "[ var='B' value=44 ]"}
  ]}`

func TestAlertmanager(t *testing.T) {
	h := alertmanager(t)
	got := h.Do("POST", "/hooks/alertmanager", fromAlertmanager, bearer()...)
	m := h.Messages()[0]
	if want := fmt.Sprintf(`{"status":"queued","id":"%s"}`, m.ID); got.Status != 200 || got.Body != want {
		t.Errorf("%d %s, want %s", got.Status, got.Body, want)
	}
	h.Await(m.ID, queue.Sent)
	if m.Content.Text != "[firing:2] DiskFull web-1:9100: disk is 91% full" || len(m.Recipients) != 2 || m.SIM != 2 || m.Origin != "alertmanager" {
		t.Errorf("%+v", m)
	}
}

func TestGrafana(t *testing.T) {
	h := grafana(t)
	for method, path := range map[string]string{"POST": "/hooks/grafana", "PUT": "/hooks/grafana?to=%2B4915112345670&sim=1"} {
		if got := h.Do(method, path, fromGrafana, bearer()...); got.Status != 200 {
			t.Fatalf("%s %s: %d %s", method, path, got.Status, got.Body)
		}
		if m := h.Messages()[0]; m.Content.Text != "[firing:1] High memory usage: This alert was triggered for zone us-1" || m.Origin != "grafana" {
			t.Errorf("%+v", m)
		}
	}
	if n := len(h.Messages()); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestTemplates(t *testing.T) {
	h := alertmanager(t)
	if got := h.Do("POST", "/hooks/alertmanager/own%20words", fromAlertmanager, bearer()...); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if text := h.Messages()[0].Content.Text; text != "ops 2/0 web-1:9100 web-1:9100" {
		t.Errorf("%q", text)
	}
	for receiver, want := range map[string]string{
		"broken": `{"message":"template: of receiver \"broken\" fails: template: broken:1:3: executing \"broken\" at \u003cindex .Alerts 7\u003e: error calling index: index out of range: 7"}`,
		"silent": `{"message":"template: of receiver \"silent\" fails: it writes nothing"}`,
	} {
		if got := h.Do("POST", "/hooks/alertmanager/"+receiver, fromAlertmanager, bearer()...); got.Status != 400 || got.Body != want {
			t.Errorf("%s: %d %s", receiver, got.Status, got.Body)
		}
	}
}

// A text is cut to what its receiver pays for. Brackets take two septets each (TS 23.038 section 6.2.1.1).
func TestCut(t *testing.T) {
	h := alertmanager(t)
	for summary, want := range map[string]string{
		strings.Repeat("x", 300): "[firing:2] DiskFull web-1:9100: " + strings.Repeat("x", 160-34-3) + "...",
		strings.Repeat("я", 300): "[firing:2] DiskFull web-1:9100: " + strings.Repeat("я", 70-32-3) + "...",
		strings.Repeat("x", 126): "[firing:2] DiskFull web-1:9100: " + strings.Repeat("x", 126),
	} {
		got := h.Do("POST", "/hooks/alertmanager", strings.NewReplacer("disk is 91% full", summary, "f1c7e8a4", want[len(want)-4:]).Replace(fromAlertmanager), bearer()...)
		if m := h.Messages()[0]; got.Status != 200 || m.Content.Text != want {
			t.Errorf("%d %s: %q, want %q", got.Status, got.Body, m.Content.Text, want)
		}
	}
}

// What Alertmanager sends again, as its peers in a cluster do, is told once.
func TestRepetitions(t *testing.T) {
	h := alertmanager(t)
	resolved := strings.ReplaceAll(fromAlertmanager, "firing", "resolved")
	again := strings.ReplaceAll(fromAlertmanager, "2026-01-02T03:04:05.678Z", "2026-01-02T04:04:05.678Z")
	for _, tt := range []struct{ what, path, body, want string }{
		{"first", "", fromAlertmanager, "queued"},
		{"the same", "", fromAlertmanager, "repeated"},
		{"another receiver", "/own%20words", fromAlertmanager, "queued"},
		{"other numbers", "?to=+4915112345670", fromAlertmanager, "queued"},
		{"over", "", resolved, "queued"},
		{"over again", "", resolved, "repeated"},
		{"began again", "", again, "queued"},
		{"another group", "", strings.ReplaceAll(fromAlertmanager, "{}:{alert", "{}/{}:{alert"), "queued"},
	} {
		got := h.Do("POST", "/hooks/alertmanager"+tt.path, tt.body, bearer()...)
		if got.Status != 200 || !strings.HasPrefix(got.Body, `{"status":"`+tt.want+`"`) {
			t.Errorf("%s: %d %s, want %s", tt.what, got.Status, got.Body, tt.want)
		}
	}
	if n := len(h.Messages()); n != 6 {
		t.Errorf("%d messages, want 6", n)
	}
}

func TestRefusals(t *testing.T) {
	h := alertmanager(t)
	unknown := strings.ReplaceAll(fromAlertmanager, `"receiver": "ops"`, `"receiver": "nobody"`)
	for _, tt := range []struct {
		what, path, body string
		status           int
		want             string
	}{
		{"unknown receiver", "", unknown, 400, `{"message":"receiver: there is no receiver \"nobody\" in the configuration: add it to receivers, or give the numbers as ?to="}`},
		{"no JSON", "", `{`, 400, `{"message":"body: must be the JSON of a webhook: unexpected end of JSON input"}`},
		{"labels that are none", "", `{"status":"firing","alerts":[{"labels":{"a":1}}]}`, 400, ``},
		{"no status", "", `{"alerts":[{}]}`, 400, `{"message":"status: must be firing or resolved"}`},
		{"no alerts", "", `{"status":"firing","alerts":[]}`, 400, `{"message":"alerts: must have at least one alert"}`},
		{"no SIM", "?sim=7", fromAlertmanager, 400, `{"message":"sim: SIM 7 not found; there are: 1, 2"}`},
		{"no number of a SIM", "?sim=x", fromAlertmanager, 400, `{"message":"sim: must be a simNumber, 1 to 255"}`},
		{"nobody's number", "?to=12", fromAlertmanager, 400, ``},
	} {
		got := h.Do("POST", "/hooks/alertmanager"+tt.path, tt.body, bearer()...)
		if got.Status != tt.status || tt.want != "" && got.Body != tt.want {
			t.Errorf("%s: %d %s, want %d %s", tt.what, got.Status, got.Body, tt.status, tt.want)
		}
	}
	for _, path := range []string{"/hooks/alertmanager", "/hooks/alertmanager/ops"} {
		if got := h.Do("POST", path, fromAlertmanager); got.Status != 401 || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("a stranger: %d %s", got.Status, got.Body)
		}
		if got := h.Do("POST", path, fromAlertmanager, "Authorization", "Bearer "+compattest.ReadKey, "Content-Type", "application/json"); got.Status != 403 {
			t.Errorf("without the scope: %d %s", got.Status, got.Body)
		}
		if got := h.Do("POST", path, fromAlertmanager, "Authorization", "Bearer "+compattest.WaitKey, "Content-Type", "application/json"); got.Status != 503 {
			t.Errorf("too often: %d %s", got.Status, got.Body)
		}
		if got := h.Do("POST", path+"?to=12", fromAlertmanager, bearer()...); got.Status != 400 || !strings.HasPrefix(got.Body, `{"message":"to: `) {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages were made", n)
	}
}

// Alertmanager sends again what was answered with 503, and then it has to be taken.
func TestFullQueue(t *testing.T) {
	h := alertmanager(t, func(o *compattest.Options) { o.Scheduler.Limits.MaxPending, o.Server.MaxBody = 1, largest })
	for _, s := range h.SIMs {
		s.Edit(func(st *modem.Status) { st.State = modem.StateNotRegistered })
	}
	for _, path := range []string{"/hooks/alertmanager", "/hooks/alertmanager/ops"} {
		h.Do("POST", "/hooks/alertmanager?to=%2B4915112345670", fromAlertmanager, bearer()...)
		got := h.Do("POST", path, fromAlertmanager, bearer()...)
		if got.Status != 503 || got.Header.Get("Retry-After") != "60" {
			t.Errorf("%d %s", got.Status, got.Body)
		}
		if got := h.Do("POST", path, strings.Repeat("x", largest+1), bearer()...); got.Status != 413 {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if n := len(h.Messages()); n != 1 {
		t.Fatalf("%d messages", n)
	}
	if _, err := h.Scheduler.Cancel(t.Context(), h.Messages()[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := h.Do("POST", "/hooks/alertmanager", fromAlertmanager, bearer()...); got.Status != 200 || !strings.HasPrefix(got.Body, `{"status":"queued"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestGrafanaSignature(t *testing.T) {
	h := grafana(t)
	sign := func(key, signed string) string {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(signed))
		return hex.EncodeToString(mac.Sum(nil))
	}
	now, old := fmt.Sprint(time.Now().Unix()), fmt.Sprint(time.Now().Add(-time.Hour).Unix())
	const signature, stamp = "X-Grafana-Alerting-Signature", "X-Grafana-Alerting-Timestamp"
	for _, tt := range []struct {
		what   string
		header []string
		status int
	}{
		{"no signature", nil, 401},
		{"not hexadecimal", []string{signature, "x"}, 401},
		{"another secret", []string{signature, sign("another", fromGrafana)}, 401},
		{"of another body", []string{signature, sign(secret, fromGrafana+" ")}, 401},
		{"too old", []string{stamp, old, signature, sign(secret, old+":"+fromGrafana)}, 401},
		{"a time that was not signed", []string{stamp, now, signature, sign(secret, fromGrafana)}, 401},
		{"no time at all", []string{stamp, "now", signature, sign(secret, "now:"+fromGrafana)}, 401},
		{"right", []string{signature, sign(secret, fromGrafana)}, 200},
		{"right, with the time", []string{stamp, now, signature, sign(secret, now+":"+fromGrafana)}, 200},
	} {
		for _, method := range []string{"POST", "PUT"} {
			if got := h.Do(method, "/hooks/grafana/signed", fromGrafana, bearer(tt.header...)...); got.Status != tt.status {
				t.Errorf("%s %s: %d %s, want %d", method, tt.what, got.Status, got.Body, tt.status)
			}
		}
	}
	if n := len(h.Messages()); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

// TestGrafanaSignatureOfANamed: who leaves the receiver to the payload is asked for its signature as well.
func TestGrafanaSignatureOfANamed(t *testing.T) {
	h := grafana(t)
	body := strings.Replace(fromGrafana, `"receiver": "ops"`, `"receiver": "signed"`, 1)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	right := hex.EncodeToString(mac.Sum(nil))
	for _, method := range []string{"POST", "PUT"} {
		for _, path := range []string{"/hooks/grafana", "/hooks/grafana?to=%2B4915112345670"} {
			if got := h.Do(method, path, body, bearer()...); got.Status != 401 {
				t.Errorf("%s %s without a signature: %d %s", method, path, got.Status, got.Body)
			}
			if got := h.Do(method, path, body, bearer("X-Grafana-Alerting-Signature", right)...); got.Status != 200 {
				t.Errorf("%s %s: %d %s", method, path, got.Status, got.Body)
			}
		}
	}
}

// A template cannot take all memory.
func TestEndlessTemplate(t *testing.T) {
	const endless = `{{ range .Alerts }}{{ range $.Alerts }}{{ printf "%09999d" 1 }}{{ end }}{{ end }}`
	body := `{"status":"firing","alerts":[{},{},{}` + strings.Repeat(`,{}`, 50) + `]}`
	if got, err := alerts.Text([]byte(body), alerts.Receiver{Template: endless, MaxParts: 1}); err == nil || !strings.Contains(err.Error(), "64 KiB") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// largest is of bodies, in octets: what is a little more was sent as a whole before it is refused.
const largest = 16 << 10

// Both documents promise the same refusals for every operation.
func TestGrafanaRefusals(t *testing.T) {
	h := compattest.Start(t, func(b compat.Base) compat.Dialect { return alerts.NewGrafana(b, receivers) }, func(o *compattest.Options) {
		o.Scheduler.Limits.MaxPending, o.Server.MaxBody = 1, largest
	})
	for _, s := range h.SIMs {
		s.Edit(func(st *modem.Status) { st.State = modem.StateNotRegistered })
	}
	h.Do("POST", "/hooks/grafana?to=%2B4915112345670", fromGrafana, bearer()...)
	for _, method := range []string{"POST", "PUT"} {
		for _, path := range []string{"/hooks/grafana", "/hooks/grafana/ops"} {
			for status, header := range map[int][]string{
				401: nil, 503: bearer(), 403: {"Authorization", "Bearer " + compattest.ReadKey, "Content-Type", "application/json"},
			} {
				if got := h.Do(method, path, fromGrafana, header...); got.Status != status {
					t.Errorf("%s %s: %d %s, want %d", method, path, got.Status, got.Body, status)
				}
			}
			for body, status := range map[string]int{`{}`: 400, strings.Repeat("x", largest+1): 413} {
				if got := h.Do(method, path, body, bearer()...); got.Status != status {
					t.Errorf("%s %s: %d %s", method, path, got.Status, got.Body)
				}
			}
		}
	}
}

func FuzzPayload(f *testing.F) {
	f.Add([]byte(fromAlertmanager))
	f.Add([]byte(fromGrafana))
	f.Add([]byte(`{"status":"resolved","alerts":[{"labels":null}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		text, err := alerts.Text(body, alerts.Receiver{MaxParts: 2})
		if err == nil && (text == "" || len([]rune(text)) > 306) {
			t.Errorf("%q", text)
		}
	})
}

func TestNumbers(t *testing.T) {
	for list, want := range map[string]string{
		"":                              "",
		" , ,":                          "",
		"+4915112345678,+4915112345679": "+4915112345678 +4915112345679",
		" 4915112345678, 4915112345679": "+4915112345678 +4915112345679",
		"015112345678, 015112345679":    "015112345678 015112345679",
		"+4915112345678, +491511":       "+4915112345678 +491511",
	} {
		if got := strings.Join(alerts.Numbers(list), " "); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}
