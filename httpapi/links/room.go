package links

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// The room's buckets:
//
//	links         code                  → record, written once
//	links_of      message ID            → its codes, one after another
//	links_counts  code                  → counts, of those that were followed
var (
	bucketLinks  = []byte("vendors/links")
	bucketOf     = []byte("vendors/links_of")
	bucketCounts = []byte("vendors/links_counts")
)

const (
	// kindOver is the timer upon which the links of a message are deleted; its rest is the message's ID.
	kindOver byte = 70
	// kindTell is the timer upon which a click is told that came too soon after another; its rest is the code.
	kindTell byte = 71
)

// gone is how long a link says that it expired before it is unknown.
const gone = 30 * 24 * time.Hour

// record is what stays of a link. Times are in ms since 1970.
type record struct {
	URL     string `json:"url"`
	Short   string `json:"short"`
	Message string `json:"message"`
	Origin  string `json:"origin,omitempty"`
	Note    []byte `json:"note,omitempty"`
	Created int64  `json:"created"`
	Expires int64  `json:"expires"`
}

func (r record) link(code string) Link {
	return Link{
		Code: code, URL: r.URL, Short: r.Short, MessageID: r.Message, Origin: r.Origin, Note: r.Note,
		Created: time.UnixMilli(r.Created), Expires: time.UnixMilli(r.Expires),
	}
}

// over is when the record is deleted, on the hour, so that those of an hour go in one transaction.
func (r record) over() int64 {
	hour := time.Hour.Milliseconds()
	at := r.Expires + gone.Milliseconds()
	return at + hour - at%hour
}

// Buckets implements store.Room.
func (*Links) Buckets() [][]byte { return [][]byte{bucketLinks, bucketOf, bucketCounts} }

// Kinds implements store.Room: 70 to 79 are this room's.
func (*Links) Kinds() []byte { return []byte{kindOver, kindTell} }

// Prepare implements store.Room.
func (l *Links) Prepare(t *store.Tx) error {
	l.store = t.Store()
	return nil
}

// Due implements store.Room.
func (l *Links) Due(t *store.Tx, kind byte, rest []byte) {
	switch kind {
	case kindOver:
		l.drop(t, rest)
	case kindTell:
		l.tellLate(t, string(rest))
	}
}

// Keep stores links of a message. Its error is ErrTaken, and nothing was written.
func (l *Links) Keep(t *store.Tx, messageID string, links []Link) error {
	b := store.Bucket(t, bucketLinks)
	for _, link := range links {
		if b.Get([]byte(link.Code)) != nil {
			return ErrTaken
		}
	}
	if len(links) == 0 {
		return nil
	}
	of := bytes.Clone(store.Bucket(t, bucketOf).Get([]byte(messageID)))
	r := record{Message: messageID, Created: t.Now, Expires: t.Now + l.opts.Lifetime.Milliseconds()}
	for _, link := range links {
		r.URL, r.Short, r.Origin, r.Note = link.URL, link.Short, link.Origin, link.Note
		put(t, b, link.Code, r)
		of = append(of, link.Code...)
	}
	t.Put(store.Bucket(t, bucketOf), []byte(messageID), of)
	t.At(r.over(), kindOver, []byte(messageID))
	return nil
}

// Of returns the links of a message in the order of its text, with what is counted up to now.
func (l *Links) Of(_ context.Context, messageID string) (found []Link, err error) {
	err = l.store.View(func(btx *bolt.Tx) error {
		for _, code := range codesOf(btx, []byte(messageID)) {
			r, is := l.get(btx, code)
			if !is {
				continue
			}
			link := r.link(code)
			c := read(btx, code)
			c.add(l.uncounted(code))
			c.fill(&link)
			found = append(found, link)
		}
		return nil
	})
	return found, err
}

// codesOf are those of a message.
func codesOf(btx *bolt.Tx, messageID []byte) (codes []string) {
	v := string(store.Bucket(btx, bucketOf).Get(messageID))
	for ; len(v) >= codeLen; v = v[codeLen:] {
		codes = append(codes, v[:codeLen])
	}
	return codes
}

// get reads a link. What is damaged is not there.
func (l *Links) get(btx *bolt.Tx, code string) (r record, is bool) {
	v := store.Bucket(btx, bucketLinks).Get([]byte(code))
	if v == nil {
		return r, false
	}
	if err := json.Unmarshal(v, &r); err != nil {
		l.opts.Log.Error("the record of a short link is damaged", "err", err)
		return r, false
	}
	return r, true
}

// drop deletes the links of a message whose time is over. Those that were kept in a later hour have a
// timer of their own.
func (l *Links) drop(t *store.Tx, messageID []byte) {
	var left []byte
	for _, code := range codesOf(t.Tx, messageID) {
		if r, is := l.get(t.Tx, code); is && r.over() > t.Now {
			left = append(left, code...)
			continue
		}
		t.Del(store.Bucket(t, bucketLinks), []byte(code))
		t.Del(store.Bucket(t, bucketCounts), []byte(code))
	}
	if len(left) == 0 {
		t.Del(store.Bucket(t, bucketOf), messageID)
		return
	}
	t.Put(store.Bucket(t, bucketOf), messageID, left)
}

func put(t *store.Tx, b *bolt.Bucket, code string, v any) {
	raw, err := json.Marshal(v)
	t.Fail(err)
	t.Put(b, []byte(code), raw)
}
