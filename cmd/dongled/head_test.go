package main

import (
	"net/url"
	"strings"
	"testing"

	"dongled/pdu"
)

// TestHeadDoesNothing: HEAD is safe (RFC 9110 section 9.2.1), also where GET sends a message or takes one.
func TestHeadDoesNothing(t *testing.T) {
	w := runWhole(t)
	login := url.Values{"username": {wholeUser}, "password": {wholePassword}, "login": {wholeUser}, "pass": {wholePassword},
		"to": {goodNumber}, "text": {"Hi"}, "message": {"Hi"}}.Encode()
	w.deliver(t, pdu.Deliver{Originator: goodNumber, Text: "Look at me"})
	w.await("the text", func() bool { return strings.Contains(w.ask(t, "GET", "/sms", "").body, "Look at me") })
	for _, path := range []string{"/cgi-bin/sendsms?" + login, "/http_api/send_sms?" + login, "/getsms"} {
		if got := w.ask(t, "HEAD", path, ""); got.status < 400 {
			t.Errorf("HEAD %.20s: %d", path, got.status)
		}
	}
	if got := w.ask(t, "GET", "/messages", "").body; got != "[]" {
		t.Errorf("messages: %s", got)
	}
	if got := w.ask(t, "GET", "/getsms", "").body; !strings.Contains(got, "Look at me") {
		t.Errorf("the text is gone: %s", got)
	}
}
