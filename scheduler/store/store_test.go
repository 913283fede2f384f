package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

func TestOpenPrepares(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.ok(f.put("kept"))
		f.ok(f.Close())
		var order []string
		f.one.prepare = func(tx *store.Tx) error {
			order = append(order, "one")
			if tx.Bucket(f.two.bucket) == nil || tx.Store() == nil || tx.Now != time.Now().UnixMilli() {
				t.Errorf("transaction %+v", tx)
			}
			f.one.put(tx, "prepared")
			return nil
		}
		f.two.prepare = func(*store.Tx) error { order = append(order, "two"); return nil }
		f.start()
		equal(t, "order", order, []string{"one", "two"})
		f.want("kept", "prepared")
	})
}

// TestOpenRefused: a room that cannot use what is there keeps the store closed, and as it was.
func TestOpenRefused(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.ok(f.Close())
		f.one.prepare = func(t *store.Tx) error { f.one.put(t, "prepared"); return nil }
		f.two.prepare = func(*store.Tx) error { return errSpoilt }
		if s, err := store.Open(f.path, store.Options{}, f.one, f.two); err == nil {
			t.Error("opened", s.Close())
		} else if wantErr(t, err, errSpoilt); !strings.Contains(err.Error(), f.path) {
			t.Errorf("error %q does not name the file", err)
		}
		f.one.prepare, f.two.prepare = nil, nil
		f.start()
		f.wantNot("prepared")
		f.ok(f.Close())
		f.one.prepare = func(t *store.Tx) error { t.Fail(errSpoilt); return nil }
		_, err := store.Open(f.path, store.Options{}, f.one)
		wantErr(t, err, errSpoilt)
		f.one.prepare = nil
		f.start()
	})
}

func TestOpenTwice(t *testing.T) {
	bubble(t, func(f *fixture) {
		s, err := store.Open(f.path, store.Options{})
		if err == nil {
			t.Fatal("a second process may open the store", s.Close())
		}
		if !strings.Contains(err.Error(), "in use by another process") {
			t.Errorf("error %q", err)
		}
	})
}

func TestOpenNonsense(t *testing.T) {
	if _, err := store.Open(filepath.Join(t.TempDir(), "no", "such", "folder"), store.Options{}); err == nil {
		t.Error("opened a store in a folder that does not exist")
	}
	path := filepath.Join(t.TempDir(), "s.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a store ", 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(path, store.Options{}); err == nil {
		t.Error("opened a file that is no store")
	}
}

func TestTwoRoomsOfAKind(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two rooms own a kind of timer")
		}
	}()
	a, b := &room{bucket: []byte("a"), kinds: []byte{7}}, &room{bucket: []byte("b"), kinds: []byte{7}}
	_, _ = store.Open(filepath.Join(t.TempDir(), "s.db"), store.Options{}, a, b)
}

// TestCrash copies the file, not a transaction of it, while many write: a copy made between two
// commits is what a kill leaves. Everything answered by then is in it, of both rooms or of none.
func TestCrash(t *testing.T) {
	one, two := &room{bucket: []byte("one")}, &room{bucket: []byte("two")}
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := store.Open(path, store.Options{}, one, two)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var answered []string
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				key := fmt.Sprintf("%d-%d", w, i)
				if err := s.Do(ctx, func(t *store.Tx) error { one.put(t, key); two.put(t, key); return nil }); err != nil {
					t.Error(err)
				}
				mu.Lock()
				answered = append(answered, key)
				mu.Unlock()
			}
		})
	}
	type left struct {
		path string
		keys []string
	}
	var copies []left
	for i := range 6 {
		mu.Lock()
		keys := answered[:len(answered):len(answered)]
		mu.Unlock()
		to := filepath.Join(t.TempDir(), fmt.Sprint(i))
		// In the writer's hands nothing of a later commit is on its way to the file.
		if err := s.Do(ctx, func(*store.Tx) error {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(to, raw, 0o600)
		}); err != nil {
			t.Error(err)
		}
		copies = append(copies, left{to, keys})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range append(copies, left{path, answered}) {
		checkCopy(t, c.path, c.keys, one, two)
	}
}

func checkCopy(t *testing.T, path string, keys []string, one, two *room) {
	t.Helper()
	s, err := store.Open(path, store.Options{}, one, two)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, key := range keys {
		if !one.has(t, s, key) {
			t.Errorf("%s was answered and is not stored", key)
		}
	}
	if err := s.View(func(btx *bolt.Tx) error {
		for err := range btx.Check() {
			t.Errorf("bbolt: %v", err)
		}
		return btx.Bucket(one.bucket).ForEach(func(k, _ []byte) error {
			if btx.Bucket(two.bucket).Get(k) == nil {
				t.Errorf("%s is stored in one room alone", k)
			}
			return nil
		})
	}); err != nil {
		t.Error(err)
	}
}
