package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// cost is what one derivation takes.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// current is the least that OWASP's Password Storage Cheat Sheet advises for argon2id. Raising it
// leaves older hashes valid, which carry their own.
var current = cost{memory: 19 << 10, passes: 2, threads: 1}

// dearest is the most that is believed of a stored hash: beyond it, it is damaged.
var dearest = cost{memory: 1 << 20, passes: 16, threads: 16}

const (
	saltSize = 16
	keySize  = 32
)

// derived is an argon2id hash, as the PHC string format writes it:
// $argon2id$v=19$m=19456,t=2,p=1$salt$hash.
type derived struct {
	cost
	salt, key []byte
}

var phc64 = base64.RawStdEncoding.Strict()

func (d derived) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, d.memory, d.passes, d.threads,
		phc64.EncodeToString(d.salt), phc64.EncodeToString(d.key))
}

var errHash = errors.New("not an argon2id hash in the PHC string format")

func parseHash(phc string) (d derived, err error) {
	fields := strings.Split(phc, "$")
	if len(fields) != 6 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return d, errHash
	}
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &d.memory, &d.passes, &d.threads); err != nil {
		return d, errHash
	}
	var errSalt, errKey error
	d.salt, errSalt = phc64.DecodeString(fields[4])
	d.key, errKey = phc64.DecodeString(fields[5])
	sound := d.passes >= 1 && d.threads >= 1 && d.memory >= 8*uint32(d.threads) &&
		d.memory <= dearest.memory && d.passes <= dearest.passes && d.threads <= dearest.threads &&
		len(d.salt) >= 8 && len(d.salt) <= 64 && len(d.key) >= 16 && len(d.key) <= 64
	// What it does not write back is not what was written: signs, spaces, leading zeros.
	if errSalt != nil || errKey != nil || !sound || d.String() != phc {
		return d, errHash
	}
	return d, nil
}

func (d derived) of(password string) []byte {
	return argon2.IDKey([]byte(password), d.salt, d.passes, d.memory, d.threads, uint32(len(d.key)))
}

// nobody is a hash of no known password.
func nobody() string {
	d := derived{cost: current, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	_, _ = rand.Read(d.salt) // never fails
	_, _ = rand.Read(d.key)
	return d.String()
}

const (
	// mostFailed wrong passwords of users may be derived in a row by all addresses together, and
	// then one every failedEvery: a /48 of addresses must not keep the processor busy.
	mostFailed  = 60
	failedEvery = 2 * time.Second
)

// kitchen is where passwords are derived, one at a time.
type kitchen struct {
	stove chan struct{}

	mu sync.Mutex
	// waiting stand in line.
	waiting int
	// whole is when the budget of failures will be whole again.
	whole time.Time
}

func newKitchen() *kitchen { return &kitchen{stove: make(chan struct{}, 1)} }

// hash derives a new hash.
func (k *kitchen) hash(ctx context.Context, password string) (string, error) {
	if err := k.enter(ctx); err != nil {
		return "", err
	}
	defer k.leave()
	d := derived{cost: current, salt: make([]byte, saltSize)}
	_, _ = rand.Read(d.salt) // never fails
	d.key = make([]byte, keySize)
	d.key = d.of(password)
	return d.String(), nil
}

// matches derives password as hash was, unless known has the answer by the time it is its turn.
func (k *kitchen) matches(ctx context.Context, hash, password string, known func() bool) (bool, error) {
	d, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	if err := k.enter(ctx); err != nil {
		return false, err
	}
	defer k.leave()
	if known() {
		return true, nil
	}
	if !k.affords() {
		return false, ErrBusy
	}
	right := subtle.ConstantTimeCompare(d.of(password), d.key) == 1
	if !right {
		k.pay()
	}
	return right, nil
}

func (k *kitchen) enter(ctx context.Context) error {
	k.mu.Lock()
	if k.waiting >= mostWaiting {
		k.mu.Unlock()
		return ErrBusy
	}
	k.waiting++
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.waiting--
		k.mu.Unlock()
	}()
	select {
	case k.stove <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ErrBusy
	}
}

func (k *kitchen) leave() { <-k.stove }

// affords reports whether another failure is within the budget.
func (k *kitchen) affords() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Until(k.whole) <= (mostFailed-1)*failedEvery
}

func (k *kitchen) pay() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); k.whole.Before(now) {
		k.whole = now
	}
	k.whole = k.whole.Add(failedEvery)
}
