package uplink

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"dongled/hack/smsgate"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// broken is a server that answers 500 to requests of a method and path, or to all.
func broken(request string) func(*http.Request) smsgate.Fault {
	return func(r *http.Request) smsgate.Fault {
		if request == "" || request == r.Method+" "+r.URL.Path {
			return smsgate.Error
		}
		return smsgate.None
	}
}

// TestServerAway: what happened meanwhile is told afterwards, although neither the queue nor the outbox
// keeps it, over restarts; and no message is taken a second time.
func TestServerAway(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		for _, id := range ids(150) {
			w.server.Enqueue(text(id, alice))
		}
		w.pass(time.Minute)
		w.server.SetFault(broken("PATCH /messages"))
		for i, id := range ids(150) {
			w.gate.set(id, queue.Processed, "")
			w.gate.set(id, []queue.State{queue.Delivered, queue.Failed, queue.Sent}[i%3], "")
		}
		w.pass(time.Minute)
		for _, id := range ids(150)[:120] {
			w.gate.retire(id)
		}
		w.restart()
		w.pass(3 * time.Hour)
		w.server.SetFault(nil)
		w.pass(2 * time.Minute)
		for i, id := range ids(150) {
			w.want(id, []string{"Delivered", "Failed", "Sent"}[i%3])
			w.wantTaken(id, 1)
		}
		if left, err := w.uplink.owed("", 1); err != nil || len(left) > 0 {
			t.Errorf("owed %v, %v", left, err)
		}
	})
}

// TestRetiredWhileAway: the list still has what ended and was deleted here.
func TestRetiredWhileAway(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.Enqueue(text("one", alice))
		w.pass(time.Second)
		w.server.SetFault(broken(""))
		w.gate.set("one", queue.Sent, "")
		w.pass(time.Second)
		w.gate.retire("one")
		w.restart()
		w.server.SetFault(func(r *http.Request) smsgate.Fault {
			if r.Method == "PATCH" && r.URL.Path == "/messages" {
				return smsgate.Invalid // it will not even take it
			}
			return smsgate.None
		})
		w.pass(time.Hour)
		w.want("one", "Pending")
		w.wantTaken("one", 1)
	})
}

// TestCoalesced: many changes of many messages are few requests.
func TestCoalesced(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		for _, id := range ids(99) {
			w.server.Enqueue(text(id, alice))
		}
		w.pass(time.Minute)
		w.server.SetFault(broken(""))
		for _, id := range ids(99) {
			for _, s := range []queue.State{queue.Processed, queue.Sent, queue.Delivered} {
				w.gate.set(id, s, "")
			}
		}
		w.server.SetFault(nil)
		before := w.server.Requests("PATCH /messages")
		w.pass(5 * time.Minute)
		for _, id := range ids(99) {
			w.want(id, "Delivered")
			if m := w.server.Message(id); len(m.States) != 4 {
				t.Errorf("%s: states %v", id, m.States)
			}
		}
		if n := w.server.Requests("PATCH /messages") - before; n > 4 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestBadReport: a report that the server calls wrong keeps none of the others.
func TestBadReport(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		for _, id := range ids(40) {
			w.server.Enqueue(text(id, alice))
		}
		w.pass(time.Minute)
		w.server.SetFault(func(r *http.Request) smsgate.Fault {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte("message-017")) && bytes.Contains(body, []byte("Sent")) {
				return smsgate.Invalid
			}
			return smsgate.None
		})
		for _, id := range ids(40) {
			w.gate.set(id, queue.Sent, "")
		}
		w.pass(time.Minute)
		for i, id := range ids(40) {
			if i != 17 {
				w.want(id, "Sent")
			}
		}
		w.want("message-017", "Pending")
		w.restart()
		w.pass(time.Hour)
		w.wantTaken("message-017", 1)
		// Its next state may be taken again.
		w.server.SetFault(nil)
		w.gate.set("message-017", queue.Delivered, "")
		w.pass(time.Minute)
		w.want("message-017", "Delivered")
	})
}

// TestLostAnswer: what the server took without our hearing of it is told again, and changes nothing.
func TestLostAnswer(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.Enqueue(text("one", alice))
		w.pass(time.Second)
		w.server.SetFault(func(*http.Request) smsgate.Fault { return smsgate.Lost })
		w.gate.set("one", queue.Sent, "")
		w.pass(time.Second)
		w.want("one", "Sent")
		w.server.SetFault(nil)
		w.gate.set("one", queue.Delivered, "")
		w.pass(2 * time.Minute)
		if h := w.server.Message("one").History; fmt.Sprint(h) != "[Sent Delivered]" && fmt.Sprint(h) != "[Sent Delivered Delivered]" {
			t.Errorf("told %v", h)
		}
	})
}

// TestHang: a request that is never answered ends after half a minute.
func TestHang(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.Enqueue(text("one", alice))
		w.pass(time.Second)
		w.server.SetFault(func(r *http.Request) smsgate.Fault { return smsgate.Hang })
		w.gate.set("one", queue.Sent, "")
		w.pass(20 * time.Second)
		w.server.SetFault(nil)
		w.pass(20 * time.Second)
		w.want("one", "Sent")
	})
}

// TestDamagedStore: what does not decode stops nobody.
func TestDamagedStore(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.Enqueue(text("one", alice))
		w.server.Enqueue(text("two", alice))
		w.pass(time.Second)
		m, _ := w.gate.Get(t.Context(), "two")
		m.Meta = []byte("{")
		w.gate.put("two", m)
		err := w.gate.store.Do(context.Background(), func(t *store.Tx) error {
			t.Put(t.Bucket(bucketOwed), []byte("gone"), []byte("{"))
			t.Put(t.Bucket(bucketUplink), keyCursor, []byte("short"))
			b := t.Bucket([]byte("outbox"))
			seq, err := b.NextSequence()
			t.Put(b, []byte{0, 0, 0, 0, 0, 0, 0, byte(seq)}, []byte("12345678{"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.gate.set("one", queue.Sent, "")
		w.gate.set("two", queue.Sent, "")
		w.pass(time.Minute)
		w.want("one", "Sent")
		w.want("two", "Sent")
		if left, err := w.uplink.owed("", 1); err != nil || len(left) > 0 {
			t.Errorf("owed %v, %v", left, err)
		}
	})
}

// TestNotConfigured: reports are kept for the time when the uplink is configured again.
func TestNotConfigured(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.Enqueue(text("one", alice))
		w.pass(time.Second)
		url := w.opts.URL
		w.opts.URL = ""
		w.restart()
		w.gate.set("one", queue.Delivered, "")
		w.pass(time.Hour)
		if _, configured := w.uplink.Connected(); configured {
			t.Error("configured")
		}
		w.gate.retire("one")
		w.opts.URL = url
		w.restart()
		w.pass(time.Second)
		w.want("one", "Delivered")
		w.wantTaken("one", 1)
	})
}
