package queue

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

var cipher = Submission{
	ID: "a", Content: Content{Text: "$text", Flash: true}, Recipients: []string{"$alice", "$bob"}, Encrypted: true, SkipPhoneValidation: true, Report: true,
}

func (f *fixture) sealedIs(after uint64, want *Sealed) {
	f.Helper()
	got, err := f.NextSealed(after)
	f.ok(err)
	if !reflect.DeepEqual(got, want) {
		f.Errorf("sealed after %d: %+v, want %+v", after, got, want)
	}
}

func (f *fixture) seal(s Submission) Message {
	f.Helper()
	m, err := f.Enqueue(ctx, s, 0)
	f.ok(err)
	return m
}

func TestUnseal(t *testing.T) {
	woken := 0
	bubble(t, Options{Sealed: func() { woken++ }}, func(f *fixture) {
		m := f.seal(cipher)
		if woken != 1 || !m.Encrypted || m.State != Pending {
			t.Errorf("woken %d times, stored %+v", woken, m)
		}
		f.idle(sim1)
		f.sealedIs(0, &Sealed{
			Seq: 1, ID: "a", Content: Content{Text: "$text", Flash: true}, Recipients: []string{"$alice", "$bob"}, SkipPhoneValidation: true,
		})
		f.reopen()
		f.sealedIs(1, nil)
		clear := Content{Text: "hello", Flash: true}
		f.ok(f.Unseal(ctx, 1, Opened{Content: clear, Parts: 2, Recipients: []OpenedRecipient{{Number: alice}, {Error: "sendSMS: no"}}}))
		f.sealedIs(0, nil)
		f.reopen()
		j := f.take(sim1)
		if j.To != alice || j.Parts != 2 || !reflect.DeepEqual(j.Content, clear) {
			t.Errorf("job %+v", j)
		}
		f.accept(j)
		equal(t, "the rest", f.run(sim1), []string{"a.1"})
		f.report(card1, 1, alice, VerdictDelivered, Matched)
		m = f.get("a")
		if m.Content.Text != "$text" || m.Recipients[0].Number != "$alice" || m.Recipients[1].Number != "$bob" {
			t.Errorf("clients see %+v", m)
		}
		if m.Recipients[1].State != Failed || m.Recipients[1].Error != "sendSMS: no" {
			t.Errorf("recipient %+v", m.Recipients[1])
		}
		f.ok(f.Unseal(ctx, 1, Opened{Content: clear, Parts: 1, Recipients: []OpenedRecipient{{Number: bob}, {Number: bob}}}))
		f.idle(sim1)
	})
}

func TestUnsealTakesNoNonsense(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.seal(cipher)
		for _, o := range []Opened{
			{},
			{Parts: 1, Recipients: []OpenedRecipient{{Number: alice}}},
			{Recipients: []OpenedRecipient{{Error: "x"}, {Number: alice}}},
		} {
			if err := f.Unseal(ctx, 1, o); err == nil {
				t.Errorf("took %+v", o)
			}
		}
		f.ok(f.Unseal(ctx, 7, Opened{}))
		f.puts("clear")
		f.ok(f.Unseal(ctx, 2, Opened{Parts: 1, Recipients: []OpenedRecipient{{Number: bob}}}))
		equal(t, "claimed", f.run(sim1), []string{"clear"})
		f.ok(f.Unseal(ctx, 1, Opened{Recipients: []OpenedRecipient{{Error: "x"}, {Error: "y"}}}))
		f.wantState("a", Failed, PartRejected)
	})
}

// TestSealedEnds: what is cancelled or expires is not opened any more, and what comes too late changes
// nothing.
func TestSealedEnds(t *testing.T) {
	found := Opened{Content: Content{Text: "x"}, Parts: 1, Recipients: []OpenedRecipient{{Number: alice}, {Number: bob}}}
	bubble(t, Options{}, func(f *fixture) {
		f.seal(cipher)
		late := cipher
		late.ID, late.ValidUntil = "b", time.Now().Add(time.Minute)
		f.seal(late)
		_, err := f.Cancel(ctx, "a")
		f.ok(err)
		time.Sleep(time.Minute)
		synctest.Wait()
		f.sealedIs(0, nil)
		for seq := range uint64(2) {
			f.ok(f.Unseal(ctx, seq+1, found))
		}
		f.wantState("a", Cancelled, PartCancelled)
		f.wantState("b", Failed, PartRejected)
		f.idle(sim1)
		time.Sleep(time.Second)
		var from uint64
		n, _, err := f.Retire(ctx, time.Now(), &from, 10)
		f.ok(err)
		if n != 2 {
			t.Errorf("retired %d, want 2", n)
		}
		wantGone(t, f.Queue, []uint64{1, 2}, []string{"a", "b"})
	})
}

// TestSealedScheduled: it is opened at once, but not sent before its time.
func TestSealedScheduled(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		early := cipher
		early.ScheduleAt = time.Now().Add(time.Hour)
		f.seal(early)
		f.ok(f.Unseal(ctx, 1, Opened{Content: Content{Text: "x"}, Parts: 1, Recipients: []OpenedRecipient{{Number: alice}, {Number: bob}}}))
		f.idle(sim1)
		f.wantState("a", Pending, PartQueued)
		time.Sleep(time.Hour)
		synctest.Wait()
		equal(t, "sent", f.run(sim1), []string{"a", "a/1"})
	})
}

// TestSealedDamaged: a record that does not decode keeps no other from being opened.
func TestSealedDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{TB: t, path: t.TempDir() + "/q.db", mr: map[string]uint8{}}
		f.start()
		defer func() { f.ok(f.Close()) }()
		f.seal(cipher)
		next := cipher
		next.ID, next.Recipients = "b", []string{"$bob"}
		f.seal(next)
		f.ok(f.do(ctx, func(t *tx) error { t.put(t.messages, seqKey(1), []byte{1}); return nil }))
		f.sealedIs(0, &Sealed{Seq: 2, ID: "b", Content: next.Content, Recipients: []string{"$bob"}, SkipPhoneValidation: true})
	})
}

func TestOriginAndMeta(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		s := Submission{ID: "a", Recipients: []string{alice}, Content: Content{Text: "x"}, Origin: "uplink", Meta: []byte{0, 255}}
		stored, err := f.Enqueue(ctx, s, 1)
		f.ok(err)
		page, _, err := f.List(ctx, Filter{Limit: 1})
		f.ok(err)
		f.reopen()
		for _, m := range []Message{stored, page[0], f.get("a")} {
			if m.Origin != "uplink" || !reflect.DeepEqual(m.Meta, []byte{0, 255}) || m.Encrypted {
				t.Errorf("%+v", m)
			}
		}
	})
}

// TestSealedDamage: neither a key that is none, nor a message that is gone, nor a recipient that cannot be
// read stops the others.
func TestSealedDamage(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		damage := map[string][]byte{"?": bucketSealed, "\x00\x00\x00\x00\x00\x00\x00\x09": bucketSealed, string(deliveryKey(1, 2)): bucketDeliveries}
		f.seal(cipher)
		f.ok(f.do(ctx, func(t *tx) error {
			for k, b := range damage {
				t.put(t.Bucket(b), []byte(k), []byte{})
			}
			if n := t.messageState(1, 2, 0, Failed); n != Pending {
				f.Errorf("with one recipient Failed and one Pending it is %v", n)
			}
			return t.Err
		}))
		for after := uint64(0); ; after++ {
			got, err := f.NextSealed(after)
			f.ok(err)
			if got == nil {
				break
			}
			after = got.Seq
		}
		f.ok(f.do(ctx, func(t *tx) error {
			for k, b := range damage {
				t.del(t.Bucket(b), []byte(k))
			}
			return t.Err
		}))
		if at := createdOf(nil); at != 0 {
			t.Errorf("what is not there was created at %d", at)
		}
	})
}
