// Client16 sends one text with version 1.6.0 of the SMSGate client and waits until it is delivered.
// It shows that programs which stayed with that version work: it posts the deprecated message
// field to the singular /message.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

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
	if err := run(ctx, client, *to); err != nil {
		fmt.Fprintln(os.Stderr, "client16:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, client *smsgateway.Client, to string) error {
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
