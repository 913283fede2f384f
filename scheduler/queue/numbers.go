package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

var prefixNumber = []byte("number/")

func numberOf(sim int) []byte { return append(slices.Clone(prefixNumber), byte(sim)) }

// maxSIM is the highest simNumber.
const maxSIM = 255

// Number returns the simNumber that belongs to any of keys, the first known one deciding, or else the
// lowest that belongs to none and is not in taken. From then on it belongs to these keys.
//
// The keys are what a SIM and its dongle are known by, the one to follow first: such as the IMSI, then
// the IMEI. Keys that the number belonged to before are forgotten where others came instead: the card
// or the dongle was exchanged.
func (q *Queue) Number(ctx context.Context, taken []int, keys ...string) (n int, err error) {
	if len(keys) == 0 {
		return 0, errors.New("a SIM without any identity can have no number")
	}
	err = q.do(ctx, func(t *tx) error {
		known, err := t.numbers()
		if err != nil {
			return err
		}
		if n = find(known, taken, keys); n == 0 {
			return fmt.Errorf("all numbers up to %d belong to SIMs known from before", maxSIM)
		}
		t.own(known, n, keys)
		return t.Err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Numbered reports whether Number gave n away, and to whom it belongs is still remembered.
func (q *Queue) Numbered(n int) (is bool, err error) {
	err = q.view(func(btx *bolt.Tx) error {
		is = 1 <= n && n <= maxSIM && btx.Bucket(bucketMeta).Get(numberOf(n)) != nil
		return nil
	})
	return is, err
}

func (t *tx) numbers() (map[int][]string, error) {
	known := map[int][]string{}
	c := t.meta.Cursor()
	for k, v := c.Seek(prefixNumber); hasPrefix(k, prefixNumber); k, v = c.Next() {
		var keys []string
		if err := json.Unmarshal(v, &keys); err != nil {
			return nil, fmt.Errorf("number %d: %w", k[len(prefixNumber)], errDamaged)
		}
		known[int(k[len(prefixNumber)])] = keys
	}
	return known, nil
}

func find(known map[int][]string, taken []int, keys []string) int {
	for _, key := range keys {
		for n, theirs := range known {
			if slices.Contains(theirs, key) && !slices.Contains(taken, n) {
				return n
			}
		}
	}
	for n := 1; n <= maxSIM; n++ {
		if known[n] == nil && !slices.Contains(taken, n) {
			return n
		}
	}
	return 0
}

// own has number n belong to keys, and to none else where there are new ones among them.
func (t *tx) own(known map[int][]string, n int, keys []string) {
	strange := func(key string) bool { return !slices.Contains(known[n], key) }
	if !slices.ContainsFunc(keys, strange) {
		return
	}
	for other, theirs := range known {
		kept := slices.DeleteFunc(slices.Clone(theirs), func(key string) bool { return slices.Contains(keys, key) })
		switch {
		case other == n || len(kept) == len(theirs):
		case len(kept) == 0:
			t.del(t.meta, numberOf(other))
		default:
			t.put(t.meta, numberOf(other), mustJSON(kept))
		}
	}
	t.put(t.meta, numberOf(n), mustJSON(keys))
}
