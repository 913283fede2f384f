package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dongled/configs"
	"dongled/modem/virtual"
	"dongled/pdu"
)

// Section 3.1.
func TestContractWebhooks(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	long := "https://example.com/" + strings.Repeat("x", 256)
	w.runTable(t, []exchange{
		{"none yet", "GET", "/webhooks", "", []int{200}, `[]`, nil},
		{"none yet", "GET", "/api/3rdparty/v1/webhook", "", []int{200}, `[]`, nil},
		{"client-go", "POST", "/webhooks", `{"id":"one","deviceId":null,"url":"https://127.0.0.1:9/hook","event":"sms:received"}`,
			[]int{201}, `{"id":"one","event":"sms:received","url":"https://127.0.0.1:9/hook","<more>":0}`, nil},
		{"the id of another is replaced", "POST", "/webhook", `{"id":"one","url":"https://127.0.0.1:9/other","event":"sms:sent"}`,
			[]int{201}, `{"id":"one","event":"sms:sent","url":"https://127.0.0.1:9/other","<more>":0}`, nil},
		{"one is there", "GET", "/webhooks", "", []int{200}, `[{"id":"one","event":"sms:sent","url":"https://127.0.0.1:9/other","<more>":0}]`, nil},
		{"the phone lists the source", "GET", "/webhooks", "", []int{200}, `[{"id":"one","event":"sms:sent","url":"https://127.0.0.1:9/other","source":"Local","<more>":0}]`, nil},
		{"an id is made", "POST", "/webhooks", `{"url":"https://127.0.0.1:9/hook","event":"sms:sent"}`, []int{201}, `{"id":"<id>","event":"sms:sent","<more>":0,"url":"<text>"}`, nil},
		{"an id is made", "POST", "/webhooks", `{"id":"","url":"https://127.0.0.1:9/hook","event":"sms:sent"}`, []int{201}, `{"id":"<id>","event":"sms:sent","<more>":0,"url":"<text>"}`, nil},
		{"web-dashboard", "POST", "/webhooks", `{"id":"web-dashboard-sms:received","url":"https://127.0.0.1:9/hook","event":"sms:received"}`,
			[]int{201}, `{"id":"web-dashboard-sms:received","<more>":0}`, nil},
		{"client-rs", "POST", "/webhooks", `{"device_id":null,"url":"https://127.0.0.1:9/hook","event":"sms:failed"}`, []int{201}, "", nil},
		{"any case", "POST", "/webhooks", `{"url":"HTTPS://example.com/hook","event":"sms:failed"}`, []int{201}, "", nil},
		{"the loopback", "POST", "/webhooks", `{"url":"http://127.0.0.1:9/hook","event":"sms:failed"}`, []int{201}, "", nil},
		{"plain http", "POST", "/webhooks", `{"url":"http://example.com/hook","event":"sms:failed"}`, []int{400}, "", nil},
		{"another scheme", "POST", "/webhooks", `{"url":"ftp://example.com/hook","event":"sms:failed"}`, []int{400}, "", nil},
		{"no URL", "POST", "/webhooks", `{"event":"sms:failed"}`, []int{400}, "", nil},
		{"a long URL", "POST", "/webhooks", `{"url":"` + long + `","event":"sms:failed"}`, []int{400}, "", nil},
		{"no event", "POST", "/webhooks", `{"url":"https://127.0.0.1:9/hook"}`, []int{400}, "", nil},
		{"an unknown event", "POST", "/webhooks", `{"url":"https://127.0.0.1:9/hook","event":"sms:lost"}`, []int{400}, "", nil},
		{"a long id", "POST", "/webhooks", `{"id":"` + strings.Repeat("i", 37) + `","url":"https://127.0.0.1:9/hook","event":"sms:failed"}`, []int{400}, "", nil},
		{"another device", "POST", "/webhooks", `{"deviceId":"unheard-of","url":"https://127.0.0.1:9/hook","event":"sms:failed"}`, []int{400}, "", nil},
		{"another device", "POST", "/webhooks", `{"device_id":"unheard-of","url":"https://127.0.0.1:9/hook","event":"sms:failed"}`, []int{400}, "", nil},
		{"gone", "DELETE", "/webhooks/one", "", []int{204}, "", nil},
		{"still gone", "DELETE", "/webhook/one", "", []int{204}, "", nil},
		{"with a colon", "DELETE", "/webhooks/web-dashboard-sms:received", "", []int{204}, "", nil},
		{"with a colon, escaped", "DELETE", "/webhooks/web-dashboard-sms%3Areceived", "", []int{204}, "", nil},
	})
	for _, event := range []string{
		"sms:received", "sms:data-received", "sms:sent", "sms:delivered", "sms:failed", "sms:cancelled",
		"mms:received", "mms:downloaded", "system:ping", "app:started",
	} {
		w.runTable(t, []exchange{{event, "POST", "/webhooks", `{"id":"e","url":"https://127.0.0.1:9/hook","event":"` + event + `"}`, []int{201},
			`{"id":"e","event":"` + event + `","<more>":0}`, nil}})
	}
}

// Section 3.1: Home Assistant registers plain http addresses of the LAN, where that is allowed.
func TestContractWebhooksOfLAN(t *testing.T) {
	t.Parallel()
	w := runWhole(t, func(c *configs.Config) { c.Webhooks.AllowLANHTTP = true })
	for url, status := range map[string]int{
		"http://192.168.1.10:8123/api/webhook/x": 201, "http://homeassistant.local:8123/api/webhook/x": 201, "http://10.0.0.1/": 201, "http://8.8.8.8/": 400,
	} {
		w.runTable(t, []exchange{{url, "POST", "/webhooks", `{"id":"home-assistant-sms-received","url":"` + url + `","event":"sms:received"}`, []int{status}, "", nil}})
	}
}

// told is a delivery as a receiver gets it.
type told struct {
	header http.Header
	body   string
}

// receiver is a program that webhooks point to.
type receiver map[string]chan told // by event

var receivers atomic.Int64

// receiver registers a webhook for each of events, under ids that no other has, until the test ends.
func (w *whole) receiver(t *testing.T, events ...string) receiver {
	t.Helper()
	r := receiver{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		var envelope struct{ Event string }
		_ = json.Unmarshal(body, &envelope) // what is no event waits for nobody
		if came := r[envelope.Event]; came != nil {
			came <- told{req.Header.Clone(), string(body)}
		}
	}))
	t.Cleanup(s.Close)
	number := receivers.Add(1)
	for _, event := range events {
		r[event] = make(chan told, 1000)
	}
	for _, event := range events {
		id := fmt.Sprintf("%d-%s", number, event)
		w.object(t, 201, "POST", "/webhooks", `{"id":"`+id+`","url":"`+s.URL+`/hook","event":"`+event+`"}`)
		t.Cleanup(func() { w.ask(t, "DELETE", "/webhooks/"+id, "") })
	}
	return r
}

// next waits for a delivery of that event.
func (r receiver) next(t *testing.T, event string) told {
	t.Helper()
	select {
	case d := <-r[event]:
		return d
	case <-time.After(wholePatience):
		t.Fatalf("waited %v for %s", wholePatience, event)
		return told{}
	}
}

// Section 3.2 and 3.3: the envelope, its signature, and the payload of each event.
func TestContractEvents(t *testing.T) {
	t.Parallel()
	w := runWhole(t, func(c *configs.Config) {
		c.Webhooks.SigningKey = "secret12"
		c.Ping.Interval = time.Second
	})
	w.dongles()[0].AddFaults(virtual.Fault{On: virtual.OnSubmit, To: "+4915112345670", Do: virtual.CMS, Code: 21, Every: 1})
	came := w.receiver(t, "sms:received", "sms:data-received", "sms:sent", "sms:delivered", "sms:failed", "sms:cancelled", "system:ping")
	device := w.deviceID(t)
	w.object(t, 202, "POST", "/messages", `{"id":"good","textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345678"],"simNumber":1}`)
	check := func(event, payload string) {
		t.Helper()
		d := came.next(t, event)
		want := `{"id":"<id>","webhookId":"<id>","event":"` + event + `","deviceId":"` + device + `","payload":` + payload + `}`
		if err := shape(d.body, want); err != nil {
			t.Errorf("%s: %v", event, err)
		}
		checkEnvelope(t, event, d)
	}
	const out = `{"messageId":"good","phoneNumber":"+4915112345678","sender":"<id>","recipient":"+4915112345678","simNumber":1,`
	check("sms:sent", out+`"partsCount":1,"sentAt":"<time>"}`)
	check("sms:delivered", out+`"deliveredAt":"<time>"}`)
	w.object(t, 202, "POST", "/messages", `{"id":"bad","textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345670"],"simNumber":1}`)
	check("sms:failed", `{"messageId":"bad","phoneNumber":"+4915112345670","sender":"<id>","recipient":"+4915112345670","simNumber":1,"failedAt":"<time>","reason":"<id>"}`)
	w.object(t, 202, "POST", "/messages", `{"id":"never","textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345678"],`+later+`}`)
	w.object(t, 200, "DELETE", "/messages/never", "")
	check("sms:cancelled", `{"messageId":"never","phoneNumber":"+4915112345678","recipient":"+4915112345678","cancelledAt":"<time>"}`)
	const in = `{"messageId":"<id>","phoneNumber":"+4915112345678","sender":"+4915112345678","recipient":"<id>","simNumber":1,`
	w.deliver(t, pdu.Deliver{Originator: "+4915112345678", Text: "Grüße"})
	check("sms:received", in+`"message":"Grüße","receivedAt":"<time>"}`)
	w.deliver(t, pdu.Deliver{Originator: "+4915112345678", Alphabet: pdu.Octets, Ports: &pdu.Ports{Destination: 53739}, Data: []byte("Hello")})
	check("sms:data-received", in+`"data":"SGVsbG8=","receivedAt":"<time>"}`)
	check("system:ping", `{"health":{"status":"<id>","version":"<text>","releaseId":"<int>","checks":{"messages:failed":`+
		`{"description":"<text>","observedUnit":"messages","observedValue":"<int>","status":"<id>"},"<more>":0}}}`)
}

func (w *whole) deviceID(t *testing.T) string {
	t.Helper()
	var devices []struct{ ID string }
	if err := json.Unmarshal([]byte(w.ask(t, "GET", "/devices", "").body), &devices); err != nil || len(devices) != 1 {
		t.Fatalf("%v: %+v", err, devices)
	}
	return devices[0].ID
}

// checkEnvelope checks the headers of section 3.2. The key is secret12.
func checkEnvelope(t *testing.T, event string, d told) {
	t.Helper()
	if kind := d.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("%s: Content-Type %q", event, kind)
	}
	if agent := d.header.Get("User-Agent"); !strings.HasPrefix(agent, "me.capcom.smsgateway/") && !strings.HasPrefix(agent, "dongled/") {
		t.Errorf("%s: User-Agent %q", event, agent)
	}
	stamp := d.header.Get("X-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > wholePatience {
		t.Errorf("%s: X-Timestamp %q", event, stamp)
	}
	mac := hmac.New(sha256.New, []byte("secret12"))
	mac.Write([]byte(d.body + stamp))
	if want := hex.EncodeToString(mac.Sum(nil)); d.header.Get("X-Signature") != want {
		t.Errorf("%s: X-Signature %q, want %q", event, d.header.Get("X-Signature"), want)
	}
}
