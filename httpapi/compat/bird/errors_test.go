package bird

import (
	"strconv"
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/scheduler/queue"
)

const elsewhere = "/workspaces/11111111-2222-4333-8444-555555555555/channels/" + testChannel + "/messages"

// TestErrors: whose fault it is, in the vendor's shape, on each route.
func TestErrors(t *testing.T) {
	b := newBench(t, nil)
	const id = "/11111111-2222-4333-8444-555555555555"
	for _, path := range []string{"POST ", "GET ", "GET " + id} {
		method, rest, _ := strings.Cut(path, " ")
		for _, test := range []struct {
			name, path, credentials string
			status                  int
			code                    string
		}{
			{"no credentials", messagesOf(testChannel), "", 401, "Unauthorized"},
			{"another workspace", elsewhere, accessKey, 403, "Forbidden"},
			{"no such channel", messagesOf("11111111-2222-4333-8444-555555555555"), accessKey, 404, "NotFound"},
		} {
			reply := b.Do(method, test.path+rest, `{"receiver":{}}`, "Authorization", test.credentials, "Content-Type", "application/json")
			e := decoded[trouble](t, reply.Body)
			if reply.Status != test.status || e.Code != test.code || e.Message == "" || e.Details != nil {
				t.Errorf("%s, %s: %d %s", path, test.name, reply.Status, reply.Body)
			}
		}
	}
	for _, credentials := range []string{accessKey, "accesskey " + compattest.Key, "Bearer " + compattest.Key, "bearer " + compattest.Key} {
		reply := b.Do("GET", messagesOf(testChannel), "", "Authorization", credentials)
		if reply.Status != 200 {
			t.Errorf("%s: %d %s", credentials, reply.Status, reply.Body)
		}
	}
	reply := b.Do("POST", messagesOf(testChannel), with(""), "Authorization", "AccessKey "+compattest.ReadKey, "Content-Type", "application/json")
	if reply.Status != 403 || !strings.Contains(reply.Body, "messages:send") {
		t.Errorf("a key for reading: %d %s", reply.Status, reply.Body)
	}
}

// TestTooLarge: a body beyond the limit.
func TestTooLarge(t *testing.T) {
	b := newBench(t, nil, func(o *compattest.Options) { o.Server.MaxBody = 4096 })
	reply := b.post(testChannel, with(`,"reference":"`+strings.Repeat("x", 5000)+`"`))
	if e := decoded[trouble](t, reply.Body); reply.Status != 413 || e.Code != "PayloadTooLarge" {
		t.Errorf("%d %s", reply.Status, reply.Body)
	}
}

// TestFull: a queue at its limits takes nothing, and says when to come again.
func TestFull(t *testing.T) {
	b := newBench(t, capped(1), func(o *compattest.Options) { o.Scheduler.Limits = queue.Limits{MaxPending: 1} })
	b.SIMs[0].Hold()
	b.Await(b.accepted(with("")).ID, queue.Processed)
	b.accepted(with(""))
	reply := b.post(testChannel, marketing("+31612345678", ""))
	if e := decoded[trouble](t, reply.Body); reply.Status != 503 || e.Code != "ServiceUnavailable" || reply.Header.Get("Retry-After") != "60" {
		t.Errorf("%d %s %v", reply.Status, reply.Body, reply.Header)
	}
	b.SIMs[0].Release()
	b.Await(b.Messages()[0].ID, queue.Sent)
	if m := b.accepted(marketing("+31612345678", "")); m.Status != "accepted" {
		t.Errorf("the message that was not taken counts: %s", m.Status)
	}
}

// TestTooMany: who tries keys has to wait.
func TestTooMany(t *testing.T) {
	b := newBench(t, nil)
	for i := range 10 {
		reply := b.Do("POST", messagesOf(testChannel), with(""), "Authorization", "Bearer wrong"+strconv.Itoa(i), "Content-Type", "application/json")
		if reply.Status == 429 {
			if e := decoded[trouble](t, reply.Body); e.Code != "TooManyRequests" || reply.Header.Get("Retry-After") == "" {
				t.Errorf("%s %v", reply.Body, reply.Header)
			}
			return
		}
	}
	t.Error("ten wrong keys, and no pause")
}
