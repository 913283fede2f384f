package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/android-sms-gateway/client-go/rest"
	"github.com/android-sms-gateway/client-go/smsgateway"
)

// The published client, unmodified, under each of the base URLs that it may be given.
func TestPublishedClient(t *testing.T) {
	for _, base := range []string{"", "/", "/3rdparty/v1", "/api/3rdparty/v1", "/api/3rdparty/v1/"} {
		t.Run(base, func(t *testing.T) {
			s := start(t)
			s.modems.set(up)
			client := s.client(base, password)
			ctx := context.Background()

			sim, report := uint8(2), true
			ttl := uint64(3600)
			sent, err := client.Send(ctx, smsgateway.Message{
				ID: "order-1234", TextMessage: &smsgateway.TextMessage{Text: "Hello"}, PhoneNumbers: []string{"+491701234567"},
				SimNumber: &sim, WithDeliveryReport: &report, Priority: smsgateway.PriorityBypassThreshold, TTL: &ttl,
			})
			if err != nil {
				t.Fatal(err)
			}
			state, err := client.GetState(ctx, "order-1234")
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []smsgateway.MessageState{sent, state} {
				if m.ID != "order-1234" || m.DeviceID != deviceID || m.State != smsgateway.ProcessingStatePending ||
					m.TextMessage == nil || m.TextMessage.Text != "Hello" || m.States["Pending"].IsZero() ||
					len(m.Recipients) != 1 || m.Recipients[0].PhoneNumber != "+491701234567" || m.Recipients[0].Error != nil {
					t.Errorf("state %+v", m)
				}
				if err := m.Validate(); err != nil {
					t.Error(err)
				}
			}

			if _, err := client.Send(ctx, smsgateway.Message{ID: "order-1234", Message: "again", PhoneNumbers: []string{"+1"}}); !errors.Is(err, rest.ErrConflict) {
				t.Errorf("used id: %v", err)
			}
			devices, err := client.ListDevices(ctx)
			if err != nil || len(devices) != 1 || devices[0].ID != deviceID || !devices[0].LastSeen.Equal(at(9).Truncate(time.Millisecond)) {
				t.Errorf("devices %+v, %v", devices, err)
			}
			health, err := client.CheckHealth(ctx)
			if err != nil || health.Status != smsgateway.HealthStatusPass || health.ReleaseID != 1 || health.Checks["modem:1:signal"].ObservedValue != -71 {
				t.Errorf("health %+v, %v", health, err)
			}
		})
	}
}

func TestPublishedClientData(t *testing.T) {
	s := start(t)
	client := s.client("/3rdparty/v1", password)
	soon := time.Now().Add(time.Hour)
	state, err := client.Send(context.Background(), smsgateway.Message{
		DataMessage: &smsgateway.DataMessage{Data: "SGVsbG8=", Port: 53739}, PhoneNumbers: []string{"12345"}, DeviceID: deviceID, ScheduleAt: &soon,
	}, smsgateway.WithSkipPhoneValidation(true), smsgateway.WithDeviceActiveWithin(0))
	if err != nil {
		t.Fatal(err)
	}
	if state.DataMessage == nil || *state.DataMessage != (smsgateway.DataMessage{Data: "SGVsbG8=", Port: 53739}) || len(state.ID) != 21 {
		t.Errorf("state %+v", state)
	}
	submission, _ := s.queue.last()
	if !submission.SkipPhoneValidation || !submission.ScheduleAt.Equal(soon) {
		t.Errorf("submission %+v", submission)
	}
}

func TestPublishedClientErrors(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	hello := smsgateway.Message{Message: "Hello", PhoneNumbers: []string{"+1"}}

	if _, err := s.client("", "wrong").Send(ctx, hello); !errors.Is(err, rest.ErrClient) {
		t.Errorf("wrong password: %v", err)
	}
	client := s.client("", password)
	if _, err := client.Send(ctx, smsgateway.Message{Message: "Hello"}); !errors.Is(err, rest.ErrBadRequest) {
		t.Errorf("no recipients: %v", err)
	}
	if _, err := client.Send(ctx, hello, smsgateway.WithDeviceActiveWithin(1)); !errors.Is(err, rest.ErrBadRequest) {
		t.Errorf("no active device: %v", err)
	}
	if _, err := client.GetState(ctx, "nothing"); !errors.Is(err, rest.ErrClient) {
		t.Errorf("unknown message: %v", err)
	}
	if _, err := client.CheckHealth(ctx); !errors.Is(err, rest.ErrServer) {
		t.Errorf("no modem: %v", err)
	}
	s.queue.fail(errors.New("gone"))
	if _, err := client.Send(ctx, hello); !errors.Is(err, rest.ErrServer) {
		t.Errorf("store gone: %v", err)
	}
}

func (s *server) client(base, password string) *smsgateway.Client {
	return smsgateway.NewClient(smsgateway.Config{
		// Redirects lose the body of a POST: none may be sent.
		Client:  &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("redirected") }},
		BaseURL: s.url + base, User: username, Password: password,
	})
}
