package links

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// maxConns is how many connections there are at once; more wait for the system to hand them over. With
	// the API's it stays below what the dongles' select(2) can do.
	maxConns = 256
	// maxHeader bounds a request's head; net/http adds 4 KiB of its own.
	maxHeader = 4 << 10
	// requestTimeout is for a whole request to come in, and for an answer to leave.
	requestTimeout = 5 * time.Second
	idleTimeout    = 15 * time.Second
	stopTimeout    = 3 * time.Second
)

// Serve leads to targets on ln until ctx ends, and closes it. When it returns, what was counted is
// stored; the store must be open until then.
func (l *Links) Serve(ctx context.Context, ln net.Listener) error {
	server := &http.Server{
		Handler: l.handler(), ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, DisableGeneralOptionsHandler: true,
		ErrorLog: log.New(io.Discard, "", 0), // it names addresses
	}
	counting, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { l.flushing(counting) })
	served := make(chan error, 1)
	go func() { served <- server.Serve(netutil.LimitListener(ln, maxConns)) }()

	var err error
	select {
	case err = <-served:
		l.opts.Log.Error("short links lead nowhere any more", "err", err)
		_ = server.Close()
	case <-ctx.Done():
		err = shutdown(server)
		<-served
	}
	stop() // after the last answer
	running.Wait()
	if err != nil {
		return fmt.Errorf("short links on %s: %w", ln.Addr(), err)
	}
	return nil
}

// shutdown lets answers leave; who is too slow is cut off.
func shutdown(server *http.Server) error {
	grace, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	return err
}
