package main

import (
	"strings"
	"testing"

	"dongled/configs"
	"dongled/modem/virtual"
	"dongled/pdu"
)

// ends sends a message and waits for its last state, in which its answer must have that shape.
func (w *whole) ends(t *testing.T, body, state, want string) {
	t.Helper()
	id := w.object(t, 202, "POST", "/messages", body)["id"].(string)
	w.await(id+" to be "+state, func() bool {
		return w.object(t, 200, "GET", "/messages/"+id, "")["state"] == state
	})
	if err := shape(w.ask(t, "GET", "/message/"+id, "").body, want); err != nil {
		t.Errorf("%s: %v", body, err)
	}
}

// Section 2.2 and 2.3: states as they are reached, and section 2.5: errors.
func TestContractStates(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	w.dongles()[0].AddFaults(virtual.Fault{On: virtual.OnSubmit, To: "+4915112345670", Do: virtual.CMS, Code: 21, Every: 1})
	w.dongles()[0].AddFaults(virtual.Fault{On: virtual.OnReport, To: "+4915112345671", Do: virtual.ReportStatus, Code: 0x41, Every: 1})
	const head = `{"id":"<id>","deviceId":"<id>","isHashed":false,"isEncrypted":false,"createdAt":"<time>","textMessage":{"text":"Hello"},`
	send := func(number, more string) string {
		return `{"textMessage":{"text":"Hello"},"phoneNumbers":["` + number + `"],"simNumber":1` + more + `}`
	}
	w.ends(t, send("+4915112345678", ""), "Delivered", head+`"state":"Delivered","recipients":[{"phoneNumber":"+4915112345678","state":"Delivered"}],
		"states":{"Pending":"<time>","Processed":"<time>","Sent":"<time>","Delivered":"<time>"}}`)
	w.ends(t, send("+4915112345678", `,"withDeliveryReport":false`), "Sent", head+`"state":"Sent",
		"recipients":[{"phoneNumber":"+4915112345678","state":"Sent"}],"states":{"Pending":"<time>","Processed":"<time>","Sent":"<time>"}}`)
	w.ends(t, send("+4915112345670", ""), "Failed", head+`"state":"Failed","recipients":[{"phoneNumber":"+4915112345670","state":"Failed","error":"<id>"}],
		"states":{"Pending":"<time>","Processed":"<time>","Failed":"<time>"}}`)
	w.ends(t, send("+4915112345671", ""), "Failed", head+`"state":"Failed","recipients":[{"phoneNumber":"+4915112345671","state":"Failed","error":"<id>"}],
		"states":{"Pending":"<time>","Processed":"<time>","Sent":"<time>","Failed":"<time>"}}`)
	// Rule 7: a mixture is Sent.
	w.ends(t, `{"textMessage":{"text":"Hello"},"simNumber":1,"phoneNumbers":["+4915112345678","+4915112345670"]}`, "Sent", head+`"state":"Sent",
		"recipients":[{"phoneNumber":"+4915112345678","state":"Delivered"},{"phoneNumber":"+4915112345670","state":"Failed","error":"<id>"}],
		"states":{"Pending":"<time>","Processed":"<time>","Sent":"<time>"}}`)
	for number, begins := range map[string]string{"+4915112345670": "Send result: RESULT_", "+4915112345671": "Delivery result from SC "} {
		w.failsWith(t, number, begins)
	}
}

// failsWith checks how the error of every message to a number begins.
func (w *whole) failsWith(t *testing.T, number, begins string) {
	t.Helper()
	listing := w.ask(t, "GET", "/messages?state=Failed", "").body
	_, rest, _ := strings.Cut(listing, `"phoneNumber":"`+number+`"`)
	if !strings.HasPrefix(rest, `,"state":"Failed","error":"`+begins) {
		t.Errorf("the error of %s does not begin with %q: %.120s", number, begins, rest)
	}
}

// Section 1.2: cancelling what is Pending, and what is not any more.
func TestContractCancel(t *testing.T) {
	t.Parallel()
	w := runWhole(t, func(c *configs.Config) { c.Dialects.ThirdParty = configs.SMSGate })
	for _, path := range []string{"/message/", "/messages/", "/api/3rdparty/v1/messages/"} {
		id := w.object(t, 202, "POST", "/messages", `{"textMessage":{"text":"Hello"},`+toOne+`,`+later+`}`)["id"].(string)
		const cancelled = `{"id":"<id>","deviceId":"<id>","state":"Cancelled","isHashed":false,"isEncrypted":false,"scheduleAt":"<time>","createdAt":"<time>",
			"recipients":[{"phoneNumber":"+4915112345678","state":"Cancelled"}],"states":{"Pending":"<time>","Cancelled":"<time>"}}`
		got := w.ask(t, "DELETE", path+id, "")
		if err := shape(got.body, cancelled); got.status != 200 || err != nil {
			t.Errorf("%d %v", got.status, err)
		}
		// The phone answers 200, the cloud 409; the state is the same.
		if again := w.ask(t, "DELETE", path+id, ""); again.status != 200 && again.status != 409 {
			t.Errorf("cancelled again: %d %s", again.status, again.body)
		}
	}
	id := w.object(t, 202, "POST", "/messages", `{"textMessage":{"text":"Hello"},`+toOne+`}`)["id"].(string)
	w.await("the delivery", func() bool { return w.object(t, 200, "GET", "/messages/"+id, "")["state"] == "Delivered" })
	w.runTable(t, []exchange{{"too late", "DELETE", "/messages/" + id, "", []int{409}, `{"message":"message is not pending"}`, nil}})
}

// Section 4, with the vectors of the page: the passphrase is correct horse, the text Hello, world! and
// the number +79990001234. Clients see what they sent, the network what it means.
func TestContractEncryption(t *testing.T) {
	t.Parallel()
	const (
		salted = `$aes-256-cbc/pbkdf2-sha1$i=75000$AAECAwQFBgcICQoLDA0ODw==$`
		text   = salted + `hrO9FdjFIzo6zOjEa45sKg==`
		number = salted + `myWkJ4AQRkTWO8J6QSJ4Rw==`
	)
	w := runWhole(t, func(c *configs.Config) { c.Encryption.Passphrase = "correct horse" })
	for _, content := range []string{`"message":"` + text + `"`, `"textMessage":{"text":"` + text + `"}`} {
		w.ends(t, `{`+content+`,"phoneNumbers":["`+number+`"],"isEncrypted":true,"simNumber":1}`, "Delivered", `{"id":"<id>","deviceId":"<id>",
			"state":"Delivered","isHashed":false,"isEncrypted":true,"createdAt":"<time>","textMessage":{"text":"`+text+`"},
			"recipients":[{"phoneNumber":"`+number+`","state":"Delivered"}],"states":{"Pending":"<time>","Processed":"<time>","Sent":"<time>","Delivered":"<time>"}}`)
	}
	left := w.dongles()[0].Submissions()
	if len(left) != 2 {
		t.Fatalf("%d messages left by radio, not 2", len(left))
	}
	for _, s := range left {
		if s.Submit.Destination != "+79990001234" || s.Submit.Text != "Hello, world!" {
			t.Errorf("to %s left %q", s.Submit.Destination, s.Submit.Text)
		}
	}
	for _, content := range []string{
		`{"textMessage":{"text":"plain"},"phoneNumbers":["` + number + `"],"isEncrypted":true}`,
		`{"textMessage":{"text":"` + text + `"},"phoneNumbers":["plain"],"isEncrypted":true}`,
		`{"textMessage":{"text":"` + strings.Replace(text, "aes-256-cbc", "rot13", 1) + `"},"phoneNumbers":["` + number + `"],"isEncrypted":true}`,
	} {
		w.ends(t, content, "Failed", `{"state":"Failed","isEncrypted":true,"recipients":[{"phoneNumber":"<id>","state":"Failed","error":"<id>"}],"<more>":0}`)
	}
}

// Section 4: without a passphrase the message is accepted, and fails.
func TestContractNoPassphrase(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	w.ends(t, `{"textMessage":{"text":"$aes-256-cbc/pbkdf2-sha1$i=75000$AAECAwQFBgcICQoLDA0ODw==$hrO9FdjFIzo6zOjEa45sKg=="},
		"phoneNumbers":["$aes-256-cbc/pbkdf2-sha1$i=75000$AAECAwQFBgcICQoLDA0ODw==$myWkJ4AQRkTWO8J6QSJ4Rw=="],"isEncrypted":true}`, "Failed",
		`{"state":"Failed","isEncrypted":true,"recipients":[{"phoneNumber":"<id>","state":"Failed","error":"Can't send message: Passphrase is not set"}],"<more>":0}`)
}

// Section 8.4 and 1.2, GET /inbox.
func TestContractInbox(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	w.deliver(t, pdu.Deliver{Originator: "+4915112345678", Text: "Grüße"})
	w.deliver(t, pdu.Deliver{Originator: "+4915112345678", Alphabet: pdu.Octets, Ports: &pdu.Ports{Destination: 53739}, Data: []byte{0xde, 0xad}})
	w.await("both messages", func() bool { return w.ask(t, "GET", "/inbox", "").header.Get("X-Total-Count") == "2" })
	const (
		text = `{"id":"<id>","type":"SMS","sender":"+4915112345678","recipient":"<id>","simNumber":1,"contentPreview":"Grüße","createdAt":"<time>","attachments":[]}`
		data = `{"id":"<id>","type":"DATA_SMS","sender":"+4915112345678","recipient":"<id>","simNumber":1,"contentPreview":"dead","createdAt":"<time>","attachments":[]}`
	)
	for query, want := range map[string]string{
		"?type=SMS": `[` + text + `]`, "?type=DATA_SMS": `[` + data + `]`, "?type=MMS": `[]`, "?type=MMS_DOWNLOADED": `[]`,
		"": `[` + data + `,` + text + `]`, "?limit=1&offset=1": `[` + text + `]`, "?includeAttachments=true&type=SMS": `[` + text + `]`,
		"?from=2099-01-01T00:00:00Z": `[]`,
	} {
		got := w.ask(t, "GET", "/inbox"+query, "")
		if err := shape(got.body, want); got.status != 200 || err != nil {
			t.Errorf("%s: %d %v", query, got.status, err)
		}
	}
	for query, message := range map[string]string{
		"type=FAX": "Invalid type", "limit=0": "limit must be between 1 and 500", "limit=501": "limit must be between 1 and 500",
		"offset=-1": "offset must be >= 0", "from=soon": "Invalid from datetime", "to=soon": "Invalid to datetime",
	} {
		w.runTable(t, []exchange{{query, "GET", "/inbox?" + query, "", []int{400}, `{"message":"` + message + `"}`, nil}})
	}
	w.runTable(t, []exchange{
		{"another device", "GET", "/inbox?deviceId=unheard-of", "", []int{400}, "", nil},
		{"an attachment of nothing", "GET", "/inbox/text:1/attachments/1", "", []int{404}, "", nil},
		{"no number", "GET", "/inbox/text:1/attachments/one", "", []int{400}, `{"message":"partId must be a number"}`, nil},
	})
}
