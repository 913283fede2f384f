package main

import (
	"strings"
	"testing"
)

const toOne = `"phoneNumbers":["+4915112345678"]`

// Section 2.1, as the pages have the requests and with the bounds of each field.
func TestContractSend(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	device := w.object(t, 202, "POST", "/messages", `{"message":"x",`+toOne+`,`+later+`}`)["deviceId"].(string)
	accepted := func(id, content, number, more string) string {
		return `{"id":` + id + `,"deviceId":"` + device + `","state":"Pending","isHashed":false,"isEncrypted":false,` +
			`"recipients":[{"phoneNumber":"` + number + `","state":"Pending"}],"states":{"Pending":"<time>"},` + content + `,"createdAt":"<time>"` + more + `}`
	}
	text := func(text string) string { return `"textMessage":{"text":"` + text + `"}` }
	w.runTable(t, []exchange{
		{"page 000", "POST", "/3rdparty/v1/messages", `{"id":"custom-id-123","message":"Your OTP is 1234","phoneNumbers":["+12025550100"],` +
			`"simNumber":1,"ttl":3600,"withDeliveryReport":true,"priority":100,"isEncrypted":false}`, []int{202},
			accepted(`"custom-id-123"`, text("Your OTP is 1234"), "+12025550100", ""), nil},
		{"page 001, text", "POST", "/3rdparty/v1/messages?skipPhoneValidation=true&deviceActiveWithin=12",
			`{"textMessage":{"text":"Your OTP is 1234"},"deviceId":"` + device + `","phoneNumbers":["+1234567890"],"simNumber":1,"ttl":3600,"priority":100}`,
			[]int{202}, accepted(`"<id>"`, text("Your OTP is 1234"), "+1234567890", ""), nil},
		{"page 001, data", "POST", "/3rdparty/v1/messages?skipPhoneValidation=true&deviceActiveWithin=12",
			`{"dataMessage":{"data":"SGVsbG8gRGF0YSBXb3JsZCE=","port":53739},"phoneNumbers":["+1234567890"],"simNumber":1,"ttl":3600,"priority":100}`,
			[]int{202}, accepted(`"<id>"`, `"dataMessage":{"data":"SGVsbG8gRGF0YSBXb3JsZCE=","port":53739}`, "+1234567890", ""), nil},
		{"page 002", "POST", "/api/3rdparty/v1/messages", `{"phoneNumbers":["+12025550100"],"textMessage":{"text":"Hello from API"},"withDeliveryReport":true}`,
			[]int{200}, strings.Replace(accepted(`"<uuid>"`, text("Hello from API"), "+12025550100", ""), `"Pending"}]`, `"Pending","error":null}]`, 1), nil},
		{"scheduled", "POST", "/messages", `{` + text("Hello") + `,` + toOne + `,"scheduleAt":"2099-01-02T03:04:05+01:00","validUntil":"2099-01-02T03:04:05+01:00"}`,
			[]int{202}, accepted(`"<id>"`, text("Hello"), "+4915112345678", `,"scheduleAt":"<time>"`), nil},
		{"the draft of flash messages", "POST", "/messages", `{"flashMessage":{"text":"Hello"},` + toOne + `}`,
			[]int{202}, accepted(`"<id>"`, `"flashMessage":{"text":"Hello"}`, "+4915112345678", ""), nil},
		{"a national number becomes E.164", "POST", "/messages", `{` + text("Hello") + `,"phoneNumbers":["0151 12345678"]}`,
			[]int{202}, accepted(`"<id>"`, text("Hello"), "+4915112345678", ""), nil},
		{"a short code", "POST", "/messages?skipPhoneValidation=true", `{` + text("Hello") + `,"phoneNumbers":["12345"]}`,
			[]int{202}, accepted(`"<id>"`, text("Hello"), "12345", ""), nil},
		{"the page of another device", "POST", "/messages", `{` + text("Hello") + `,"deviceId":"yVULogr4Y1ksRfnos1Dsw",` + toOne + `}`, []int{400}, "", nil},
		{"used id", "POST", "/messages", `{"id":"custom-id-123",` + text("Hello") + `,` + toOne + `}`, []int{409},
			`{"message":"message with the same ID already exists"}`, nil},
	})
	for _, more := range []string{
		`"simNumber":0`, `"simNumber":2`, `"priority":-128`, `"priority":127`, `"ttl":2500000000`, `"validUntil":"2099-02-01T00:00:00Z"`,
		`"withDeliveryReport":false`, `"isEncrypted":false`, `"id":"` + strings.Repeat("i", 36) + `"`, `"deviceId":"` + device + `"`, `"deviceId":""`, `"id":""`,
	} {
		w.runTable(t, []exchange{{more, "POST", "/messages", `{` + text("Hello") + `,` + toOne + `,` + later + `,` + more + `}`, []int{202}, "", nil}})
	}
	for _, body := range []string{
		`{` + text(strings.Repeat("x", 1000)) + `,` + toOne + `,` + later + `}`,
		`{"dataMessage":{"data":"AAAA","port":1},` + toOne + `,` + later + `}`,
		`{"dataMessage":{"data":"AAAA","port":65535},` + toOne + `,` + later + `}`,
		`{"message":"",` + text("Hello") + `,` + toOne + `,` + later + `}`,
		`{` + text("Hello") + `,` + toOne + `,"ttl":5}`,
	} {
		w.runTable(t, []exchange{{"bounds", "POST", "/messages?deviceActiveWithin=0&skipPhoneValidation=", body, []int{202}, "", nil}})
	}
}

// Section 2.1: what both editions refuse.
func TestContractSendRefused(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	text := `"textMessage":{"text":"Hello"}`
	for _, body := range []string{
		`{` + toOne + `}`,
		`{` + text + `}`,
		`{` + text + `,"phoneNumbers":[]}`,
		`{` + text + `,"phoneNumbers":null}`,
		`{` + text + `,"phoneNumbers":[""]}`,
		`{` + text + `,"phoneNumbers":["` + strings.Repeat("1", 129) + `"]}`,
		`{` + text + `,"phoneNumbers":"+4915112345678"}`,
		`{` + text + `,"phoneNumbers":["+4915112345678","+4915112345678"]}`,
		`{` + text + `,"phoneNumbers":["+4915112345678","0151 12345678"]}`,
		`{` + text + `,"phoneNumbers":["+4912"]}`,
		`{` + text + `,"phoneNumbers":["hello"]}`,
		`{` + text + `,"phoneNumbers":["+49` + strings.Join(strings.Split(strings.Repeat("1", 101), ""), `","+49`) + `"]}`,
		`{` + text + `,"message":"Hello",` + toOne + `}`,
		`{` + text + `,"dataMessage":{"data":"SGVsbG8=","port":53739},` + toOne + `}`,
		`{"textMessage":{"text":""},` + toOne + `}`,
		`{"textMessage":{},` + toOne + `}`,
		`{"textMessage":"Hello",` + toOne + `}`,
		`{"message":"",` + toOne + `}`,
		`{"dataMessage":{"data":"","port":53739},` + toOne + `}`,
		`{"dataMessage":{"data":"not base64!","port":53739},` + toOne + `}`,
		`{"dataMessage":{"data":"SGVsbG8=","port":65536},` + toOne + `}`,
		`{"dataMessage":{"data":"SGVsbG8=","port":-1},` + toOne + `}`,
		`{"dataMessage":{"data":"SGVsbG8="},` + toOne + `}`,
		`{"mmsMessage":{"text":"Hello","attachments":[]},` + toOne + `}`,
		`{"flashMessage":{"text":"Hello"},` + text + `,` + toOne + `}`,
		`{` + text + `,` + toOne + `,"id":"` + strings.Repeat("i", 37) + `"}`,
		`{` + text + `,` + toOne + `,"simNumber":-1}`,
		`{` + text + `,` + toOne + `,"simNumber":"1"}`,
		`{` + text + `,` + toOne + `,"simNumber":3}`,
		`{` + text + `,` + toOne + `,"priority":128}`,
		`{` + text + `,` + toOne + `,"priority":-129}`,
		`{` + text + `,` + toOne + `,"priority":1.5}`,
		`{` + text + `,` + toOne + `,"ttl":0}`,
		`{` + text + `,` + toOne + `,"ttl":-5}`,
		`{` + text + `,` + toOne + `,"ttl":60,"validUntil":"2099-01-01T00:00:00Z"}`,
		`{` + text + `,` + toOne + `,"validUntil":"2020-01-01T00:00:00Z"}`,
		`{` + text + `,` + toOne + `,"validUntil":"tomorrow"}`,
		`{` + text + `,` + toOne + `,"scheduleAt":"2020-01-01T00:00:00Z"}`,
		`{` + text + `,` + toOne + `,"scheduleAt":"2099-01-01T00:00:00Z","validUntil":"2098-01-01T00:00:00Z"}`,
		`{` + text + `,` + toOne + `,"scheduleAt":"2099-01-01T00:00:00Z","ttl":60}`,
		`{` + text + `,` + toOne + `,"withDeliveryReport":"yes"}`,
		`{` + text + `,` + toOne + `,"isEncrypted":"yes"}`,
		`{` + text + `,` + toOne + `,"deviceId":"unheard-of"}`,
	} {
		w.runTable(t, []exchange{{"refused", "POST", "/messages", body, []int{400}, "", nil}})
	}
	for _, query := range []string{"skipPhoneValidation=maybe", "deviceActiveWithin=-1", "deviceActiveWithin=soon"} {
		w.runTable(t, []exchange{{"query", "POST", "/messages?" + query, `{` + text + `,` + toOne + `}`, []int{400}, "", nil}})
	}
	if total := w.ask(t, "GET", "/messages", "").header.Get("X-Total-Count"); total != "0" {
		t.Errorf("%s messages were stored of those that were refused", total)
	}
}

// Section 1.2 and 1.3, GET /messages.
func TestContractList(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	for _, id := range []string{"first", "second", "third"} {
		w.object(t, 202, "POST", "/messages", `{"id":"`+id+`","textMessage":{"text":"Hello"},`+toOne+`,`+later+`}`)
	}
	w.object(t, 200, "DELETE", "/messages/third", "")
	device := w.object(t, 200, "GET", "/messages/first", "")["deviceId"].(string)
	row := func(id, content string) string {
		return `{"id":"` + id + `","deviceId":"` + device + `","state":"Pending","isHashed":false,"isEncrypted":false,` +
			`"recipients":[{"phoneNumber":"+4915112345678","state":"Pending"}],"states":{"Pending":"<time>"}` + content + `,"scheduleAt":"<time>","createdAt":"<time>"}`
	}
	cancelled := `{"id":"third","deviceId":"` + device + `","state":"Cancelled","isHashed":false,"isEncrypted":false,` +
		`"recipients":[{"phoneNumber":"+4915112345678","state":"Cancelled"}],"states":{"Pending":"<time>","Cancelled":"<time>"},"scheduleAt":"<time>","createdAt":"<time>"}`
	const hello = `,"textMessage":{"text":"Hello"}`
	for _, tt := range []struct{ query, total, want string }{
		{"", "3", `[` + cancelled + `,` + row("second", "") + `,` + row("first", "") + `]`},
		{"?state=", "3", `[` + cancelled + `,` + row("second", "") + `,` + row("first", "") + `]`},
		{"?state=Pending", "2", `[` + row("second", "") + `,` + row("first", "") + `]`},
		{"?state=Pending&includeContent=true", "2", `[` + row("second", hello) + `,` + row("first", hello) + `]`},
		{"?state=Pending&sort=created_at", "2", `[` + row("first", "") + `,` + row("second", "") + `]`},
		{"?state=Pending&sort=-created_at&limit=1", "2", `[` + row("second", "") + `]`},
		{"?state=Pending&limit=1&offset=1", "2", `[` + row("first", "") + `]`},
		{"?state=Pending&offset=2", "2", `[]`},
		{"?state=Failed", "0", `[]`},
		{"?state=Cancelling", "0", `[]`},
		{"?state=Pending&deviceId=" + device, "2", `[` + row("second", "") + `,` + row("first", "") + `]`},
		{"?from=2099-01-01T00:00:00Z", "0", `[]`},
		{"?to=2020-01-01T00:00:00Z", "0", `[]`},
		{"?state=Pending&from=2020-01-01T00:00:00%2B02:00&to=2099-01-01T00:00:00.000Z", "2", `[` + row("second", "") + `,` + row("first", "") + `]`},
		{"?skip=0&limit=20&state=Cancelled", "1", `[` + cancelled + `]`}, // page 002
	} {
		got := w.ask(t, "GET", "/messages"+tt.query, "")
		if err := shape(got.body, tt.want); got.status != 200 || err != nil || got.header.Get("X-Total-Count") != tt.total {
			t.Errorf("%s: %d, X-Total-Count %q, %v", tt.query, got.status, got.header.Get("X-Total-Count"), err)
		}
	}
	for _, query := range []string{"state=Lost", "from=2099-01-01T00:00:00Z&to=2020-01-01T00:00:00Z", "deviceId=unheard-of", "includeContent=maybe", "sort=id"} {
		w.runTable(t, []exchange{{query, "GET", "/messages?" + query, "", []int{400}, "", nil}})
	}
	// The cloud refuses, the phone has no bounds.
	for _, query := range []string{"limit=0", "limit=many", "offset=-1"} {
		w.runTable(t, []exchange{{query, "GET", "/messages?" + query, "", []int{400, 200}, "", nil}})
	}
}
