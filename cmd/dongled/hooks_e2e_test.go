package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
)

// hookReceiver is an endpoint of webhooks. While armed it holds the next request that is not the
// first since then, as one whose sender is about to be killed.
type hookReceiver struct {
	*httptest.Server
	mu    sync.Mutex
	posts []hookPost
	armed bool
	since int

	held, killed chan struct{}
}

type hookPost struct{ id, text, body string }

func newHookReceiver(t *testing.T) *hookReceiver {
	t.Helper()
	r := &hookReceiver{held: make(chan struct{}), killed: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // its sender was killed while it wrote
		}
		if r.note(t, body) {
			r.held <- struct{}{}
			<-r.killed
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// note records a post and says whether its sender is to be killed.
func (r *hookReceiver) note(t *testing.T, body []byte) bool {
	b := decode[struct {
		ID      string
		Payload struct{ Message string }
	}](t, body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts = append(r.posts, hookPost{b.ID, b.Payload.Message, string(body)})
	r.since++
	hit := r.armed && r.since > 1
	r.armed = r.armed && !hit
	return hit
}

// came is all that came so far.
func (r *hookReceiver) came() []hookPost {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.posts)
}

func (r *hookReceiver) arm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed, r.since = true, 0
}

// TestWebhookCrash kills the gateway with SIGKILL whenever an endpoint has an event and has not
// answered yet: between the post and what became of it. After the restart the event comes again, under the
// same id and byte for byte; nothing else comes twice, and nothing is lost. Besides it there is an
// endpoint that nobody listens at, which delays none of it.
func TestWebhookCrash(t *testing.T) {
	const rounds, each = 6, 3
	t.Parallel()
	bus := newBus(t)
	dongle := stick(t, bus, "1-1", "huawei-e173.hooks", "262010000000031")
	s := newSite(t, []string{"imsi:262010000000031"}, knownPassword)
	s.env = onBus(bus)
	r := newHookReceiver(t)
	g := s.serve(t)
	for id, url := range map[string]string{"well": r.URL + "/hook", "dead": "http://127.0.0.1:1/"} {
		g.request(t, "POST", "/webhooks", fmt.Sprintf(`{"id":%q,"url":%q,"event":"sms:received"}`, id, url), http.StatusCreated)
	}
	var want []string
	killed := map[string]bool{}
	for round := range rounds {
		r.arm()
		for i := range each {
			text := fmt.Sprintf("round %d, %d", round, i)
			want = append(want, text)
			deliver(t, dongle, text)
		}
		select {
		case <-r.held:
		case <-time.After(patience):
			t.Fatalf("no second post in round %d", round)
		}
		came := r.came()
		killed[came[len(came)-1].id] = true
		g.kill()
		r.killed <- struct{}{}
		g = s.serve(t)
	}
	g.awaitDelivered(t, "well", len(want))
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	r.check(t, want, killed)
}

// deliver has a message come in.
func deliver(t *testing.T, d *virtual.Dongle, text string) {
	t.Helper()
	if err := d.Deliver(pdu.Deliver{Originator: "+491701234567", Text: text, SCTS: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

// awaitDelivered waits until so many deliveries of a webhook arrived, and no other waits.
func (g *gateway) awaitDelivered(t *testing.T, id string, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%d deliveries to %s", n, id), func() (bool, string) {
		_, answer := g.request(t, "GET", "/webhooks/"+id+"/deliveries?limit=100", "", http.StatusOK)
		arrived := 0
		all := decode[[]struct{ State string }](t, answer)
		for _, d := range all {
			if d.State == "delivered" {
				arrived++
			}
		}
		return arrived == n && len(all) == n, string(answer)
	})
}

// check holds what came against what happened: each text under one id, what was cut off by a kill twice
// and the same, all else once.
func (r *hookReceiver) check(t *testing.T, want []string, killed map[string]bool) {
	t.Helper()
	ids, bodies, times := map[string]string{}, map[string]string{}, map[string]int{}
	for _, p := range r.came() {
		if known := ids[p.text]; known != "" && known != p.id {
			t.Errorf("%q came under the ids %s and %s", p.text, known, p.id)
		}
		if known := bodies[p.id]; known != "" && known != p.body {
			t.Errorf("%s had another body before:\n%s\n%s", p.id, known, p.body)
		}
		ids[p.text], bodies[p.id] = p.id, p.body
		times[p.id]++
	}
	for id, n := range times {
		if most := map[bool]int{false: 1, true: 2}[killed[id]]; n != most {
			t.Errorf("%s came %d times, want %d: %s", id, n, most, bodies[id])
		}
	}
	for _, text := range want {
		if ids[text] == "" {
			t.Errorf("%q never came", text)
		}
	}
	if len(ids) != len(want) {
		t.Errorf("%d texts came, want %d", len(ids), len(want))
	}
}

// TestWebhookOfRestart: what happens while an endpoint is away comes when it is back, over restarts in between,
// in order, and can be looked at and replayed.
func TestWebhookOfRestart(t *testing.T) {
	t.Parallel()
	bus := newBus(t)
	dongle := stick(t, bus, "1-1", "huawei-e173.away", "262010000000032")
	s := newSite(t, []string{"imsi:262010000000032"}, knownPassword)
	s.env = onBus(bus)
	r := newHookReceiver(t)
	g := s.serve(t)
	register := func(url string) {
		g.request(t, "POST", "/webhooks", fmt.Sprintf(`{"id":"a:b","url":%q,"event":"sms:received"}`, url), http.StatusCreated)
	}
	register("http://127.0.0.1:1/")
	for i := range 3 {
		deliver(t, dongle, fmt.Sprint(i))
	}
	await(t, "three tries", func() (bool, string) {
		_, answer := g.request(t, "GET", "/webhooks/a%3Ab/deliveries?state=pending", "", http.StatusOK)
		tried := 0
		for _, d := range decode[[]struct {
			Attempts int
			Error    string
		}](t, answer) {
			if d.Attempts > 0 && d.Error == "dial tcp 127.0.0.1:1: connect: connection refused" {
				tried++
			}
		}
		return tried == 3, string(answer)
	})
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	g = s.serve(t)
	register(r.URL)
	g.awaitDelivered(t, "a:b", 3)
	_, answer := g.request(t, "POST", "/webhooks/a:b/test", "", http.StatusOK)
	if d := decode[struct {
		State          string
		ResponseStatus int
	}](t, answer); d.State != "delivered" || d.ResponseStatus != 200 {
		t.Errorf("test: %s", answer)
	}
	g.request(t, "POST", "/webhooks/a:b/deliveries/"+r.came()[0].id+"/replay", "", http.StatusAccepted)
	g.awaitDelivered(t, "a:b", 4)
	came := r.came()
	var texts []string
	for _, p := range came {
		texts = append(texts, p.text)
	}
	if want := []string{"0", "1", "2", "This is a test.", "0"}; !slices.Equal(texts, want) {
		t.Fatalf("%q came, want %q", texts, want)
	}
	if came[4] != came[0] {
		t.Errorf("the replay is %+v, was %+v", came[4], came[0])
	}
}
