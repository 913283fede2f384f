package httpapi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Expiring is how long before its end a certificate is warned of.
const Expiring = 14 * 24 * time.Hour

// handshakePatience bounds a TLS handshake. Like a request, it is its connection's alone.
const handshakePatience = 10 * time.Second

// Certificate is a pair of PEM files, the certificate with its chain and its key, that may be read
// again while it is in use. Its methods may be called from any goroutine.
type Certificate struct {
	cert, key string
	current   atomic.Pointer[tls.Certificate]
}

// LoadCertificate reads a pair.
func LoadCertificate(cert, key string) (*Certificate, error) {
	c := &Certificate{cert: cert, key: key}
	return c, c.Reload()
}

// Reload reads the files again, for connections that begin from now on. After an error the pair from
// before stays in use.
func (c *Certificate) Reload() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.cert, c.key, err)
	}
	if pair.Leaf == nil { // GODEBUG=x509keypairleaf=0
		if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
			return fmt.Errorf("certificate %s: %w", c.cert, err)
		}
	}
	c.current.Store(&pair)
	return nil
}

// Expires is when the certificate in use ends.
func (c *Certificate) Expires() time.Time { return c.current.Load().Leaf.NotAfter }

// Exposed reports whether every user of this machine may read the key's file.
func (c *Certificate) Exposed() bool {
	info, err := os.Stat(c.key)
	return err == nil && info.Mode().Perm()&0o004 != 0
}

// listen puts TLS around the connections of ln.
func (c *Certificate) listen(ln net.Listener) net.Listener {
	return tlsListener{ln, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}}
}

// certificateCheck warns of a certificate that ends soon or has ended: clients that check it will
// say so themselves, and those that do not are served.
func certificateCheck(c *Certificate, now time.Time) healthCheck {
	left := c.Expires().Sub(now)
	check := healthCheck{"Days until the TLS certificate ends", "days", int(left.Hours() / 24), pass}
	switch {
	case left <= 0:
		check.Description, check.Status = "The TLS certificate has ended: put a new one in place, then reload", warn
	case left < Expiring:
		check.Description, check.Status = "The TLS certificate ends soon: put a new one in place, then reload", warn
	}
	return check
}

type tlsListener struct {
	net.Listener
	config *tls.Config
}

// Accept leaves the handshake to the connection's own goroutine.
func (l tlsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tlsConn{tls.Server(conn, l.config)}, nil
}

// tlsConn is a TLS connection as fasthttp serves it: fasthttp calls Handshake first.
type tlsConn struct{ *tls.Conn }

const httpsHere = `{"message":"this port speaks HTTPS: use a base URL that begins with https://"}`

// plainHTTP answers who speaks HTTP where HTTPS is spoken.
var plainHTTP = fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
	"Connection: close\r\n\r\n%s", len(httpsHere), httpsHere)

// farewell is how long such a client may take to hang up.
const farewell = time.Second

// Handshake bounds the handshake in time, and tells a client that speaks plain HTTP. fasthttp takes no
// note of its error: it meets it again when it reads.
func (c tlsConn) Handshake() error {
	if err := c.SetDeadline(time.Now().Add(handshakePatience)); err != nil {
		return err
	}
	err := c.Conn.Handshake()
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil && isHTTP(record.RecordHeader[:]) {
		turnAway(record.Conn)
	}
	if err != nil {
		return err
	}
	return c.SetDeadline(time.Time{}) // fasthttp sets its own for each request
}

// isHTTP says that the first five octets of a connection are those of a request.
func isHTTP(head []byte) bool {
	for _, method := range []string{"GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO"} {
		if strings.HasPrefix(method, string(head)) {
			return true
		}
	}
	return false
}

// turnAway answers a client that speaks plain HTTP. What else it sends is read, for TCP takes an answer
// back when a connection is closed over unread octets (RFC 1122 section 4.2.2.13).
func turnAway(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(farewell))
	if _, err := io.WriteString(conn, plainHTTP); err != nil {
		return // it is gone
	}
	if half, is := conn.(interface{ CloseWrite() error }); is {
		_ = half.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, conn, anonymousBody)
}
