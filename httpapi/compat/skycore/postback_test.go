package skycore_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/skycore"
	"dongled/httpapi/courier"
	"dongled/httpapi/links"
	"dongled/modem"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// TestPlan: the vendor's rule is a 200 within 10 seconds, and a retry after 5 minutes, five at most.
func TestPlan(t *testing.T) {
	h := start(t, skycore.Options{})
	p := h.Callbacks.Plan("skycore")
	if !slices.Equal(p.Pauses, []time.Duration{300e9, 300e9, 300e9, 300e9, 300e9}) || p.Timeout != 10*time.Second || p.Sign != nil {
		t.Errorf("the plan is %+v", p)
	}
	for status, taken := range map[int]bool{200: true, 201: false, 202: false, 204: false, 302: false, 404: false, 500: false} {
		if p.Taken(status) != taken {
			t.Errorf("%d is taken: %t", status, !taken)
		}
	}
}

// stamped is the vendor's form of a time.
var stamped = regexp.MustCompile(`"timestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00)"`)

// body is a postback's, with its time taken out after that was looked at.
func body(t *testing.T, c courier.Callback) string {
	t.Helper()
	m := stamped.FindSubmatch(c.Body)
	if m == nil {
		t.Fatalf("no timestamp as the vendor's in %s", c.Body)
	}
	at, err := time.Parse(time.RFC3339Nano, string(m[1]))
	if err != nil || time.Since(at) > time.Minute || time.Since(at) < -time.Second {
		t.Errorf("timestamp %s (%v)", m[1], err)
	}
	return stamped.ReplaceAllString(string(c.Body), `"timestamp":"T"`)
}

func TestDelivered(t *testing.T) {
	h := start(t, skycore.Options{PostbackURL: postbackURL, InboxURL: inboxURL, PostbackHeader: "X-Secret:  a: b "})
	id := accepted(t, h, with("campaign-ref", `"c"`, "from-mask", `"Dunder Mifflin"`))
	h.Await(id, queue.Sent)
	h.Report(id, 0)
	h.Await(id, queue.Delivered)
	for i, want := range []string{
		`{"origin":"SMS_MT","code":"N201","sent-as":"SMS","status":"Sent","from":"00000","to":"4915112345678","tracking-id":"` + id +
			`","campaign-ref":"c","from-mask":"Dunder Miff","timestamp":"T"}`,
		`{"origin":"SMS_MT","code":"N202","sent-as":"SMS","status":"Delivered","from":"00000","to":"4915112345678","tracking-id":"` + id +
			`","campaign-ref":"c","from-mask":"Dunder Miff","timestamp":"T"}`,
	} {
		c := h.Callbacks.Await(t, i+1)[i]
		if got := body(t, c); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		header := map[string]string{"Content-Type": "application/json", "X-Secret": "a: b"}
		if c.Dialect != "skycore" || c.Method != "POST" || c.URL != postbackURL || c.Line != "skycore/"+id || c.Ref != id || !maps.Equal(c.Header, header) {
			t.Errorf("the callback is %+v", c)
		}
	}
}

// outcome is what a test has become of a message, and the words for it.
type outcome struct {
	name   string
	answer func(compattest.Part) error
	then   func(*testing.T, *compattest.House, string)
	state  queue.State
	codes  []string
}

func TestOutcomes(t *testing.T) {
	report := func(status uint8) func(*testing.T, *compattest.House, string) {
		return func(_ *testing.T, h *compattest.House, id string) {
			h.Await(id, queue.Sent)
			h.Report(id, status)
		}
	}
	for _, c := range []outcome{
		{"sent", nil, nil, queue.Sent, []string{"N201 Sent"}},
		{"still being tried", nil, report(0x20), queue.Sent, []string{"N201 Sent"}},
		{"delivered", nil, report(0x00), queue.Delivered, []string{"N201 Sent", "N202 Delivered"}},
		{"undelivered", nil, report(0x45), queue.Failed, []string{"N201 Sent", "E202 Rejected"}},
		{"validity over", nil, report(0x46), queue.Failed, []string{"N201 Sent", "E202 Rejected"}},
		{"refused by the network", compattest.Refuse(1), nil, queue.Failed, []string{"E201 Failed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := start(t, skycore.Options{PostbackURL: postbackURL})
			h.SIMs[0].Answer(c.answer)
			id := accepted(t, h, with())
			if c.then != nil {
				c.then(t, h, id)
			}
			h.Await(id, c.state)
			told(t, h, c.codes...)
		})
	}
}

// told wants those postbacks, and no others.
func told(t *testing.T, h *compattest.House, want ...string) {
	t.Helper()
	h.Callbacks.Await(t, len(want))
	var got []string
	for _, c := range h.Callbacks.All() {
		var e struct{ Code, Status string }
		if err := json.Unmarshal(c.Body, &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Code+" "+e.Status)
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestReportOvertakes: a report that comes before the network's answer to the part has N201 told, too.
func TestReportOvertakes(t *testing.T) {
	now := queue.Message{ID: "m", Meta: []byte(`{"from":"00000"}`), Recipients: []queue.Recipient{{Number: "+4915112345678", State: queue.Delivered}}}
	h := start(t, skycore.Options{PostbackURL: postbackURL})
	change(t, h, queue.Change{Message: now, Was: queue.Processed})
	told(t, h, "N201 Sent", "N202 Delivered")
}

// TestLateNews: what nobody knew for too long is E201, and a late report is told all the same.
func TestLateNews(t *testing.T) {
	h := start(t, skycore.Options{PostbackURL: postbackURL})
	m := queue.Message{ID: "m", Meta: []byte(`{}`), Recipients: []queue.Recipient{{State: queue.Failed, Parts: []queue.Part{{State: queue.PartLost}}}}}
	change(t, h, queue.Change{Message: m, Was: queue.Processed})
	m.Recipients = []queue.Recipient{{State: queue.Delivered, Parts: []queue.Part{{State: queue.PartDelivered}}}}
	change(t, h, queue.Change{Message: m, Was: queue.Failed})
	told(t, h, "E201 Failed", "N201 Sent", "N202 Delivered")
}

// change tells the dialect of a change in a transaction of its own.
func change(t *testing.T, h *compattest.House, c queue.Change) {
	t.Helper()
	within(t, h, func(tx *store.Tx) { h.Dialect.(*skycore.Dialect).Changed(tx, c) })
}

// within runs f in a write transaction of the house's store.
func within(t *testing.T, h *compattest.House, f func(*store.Tx)) {
	t.Helper()
	err := skycore.Store(h.Dialect.(*skycore.Dialect)).Do(t.Context(), func(tx *store.Tx) error {
		f(tx)
		tx.Put(store.Bucket(tx, []byte("vendors/skycore_campaigns")), []byte("?"), nil) // or there is no commit
		tx.Del(store.Bucket(tx, []byte("vendors/skycore_campaigns")), []byte("?"))
		return tx.Err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWithdrawn(t *testing.T) {
	h := start(t, skycore.Options{PostbackURL: postbackURL})
	h.SIMs[0].Hold()
	first := accepted(t, h, with())
	id := accepted(t, h, with())
	if _, err := h.Scheduler.Cancel(t.Context(), id); err != nil {
		// LIFO: the later of two that wait may be the one in hand.
		if _, err := h.Scheduler.Cancel(t.Context(), first); err != nil {
			t.Fatal(err)
		}
	}
	told(t, h, "E201 Failed")
}

func TestNoPostbacks(t *testing.T) {
	h := start(t, skycore.Options{ClickPostbacks: true})
	h.Hear(1, "+4915112345678", "Hello")
	h.Await(accepted(t, h, with()), queue.Sent)
	within(t, h, func(tx *store.Tx) {
		h.Dialect.(*skycore.Dialect).Clicked(tx, links.Click{Link: links.Link{Note: []byte(`{}`)}})
	})
	if all := h.Callbacks.All(); len(all) != 0 {
		t.Errorf("without a URL there are callbacks: %+v", all)
	}
}

func TestInbox(t *testing.T) {
	for urls, want := range map[[2]string]string{
		{postbackURL, inboxURL}: inboxURL, {postbackURL, ""}: postbackURL, {"", inboxURL}: inboxURL,
	} {
		h := start(t, skycore.Options{PostbackURL: urls[0], InboxURL: urls[1]})
		h.Hear(1, "+4915112345678", "Hello <you>")
		c := h.Callbacks.Await(t, 1)[0]
		const text = `{"origin":"SMS_MO","code":"N211","from":"4915112345678","to":"00000","tracking-id":"text:1","message-text":"Hello \u003cyou\u003e","timestamp":"T"}`
		if got := body(t, c); got != text || c.URL != want || c.Line != "" || c.Ref != "text:1" {
			t.Errorf("%+v\ngot  %s\nwant %s", c, got, text)
		}
	}
}

// TestCalled: a client is told what it can name the SIM by.
func TestCalled(t *testing.T) {
	for name, edit := range map[string]func(*modem.Status){
		"00000":        func(*modem.Status) {},
		"491510000001": func(st *modem.Status) { st.Name = "office" },
		"office":       func(st *modem.Status) { st.Name, st.Number = "office", "" },
		"1":            func(st *modem.Status) { st.Name, st.Number = "", "" },
	} {
		h := start(t, skycore.Options{InboxURL: inboxURL})
		h.SIMs[0].Edit(edit)
		h.Hear(1, "Bank", "")
		var e struct {
			From, To string
			Text     *string `json:"message-text"`
		}
		if err := json.Unmarshal(h.Callbacks.Await(t, 1)[0].Body, &e); err != nil {
			t.Fatal(err)
		}
		if e.To != name || e.From != "Bank" || e.Text == nil || *e.Text != "" {
			t.Errorf("told %+v, want to %q", e, name)
		}
	}
}

func TestClicks(t *testing.T) {
	for _, on := range []bool{false, true} {
		h := start(t, skycore.Options{PostbackURL: postbackURL, ClickPostbacks: on})
		at := time.Date(2021, 1, 26, 18, 0, 7, 990498000, time.UTC)
		within(t, h, func(tx *store.Tx) {
			h.Dialect.(*skycore.Dialect).Clicked(tx, links.Click{At: at, Human: true, Link: links.Link{
				URL: "https://a.b/c", Short: "https://s.example.org/r/abcdefgh", MessageID: "m", Hits: 3,
				Note: []byte(`{"from":"00000","to":"4915112345678","campaign":"c"}`),
			}})
		})
		if !on {
			if all := h.Callbacks.All(); len(all) != 0 {
				t.Errorf("off, but %+v", all)
			}
			continue
		}
		const want = `{"origin":"CLICK","from":"00000","to":"4915112345678","tracking-id":"m","campaign-ref":"c","link":"https://a.b/c",` +
			`"short-link":"https://s.example.org/r/abcdefgh","clicks":3,"likely-human":true,"timestamp":"2021-01-26T18:00:07.990498+00:00"}`
		if c := h.Callbacks.Await(t, 1)[0]; string(c.Body) != want || c.URL != postbackURL {
			t.Errorf("got  %s\nwant %s", c.Body, want)
		}
	}
}
