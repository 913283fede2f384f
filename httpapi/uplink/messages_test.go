package uplink

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"dongled/hack/smsgate"
	"dongled/scheduler/queue"
)

// TestOneMessage follows a message from the server and back.
func TestOneMessage(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.Enqueue(text("one", alice, "+4916098765432"))
		w.pass(time.Second)
		w.wantTaken("one", 1)
		// It can still be cancelled, and the server must know that.
		w.want("one", "Pending")
		created := w.server.Message("one").CreatedAt

		w.gate.set("one", queue.Processed, "")
		w.gate.set("one", queue.Sent, "")
		w.pass(2 * time.Second)
		w.want("one", "Sent")
		w.gate.set("one", queue.Delivered, "Delivery result from SC +491710760000: 1 (replaced)")
		w.pass(time.Second)

		m := w.server.Message("one")
		w.want("one", "Delivered")
		told := smsgate.Recipient{State: "Delivered", Error: "Delivery result from SC +491710760000: 1 (replaced)"}
		if want := map[string]smsgate.Recipient{alice: told, bob: told}; !reflect.DeepEqual(m.Recipients, want) {
			t.Errorf("recipients %+v", m.Recipients)
		}
		if len(m.States) != 4 || !m.States["Pending"].Equal(created) || !m.States["Delivered"].After(m.States["Sent"]) {
			t.Errorf("states %v, created %v", m.States, created)
		}
		w.wantTaken("one", 1)
	})
}

// TestTakenOnce: a message comes with every list as long as it waits, over restarts too.
func TestTakenOnce(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.Enqueue(text("one", alice))
		for range 5 {
			w.server.Push("MessageEnqueued", nil)
			w.pass(time.Second)
			w.server.CutStreams()
			w.pass(time.Minute)
		}
		w.restart()
		w.pass(time.Hour)
		w.wantTaken("one", 1)
		w.want("one", "Pending")
		if n := w.server.Requests("GET /messages"); n < 10 {
			t.Errorf("the list was asked for %d times", n)
		}
	})
}

// TestFields: what the server may say of a message, and what the queue gets of it.
func TestFields(t *testing.T) {
	at := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	plain := queue.Submission{
		ID: "a", Recipients: []string{alice}, Report: true, SkipPhoneValidation: true, Origin: "uplink",
		Content: queue.Content{Text: "hello"}, Meta: []byte(`{"device":"d","to":["+4915112345678"]}`),
	}
	for name, c := range map[string]struct {
		json string
		want func(*queue.Submission)
	}{
		"a text":       {`"textMessage":{"text":"hello"}`, func(*queue.Submission) {}},
		"an old text":  {`"message":"hello"`, func(*queue.Submission) {}},
		"its copy too": {`"message":"hello","textMessage":{"text":"hello"}`, func(*queue.Submission) {}},
		"nulls": {
			`"textMessage":{"text":"hello"},"dataMessage":null,"simNumber":null,"ttl":null,"validUntil":null,"scheduleAt":null,
			"priority":null,"isEncrypted":null,"withDeliveryReport":null,"createdAt":null`, func(*queue.Submission) {},
		},
		"all of it": {
			`"textMessage":{"text":"hello"},"simNumber":2,"priority":-128,"withDeliveryReport":false,
			"scheduleAt":"2026-09-01T13:00:00+01:00","validUntil":"2026-09-01T12:00:00.000Z"`,
			func(s *queue.Submission) {
				s.SIM, s.Priority, s.Report, s.ScheduleAt, s.ValidUntil = 2, -128, false, at, at
			},
		},
		"a time to live": {
			`"textMessage":{"text":"hello"},"ttl":60,"createdAt":"2026-09-01T11:59:00Z"`,
			func(s *queue.Submission) {
				s.ValidUntil = at
				s.Meta = []byte(`{"device":"d","to":["+4915112345678"],"created":"2026-09-01T11:59:00Z"}`)
			},
		},
		"data": {
			`"dataMessage":{"data":"AAH/","port":53739}`,
			func(s *queue.Submission) { s.Content = queue.Content{Data: []byte{0, 1, 255}, Port: 53739} },
		},
		"encrypted": {
			`"textMessage":{"text":"$aes"},"isEncrypted":true`,
			func(s *queue.Submission) { s.Encrypted, s.Content.Text = true, "$aes" },
		},
		"encrypted data": {
			`"dataMessage":{"data":"$aes","port":1},"isEncrypted":true`,
			func(s *queue.Submission) {
				s.Encrypted, s.Content = true, queue.Content{Data: []byte("$aes"), Port: 1}
			},
		},
	} {
		m, err := decodeMessage(json.RawMessage(`{"id":"a","phoneNumbers":["+4915112345678"],` + c.json + `}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := m.submission("d")
		want := plain
		c.want(&want)
		if err != nil || !got.ScheduleAt.Equal(want.ScheduleAt) || !got.ValidUntil.Equal(want.ValidUntil) {
			t.Errorf("%s: %v; times %v, %v", name, err, got.ScheduleAt, got.ValidUntil)
		}
		got.ScheduleAt, got.ValidUntil, want.ScheduleAt, want.ValidUntil = at, at, at, at
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\nwant\n%+v", name, got, want)
		}
	}
}

// TestUnfit: what cannot be sent is reported with its reason, whatever is wrong with it.
func TestUnfit(t *testing.T) {
	const generic = "Can't send message: "
	for raw, want := range map[string]string{
		`{"id":"a","phoneNumbers":["+1"]}`:                                                                   "it is neither text nor data, and this gateway sends nothing else",
		`{"id":"a","phoneNumbers":["+1"],"mmsMessage":{"text":"x"}}`:                                         "it is neither text nor data, and this gateway sends nothing else",
		`{"id":"a","phoneNumbers":["+1"],"textMessage":{"text":""}}`:                                         "text message is empty",
		`{"id":"a","phoneNumbers":["+1"],"textMessage":{"text":"x"},"dataMessage":{"data":"AA==","port":1}}`: "cannot specify multiple message types simultaneously",
		`{"id":"a","phoneNumbers":["+1"],"dataMessage":{"data":"","port":1}}`:                                "data message cannot be empty",
		`{"id":"a","phoneNumbers":["+1"],"dataMessage":{"data":"?","port":1}}`:                               "dataMessage.data is not base64",
		`{"id":"a","phoneNumbers":["+1"],"dataMessage":{"data":"AA==","port":65536}}`:                        "port must be 0 to 65535",
		`{"id":"a","phoneNumbers":["+1"],"textMessage":{"text":"x"},"simNumber":256}`:                        "SIM 256 not found",
		`{"id":"a","phoneNumbers":["+1"],"textMessage":{"text":"x"},"priority":128}`:                         "priority must be -128 to 127",
		`{"id":"a","phoneNumbers":["+1"],"textMessage":"x"}`:                                                 "TextMessage cannot be a string",
		`{"id":"a","phoneNumbers":["+1",2],"textMessage":{"text":"x"}}`:                                      "PhoneNumbers cannot be a number",
		`{"id":"a","phoneNumbers":["+1"],"textMessage":{"text":"x"},"scheduleAt":"tomorrow"}`:                "the message does not decode",
	} {
		m, err := decodeMessage(json.RawMessage(raw))
		if err == nil {
			_, err = m.submission("d")
		}
		if err == nil {
			t.Errorf("%s is taken", raw)
			continue
		}
		r := m.ended(queue.Failed, problemOf(m, err))
		if r.ID != "a" || r.State != "Failed" || len(r.Recipients) != 1 || r.Recipients[0].PhoneNumber != "+1" || *r.Recipients[0].Error != generic+want {
			t.Errorf("%s:\n%s\nwant %s", raw, *r.Recipients[0].Error, want)
		}
	}
}

// TestProblems are the queue's reasons in SMSGate's words.
func TestProblems(t *testing.T) {
	past := time.Now().Add(-time.Hour)
	for want, c := range map[string]struct {
		m   message
		err error
	}{
		"TTL expired": {message{ValidUntil: &past}, &queue.FieldError{Field: "validUntil", Problem: "message already expired"}},
		"sendSMS: failed to use phone in row 1: too short": {
			message{}, &queue.FieldError{Field: "phoneNumbers[0]", Problem: "failed to use phone in row 1: too short"},
		},
		"Can't send message: SIM 9 not found": {message{}, &queue.FieldError{Field: "simNumber", Problem: "SIM 9 not found"}},
	} {
		if got := problemOf(c.m, c.err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestRefused: the server is told why, as often as it takes.
func TestRefused(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.gate.setRefuse(func(queue.Submission) error {
			return &queue.FieldError{Field: "simNumber", Problem: "SIM 9 not found; there are: 1"}
		})
		patches := 0
		w.server.SetFault(func(r *http.Request) smsgate.Fault {
			if r.Method == "PATCH" && r.URL.Path == "/messages" {
				if patches++; patches < 3 {
					return smsgate.Error
				}
			}
			return smsgate.None
		})
		w.server.Enqueue(text("one", alice))
		w.pass(5 * time.Minute)
		w.want("one", "Failed")
		if r := w.server.Message("one").Recipients[alice]; r.State != "Failed" || r.Error != "Can't send message: SIM 9 not found; there are: 1" {
			t.Errorf("recipient %+v", r)
		}
		w.wantTaken("one", 0)
	})
}

// TestLimits: what the queue has no room for stays at the server until there is room.
func TestLimits(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		full := true
		w.gate.setRefuse(func(queue.Submission) error {
			if full {
				return &queue.LimitError{Reason: "too many pending messages: 5 / 5"}
			}
			return nil
		})
		w.server.Enqueue(text("one", alice))
		w.pass(10 * time.Minute)
		w.want("one", "Pending")
		w.wantTaken("one", 0)
		w.gate.mu.Lock()
		full = false
		w.gate.mu.Unlock()
		w.pass(2 * time.Minute)
		w.wantTaken("one", 1)
	})
}

// TestCancel: before it was taken, while it waits, and too late.
func TestCancel(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		for _, id := range []string{"waiting", "begun", "unheard"} {
			w.server.Enqueue(text(id, alice))
		}
		w.pass(time.Second)
		w.server.Cancel("waiting")
		w.pass(time.Second)
		w.want("waiting", "Cancelled")
		if m, _ := w.gate.Get(t.Context(), "waiting"); m.State != queue.Cancelled {
			t.Errorf("in the queue it is %v", m.State)
		}

		// The server does not know yet that the modem has it.
		w.server.SetFault(func(*http.Request) smsgate.Fault { return smsgate.Error })
		w.gate.set("begun", queue.Sent, "")
		w.server.Cancel("begun")
		w.pass(time.Minute)
		w.want("begun", "Cancelling")
		w.server.SetFault(nil)
		w.pass(2 * time.Minute)
		w.want("begun", "Sent")

		// Nobody was told that it is to be cancelled: the list says so.
		w.server.CutStreams()
		w.server.Cancel("unheard")
		w.server.Enqueue(text("never", alice))
		w.server.Cancel("never")
		w.pass(time.Minute)
		w.want("unheard", "Cancelled")
		w.want("never", "Cancelled")
		w.wantTaken("never", 0)
	})
}

// TestFullList: messages that wait do not hide others, and stay cancellable as long as they need not
// make room.
func TestFullList(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		for _, id := range ids(250) {
			w.server.Enqueue(text(id, alice))
		}
		w.pass(time.Minute)
		for _, id := range ids(250) {
			w.wantTaken(id, 1)
		}
		pending := 0
		for _, id := range ids(250) {
			switch m := w.server.Message(id); m.State {
			case "Pending":
				pending++
			case "Processed": // taken by the device
			default:
				t.Errorf("%s is %s", id, m.State)
			}
		}
		if pending != 50 {
			t.Errorf("%d messages are Pending at the server, want the 50 of a list that was not full", pending)
		}
		w.server.Enqueue(text("new", alice))
		w.pass(time.Second)
		w.wantTaken("new", 1)
	})
}

// TestSameID: a message of this gateway's own clients is none of the server's.
func TestSameID(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.gate.put("one", queue.Message{ID: "one", State: queue.Sent, Recipients: []queue.Recipient{{Number: bob, State: queue.Sent}}})
		w.server.Enqueue(text("one", alice))
		w.pass(time.Second)
		w.want("one", "Failed")
		if r := w.server.Message("one").Recipients[alice]; r.Error != "Can't send message: this gateway has another message with this ID" {
			t.Errorf("recipient %+v", r)
		}
		w.gate.put("two", queue.Message{ID: "two", State: queue.Pending, Recipients: []queue.Recipient{{Number: bob, State: queue.Pending}}})
		w.server.Push("MessageCancelled", map[string]string{"messageId": "two"})
		w.pass(time.Second)
		if m, _ := w.gate.Get(t.Context(), "two"); m.State != queue.Pending {
			t.Errorf("the server cancelled a message that is not its own: %v", m.State)
		}
	})
}

// TestOddMessages: what has no ID or no recipients cannot be reported, and keeps no other from it.
func TestOddMessages(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.Enqueue(text("0123456789012345678901234567890123456", alice))
		w.server.Enqueue(text("nobody"))
		w.server.Enqueue(text("good", alice))
		w.pass(time.Second)
		w.wantTaken("good", 1)
		w.wantTaken("nobody", 0)
	})
}

// TestOrder: the queue gets messages in the order in which the server did.
func TestOrder(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.CutStreams()
		var got []string
		w.gate.setRefuse(func(s queue.Submission) error { got = append(got, s.ID); return nil })
		for _, id := range ids(5) {
			w.server.Enqueue(text(id, alice))
		}
		w.pass(time.Minute)
		if fmt.Sprint(got) != fmt.Sprint(ids(5)) {
			t.Errorf("taken as %v", got)
		}
	})
}
