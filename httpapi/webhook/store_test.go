package webhook_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/post/posttest"
	"dongled/httpapi/webhook"
	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// rows is how many rows a bucket has.
func (f *fixture) rows(bucket string) (n int) {
	f.Helper()
	f.ok(f.store.View(func(t *bolt.Tx) error {
		return t.Bucket([]byte(bucket)).ForEach(func(_, _ []byte) error {
			n++
			return nil
		})
	}))
	return n
}

// copyStore copies the file as a kill leaves it.
func (f *fixture) copyStore() string {
	f.Helper()
	raw, err := os.ReadFile(f.path)
	f.ok(err)
	path := filepath.Join(f.TempDir(), "copy.db")
	f.ok(os.WriteFile(path, raw, 0o600))
	return path
}

// A kill while a request is under way: the next run posts the same again, byte for byte, and does not
// count what nobody knows of.
func TestKilledWhilePosting(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		h := f.net.Host("a")
		h.Says(500)
		f.tell(outbox.SMSReceived, "x")
		pass(20 * time.Second)
		f.want("a", "x pending 3") // at 0, 5 and 15 s
		var left string
		h.Answers(func(http.ResponseWriter, *http.Request) { left = f.copyStore() })
		pass(time.Minute)
		f.want("a", "x delivered 4")
		f.close()
		f.path = left
		f.start()
		synctest.Wait()
		f.want("a", "x delivered 4")
		got := h.Had()
		if len(got) != 5 {
			f.Fatalf("%d posts", len(got))
		}
		for i, p := range got {
			if !bytes.Equal(p.Body, got[0].Body) {
				f.Errorf("post %d: %s", i, p.Body)
			}
		}
	})
}

// What is pending outlives restarts, at its own time.
func TestRestart(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		f.net.Host("a").Turns(posttest.Closed)
		begin := time.Now()
		f.tell(outbox.SMSReceived, "x")
		pass(40 * time.Second)
		f.halt()
		f.tell(outbox.SMSReceived, "y") // stored while nobody posts
		pass(10 * time.Second)
		f.net.Host("a").Says(500)
		f.run2()
		pass(30 * time.Second)
		f.equal("posts", f.seen(f.net.Host("a"), begin), []string{"50 y", "50 x", "55 y", "65 y", "75 x"})
		f.want("a", "x pending 5", "y pending 3")
	})
}

// run2 opens the store again.
func (f *fixture) run2() {
	f.Helper()
	f.ok(f.store.Close())
	f.start()
	synctest.Wait()
}

// An orderly stop waits for the answer, and posts nothing twice.
func TestStop(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		f.net.Host("a").Answers(posttest.Slow(4*time.Second, 200))
		f.tell(outbox.SMSReceived, "x", "y")
		f.reopen()
		pass(time.Minute)
		f.want("a", "x delivered 1", "y delivered 1")
		if n := len(f.net.Host("a").Had()); n != 2 {
			f.Errorf("%d posts", n)
		}
		// One that takes too long is cut off, and posted again: whether it arrived is not known.
		f.net.Host("a").Forgets()
		f.net.Host("a").Answers(posttest.Slow(20*time.Second, 200))
		f.tell(outbox.SMSReceived, "z")
		begin := time.Now()
		f.reopen()
		if d := time.Since(begin); d != 5*time.Second {
			f.Errorf("the stop took %v", d)
		}
		pass(time.Minute)
		f.equal("posts", f.seen(f.net.Host("a"), begin), []string{"0 z", "5 z"})
		f.want("a", "x delivered 1", "y delivered 1", "z delivered 1")
	})
}

// Of pings that are not delivered only the latest counts.
func TestPings(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SystemPing)
		h := f.net.Host("a")
		h.Turns(posttest.Closed)
		for i := range 4 {
			f.tell(outbox.SystemPing, fmt.Sprint(i))
			pass(10 * time.Second)
		}
		f.want("a", "0 superseded 2", "1 superseded 2", "2 superseded 2", "3 pending 2")
		h.Says(200)
		f.tell(outbox.SystemPing, "4")
		f.want("a", "0 superseded 2", "1 superseded 2", "2 superseded 2", "3 superseded 2", "4 delivered 1")
		// One that arrives while the next is entered did arrive.
		h.Forgets()
		h.Answers(posttest.Slow(10*time.Second, 200))
		f.tell(outbox.SystemPing, "5")
		f.tell(outbox.SystemPing, "6")
		pass(time.Minute)
		if got := f.seen(h, time.Now()); len(got) != 2 {
			f.Errorf("posts %q", got)
		}
		page, total, err := f.Deliveries(ctx, "a", webhook.Delivered, 10, 0)
		f.ok(err)
		if total != 3 || textOf(f, page[0].Body) != "6" || textOf(f, page[1].Body) != "5" {
			f.Errorf("%d delivered: %+v", total, page)
		}
		// And one that fails then is not tried again.
		h.Answers(posttest.Slow(time.Second, 500))
		f.tell(outbox.SystemPing, "7")
		f.tell(outbox.SystemPing, "8")
		pass(4 * time.Second)
		all := f.all("a")
		if d := all[7]; d.State != webhook.Superseded {
			f.Errorf("%+v", d)
		}
	})
}

// Ended deliveries go after seven days, pending ones stay.
func TestRetention(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		f.Configure(webhook.Policy{RetryCount: 1000})
		f.tell(outbox.SMSReceived, "old")
		f.ok(f.Delete(ctx, "a"))
		f.hook("a", outbox.SMSReceived)
		f.tell(outbox.SMSReceived, "one")
		pass(3 * day)
		f.tell(outbox.SMSReceived, "two")
		f.net.Host("a").Says(500)
		f.tell(outbox.SMSReceived, "stuck")
		pass(4*day + 2*time.Hour)
		f.want("a", "two delivered 1", "stuck pending 18")
		f.reopen()
		f.Configure(webhook.Policy{RetryCount: 1000})
		pass(30 * day)
		f.want("a")
		if n := f.rows("webhook_deliveries") + f.rows("webhook_index"); n != 0 {
			f.Errorf("%d rows are left", n)
		}
	})
}

// The latest ended ones of a webhook are kept, the oldest go first.
func TestKeepMost(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SystemPing)
		f.halt()
		for first := 0; first < webhook.KeepMost+6; first += 173 { // more at once is slow in bbolt
			f.ok(f.store.Do(ctx, func(t *store.Tx) error {
				for i := range min(173, webhook.KeepMost+6-first) {
					f.out.Put(t, outbox.SystemPing, "", map[string]string{"message": fmt.Sprint(first + i)})
				}
				return t.Err
			}))
		}
		all := f.all("a")
		if n := len(all); n != webhook.KeepMost+1 {
			f.Fatalf("%d rows", n)
		}
		if got := textOf(f, all[0].Body); got != "5" {
			f.Errorf("the oldest is %s", got)
		}
		page, total, err := f.Deliveries(ctx, "a", webhook.Superseded, 2, 3)
		f.ok(err)
		if total != webhook.KeepMost || len(page) != 2 || textOf(f, page[0].Body) != "10001" || textOf(f, page[1].Body) != "10000" {
			f.Errorf("%d, %+v", total, page)
		}
	})
}

func TestTest(t *testing.T) {
	bubble(t, func(f *fixture) {
		for _, event := range []string{"sms:received", "sms:data-received", "mms:downloaded", "system:ping", "sms:batch:received", "call:received"} {
			f.hook("a", event)
			d, err := f.Test(ctx, "a")
			f.ok(err)
			if d.State != webhook.Delivered || d.Attempts != 1 || d.Status != 200 || d.Event != event || len(d.ID) != 21 {
				f.Errorf("%+v", d)
			}
			got := f.net.Host("a").Had()
			if last := got[len(got)-1]; string(last.Body) != string(d.Body) || !strings.Contains(string(last.Body), `"payload":{"`) {
				f.Errorf("%s", last.Body)
			}
			idOf(f, d.Body) // is JSON
		}
		all := f.all("a")
		if len(all) != 6 {
			f.Errorf("%d in the log", len(all))
		}
		const want = `"payload":{"messageId":"test","phoneNumber":"6505551212","sender":"6505551212","recipient":"+1234567890","simNumber":1,` +
			`"message":"This is a test.","receivedAt":"2000-01-01T00:00:00.000Z"}}`
		if got := string(all[0].Body); !strings.HasSuffix(got, want) {
			f.Errorf("%s\nwant %s", got, want)
		}
		f.net.Host("a").Says(404)
		d, err := f.Test(ctx, "a")
		f.ok(err)
		if d.State != webhook.Failed || d.Attempts != 1 || d.Status != 404 || d.Error != "the endpoint answered 404 Not Found" {
			f.Errorf("%+v", d)
		}
		pass(day)
		if n := len(f.net.Host("a").Had()); n != 7 {
			f.Errorf("%d posts: a test is made once", n)
		}
		if _, err := f.Test(ctx, "b"); !errors.Is(err, webhook.ErrNotFound) {
			f.Errorf("%v", err)
		}
	})
}

// A test that gets an answer brings what waits for it.
func TestTestFindsItWell(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		f.net.Host("a").Turns(posttest.Closed)
		f.tell(outbox.SMSReceived, "x", "y")
		pass(time.Hour)
		f.net.Host("a").Says(200)
		_, err := f.Test(ctx, "a")
		f.ok(err)
		synctest.Wait()
		f.want("a", "x delivered 11", "y delivered 11", "This is a test. delivered 1")
	})
}

func TestReplay(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		f.Configure(webhook.Policy{RetryCount: 1})
		h := f.net.Host("a")
		h.Answers(refuseText("x"))
		f.tell(outbox.SMSReceived, "x", "y")
		if _, err := f.Replay(ctx, "a", f.all("a")[0].ID); !errors.Is(err, webhook.ErrNotEnded) {
			f.Errorf("pending: %v", err)
		}
		pass(time.Hour)
		f.want("a", "x failed 2", "y delivered 1")
		for i, d := range f.all("a") {
			again, err := f.Replay(ctx, "a", d.ID)
			f.ok(err)
			if again.State != webhook.Pending || again.Attempts != 0 || again.ID != d.ID || !again.Created.Equal(d.Created) || !again.Next.Equal(time.Now()) {
				f.Errorf("replay of %d: %+v", i, again)
			}
		}
		pass(time.Hour)
		f.want("a", "x failed 2", "y delivered 1")
		got := h.Had()
		tally := map[string]int{}
		for _, p := range got {
			tally[string(p.Body)]++
		}
		if len(got) != 6 || len(tally) != 2 {
			f.Errorf("%d posts of %d bodies", len(got), len(tally))
		}
		for _, ids := range [][2]string{{"a", "nothing"}, {"b", f.all("a")[0].ID}} {
			if _, err := f.Replay(ctx, ids[0], ids[1]); !errors.Is(err, webhook.ErrNotFound) {
				f.Errorf("%q: %v", ids, err)
			}
		}
	})
}

// Damage to one record is in nobody else's way.
func TestDamage(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		f.hook("b", outbox.SMSReceived)
		f.net.Host("a").Turns(posttest.Closed)
		f.tell(outbox.SMSReceived, "1", "2", "3", "4")
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			b := t.Bucket([]byte("webhook_deliveries"))
			c := b.Cursor()
			k, _ := c.First()
			t.Put(b, bytes.Clone(k), []byte("not a delivery"))
			k, _ = c.Next()
			t.Del(b, bytes.Clone(k))
			t.Put(t.Bucket([]byte("webhook_index")), append(make([]byte, 7), 1, 0, 7), []byte{})
			t.Put(t.Bucket([]byte("webhooks")), []byte("torn"), []byte("{"))
			t.Put(t.Bucket([]byte("webhook_ended")), append(make([]byte, 7), 1), []byte("?"))
			return t.Err
		}))
		f.net.Host("a").Says(200)
		f.reopen()
		pass(time.Hour)
		f.want("a", "3 delivered 2", "4 delivered 2")
		f.want("b", "1 delivered 1", "2 delivered 1", "3 delivered 1", "4 delivered 1")
		if !strings.Contains(f.log.String(), "the store is damaged") {
			f.Error("nothing is said of the damage")
		}
	})
}

// While the disk takes no result, nothing is posted again for that, and the result is kept.
func TestResultsAreKept(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.hook("a", outbox.SMSReceived)
		f.net.Host("a").Answers(posttest.Slow(20*time.Second, 200))
		f.broken.Store(true)
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			t.At(t.Now+10_000, kindSabotage, nil)
			return t.Err
		}))
		f.tell(outbox.SMSReceived, "x")
		pass(time.Hour)
		f.want("a", "x pending 0")
		if !strings.Contains(f.log.String(), "what became of a webhook delivery could not be stored") {
			f.Error("nothing is said")
		}
		f.broken.Store(false)
		pass(10 * time.Second)
		f.want("a", "x delivered 1")
		if n := len(f.net.Host("a").Had()); n != 1 {
			f.Errorf("%d posts", n)
		}
		f.close()
		if _, err := f.Put(ctx, webhook.Hook{URL: "https://x/", Event: "sms:sent"}); !errors.Is(err, store.ErrClosed) {
			f.Errorf("closed: %v", err)
		}
		f.start()
	})
}

// FuzzRow: what decodes is stored as it was.
func FuzzRow(f *testing.F) {
	id := "Ey6ECgOkVVFjz3CL48B8C"
	f.Add([]byte("\x01" + id + "\x00\x02{}{}"))
	f.Add([]byte("\x02" + id + "\x00\x00"))
	f.Add([]byte("\x05" + id + "\x00\x02{}"))
	f.Add([]byte("\x01" + id + "\xff\xff{}"))
	f.Add([]byte("\x01" + id))
	f.Fuzz(func(t *testing.T, v []byte) {
		once, err := webhook.RoundTrip(v)
		if err != nil {
			return
		}
		twice, err := webhook.RoundTrip(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q becomes %q, then %q (%v)", v, once, twice, err)
		}
	})
}
