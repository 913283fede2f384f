package main_test

import (
	"encoding/base64"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/android-sms-gateway/client-go/rest"
	"github.com/android-sms-gateway/client-go/smsgateway"
)

// mounts are the base URLs of SMSGate's local, cloud and private servers, as clients have them.
var mounts = []string{"", "/3rdparty/v1", "/api/3rdparty/v1"}

// client is the published client, of which only the base URL differs from SMSGate's.
func client(g *gateway, base string) *smsgateway.Client {
	return smsgateway.NewClient(smsgateway.Config{}.
		WithClient(&g.http).WithBaseURL(g.url+base).WithBasicAuth(testUser, g.password))
}

// TestClient runs the current client-go against a gateway.
func TestClient(t *testing.T) {
	t.Parallel()
	g := newSite(t, []string{"virtual:one", "virtual:two"}, knownPassword).serve(t)
	g.awaitReady(t)
	for _, mount := range mounts {
		for _, base := range []string{mount, mount + "/"} {
			t.Run("base "+base, func(t *testing.T) { clientSends(t, client(g, base)) })
		}
	}
	t.Run("data", func(t *testing.T) { clientSendsData(t, client(g, "")) })
	t.Run("devices", func(t *testing.T) { clientListsDevices(t, client(g, "/")) })
	t.Run("health", func(t *testing.T) { clientChecksHealth(t, client(g, "/")) })
	t.Run("errors", func(t *testing.T) { clientErrors(t, g) })
}

func awaitDelivered(t *testing.T, c *smsgateway.Client, id string) (state smsgateway.MessageState) {
	t.Helper()
	await(t, "Delivered", func() (bool, string) {
		var err error
		if state, err = c.GetState(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		return state.State == smsgateway.ProcessingStateDelivered, "it is " + string(state.State)
	})
	if err := state.Validate(); err != nil {
		t.Error(err)
	}
	return state
}

// clientSends sends a text with every option that the client has.
func clientSends(t *testing.T, c *smsgateway.Client) {
	sim, ttl, report := uint8(2), uint64(600), true
	sent, err := c.Send(t.Context(), smsgateway.Message{
		TextMessage:  &smsgateway.TextMessage{Text: "Hello"},
		PhoneNumbers: []string{"+4915112345678", "+4915112345679"},
		SimNumber:    &sim, WithDeliveryReport: &report, TTL: &ttl,
		Priority: smsgateway.PriorityBypassThreshold,
	}, smsgateway.WithSkipPhoneValidation(false), smsgateway.WithDeviceActiveWithin(1))
	if err != nil {
		t.Fatal(err)
	}
	if sent.ID == "" || sent.State != smsgateway.ProcessingStatePending {
		t.Errorf("answer %+v", sent)
	}
	state := awaitDelivered(t, c, sent.ID)
	if state.ID != sent.ID || state.DeviceID == "" || state.DeviceID != sent.DeviceID || len(state.Recipients) != 2 {
		t.Errorf("state %+v", state)
	}
	for i, number := range []string{"+4915112345678", "+4915112345679"} {
		r := state.Recipients[i]
		if r.PhoneNumber != number || r.State != smsgateway.ProcessingStateDelivered || r.Error != nil {
			t.Errorf("recipient %d: %+v", i, r)
		}
	}
	if at := state.States["Delivered"]; time.Since(at).Abs() > 2*patience {
		t.Errorf("delivered at %v", at)
	}
}

func clientSendsData(t *testing.T, c *smsgateway.Client) {
	sent, err := c.Send(t.Context(), smsgateway.Message{
		ID:           "data-1",
		DataMessage:  &smsgateway.DataMessage{Data: base64.StdEncoding.EncodeToString([]byte{0xde, 0xad}), Port: 53739},
		PhoneNumbers: []string{"+4915112345678"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if sent.ID != "data-1" {
		t.Errorf("the id became %q", sent.ID)
	}
	awaitDelivered(t, c, "data-1")
}

func clientListsDevices(t *testing.T, c *smsgateway.Client) {
	devices, err := c.ListDevices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(devices) != 1 || devices[0].ID == "" || devices[0].Name == "" || devices[0].CreatedAt.IsZero() ||
		time.Since(devices[0].LastSeen).Abs() > 2*patience {
		t.Errorf("devices %+v", devices)
	}
}

func clientChecksHealth(t *testing.T, c *smsgateway.Client) {
	health, err := c.CheckHealth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if health.Status != smsgateway.HealthStatusPass {
		t.Errorf("health %+v", health)
	}
	for _, check := range []string{"modem:1:status", "modem:2:status", "db:ping"} {
		if health.Checks[check].Status != smsgateway.HealthStatusPass || health.Checks[check].ObservedValue != 1 {
			t.Errorf("%s: %+v", check, health.Checks[check])
		}
	}
}

// clientErrors: what goes wrong arrives as the error that the client has for it.
func clientErrors(t *testing.T, g *gateway) {
	valid := smsgateway.Message{ID: "twice", Message: "Hello", PhoneNumbers: []string{"+4915112345678"}}
	c := client(g, "")
	if _, err := c.Send(t.Context(), valid); err != nil {
		t.Fatal(err)
	}
	sim, ttl, until := uint8(9), uint64(5), time.Now().Add(time.Hour)
	two := smsgateway.Message{
		Message: "one", TextMessage: &smsgateway.TextMessage{Text: "two"}, PhoneNumbers: valid.PhoneNumbers,
	}
	for _, tt := range []struct {
		name string
		m    smsgateway.Message
		want error
	}{
		{"used id", valid, rest.ErrConflict},
		{"no content", smsgateway.Message{PhoneNumbers: valid.PhoneNumbers}, rest.ErrBadRequest},
		{"no recipient", smsgateway.Message{Message: "Hello"}, rest.ErrBadRequest},
		{"bad number", smsgateway.Message{Message: "Hello", PhoneNumbers: []string{"+4912"}}, rest.ErrBadRequest},
		{"no such SIM", smsgateway.Message{Message: "Hello", PhoneNumbers: valid.PhoneNumbers, SimNumber: &sim}, rest.ErrBadRequest},
		{"ttl and validUntil", smsgateway.Message{
			Message: "Hello", PhoneNumbers: valid.PhoneNumbers, TTL: &ttl, ValidUntil: &until,
		}, rest.ErrBadRequest},
		{"two contents", two, rest.ErrBadRequest},
	} {
		if _, err := c.Send(t.Context(), tt.m); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := c.GetState(t.Context(), "unheard-of"); !rest.IsClientError(err) || rest.IsBadRequest(err) {
		t.Errorf("unknown id: %v", err)
	}
	stranger := smsgateway.NewClient(smsgateway.Config{BaseURL: g.url, User: testUser, Password: "wrong"})
	if _, err := stranger.ListDevices(t.Context()); !rest.IsClientError(err) {
		t.Errorf("wrong password: %v", err)
	}
}

// TestClient16 runs client-go 1.6.0, of which many programs still are. It is in a module of its own,
// since a module can have one version of a package only.
func TestClient16(t *testing.T) {
	t.Parallel()
	g := newSite(t, []string{"virtual:one", "virtual:two"}, knownPassword).serve(t)
	g.awaitReady(t)
	program := filepath.Join(t.TempDir(), "client16")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.FromSlash("../../hack/client16")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	for _, mount := range mounts {
		p := start(t, program, "--url", g.url+mount, "--user", testUser, "--password", g.password)
		if status := p.status(t); status != 0 {
			t.Errorf("base %q: exit status %d", mount, status)
		}
		want := []string{
			"Delivered", "+4915112345678 Delivered",
			"webhook sms:received", "webhook sms:sent", "webhook sms:delivered", "webhook sms:failed", "webhook system:ping",
		}
		if got := lines(p.stdout.String()); !slices.Equal(got, want) {
			t.Errorf("base %q: it printed %q, want %q", mount, got, want)
		}
	}
}
