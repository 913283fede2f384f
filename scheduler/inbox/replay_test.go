package inbox_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/inbox"
	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

var everything = []inbox.Kind{inbox.SMS, inbox.DataSMS, inbox.MMS}

// always is a period of everything.
func always(kinds ...inbox.Kind) inbox.Replay {
	return inbox.Replay{Since: epoch, Until: epoch.Add(10_000 * day), Kinds: kinds}
}

func batch(r inbox.Replay) inbox.Replay { r.Batch = true; return r }

// again asks for a replay, waits until it is done, and returns the events that there are since.
func (f *fixture) again(r inbox.Replay) []outbox.Event {
	f.Helper()
	before := f.events(0)
	f.ok(f.Replay(ctx, r))
	synctest.Wait()
	if n := f.size("inbox_replays"); n != 0 {
		f.Errorf("%d replays are left", n)
	}
	return f.events(len(before))
}

// events are all events behind the first n.
func (f *fixture) events(n int) []outbox.Event {
	f.Helper()
	events, err := f.out.Events(uint64(n), 1_000_000)
	f.ok(err)
	return events
}

// told is name, reference and payload of events.
func toldOf(events []outbox.Event) (told []string) {
	for _, e := range events {
		told = append(told, fmt.Sprint(e.Name, " ", e.Ref, " ", string(e.Payload)))
	}
	return told
}

// TestReplay: the events of what was received in a period come again as they were, after a restart too.
func TestReplay(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(sms{text: "a"}, sms{data: []byte{1}})
		pass(time.Minute)
		f.receive(mms(f, bare), sms{text: "b1 ", ref: 1, parts: 3, part: 1}, sms{text: "", data: nil, from: bob})
		pass(time.Minute)
		f.receive(sms{text: "c"})
		pass(25 * time.Hour) // b is given up
		first := toldOf(f.events(0))
		if len(first) != 6 || !strings.Contains(first[5], `"partial":true`) {
			t.Fatalf("events %q", first)
		}
		at := func(d time.Duration) time.Time { return epoch.Add(d) }
		for _, c := range []struct {
			name string
			want inbox.Replay
			told []string
		}{
			{"everything", always(everything...), first},
			{"texts", always(inbox.SMS), []string{first[0], first[3], first[4], first[5]}},
			{"kinds in any order, twice", always(inbox.MMS, inbox.DataSMS, inbox.MMS), []string{first[1], first[2]}},
			{"no kind", always(), nil},
			{"a period, its ends included", inbox.Replay{Since: at(time.Minute), Until: at(2 * time.Minute), Kinds: everything}, first[2:5]},
			{"a moment", inbox.Replay{Since: at(2 * time.Minute), Until: at(2 * time.Minute), Kinds: everything}, first[4:5]},
			{"fractions of a millisecond", inbox.Replay{Since: at(1), Until: at(2*time.Minute - 1), Kinds: everything}, first[2:4]},
			{"a period of nothing", inbox.Replay{Since: at(time.Minute + 1), Until: at(2*time.Minute - 1), Kinds: everything}, nil},
			{"a period before all", inbox.Replay{Since: at(-day), Until: at(-1), Kinds: everything}, nil},
			{"from the year 1 to 9999", inbox.Replay{Until: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), Kinds: everything}, first},
		} {
			for range 2 {
				equal(t, c.name, toldOf(f.again(c.want)), c.told)
				f.reopen()
			}
		}
	})
}

// TestReplayInBatches: kind by kind, at most a hundred in one, each as it was told alone.
func TestReplayInBatches(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		var want []string // payloads of batches
		var texts, rest []string
		for i := range 250 {
			f.receive(sms{text: fmt.Sprint("text ", i)})
			if i%100 == 50 {
				f.receive(sms{data: []byte{byte(i)}})
				f.receive(sms{from: pusher, data: unhex(f, strings.Replace(bare, "5432", fmt.Sprintf("54%d", 30+i/100), 1)), port: 2948})
			}
		}
		for _, e := range f.events(0) {
			if e.Name == "sms:received" {
				texts = append(texts, string(e.Payload))
			}
		}
		for _, name := range []string{"sms:data-received", "mms:received"} {
			var all []string
			for _, e := range f.events(0) {
				if e.Name == name {
					all = append(all, string(e.Payload))
				}
			}
			rest = append(rest, strings.Join(all, ","))
		}
		for page := range slices.Chunk(texts, 100) {
			want = append(want, "sms:batch:received  "+`{"messages":[`+strings.Join(page, ",")+`]}`)
		}
		want = append(want, "sms:batch:data-received  "+`{"messages":[`+rest[0]+`]}`, "mms:batch:received  "+`{"messages":[`+rest[1]+`]}`)
		if len(want) != 5 || len(texts) != 250 {
			t.Fatalf("%d batches of %d texts", len(want), len(texts))
		}
		equal(t, "everything", toldOf(f.again(batch(always(everything...)))), want)
		equal(t, "MMS", toldOf(f.again(batch(always(inbox.MMS)))), want[4:])
		equal(t, "nothing", toldOf(f.again(batch(inbox.Replay{Since: epoch.Add(-day), Until: epoch.Add(-1), Kinds: everything}))), nil)
	})
}

// TestReplayOfLongMessages: a batch is no larger than a webhook's body should be.
func TestReplayOfLongMessages(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		const messages, parts = 10, 100
		for i := range messages {
			for n := range parts {
				f.receive(sms{text: strings.Repeat("<", 153), ref: uint16(i), parts: parts, part: uint8(n + 1), at: time.Duration(i) * 2 * time.Hour})
			}
		}
		got := 0
		for _, e := range f.again(batch(always(inbox.SMS))) {
			var b struct{ Messages []json.RawMessage }
			f.ok(json.Unmarshal(e.Payload, &b))
			if got += len(b.Messages); len(e.Payload) > 600<<10 {
				t.Errorf("a batch of %d messages has %d octets", len(b.Messages), len(e.Payload))
			}
		}
		if got != messages { // each has six octets a character
			t.Errorf("%d messages were told of", got)
		}
	})
}

// TestReplayLeavesRoom: however much is asked for, no commit has more than two pages, and what comes in
// meanwhile waits for no end.
func TestReplayLeavesRoom(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		var commits []int // events of each
		var last *store.Tx
		f.told = func(tx *store.Tx, _ outbox.Event) {
			if tx != last {
				commits, last = append(commits, 0), tx
			}
			commits[len(commits)-1]++
		}
		f.reopen()
		const messages, replays = 400, 10
		for i := range messages {
			f.receive(sms{text: fmt.Sprint(i)})
		}
		commits = nil
		for range replays {
			f.ok(f.Replay(ctx, always(inbox.SMS)))
		}
		f.receive(sms{text: "new"})
		before := len(f.events(messages))
		if before >= messages*replays/2 {
			t.Errorf("%d events were told before a message was let in", before)
		}
		synctest.Wait()
		if most := slices.Max(commits); most > 201 {
			t.Errorf("a commit has %d events", most)
		}
		// What came after all were asked for is told of once.
		if got := len(f.events(messages)); got != messages*replays+1 {
			t.Errorf("%d events, want %d", got, messages*replays+1)
		}
	})
}

// TestReplayOutlivesCrashes: from a copy of the file after each commit, a replay is brought to its end,
// and tells each message once.
func TestReplayOutlivesCrashes(t *testing.T) {
	for _, inBatches := range []bool{false, true} {
		bubble(t, inbox.Options{}, func(f *fixture) {
			dir, copies, copying := t.TempDir(), []string(nil), false
			var last *store.Tx
			f.told = func(tx *store.Tx, _ outbox.Event) {
				if !copying || tx == last {
					return
				}
				last = tx
				tx.After(func() {
					path := filepath.Join(dir, fmt.Sprint(len(copies), ".db"))
					f.ok(f.store.View(func(btx *bolt.Tx) error { return btx.CopyFile(path, 0o600) }))
					copies = append(copies, path)
				})
			}
			f.reopen()
			const messages = 450
			for i := range messages {
				f.receive(sms{text: fmt.Sprint(i)})
			}
			r := always(everything...)
			r.Batch, copying = inBatches, true
			f.ok(f.Replay(ctx, r))
			synctest.Wait()
			if len(copies) != 5 {
				t.Errorf("%d copies", len(copies))
			}
			for _, path := range copies {
				x := &fixture{TB: t, path: path}
				x.start()
				synctest.Wait()
				x.toldTwice(messages)
				x.check()
				x.ok(x.store.Close())
				x.ok(os.Remove(path))
			}
		})
	}
}

// toldTwice checks that each of the first n messages was told of once, and once more.
func (f *fixture) toldTwice(n int) {
	f.Helper()
	times := map[string]int{}
	for _, e := range f.events(0) {
		var p struct {
			MessageID string
			Messages  []struct{ MessageID string }
		}
		f.ok(json.Unmarshal(e.Payload, &p))
		for _, m := range p.Messages {
			times[m.MessageID]++
		}
		if p.MessageID != "" {
			times[p.MessageID]++
		}
	}
	for i := range n {
		if id := fmt.Sprintf("%x", i+1); times[id] != 2 {
			f.Errorf("message %s of %d was told of %d times", id, n, times[id])
		}
	}
}

// TestReplayOfWhatIsGone: what retention deletes, and what is damaged, keeps nothing else from being told.
func TestReplayOfWhatIsGone(t *testing.T) {
	bubble(t, inbox.Options{Retention: day}, func(f *fixture) {
		f.receive(sms{text: "old"})
		pass(20 * time.Hour)
		f.receive(sms{text: "spoilt"}, sms{text: "short"}, sms{text: "good"})
		pass(5 * time.Hour)
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			b := t.Bucket([]byte("inbox"))
			v := append([]byte{}, b.Get(key(2))...)
			t.Put(b, key(2), append(v[:8:8], "{"...))
			t.Put(b, key(3), []byte{1})
			return t.Err
		}))
		equal(t, "refs", refs(f.again(always(inbox.SMS))), []string{"text:4"})
	})
}

func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func refs(events []outbox.Event) (refs []string) {
	for _, e := range events {
		refs = append(refs, e.Ref)
	}
	return refs
}

// TestReplayGoesOn: a replay that does not decode is dropped, and one whose timer is years away, because
// the clock was wrong, goes on at the next start, or with the next one.
func TestReplayGoesOn(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(sms{text: "a"})
		late := func(jobs ...string) {
			f.ok(f.store.Do(ctx, func(t *store.Tx) error {
				for i, j := range jobs {
					t.Put(t.Bucket([]byte("inbox_replays")), key(uint64(1000+i)), []byte(j))
				}
				t.At(t.Now+(1000*day).Milliseconds(), 13, nil)
				return t.Err
			}))
		}
		const good = `{"since":0,"until":99999999999999,"kinds":[1],"last":1}`
		late(`{`, `{"since":0,"until":1,"kinds":[],"last":1}`, good, `{"kinds":[77],"until":1}`)
		f.reopen()
		synctest.Wait()
		equal(t, "at the start", refs(f.events(0)), []string{"text:1", "text:1"})
		late(good)
		equal(t, "with the next one", refs(f.again(always(inbox.SMS))), []string{"text:1", "text:1"})
	})
}

// TestReplayAfterTheEnd: a store that is closed takes no replay.
func TestReplayAfterTheEnd(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.ok(f.store.Close())
		if err := f.Replay(ctx, always(inbox.SMS)); !errors.Is(err, store.ErrClosed) {
			t.Errorf("%v", err)
		}
		f.start()
	})
}
