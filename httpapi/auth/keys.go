package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dongled/scheduler/store"
)

// KeyInfo is an API key as far as it is shown.
type KeyInfo struct {
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
}

var (
	// ErrKeyExists says that the name is taken.
	ErrKeyExists = errors.New("there is a key of that name already")
	// ErrNoKey says that no key has that name.
	ErrNoKey = errors.New("there is no key of that name")
)

const (
	// keyPrefix begins the keys that are made here, so that people and scanners for secrets know them.
	keyPrefix = "dk_"
	// madeKey is how many characters of 5 bits follow: 160 bits.
	madeKey = 32
	// minKey and maxKey bound those that clients bring, in characters.
	minKey = 16
	maxKey = 200
)

// apiKey is a key's record.
type apiKey struct {
	// SHA256 is that of the key, in hexadecimal.
	SHA256  string    `json:"sha256"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
}

func (k apiKey) identity(name string) Identity {
	return Identity{User: "key:" + name, Scopes: k.Scopes, key: true}
}

// AddKey stores a key, one that it makes unless it is given one, and returns it; it cannot be shown again.
// The error is a *Fault if name, key or scopes are wrong, and ErrKeyExists for a name that is taken, unless
// replace is set: then the key that was there ends.
func (a *Auth) AddKey(ctx context.Context, name, key string, scopes []string, replace bool) (shown string, err error) {
	if key == "" {
		key = keyPrefix + strings.ToLower(rand.Text() + rand.Text())[:madeKey]
	}
	if err := checkKey(name, key, scopes); err != nil {
		return "", err
	}
	record := apiKey{SHA256: hashKey(key), Scopes: slices.Compact(slices.Sorted(slices.Values(scopes)))}
	err = a.store.Do(ctx, func(t *store.Tx) error {
		b := t.Bucket(bucketKeys)
		if b.Get([]byte(name)) != nil && !replace {
			return ErrKeyExists
		}
		if other := takenKey(t, record.SHA256); other != "" && other != name {
			return &Fault{"key", "is the one of " + other + " already"}
		}
		record.Created = time.UnixMilli(t.Now).UTC()
		if old, sound := read[apiKey](b, name); sound {
			record.Created = old.Created
		}
		write(t, b, name, record)
		t.After(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.keepKey(name, record)
		})
		return nil
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

func checkKey(name, key string, scopes []string) error {
	odd := func(r rune) bool { return r < '!' || r > '~' }
	switch {
	case !validName(name):
		return &Fault{"name", nameRule}
	case len(key) < minKey, len(key) > maxKey, strings.ContainsFunc(key, odd):
		return &Fault{"key", fmt.Sprintf("must be %d to %d characters of visible ASCII, without spaces", minKey, maxKey)}
	case slices.Contains(scopes, tokensManage):
		return &Fault{"scopes", "a key cannot have " + tokensManage + ": tokens would outlive it"}
	}
	return checkScopes(scopes)
}

// RemoveKey ends a key, or returns ErrNoKey.
func (a *Auth) RemoveKey(ctx context.Context, name string) error {
	return a.store.Do(ctx, func(t *store.Tx) error {
		b := t.Bucket(bucketKeys)
		if b.Get([]byte(name)) == nil {
			return ErrNoKey
		}
		t.Del(b, []byte(name))
		t.After(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.dropKey(name)
		})
		return nil
	})
}

// Keys are all there are, by name.
func (a *Auth) Keys() []KeyInfo {
	a.mu.Lock()
	defer a.mu.Unlock()
	keys := make([]KeyInfo, 0, len(a.keys))
	for _, name := range slices.Sorted(maps.Keys(a.keys)) {
		record := a.keys[name]
		keys = append(keys, KeyInfo{name, slices.Clone(record.Scopes), record.Created})
	}
	return keys
}

// Key judges an API key that came from a network address; the errors are those of Authenticate.
func (a *Auth) Key(ctx context.Context, key, addr string) (Identity, error) {
	if key == "" {
		return Identity{}, ErrUnauthorized // nothing was guessed
	}
	id, right, err := a.judgeKey(ctx, key, addr)
	if right || err != nil {
		return id, err
	}
	return Identity{}, a.wrong(ctx, addr)
}

// judgeKey says whose key it is, if anybody's. One that a client brought may be one that people think of:
// where an address has to wait it waits too, or guessing would be as fast as asking. What was shown from
// there before passes.
func (a *Auth) judgeKey(ctx context.Context, key, addr string) (id Identity, right bool, err error) {
	id, right = a.keyHolder(key)
	t := try{seen: a.digests.of("seen key", network(addr), key)}
	if !right || made(key) || a.sawBefore(t) {
		return id, right, nil
	}
	if _, err := a.gate.enter(ctx, addr, func() bool { return true }); err != nil {
		return Identity{}, false, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen.put(t.seen, struct{}{})
	return id, true, nil
}

// made reports whether a key may be one of those that are made here.
func made(key string) bool {
	return len(key) == len(keyPrefix)+madeKey && strings.HasPrefix(key, keyPrefix)
}

// keyHolder is who has a key.
func (a *Auth) keyHolder(key string) (id Identity, right bool) {
	sum := a.digests.of("key", hashKey(key))
	a.mu.Lock()
	defer a.mu.Unlock()
	name, right := a.keyNames[sum]
	return a.keys[name].identity(name), right
}

// takenKey is the name of the key with that hash, "" for none.
func takenKey(t *store.Tx, hash string) (name string) {
	b := t.Bucket(bucketKeys)
	t.Fail(b.ForEach(func(k, _ []byte) error {
		if record, sound := read[apiKey](b, string(k)); sound && record.SHA256 == hash {
			name = string(k)
		}
		return nil
	}))
	return name
}

// keepKey has the world see a key in place of the one of its name. a.mu is held.
func (a *Auth) keepKey(name string, record apiKey) {
	a.dropKey(name)
	a.keys[name] = record
	a.keyNames[a.digests.of("key", record.SHA256)] = name
}

// dropKey is without effect on a name that no key has. a.mu is held.
func (a *Auth) dropKey(name string) {
	delete(a.keyNames, a.digests.of("key", a.keys[name].SHA256))
	delete(a.keys, name)
}

func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
