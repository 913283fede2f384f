package settings_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/scheduler/settings"
	"dongled/scheduler/store"
)

// A listener hears what is in effect at once, and each change before the client has its answer.
func TestOnChange(t *testing.T) {
	f := open(t, configured())
	f.patch(`{"messages":{"limit_value":1}}`)
	var heard [2][]int
	for i := range heard {
		f.OnChange(func(v settings.Values) { heard[i] = append(heard[i], v.Messages.LimitValue) })
	}
	for i, body := range []string{`{"messages":{"limit_value":2}}`, `{"messages":{"limit_value":-1}}`, `{"messages":null}`} {
		_ = f.Patch(ctx, json.RawMessage(body))
		want := [][]int{{1, 2}, {1, 2}, {1, 2, 0}}[i]
		if !slices.Equal(heard[0], want) || !slices.Equal(heard[1], want) {
			t.Errorf("after %s: heard %v, want %v", body, heard, want)
		}
	}
}

// Many clients at once: every listener hears one after the other, in the order of the commits, and
// misses none.
func TestOnChangeUnderStress(t *testing.T) {
	const clients, changes = 8, 40
	f := open(t, configured())
	var inside atomic.Int32
	var heard, late []settings.Values
	f.OnChange(func(v settings.Values) {
		if inside.Add(1) != 1 {
			t.Error("two calls at once")
		}
		heard = append(heard, v)
		inside.Add(-1)
	})
	var running sync.WaitGroup
	for c := range clients {
		running.Go(func() {
			for i := range changes {
				// Two keys of each client's own: a commit that were lost or out of order would show.
				f.patch(fmt.Sprintf(`{"messages":{"limit_value":%d},"webhooks":{"retry_count":%d}}`, c*changes+i, c*changes+i+1))
				if c == 0 && i == changes/2 {
					f.OnChange(func(v settings.Values) { late = append(late, v) })
				}
			}
		})
	}
	running.Wait()
	if len(heard) != clients*changes+1 {
		t.Fatalf("heard %d times, want %d", len(heard), clients*changes+1)
	}
	seen := map[int]bool{}
	next := make([]int, clients)
	for _, v := range heard[1:] {
		n := v.Messages.LimitValue
		if v.Webhooks.RetryCount != n+1 || seen[n] || n%changes != next[n/changes] {
			t.Fatalf("heard limit %d and retries %d after %v", n, v.Webhooks.RetryCount, next)
		}
		seen[n] = true
		next[n/changes]++
	}
	if heard[len(heard)-1] != f.Values() {
		t.Errorf("the last heard is %+v\nin effect is %+v", heard[len(heard)-1], f.Values())
	}
	if !slices.Equal(late[1:], heard[len(heard)-len(late)+1:]) {
		t.Error("who came late heard something else")
	}
}

// Changes of one transaction see each other.
func TestChangesOfOneCommit(t *testing.T) {
	f := open(t, configured())
	held, release := make(chan struct{}), make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		_ = f.store.Do(ctx, func(*store.Tx) error {
			close(held)
			<-release
			return nil
		})
	})
	<-held
	for i := range 5 {
		running.Go(func() {
			f.patch([]string{
				`{"ping":{"interval_seconds":5}}`, `{"logs":{"lifetime_days":5}}`, `{"webhooks":{"retry_count":5}}`,
				`{"messages":{"limit_value":5}}`, `{"messages":{"processing_order":"FIFO"}}`,
			}[i])
		})
	}
	close(release)
	running.Wait()
	f.shows(`{"ping":{"interval_seconds":5},"logs":{"lifetime_days":5},"webhooks":{"retry_count":5},"messages":{"limit_value":5,"processing_order":"FIFO"}}`)
}

func TestClosedStore(t *testing.T) {
	f := open(t, configured())
	f.stop()
	if err := f.Patch(ctx, json.RawMessage(`{"ping":{"interval_seconds":5}}`)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("error %v", err)
	}
	f.shows(`{}`)
	f.start(configured())
	f.shows(`{}`)
}

// TestModel: any changes and restarts give what a map of two levels gives.
func TestModel(t *testing.T) {
	models.Checks(30)
	values := map[string]map[string][]any{
		"messages": {"limit_value": {0.0, 1.0, 7.0, -1.0, "x", nil}, "send_interval_min": {0.0, 3.0, nil}, "send_interval_max": {2.0, 5.0, nil},
			"processing_order": {"LIFO", "FIFO", "lifo", nil}, "unknown": {1.0}},
		"ping":     {"interval_seconds": {1.0, 60.0, 0.0, nil}},
		"webhooks": {"retry_count": {1.0, 9.0, nil}, "signing_key": {"k", nil}},
		"radio":    {"on": {true}},
	}
	rapid.Check(t, func(rt *rapid.T) {
		f := open(t, configured())
		model := map[string]map[string]any{}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch body := drawBody(rt, values); rapid.SampledFrom([]string{"PATCH", "PUT", "restart"}).Draw(rt, "step") {
			case "PATCH":
				model = modelled(rt, f, f.Patch(ctx, json.RawMessage(encode(t, body))), model, body)
			case "PUT":
				model = modelled(rt, f, f.Replace(ctx, json.RawMessage(encode(t, body))), map[string]map[string]any{}, body, model)
			case "restart":
				f.reopen(configured())
			}
			compareModel(rt, f, model)
		}
	})
}

func drawBody(rt *rapid.T, values map[string]map[string][]any) map[string]any {
	body := map[string]any{}
	for _, section := range []string{"messages", "ping", "webhooks", "radio"} {
		switch rapid.IntRange(0, 5).Draw(rt, section) {
		case 0:
			body[section] = nil
		case 1, 2, 3:
			members := map[string]any{}
			for _, name := range slices.Sorted(maps.Keys(values[section])) {
				if rapid.Bool().Draw(rt, name+" set") {
					members[name] = rapid.SampledFrom(values[section][name]).Draw(rt, name)
				}
			}
			body[section] = members
		}
	}
	return body
}

// modelled is the model after body was laid over base; or what it was before, if that breaks a rule.
func modelled(rt *rapid.T, f *fixture, err error, base map[string]map[string]any, body map[string]any, before ...map[string]map[string]any) map[string]map[string]any {
	old := base
	if len(before) > 0 {
		old = before[0]
	}
	next := map[string]map[string]any{}
	for section, members := range base {
		next[section] = map[string]any{}
		for name, value := range members {
			next[section][name] = value
		}
	}
	wrong := false
	for section, members := range body {
		if members == nil {
			delete(next, section)
			continue
		}
		for name, value := range members.(map[string]any) {
			switch {
			case value == -1.0, value == "x", value == "lifo", name == "interval_seconds" && value == 0.0:
				wrong = true
			case value == nil:
				delete(next[section], name)
			case name != "unknown" && name != "on":
				if next[section] == nil {
					next[section] = map[string]any{}
				}
				next[section][name] = value
			}
		}
	}
	low, _ := next["messages"]["send_interval_min"].(float64)
	high, _ := next["messages"]["send_interval_max"].(float64)
	wrong = wrong || high > 0 && low > high
	var fault *settings.Fault
	if errors.As(err, &fault) != wrong || err != nil && !wrong {
		rt.Fatalf("%v over %v: error %v", body, base, err)
	}
	if wrong {
		return old
	}
	return next
}

func compareModel(rt *rapid.T, f *fixture, model map[string]map[string]any) {
	want := configured()
	for name, set := range map[string]func(float64){
		"limit_value":       func(n float64) { want.Messages.LimitValue = int(n) },
		"send_interval_min": func(n float64) { want.Messages.SendIntervalMin = time.Duration(n) * time.Second },
		"send_interval_max": func(n float64) { want.Messages.SendIntervalMax = time.Duration(n) * time.Second },
		"interval_seconds":  func(n float64) { want.Ping.Interval = time.Duration(n) * time.Second },
		"retry_count":       func(n float64) { want.Webhooks.RetryCount = int(n) },
	} {
		for _, members := range model {
			if n, is := members[name].(float64); is {
				set(n)
			}
		}
	}
	if order, is := model["messages"]["processing_order"].(string); is {
		want.Messages.ProcessingOrder = order
	}
	if key, is := model["webhooks"]["signing_key"].(string); is {
		want.Webhooks.SigningKey = key
	}
	if got := f.Values(); got != want {
		rt.Fatalf("values %+v\nwant   %+v", got, want)
	}
}
