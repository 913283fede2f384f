package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/modem"
	"dongled/scheduler/queue"
)

var (
	up   = modem.Status{SIM: 1, State: modem.StateReady, SignalDBM: -71, LastSeen: at(9), Number: "+491701234567", Operator: "Net", ICCID: "8949000000000000001"}
	weak = modem.Status{SIM: 1, State: modem.StateReady, SignalDBM: -107}
	down = modem.Status{SIM: 7, State: modem.StateLost, Problem: "port-lost", Hint: "check the plug", LastSeen: at(8)}
)

const (
	dbUp      = `"db:ping":{"description":"Message store answers","observedUnit":"boolean","observedValue":1,"status":"pass"}`
	online    = `"connection:status":{"description":"A modem is ready to send","observedUnit":"boolean","observedValue":1,"status":"pass"}`
	offline   = `"connection:status":{"description":"A modem is ready to send","observedUnit":"boolean","observedValue":0,"status":"fail"}`
	noFailed  = `"messages:failed":{"description":"Messages accepted in the last hour that failed","observedUnit":"messages","observedValue":0,"status":"pass"}`
	oneFailed = `"messages:failed":{"description":"Messages accepted in the last hour that failed","observedUnit":"messages","observedValue":1,"status":"warn"}`
	sim1      = `"modem:1:status":{"description":"Modem is ready to send","observedUnit":"boolean","observedValue":1,"status":"pass"}`
	signal1   = `"modem:1:signal":{"description":"Received signal level","observedUnit":"dBm","observedValue":-71,"status":"pass"}`
	weak1     = `"modem:1:signal":{"description":"Received signal is weak: check the antenna and its place","observedUnit":"dBm","observedValue":-107,"status":"warn"}`
	signal7   = `"modem:7:signal":{"description":"Received signal level is not known","observedUnit":"dBm","observedValue":0,"status":"pass"}`
)

func sim7(status string) string {
	return `"modem:7:status":{"description":"port-lost: check the plug","observedUnit":"boolean","observedValue":0,"status":"` + status + `"}`
}

func TestHealth(t *testing.T) {
	failed := func(ago time.Duration) queue.Message {
		return queue.Message{ID: fmt.Sprint(ago), State: queue.Failed, Created: time.Now().Add(-ago), Recipients: []queue.Recipient{{Number: "+1", State: queue.Failed}}}
	}
	tests := []struct {
		name     string
		modems   []modem.Status
		messages []queue.Message
		status   int
		overall  string
		checks   []string
	}{
		{"well", []modem.Status{up}, nil, 200, "pass", []string{online, sim1, signal1, noFailed}},
		{"one of two down", []modem.Status{up, down}, nil, 200, "warn", []string{online, sim1, signal1, sim7("warn"), signal7, noFailed}},
		{"all down", []modem.Status{down}, nil, 503, "fail", []string{offline, sim7("fail"), signal7, noFailed}},
		{"no modem yet", nil, nil, 503, "fail", []string{offline, noFailed}},
		{"weak signal", []modem.Status{weak}, nil, 200, "warn", []string{online, sim1, weak1, noFailed}},
		{"a message failed", []modem.Status{up}, []queue.Message{failed(time.Minute)}, 200, "warn", []string{online, sim1, signal1, oneFailed}},
		{"long ago", []modem.Status{up}, []queue.Message{failed(2 * time.Hour)}, 200, "pass", []string{online, sim1, signal1, noFailed}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t)
			s.modems.set(test.modems...)
			s.queue.put(test.messages...)
			got := s.do("GET", "/health", "", "Authorization", "")
			if got.status != test.status {
				t.Errorf("%d, want %d", got.status, test.status)
			}
			sameJSON(t, got.body, `{"status":"`+test.overall+`","version":"1.2.3","releaseId":1,"checks":{`+dbUp+","+strings.Join(test.checks, ",")+`}}`)
			for _, secret := range []string{up.Number, up.ICCID} {
				if strings.Contains(got.body, secret) {
					t.Errorf("health is open to all and tells %q", secret)
				}
			}
		})
	}
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Neither modems nor the store may make a supervisor restart the process.
func TestHealthLiveNeverFails(t *testing.T) {
	s := start(t, func(o *httpapi.Options) { o.ReleaseID = 42 })
	s.modems.set(down)
	s.queue.fail(errors.New("gone"))
	got := s.do("GET", "/health/live", "")
	var health struct {
		Status    string
		ReleaseID int
		Checks    map[string]struct{ ObservedValue int }
	}
	if err := json.Unmarshal([]byte(got.body), &health); err != nil {
		t.Fatal(err)
	}
	if got.status != 200 || health.Status != "pass" || health.ReleaseID != 42 || health.Checks["system:goroutines"].ObservedValue < 1 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestHealthReadyAsksTheStoreOnly(t *testing.T) {
	s := start(t)
	s.modems.set(down)
	got := s.do("GET", "/health/ready", "")
	got.want(t, 200, `{"status":"pass","version":"1.2.3","releaseId":1,"checks":{`+dbUp+`}}`)

	s.queue.fail(errors.New("disk on fire"))
	dbDown := strings.NewReplacer(`"observedValue":1`, `"observedValue":0`, "pass", "fail").Replace(dbUp)
	got = s.do("GET", "/health/ready", "")
	got.want(t, 503, `{"status":"fail","version":"1.2.3","releaseId":1,"checks":{`+dbDown+`}}`)
	if whole := s.do("GET", "/health", ""); whole.status != 503 || strings.Contains(whole.body, "fire") {
		t.Errorf("%d %s", whole.status, whole.body)
	}
}

func TestDevices(t *testing.T) {
	s := start(t, func(o *httpapi.Options) {
		o.DeviceName = "attic"
		o.Created = time.Date(2025, 12, 31, 23, 0, 0, 0, time.FixedZone("", 3600))
	})
	const attic = `[{"id":"PyDmBQZZXYmyxMwED8Fzy","name":"attic","createdAt":"2025-12-31T22:00:00.000Z",`
	s.do("GET", "/devices", "").want(t, 200, attic+`"updatedAt":"2026-01-02T03:04:05.678Z","lastSeen":"2026-01-02T03:04:05.678Z","simCards":[]}]`)

	s.modems.set(up, down)
	for _, path := range []string{"/devices", "/device", "/3rdparty/v1/devices", "/api/3rdparty/v1/device/"} {
		s.do("GET", path, "").want(t, 200, attic+`"updatedAt":"2026-01-02T03:04:09.005Z","lastSeen":"2026-01-02T03:04:09.005Z","simCards":[`+
			`{"slotIndex":0,"simNumber":1,"phoneNumber":"+491701234567","carrierName":"Net","iccid":"8949000000000000001"},{"slotIndex":6,"simNumber":7}]}]`)
	}
}

// A gateway whose Created was not given was made when it started.
func TestDeviceTimesAreNeverNull(t *testing.T) {
	s := start(t)
	s.do("GET", "/device", "").want(t, 200, `[{"id":"PyDmBQZZXYmyxMwED8Fzy","name":"dongled","createdAt":"2026-01-02T03:04:05.678Z",`+
		`"updatedAt":"2026-01-02T03:04:05.678Z","lastSeen":"2026-01-02T03:04:05.678Z","simCards":[]}]`)
}
