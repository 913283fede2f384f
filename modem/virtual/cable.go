package virtual

import (
	"io"
	"sync"
)

// wireSize bounds what waits in one direction of a link, in octets. A dongle whose TE does not
// read loses what comes after that; a TE whose dongle does not read blocks, as by flow control.
const wireSize = 1 << 20

// wire is one direction of a serial link: octets in order, no more. It waits on a sync.Cond, so
// that a synctest bubble counts a waiting reader as durably blocked.
type wire struct {
	mu     sync.Mutex
	change sync.Cond // there are octets, there is room, or the end came
	buf    []byte
	off    int   // octets of buf already read
	end    error // why no more octets come; nil while open
}

func newWire() *wire {
	w := new(wire)
	w.change.L = &w.mu
	return w
}

// Read waits for octets. After close it returns what is left, then the reason.
func (w *wire) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.off == len(w.buf) && w.end == nil {
		w.change.Wait()
	}
	if w.off == len(w.buf) {
		return 0, w.end
	}
	n := copy(p, w.buf[w.off:])
	w.off += n
	if w.off == len(w.buf) {
		w.buf, w.off = w.buf[:0], 0
	}
	w.change.Broadcast()
	return n, nil
}

// Write puts all of p on the wire, waiting for room.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.buf)-w.off+len(p) > wireSize && w.off != len(w.buf) && w.end == nil {
		w.change.Wait()
	}
	if w.end != nil {
		return 0, w.end
	}
	w.add(p)
	return len(p), nil
}

// push puts p on the wire without ever waiting; it is lost when there is no room or no wire.
func (w *wire) push(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil && len(w.buf)-w.off+len(p) <= wireSize {
		w.add(p)
	}
}

func (w *wire) add(p []byte) {
	if w.off > 0 && len(w.buf)+len(p) > cap(w.buf) {
		w.buf = w.buf[:copy(w.buf, w.buf[w.off:])]
		w.off = 0
	}
	w.buf = append(w.buf, p...)
	w.change.Broadcast()
}

// close ends the wire for the reason given; the first one stands.
func (w *wire) close(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		w.end = reason
	}
	w.change.Broadcast()
}

// discard is close, and what is still on the wire is lost.
func (w *wire) discard(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf, w.off, w.end = nil, 0, reason
	w.change.Broadcast()
}

// drain copies the wire to dst until it is closed and empty, each time all there is in one Write.
// It returns the error of dst, or nil.
func (w *wire) drain(dst io.Writer) error {
	var batch []byte
	for {
		w.mu.Lock()
		for w.off == len(w.buf) && w.end == nil {
			w.change.Wait()
		}
		batch, w.buf = w.buf, batch[:0]
		from := w.off
		w.off = 0
		w.mu.Unlock()
		if len(batch) == from {
			return nil
		}
		if _, err := dst.Write(batch[from:]); err != nil {
			return err
		}
	}
}

// cable is the TE's end of an in-memory link.
type cable struct {
	session       *session
	toModem, toTE *wire
}

func (c *cable) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return c.toTE.Read(p)
}

func (c *cable) Write(p []byte) (int, error) { return c.toModem.Write(p) }

// Close closes the port. What was written before still reaches the dongle.
func (c *cable) Close() error {
	c.toModem.close(io.EOF)
	c.toTE.discard(io.ErrClosedPipe)
	c.session.portClosed()
	return nil
}
