package httpapi_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dongled/httpapi"
)

// pair is a certificate on disk.
type pair struct {
	dir, cert, key string
	serial         int64
}

func newPair(t *testing.T) *pair {
	t.Helper()
	dir := t.TempDir()
	return &pair{dir: dir, cert: filepath.Join(dir, "c.pem"), key: filepath.Join(dir, "k.pem")}
}

// write makes a pair for 127.0.0.1 that ends after left, with the next serial number.
func (p *pair) write(t *testing.T, left time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(p.serial), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-90 * 24 * time.Hour), NotAfter: time.Now().Add(left),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p.put(t, p.cert, "CERTIFICATE", der)
	p.put(t, p.key, "PRIVATE KEY", secret)
}

func (p *pair) put(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *pair) load(t *testing.T) *httpapi.Certificate {
	t.Helper()
	c, err := httpapi.LoadCertificate(p.cert, p.key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// secured is a server that speaks HTTPS, by its address.
func secured(t *testing.T, c *httpapi.Certificate, edits ...func(*httpapi.Options)) string {
	t.Helper()
	s := start(t, append(edits, func(o *httpapi.Options) { o.Certificate = c })...)
	return strings.TrimPrefix(s.url, "http://")
}

// trusting is a client that trusts the certificate on disk alone.
func (p *pair) trusting(t *testing.T) *tls.Config {
	t.Helper()
	raw, err := os.ReadFile(p.cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(raw)
	return &tls.Config{RootCAs: roots}
}

// getOver sends a request on a connection and returns the answer.
func getOver(t *testing.T, conn net.Conn, path string) (status int, body string) {
	t.Helper()
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func dialTLS(t *testing.T, address string, config *tls.Config) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

const year = 365 * 24 * time.Hour

// A pair that is read again is what new connections get; those that are open go on.
func TestCertificateReload(t *testing.T) {
	p := newPair(t)
	p.write(t, year)
	c := p.load(t)
	address, first := secured(t, c), p.trusting(t)
	old := dialTLS(t, address, first)
	if status, _ := getOver(t, old, "/health/live"); status != 200 {
		t.Errorf("status %d", status)
	}
	if v := old.ConnectionState(); v.Version != tls.VersionTLS13 || v.PeerCertificates[0].SerialNumber.Int64() != 1 {
		t.Errorf("%x, serial %s", v.Version, v.PeerCertificates[0].SerialNumber)
	}

	p.write(t, year)
	if v := dialTLS(t, address, first); v.ConnectionState().PeerCertificates[0].SerialNumber.Int64() != 1 {
		t.Error("a file that was not read is in use")
	}
	if err := c.Reload(); err != nil {
		t.Fatal(err)
	}
	if v := dialTLS(t, address, p.trusting(t)); v.ConnectionState().PeerCertificates[0].SerialNumber.Int64() != 2 {
		t.Error("the new pair is not in use")
	}
	if status, _ := getOver(t, old, "/health/live"); status != 200 {
		t.Errorf("on the old connection: status %d", status)
	}

	// A bad pair changes nothing, and the error names the files.
	if err := os.WriteFile(p.key, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Reload(); err == nil || !strings.Contains(err.Error(), p.cert) || !strings.Contains(err.Error(), p.key) {
		t.Errorf("error %v", err)
	}
	if status, _ := getOver(t, dialTLS(t, address, p.trusting(t)), "/health/live"); status != 200 {
		t.Errorf("after a bad pair: status %d", status)
	}
}

func TestKeyThatEverybodyMayRead(t *testing.T) {
	p := newPair(t)
	p.write(t, time.Hour)
	c := p.load(t)
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true, 0o666: true, 0o400: false} {
		if err := os.Chmod(p.key, mode); err != nil {
			t.Fatal(err)
		}
		if got := c.Exposed(); got != want {
			t.Errorf("mode %v: %t", mode, got)
		}
	}
	if err := os.Remove(p.key); err != nil {
		t.Fatal(err)
	}
	if c.Exposed() {
		t.Error("a key that is not there")
	}
}

func TestBadPairs(t *testing.T) {
	good, other := newPair(t), newPair(t)
	good.write(t, year)
	other.write(t, year)
	for name, files := range map[string][2]string{
		"no certificate":    {good.dir + "/none", good.key},
		"no key":            {good.cert, good.dir + "/none"},
		"another key":       {good.cert, other.key},
		"the wrong way":     {good.key, good.cert},
		"key as both":       {good.key, good.key},
		"a directory":       {good.dir, good.key},
		"certificate twice": {good.cert, good.cert},
	} {
		if _, err := httpapi.LoadCertificate(files[0], files[1]); err == nil || !strings.Contains(err.Error(), files[0]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTLSVersions(t *testing.T) {
	p := newPair(t)
	p.write(t, year)
	address := secured(t, p.load(t))
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		config := p.trusting(t)
		config.MinVersion, config.MaxVersion = version, version
		conn, err := tls.Dial("tcp", address, config)
		if (err == nil) != want {
			t.Errorf("%x: %v", version, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	// A client that offers HTTP/2 gets HTTP/1.1.
	config := p.trusting(t)
	config.NextProtos = []string{"h2", "http/1.1"}
	if got := dialTLS(t, address, config).ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("protocol %q", got)
	}
}

// Who speaks HTTP where HTTPS is spoken is told so, with or without a body.
func TestPlainHTTPIsToldOfTLS(t *testing.T) {
	p := newPair(t)
	p.write(t, year)
	address := secured(t, p.load(t))
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} {
		req, err := http.NewRequest(method, "http://"+address+"/messages", strings.NewReader(strings.Repeat("x", 3000)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Errorf("%s: %v", method, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		want := `{"message":"this port speaks HTTPS: use a base URL that begins with https://"}`
		if method == "HEAD" {
			want = ""
		}
		if resp.StatusCode != 400 || string(body) != want {
			t.Errorf("%s: %d %s", method, resp.StatusCode, body)
		}
	}
}

// Connections that never speak, or nonsense, keep nobody else waiting.
func TestSlowHandshakes(t *testing.T) {
	p := newPair(t)
	p.write(t, year)
	address := secured(t, p.load(t))
	for i := range 50 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if i%2 == 0 {
			_, _ = conn.Write([]byte{22, 3, 1}) // the beginning of a record
		}
	}
	if status, _ := getOver(t, dialTLS(t, address, p.trusting(t)), "/health/live"); status != 200 {
		t.Errorf("status %d", status)
	}
	noise, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = noise.Close() }()
	_, _ = noise.Write([]byte("SSH-2.0-OpenSSH_9.6\r\n"))
	if said, err := io.ReadAll(noise); err == nil && strings.Contains(string(said), "HTTP/1.1 200") {
		t.Errorf("to nonsense it says %q", said)
	}
}

func TestCertificateCheck(t *testing.T) {
	const (
		well  = "Days until the TLS certificate ends"
		soon  = "The TLS certificate ends soon: put a new one in place, then reload"
		ended = "The TLS certificate has ended: put a new one in place, then reload"
	)
	for _, tt := range []struct {
		left    time.Duration
		text    string
		days    int
		status  string
		overall string
	}{
		{100*24*time.Hour + time.Hour, well, 100, "pass", "pass"},
		{14*24*time.Hour + time.Hour, well, 14, "pass", "pass"},
		{14*24*time.Hour - time.Hour, soon, 13, "warn", "warn"},
		{time.Hour, soon, 0, "warn", "warn"},
		{-49 * time.Hour, ended, -2, "warn", "warn"},
	} {
		p := newPair(t)
		p.write(t, tt.left)
		modems := &fakeModems{}
		modems.set(up)
		address := secured(t, p.load(t), func(o *httpapi.Options) { o.Modems = modems })
		config := p.trusting(t)
		config.Time = func() time.Time { return time.Now().Add(-80 * 24 * time.Hour) } // it had not ended then
		status, body := getOver(t, dialTLS(t, address, config), "/health")
		if status != 200 {
			t.Errorf("%v left: %d", tt.left, status)
		}
		sameJSON(t, body, `{"status":"`+tt.overall+`","version":"1.2.3","releaseId":1,"checks":{`+dbUp+","+online+","+sim1+","+noFailed+","+
			check("tls:certificate", tt.text, "days", tt.days, tt.status)+`}}`)
	}
}

// An orderly end waits for no client that only holds its connection.
func TestTLSShutdown(t *testing.T) {
	p := newPair(t)
	p.write(t, year)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended, ln := make(chan error, 1), listen(t)
	o := httpapi.Options{Messages: newFakeQueue(), Modems: &fakeModems{}, Certificate: p.load(t), ShutdownTimeout: time.Minute}
	go func() { ended <- httpapi.New(o).Serve(ctx, ln) }()
	conn := dialTLS(t, ln.Addr().String(), p.trusting(t))
	if status, _ := getOver(t, conn, "/health/live"); status != 200 {
		t.Errorf("status %d", status)
	}
	began := time.Now()
	stop()
	if err := <-ended; err != nil || time.Since(began) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
