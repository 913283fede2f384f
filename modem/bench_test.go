package modem_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"

	"github.com/warthog618/modem/at"
)

// BenchmarkSubmit is one AT+CMGS through a Worker, beside the same by package at alone, both on
// an in-memory dongle that answers at once. The difference is what filter and session cost.
func BenchmarkSubmit(b *testing.B) {
	seg := segment(b, "The quick brown fox jumps over the lazy dog, again and again and again.")
	b.Run("worker", func(b *testing.B) {
		dongle := virtual.New(virtual.Options{})
		defer dongle.Close()
		ctx, cancel := context.WithCancel(b.Context())
		w := modem.New(modem.Config{SIM: 1, Open: dongle.Open, Sink: &sink{}})
		ended := make(chan struct{})
		go func() { defer close(ended); _ = w.Run(ctx) }()
		for !w.Status().Ready() {
			time.Sleep(time.Millisecond)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.Submit(ctx, seg, true, nil); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		cancel()
		<-ended
	})
	b.Run("at", func(b *testing.B) {
		dongle := virtual.New(virtual.Options{})
		defer dongle.Close()
		port, err := dongle.Open(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		bare := at.New(port, at.WithTimeout(5*time.Second))
		if err := bare.Init(at.WithCmds("E0", "+CMGF=0")); err != nil {
			b.Fatal(err)
		}
		cmd, hex := "+CMGS="+strconv.Itoa(seg.Length()), seg.Hex()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bare.SMSCommand(cmd, hex); err != nil {
				b.Fatal(err)
			}
		}
		port.Close()
		<-bare.Closed()
	})
}
