package queue

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// Get returns the message of that ID, or ErrNotFound.
func (q *Queue) Get(_ context.Context, id string) (m Message, err error) {
	err = q.view(func(btx *bolt.Tx) error {
		k := btx.Bucket(bucketIDs).Get([]byte(id))
		if k == nil {
			return ErrNotFound
		}
		m, err = read(btx, binary.BigEndian.Uint64(k))
		return err
	})
	return m, err
}

// List returns the page that f asks for and the number of all messages that match f.
func (q *Queue) List(_ context.Context, f Filter) (page []Message, total int, err error) {
	err = q.view(func(btx *bolt.Tx) error {
		var seqs []uint64
		messages := btx.Bucket(bucketMessages)
		seqs, total = census.Select(btx, store.Query{
			Mark: byte(f.State), From: f.From, To: f.To, Limit: f.Limit, Offset: f.Offset, OldestFirst: f.OldestFirst,
			At: func(seq uint64) int64 { return createdOf(messages.Get(seqKey(seq))) },
		})
		page = make([]Message, 0, len(seqs))
		for _, seq := range seqs {
			m, err := read(btx, seq)
			if err != nil {
				// A damaged record must not hide all others.
				q.opts.Log.Error("a message is left out of a listing", "seq", seq, "err", err)
				continue
			}
			page = append(page, m)
		}
		return nil
	})
	return page, total, err
}

func read(btx *bolt.Tx, seq uint64) (Message, error) {
	m, err := loadMessage(btx.Bucket(bucketMessages), seq)
	if err != nil {
		return Message{}, err
	}
	if m == nil {
		return Message{}, ErrNotFound
	}
	ds, err := loadDeliveries(btx.Bucket(bucketDeliveries), seq)
	if err != nil {
		return Message{}, err
	}
	return assemble(m, ds), nil
}

func loadDeliveries(b *bolt.Bucket, seq uint64) (ds []*delivery, err error) {
	c := b.Cursor()
	for k, v := c.Seek(seqKey(seq)); len(k) == 9 && binary.BigEndian.Uint64(k) == seq; k, v = c.Next() {
		d, err := decodeDelivery(k, v)
		if err != nil {
			return nil, err
		}
		ds = append(ds, d)
	}
	return ds, nil
}

func assemble(m *message, ds []*delivery) Message {
	out := Message{
		ID: m.ID, Created: timeOf(m.Created), Content: m.Content, SIM: m.SIM, Priority: m.Priority,
		Report: m.Report, ValidUntil: timeOf(m.ValidUntil), ScheduleAt: timeOf(m.ScheduleAt),
		Encrypted: m.Encrypted, Origin: m.Origin, Meta: m.Meta, Quiet: m.Quiet,
		Reached: reached(ds), Recipients: make([]Recipient, len(ds)),
	}
	var n stateCounts
	for i, d := range ds {
		out.Recipients[i] = d.view()
		n[out.Recipients[i].State]++
	}
	out.State = n.fold()
	return out
}

// reached replays the states of all recipients in the order of time and notes when their aggregate
// was first what.
func reached(ds []*delivery) (out []Reached) {
	type step struct {
		at    int64
		rcpt  int
		state State
	}
	var steps []step
	for i, d := range ds {
		for s, at := range d.Reached {
			if at == 0 {
				continue
			}
			steps = append(steps, step{at, i, State(s)})
		}
	}
	slices.SortFunc(steps, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.state, b.state), cmp.Compare(a.rcpt, b.rcpt))
	})
	var n stateCounts
	n[Pending] = len(ds)
	current := make([]State, len(ds))
	seen := map[State]bool{}
	for i := range current {
		current[i] = Pending
	}
	for _, s := range steps {
		n[current[s.rcpt]]--
		current[s.rcpt] = s.state
		n[s.state]++
		if f := n.fold(); !seen[f] {
			seen[f] = true
			out = append(out, Reached{State: f, At: timeOf(s.at)})
		}
	}
	return out
}
