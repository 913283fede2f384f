package virtual_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"dongled/modem/virtual"
)

// BenchmarkCMGS is a bare AT loop of +CMGS with a status report on a zero-latency dongle: what is
// left of a part's time when nobody but the modem works.
func BenchmarkCMGS(b *testing.B) {
	b.Run("cable", func(b *testing.B) {
		d := virtual.New(virtual.Options{})
		port, err := d.Open(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		benchmarkCMGS(b, port)
		_ = d.Close()
	})
	b.Run("stream", func(b *testing.B) {
		d := virtual.New(virtual.Options{})
		te, dongle := net.Pipe()
		end := make(chan error, 1)
		go func() { end <- d.Serve(b.Context(), dongle) }()
		benchmarkCMGS(b, te)
		_ = te.Close()
		<-end
	})
}

func benchmarkCMGS(b *testing.B, port io.ReadWriter) {
	buf := make([]byte, 0, 4096)
	exchange := func(say, until string) {
		if _, err := io.WriteString(port, say); err != nil {
			b.Fatal(err)
		}
		for buf = buf[:0]; !bytes.Contains(buf, []byte(until)); {
			n, err := port.Read(buf[len(buf):cap(buf)])
			if err != nil {
				b.Fatal(err)
			}
			buf = buf[:len(buf)+n]
		}
	}
	exchange("ATE0+CNMI=2,1,0,1,0\r", ok)
	b.ReportAllocs()
	for b.Loop() {
		exchange("AT+CMGS=19\r", prompt)
		exchange(helloReport+ctrlZ, "00\r\n") // the end of the +CDS
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "CMGS/s")
}

func BenchmarkSubmissions(b *testing.B) {
	const stored = 100_000
	taken, all := 0, make(chan struct{})
	d := virtual.New(virtual.Options{OnSubmit: func(virtual.Submission) {
		if taken++; taken == stored {
			close(all)
		}
	}})
	port, err := d.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, port) }()
	for range stored {
		if _, err := io.WriteString(port, "AT+CMGS=19\r"+hello+ctrlZ); err != nil {
			b.Fatal(err)
		}
	}
	<-all
	b.ReportAllocs()
	for b.Loop() {
		d.Submissions()
	}
	_ = d.Close()
}
