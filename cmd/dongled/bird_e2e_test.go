package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"regexp"
	"slices"
	"testing"
)

// birdLine is what a start says of the channel of SIM 1.
var birdLine = regexp.MustCompile(`msg="bird channel".* workspace=(\S+) channel=(\S+) sim=1 `)

// TestBirdFromThePage runs a program of somebody who read Bird's page, took the ids out of the log, and has
// a token of the gateway.
func TestBirdFromThePage(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node is not installed; make test installs it")
	}
	w, ear := runWhole(t), newEar(t)
	var line []string
	w.await("the line of the channel", func() bool { line = birdLine.FindStringSubmatch(w.log.String()); return line != nil })
	token := w.object(t, 201, "POST", "/3rdparty/v1/auth/token", `{"ttl":600,"scopes":["messages:send","messages:read","webhooks:write"]}`)["access_token"].(string)
	url := ear.url + "/bird?from=here"
	out, err := exec.CommandContext(t.Context(), "node", "testdata/bird/driver.mjs", w.url, line[1], line[2], "Bearer "+token, url).Output()
	if err != nil {
		t.Fatal(err)
	}
	var saw struct {
		MMS, Complaint, First, Status, ID string
		Subscribed, Empty, Sent           int
	}
	if err := json.Unmarshal(out, &saw); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if saw.MMS != "inactive" || saw.Subscribed != 201 || saw.Empty != 400 || saw.Complaint == "" || saw.Sent != 202 || saw.First != "accepted" || saw.Status != "delivered" {
		t.Errorf("the program saw %+v", saw)
	}
	var left []string
	for _, s := range w.dongles()[0].Submissions() {
		left = append(left, s.Submit.Destination+" "+s.Submit.Text)
	}
	if !slices.Equal(left, []string{"+31612345678 Single text message"}) {
		t.Errorf("by SIM 1 left %q", left)
	}
	w.await("the last callback", func() bool { return len(ear.all()) == 4 })
	for i, want := range []string{"accepted", "processing", "sent", "delivered"} {
		r := ear.all()[i]
		var body struct {
			Service, Event string
			Payload        struct{ ID, Status string }
		}
		if err := json.Unmarshal([]byte(r.body), &body); err != nil {
			t.Fatal(err)
		}
		if body.Service != "channels" || body.Event != "sms.outbound" || body.Payload.ID != saw.ID || body.Payload.Status != want {
			t.Errorf("callback %d is %s", i+1, r.body)
		}
		if got, right := r.Header.Get("messagebird-signature"), birdSigns(r, url); got != right {
			t.Errorf("callback %d is signed %q, want %q", i+1, got, right)
		}
	}
}

// birdSigns is how Bird's documentation has receivers verify a callback.
func birdSigns(r calledBack, url string) string {
	sum := sha256.Sum256([]byte(r.body))
	mac := hmac.New(sha256.New, []byte("KeV+/HGoIQrxuE5YPCRR6AuQOJveldYNNhbVi1i22qk="))
	mac.Write([]byte(r.Header.Get("messagebird-request-timestamp") + "\n" + url + "\n" + string(sum[:])))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
