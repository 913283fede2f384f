package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

const (
	vendorKills = 6
	// vendorMessages are sent in each life at most.
	vendorMessages  = 20
	vendorWorkspace = "a1405560-c8d3-4b1a-877d-3f449ad95352"
	vendorChannel   = "3c5a1f0e-8d7b-4a69-9b1e-2f6d7c8e9a01"
	vendorSecret    = "secret of the subscription"
	// stoppedNumber is that of somebody who sends STOP.
	stoppedNumber = "+4915112340999"
)

// vendorCrash is a gateway that is killed over and over while clients of three vendors' APIs send and
// their receivers of callbacks are ill.
type vendorCrash struct {
	site
	dongles []*virtual.Dongle
	ear     *vendorEar
	key     string
	random  *rand.Rand

	// tried is how many requests there were, each for a number of its own; accepted are the numbers of
	// those that were answered. send alone changes them.
	tried    int
	accepted map[string]bool
	// left counts what left by radio.
	left atomic.Int32
}

// TestVendorsCrash kills the gateway with SIGKILL while messages come by the APIs of Bird, Skycore and Kannel
// and their callbacks are under way to receivers that are ill half of the time. Nothing accepted is lost
// or sent twice, and everybody was told every state, in order, the last one true. What STOP ended, links
// and templates outlive it all.
func TestVendorsCrash(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := newVendorCrash(t, seed)
	g := c.serve(t)
	kept := c.prepare(t, g)
	for life := range vendorKills {
		c.ear.life(true)
		if life == vendorKills/2 {
			c.stop(t, g)
		}
		c.live(t, g, life)
		c.timeGoesBy(t)
		g = c.serve(t)
	}
	c.ear.life(false)
	c.drain(t, g)
	c.checkStopped(t, g)
	kept.check(t, g)
	states := map[string]string{}
	for _, m := range c.stored(t, g) {
		states[m.ID] = m.State
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	c.compare(t, states)
}

func newVendorCrash(t *testing.T, seed uint64) *vendorCrash {
	t.Helper()
	c := &vendorCrash{random: rand.New(rand.NewPCG(seed, 0)), accepted: map[string]bool{}}
	c.ear = newVendorEar(t, seed)
	bus := newBus(t)
	var ports []string
	for i, imsi := range []string{"262010000000041", "262010000000042"} {
		opts, _ := virtual.Builtin(fmt.Sprintf("huawei-e173.vendors-%d", i+1))
		opts.IMSI, opts.SubmitDelay, opts.ReportDelay = imsi, 3*time.Millisecond, 5*time.Millisecond
		opts.OnSubmit = func(virtual.Submission) { c.left.Add(1) }
		d := virtual.New(opts)
		t.Cleanup(func() { _ = d.Close() })
		if err := bus.Plug(d.Stick(fmt.Sprintf("1-%d", i+1))); err != nil {
			t.Fatal(err)
		}
		c.dongles, ports = append(c.dongles, d), append(ports, "imsi:"+imsi)
	}
	c.site = newSite(t, ports, knownPassword,
		"messages: {unknown_after: 1s}",
		fmt.Sprintf("bird: {workspace: %s}", vendorWorkspace),
		fmt.Sprintf("channels: [{id: %s, name: Alerts, kind: transactional}]", vendorChannel),
		fmt.Sprintf("skycore: {postback_url: %q, enforce_campaign_check: true}", c.ear.URL+"/skycore"),
		"links: {listen: '127.0.0.1:0', public_base_url: 'https://s.example.org'}")
	c.env = onBus(bus)
	return c
}

// prepare subscribes everybody to everything, and leaves what has to outlive the kills.
func (c *vendorCrash) prepare(t *testing.T, g *gateway) keepsakes {
	t.Helper()
	c.key, _ = c.command(t, 0, "key", "add", "vendors")
	subscription := fmt.Sprintf(`{"service":"channels","event":"sms.outbound","url":%q,"signingKey":%q}`, c.ear.URL+"/bird", vendorSecret)
	c.ask(t, g, "/workspaces/"+vendorWorkspace+"/webhook-subscriptions", subscription, http.StatusCreated)
	if status, answer, err := c.call(g, "PUT", "/skycore/campaigns/news", `{"keyword":"NEWS"}`, "x-api-key", c.key); status != http.StatusCreated {
		t.Fatalf("the campaign: %d %s, %v", status, answer, err)
	}
	numbers := []string{fmt.Sprintf("%q", stoppedNumber)}
	for i := range vendorKills * vendorMessages {
		numbers = append(numbers, fmt.Sprintf("%q", vendorNumber(i)))
	}
	if status, answer, err := c.post(g, "/skycore/campaigns/news/subscribers", "["+strings.Join(numbers, ",")+"]", "x-api-key", c.key); status != http.StatusOK {
		t.Fatalf("the subscribers: %d %s, %v", status, answer, err)
	}

	file := filepath.Join(t.TempDir(), "greeting.yaml")
	if err := os.WriteFile(file, []byte("name: Greeting\ntexts: {en: 'Hello {{name}}'}\ndefaultLocale: en\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k := keepsakes{}
	k.template, _ = c.command(t, 0, "template", "add", file)
	c.command(t, 0, "template", "activate", k.template)
	answer := c.ask(t, g, "/workspaces/"+vendorWorkspace+"/channels/"+vendorChannel+"/messages",
		`{"receiver":{"contacts":[{"identifierValue":"+4915112340998"}]},"body":{"type":"text","text":{"text":"See https://shop.example.com/a/very/long/path?id=4711"}},"shortLinks":{"enabled":true}}`,
		http.StatusAccepted)
	k.linked = decode[struct{ ID string }](t, answer).ID
	c.accepted["+4915112340998"] = true
	return k
}

// vendorNumber is the number of request i.
func vendorNumber(i int) string { return fmt.Sprintf("+4915112350%03d", i) }

// keepsakes are a template, and a message with a short link.
type keepsakes struct{ template, linked string }

func (k keepsakes) check(t *testing.T, g *gateway) {
	t.Helper()
	_, list := g.request(t, "GET", "/links?messageId="+k.linked, "", http.StatusOK)
	if all := decode[[]struct{ URL string }](t, list); len(all) != 1 || all[0].URL != "https://shop.example.com/a/very/long/path?id=4711" {
		t.Errorf("links are %s", list)
	}
	m := g.send(t, fmt.Sprintf(`{"templateMessage":{"template":%q,"locale":"en","values":{"name":"Ada"}},"phoneNumbers":["+4915112340997"]}`, k.template))
	g.awaitState(t, m.ID, "Delivered")
}

// ask posts as the holder of the key.
func (c *vendorCrash) ask(t *testing.T, g *gateway, path, body string, want int) []byte {
	t.Helper()
	status, answer, err := c.post(g, path, body, "Authorization", "AccessKey "+c.key)
	if err != nil || status != want {
		t.Fatalf("%s: %d %s, %v", path, status, answer, err)
	}
	return answer
}

// stop has somebody end his subscription; it is back when the gateway has stored that.
func (c *vendorCrash) stop(t *testing.T, g *gateway) {
	t.Helper()
	if err := c.dongles[0].Deliver(pdu.Deliver{Originator: stoppedNumber, Text: "Stop", SCTS: time.Now()}); err != nil {
		t.Fatal(err)
	}
	g.awaitInbox(t, map[string]int{"Stop": 1})
}

func (c *vendorCrash) checkStopped(t *testing.T, g *gateway) {
	t.Helper()
	status, answer, err := c.sendSkycore(g, stoppedNumber, "Not wanted")
	if err != nil || status != http.StatusOK || !strings.Contains(string(answer), "E714") && !strings.Contains(string(answer), "E715") {
		t.Errorf("after a STOP: %d %s, %v", status, answer, err)
	}
}

// live sends until the gateway is killed: some messages later, and then some fraction of what one takes.
func (c *vendorCrash) live(t *testing.T, g *gateway, life int) {
	t.Helper()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range vendorMessages {
			if !c.send(t, g, life) {
				return
			}
		}
	}()
	want := c.left.Load() + 5 + c.random.Int32N(10)
	await(t, "messages to leave", func() (bool, string) {
		now := c.left.Load()
		return now >= want, fmt.Sprintf("%d of %d left", now, want)
	})
	time.Sleep(time.Duration(c.random.Int64N(int64(8 * time.Millisecond))))
	g.kill()
	<-sent
}

// send asks for the next message, by one API after the other; false is no answer. Who got none does not
// know whether it was accepted and sends to nobody again.
func (c *vendorCrash) send(t *testing.T, g *gateway, life int) bool {
	number, text := vendorNumber(c.tried), fmt.Sprintf("Message %d of life %d.", c.tried, life)
	if c.tried%5 == 4 {
		text += strings.Repeat(" septets", 30) // some 260 septets, of which a part holds 153
	}
	how := []func(*gateway, string, string) (int, []byte, error){c.sendBird, c.sendSkycore, c.sendKannel}[c.tried%3]
	c.tried++
	status, answer, err := how(g, number, text)
	if err != nil {
		return false
	}
	if status != http.StatusAccepted && !(status == http.StatusOK && strings.Contains(string(answer), `"Success"`)) {
		t.Errorf("%s: %d %s", number, status, answer)
		return false
	}
	c.accepted[number] = true
	return true
}

func (c *vendorCrash) sendBird(g *gateway, number, text string) (int, []byte, error) {
	return c.post(g, "/workspaces/"+vendorWorkspace+"/channels/"+vendorChannel+"/messages",
		fmt.Sprintf(`{"receiver":{"contacts":[{"identifierValue":%q}]},"body":{"type":"text","text":{"text":%q}}}`, number, text),
		"Authorization", "AccessKey "+c.key)
}

func (c *vendorCrash) sendSkycore(g *gateway, number, text string) (int, []byte, error) {
	return c.post(g, "/skycore/v2",
		fmt.Sprintf(`{"action":"sendsms","message-text":%q,"to":%q,"from":"1","campaign-ref":"news"}`, text, number), "x-api-key", c.key)
}

func (c *vendorCrash) sendKannel(g *gateway, number, text string) (int, []byte, error) {
	q := url.Values{
		"username": {testUser}, "password": {testPassword}, "to": {number}, "text": {text}, "dlr-mask": {"31"},
		"dlr-url": {c.ear.URL + "/kannel?id=%I&value=%d"},
	}
	return c.post(g, "/cgi-bin/sendsms?"+q.Encode(), "", "X-Client", "kannel")
}

// timeGoesBy is the hours in which the gateway is down, after which every callback is due.
func (c *vendorCrash) timeGoesBy(t *testing.T) {
	t.Helper()
	db, err := bolt.Open(c.store, 0o600, &bolt.Options{Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	const pending, due = 1, 1 // the state, and where it is behind it: httpapi/courier, row
	err = db.Update(func(tx *bolt.Tx) error {
		b := store.Bucket(tx, []byte("vendors/callbacks"))
		rows := map[string][]byte{}
		for cur, k, v := cursor(b); k != nil; k, v = cur.Next() {
			if v[0] == pending {
				rows[string(k)] = append([]byte{pending, 0, 0, 0, 0, 0, 0, 0, 0}, v[due+8:]...)
			}
		}
		for k, v := range rows {
			if err := b.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func cursor(b *bolt.Bucket) (cur *bolt.Cursor, k, v []byte) {
	cur = b.Cursor()
	k, v = cur.First()
	return cur, k, v
}

// drain waits until every message has its end and everybody was told.
func (c *vendorCrash) drain(t *testing.T, g *gateway) {
	t.Helper()
	for _, state := range []string{"Pending", "Processed"} {
		await(t, "no message "+state, func() (bool, string) {
			n := g.count(t, state)
			return n == 0, fmt.Sprintf("there are %d", n)
		})
	}
	await(t, "reports and callbacks", func() (bool, string) {
		sent := 0
		for _, m := range c.stored(t, g) {
			if m.State == queue.Sent.String() {
				sent++
			}
		}
		header, list := g.request(t, "GET", "/callbacks?state=pending&limit=5", "", http.StatusOK)
		return header.Get("X-Total-Count") == "0" && sent <= vendorKills*len(c.dongles), fmt.Sprintf("%d are sent; pending: %s", sent, list)
	})
	if header, list := g.request(t, "GET", "/callbacks?state=failed&limit=5", "", http.StatusOK); header.Get("X-Total-Count") != "0" {
		t.Errorf("callbacks were given up: %s", list)
	}
}

// stored is all that the gateway shows.
func (c *vendorCrash) stored(t *testing.T, g *gateway) (all []message) {
	t.Helper()
	for page := []message{{}}; len(page) > 0; all = append(all, page...) {
		_, list := g.request(t, "GET", fmt.Sprintf("/messages?limit=100&offset=%d", len(all)), "", http.StatusOK)
		page = decode[[]message](t, list)
	}
	return all
}
