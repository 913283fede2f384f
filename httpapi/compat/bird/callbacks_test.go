package bird_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/bird"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/links"
	"dongled/modem"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

const phone = "+4915112345678"

func TestToldInOrder(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.subscribe("sms.outbound", "", hook)
	id := h.send(channelOne, phone, "delivered", `,"reference":"order 7","tags":["A"]`)
	h.Await(id, queue.Sent)
	h.Report(id, 0)
	h.Await(id, queue.Delivered)
	all := h.told(4)
	want := []string{
		hook + " sms.outbound accepted", hook + " sms.outbound processing", hook + " sms.outbound sent", hook + " sms.outbound delivered",
	}
	if got := words(all); !slices.Equal(got, want) {
		t.Errorf("told %v", got)
	}
	for _, c := range all {
		if c.Service != "channels" || c.Payload["id"] != id || c.Payload["channelId"] != channelOne || c.Payload["reference"] != "order 7" ||
			c.Payload["direction"] != "outgoing" || c.Dialect != "bird" || c.Method != "POST" || c.Header["Content-Type"] != "application/json" ||
			c.Ref != id || c.Line != all[0].Line || c.Secret != "" {
			t.Errorf("callback %+v", c)
		}
	}
	if a, b := all[0].Header["messagebird-request-id"], all[1].Header["messagebird-request-id"]; len(a) != 36 || a == b {
		t.Errorf("request ids %q and %q", a, b)
	}
	if at(all[0].Payload, "receiver", "contacts").([]any)[0].(map[string]any)["identifierValue"] != phone {
		t.Errorf("receiver %v", all[0].Payload["receiver"])
	}
}

func TestToldOfFailure(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.subscribe("sms.outbound", "", hook)
	h.SIMs[0].Answer(compattest.Refuse(1))
	id := h.send(channelOne, phone, "refused", "")
	h.Await(id, queue.Failed)
	all := h.told(3)
	if got := words(all); !slices.Equal(got, []string{hook + " sms.outbound accepted", hook + " sms.outbound processing", hook + " sms.outbound sending_failed"}) {
		t.Errorf("told %v", got)
	}
	if code := at(all[2].Payload, "failure", "code"); code != 15005.0 {
		t.Errorf("the failure has the code %v", code)
	}
}

// TestTriedAgain: a message that waits for another try goes no step back.
func TestTriedAgain(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.subscribe("sms.outbound", "", hook)
	tries := 0
	h.SIMs[0].Answer(func(compattest.Part) error {
		if tries++; tries == 1 {
			return &modem.SubmitError{Fault: modem.Fault{Action: modem.Transient, Text: "busy", Delay: time.Millisecond}}
		}
		return nil
	})
	id := h.send(channelOne, phone, "at the second try", "")
	h.Await(id, queue.Sent)
	if got := words(h.told(3)); !slices.Equal(got, []string{hook + " sms.outbound accepted", hook + " sms.outbound processing", hook + " sms.outbound sent"}) {
		t.Errorf("told %v", got)
	}
}

func TestToldOfScheduledAndDeleted(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.subscribe("sms.outbound", "", hook)
	later := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	id := h.send(channelAny, phone, "later", `,"scheduledFor":"`+later+`"`)
	if _, err := h.Scheduler.Cancel(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	if got := words(h.told(2)); !slices.Equal(got, []string{hook + " sms.outbound scheduled", hook + " sms.outbound deleted"}) {
		t.Errorf("told %v", got)
	}
}

// TestFilters has subscriptions that hear of parts of the same.
func TestFilters(t *testing.T) {
	h := gateway(t, bird.Options{})
	const of = `{"key":"channelId","value":"`
	const is = `{"key":"messageStatus","value":"`
	h.subscribe("sms.outbound", of+channelOne+`"}`, "https://one.example/")
	h.subscribe("sms.outbound", of+channelTwo+`"}`, "https://two.example/")
	h.subscribe("sms.outbound", is+`sent"}`, "https://sent.example/")
	h.subscribe("sms.outbound", of+channelTwo+`"},`+is+`sent"}`, "https://two-sent.example/")
	h.subscribe("sms.inbound", "", "https://inbound.example/")
	off := h.subscribe("sms.outbound", "", "https://off.example/")
	h.object(http.StatusOK, "PATCH", hooksPath+"/"+off, `{"status":"inactive"}`)
	gone := h.subscribe("sms.outbound", "", "https://gone.example/")
	h.ask("DELETE", hooksPath+"/"+gone, "")
	h.Await(h.send(channelOne, phone, "by one", ""), queue.Sent)
	h.told(4)
	h.Await(h.send(channelTwo, phone, "by two", `,"notification":{"url":"https://notify.example/"}`), queue.Sent)
	got := words(h.told(4 + 8))
	slices.Sort(got)
	want := []string{
		"https://notify.example/ sms.outbound accepted", "https://notify.example/ sms.outbound processing", "https://notify.example/ sms.outbound sent",
		"https://one.example/ sms.outbound accepted", "https://one.example/ sms.outbound processing", "https://one.example/ sms.outbound sent",
		"https://sent.example/ sms.outbound sent", "https://sent.example/ sms.outbound sent",
		"https://two-sent.example/ sms.outbound sent",
		"https://two.example/ sms.outbound accepted", "https://two.example/ sms.outbound processing", "https://two.example/ sms.outbound sent",
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %s", strings.Join(got, "\n"))
	}
}

// TestSecrets: the key of a subscription signs what goes there, and nothing else.
func TestSecrets(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.object(http.StatusCreated, "POST", hooksPath, `{"service":"channels","event":"sms.outbound","url":"`+hook+`","signingKey":"s3cret"}`)
	h.send(channelOne, phone, "x", `,"notification":{"url":"https://notify.example/"}`)
	for _, c := range h.told(2) {
		want := map[string]string{hook: "s3cret", "https://notify.example/": ""}[c.URL]
		if c.Secret != want {
			t.Errorf("what goes to %s is signed with %q", c.URL, c.Secret)
		}
	}
	if h.Callbacks.Plan("bird").Sign == nil {
		t.Error("nothing signs")
	}
}

func TestReceived(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.subscribe("sms.inbound", "", hook)
	h.subscribe("sms.inbound", `{"key":"channelId","value":"`+channelAny+`"}`, "https://any.example/")
	h.subscribe("sms.inbound", `{"key":"channelId","value":"`+channelOne+`"}`, "https://one.example/")
	h.subscribe("sms.inbound", `{"key":"messageStatus","value":"sent"}`, "https://never.example/")
	h.subscribe("sms.outbound", "", "https://outbound.example/")
	h.Hear(2, "+31612345678", "Sample incoming text message")
	all := h.told(2)
	if got := words(all); !slices.Equal(got, []string{hook + " sms.inbound delivered", "https://any.example/ sms.inbound delivered"}) {
		t.Fatalf("told %v", got)
	}
	// By the first one's filters it is of the SIM's own channel, by the second's of that of any.
	for i, channel := range []string{channelTwo, channelAny} {
		p := all[i].Payload
		for _, c := range []struct {
			got, want any
		}{
			{p["channelId"], channel}, {p["direction"], "incoming"},
			{at(p, "sender", "contact", "identifierKey"), "phonenumber"}, {at(p, "sender", "contact", "identifierValue"), "+31612345678"},
			{at(p, "body", "type"), "text"}, {at(p, "body", "text", "text"), "Sample incoming text message"},
		} {
			if c.got != c.want {
				t.Errorf("%v, want %v in %v", c.got, c.want, p)
			}
		}
		connector, _ := at(p, "receiver", "connector", "id").(string)
		if shown := h.object(http.StatusOK, "GET", channelsPath+"/"+channel, ""); connector != shown["connectorId"] {
			t.Errorf("the receiver is %q", connector)
		}
		id := p["id"].(string)
		if got := h.object(http.StatusOK, "GET", channelsPath+"/"+channel+"/messages/"+id, ""); at(got, "body", "text", "text") != "Sample incoming text message" {
			t.Errorf("read back it is %v", got)
		}
		if got := h.ask("GET", channelsPath+"/"+channelOne+"/messages/"+id, ""); got.Status != http.StatusNotFound {
			t.Errorf("by the channel of another SIM it answered %d", got.Status)
		}
	}
}

// TestReceivedFirst: what comes in before anybody asked for channels is told as of its SIM's.
func TestReceivedFirst(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.subscribe("sms.inbound", "", hook)
	h.SIMs[0].Edit(func(st *modem.Status) { st.ICCID, st.IMSI = "", "262010000000001" })
	h.Hear(1, "+31612345678", "x")
	if got := h.told(1)[0].Payload["channelId"]; got != channelOne {
		t.Errorf("by a card whose ICCID cannot be read now it is of channel %v", got)
	}
}

func TestClicked(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.subscribe("sms.interaction", "", hook)
	h.subscribe("sms.interaction", `{"key":"interactionType","value":"clicked"},{"key":"channelId","value":"`+channelOne+`"}`, "https://one.example/")
	h.subscribe("sms.interaction", `{"key":"channelId","value":"`+channelTwo+`"}`, "https://two.example/")
	const messageID = "22222222-2222-4222-8222-222222222222"
	click := links.Click{
		Link: links.Link{
			Code: "aB3dE5fG", URL: "https://shop.example/sale", Short: "https://s.example.org/r/aB3dE5fG", MessageID: messageID, Origin: "bird",
			Note: []byte(`{"channel":"` + channelOne + `","to":"` + phone + `","reference":"order 7","tags":["a"]}`),
		},
		At: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), Human: true,
	}
	tell := h.Dialect.(interface {
		Clicked(*store.Tx, links.Click)
		Store() *store.Store
	})
	if err := tell.Store().Do(context.Background(), func(tx *store.Tx) error { tell.Clicked(tx, click); return nil }); err != nil {
		t.Fatal(err)
	}
	all := h.told(2)
	if got := words(all); !slices.Equal(got, []string{hook + " sms.interaction ", "https://one.example/ sms.interaction "}) {
		t.Fatalf("told %v", got)
	}
	p := all[0].Payload
	for key, want := range map[string]any{
		"messageId": messageID, "channelId": channelOne, "platformId": "sms-messagebird", "type": "clicked",
		"messageReference": "order 7", "createdAt": "2026-01-02T03:04:05.006Z",
	} {
		if p[key] != want {
			t.Errorf("%s is %v, want %v", key, p[key], want)
		}
	}
	if at(p, "metadata", "link", "url") != "https://shop.example/sale" || at(p, "metadata", "prefetched") != false {
		t.Errorf("metadata %v", p["metadata"])
	}
	if to := at(p, "receiver", "contacts").([]any)[0]; at(to, "identifierValue") != phone {
		t.Errorf("receiver %v", to)
	}
}
