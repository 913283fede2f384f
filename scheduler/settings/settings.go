package settings

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

var (
	bucket = []byte("settings")
	// keyDocument has what clients set, keyMade the signing key of the gateway's own making.
	keyDocument = []byte("document")
	keyMade     = []byte("signing_key")
)

// Settings is a room of the store. Its methods may be called from any goroutine once that is open.
type Settings struct {
	store *store.Store
	log   *slog.Logger
	// defaults are the configuration's, with a signing key; they stand still once the store is open.
	defaults Values
	current  atomic.Pointer[Values]

	// mu guards news, what was committed and is still to be told.
	mu   sync.Mutex
	news []Values
	// telling is held while listeners are called; it guards them and what they were told last.
	telling   sync.Mutex
	listeners []func(Values)
	told      Values
}

// New makes settings whose defaults are those of the configuration.
func New(defaults Values, log *slog.Logger) *Settings {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Settings{defaults: defaults, told: defaults, log: log}
	s.current.Store(&defaults)
	return s
}

// Buckets implements store.Room.
func (*Settings) Buckets() [][]byte { return [][]byte{bucket} }

// Kinds implements store.Room.
func (*Settings) Kinds() []byte { return nil }

// Due implements store.Room.
func (*Settings) Due(*store.Tx, byte, []byte) {}

// Prepare implements store.Room: it loads what clients set. What is damaged or fits no longer has its
// default: a gateway that sends is worth more than one that refuses to start.
func (s *Settings) Prepare(t *store.Tx) error {
	s.store = t.Store()
	b := t.Bucket(bucket)
	if s.defaults.Webhooks.SigningKey == "" {
		s.defaults.Webhooks.SigningKey = madeKey(t, b)
	}
	d, faults := s.load(b)
	for _, f := range faults {
		s.log.Error("a stored setting cannot be used; it has its default", "key", f.Key, "problem", f.Problem)
	}
	v := s.effective(d)
	s.current.Store(&v)
	s.told = v
	return t.Err
}

// madeKey is the gateway's own signing key, made when it is first needed. It stays the same, so that
// receivers of webhooks need to learn it once.
func madeKey(t *store.Tx, b *bolt.Bucket) string {
	if kept := b.Get(keyMade); len(kept) == store.IDLen {
		return string(kept)
	}
	made := store.NewID()
	t.Put(b, keyMade, []byte(made))
	return made
}

// load reads what clients set, leaves out what is not fit to be used, and lists why.
func (s *Settings) load(b *bolt.Bucket) (document, []*Fault) {
	d, faults := decode(b.Get(keyDocument))
	// Rules that the configuration breaks by itself are its own to check.
	for f := check(s.effective(d)); f != nil && d.forget(interval...); f = check(s.effective(d)) {
		faults = append(faults, f)
	}
	return d, faults
}

// effective are the values of a document over the defaults.
func (s *Settings) effective(d document) Values {
	v := s.defaults
	d.apply(&v)
	return v
}

// Values are the settings in effect.
func (s *Settings) Values() Values { return *s.current.Load() }

// Public is the JSON object that clients see: every section with the settings in effect, without
// secrets and without those that are off.
func (s *Settings) Public() json.RawMessage { return public(s.Values()) }

// Patch changes what body, a JSON object, has; null takes a setting, or all of a section, back to the
// default. What is unknown is ignored, as SMSGate does. It returns after the commit, when everybody was
// told; an error that is a *Fault is the client's, and nothing was changed.
func (s *Settings) Patch(ctx context.Context, body json.RawMessage) error {
	return s.change(ctx, body, func(old, change document) document { return old.merge(change) })
}

// Replace is Patch, with everything that body does not have going back to its default.
func (s *Settings) Replace(ctx context.Context, body json.RawMessage) error {
	return s.change(ctx, body, func(_, change document) document { return document{}.merge(change) })
}

func (s *Settings) change(ctx context.Context, body json.RawMessage, merge func(old, change document) document) error {
	asked, err := parse(body)
	if err != nil {
		return err
	}
	// Whoever waits for the answer may rely on the new settings.
	defer s.tell()
	return s.store.Do(ctx, func(t *store.Tx) error {
		b := t.Bucket(bucket)
		// Not the mirror: changes of the same transaction are only here.
		old, _ := s.load(b)
		d := merge(old, asked)
		v := s.effective(d)
		if f := check(v); f != nil {
			return f
		}
		t.Put(b, keyDocument, d.encode())
		t.After(func() { s.changed(v) })
		return t.Err
	})
}

// changed notes a commit. The store's writer calls it, in the order of commits, and must not wait for
// listeners.
func (s *Settings) changed(v Values) {
	s.current.Store(&v)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news = append(s.news, v)
}

// tell passes on what is new. When it returns, all that was committed before has been told.
func (s *Settings) tell() {
	s.telling.Lock()
	defer s.telling.Unlock()
	for _, v := range s.take() {
		s.told = v
		for _, f := range s.listeners {
			f(v)
		}
	}
}

func (s *Settings) take() []Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.news
	s.news = nil
	return news
}

// OnChange has f called with the settings in effect, now and after every change that was stored: one
// call at a time, in the order of the commits. f must not change settings.
func (s *Settings) OnChange(f func(Values)) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.listeners = append(s.listeners, f)
	f(s.told)
}

// Fault is the client's fault in one setting.
type Fault struct {
	// Key is a section, or a section and a name such as messages.limit_value.
	Key string
	// Problem is a sentence of its own, SMSGate's where it has one. It never has a secret.
	Problem string
}

func (f *Fault) Error() string { return f.Key + ": " + f.Problem }
