package bird

import (
	"context"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
)

// pageOf fetches a page of a channel and returns the texts on it, and the token of the next.
func (b bench) pageOf(channel, query string) (texts []string, next string) {
	b.t.Helper()
	reply := b.fetch(messagesOf(channel) + "?" + query)
	if reply.Status != 200 {
		b.t.Fatalf("%s: %d %s", query, reply.Status, reply.Body)
	}
	page := decoded[listed[message]](b.t, reply.Body)
	if !strings.Contains(reply.Body, `"results":[`) {
		b.t.Errorf("%s: %s", query, reply.Body)
	}
	for _, m := range page.Results {
		texts = append(texts, m.Body.Text.Text)
	}
	return texts, page.NextPageToken
}

// pagesOf fetches all pages.
func (b bench) pagesOf(query string) (texts []string) {
	b.t.Helper()
	for token := ""; ; {
		page, next := b.pageOf(testChannel, query+"&pageToken="+url.QueryEscape(token))
		if texts = append(texts, page...); next == "" {
			return texts
		}
		token = next
	}
}

// said sends a text to a number by the first channel.
func (b bench) said(number, text string) message {
	b.t.Helper()
	return b.accepted(`{"receiver":{"contacts":[{"identifierValue":"` + number + `"}]},"body":{"type":"text","text":{"text":"` + text + `"}}}`)
}

// talk is a conversation on the first channel, with something on the second one.
func talk(t *testing.T) bench {
	b := newBench(t, nil)
	for i := range 3 {
		n := strconv.Itoa(i + 1)
		b.Await(b.said("+31612345678", "out"+n).ID, queue.Sent)
		b.tick()
		b.Hear(1, "+31612345678", "in"+n)
		b.tick()
	}
	b.said("+31612345679", "other")
	b.tick()
	b.Hear(1, "+31612345679", "from other")
	b.Hear(2, "+31612345678", "elsewhere")
	if reply := b.post(testChannel2, with("")); reply.Status != 202 {
		t.Fatal(reply.Body)
	}
	native := queue.Submission{Content: queue.Content{Text: "native"}, Recipients: []string{"+31612345678"}, SIM: 1}
	if _, err := b.Scheduler.Submit(t.Context(), native); err != nil {
		t.Fatal(err)
	}
	return b
}

// tick waits until it is another millisecond, so that what happened before is older.
func (b bench) tick() {
	for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; {
		runtime.Gosched()
	}
}

// TestList: both directions as they came, or what is asked for, on pages of every size.
func TestList(t *testing.T) {
	b := talk(t)
	all := []string{"from other", "other", "in3", "out3", "in2", "out2", "in1", "out1"}
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"", all},
		{"direction=outgoing", []string{"other", "out3", "out2", "out1"}},
		{"direction=incoming", []string{"from other", "in3", "in2", "in1"}},
		{"phonenumber=%2B31612345678", all[2:]},
		{"phonenumber=31612345679", all[:2]},
		{"phonenumber=31612345679&direction=incoming", all[:1]},
		{"phonenumber=%2B49", nil},
		{"status=delivered", []string{"from other", "in3", "in2", "in1"}},
		{"status=scheduled", nil},
		{"status=sent&phonenumber=%2B31612345678", []string{"out3", "out2", "out1"}},
		{"startAt=2100-01-01T00:00:00Z", nil},
		{"endAt=2020-01-01T00:00:00Z", nil},
		{"startAt=2020-01-01T00:00:00%2B02:00&endAt=2100-01-01T00:00:00Z&reverse=false", all},
		{"startAt=2020-01-01T00:00:00+02:00", all},
	} {
		for _, limit := range []string{"", "&limit=1", "&limit=2", "&limit=3", "&limit=8", "&limit=100"} {
			if got := b.pagesOf(test.query + limit); !slices.Equal(got, test.want) {
				t.Errorf("%s%s: %q\nwant %q", test.query, limit, got, test.want)
			}
		}
	}
}

// TestListBetween: startAt is in and endAt is not.
func TestListBetween(t *testing.T) {
	b := newBench(t, nil)
	var at []string
	for _, text := range []string{"one", "two", "three"} {
		at = append(at, b.said("+31612345678", text).CreatedAt)
		b.tick()
	}
	if got := b.pagesOf("startAt=" + at[1]); !slices.Equal(got, []string{"three", "two"}) {
		t.Errorf("%q", got)
	}
	if got := b.pagesOf("endAt=" + at[1]); !slices.Equal(got, []string{"one"}) {
		t.Errorf("%q", got)
	}
	if got := b.pagesOf("startAt=" + at[1] + "&endAt=" + at[2]); !slices.Equal(got, []string{"two"}) {
		t.Errorf("%q", got)
	}
}

// TestListDefaults: ten on a page if no limit is named, and what comes in meanwhile shifts no page.
func TestListDefaults(t *testing.T) {
	b := newBench(t, nil)
	for i := range 12 {
		b.said("+31612345678", strconv.Itoa(i))
		b.tick()
	}
	first, token := b.pageOf(testChannel, "")
	if len(first) != 10 || first[0] != "11" || token == "" {
		t.Fatalf("%q, %q", first, token)
	}
	b.said("+31612345678", "new")
	b.Hear(1, "+31612345678", "new")
	if rest, next := b.pageOf(testChannel, "pageToken="+token); !slices.Equal(rest, []string{"1", "0"}) || next != "" {
		t.Errorf("%q, %q", rest, next)
	}
}

// TestListRefused: what is wrong with a query.
func TestListRefused(t *testing.T) {
	b := newBench(t, nil)
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit", "direction=both": "direction", "status=queued": "status",
		"startAt=yesterday": "startAt", "endAt=1": "endAt", "pageToken=x": "pageToken", "pageToken=bnVsbA": "pageToken",
		"reverse=true": "reverse", "reverse=maybe": "reverse",
	} {
		reply := b.fetch(messagesOf(testChannel) + "?" + query)
		if e := decoded[trouble](t, reply.Body); reply.Status != 400 || len(e.Details[field]) != 1 {
			t.Errorf("%s: %d %s", query, reply.Status, reply.Body)
		}
	}
	b = newBench(t, func(o *Options) { o.ValidationStatus = 422 })
	if reply := b.fetch(messagesOf(testChannel) + "?limit=0"); reply.Status != 422 {
		t.Errorf("%d %s", reply.Status, reply.Body)
	}
}

// TestGet: messages of both directions are there by their ids, and by their own channels only.
func TestGet(t *testing.T) {
	b := talk(t)
	reply := b.fetch(messagesOf(testChannel) + "?limit=100")
	for _, m := range decoded[listed[message]](t, reply.Body).Results {
		got := b.shown(strings.ToUpper(m.ID))
		if got.ID != m.ID || got.Body.Text.Text != m.Body.Text.Text || got.Direction != m.Direction {
			t.Errorf("%+v", got)
		}
		if reply := b.fetch(messagesOf(testChannel2) + "/" + m.ID); reply.Status != 404 {
			t.Errorf("by the other channel: %d %s", reply.Status, reply.Body)
		}
	}
	for _, m := range b.Messages() {
		if m.Origin == "" {
			if reply := b.fetch(messagesOf(testChannel) + "/" + m.ID); reply.Status != 404 {
				t.Errorf("a message of another API: %d %s", reply.Status, reply.Body)
			}
		}
	}
	if reply := b.fetch(messagesOf(testChannel) + "/11111111-2222-4333-8444-555555555555"); reply.Status != 404 || !strings.Contains(reply.Body, `"code":"NotFound"`) {
		t.Errorf("%d %s", reply.Status, reply.Body)
	}
}

// shortSight is a queue whose searches end early, as they do behind many messages of other APIs.
type shortSight struct{ calls int }

func (*shortSight) Submit(context.Context, queue.Submission) (queue.Message, error) {
	return queue.Message{}, nil
}
func (*shortSight) Get(context.Context, string) (queue.Message, error) { return queue.Message{}, nil }
func (*shortSight) Cancel(context.Context, string) (queue.Message, error) {
	return queue.Message{}, nil
}

func (s *shortSight) Scan(_ context.Context, q queue.Scan) ([]queue.Message, uint64, error) {
	s.calls++
	if q.Before == 0 {
		return nil, 7, nil
	}
	m := made(queue.Sent, queue.Part{State: queue.PartAccepted}, withMeta(meta{Channel: channel{ID: testChannel}}))
	m.Origin, m.Created = Name, third
	return []queue.Message{m}, 0, nil
}

// oneText is an inbox with one text, older than what shortSight has.
type oneText struct{}

func (oneText) Get(context.Context, string) (inbox.Message, error) {
	return inbox.Message{}, inbox.ErrNotFound
}

func (oneText) List(_ context.Context, f inbox.Filter) ([]inbox.Message, int, error) {
	if f.Offset > 0 {
		return nil, 1, nil
	}
	return []inbox.Message{{ID: "text:1", Kind: inbox.SMS, SIM: 1, Sender: "+31612345678", Text: "old", Received: first}}, 1, nil
}

// TestListCutShort: where the search in one direction was cut short, the other one waits for it.
func TestListCutShort(t *testing.T) {
	d := &Dialect{opts: Options{Workspace: testWorkspace, Channels: []Channel{{ID: testChannel, SIM: 1}}}, cards: map[string]card{}}
	d.g.Messages, d.g.Inbox = &shortSight{}, oneText{}
	l := listing{channel: channel{ID: testChannel, SIM: 1}, limit: 10, at: cursor{Until: third.Add(time.Hour).UnixMilli()}}
	empty, next, err := d.merged(t.Context(), l)
	if err != nil || len(empty) != 0 || next.String() == "" {
		t.Fatalf("%+v, %+v, %v", empty, next, err)
	}
	if l.at, err = readCursor(next.String()); err != nil {
		t.Fatal(err)
	}
	both, next, err := d.merged(t.Context(), l)
	if err != nil || len(both) != 2 || both[0].Direction != "outgoing" || both[1].Direction != "incoming" || next.String() != "" {
		t.Errorf("%+v, %+v, %v", both, next, err)
	}
}
