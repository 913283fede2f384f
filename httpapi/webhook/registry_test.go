package webhook_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"dongled/httpapi/post/posttest"
	"dongled/httpapi/webhook"
	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// listed are the webhooks of a source: id, url, event.
func (f *fixture) listed(source string) (all []string) {
	f.Helper()
	list, err := f.List(ctx, source)
	f.ok(err)
	if list == nil {
		f.Error("a nil list")
	}
	for _, h := range list {
		if h.Source != source {
			f.Errorf("%+v is listed for %s", h, source)
		}
		all = append(all, fmt.Sprint(h.ID, " ", h.URL, " ", h.Event))
	}
	return all
}

func TestRegistry(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.equal("none", f.listed(webhook.Local), nil)
		f.hook("b", "sms:received")
		f.hook("a", "sms:sent")
		made, err := f.Put(ctx, webhook.Hook{URL: "https://x/", Event: "app:started"})
		f.ok(err)
		if len(made.ID) != 21 || made.Source != webhook.Local {
			f.Errorf("made %+v", made)
		}
		want := []string{"b http://b/hook sms:received", "a http://a/hook sms:sent", made.ID + " https://x/ app:started"}
		f.equal("in the order of registration", f.listed(webhook.Local), want)
		f.hook("b", "sms:failed") // an upsert keeps its place
		want[0] = "b http://b/hook sms:failed"
		f.equal("after an upsert", f.listed(webhook.Local), want)
		f.reopen()
		f.equal("after a restart", f.listed(webhook.Local), want)
		for range 2 {
			f.ok(f.Delete(ctx, "b"))
		}
		f.equal("after a deletion", f.listed(webhook.Local), want[1:])
		f.hook("b", "sms:failed")
		f.equal("registered anew", f.listed(webhook.Local), append(want[1:], want[0]))
	})
}

// What of an uplink's server is kept apart from what clients registered.
func TestSync(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		f.ok(f.Sync(ctx, webhook.Cloud, []webhook.Hook{
			{ID: "a", URL: "http://cloud/1", Event: outbox.SMSReceived, DeviceID: "id at the server"},
			{ID: "no event", URL: "http://cloud/2", Event: "sms:later-version"},
			{ID: "public", URL: "http://example.com/", Event: outbox.SMSReceived},
			{ID: "", URL: "http://cloud/2", Event: outbox.SMSReceived},
			{ID: "b", URL: "http://old/", Event: outbox.SMSSent},
			{ID: "b", URL: "http://cloud/b", Event: outbox.SMSSent},
		}))
		f.equal("cloud", f.listed(webhook.Cloud), []string{"a http://cloud/1 sms:received", "b http://cloud/b sms:sent"})
		f.equal("local", f.listed(webhook.Local), []string{"a http://a/hook sms:received"})
		f.tell(outbox.SMSReceived, "x")
		if posts := f.net.Host("cloud").Had(); len(posts) != 1 || !strings.Contains(string(posts[0].Body), `"deviceId":"id at the server"`) {
			f.Errorf("posts to the cloud's %+v", posts)
		}
		if n := len(f.net.Host("a").Had()); n != 1 {
			f.Errorf("%d posts to the local one", n)
		}
		f.ok(f.Sync(ctx, webhook.Cloud, []webhook.Hook{{ID: "b", URL: "http://cloud/b", Event: outbox.SMSSent}}))
		f.equal("cloud", f.listed(webhook.Cloud), []string{"b http://cloud/b sms:sent"})
		f.ok(f.Delete(ctx, "b")) // is of the clients' alone
		f.equal("cloud", f.listed(webhook.Cloud), []string{"b http://cloud/b sms:sent"})
		f.tell(outbox.SMSReceived, "y")
		if n := len(f.net.Host("cloud").Had()); n != 1 {
			f.Errorf("%d posts to the cloud's", n)
		}
		f.ok(f.Sync(ctx, webhook.Cloud, nil))
		f.equal("cloud", f.listed(webhook.Cloud), nil)
		f.equal("local", f.listed(webhook.Local), []string{"a http://a/hook sms:received"})
	})
}

func TestBounds(t *testing.T) {
	bubble(t, func(f *fixture) {
		for i := range webhook.MaxHooks {
			f.hook(fmt.Sprint("h", i), outbox.SMSSent)
		}
		var fault *webhook.Fault
		if _, err := f.Put(ctx, webhook.Hook{URL: "https://x/", Event: "sms:sent"}); !errors.As(err, &fault) || fault.Field != "id" {
			f.Errorf("one more: %v", err)
		}
		f.hook("h0", outbox.SMSFailed)
		f.ok(f.Delete(ctx, "h1"))
		f.hook("new", outbox.SMSFailed)
	})
}

// An event is for those who are registered when it happens, and for that event.
func TestTell(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.tell(outbox.SMSReceived, "before")
		f.hook("a", outbox.SMSReceived)
		f.hook("b", outbox.SMSReceived)
		f.hook("c", outbox.SMSFailed)
		f.tell(outbox.SMSReceived, "one")
		f.tell(outbox.MessageState, "never")
		f.tell("no:such", "never")
		f.tell(outbox.SMSFailed, "two", "three")
		f.want("a", "one delivered 1")
		f.want("b", "one delivered 1")
		f.want("c", "two delivered 1", "three delivered 1")
		ids := map[string]bool{}
		for _, id := range []string{"a", "b", "c"} {
			for _, d := range f.all(id) {
				ids[d.ID] = true
			}
		}
		if len(ids) != 4 {
			f.Errorf("%d different ids", len(ids))
		}
		// message:state is for the uplink alone.
		if _, err := f.Put(ctx, webhook.Hook{URL: "https://x/", Event: outbox.MessageState}); err == nil {
			f.Error("message:state can be registered for")
		}
	})
}

// Every event that can be registered for arrives.
func TestEveryEvent(t *testing.T) {
	for _, event := range []string{
		"sms:received", "sms:data-received", "sms:sent", "sms:delivered", "sms:failed", "sms:cancelled", "mms:received",
		"mms:downloaded", "system:ping", "app:started", "sms:batch:received", "sms:batch:data-received",
		"mms:batch:received", "mms:batch:downloaded", "call:received",
	} {
		bubble(t, func(f *fixture) {
			f.hook("a", event)
			f.tell(event, "x")
			f.want("a", "x delivered 1")
		})
	}
}

// A transaction that is undone leaves no delivery, and one that is run again leaves one.
func TestUndone(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		runs, spoil := 0, errors.New("spoilt")
		hold, entered := make(chan struct{}), make(chan struct{})
		answers := make(chan error, 3)
		go func() { // keeps the writer busy, so that the next two share a transaction
			answers <- f.store.Do(ctx, func(*store.Tx) error {
				close(entered)
				<-hold
				return nil
			})
		}()
		<-entered
		put := func(text string) func(*store.Tx) error {
			return func(t *store.Tx) error {
				f.out.Put(t, outbox.SMSReceived, "", map[string]string{"message": text})
				return t.Err
			}
		}
		go func() {
			answers <- f.store.Do(ctx, func(t *store.Tx) error { runs++; return put("good")(t) })
		}()
		synctest.Wait()
		go func() {
			answers <- f.store.Do(ctx, func(t *store.Tx) error { return errors.Join(put("bad")(t), spoil) })
		}()
		synctest.Wait()
		close(hold)
		synctest.Wait()
		failed := 0
		for range 3 {
			if err := <-answers; errors.Is(err, spoil) {
				failed++
			}
		}
		if runs != 2 || failed != 1 {
			f.Fatalf("%d runs, %d failed: the test shows nothing", runs, failed)
		}
		f.want("a", "good delivered 1")
		if n := len(f.net.Host("a").Had()); n != 1 {
			f.Errorf("%d posts", n)
		}
	})
}

// A webhook that is deleted gets nothing more, and leaves nothing behind; not in the transaction of
// the deletion, nor when it has much.
func TestDelete(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("a").Turns(posttest.Closed)
		f.hook("a", outbox.SMSReceived)
		for range 9 {
			f.tell(outbox.SMSReceived, strings.Split(strings.Repeat("x", 100), "")...)
		}
		f.net.Host("a").Says(200)
		posted := len(f.net.Host("a").Had())
		f.ok(f.Delete(ctx, "a"))
		f.tell(outbox.SMSReceived, "late")
		f.hook("a", outbox.SMSReceived)
		f.want("a")
		pass(day)
		if n := len(f.net.Host("a").Had()); n != posted {
			f.Errorf("%d posts after the deletion", n-posted)
		}
		if left := f.rows("webhook_deliveries") + f.rows("webhook_index") + f.rows("webhook_ended"); left != 0 {
			f.Errorf("%d rows are left", left)
		}
		if _, _, err := f.Deliveries(ctx, "b", "", 1, 0); !errors.Is(err, webhook.ErrNotFound) {
			f.Errorf("deliveries of nobody: %v", err)
		}
	})
}
