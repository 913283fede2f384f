package uplink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"dongled/httpapi/webhook"
	"dongled/scheduler/settings"
	"dongled/scheduler/store"
)

// sourceCloud is what webhooks of the server are registered under.
const sourceCloud = "Cloud"

// syncWebhooks makes the server's webhooks ours. To deliver to them is the device's job.
func (s *session) syncWebhooks(ctx context.Context) error {
	var listed []struct{ ID, URL, Event string }
	if err := s.get(ctx, "/webhooks", &listed); err != nil {
		return err
	}
	hooks := make([]webhook.Hook, len(listed))
	for i, h := range listed {
		hooks[i] = webhook.Hook{ID: h.ID, DeviceID: s.device.ID, URL: h.URL, Event: h.Event, Source: sourceCloud}
	}
	return s.opts.Hooks.Sync(ctx, sourceCloud, hooks)
}

// own are the settings that a server does not take from its users and that ours does not take from it:
// they keep the server from reading messages and from forging webhooks.
var own = map[string][]string{
	"encryption": {"passphrase"},
	"gateway":    {"cloud_url", "private_token"},
	"webhooks":   {"signing_key"},
}

// syncSettings makes the server's settings ours when they changed there: what is changed here
// meanwhile stays until then.
func (s *session) syncSettings(ctx context.Context) error {
	var listed map[string]json.RawMessage
	if err := s.get(ctx, "/settings", &listed); err != nil {
		return err
	}
	sections := map[string]any{}
	for name, raw := range listed {
		if section, ok := readSection(name, raw); ok {
			sections[name] = section
		}
	}
	whole, err := json.Marshal(sections)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(whole)
	if bytes.Equal(s.read(keySettings), hash[:]) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		if err := s.patchSection(ctx, name, sections[name]); err != nil {
			return err
		}
	}
	if len(sections) > 0 {
		s.log.Info("settings of the server taken", "sections", len(sections))
	}
	return s.store.Do(ctx, func(t *store.Tx) error {
		t.Put(t.Bucket(bucketUplink), keySettings, hash[:])
		return t.Err
	})
}

// readSection returns what a section sets: null is what was not set there. What is no object is left
// as it is, for the settings to refuse.
func readSection(name string, raw json.RawMessage) (section any, ok bool) {
	if isNull(raw) {
		return nil, false
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(raw, &values) != nil {
		return raw, true
	}
	maps.DeleteFunc(values, func(key string, value json.RawMessage) bool {
		return isNull(value) || slices.Contains(own[name], key)
	})
	return values, len(values) > 0
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

// patchSection sets a section, or if one of its values is refused each of the others.
func (s *session) patchSection(ctx context.Context, name string, section any) error {
	err := s.patch(ctx, name, section)
	var fault *settings.Fault
	if !errors.As(err, &fault) {
		return err
	}
	values, _ := section.(map[string]json.RawMessage)
	if len(values) < 2 {
		s.log.Warn("a setting of the server is refused", "key", fault.Key)
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		err := s.patchSection(ctx, name, map[string]json.RawMessage{key: values[key]})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) patch(ctx context.Context, name string, section any) error {
	body, err := json.Marshal(map[string]any{name: section})
	if err != nil {
		return err
	}
	return s.opts.Settings.Patch(ctx, body)
}

// tellCards tells the server of the cards when others are in than it was told of.
func (s *session) tellCards(ctx context.Context) error {
	cards := simCards(s.messages.Modems())
	if slices.Equal(cards, s.cards) {
		return nil
	}
	change := struct {
		ID       string    `json:"id"`
		SIMCards []simCard `json:"simCards"`
	}{s.device.ID, cards}
	err := s.call(ctx, http.MethodPatch, "/device", bearer(s.device.Token), change, http.StatusNoContent, nil)
	if refused(err, http.StatusForbidden, http.StatusBadRequest, http.StatusUnprocessableEntity) {
		s.log.Warn("the server does not take which SIMs are in", "sims", len(cards), "err", err)
		err = nil
	}
	if err == nil {
		s.cards = cards
	}
	return err
}

// verify asks whether the server still knows this device: one 401 may come from something between.
func (s *session) verify(ctx context.Context) error {
	var answer struct{ Device *struct{ ID string } }
	err := s.get(ctx, "/device", &answer)
	switch {
	case err == nil && answer.Device != nil && answer.Device.ID == s.device.ID:
		return nil
	case err == nil, refused(err, http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed):
		return errUnregistered
	default:
		return err
	}
}
