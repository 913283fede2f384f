package httpapi

import (
	"crypto/tls"
	"net"
	"sync"
)

// spares are the connections on which nothing came yet. HTTP clients keep such for later, Go's own
// among them; fasthttp takes them for requests in progress, for which it would wait at the end.
type spares struct {
	mu    sync.Mutex
	conns map[*spareConn]struct{}
	ended bool
}

// listen returns ln with what it accepts noted.
func (s *spares) listen(ln net.Listener) net.Listener {
	s.conns = map[*spareConn]struct{}{}
	return spareListener{ln, s}
}

// end closes those there are, and from now on every new one.
func (s *spares) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for c := range s.conns {
		_ = c.Conn.Close()
	}
	clear(s.conns)
}

// use notes that something came on c; false says that it was closed before.
func (s *spares) use(c *spareConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, c.used = s.conns[c]
	delete(s.conns, c)
	return c.used
}

type spareListener struct {
	net.Listener
	*spares
}

func (l spareListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &spareConn{Conn: conn, all: l.spares}
	l.note(c)
	if secure, is := conn.(tlsConn); is {
		return spareTLSConn{c, secure}, nil
	}
	return c, nil
}

// note takes a new connection in, or closes it: its first Read says so.
func (s *spares) note(c *spareConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		_ = c.Conn.Close()
		return
	}
	s.conns[c] = struct{}{}
}

// spareConn is a connection that may be a spare one. One goroutine reads it.
type spareConn struct {
	net.Conn
	all  *spares
	used bool
}

// Read hands nothing over of a connection that was closed as a spare: the request would be carried out,
// and its answer lost.
func (c *spareConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.used && !c.all.use(c) {
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *spareConn) Close() error {
	c.all.mu.Lock()
	delete(c.all.conns, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// spareTLSConn has what fasthttp wants of a connection over TLS.
type spareTLSConn struct {
	*spareConn
	secure tlsConn
}

func (c spareTLSConn) Handshake() error { return c.secure.Handshake() }

func (c spareTLSConn) ConnectionState() tls.ConnectionState { return c.secure.ConnectionState() }
