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
	up   = modem.Status{SIM: 1, State: modem.StateReady, SignalDBM: -71, Reports: true, LastSeen: at(9), Number: "+491701234567", Operator: "Net", ICCID: "8949000000000000001", IMSI: "262010000000001", IMEI: "490154203237518", SMSC: "+491710760000"}
	down = modem.Status{SIM: 7, State: modem.StateLost, Problem: "port-lost", Hint: "check the plug", LastSeen: at(8)}
)

// but is a modem with something about it changed.
func but(m modem.Status, change func(*modem.Status)) modem.Status {
	change(&m)
	return m
}

var (
	weak    = but(up, func(m *modem.Status) { m.SignalDBM = -107 })
	stuffed = but(up, func(m *modem.Status) { m.Storage[0] = modem.Memory{Name: "SM", Used: 10, Total: 10} })
	broke   = but(up, func(m *modem.Status) { m.Balance = modem.Balance{Amount: 2.25, At: at(1), Low: true} })
	paused  = but(up, func(m *modem.Status) { m.State, m.Problem, m.Hint = modem.StatePaused, "refused", "wait" })
	fast    = but(up, func(m *modem.Status) { m.Registration, m.Generation = 1, 4 })
	roaming = but(paused, func(m *modem.Status) { m.Registration, m.Generation = 5, 2 })
	denied  = but(down, func(m *modem.Status) { m.Registration, m.Generation = 3, 3 })
	second  = but(up, func(m *modem.Status) { m.SIM = 7 })
)

// check is one of the checks of a health answer.
func check(name, description, unit string, value int, status string) string {
	return fmt.Sprintf(`"%s":{"description":"%s","observedUnit":"%s","observedValue":%d,"status":"%s"}`, name, description, unit, value, status)
}

const failedText = "Messages accepted in the last hour that failed"

var (
	dbUp      = check("db:ping", "Message store answers", "boolean", 1, "pass")
	status1   = check("connection:status", "A modem is ready to send", "boolean", 1, "pass")
	status0   = check("connection:status", "A modem is ready to send", "boolean", 0, "fail")
	online    = status1 + "," + anchored
	offline   = status0 + "," + adrift
	anchored  = network(2, "pass", 1)
	adrift    = network(0, "fail", 0)
	noFailed  = check("messages:failed", failedText, "messages", 0, "pass")
	oneFailed = check("messages:failed", failedText, "messages", 1, "warn")
	sim1      = check("modem:1:status", "Modem is ready to send", "boolean", 1, "pass") + "," + check("modem:1:signal", "Received signal level", "dBm", -71, "pass")
	sim7      = check("modem:7:status", "Modem is ready to send", "boolean", 1, "pass") + "," + check("modem:7:signal", "Received signal level", "dBm", -71, "pass")
)

// network is the checks of the network that there is.
func network(transport int, status string, radio int) string {
	return check("connection:transport", "Network transport: 2 is cellular, 0 none", "flags", transport, status) + "," +
		check("connection:cellular", "Radio: 0 none, 1 unknown, 2 2G, 3 3G, 4 4G, 5 5G", "index", radio, "pass")
}

// down7 is the checks of the modem down.
func down7(status string) string {
	return check("modem:7:status", "port-lost: check the plug", "boolean", 0, status) + "," +
		check("modem:7:signal", "Received signal level is not known", "dBm", 0, "pass") + "," +
		warned(down, "port-lost", status)
}

// warned is the check of a warning that a modem must have; its words are package modem's.
func warned(m modem.Status, id, status string) string {
	return check(fmt.Sprintf("modem:%d:%s", m.SIM, id), told(m, id), "boolean", 1, status)
}

// told is the text of a warning that a modem must have.
func told(m modem.Status, id string) string {
	for _, w := range m.Warnings(time.Now()) {
		if w.ID == id {
			return w.Text
		}
	}
	panic(fmt.Sprintf("%+v has no warning %s", m, id))
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
		{"well", []modem.Status{up}, nil, 200, "pass", []string{online, sim1, noFailed}},
		{"one of two down", []modem.Status{up, down}, nil, 200, "warn", []string{online, sim1, down7("warn"), noFailed}},
		{"all down", []modem.Status{down}, nil, 503, "fail", []string{offline, down7("fail"), noFailed}},
		{"no modem yet", nil, nil, 503, "fail", []string{offline, noFailed}},
		{"weak signal", []modem.Status{weak}, nil, 200, "warn", []string{online,
			check("modem:1:status", "Modem is ready to send", "boolean", 1, "pass"),
			check("modem:1:signal", "Received signal level", "dBm", -107, "pass"),
			warned(weak, "weak-signal", "warn"),
			noFailed}},
		{"ready, but cannot receive", []modem.Status{stuffed}, nil, 503, "fail", []string{online, sim1, warned(stuffed, "storage-full", "fail"), noFailed}},
		{"another can", []modem.Status{stuffed, second}, nil, 200, "warn", []string{online, sim1, warned(stuffed, "storage-full", "warn"), sim7, noFailed}},
		{"none is sound, though one is ready", []modem.Status{stuffed, down}, nil, 503, "fail",
			[]string{online, sim1, warned(stuffed, "storage-full", "fail"), down7("fail"), noFailed}},
		{"low balance", []modem.Status{broke}, nil, 200, "warn", []string{online, sim1,
			warned(broke, "low-balance", "warn"), noFailed}},
		{"the only one paused", []modem.Status{paused}, nil, 503, "fail", []string{offline,
			check("modem:1:status", "refused: wait", "boolean", 0, "fail"),
			check("modem:1:signal", "Received signal level", "dBm", -71, "pass"),
			check("modem:1:refused", "wait", "boolean", 1, "warn"), noFailed}},
		{"by LTE", []modem.Status{fast}, nil, 200, "pass", []string{status1, network(2, "pass", 4), sim1, noFailed}},
		{"one by LTE, one by a radio not known", []modem.Status{second, fast}, nil, 200, "pass", []string{status1, network(2, "pass", 4), sim1, sim7, noFailed}},
		{"in a network, but paused", []modem.Status{roaming}, nil, 503, "fail", []string{status0, network(2, "pass", 2),
			check("modem:1:status", "refused: wait", "boolean", 0, "fail"),
			check("modem:1:signal", "Received signal level", "dBm", -71, "pass"),
			check("modem:1:refused", "wait", "boolean", 1, "warn"), noFailed}},
		{"denied by the network", []modem.Status{denied}, nil, 503, "fail", []string{offline, down7("fail"), noFailed}},
		{"a message failed", []modem.Status{up}, []queue.Message{failed(time.Minute)}, 200, "warn", []string{online, sim1, oneFailed}},
		{"all that there were failed", []modem.Status{up}, []queue.Message{failed(time.Minute), failed(time.Second)}, 200, "warn",
			[]string{online, sim1, check("messages:failed", failedText, "messages", 2, "warn")}},
		{"long ago", []modem.Status{up}, []queue.Message{failed(2 * time.Hour)}, 200, "pass", []string{online, sim1, noFailed}},
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
			for _, secret := range []string{up.Number, up.ICCID, up.IMSI, up.IMEI, up.SMSC, "2.25"} {
				if strings.Contains(got.body, secret) {
					t.Errorf("health is open to all and tells %q", secret)
				}
			}
		})
	}
}

// Trouble shows at once, and so does its end.
func TestHealthIsLive(t *testing.T) {
	s := start(t)
	for _, test := range []struct {
		modem  modem.Status
		status int
	}{{second, 200}, {down, 503}, {second, 200}} {
		s.modems.set(test.modem)
		if got := s.do("GET", "/health", ""); got.status != test.status {
			t.Errorf("%s: %d %s", test.modem.State, got.status, got.body)
		}
	}
}

// What was said an hour ago of a reset is not said any more: checks are made at the time of asking.
func TestHealthForgets(t *testing.T) {
	s := start(t)
	reset := but(up, func(m *modem.Status) { m.Resets, m.LastReset = 1, "usb-reset" })
	for ago, want := range map[time.Duration]bool{time.Minute: true, 2 * time.Hour: false} {
		reset.LastResetAt = time.Now().Add(-ago)
		s.modems.set(reset)
		if got := s.do("GET", "/health", ""); strings.Contains(got.body, `"modem:1:recently-reset"`) != want {
			t.Errorf("%s after a reset: %s", ago, got.body)
		}
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
	if got.status != 200 || health.Status != "pass" || health.ReleaseID != 42 || health.Checks["system:goroutines"].ObservedValue < 1 ||
		health.Checks["system:memory"].ObservedValue < 1 || len(health.Checks) != 2 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestHealthReadyAsksTheStoreOnly(t *testing.T) {
	s := start(t)
	s.modems.set(down)
	s.do("GET", "/health/startup", "").want(t, 200, `{"status":"pass","version":"1.2.3","releaseId":1,"checks":{`+dbUp+`}}`)
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
