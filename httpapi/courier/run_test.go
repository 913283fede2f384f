package courier_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi/courier"
	"dongled/httpapi/post/posttest"
	"dongled/scheduler/store"
)

// All of a request, as it was put.
func TestRequest(t *testing.T) {
	bubble(t, func(f *fixture) {
		cb := to("box:8080", "", "hé")
		cb.Method, cb.Header["X-Extra"] = "PUT", "1"
		f.put(cb)
		got := f.net.Host("box").Had()
		if len(got) != 1 {
			f.Fatalf("%d requests", len(got))
		}
		r := got[0]
		if r.Method != "PUT" || r.URL != "/cb?token=s3cret" || string(r.Body) != "hé" {
			f.Errorf("%s %s %s", r.Method, r.URL, r.Body)
		}
		for name, value := range map[string]string{"Content-Type": "application/json", "User-Agent": "dongled/1.2.3", "X-Extra": "1"} {
			if got := r.Header.Get(name); got != value {
				f.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		want := courier.Delivery{
			ID: "1", Dialect: "bird", Method: "PUT", Host: "box:8080", Ref: "msg-hé", State: "delivered", Attempts: 1, Status: 200,
			Created: time.UnixMilli(946684800000),
		}
		if got := f.all(); len(got) != 1 || got[0] != want {
			f.Errorf("%+v\nwant %+v", got, want)
		}
		f.idle()
	})
}

// Each try is signed anew, with its own time.
func TestSign(t *testing.T) {
	bubble(t, func(f *fixture) {
		signed := plan
		signed.Sign = func(r *http.Request, body []byte, secret string, now time.Time) {
			mac := hmac.New(sha256.New, []byte(secret))
			fmt.Fprintf(mac, "%d.%s", now.Unix(), body)
			r.Header.Set("X-Sign", fmt.Sprintf("%d %x", now.Unix(), mac.Sum(nil)))
		}
		f.plans["bird"] = signed
		f.reopen()
		f.net.Host("box").Says(500)
		cb := to("box", "", "x")
		cb.Method, cb.Secret = "", "k\xffy"
		f.put(cb)
		pass(10 * time.Second)
		var got []string
		for _, r := range f.net.Host("box").Had() {
			got = append(got, r.Method+" "+r.Header.Get("X-Sign"))
		}
		// printf '946684800.x' | openssl dgst -sha256 -mac HMAC -macopt hexkey:6bff79, and of 946684810.x
		f.equal("signatures", got, []string{
			"POST 946684800 19464554b76357b528fc94e78f4f51a364d667ffe27a5e54b6a1cfbb6d3563f1",
			"POST 946684810 a8e085f3923f92a3a9f6bc7fbc9c1ea9246e52bfb2a62ee592b6a77bcc78732e",
		})
	})
}

// The plans of two vendors: rising pauses over 8 h until any 2xx, and five more tries every 5 min until
// a 200 within 10 s. Seconds are written by hand.
func TestPlans(t *testing.T) {
	rising := courier.Plan{Pauses: []time.Duration{
		time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4*time.Hour + 7*time.Minute,
	}}
	steady := courier.Plan{
		Pauses: []time.Duration{5 * time.Minute, 5 * time.Minute, 5 * time.Minute, 5 * time.Minute, 5 * time.Minute}, Timeout: 10 * time.Second,
		Taken: func(status int) bool { return status == 200 },
	}
	for name, x := range map[string]struct {
		plan    courier.Plan
		answer  http.HandlerFunc
		seconds []int
		err     string
	}{
		"rising, refused": {rising, status(410), []int{0, 60, 180, 480, 1380, 3180, 6780, 13980, 28800}, "the endpoint answered 410 Gone"},
		"rising, redirected": {rising, redirect, []int{0, 60, 180, 480, 1380, 3180, 6780, 13980, 28800},
			"the endpoint answered 302 Found; redirects are not followed, register the URL that it leads to"},
		"rising, silent":        {rising, posttest.Slow(time.Hour, 200), []int{0, 90, 240, 570, 1500, 3330, 6960, 14190, 29040}, "no answer within 30s"},
		"steady, refused":       {steady, status(500), []int{0, 300, 600, 900, 1200, 1500}, "the endpoint answered 500 Internal Server Error"},
		"steady, not quite 200": {steady, status(204), []int{0, 300, 600, 900, 1200, 1500}, "the endpoint answered 204 No Content"},
		"steady, slow":          {steady, posttest.Slow(11*time.Second, 200), []int{0, 310, 620, 930, 1240, 1550}, "no answer within 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(f *fixture) {
				f.plans["bird"] = x.plan
				f.reopen()
				f.net.Host("box").Answers(x.answer)
				f.put(to("box", "line", "x"))
				pass(6 * day)
				var want []string
				for _, s := range x.seconds {
					want = append(want, fmt.Sprint(s, " x"))
				}
				f.had("box", want...)
				f.want(fmt.Sprint("x failed ", len(want)))
				if d := f.all()[0]; d.Error != x.err || !d.Next.IsZero() {
					f.Errorf("%+v", d)
				}
				f.idle()
				log := f.log.String()
				if !strings.Contains(log, `msg="a callback is given up" dialect=bird host=box message=msg-x`) {
					f.Errorf("log %s", log)
				}
				for _, secret := range []string{"token", "s3cret", "/cb", "k3y"} {
					if strings.Contains(log, secret) {
						f.Errorf("the log has %q: %s", secret, log)
					}
				}
			})
		})
	}
}

func status(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) }
}

func redirect(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/elsewhere", http.StatusFound)
}

// What is tried again, and how a pending callback looks meanwhile.
func TestPending(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Says(503)
		f.put(to("box", "", "x"))
		want := courier.Delivery{
			ID: "1", Dialect: "bird", Method: "POST", Host: "box", Ref: "msg-x", State: "pending", Attempts: 1, Status: 503,
			Error: "the endpoint answered 503 Service Unavailable", Created: f.began, Next: f.began.Add(10 * time.Second),
		}
		got := f.all()[0]
		if !got.Created.Equal(want.Created) || !got.Next.Equal(want.Next) {
			f.Errorf("%v, %v", got.Created, got.Next)
		}
		got.Created, got.Next = want.Created, want.Next
		if got != want {
			f.Errorf("%+v\nwant %+v", got, want)
		}
		f.net.Host("box").Says(200)
		pass(10 * time.Second)
		f.had("box", "0 x", "10 x")
		f.want("x delivered 2")
		for _, text := range []string{`receiver of callbacks is unreachable" host=box`, `answers again" host=box status=200`} {
			if !strings.Contains(f.log.String(), text) {
				f.Errorf("%q is not in the log: %s", text, f.log)
			}
		}
	})
}

// Within a line one waits for the other, whichever host that is for; lines and those without are free.
func TestLines(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Says(500)
		other := to("other", "m1", "c")
		f.put(to("box", "m1", "a"), to("box", "m1", "b"), other, to("box", "m2", "d"), to("box", "", "e"), to("box", "", "f"))
		f.hadAtOnce("box", "0 a", "0 d", "0 e", "0 f")
		f.had("other")
		pass(10 * time.Second)
		f.net.Host("box").Says(200)
		pass(time.Minute)
		f.want("a delivered 3", "b delivered 1", "c delivered 1", "d delivered 3", "e delivered 3", "f delivered 3")
		f.had("other", "70 c")
		f.idle()
	})
}

// One that failed for good lets the next of its line go.
func TestLineGoesOn(t *testing.T) {
	bubble(t, func(f *fixture) {
		bad := to("box", "m", "a")
		bad.URL = "http://box:port/"
		f.put(bad, to("box", "m", "b"))
		f.want("a failed 1", "b delivered 1")
		if d := f.all()[0]; d.Error != "the URL or the method of the request cannot be read" || d.Host != "" {
			f.Errorf("%+v", d)
		}
	})
}

// The lines of two dialects are not the same, and one that is off holds nobody.
func TestLineOfAnotherDialect(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.plans["skycore"] = plan
		f.reopen()
		f.net.Host("box").Says(500)
		f.put(to("box", "m", "a"))
		sky := to("box2", "m", "b")
		sky.Dialect = "skycore"
		f.put(sky)
		f.want("a pending 1", "b delivered 1")
	})
}

// A receiver that is dead has no more than four requests under way, and many that are no more than
// eight, once they are known; the others have the rest.
func TestDeadReceiversHoldNobody(t *testing.T) {
	bubble(t, func(f *fixture) {
		var crowd []courier.Callback
		for i := range 400 {
			name := fmt.Sprint("dead", i%5)
			f.net.Host(name).Turns(posttest.Silent)
			crowd = append(crowd, to(name, "", fmt.Sprint(i)))
		}
		f.put(crowd...) // 16 slots, 5 s each until they are known to be dead
		pass(20 * time.Second)
		at := time.Since(f.began)
		for i := range 20 {
			f.put(to("well", "", fmt.Sprint("w", i)))
		}
		var want []string
		for i := range 20 {
			want = append(want, fmt.Sprintf("%g w%d", at.Seconds(), i))
		}
		f.had("well", want...)
		if b := f.Board(); b[2] != 8 {
			f.Errorf("%d tries at dead hosts", b[2])
		}
	})
}

// Slow ones share: at most 16 in all, 4 each, and a newcomer has its turn before a crowd.
func TestSlowReceivers(t *testing.T) {
	bubble(t, func(f *fixture) {
		var crowd []courier.Callback
		for i := range 100 {
			name := fmt.Sprint("slow", i%5)
			f.net.Host(name).Answers(posttest.Slow(7*time.Second, 200))
			crowd = append(crowd, to(name, "", fmt.Sprint(i)))
		}
		f.put(crowd...)
		f.put(to("quick", "", "q"))
		pass(7 * time.Second)
		f.had("quick", "7 q")
		pass(time.Minute)
		if _, most := f.net.Busy(); most != 16 {
			f.Errorf("%d requests at once", most)
		}
		for i := range 5 {
			if most := f.net.Host(fmt.Sprint("slow", i)).Most(); most > 4 || most < 3 {
				f.Errorf("%d requests to slow%d at once", most, i)
			}
		}
		f.idle()
	})
}

// Without anything due nothing runs: neither request nor wakeup. A week passes without one commit.
func TestIdle(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.put(to("box", "", "x"))
		pass(8 * day) // the delivered one is swept
		before := f.txid()
		pass(30 * day)
		if after := f.txid(); after != before+1 {
			f.Errorf("%d commits when idle", after-before-1)
		}
		f.idle()
	})
}

// txid is the number of this very transaction.
func (f *fixture) txid() (id int) {
	f.Helper()
	f.ok(f.store.Do(ctx, func(t *store.Tx) error {
		id = t.ID()
		t.Del(store.Bucket(t, []byte("vendors/callbacks")), []byte("?"))
		return nil
	}))
	return id
}

// A stop waits 5 s for what is under way; what it cuts is tried again at the start, and does not count.
func TestStop(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("slow").Answers(posttest.Slow(4*time.Second, 200))
		f.net.Host("hung").Answers(posttest.Slow(20*time.Second, 200))
		f.put(to("slow", "", "a"), to("hung", "l", "b"), to("hung", "l", "c"))
		f.close()
		if took := time.Since(f.began); took != 5*time.Second {
			f.Errorf("the stop took %v", took)
		}
		f.start()
		synctest.Wait()
		f.want("a delivered 1", "b pending 0", "c pending 0")
		pass(40 * time.Second)
		f.want("a delivered 1", "b delivered 1", "c delivered 1")
		f.had("hung", "0 b", "5 b", "25 c")
		f.had("slow", "0 a")
	})
}

// The disk refuses what came of a try: it is stored later, and the request is not made again.
func TestDiskRefuses(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Answers(posttest.Slow(time.Second, 200))
		f.put(to("box", "l", "a"), to("box", "l", "b"))
		f.ok(f.store.Do(ctx, func(t *store.Tx) error { t.At(t.Now+1, kindSabotage, nil); return nil }))
		f.broken.Store(true)
		pass(2 * time.Second)
		f.want("a pending 0", "b pending 0")
		f.broken.Store(false)
		pass(10 * time.Second)
		f.want("a delivered 1", "b delivered 1")
		f.had("box", "0 a", "6 b")
		if !strings.Contains(f.log.String(), "could not be stored") {
			f.Errorf("log %s", f.log)
		}
	})
}

// A transaction that fails leaves no callback.
func TestUndone(t *testing.T) {
	bubble(t, func(f *fixture) {
		err := f.store.Do(ctx, func(t *store.Tx) error {
			f.Put(t, to("box", "", "x"))
			return fmt.Errorf("no")
		})
		synctest.Wait()
		if err == nil || len(f.all()) != 0 || len(f.net.Host("box").Had()) != 0 {
			f.Errorf("%v, %+v", err, f.all())
		}
		f.idle()
	})
}
