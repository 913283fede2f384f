package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/android-sms-gateway/client-go/rest"
	"github.com/android-sms-gateway/client-go/smsgateway"

	"dongled/pdu"
)

// clientGo is the published client, of which only the base URL differs from SMSGate's.
func (w *whole) clientGo(base string) *smsgateway.Client {
	return smsgateway.NewClient(smsgateway.Config{}.WithClient(w.http).WithBaseURL(w.url+base).WithBasicAuth(wholeUser, wholePassword))
}

// withToken is the client with a token instead of the password.
func (w *whole) withToken(token string) *smsgateway.Client {
	return smsgateway.NewClient(smsgateway.Config{}.WithClient(w.http).WithBaseURL(w.url).WithJWTAuth(token))
}

// goMethods uses each method of the client as a program does, and looks at what its user would see.
var goMethods = map[string]func(*testing.T, *whole, *smsgateway.Client){
	"Send":            goSends,
	"GetState":        goGetsStates,
	"ListDevices":     goListsDevices,
	"DeleteDevice":    goDeletesDevices,
	"CheckHealth":     goChecksHealth,
	"ExportInbox":     goExportsInbox,
	"GetLogs":         goGetsLogs,
	"GetSettings":     goGetsSettings,
	"UpdateSettings":  goUpdatesSettings,
	"ReplaceSettings": goReplacesSettings,
	"ListWebhooks":    goListsWebhooks,
	"RegisterWebhook": goRegistersWebhooks,
	"DeleteWebhook":   goDeletesWebhooks,
	"GenerateToken":   goGeneratesTokens,
	"RefreshToken":    goRefreshesTokens,
	"RevokeToken":     goRevokesTokens,
	"Do":              goDoes,
}

// TestClientGo runs all of client-go 1.12.5 against a daemon, under each base URL that it may be given.
func TestClientGo(t *testing.T) {
	t.Parallel()
	type published = *smsgateway.Client
	for method := range reflect.TypeFor[published]().Methods() {
		if goMethods[method.Name] == nil {
			t.Errorf("the client has a method %s, which nothing here uses", method.Name)
		}
	}
	w := runWhole(t)
	for _, base := range []string{"", "/", "/3rdparty/v1", "/api/3rdparty/v1/"} {
		for name, use := range goMethods {
			t.Run(strings.TrimPrefix(base, "/")+":"+name, func(t *testing.T) { use(t, w, w.clientGo(base)) })
		}
	}
}

func helloTo(number string) smsgateway.Message {
	return smsgateway.Message{TextMessage: &smsgateway.TextMessage{Text: "Hello"}, PhoneNumbers: []string{number}}
}

func goSends(t *testing.T, _ *whole, c *smsgateway.Client) {
	sim, ttl, report, until := uint8(2), uint64(600), true, time.Now().Add(time.Hour)
	m := helloTo("+4915112345678")
	m.SimNumber, m.TTL, m.WithDeliveryReport, m.Priority = &sim, &ttl, &report, smsgateway.PriorityBypassThreshold
	state, err := c.Send(t.Context(), m, smsgateway.WithSkipPhoneValidation(false), smsgateway.WithDeviceActiveWithin(1))
	if err != nil || state.ID == "" || state.DeviceID == "" || state.State != smsgateway.ProcessingStatePending ||
		state.TextMessage == nil || state.TextMessage.Text != "Hello" || state.States["Pending"].IsZero() {
		t.Errorf("%+v, %v", state, err)
	}
	if err := state.Validate(); err != nil {
		t.Error(err)
	}
	data := smsgateway.Message{
		DataMessage: &smsgateway.DataMessage{Data: "SGVsbG8=", Port: 53739}, PhoneNumbers: []string{"12345"}, ValidUntil: &until,
	}
	if state, err = c.Send(t.Context(), data, smsgateway.WithSkipPhoneValidation(true)); err != nil || state.DataMessage == nil ||
		state.DataMessage.Data != "SGVsbG8=" || state.DataMessage.Port != 53739 || state.Recipients[0].PhoneNumber != "12345" {
		t.Errorf("%+v, %v", state, err)
	}
	twice := helloTo("+4915112345678")
	twice.ID = state.ID
	if _, err := c.Send(t.Context(), twice); !errors.Is(err, rest.ErrConflict) {
		t.Errorf("an id that is used: %v", err)
	}
	if _, err := c.Send(t.Context(), helloTo("+4912")); !errors.Is(err, rest.ErrBadRequest) {
		t.Errorf("a number that is none: %v", err)
	}
}

func goGetsStates(t *testing.T, w *whole, c *smsgateway.Client) {
	sent, err := c.Send(t.Context(), helloTo("+4915112345678"))
	if err != nil {
		t.Fatal(err)
	}
	var state smsgateway.MessageState
	w.await("Delivered", func() bool {
		state, err = c.GetState(t.Context(), sent.ID)
		return err != nil || state.State == smsgateway.ProcessingStateDelivered
	})
	if err != nil || len(state.Recipients) != 1 || state.Recipients[0].State != smsgateway.ProcessingStateDelivered || state.Recipients[0].Error != nil {
		t.Errorf("%+v, %v", state, err)
	}
	if err := state.Validate(); err != nil {
		t.Error(err)
	}
	if _, err := c.GetState(t.Context(), "unheard-of"); !errors.Is(err, rest.ErrClient) {
		t.Errorf("an unknown id: %v", err)
	}
}

func goListsDevices(t *testing.T, _ *whole, c *smsgateway.Client) {
	devices, err := c.ListDevices(t.Context())
	if err != nil || len(devices) != 1 || len(devices[0].ID) != 21 || devices[0].Name == "" || devices[0].CreatedAt.IsZero() ||
		devices[0].UpdatedAt.IsZero() || devices[0].DeletedAt != nil || time.Since(devices[0].LastSeen).Abs() > 2*wholePatience {
		t.Errorf("%+v, %v", devices, err)
	}
}

// goDeletesDevices: there is one device, which is the gateway itself and stays.
func goDeletesDevices(t *testing.T, w *whole, c *smsgateway.Client) {
	if err := c.DeleteDevice(t.Context(), "unheard-of"); err != nil && !errors.Is(err, rest.ErrClient) {
		t.Errorf("an unknown device: %v", err)
	}
	goListsDevices(t, w, c)
}

func goChecksHealth(t *testing.T, _ *whole, c *smsgateway.Client) {
	health, err := c.CheckHealth(t.Context())
	if err != nil || health.Status != smsgateway.HealthStatusPass || health.Version == "" || health.ReleaseID < 1 ||
		health.Checks["messages:failed"].Status != smsgateway.HealthStatusPass {
		t.Errorf("%+v, %v", health, err)
	}
}

// goExportsInbox: what came in comes again as sms:received, with the same messageId.
func goExportsInbox(t *testing.T, w *whole, c *smsgateway.Client) {
	came := w.receiver(t, "sms:received")
	w.deliver(t, pdu.Deliver{Originator: "+4915112345678", Text: "Grüße"})
	first := payload[smsgateway.SmsReceivedPayload](t, came.next(t, "sms:received"))
	if first.Message != "Grüße" || first.Sender != "+4915112345678" || first.PhoneNumber != "+4915112345678" || first.SimNumber == nil ||
		*first.SimNumber != 1 || first.Recipient == nil || time.Since(first.ReceivedAt).Abs() > 2*wholePatience {
		t.Errorf("%+v", first)
	}
	period := smsgateway.MessagesExportRequest{DeviceID: w.deviceID(t), Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}
	if err := c.ExportInbox(t.Context(), period); err != nil {
		t.Fatal(err)
	}
	for {
		again := payload[smsgateway.SmsReceivedPayload](t, came.next(t, "sms:received"))
		if again.MessageID == first.MessageID {
			break
		}
	}
	period.Since, period.Until = period.Until, period.Since
	if err := c.ExportInbox(t.Context(), period); !errors.Is(err, rest.ErrBadRequest) {
		t.Errorf("a period that ends before it begins: %v", err)
	}
}

// payload is that of a delivery, as the client's type for receivers has it.
func payload[T any](t *testing.T, d told) T {
	t.Helper()
	var envelope struct{ Payload T }
	if err := json.Unmarshal([]byte(d.body), &envelope); err != nil {
		t.Fatalf("%v in %s", err, d.body)
	}
	return envelope.Payload
}

func goGetsLogs(t *testing.T, w *whole, c *smsgateway.Client) {
	var logs []smsgateway.LogEntry
	var err error
	w.await("an entry", func() bool {
		logs, err = c.GetLogs(t.Context(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		return err != nil || len(logs) > 0
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range logs {
		if e.ID == 0 || e.Message == "" || time.Since(e.CreatedAt).Abs() > time.Hour || e.Priority != smsgateway.LogEntryPriorityDebug &&
			e.Priority != smsgateway.LogEntryPriorityInfo && e.Priority != smsgateway.LogEntryPriorityWarn && e.Priority != smsgateway.LogEntryPriorityError {
			t.Errorf("%+v", e)
		}
	}
	if logs, err := c.GetLogs(t.Context(), time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)); err != nil || len(logs) != 0 {
		t.Errorf("of yesterday: %+v, %v", logs, err)
	}
}

func goGetsSettings(t *testing.T, _ *whole, c *smsgateway.Client) {
	s, err := c.GetSettings(t.Context())
	if err != nil || s.Messages == nil || s.Messages.LimitPeriod == nil || *s.Messages.LimitPeriod != smsgateway.Disabled ||
		s.Messages.ProcessingOrder == nil || s.Webhooks == nil || s.Webhooks.RetryCount == nil || s.Webhooks.SigningKey != nil {
		t.Errorf("%+v, %v", s, err)
	}
}

func goUpdatesSettings(t *testing.T, w *whole, c *smsgateway.Client) {
	order, days, key := smsgateway.FIFO, 7, "a key that signs"
	s, err := c.UpdateSettings(t.Context(), smsgateway.DeviceSettings{
		Messages: &smsgateway.SettingsMessages{ProcessingOrder: &order, LogLifetimeDays: &days},
		Webhooks: &smsgateway.SettingsWebhooks{SigningKey: &key},
	})
	if err != nil || *s.Messages.ProcessingOrder != order || *s.Messages.LogLifetimeDays != 7 || *s.Messages.LimitPeriod != smsgateway.Disabled {
		t.Errorf("%+v, %v", s, err)
	}
	none := 0
	if _, err := c.UpdateSettings(t.Context(), smsgateway.DeviceSettings{Logs: &smsgateway.SettingsLogs{LifetimeDays: &none}}); !errors.Is(err, rest.ErrBadRequest) {
		t.Errorf("no days: %v", err)
	}
	if s, err = c.GetSettings(t.Context()); err != nil || *s.Messages.ProcessingOrder != order || *s.Logs.LifetimeDays < 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

func goReplacesSettings(t *testing.T, _ *whole, c *smsgateway.Client) {
	goUpdatesSettings(t, nil, c)
	count := 3
	s, err := c.ReplaceSettings(t.Context(), smsgateway.DeviceSettings{Webhooks: &smsgateway.SettingsWebhooks{RetryCount: &count}})
	if err != nil || *s.Webhooks.RetryCount != 3 || *s.Messages.ProcessingOrder != smsgateway.LIFO {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err = c.ReplaceSettings(t.Context(), smsgateway.DeviceSettings{}); err != nil {
		t.Error(err)
	}
}

func goListsWebhooks(t *testing.T, _ *whole, c *smsgateway.Client) {
	want := smsgateway.Webhook{ID: "listed", URL: "https://127.0.0.1:9/hook", Event: smsgateway.WebhookEventSystemPing}
	if _, err := c.RegisterWebhook(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	hooks, err := c.ListWebhooks(t.Context())
	found := 0
	for _, h := range hooks {
		if h.ID == want.ID && h.URL == want.URL && h.Event == want.Event {
			found++
		}
	}
	if err != nil || found != 1 {
		t.Errorf("%+v, %v", hooks, err)
	}
}

// goRegistersWebhooks registers every event that the client knows, and reads those of a message with
// the types that it has for receivers.
func goRegistersWebhooks(t *testing.T, w *whole, c *smsgateway.Client) {
	for _, event := range smsgateway.WebhookEventTypes() {
		h, err := c.RegisterWebhook(t.Context(), smsgateway.Webhook{URL: "https://127.0.0.1:9/" + event, Event: event})
		if err != nil || h.ID == "" || h.Event != event || h.URL != "https://127.0.0.1:9/"+event || h.Validate() != nil {
			t.Errorf("%s: %+v, %v", event, h, err)
		}
		if err := c.DeleteWebhook(t.Context(), h.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.RegisterWebhook(t.Context(), smsgateway.Webhook{URL: "https://127.0.0.1:9/", Event: "sms:lost"}); !errors.Is(err, rest.ErrBadRequest) {
		t.Errorf("an unknown event: %v", err)
	}
	came := w.receiver(t, "sms:sent", "sms:delivered", "sms:data-received")
	state, err := c.Send(t.Context(), helloTo("+4915112345678"))
	if err != nil {
		t.Fatal(err)
	}
	var sent smsgateway.SmsSentPayload
	var delivered smsgateway.SmsDeliveredPayload
	for sent.MessageID != state.ID {
		sent = payload[smsgateway.SmsSentPayload](t, came.next(t, "sms:sent"))
	}
	for delivered.MessageID != state.ID {
		delivered = payload[smsgateway.SmsDeliveredPayload](t, came.next(t, "sms:delivered"))
	}
	if sent.PhoneNumber != "+4915112345678" || sent.Sender == "" || *sent.Recipient != "+4915112345678" || *sent.SimNumber == 0 ||
		sent.SentAt.IsZero() || delivered.DeliveredAt.Before(sent.SentAt.Add(-time.Second)) {
		t.Errorf("%+v, %+v", sent, delivered)
	}
	w.deliver(t, pdu.Deliver{Originator: "+4915112345678", Alphabet: pdu.Octets, Ports: &pdu.Ports{Destination: 53739}, Data: []byte("Hello")})
	if data := payload[smsgateway.SmsDataReceivedPayload](t, came.next(t, "sms:data-received")); data.Data != "SGVsbG8=" || data.ReceivedAt.IsZero() {
		t.Errorf("%+v", data)
	}
}

func goDeletesWebhooks(t *testing.T, _ *whole, c *smsgateway.Client) {
	h, err := c.RegisterWebhook(t.Context(), smsgateway.Webhook{ID: "gone:soon", URL: "https://127.0.0.1:9/hook", Event: smsgateway.WebhookEventSmsSent})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // it may be gone already
		if err := c.DeleteWebhook(t.Context(), h.ID); err != nil {
			t.Error(err)
		}
	}
	hooks, err := c.ListWebhooks(t.Context())
	for _, left := range hooks {
		if left.ID == h.ID {
			t.Errorf("it is still there: %+v", hooks)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func goToken(t *testing.T, c *smsgateway.Client, scopes ...string) smsgateway.TokenResponse {
	t.Helper()
	token, err := c.GenerateToken(t.Context(), smsgateway.TokenRequest{TTL: 600, Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func goGeneratesTokens(t *testing.T, w *whole, c *smsgateway.Client) {
	token := goToken(t, c, "messages:send")
	if token.ID == "" || token.TokenType != "Bearer" || token.RefreshToken == "" || time.Until(token.ExpiresAt) > 11*time.Minute || time.Until(token.ExpiresAt) < 5*time.Minute {
		t.Errorf("%+v", token)
	}
	if _, err := w.withToken(token.AccessToken).Send(t.Context(), helloTo("+4915112345678")); err != nil {
		t.Error(err)
	}
	if _, err := w.withToken(token.AccessToken).ListWebhooks(t.Context()); !errors.Is(err, rest.ErrClient) {
		t.Errorf("without the scope: %v", err)
	}
	if _, err := c.GenerateToken(t.Context(), smsgateway.TokenRequest{Scopes: []string{"messages:burn"}}); !errors.Is(err, rest.ErrBadRequest) {
		t.Errorf("an unknown scope: %v", err)
	}
}

func goRefreshesTokens(t *testing.T, w *whole, c *smsgateway.Client) {
	first := goToken(t, c, "devices:list")
	second, err := c.RefreshToken(t.Context(), first.RefreshToken)
	if err != nil || second.ID == first.ID || second.RefreshToken == "" || second.ExpiresAt.Before(time.Now()) {
		t.Fatalf("%+v, %v", second, err)
	}
	if _, err := w.withToken(second.AccessToken).ListDevices(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.RefreshToken(t.Context(), first.RefreshToken); !errors.Is(err, rest.ErrClient) {
		t.Errorf("refreshed twice: %v", err)
	}
}

func goRevokesTokens(t *testing.T, w *whole, c *smsgateway.Client) {
	token := goToken(t, c, "devices:list")
	if err := c.RevokeToken(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.withToken(token.AccessToken).ListDevices(t.Context()); !errors.Is(err, rest.ErrClient) {
		t.Errorf("it still opens: %v", err)
	}
	if _, err := c.RefreshToken(t.Context(), token.RefreshToken); !errors.Is(err, rest.ErrClient) {
		t.Errorf("it is still refreshed: %v", err)
	}
}

// goDoes: the client's own way to a route that it has no method for.
func goDoes(t *testing.T, _ *whole, c *smsgateway.Client) {
	var listed []smsgateway.MessageState
	if err := c.Do(context.Background(), http.MethodGet, "/messages?limit=1", nil, nil, &listed); !errors.Is(err, rest.ErrClient) {
		t.Errorf("without credentials: %v", err)
	}
}
