package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

var errAlso = errors.New("no room for it")

var bucketDiary = []byte("diary")

// diary is a room that enters each Change in the transaction that tells of it, so that what is in it is
// on disk with the state, or neither is.
type diary struct {
	store *store.Store
	// wrong is what a Change said that cannot be.
	wrong error
	// rang counts calls after a commit.
	rang int
}

// entry is a Change as it is kept. All are the states of all recipients.
type entry struct {
	ID           string
	Recipient    int
	Was, Message State
	All          []State
}

func (e entry) String() string {
	return fmt.Sprintf("%s/%d %v>%v (%v)", e.ID, e.Recipient, e.Was, e.All[e.Recipient], e.Message)
}

func (*diary) Buckets() [][]byte            { return [][]byte{bucketDiary} }
func (*diary) Kinds() []byte                { return nil }
func (*diary) Due(*store.Tx, byte, []byte)  {}
func (d *diary) Prepare(st *store.Tx) error { d.store = st.Store(); return nil }

// enter is an Options.Changed.
func (d *diary) enter(st *store.Tx, c Change) {
	e := entry{ID: c.Message.ID, Recipient: c.Recipient, Was: c.Was, Message: c.Message.State}
	var n stateCounts
	for _, r := range c.Message.Recipients {
		e.All = append(e.All, r.State)
		n[r.State]++
	}
	b := st.Bucket(bucketDiary)
	switch before, told := lastOf(b, e.ID, e.Recipient); {
	case c.Message.Origin == "":
		d.wrong = fmt.Errorf("told of %s, which has no origin", e.ID)
	case e.Was == e.All[e.Recipient]:
		d.wrong = fmt.Errorf("%v is no change", e)
	case told && e.Was != before || !told && e.Was != 0:
		d.wrong = fmt.Errorf("%v, which was %v", e, before)
	case n.fold() != e.Message:
		d.wrong = fmt.Errorf("%v with recipients %v", e, e.All)
	}
	seq, err := b.NextSequence()
	st.Fail(err)
	st.Put(b, seqKey(seq), mustJSON(e))
	st.After(func() { d.rang++ })
}

// lastOf is the state that was entered last of a recipient.
func lastOf(b *bolt.Bucket, id string, recipient int) (last State, found bool) {
	_ = b.ForEach(func(_, v []byte) error {
		var e entry
		if err := json.Unmarshal(v, &e); err != nil {
			return err
		}
		if e.ID == id && e.Recipient == recipient {
			last, found = e.All[recipient], true
		}
		return nil
	})
	return last, found
}

// entries are all that there are, in order.
func (d *diary) entries() (all []entry, err error) {
	err = d.store.View(func(btx *bolt.Tx) error {
		return btx.Bucket(bucketDiary).ForEach(func(_, v []byte) error {
			var e entry
			defer func() { all = append(all, e) }()
			return json.Unmarshal(v, &e)
		})
	})
	return all, errors.Join(err, d.wrong)
}

// states are those that each recipient went through, by message and index.
func (d *diary) states() (map[string][]State, error) {
	all, err := d.entries()
	states := map[string][]State{}
	for _, e := range all {
		k := fmt.Sprint(e.ID, "/", e.Recipient)
		states[k] = append(states[k], e.All[e.Recipient])
	}
	return states, err
}

// wantDiary compares the entries from number skip on, each written as
// "ID/recipient before>after (of the message)".
func (f *fixture) wantDiary(d *diary, skip int, want ...string) {
	f.Helper()
	all, err := d.entries()
	f.ok(err)
	var got []string
	for _, e := range all[min(skip, len(all)):] {
		got = append(got, e.String())
	}
	equal(f, "changes", got, want)
}

// followed runs f on a queue whose changes are entered in a diary, in virtual time.
func followed(t *testing.T, opts Options, run func(*fixture, *diary)) {
	t.Helper()
	d := &diary{}
	opts.Changed = d.enter
	synctest.Test(t, func(t *testing.T) { run(newFixture(t, opts, d), d) })
}

// count is how many entries there are.
func (d *diary) count(t testing.TB) int {
	t.Helper()
	all, err := d.entries()
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
