package httpapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"dongled/scheduler/queue"
)

const ownID = "PyDmBQZZXYmyxMwED8Fzy"

var now = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

func TestParseSubmission(t *testing.T) {
	text := func(edit func(*queue.Submission)) queue.Submission {
		s := queue.Submission{Content: queue.Content{Text: "Hi"}, Recipients: []string{"+491701234567"}, Report: true}
		if edit != nil {
			edit(&s)
		}
		return s
	}
	const hi = `"textMessage":{"text":"Hi"},"phoneNumbers":["+491701234567"]`
	tests := []struct {
		name, body string
		want       queue.Submission
	}{
		{"least", `{` + hi + `}`, text(nil)},
		{"white space around", " \r\n\t{" + hi + "}\n", text(nil)},
		{"deprecated message", `{"message":"Hi","phoneNumbers":["+491701234567"]}`, text(nil)},
		{"empty message beside text", `{"message":"",` + hi + `}`, text(nil)},
		{"nulls are absent", `{"id":null,"simNumber":null,"ttl":null,"withDeliveryReport":null,"deviceId":null,"message":null,"dataMessage":null,
			"mmsMessage":null,"isEncrypted":null,"priority":null,"validUntil":null,"scheduleAt":null,` + hi + `}`, text(nil)},
		{"unknown fields ignored", `{"nonsense":{"a":[1,2,{"text":3}]},"nonsense":7,` + hi + `}`, text(nil)},
		{"other case is another field", `{"Id":5,"TTL":"x","PHONENUMBERS":1,` + hi + `}`, text(nil)},
		{"unknown field inside content", `{"textMessage":{"text":"Hi","Text":1,"x":2},"phoneNumbers":["+491701234567"]}`, text(nil)},
		{"id", `{"id":"order-1234",` + hi + `}`, text(func(s *queue.Submission) { s.ID = "order-1234" })},
		{"empty id is absent", `{"id":"",` + hi + `}`, text(nil)},
		{"all of pchar", `{"id":"aZ09-._~!$&'()*+,;=:@",` + hi + `}`, text(func(s *queue.Submission) { s.ID = "aZ09-._~!$&'()*+,;=:@" })},
		{"id of 36", `{"id":"` + strings.Repeat("x", 36) + `",` + hi + `}`, text(func(s *queue.Submission) { s.ID = strings.Repeat("x", 36) })},
		{"own deviceId", `{"deviceId":"` + ownID + `",` + hi + `}`, text(nil)},
		{"not encrypted", `{"isEncrypted":false,` + hi + `}`, text(nil)},
		{"no report", `{"withDeliveryReport":false,` + hi + `}`, text(func(s *queue.Submission) { s.Report = false })},
		{"sim 255", `{"simNumber":255,` + hi + `}`, text(func(s *queue.Submission) { s.SIM = 255 })},
		{"sim 0 is unset", `{"simNumber":0,` + hi + `}`, text(nil)},
		{"priority -128", `{"priority":-128,` + hi + `}`, text(func(s *queue.Submission) { s.Priority = -128 })},
		{"priority 127", `{"priority":127,` + hi + `}`, text(func(s *queue.Submission) { s.Priority = 127 })},
		{"ttl", `{"ttl":1,` + hi + `}`, text(func(s *queue.Submission) { s.ValidUntil = time.Date(2026, 5, 6, 7, 8, 10, 0, time.UTC) })},
		{"longest ttl", `{"ttl":3153600000,` + hi + `}`, text(func(s *queue.Submission) { s.ValidUntil = time.Date(2126, 4, 12, 7, 8, 9, 0, time.UTC) })},
		{"validUntil with zone", `{"validUntil":"2026-05-06T12:00:00.25+02:00",` + hi + `}`,
			text(func(s *queue.Submission) { s.ValidUntil = time.Date(2026, 5, 6, 10, 0, 0, 250_000_000, time.UTC) })},
		{"naive with microseconds", `{"scheduleAt":"2026-05-06T12:00:00.123456",` + hi + `}`,
			text(func(s *queue.Submission) { s.ScheduleAt = time.Date(2026, 5, 6, 12, 0, 0, 123_456_000, time.UTC) })},
		{"zone without colon", `{"scheduleAt":"2026-05-06T12:00:00+0000",` + hi + `}`,
			text(func(s *queue.Submission) { s.ScheduleAt = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC) })},
		{"schedule at the very expiry", `{"ttl":60,"scheduleAt":"2026-05-06T07:09:09Z",` + hi + `}`,
			text(func(s *queue.Submission) {
				s.ValidUntil = time.Date(2026, 5, 6, 7, 9, 9, 0, time.UTC)
				s.ScheduleAt = s.ValidUntil
			})},
		{"escapes and surrogate pairs", `{"textMessage":{"text":"\u20ac \ud83d\ude00\n\u0000"},"phoneNumbers":["+491701234567"]}`,
			text(func(s *queue.Submission) { s.Content.Text = "€ 😀\n\x00" })},
		{"data", `{"dataMessage":{"data":"SGVsbG8gRGF0YSBXb3JsZCE=","port":53739},"phoneNumbers":["+491701234567"]}`,
			text(func(s *queue.Submission) { s.Content = queue.Content{Data: []byte("Hello Data World!"), Port: 53739} })},
		{"flash", `{"flashMessage":{"text":"Hi"},"message":"","phoneNumbers":["+491701234567"]}`, text(func(s *queue.Submission) { s.Content.Flash = true })},
		{"encrypted text", `{"isEncrypted":true,"textMessage":{"text":"$x"},"phoneNumbers":["$y","` + strings.Repeat("1", 512) + `"]}`,
			queue.Submission{Content: queue.Content{Text: "$x"}, Recipients: []string{"$y", strings.Repeat("1", 512)}, Report: true, Encrypted: true}},
		{"encrypted data", `{"isEncrypted":true,"dataMessage":{"data":"$x=","port":7},"phoneNumbers":["$y"]}`,
			queue.Submission{Content: queue.Content{Data: []byte("$x="), Port: 7}, Recipients: []string{"$y"}, Report: true, Encrypted: true}},
		{"data to port 0", `{"dataMessage":{"data":"AA==","port":0},"phoneNumbers":["+491701234567"]}`,
			text(func(s *queue.Submission) { s.Content = queue.Content{Data: []byte{0}} })},
		{"data to port 65535", `{"dataMessage":{"data":"AA==","port":65535},"phoneNumbers":["+491701234567"]}`,
			text(func(s *queue.Submission) { s.Content = queue.Content{Data: []byte{0}, Port: 65535} })},
		{"the vendor's page, custom id", `{"id":"custom-id-123","message":"Your OTP is 1234","phoneNumbers":["+1234567890"],"simNumber":1,
			"ttl":3600,"withDeliveryReport":true,"priority":100,"isEncrypted":false}`,
			queue.Submission{ID: "custom-id-123", Content: queue.Content{Text: "Your OTP is 1234"}, Recipients: []string{"+1234567890"},
				SIM: 1, Priority: 100, Report: true, ValidUntil: time.Date(2026, 5, 6, 8, 8, 9, 0, time.UTC)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, _, err := parseSubmission([]byte(test.body), ownID, now)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestParseSubmissionRefuses(t *testing.T) {
	const hi = `"textMessage":{"text":"Hi"},"phoneNumbers":["+491701234567"]`
	const to = `,"phoneNumbers":["+491701234567"]}`
	const oneOf = "body: must specify exactly one of: textMessage, dataMessage, or message"
	const twoOf = "body: cannot specify multiple message types simultaneously: textMessage, dataMessage, flashMessage, templateMessage, message"
	const badID = "id: must be 1 to 36 characters out of A-Z a-z 0-9 - . _ ~ ! $ & ' ( ) * + , ; = : @"
	const badTime = ": must be a date and time as in RFC 3339, such as 2030-12-31T23:59:59Z"
	tests := []struct{ name, body, want string }{
		{"empty body", ``, "body: must be JSON: unexpected end of JSON input at byte 0"},
		{"null body", `null`, "body: must be a JSON object"},
		{"array", `[]`, "body: must be a JSON object"},
		{"string", `"x"`, "body: must be a JSON object"},
		{"cut off", `{"id":`, "body: must be JSON: unexpected end of JSON input at byte 6"},
		{"garbage after", `{` + hi + `} x`, "body: must be JSON: invalid character 'x' after top-level value at byte 64"},
		{"two objects", `{}{}`, "body: must be JSON: invalid character '{' after top-level value at byte 3"},
		{"trailing comma", `{"id":"a",}`, "body: must be JSON: invalid character '}' looking for beginning of object key string at byte 11"},
		{"not UTF-8", "{\"textMessage\":{\"text\":\"\xff\"}" + to, "body: must be UTF-8"},
		{"form", `id=5`, "body: must be JSON: invalid character 'i' looking for beginning of value at byte 1"},

		{"duplicate field", `{"id":"a","id":"b",` + hi + `}`, "id: must not occur twice"},
		{"duplicate field, null first", `{"id":null,"id":"b",` + hi + `}`, "id: must not occur twice"},
		{"duplicate field, spelled with an escape", `{"id":"a","\u0069d":"b",` + hi + `}`, "id: must not occur twice"},
		{"duplicate phoneNumbers", `{"phoneNumbers":["+1"],` + hi + `}`, "phoneNumbers: must not occur twice"},
		{"duplicate nested field", `{"textMessage":{"text":"a","text":"b"}` + to, "textMessage.text: must not occur twice"},

		{"no content", `{"phoneNumbers":["+1"]}`, oneOf},
		{"null contents", `{"textMessage":null,"message":null` + to, oneOf},
		{"two contents", `{"message":"Hi",` + hi + `}`, twoOf},
		{"text and data", `{"dataMessage":{"data":"AA==","port":1},` + hi + `}`, twoOf},
		{"empty message", `{"message":""` + to, "message: must not be empty"},
		{"message of another type", `{"message":5` + to, "message: must be a string"},
		{"textMessage of another type", `{"textMessage":"Hi"` + to, "textMessage: must be an object"},
		{"text missing", `{"textMessage":{}` + to, "textMessage.text: is required"},
		{"text null", `{"textMessage":{"text":null}` + to, "textMessage.text: is required"},
		{"text empty", `{"textMessage":{"text":""}` + to, "textMessage.text: must not be empty"},
		{"text of another type", `{"textMessage":{"text":["Hi"]}` + to, "textMessage.text: must be a string"},
		{"text too long", `{"textMessage":{"text":"` + strings.Repeat("ä", 65536) + `"}` + to, "textMessage.text: must have at most 65535 characters"},
		{"data missing", `{"dataMessage":{"port":1}` + to, "dataMessage.data: is required"},
		{"data empty", `{"dataMessage":{"data":"","port":1}` + to, "dataMessage.data: must not be empty"},
		{"data not base64", `{"dataMessage":{"data":"%%%%","port":1}` + to, "dataMessage.data: must be base64 with padding (RFC 4648 section 4)"},
		{"data without padding", `{"dataMessage":{"data":"SGVsbG8","port":1}` + to, "dataMessage.data: must be base64 with padding (RFC 4648 section 4)"},
		{"data of line ends only", `{"dataMessage":{"data":"\n\r\n","port":1}` + to, "dataMessage.data: must be base64 with padding (RFC 4648 section 4)"},
		{"data too long", `{"dataMessage":{"data":"` + strings.Repeat("AAAA", 16384) + `","port":1}` + to, "dataMessage.data: must have at most 65535 characters"},
		{"port missing", `{"dataMessage":{"data":"AA=="}` + to, "dataMessage.port: is required"},
		{"port below", `{"dataMessage":{"data":"AA==","port":-1}` + to, "dataMessage.port: must be from 0 to 65535"},
		{"port above", `{"dataMessage":{"data":"AA==","port":65536}` + to, "dataMessage.port: must be from 0 to 65535"},
		{"port of another type", `{"dataMessage":{"data":"AA==","port":"1"}` + to, "dataMessage.port: must be an integer"},
		{"MMS", `{"mmsMessage":{"text":"Hi"}` + to, "mmsMessage: not supported: MMS need a data connection and an MMSC; send a textMessage"},
		{"flash and text", `{"flashMessage":{"text":"Hi"},` + hi + `}`, twoOf},
		{"flash text empty", `{"flashMessage":{"text":""}` + to, "flashMessage.text: must not be empty"},
		{"flash text missing", `{"flashMessage":{}` + to, "flashMessage.text: is required"},

		{"no recipients field", `{"message":"Hi"}`, "phoneNumbers: must have 1 to 100 numbers"},
		{"null recipients", `{"message":"Hi","phoneNumbers":null}`, "phoneNumbers: must have 1 to 100 numbers"},
		{"no recipients", `{"message":"Hi","phoneNumbers":[]}`, "phoneNumbers: must have 1 to 100 numbers"},
		{"one string", `{"message":"Hi","phoneNumbers":"+1"}`, "phoneNumbers: must be an array of strings"},
		{"number as number", `{"message":"Hi","phoneNumbers":["+1",2]}`, "phoneNumbers[1]: must be a string"},
		{"null number", `{"message":"Hi","phoneNumbers":[null]}`, "phoneNumbers[0]: must be a string"},
		{"empty number", `{"message":"Hi","phoneNumbers":["+1",""]}`, "phoneNumbers[1]: must have 1 to 128 characters"},
		{"long number", `{"message":"Hi","phoneNumbers":["` + strings.Repeat("1", 129) + `"]}`, "phoneNumbers[0]: must have 1 to 128 characters"},
		{"same number", `{"message":"Hi","phoneNumbers":["+1","+2","+1"]}`, "phoneNumbers[2]: phone numbers must be unique"},
		{"101 numbers", `{"message":"Hi","phoneNumbers":[` + strings.Repeat(`"+1",`, 100) + `"+2"]}`, "phoneNumbers: must have at most 100 elements"},

		{"id of another type", `{"id":5,` + hi + `}`, "id: must be a string"},
		{"id of 37", `{"id":"` + strings.Repeat("x", 37) + `",` + hi + `}`, badID},
		{"id with slash", `{"id":"a/b",` + hi + `}`, badID},
		{"id with control character", `{"id":"a\nb",` + hi + `}`, badID},
		{"id with percent", `{"id":"a%2F",` + hi + `}`, badID},
		{"id of letters beyond ASCII", `{"id":"ä",` + hi + `}`, badID},
		{"id that a path swallows", `{"id":"..",` + hi + `}`, badID},

		{"another device", `{"deviceId":"yVULogr4Y1ksRfnos1Dsw",` + hi + `}`, "deviceId: failed to select device: record not found"},
		{"encrypted, long number", `{"isEncrypted":true,"message":"Hi","phoneNumbers":["` + strings.Repeat("1", 513) + `"]}`, "phoneNumbers[0]: must have 1 to 512 characters"},
		{"encrypted, same number", `{"isEncrypted":true,"message":"Hi","phoneNumbers":["$a","$a"]}`, "phoneNumbers[1]: phone numbers must be unique"},
		{"encrypted, empty text", `{"isEncrypted":true,"textMessage":{"text":""}` + to, "textMessage.text: must not be empty"},
		{"encrypted, no data", `{"isEncrypted":true,"dataMessage":{"data":"","port":1}` + to, "dataMessage.data: must not be empty"},
		{"isEncrypted of another type", `{"isEncrypted":"false",` + hi + `}`, "isEncrypted: must be true or false"},
		{"sim below", `{"simNumber":-1,` + hi + `}`, "simNumber: must be from 0 to 255"},
		{"sim above", `{"simNumber":256,` + hi + `}`, "simNumber: must be from 0 to 255"},
		{"sim as string", `{"simNumber":"1",` + hi + `}`, "simNumber: must be an integer"},
		{"sim with fraction", `{"simNumber":1.5,` + hi + `}`, "simNumber: must be an integer"},
		{"sim with exponent", `{"simNumber":1e0,` + hi + `}`, "simNumber: must be an integer"},
		{"priority below", `{"priority":-129,` + hi + `}`, "priority: must be from -128 to 127"},
		{"priority above", `{"priority":128,` + hi + `}`, "priority: must be from -128 to 127"},
		{"priority far above", `{"priority":99999999999999999999,` + hi + `}`, "priority: must be from -128 to 127"},
		{"report of another type", `{"withDeliveryReport":1,` + hi + `}`, "withDeliveryReport: must be true or false"},

		{"ttl 0", `{"ttl":0,` + hi + `}`, "ttl: must be from 1 to 3153600000"},
		{"ttl that would wrap", `{"ttl":18446744073709551615,` + hi + `}`, "ttl: must be from 1 to 3153600000"},
		{"ttl and validUntil", `{"ttl":60,"validUntil":"2030-01-01T00:00:00Z",` + hi + `}`, "ttl: fields conflict: ttl and validUntil"},
		{"validUntil now", `{"validUntil":"2026-05-06T07:08:09Z",` + hi + `}`, "validUntil: message already expired"},
		{"validUntil Go's zero", `{"validUntil":"0001-01-01T00:00:00Z",` + hi + `}`, "validUntil: message already expired"},
		{"validUntil a date", `{"validUntil":"2030-01-01",` + hi + `}`, "validUntil" + badTime},
		{"validUntil a number", `{"validUntil":1893456000,` + hi + `}`, "validUntil: must be a string"},
		{"scheduleAt now", `{"scheduleAt":"2026-05-06T07:08:09Z",` + hi + `}`, "scheduleAt: must be in the future"},
		{"scheduleAt nonsense", `{"scheduleAt":"tomorrow",` + hi + `}`, "scheduleAt" + badTime},
		{"scheduleAt after ttl", `{"ttl":60,"scheduleAt":"2026-05-06T07:09:10Z",` + hi + `}`, "scheduleAt: scheduleAt must be less than or equal to validUntil"},
		{"scheduleAt after validUntil", `{"validUntil":"2026-06-01T00:00:00Z","scheduleAt":"2026-06-01T00:00:00.001Z",` + hi + `}`,
			"scheduleAt: scheduleAt must be less than or equal to validUntil"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := parseSubmission([]byte(test.body), ownID, now)
			var field *queue.FieldError
			if !errors.As(err, &field) || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// The largest request that the limits allow must fit into the default body limit.
func TestLargestRequestFits(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"textMessage":{"text":"` + strings.Repeat(`\ud83d\ude00`, maxTextLen) + `"},"phoneNumbers":[`)
	for i := range maxRecipients {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `"%s%03d"`, strings.Repeat("0", maxNumberLen-3), i)
	}
	body.WriteString(`]}`)
	if body.Len() > DefaultMaxBody {
		t.Errorf("%d bytes do not fit into %d", body.Len(), DefaultMaxBody)
	}
	if _, _, err := parseSubmission([]byte(body.String()), ownID, now); err != nil {
		t.Error(err)
	}
}

func TestTidySlashes(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "//": "/", "///": "/", "/messages": "/messages", "/messages/": "/messages", "//messages//": "/messages",
		"/3rdparty///v1//messages/a/": "/3rdparty/v1/messages/a",
	} {
		if got := tidySlashes(in); got != want {
			t.Errorf("tidySlashes(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseSubmission(f *testing.F) {
	f.Add([]byte(`{"textMessage":{"text":"Hi"},"phoneNumbers":["+1"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, template, err := parseSubmission(body, ownID, now)
		if err != nil {
			var field *queue.FieldError
			if !errors.As(err, &field) || field.Field == "" || field.Problem == "" {
				t.Fatalf("error %#v does not name a field", err)
			}
			return
		}
		if count(s.Content.Text != "", len(s.Content.Data) > 0, template != nil) != 1 {
			t.Errorf("not exactly one content: %+v, %+v", s.Content, template)
		}
		if len(s.Content.Data) > base64.StdEncoding.DecodedLen(maxDataLen) || s.ID != "" && !validID(s.ID) {
			t.Errorf("beyond the limits: %+v", s)
		}
		if n := len(s.Recipients); n < 1 || n > maxRecipients {
			t.Errorf("%d recipients", n)
		}
		seen := map[string]bool{}
		for _, number := range s.Recipients {
			if number == "" || seen[number] {
				t.Errorf("recipient %q is empty or twice", number)
			}
			seen[number] = true
		}
		if !s.ValidUntil.IsZero() && (!s.ValidUntil.After(now) || s.ScheduleAt.After(s.ValidUntil)) {
			t.Errorf("expires %s, scheduled at %s", s.ValidUntil, s.ScheduleAt)
		}
		if s.SIM < 0 || s.SIM > 255 || !s.ScheduleAt.IsZero() && !s.ScheduleAt.After(now) {
			t.Errorf("SIM %d, scheduled at %s", s.SIM, s.ScheduleAt)
		}
	})
}
