package queue

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The traps below are those of bbolt v1.5.0; what it does is said at the test.

// A read transaction that stays open stops all writers as soon as the file outgrows its map, which by
// default is at 128 KiB; without the map they go on.
func TestTrapReaderStallsWriters(t *testing.T) {
	f := newFixture(t, Options{})
	reading, done, wrote := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_ = f.view(func(*bolt.Tx) error {
			close(reading)
			<-done
			return nil
		})
	}()
	defer close(done)
	<-reading
	const size = 100 << 10
	go func() {
		for i := range 40 {
			s := Submission{ID: fmt.Sprint(i), Recipients: []string{alice}, Content: Content{Text: string(make([]byte, size))}}
			if _, err := f.Enqueue(ctx, s, 1); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	select {
	case err := <-wrote:
		f.ok(err)
	case <-time.After(time.Minute):
		t.Fatal("the writer waits for a reader")
	}
	if info, err := os.Stat(f.path); err != nil || info.Size() < 40*size {
		t.Errorf("the file did not grow: %v, %v", info, err)
	}
}

// What a bucket gives is a view of the map, and holds other data once its page is used again.
func TestTrapSlicesOutliveTheirTransaction(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		data := bytes.Repeat([]byte("kept"), 30)
		if _, err := f.Enqueue(ctx, Submission{ID: "m", Recipients: []string{alice}, Content: Content{Data: data, Port: 1}}, 1); err != nil {
			t.Fatal(err)
		}
		m := f.get("m")
		page, _, err := f.List(ctx, Filter{Limit: 1})
		f.ok(err)
		var from uint64
		_, err = f.Cancel(ctx, "m")
		f.ok(err)
		_, _, err = f.Retire(ctx, time.Now().Add(time.Hour), &from, 10)
		f.ok(err)
		for i := range 50 {
			f.puts(fmt.Sprint("another ", i))
		}
		for _, got := range []Message{m, page[0]} {
			if got.ID != "m" || !bytes.Equal(got.Content.Data, data) || got.Recipients[0].Number != alice {
				t.Errorf("the message became %+v", got)
			}
		}
	})
}
