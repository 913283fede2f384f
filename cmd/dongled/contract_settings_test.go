package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Section 6, as the phone answers: every section, with the values in force, and no secret.
func TestContractSettings(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	const rest = `"gateway":{"notification_channel":"AUTO","<more>":0},"webhooks":{"internet_required":true,"retry_count":15},"logs":{"lifetime_days":30},`
	settings := func(messages, ping string) string {
		return `{"messages":{` + messages + `"limit_period":"Disabled","limit_value":0,"sim_selection_mode":"OSDefault","processing_order":"LIFO",` +
			`"work_hours_enabled":false,"work_hours_start":"09:00","work_hours_end":"19:00","<more>":0},` + rest + ping + `"<more>":0}`
	}
	const body = `{"messages":{"send_interval_min":1,"send_interval_max":2},"ping":{"interval_seconds":600}}`
	w.runTable(t, []exchange{
		{"at first", "GET", "/settings", "", []int{200}, settings(`"send_interval_min":0,`, ""), nil},
		{"merged", "PATCH", "/settings", body, []int{200}, settings(`"send_interval_min":1,"send_interval_max":2,`, `"ping":{"interval_seconds":600},`), nil},
		{"kept", "GET", "/3rdparty/v1/settings", "", []int{200}, settings(`"send_interval_min":1,"send_interval_max":2,`, `"ping":{"interval_seconds":600},`), nil},
		{"merged inside of a section", "PATCH", "/settings", `{"messages":{"send_interval_min":2}}`, []int{200},
			settings(`"send_interval_min":2,"send_interval_max":2,`, `"ping":{"interval_seconds":600},`), nil},
		{"null resets", "PATCH", "/settings", `{"messages":{"send_interval_min":null,"send_interval_max":null}}`, []int{200},
			settings(`"send_interval_min":0,`, `"ping":{"interval_seconds":600},`), nil},
		{"replaced", "PUT", "/settings", `{"messages":{"send_interval_max":7}}`, []int{200}, settings(`"send_interval_max":7,`, ""), nil},
		{"as the phone takes it", "PATCH", "/settings", `{"messages":{"limit_value":5.0}}`, []int{200}, `{"messages":{"limit_value":5,"<more>":0},"<more>":0}`, nil},
		{"nothing", "PATCH", "/settings", `{}`, []int{200}, `{"messages":{"limit_value":5,"<more>":0},"<more>":0}`, nil},
		{"replaced by nothing", "PUT", "/settings", `{}`, []int{200}, settings(`"send_interval_min":0,`, ""), nil},
	})
}

// Section 6: what is refused changes nothing.
func TestContractSettingsRefused(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	before := w.ask(t, "GET", "/settings", "").body
	for _, body := range []string{
		`{"messages":[]}`, `{"messages":"x"}`, `{"messages":1}`, `{"ping":true}`, `[]`, `"x"`, `1`, `null`,
		`{"messages":{"limit_period":"PerWeek"}}`, `{"messages":{"limit_period":1}}`, `{"messages":{"limit_value":-1}}`, `{"messages":{"limit_value":"many"}}`,
		`{"messages":{"sim_selection_mode":"First"}}`, `{"messages":{"processing_order":"RANDOM"}}`, `{"messages":{"log_lifetime_days":0}}`,
		`{"messages":{"send_interval_min":-1}}`, `{"messages":{"work_hours_start":"25:00"}}`, `{"messages":{"work_hours_end":"9"}}`,
		`{"messages":{"work_hours_enabled":"yes"}}`, `{"ping":{"interval_seconds":0}}`, `{"logs":{"lifetime_days":0}}`,
		`{"webhooks":{"retry_count":0}}`, `{"webhooks":{"internet_required":"yes"}}`, `{"gateway":{"notification_channel":"PIGEON"}}`,
		`{"messages":{"limit_value":3},"webhooks":{"retry_count":0}}`,
	} {
		for _, method := range []string{"PATCH", "PUT"} {
			w.runTable(t, []exchange{{"refused", method, "/settings", body, []int{400}, "", nil}})
		}
	}
	if after := w.ask(t, "GET", "/settings", "").body; after != before {
		t.Errorf("the settings were\n%s and are\n%s", before, after)
	}
}

// Section 6: what may be written and is never shown.
func TestContractSecrets(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	const secret = "swordfish-1"
	body := fmt.Sprintf(`{"encryption":{"passphrase":%q},"webhooks":{"signing_key":%[1]q},"gateway":{"private_token":%[1]q}}`, secret)
	for _, method := range []string{"PATCH", "PUT"} {
		if got := w.ask(t, method, "/settings", body); got.status != 200 || strings.Contains(got.body, secret) {
			t.Errorf("%s: %d %s", method, got.status, got.body)
		}
	}
	for _, path := range []string{"/settings", "/logs?from=2020-01-01T00:00:00Z", "/health"} {
		if got := w.ask(t, "GET", path, ""); strings.Contains(got.body, secret) {
			t.Errorf("%s shows the secret: %s", path, got.body)
		}
	}
	if strings.Contains(w.log.String(), secret) {
		t.Errorf("the log has the secret")
	}
}

// Section 7.
func TestContractTokens(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	const pair = `{"id":"<id>","token_type":"Bearer","access_token":"<id>","refresh_token":"<id>","expires_at":"<time>",
		"tokenType":"Bearer","accessToken":"<id>","refreshToken":"<id>","expiresAt":"<time>"}`
	w.runTable(t, []exchange{
		{"issued", "POST", "/auth/token", `{"ttl":3600,"scopes":["messages:send"]}`, []int{201}, pair, nil},
		{"of the longest time", "POST", "/auth/token", `{"scopes":["all:any"]}`, []int{201}, pair, nil},
		{"no scopes", "POST", "/auth/token", `{"ttl":3600}`, []int{400}, "", nil},
		{"no scopes", "POST", "/auth/token", `{"ttl":3600,"scopes":[]}`, []int{400}, "", nil},
		{"an unknown scope", "POST", "/auth/token", `{"ttl":3600,"scopes":["messages:burn"]}`, []int{400}, "", nil},
		{"the scope of the system", "POST", "/auth/token", `{"ttl":3600,"scopes":["tokens:refresh"]}`, []int{400}, "", nil},
		{"too long", "POST", "/auth/token", `{"ttl":31536001,"scopes":["messages:send"]}`, []int{400, 201}, "", nil},
		{"a past time", "POST", "/auth/token", `{"ttl":-1,"scopes":["messages:send"]}`, []int{400}, "", nil},
		{"no token to refresh", "POST", "/auth/token/refresh", "", []int{401, 403}, "", nil},
		{"an unknown id", "DELETE", "/auth/token/unheard-of", "", []int{204}, "", nil},
	})
	for _, path := range []string{"/auth/token/refresh", "/auth/refresh", "/api/3rdparty/v1/auth/refresh"} {
		first := w.token(t, "settings:read")
		access, refresh := bearer(first["access_token"]), bearer(first["refresh_token"])
		w.runTable(t, []exchange{
			{"let in", "GET", "/settings", "", []int{200}, "", access},
			{"an access token refreshes nothing", "POST", path, "", []int{403, 401}, "", access},
			{"a refresh token opens nothing else", "GET", "/settings", "", []int{403, 401}, "", refresh},
		})
		second := w.object(t, 201, "POST", path, "", refresh...)
		w.runTable(t, []exchange{
			{"the new one is let in", "GET", "/settings", "", []int{200}, "", bearer(second["access_token"])},
			{"with the old scopes only", "GET", "/webhooks", "", []int{403}, "", bearer(second["access_token"])},
		})
		if err := shape(w.ask(t, "POST", path, "", bearer(second["refresh_token"])...).body, pair); err != nil {
			t.Error(err)
		}
		w.runTable(t, []exchange{{"a refresh token works once", "POST", path, "", []int{401}, "", refresh}})
	}
	revoked := w.token(t, "settings:read")
	w.runTable(t, []exchange{
		{"revoked", "DELETE", "/auth/token/" + revoked["id"].(string), "", []int{204}, "", nil},
		{"not let in any more", "GET", "/settings", "", []int{401}, `{"message":"Unauthorized"}`, bearer(revoked["access_token"])},
		{"nor refreshed", "POST", "/auth/token/refresh", "", []int{401}, "", bearer(revoked["refresh_token"])},
		{"a forged one", "GET", "/settings", "", []int{401}, `{"message":"Unauthorized"}`, bearer(revoked["access_token"].(string) + "x")},
		{"one without a signature", "GET", "/settings", "", []int{401}, `{"message":"Unauthorized"}`,
			bearer("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzY29wZXMiOlsiYWxsOmFueSJdLCJleHAiOjQwNzA5MDg4MDB9.")},
	})
}

// Section 8.1 to 8.3.
func TestContractHealthLogsDevices(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	const (
		failed = `"messages:failed":{"description":"<text>","observedUnit":"messages","observedValue":0,"status":"pass"}`
		health = `{"status":"pass","version":"<text>","releaseId":"<int>","checks":{"<more>":0}}`
		sim    = `"phoneNumber":"<id>","carrierName":"<id>","iccid":"<id>"}`
		device = `{"id":"<id>","name":"<id>","createdAt":"<time>","updatedAt":"<time>","lastSeen":"<time>","simCards":[` +
			`{"slotIndex":0,"simNumber":1,` + sim + `,{"slotIndex":1,"simNumber":2,` + sim + `]}`
	)
	w.runTable(t, []exchange{
		{"the phone", "GET", "/health", "", []int{200}, `{"status":"pass","version":"<text>","releaseId":"<int>","checks":{` + failed + `,"<more>":0}}`, nil},
		{"the cloud", "GET", "/3rdparty/v1/health/live", "", []int{200}, health, nil},
		{"the cloud", "GET", "/api/3rdparty/v1/health/ready", "", []int{200}, health, nil},
		{"the cloud", "GET", "/health/startup", "", []int{200}, health, nil},
		{"the phone", "GET", "/", "", []int{200}, `{"status":"ok","model":"<id>"}`, nil},
		{"one device", "GET", "/device", "", []int{200}, `[` + device + `]`, nil},
		{"one device", "GET", "/devices", "", []int{200}, `[` + device + `]`, nil},
		{"no logs of that time", "GET", "/logs?to=2020-01-01T00:00:00Z", "", []int{200}, `[]`, nil},
		{"what is no time", "GET", "/logs?from=soon", "", []int{400, 200}, "", nil},
	})
	if id := w.deviceID(t); len(id) != 21 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		t.Errorf("the id of the device is %q, not 21 characters that a URL takes", id)
	}
	w.await("an entry in the logs", func() bool {
		return w.ask(t, "GET", "/logs?from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z", "").body != "[]"
	})
	checkLogs(t, w.ask(t, "GET", "/logs?from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z", "").body)
}

// checkLogs checks each entry against section 8.2.
func checkLogs(t *testing.T, body string) {
	t.Helper()
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, raw := range all {
		entry := string(raw)
		for _, want := range []string{
			`{"id":"<int>","priority":"<id>","module":"<text>","message":"<id>","context":{"<more>":0},"createdAt":"<time>"}`,
			`{"id":"<int>","priority":"<id>","module":"<text>","message":"<id>","context":null,"createdAt":"<time>"}`,
			`{"id":"<int>","priority":"<id>","module":"<text>","message":"<id>","createdAt":"<time>"}`,
		} {
			err := shape(entry, want)
			if err == nil {
				break
			}
			if !strings.Contains(want, "context") {
				t.Error(err)
			}
		}
		if !strings.Contains(entry, `"priority":"DEBUG"`) && !strings.Contains(entry, `"priority":"INFO"`) &&
			!strings.Contains(entry, `"priority":"WARN"`) && !strings.Contains(entry, `"priority":"ERROR"`) {
			t.Errorf("the priority of %s", entry)
		}
	}
}
