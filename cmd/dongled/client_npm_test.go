package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/configs"
)

// npmMethods are all that the package has, in the order in which the driver uses them.
var npmMethods = []string{
	"send", "getState", "registerWebhook", "getWebhooks", "deleteWebhook", "getDevices", "deleteDevice", "getHealth",
	"exportInbox", "getLogs", "getSettings", "patchSettings", "updateSettings",
}

// TestClientNPM runs all of the npm package android-sms-gateway 3.0.0 against a daemon.
func TestClientNPM(t *testing.T) {
	t.Parallel()
	dir := npmDriver(t, "clientnpm")
	const passphrase = "pässword ✓"
	for _, base := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		t.Run("base "+base, func(t *testing.T) {
			w := runWhole(t, func(c *configs.Config) { c.Encryption.Passphrase = passphrase })
			ctx, cancel := context.WithTimeout(t.Context(), 2*wholePatience)
			defer cancel()
			node := exec.CommandContext(ctx, "node", "driver.mjs", w.url+base, wholeUser, wholePassword, passphrase)
			node.Dir = dir
			out, err := node.CombinedOutput()
			if used := strings.Fields(string(out)); err != nil || !slices.Equal(used, npmMethods) {
				t.Fatalf("%v after %s", err, out)
			}
			// What was encrypted there left here as what it means.
			var texts []string
			for _, s := range w.dongles()[1].Submissions() {
				if s.Submit.Destination == "+4915112345678" {
					texts = append(texts, s.Submit.Text)
				}
			}
			if !slices.Contains(texts, "Top secret ✓") {
				t.Errorf("by SIM 2 left %q", texts)
			}
		})
	}
}

// npmDriver is a directory with the driver of that name in hack and the package that its lock file names.
func npmDriver(t *testing.T, name string) string {
	t.Helper()
	for _, command := range []string{"node", "npm"} {
		if _, err := exec.LookPath(command); err != nil {
			missing(t, command+" is not installed; make test installs it")
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.FromSlash("../../hack/"+name))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--omit=peer", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		missing(t, "npm ci: "+err.Error()+"\n"+string(out))
	}
	return dir
}

// missing skips a test for want of what a machine need not have; CI must.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}
