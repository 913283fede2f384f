package webhook_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi/post/posttest"
	"dongled/httpapi/webhook"
	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// The envelope, and the signature as the vector of SMSGate has it.
func TestPost(t *testing.T) {
	bubble(t, func(f *fixture) {
		_, err := f.Put(ctx, webhook.Hook{ID: `a:"b`, URL: "http://user:pa%20ss@box/hook?x=1", Event: outbox.SMSReceived})
		f.ok(err)
		f.tell(outbox.SMSReceived, "hé <llo>")
		got := f.net.Host("box").Had()
		if len(got) != 1 {
			f.Fatalf("%d posts", len(got))
		}
		p := got[0]
		id := idOf(t, p.Body)
		want := `{"id":"` + id + `","webhookId":"a:\"b","event":"sms:received","deviceId":"PyDmBQZZXYmyxMwED8Fzy","payload":{"message":"hé \u003cllo\u003e"}}`
		if string(p.Body) != want || len(id) != 21 {
			f.Errorf("body %s\nwant %s", p.Body, want)
		}
		for name, value := range map[string]string{
			"Content-Type": "application/json", "User-Agent": "me.capcom.smsgateway/1.2.3", "X-Timestamp": "946684800",
			"X-Signature": hmacOf("secret12", want+"946684800"), "Authorization": "Basic dXNlcjpwYSBzcw==",
		} {
			if got := p.Header.Get(name); got != value {
				f.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		if p.Method != "POST" || p.URL != "/hook?x=1" {
			f.Errorf("%s %s", p.Method, p.URL)
		}
		d := f.all(`a:"b`)[0]
		if d.ID != id || d.Status != 200 || d.Error != "" || !d.Last.Equal(time.Now()) || !d.Next.IsZero() || string(d.Body) != want {
			f.Errorf("delivery %+v", d)
		}
		if n := f.Lanes(); n != 0 {
			f.Errorf("%d lanes when idle", n)
		}
	})
}

// hmacOf is HMAC-SHA256 (RFC 2104) in hexadecimal, by the definition.
func hmacOf(key, text string) string {
	var inner, outer [64]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	first := sha256.Sum256(append(inner[:], text...))
	return fmt.Sprintf("%x", sha256.Sum256(append(outer[:], first[:]...)))
}

// schedule is when a delivery is tried, in seconds after the event: 5 s doubled, 15 times after the first.
var schedule = []int{0, 5, 15, 35, 75, 155, 315, 635, 1275, 2555, 5115, 10235, 20475, 40955, 81915, 163835}

// An endpoint that always refuses: sixteen tries with the same body and new signatures, then failed.
func TestSchedule(t *testing.T) {
	for name, bad := range map[string]func(*posttest.Host){
		"500":        func(h *posttest.Host) { h.Says(500) },
		"404":        func(h *posttest.Host) { h.Says(404) },
		"redirect":   func(h *posttest.Host) { h.Answers(redirect) },
		"overloaded": func(h *posttest.Host) { h.Says(503) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				h := f.net.Host("box")
				bad(h)
				f.hook("box", outbox.SMSReceived)
				begin := time.Now()
				f.tell(outbox.SMSReceived, "x")
				for i, s := range schedule {
					pass(time.Until(begin.Add(time.Duration(s)*time.Second - 1)))
					if n := len(h.Had()); n != max(1, i) {
						f.Fatalf("%d tries before second %d, want %d", n, s, i)
					}
					pass(1)
				}
				pass(5 * day)
				got := h.Had()
				if len(got) != 16 {
					f.Fatalf("%d tries", len(got))
				}
				for i, p := range got {
					stamp := strconv.Itoa(946684800 + schedule[i])
					if string(p.Body) != string(got[0].Body) || p.URL != "/hook" || p.Header.Get("X-Timestamp") != stamp ||
						p.Header.Get("X-Signature") != hmacOf("secret12", string(p.Body)+stamp) {
						f.Errorf("try %d: %+v", i, p)
					}
				}
				f.want("box", "x failed 16")
				if n := f.Lanes(); n != 0 {
					f.Errorf("%d lanes when idle", n)
				}
			})
		})
	}
}

func redirect(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
}

// What counts as what, and what the log of deliveries says.
func TestVerdicts(t *testing.T) {
	const long = 8 << 20
	for name, c := range map[string]struct {
		host  func(*posttest.Host)
		state string
		took  time.Duration
		err   string
	}{
		"ok":         {nil, "delivered 1 200", 0, ""},
		"created":    {func(h *posttest.Host) { h.Says(201) }, "delivered 1 201", 0, ""},
		"no content": {func(h *posttest.Host) { h.Says(204) }, "delivered 1 204", 0, ""},
		"299":        {func(h *posttest.Host) { h.Says(299) }, "delivered 1 299", 0, ""},
		"redirect": {func(h *posttest.Host) { h.Answers(redirect) }, "pending 1 307", 0,
			"the endpoint answered 307 Temporary Redirect; redirects are not followed, register the URL that it leads to"},
		"wrong":   {func(h *posttest.Host) { h.Says(500) }, "pending 1 500", 0, "the endpoint answered 500 Internal Server Error"},
		"missing": {func(h *posttest.Host) { h.Says(404) }, "pending 1 404", 0, "the endpoint answered 404 Not Found"},
		"odd":     {func(h *posttest.Host) { h.Says(799) }, "pending 1 799", 0, "the endpoint answered 799"},
		"away":    {func(h *posttest.Host) { h.Says(503) }, "pending 1 503", 0, "the endpoint answered 503 Service Unavailable"},
		"closed":  {func(h *posttest.Host) { h.Turns(posttest.Closed) }, "pending 1 0", 0, "dial tcp: connection refused"},
		"no route": {func(h *posttest.Host) { h.Turns(posttest.Silent) }, "pending 1 0", 5 * time.Second,
			"dial tcp: context deadline exceeded"},
		"slow": {func(h *posttest.Host) { h.Answers(posttest.Slow(31*time.Second, 200)) }, "pending 1 0", 30 * time.Second, "no answer within 30s"},
		"late": {func(h *posttest.Host) { h.Answers(posttest.Slow(29*time.Second, 200)) }, "delivered 1 200", 29 * time.Second, ""},
		"huge": {func(h *posttest.Host) {
			h.Answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.CopyN(w, zeros{}, long) })
		}, "delivered 1 200", 0, ""},
		"hangs up": {func(h *posttest.Host) {
			h.Answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, "pending 1 0", 0, "EOF"},
		"endless head": {func(h *posttest.Host) {
			h.Answers(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) })
		}, "pending 1 0", 0, "net/http: HTTP/1.x transport connection broken: net/http: server response headers exceeded 65536 bytes; aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				if c.host != nil {
					c.host(f.net.Host("box"))
				}
				f.hook("box", outbox.SMSSent)
				f.tell(outbox.SMSSent, "x")
				pass(c.took)
				d := f.all("box")[0]
				if got := fmt.Sprint(d.State, " ", d.Attempts, " ", d.Status); got != c.state || d.Error != c.err {
					f.Errorf("%s: %q; want %s: %q", got, d.Error, c.state, c.err)
				}
				if d.State == webhook.Pending && !d.Next.Equal(time.Now().Add(5*time.Second)) {
					f.Errorf("next at %v, now %v", d.Next, time.Now())
				}
			})
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Endpoints that hold a request, or refuse, or do not exist delay neither each other's nor anybody
// else's deliveries, and nobody who stores an event; not even more of them than there are connections.
func TestDeadDelayNobody(t *testing.T) {
	bubble(t, func(f *fixture) {
		for i := range 60 {
			name := fmt.Sprint("dead", i)
			h := f.net.Host(name)
			h.Answers(posttest.Slow(time.Hour, 200))
			h.Turns([]posttest.Door{posttest.Silent, posttest.Closed, posttest.Open}[i%3])
			f.hook(name, outbox.SMSReceived)
		}
		f.hook("well", outbox.SMSReceived)
		f.tell(outbox.SMSReceived, "first")
		pass(5 * time.Minute) // by now they are known for what they are
		begin := time.Now()
		for i := range 10 {
			f.tell(outbox.SMSReceived, fmt.Sprint(i))
			f.want1("well", i+1)
		}
		if d := time.Since(begin); d != 0 {
			f.Errorf("storing ten events took %v", d)
		}
		f.reopen()
		pass(time.Hour)
		for i, d := range f.all("well") {
			if d.State != webhook.Delivered || d.Attempts != 1 {
				f.Errorf("delivery %d to the healthy one: %+v", i, d)
			}
		}
		if n := len(f.net.Host("well").Had()); n != 11 {
			f.Errorf("%d posts to the healthy one", n)
		}
	})
}

// However many endpoints hold their requests, there are few at once.
func TestFewAtOnce(t *testing.T) {
	bubble(t, func(f *fixture) {
		for i := range 50 {
			name := fmt.Sprint("slow", i)
			f.net.Host(name).Answers(posttest.Slow(time.Hour, 200))
			f.hook(name, outbox.SMSReceived)
		}
		f.tell(outbox.SMSReceived, "x")
		if n, _ := f.net.Busy(); n != 16 {
			f.Errorf("%d at once at first, want 16", n)
		}
		for range 100 {
			pass(7 * time.Second)
			if n, _ := f.net.Busy(); n > 24 {
				f.Errorf("%d at once", n)
			}
		}
		pass(3 * day)
		for i := range 50 {
			f.want(fmt.Sprint("slow", i), "x failed 16")
		}
	})
}

// want1 checks that delivery n of a webhook arrived with the first try.
func (f *fixture) want1(id string, n int) {
	f.Helper()
	all := f.all(id)
	if d := all[n]; d.State != webhook.Delivered || d.Attempts != 1 || !d.Last.Equal(d.Created) {
		f.Errorf("delivery %d: %+v", n, d)
	}
}

// At most one request at a time for a webhook, in the order of events.
func TestOneAtATime(t *testing.T) {
	bubble(t, func(f *fixture) {
		h := f.net.Host("box")
		h.Answers(posttest.Slow(10*time.Second, 200))
		f.hook("box", outbox.SMSReceived)
		begin := time.Now()
		f.tell(outbox.SMSReceived, "a", "b", "c")
		pass(time.Minute)
		f.equal("posts", f.seen(h, begin), []string{"0 a", "10 b", "20 c"})
	})
}

// While one delivery fails again and again, new events pass it; the pauses are its own.
func TestNewPassOld(t *testing.T) {
	bubble(t, func(f *fixture) {
		h := f.net.Host("box")
		h.Answers(refuseText("bad"))
		f.hook("box", outbox.SMSReceived)
		begin := time.Now()
		f.tell(outbox.SMSReceived, "bad", "1")
		pass(6 * time.Second)
		f.tell(outbox.SMSReceived, "2")
		pass(8 * time.Second)
		f.tell(outbox.SMSReceived, "3")
		pass(10 * time.Second)
		f.equal("posts", f.seen(h, begin), []string{"0 bad", "0 1", "5 bad", "6 2", "14 3", "15 bad"})
	})
}

// refuseText answers 500 to an event of that text.
func refuseText(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), `"message":"`+text+`"`) {
			w.WriteHeader(500)
		}
	}
}

// A crowd of old deliveries of 30 s each lets a new event through after one of them.
func TestOldAndNewTakeTurns(t *testing.T) {
	bubble(t, func(f *fixture) {
		h := f.net.Host("box")
		h.Answers(posttest.Slow(time.Hour, 200))
		f.hook("box", outbox.SMSReceived)
		f.tell(outbox.SMSReceived, "a", "b", "c", "d", "e")
		pass(31 * time.Minute)
		h.Forgets()
		begin := time.Now()
		f.tell(outbox.SMSReceived, "1", "2", "3")
		pass(140 * time.Second)
		got := f.seen(h, begin)
		if len(got) != 5 || got[0] != "0 1" || got[2] != "60 2" || got[4] != "120 3" {
			f.Errorf("no turns: %q", got)
		}
	})
}

// When an unreachable endpoint answers again, what waited for it comes at once and in order.
func TestRecovery(t *testing.T) {
	for name, down := range map[string]func(*posttest.Host){
		"refuses":    func(h *posttest.Host) { h.Turns(posttest.Closed) },
		"overloaded": func(h *posttest.Host) { h.Says(503) },
		"gateway":    func(h *posttest.Host) { h.Says(502) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				h := f.net.Host("box")
				down(h)
				f.hook("box", outbox.SMSReceived)
				f.tell(outbox.SMSReceived, "a", "b", "c")
				pass(time.Hour) // tried at 2555 s, next at 5115 s
				f.want("box", "a pending 10", "b pending 10", "c pending 10")
				h.Says(200)
				h.Forgets()
				begin := time.Now()
				f.tell(outbox.SMSReceived, "new")
				f.equal("posts", f.seen(h, begin), []string{"0 new", "0 a", "0 b", "0 c"})
				f.want("box", "a delivered 11", "b delivered 11", "c delivered 11", "new delivered 1")
			})
		})
	}
}

// An early try that fails counts for nothing and moves nothing.
func TestEarlyTriesDoNotCount(t *testing.T) {
	bubble(t, func(f *fixture) {
		h := f.net.Host("box")
		h.Turns(posttest.Closed)
		f.hook("box", outbox.SMSReceived)
		f.tell(outbox.SMSReceived, "a", "b")
		pass(40 * time.Second) // tried 4 times, next at 75 s
		begin := time.Now().Add(-40 * time.Second)
		// It answers one event, and is gone again for the old ones.
		h.Answers(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); !strings.Contains(string(body), "new") {
				w.WriteHeader(503)
			}
		})
		for range 5 {
			f.tell(outbox.SMSReceived, "new")
			pass(time.Second)
		}
		f.want("box", "a pending 4", "b pending 4", "new delivered 1", "new delivered 1", "new delivered 1", "new delivered 1", "new delivered 1")
		f.equal("posts", f.seen(h, begin), []string{
			"40 new", "40 a", "41 new", "41 a", "42 new", "42 a", "43 new", "43 a", "44 new", "44 a",
		})
		h.Forgets()
		h.Answers(refuseText("a"))
		f.tell(outbox.SMSReceived, "last")
		// a got an answer that was no use: it waits for its time.
		pass(31 * time.Second)
		f.equal("posts", f.seen(h, begin), []string{"45 last", "45 a", "45 b", "75 a"})
		f.want("box", append([]string{"a pending 5", "b delivered 5"}, "new delivered 1", "new delivered 1", "new delivered 1",
			"new delivered 1", "new delivered 1", "last delivered 1")...)
	})
}

// A new URL gets what is pending, at once where the old one was unreachable.
func TestNewURL(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("typo").Turns(posttest.Closed)
		f.hook("typo", outbox.SMSReceived)
		f.tell(outbox.SMSReceived, "a", "b")
		pass(time.Hour)
		before := f.all("typo")
		_, err := f.Put(ctx, webhook.Hook{ID: "typo", URL: "http://box/hook", Event: outbox.SMSSent})
		f.ok(err)
		f.tell(outbox.SMSReceived, "no longer")
		f.tell(outbox.SMSSent, "c")
		f.want("typo", "a delivered 11", "b delivered 11", "c delivered 1")
		got := f.net.Host("box").Had()
		if len(got) != 3 || string(got[0].Body) != string(before[0].Body) || string(got[1].Body) != string(before[1].Body) {
			f.Errorf("posts %+v", got)
		}
	})
}

// What a try that was under way finds of the old URL says nothing of the new one.
func TestNewURLMeanwhile(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("old").Answers(posttest.Slow(time.Hour, 200))
		f.hook("old", outbox.SMSReceived)
		f.tell(outbox.SMSReceived, "a")
		pass(10 * time.Second)
		_, err := f.Put(ctx, webhook.Hook{ID: "old", URL: "http://box/hook", Event: outbox.SMSReceived})
		f.ok(err)
		pass(19 * time.Second)
		f.want("old", "a pending 0")
		pass(time.Second) // the 30 seconds are over
		f.want("old", "a delivered 2")
	})
}

// Settings take effect with the next try.
func TestConfigure(t *testing.T) {
	bubble(t, func(f *fixture) {
		h := f.net.Host("box")
		h.Says(500)
		f.hook("box", outbox.SMSReceived)
		f.tell(outbox.SMSReceived, "a")
		f.Configure(webhook.Policy{RetryCount: 2, SigningKey: "other"})
		pass(time.Minute)
		f.want("box", "a failed 3")
		p := h.Had()[1]
		if got := p.Header.Get("X-Signature"); got != hmacOf("other", string(p.Body)+"946684805") {
			f.Errorf("signature %s", got)
		}
	})
}

// The pause grows up to a day, and after a week it is over.
func TestRetryCountGrows(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Says(500)
		f.hook("box", outbox.SMSReceived)
		f.Configure(webhook.Policy{RetryCount: 1000})
		f.tell(outbox.SMSReceived, "a")
		pass(6 * day)
		if d := f.all("box")[0]; d.State != webhook.Pending || d.Attempts != 20 {
			f.Errorf("%+v", d) // 16 within 163835 s, then one a day: at 1.9, 2.9, 3.9, 4.9, 5.9 days
		}
		pass(2 * day)
		if d := f.all("box")[0]; d.State != webhook.Failed || d.Attempts != 22 {
			f.Errorf("%+v", d)
		}
	})
}

// Tell is part of the transaction of an event, and no lane is part of Tell: one that holds a request
// delays no commit by a moment.
func TestTellNeverWaits(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Answers(posttest.Slow(25*time.Second, 200))
		f.hook("box", outbox.SMSReceived)
		begin := time.Now()
		for i := range 100 {
			f.ok(f.store.Do(ctx, func(t *store.Tx) error {
				f.out.Put(t, outbox.SMSReceived, "", map[string]string{"message": fmt.Sprint(i)})
				return t.Err
			}))
		}
		if d := time.Since(begin); d != 0 {
			f.Errorf("100 commits took %v", d)
		}
		synctest.Wait()
		if n := len(f.net.Host("box").Had()); n != 1 {
			f.Errorf("%d requests at once", n)
		}
	})
}
