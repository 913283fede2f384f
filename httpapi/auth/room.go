package auth

import (
	"encoding/json"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

var (
	bucketAccounts = []byte("accounts")
	bucketTokens   = []byte("tokens")
	bucketKeys     = []byte("keys")
	bucketAuth     = []byte("auth")

	keySecret  = []byte("secret")
	keyPrimary = []byte("primary")
)

// kindExpired is the timer upon which a family is deleted; its rest is the family's key.
const kindExpired byte = 40

// account is a user's record.
type account struct {
	Hash    string    `json:"hash"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
}

func (a account) identity(name string) Identity {
	return Identity{User: name, Scopes: a.Scopes, hash: a.Hash}
}

// family is what POST /auth/token began.
type family struct {
	User string `json:"user"`
	// Primary says that the user is the account of the configuration.
	Primary bool     `json:"primary,omitempty"`
	Scopes  []string `json:"scopes"`
	// TTL is how long each access token lives.
	TTL time.Duration `json:"ttl"`
	// Generation is that of the valid pair, from 1.
	Generation int `json:"generation"`
	// Replayed says that the family ended because a used refresh token was shown.
	Replayed bool `json:"replayed,omitempty"`
	// Until is when the last refresh token ends, in ms since 1970.
	Until int64 `json:"until"`
}

// owner is a user as the holder of tokens: one of the name of the primary account is another.
type owner struct {
	user    string
	primary bool
}

func (f family) owner() owner { return owner{f.User, f.Primary} }

// Buckets implements store.Room.
func (*Auth) Buckets() [][]byte {
	return [][]byte{bucketAccounts, bucketTokens, bucketKeys, bucketAuth}
}

// Kinds implements store.Room.
func (*Auth) Kinds() []byte { return []byte{kindExpired} }

// Prepare implements store.Room.
func (a *Auth) Prepare(t *store.Tx) error {
	a.store = t.Store()
	load(a, t, bucketAccounts, a.accounts)
	load(a, t, bucketTokens, a.families)
	load(a, t, bucketKeys, a.keys)
	for name, key := range a.keys {
		a.keyNames[a.digests.of("key", key.SHA256)] = name
	}
	for _, f := range a.families {
		a.given[f.owner()]++
	}
	b := t.Bucket(bucketAuth)
	secret := string(b.Get(keySecret))
	if len(secret) != secretSize {
		if secret != "" {
			a.opts.Log.Error("the secret of tokens is damaged; with a new one, all tokens are invalid")
		}
		secret = newSecret()
		t.Put(b, keySecret, []byte(secret))
	}
	a.secret = []byte(secret)
	return nil
}

// load fills m; what is damaged is nobody's.
func load[T any](a *Auth, t *store.Tx, bucket []byte, m map[string]T) {
	t.Fail(t.Bucket(bucket).ForEach(func(k, v []byte) error {
		var record T
		if err := json.Unmarshal(v, &record); err != nil {
			a.opts.Log.Error("a damaged record is skipped", "bucket", string(bucket), "err", err)
			return nil
		}
		m[string(k)] = record
		return nil
	}))
}

// Due implements store.Room.
func (a *Auth) Due(t *store.Tx, _ byte, key []byte) {
	b := t.Bucket(bucketTokens)
	if f, found := read[family](b, string(key)); found && f.Until <= t.Now {
		a.dropFamily(t, string(key), f)
	}
}

func read[T any](b *bolt.Bucket, key string) (record T, found bool) {
	err := json.Unmarshal(b.Get([]byte(key)), &record) // also for nil
	return record, err == nil
}

func write(t *store.Tx, b *bolt.Bucket, key string, record any) {
	v, err := json.Marshal(record)
	t.Fail(err)
	t.Put(b, []byte(key), v)
}

// putFamily stores f and has the world see it after the commit. old is what was there.
func (a *Auth) putFamily(t *store.Tx, key string, old, f family) {
	if old.Until != f.Until {
		t.Cancel(old.Until, kindExpired, []byte(key))
		t.At(f.Until, kindExpired, []byte(key))
	}
	write(t, t.Bucket(bucketTokens), key, f)
	t.After(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if _, there := a.families[key]; !there {
			a.given[f.owner()]++
		}
		a.families[key] = f
	})
}

func (a *Auth) dropFamily(t *store.Tx, key string, f family) {
	t.Cancel(f.Until, kindExpired, []byte(key))
	t.Del(t.Bucket(bucketTokens), []byte(key))
	t.After(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if _, there := a.families[key]; there {
			delete(a.families, key)
			a.given[f.owner()]--
		}
	})
}

// dropFamilies drops those that doomed says.
func (a *Auth) dropFamilies(t *store.Tx, doomed func(family) bool) {
	all := map[string]family{}
	b := t.Bucket(bucketTokens)
	t.Fail(b.ForEach(func(k, _ []byte) error {
		if f, found := read[family](b, string(k)); found && doomed(f) {
			all[string(k)] = f
		}
		return nil
	}))
	for key, f := range all {
		a.dropFamily(t, key, f)
	}
}
