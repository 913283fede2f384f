// Client16 uses every method of version 1.6.0 of the SMSGate client: it sends one text and waits until
// it is delivered, and registers, lists and deletes webhooks. It shows that programs which stayed with
// that version work: it posts the deprecated message field to the singular /message.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/android-sms-gateway/client-go/rest"
	"github.com/android-sms-gateway/client-go/smsgateway"
)

func main() {
	url := flag.String("url", "http://localhost:8080", "base URL of the API")
	user := flag.String("user", "sms", "username")
	password := flag.String("password", "", "password")
	to := flag.String("to", "+4915112345678", "recipient")
	patience := flag.Duration("patience", time.Minute, "how long to wait for the delivery")
	flag.Parse()

	ctx, cancel := context.WithTimeout(context.Background(), *patience)
	defer cancel()
	client := smsgateway.NewClient(smsgateway.Config{BaseURL: *url, User: *user, Password: *password})
	if err := errors.Join(complete(), message(ctx, client, *to), webhooks(ctx, client), raw(ctx, client)); err != nil {
		fmt.Fprintln(os.Stderr, "client16:", err)
		os.Exit(1)
	}
}

// complete fails when the client has a method that is not used here.
func complete() error {
	used := []string{"Send", "GetState", "ListWebhooks", "RegisterWebhook", "DeleteWebhook", "Do"}
	client := reflect.TypeFor[*smsgateway.Client]()
	for i := range client.NumMethod() {
		if name := client.Method(i).Name; !slices.Contains(used, name) {
			return fmt.Errorf("method %s is not used", name)
		}
	}
	return nil
}

func message(ctx context.Context, client *smsgateway.Client, to string) error {
	sim, ttl := uint8(1), uint64(600)
	state, err := client.Send(ctx, smsgateway.Message{
		Message: "Hello", PhoneNumbers: []string{to}, SimNumber: &sim, TTL: &ttl,
		Priority: smsgateway.PriorityMaximum,
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for err == nil && state.State != smsgateway.ProcessingStateDelivered && state.State != smsgateway.ProcessingStateFailed {
		<-tick.C
		state, err = client.GetState(ctx, state.ID) // fails when ctx has ended
	}
	if err != nil {
		return err
	}
	if err := state.Validate(); err != nil {
		return err
	}
	fmt.Println(state.State)
	for _, r := range state.Recipients {
		fmt.Println(r.PhoneNumber, r.State)
	}
	return nil
}

// webhooks registers one for each event that the client knows and deletes them.
func webhooks(ctx context.Context, client *smsgateway.Client) error {
	for _, event := range smsgateway.WebhookEventTypes() {
		hook := smsgateway.Webhook{ID: "client16-" + event, URL: "https://127.0.0.1:9/hook", Event: event}
		stored, err := client.RegisterWebhook(ctx, hook)
		if err != nil {
			return err
		}
		if stored.ID != hook.ID || stored.URL != hook.URL || stored.Event != event {
			return fmt.Errorf("registered %+v, stored is %+v", hook, stored)
		}
		hooks, err := client.ListWebhooks(ctx)
		if err != nil || !slices.ContainsFunc(hooks, func(h smsgateway.Webhook) bool { return h.ID == hook.ID && h.Event == event }) {
			return fmt.Errorf("%s is not listed in %+v: %w", hook.ID, hooks, err)
		}
		if err := client.DeleteWebhook(ctx, hook.ID); err != nil {
			return err
		}
		fmt.Println("webhook", event)
	}
	return nil
}

// raw uses the client's own way to a route that it has no method for; its errors are all of one kind.
func raw(ctx context.Context, client *smsgateway.Client) error {
	var devices []any
	if err := client.Do(ctx, http.MethodGet, "/device", nil, nil, &devices); !errors.Is(err, rest.ErrAPIError) {
		return fmt.Errorf("without credentials: %w", err)
	}
	if _, err := client.GetState(ctx, "unheard-of"); !errors.Is(err, rest.ErrAPIError) {
		return fmt.Errorf("an unknown id: %w", err)
	}
	return nil
}
