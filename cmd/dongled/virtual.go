package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"dongled/configs"
	"dongled/modem"
	"dongled/modem/virtual"
)

// virtualPort begins the port of a built-in virtual dongle.
const virtualPort = "virtual:"

// bench is where the virtual dongles are plugged in. Its zero value is empty.
type bench struct {
	dongles []*virtual.Dongle
	serving sync.WaitGroup
}

// plug puts the built-in dongle of that name on a pseudo-terminal of its own and returns how to open
// it, as any other serial port.
func (b *bench) plug(name string, baud int, adjust func(*virtual.Options), log *slog.Logger) (modem.Opener, error) {
	opts, ok := virtual.Builtin(name)
	if !ok {
		return nil, fmt.Errorf("no virtual dongle can be called %q", name)
	}
	if adjust != nil {
		adjust(&opts)
	}
	d := virtual.New(opts)
	b.dongles = append(b.dongles, d)
	var path atomic.Value
	b.serving.Go(func() {
		err := d.ServePTY(context.Background(), "", func(p string) { path.Store(p) })
		if !errors.Is(err, virtual.ErrClosed) {
			log.Error("the virtual dongle fell off", "err", err)
		}
	})
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		p, ok := path.Load().(string)
		if !ok {
			return nil, fs.ErrNotExist // not enumerated yet
		}
		return modem.Serial(p, baud)(ctx)
	}, nil
}

// opener plugs in the dongle of a virtual port and returns how to open it; nil for a port elsewhere.
func (b *bench) opener(m configs.Modem, adjust func(*virtual.Options), log *slog.Logger) (modem.Opener, error) {
	name, ok := strings.CutPrefix(m.Port, virtualPort)
	if !ok {
		return nil, nil
	}
	return b.plug(name, m.Baud, adjust, log)
}

// clear unplugs all.
func (b *bench) clear() {
	for _, d := range b.dongles {
		_ = d.Close() // it has nothing to lose
	}
	b.serving.Wait()
}
