package httpapi

import (
	"errors"
	"testing"

	"dongled/httpapi/webhook"
	"dongled/scheduler/queue"
)

// FuzzParseWebhook: what is refused names a field or the device; what is taken is of this gateway's clients.
func FuzzParseWebhook(f *testing.F) {
	f.Add([]byte(`{"id":"a","deviceId":null,"url":"https://example.com/","event":"sms:received"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := parseWebhook(body, ownID)
		if err != nil {
			var field *queue.FieldError
			var own *statusError
			named := errors.As(err, &field) && field.Field != "" && field.Problem != ""
			if !named && (!errors.As(err, &own) || *own != statusError{400, "Device ID mismatch"}) {
				t.Fatalf("error %#v does not say what is wrong", err)
			}
			return
		}
		if h.Source != webhook.Local || h.DeviceID != "" {
			t.Errorf("taken: %+v", h)
		}
	})
}
