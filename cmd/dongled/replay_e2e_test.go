package main_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/android-sms-gateway/client-go/smsgateway"

	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/outbox"
)

// vodafone are the two parts of an MMS notification as a phone got them: see pdu's tests.
var vodafone = []string{
	"0791447758100650400E80885810000000810004016082415464408C0C08049F8E020105040B8423F00106226170706C69636174696F6E2F766E642E7761702E6D6D732D6D65737361676500AF848C82984E4F4B3543694B636F544D595347344D4253774141734B7631344655484141414141414141008D908919802B3434373738353334323734392F545950453D504C4D4E008A808E0274008805810301194083687474703A2F",
	"0791447758100650440E8088581000000081000401608241547440440C08049F8E020205040B8423F02F70726F6D6D732F736572766C6574732F4E4F4B3543694B636F544D595347344D4253774141734B763134465548414141414141414100",
}

// TestReplay: what came in is listed, MMS too, and told again when clients ask for that in their ways;
// what was answered with 202 is told, though the gateway is killed at once.
func TestReplay(t *testing.T) {
	t.Parallel()
	bus := newBus(t)
	d := stick(t, bus, "1-1", "huawei-e173.replay", "262010000000031")
	s := newSite(t, []string{"imsi:262010000000031"}, knownPassword)
	s.env = onBus(bus)
	g := s.serve(t)
	g.awaitSIMs(t, 1)
	since := time.Now().Add(-time.Minute)
	if err := d.Deliver(pdu.Deliver{Originator: "+491701234567", Text: "hello", SCTS: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for _, part := range vodafone {
		raw, err := hex.DecodeString(part)
		if err == nil {
			err = d.DeliverRaw(raw)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	g.awaitInbox(t, map[string]int{"hello": 1, "http://promms/servlets/NOK5CiKcoTMYSG4MBSwAAsKv14FUHAAAAAAAA": 1})
	if header, answer := g.request(t, "GET", "/inbox?type=MMS", "", 200); header.Get("X-Total-Count") != "1" ||
		!strings.Contains(string(answer), `"type":"MMS","sender":"+447785342749"`) {
		t.Errorf("%v %s", header, answer)
	}

	period := fmt.Sprintf(`{"since":%q,"until":%q`, since.Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339))
	err := client(g, "/3rdparty/v1").ExportInbox(t.Context(), smsgateway.MessagesExportRequest{Since: since, Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Error(err)
	}
	g.request(t, "POST", "/inbox/refresh", period+`}`, http.StatusAccepted)
	_, answer := g.request(t, "POST", "/api/3rdparty/v1/inbox/refresh", period+`,"messageTypes":["SMS","MMS"],"webhookDelivery":"Batch"}`, http.StatusAccepted)
	if string(answer) != "{}" {
		t.Errorf("answered %s", answer)
	}
	g.kill()
	g = s.serve(t)
	g.awaitSIMs(t, 1)
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}

	payload := map[string]string{}
	var got []string
	for _, e := range s.events(t) {
		switch e.Name {
		case outbox.SMSReceived, outbox.MMSReceived:
			if first, again := payload[e.Name]; again && first != string(e.Payload) {
				t.Errorf("%s is told again as %s, was %s", e.Name, e.Payload, first)
			}
			payload[e.Name] = string(e.Payload)
		case outbox.BatchSMSReceived, outbox.BatchMMSReceived:
			single := strings.Replace(e.Name, ":batch", "", 1)
			if want := `{"messages":[` + payload[single] + `]}`; string(e.Payload) != want {
				t.Errorf("%s tells %s, want %s", e.Name, e.Payload, want)
			}
		default:
			continue
		}
		got = append(got, e.Name)
	}
	slices.Sort(got)
	if want := []string{"mms:batch:received", "mms:received", "sms:batch:received", "sms:received", "sms:received"}; !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	var mms struct{ TransactionID, Sender, MessageID string }
	if err := json.Unmarshal([]byte(payload[outbox.MMSReceived]), &mms); err != nil || mms.Sender != "+447785342749" ||
		mms.TransactionID != "NOK5CiKcoTMYSG4MBSwAAsKv14FUHAAAAAAAA" || mms.MessageID != mms.TransactionID {
		t.Errorf("of the MMS is told %s, %v", payload[outbox.MMSReceived], err)
	}
}

// events are those of a store that nobody has open.
func (s site) events(t *testing.T) []outbox.Event {
	t.Helper()
	sched, err := scheduler.Open(s.store, scheduler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sched.Close() }() // it was only read
	events, err := sched.Events(0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return events
}
