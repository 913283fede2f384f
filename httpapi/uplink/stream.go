package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"
)

// silence is how long the stream may say nothing: the server sends a comment every 15 s.
const silence = 60 * time.Second

// steady is how long a stream must have lasted for the next attempt to count as the first.
const steady = time.Minute

var (
	errSilent = errors.New("the server said nothing for a minute")
	errCut    = errors.New("the server ended the stream of events")
)

// listen follows the server's events until ctx ends, connecting again and again.
func (s *session) listen(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; failures++ {
		began := time.Now()
		err := s.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= steady+silence {
			failures = 0
		}
		if refused(err, http.StatusUnauthorized) {
			s.ask(askDevice)
		}
		pause := backoff(failures)
		level := slog.LevelDebug // it was said already
		if failures == 0 {
			level = slog.LevelWarn
		}
		s.log.Log(ctx, level, "no events from the server; until they come, messages are fetched every 15 minutes", "err", err, "again_in", pause)
		if !sleep(ctx, pause) {
			return
		}
	}
}

// follow reads one stream to its end.
func (s *session) follow(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	dog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer dog.Stop()
	r, err := s.request(ctx, http.MethodGet, "/events", bearer(s.device.Token), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Cache-Control", "no-cache")
	resp, err := s.http.Do(r)
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	defer resp.Body.Close() // it was read to its end, or cut
	if resp.StatusCode != http.StatusOK {
		return asError(resp)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		return fmt.Errorf("the answer is %q, not a stream of events: is uplink.url the base of the device API?", kind)
	}
	s.log.Info("connected with the server")
	s.connected.Store(true)
	defer s.connected.Store(false)
	// What happened while nobody listened is not repeated.
	s.ask(askReports | askMessages | askWebhooks | askSettings)
	for e, err := range sse.Read(heard{resp.Body, dog}, nil) {
		if err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		s.hear(e)
	}
	return errCut
}

// heard keeps the dog from barking while something comes, be it a comment.
type heard struct {
	io.Reader
	dog *time.Timer
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if n > 0 {
		h.dog.Reset(silence)
	}
	return n, err
}

// hear deals with one event: others do what it asks for.
func (s *session) hear(e sse.Event) {
	s.log.Debug("event of the server", "type", e.Type)
	var data map[string]string
	if err := json.Unmarshal([]byte(e.Data), &data); err != nil && e.Data != "" {
		s.log.Warn("what belongs to an event of the server does not decode", "type", e.Type)
	}
	switch e.Type {
	case "MessageEnqueued":
		s.ask(askMessages)
	case "MessageCancelled":
		s.askCancel(data["messageId"])
	case "WebhooksUpdated":
		s.ask(askWebhooks)
	case "SettingsUpdated":
		s.ask(askSettings)
	case "MessagesExportRequested":
		switch e, wanted, err := parseExport(data); {
		case err != nil:
			s.log.Warn("the server asks for an export that cannot be", "err", err)
		case wanted:
			s.askExport(e)
		}
	}
}

// parseExport reads what belongs to MessagesExportRequested; wanted is false if webhooks are not to hear
// of it, for then there is nothing to do. Servers of before webhookDelivery say triggerWebhooks, and
// those of before that say nothing and mean true.
func parseExport(data map[string]string) (e Export, wanted bool, err error) {
	if e.Since, err = time.Parse(time.RFC3339, data["since"]); err != nil {
		return e, false, errors.New("since is no time")
	}
	if e.Until, err = time.Parse(time.RFC3339, data["until"]); err != nil {
		return e, false, errors.New("until is no time")
	}
	if e.Until.Before(e.Since) {
		return e, false, errors.New("until is before since")
	}
	for kind := range strings.SplitSeq(data["messageTypes"], ",") {
		if kind = strings.TrimSpace(kind); kind != "" {
			e.Types = append(e.Types, kind)
		}
	}
	if e.Types == nil {
		e.Types = []string{"SMS"}
	}
	switch delivery := data["webhookDelivery"]; delivery {
	case "Disabled":
		return e, false, nil
	case "Individual", "Batch":
		e.Batch = delivery == "Batch"
		return e, true, nil
	case "":
		return e, data["triggerWebhooks"] != "false", nil
	}
	return e, false, errors.New("webhookDelivery is not one that this gateway knows")
}
