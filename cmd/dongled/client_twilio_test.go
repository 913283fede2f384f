package main

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"dongled/configs"
	"dongled/modem/virtual"
)

// TestClientTwilio runs the npm package twilio 6.2.0, whose own code also checks the signatures of
// callbacks, against a daemon.
func TestClientTwilio(t *testing.T) {
	t.Parallel()
	dir := npmDriver(t, "clienttwilio")
	account := configs.Twilio{AccountSID: "AC0123456789abcdef0123456789abcdef", AuthToken: "fedcba9876543210fedcba9876543210"}
	w := runWhole(t, func(c *configs.Config) { c.Twilio = account })
	for _, d := range w.dongles() {
		d.AddFaults(virtual.Fault{On: virtual.OnSubmit, To: refusedNumber, Do: virtual.CMS, Code: 1, Every: 1})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*wholePatience)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "driver.mjs", w.url, account.AccountSID, account.AuthToken, refusedNumber)
	node.Dir = dir
	out, err := node.CombinedOutput()
	want := []string{"create", "fetch", "statusCallback", "update", "list", "remove"}
	if did := strings.Fields(string(out)); err != nil || !slices.Equal(did, want) {
		t.Fatalf("%v after %s", err, out)
	}
}
