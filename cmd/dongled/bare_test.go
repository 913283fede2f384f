package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/configs"
	"dongled/modem"
	"dongled/pdu"
)

// bareExchanges times AT+CMGS, prompt, PDU, answer over a pty, with nothing around it.
func bareExchanges(b *testing.B, parts int) time.Duration {
	var bench bench
	opener, err := bench.plug("bare", configs.DefaultBaud, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer bench.clear()
	port := openWhenThere(b, opener)
	defer func() { _ = port.Close() }()
	segs, err := pdu.Encode(pdu.Content{Text: "benchmark"}, pdu.Options{To: "+61491570156", Report: true})
	if err != nil {
		b.Fatal(err)
	}
	line := make([]byte, 4096)
	exchange := func(out, until string) {
		if _, err := io.WriteString(port, out); err != nil {
			b.Fatal(err)
		}
		var got []byte
		for !bytes.Contains(got, []byte(until)) {
			n, err := port.Read(line)
			if err != nil {
				b.Fatal(err)
			}
			got = append(got, line[:n]...)
		}
	}
	exchange("ATE0\r", "OK\r\n")
	exchange("AT+CMGF=0\r", "OK\r\n")
	exchange("AT+CNMI=2,1,0,1,0\r", "OK\r\n")
	start := time.Now()
	for range parts {
		exchange(fmt.Sprintf("AT+CMGS=%d\r", segs[0].Length()), "> ")
		exchange(segs[0].Hex()+"\x1a", "OK\r\n")
	}
	return time.Since(start)
}

func openWhenThere(b *testing.B, open modem.Opener) io.ReadWriteCloser {
	for {
		port, err := open(context.Background())
		if err == nil {
			return port
		}
		time.Sleep(time.Millisecond)
	}
}

// bareCommits times one durable bbolt transaction with one record a part, with the store's options.
func bareCommits(b *testing.B, parts int) time.Duration {
	db := bareStore(b)
	start := time.Now()
	for i := range parts {
		if err := db.Update(func(tx *bolt.Tx) error { return putRecord(tx, i) }); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

// bareGroupCommits times n records put by as many goroutines as there are clients, each waiting for
// the commit; one goroutine commits whatever waits.
func bareGroupCommits(b *testing.B, n, clients int) time.Duration {
	type put struct {
		i    int
		done chan error
	}
	db, puts := bareStore(b), make(chan put, clients)
	go func() {
		for p := range puts {
			batch := []put{p}
			for len(puts) > 0 {
				batch = append(batch, <-puts)
			}
			err := db.Update(func(tx *bolt.Tx) error {
				for _, p := range batch {
					if err := putRecord(tx, p.i); err != nil {
						return err
					}
				}
				return nil
			})
			for _, p := range batch {
				p.done <- err
			}
		}
	}()
	start := time.Now()
	var putting sync.WaitGroup
	for w := range clients {
		putting.Go(func() {
			for i := w; i < n; i += clients {
				p := put{i, make(chan error)}
				puts <- p
				if err := <-p.done; err != nil {
					b.Error(err)
				}
			}
		})
	}
	putting.Wait()
	close(puts)
	return time.Since(start)
}

var benchBucket = []byte("b")

// bareStore opens bbolt with the options of the queue.
func bareStore(b *testing.B) *bolt.DB {
	db, err := bolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, &bolt.Options{
		NoFreelistSync: true, FreelistType: bolt.FreelistMapType, InitialMmapSize: 64 << 20,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(benchBucket)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func putRecord(tx *bolt.Tx, i int) error {
	return tx.Bucket(benchBucket).Put(fmt.Appendf(nil, "%08d", i), bytes.Repeat([]byte{'x'}, 300))
}
