package bird

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/scheduler/inbox"
)

// TestIncomingNeedsItsScope: who may look at what was sent may not read what came in, by no cursor either.
func TestIncomingNeedsItsScope(t *testing.T) {
	b := talk(t)
	came, _, err := b.Scheduler.Inbox().List(t.Context(), inbox.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	in1 := slices.IndexFunc(came, func(m inbox.Message) bool { return m.Text == "in1" })
	id, _ := incomingID(came[in1].ID)
	look := func(path string) compattest.Reply {
		return b.Do("GET", messagesOf(testChannel)+path, "", "Authorization", "AccessKey "+compattest.ReadKey)
	}
	for _, path := range []string{"?direction=incoming", "/" + id} {
		if got := look(path); got.Status != 403 {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	made := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"u":%d,"od":true}`, time.Now().Add(time.Hour).UnixMilli()))
	for query, want := range map[string][]string{
		"?limit=100": {"other", "out3", "out2", "out1"}, "?status=delivered": nil, "?pageToken=" + made: nil,
	} {
		got := look(query)
		var texts []string
		for _, m := range decoded[listed[message]](t, got.Body).Results {
			texts = append(texts, m.Body.Text.Text)
		}
		if got.Status != 200 || !slices.Equal(texts, want) {
			t.Errorf("%s: %d %q, want %q", query, got.Status, texts, want)
		}
	}
}
