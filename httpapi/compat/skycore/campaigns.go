package skycore

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"log/slog"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// campaigns is the room of the store that knows who is subscribed to what.
type campaigns struct {
	log *slog.Logger
	// store is constant once the room is open.
	store *store.Store
}

// campaign is what people can be subscribed to.
type campaign struct {
	// ID is never given twice, so that what is left of a deleted campaign belongs to no other.
	ID  uint64 `json:"id"`
	Ref string `json:"-"`
	// Keyword is a word by which people subscribe; empty is none.
	Keyword string `json:"keyword,omitempty"`
	// SIM is the simNumber that its messages are sent with, 0 for any.
	SIM int `json:"sim,omitempty"`
	// Created is in ms since 1970, By a user or key.
	Created int64  `json:"created"`
	By      string `json:"by,omitempty"`
}

// on reports whether the campaign is one of a SIM's.
func (c campaign) on(sim int) bool { return c.SIM == 0 || c.SIM == sim }

// called reports whether people mean the campaign by words, which have letters or digits.
func (c campaign) called(words string) bool { return bare(words) == bare(c.Ref) || c.keyed(words) }

// keyed reports whether words are the campaign's keyword.
func (c campaign) keyed(words string) bool { return c.Keyword != "" && bare(words) == bare(c.Keyword) }

// How somebody was subscribed.
const (
	byAPI = "api"
	bySMS = "sms"
)

// subscriber is one number in one campaign.
type subscriber struct {
	// Since is in ms since 1970; How is one of the two above, By the user or key, or what was written.
	Since int64  `json:"since"`
	How   string `json:"how"`
	By    string `json:"by,omitempty"`
	// Ended is when a STOP came; 0 for never.
	Ended int64 `json:"ended,omitempty"`
}

var (
	bucketCampaigns   = []byte("vendors/skycore_campaigns")
	bucketSubscribers = []byte("vendors/skycore_subscribers")
	bucketNumbers     = []byte("vendors/skycore_numbers")
)

const (
	// kindSweep is the timer that deletes the subscribers of a campaign that is gone.
	kindSweep = 95
	// sweepStep is how many subscribers one commit deletes, so that others do not wait for long.
	sweepStep = 500
	// idSize is the length of a campaign's id in keys.
	idSize = 8
	// lastDigits is how many of a number's digits lead an index key: as many as pdu.SameNumber asks for.
	lastDigits = 6
)

func newCampaigns(log *slog.Logger) *campaigns { return &campaigns{log: log} }

// Buckets implements store.Room.
func (*campaigns) Buckets() [][]byte {
	return [][]byte{bucketCampaigns, bucketSubscribers, bucketNumbers}
}

// Kinds implements store.Room: 95 to 99 are this room's.
func (*campaigns) Kinds() []byte { return []byte{kindSweep} }

// Prepare implements store.Room.
func (b *campaigns) Prepare(t *store.Tx) error {
	b.store = t.Store()
	return nil
}

// Due implements store.Room.
func (b *campaigns) Due(t *store.Tx, _ byte, id []byte) {
	if len(id) != idSize {
		b.log.Error("a timer that deletes subscribers names no campaign and is dropped", "rest", id)
		return
	}
	var gone [][]byte
	c := store.Bucket(t, bucketSubscribers).Cursor()
	for k, _ := c.Seek(id); bytes.HasPrefix(k, id) && len(gone) < sweepStep; k, _ = c.Next() {
		gone = append(gone, bytes.Clone(k))
	}
	for _, k := range gone {
		drop(t, binary.BigEndian.Uint64(id), string(k[idSize:]))
	}
	if len(gone) == sweepStep {
		t.At(t.Now, kindSweep, id)
	}
}

// load returns the campaign of a reference. A record that is damaged is as good as none: nobody can
// prove to be subscribed.
func load(btx *bolt.Tx, ref string) (c campaign, there bool) {
	v := store.Bucket(btx, bucketCampaigns).Get([]byte(ref))
	if v == nil || json.Unmarshal(v, &c) != nil {
		return campaign{}, false
	}
	c.Ref = ref
	return c, true
}

// each calls f for the campaigns behind a reference, in its order, until f returns false.
func each(btx *bolt.Tx, after string, f func(campaign) bool) {
	cur := store.Bucket(btx, bucketCampaigns).Cursor()
	k, v := cur.Seek([]byte(after))
	if string(k) == after {
		k, v = cur.Next()
	}
	for ; k != nil; k, v = cur.Next() {
		c := campaign{Ref: string(k)}
		if json.Unmarshal(v, &c) == nil && !f(c) {
			return
		}
	}
}

func save(t *store.Tx, c campaign) { putJSON(t, bucketCampaigns, []byte(c.Ref), c) }

func putJSON(t *store.Tx, bucket, key []byte, value any) {
	v, err := json.Marshal(value)
	if err != nil {
		t.Fail(err)
		return
	}
	t.Put(store.Bucket(t, bucket), key, v)
}

func idKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func subscriberKey(id uint64, number string) []byte { return append(idKey(id), number...) }

// numberKey is that of the index: last digits, number, 0, campaign.
func numberKey(id uint64, number string) []byte {
	return append(append([]byte(last(number)+number), 0), idKey(id)...)
}

// last are the last digits of a number, all of a short one's.
func last(number string) string { return number[max(0, len(number)-lastDigits):] }

// subscription returns what is known of a number (E.164) in a campaign.
func subscription(btx *bolt.Tx, id uint64, number string) (s subscriber, there bool) {
	v := store.Bucket(btx, bucketSubscribers).Get(subscriberKey(id, number))
	return s, v != nil && json.Unmarshal(v, &s) == nil
}

func keep(t *store.Tx, id uint64, number string, s subscriber) {
	putJSON(t, bucketSubscribers, subscriberKey(id, number), s)
	t.Put(store.Bucket(t, bucketNumbers), numberKey(id, number), []byte{})
}

func drop(t *store.Tx, id uint64, number string) {
	t.Del(store.Bucket(t, bucketSubscribers), subscriberKey(id, number))
	t.Del(store.Bucket(t, bucketNumbers), numberKey(id, number))
}

// admit says why a message of a campaign may not be sent to a number (E.164) with a SIM.
func admit(t *store.Tx, ref, number string, sim int) error {
	c, there := load(t.Tx, ref)
	switch {
	case ref == "" || !there:
		return errNoCampaign
	case !c.on(sim):
		return errOtherSender // whose STOP would not count
	}
	if s, there := subscription(t.Tx, c.ID, number); !there || s.Ended != 0 {
		return errNoSubscribe
	}
	return nil
}
