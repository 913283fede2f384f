package post

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// connectTimeout is for the connection and again for TLS.
	connectTimeout = 5 * time.Second
	// DefaultTimeout is for all of a request.
	DefaultTimeout = 30 * time.Second
	// idleTimeout is short of what servers close idle connections after, 5 s in Node.js: a request that
	// meets the close gets no answer, and nobody knows whether it was read.
	idleTimeout = 2 * time.Second
	// maxIdle bounds the connections that are kept open for the next request.
	maxIdle = 32
	// maxAnswer bounds what is read of an answer, for the sake of the connection; maxHeader its head.
	maxAnswer = 4 << 10
	maxHeader = 64 << 10
)

// Options configure a Client.
type Options struct {
	// HTTP is where plain http may go; the zero value is Loopback.
	HTTP Reach
	// Agent is the User-Agent of requests that name none.
	Agent string
}

// Client makes requests. Its methods may be called from any goroutine.
type Client struct {
	agent string
	// plain is for http, which goes nowhere but where it is allowed; secure is for https.
	plain, secure *http.Client
}

// Dial connects, as that of a net.Dialer.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// New makes a Client, which Close ends.
func New(o Options) *Client {
	c := &Client{agent: o.Agent}
	c.DialThrough((&net.Dialer{Control: o.HTTP.Guard}).DialContext, (&net.Dialer{}).DialContext)
	// A proxy would resolve names on its own: http does without.
	c.secure.Transport.(*http.Transport).Proxy = http.ProxyFromEnvironment
	return c
}

// DialThrough has connections of http and of https made by others, unguarded and past any proxy, such as
// into a network of a test. It goes before the first request.
func (c *Client) DialThrough(plain, secure Dial) { c.plain, c.secure = newHTTP(plain), newHTTP(secure) }

func newHTTP(dial Dial) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, connectTimeout)
				defer cancel()
				return dial(ctx, network, address)
			},
			TLSHandshakeTimeout: connectTimeout, IdleConnTimeout: idleTimeout, MaxIdleConns: maxIdle,
			MaxResponseHeaderBytes: maxHeader, DisableCompression: true, ForceAttemptHTTP2: true,
		},
	}
}

// Close closes the connections that nothing goes over.
func (c *Client) Close() {
	c.plain.CloseIdleConnections()
	c.secure.CloseIdleConnections()
}

// Request is one to make.
type Request struct {
	// Method is POST if empty.
	Method, URL string
	// Header goes over what the Client adds, which is the User-Agent.
	Header map[string]string
	Body   []byte
	// Timeout bounds all of it, DefaultTimeout if 0.
	Timeout time.Duration
	// Taken says which statuses are success; nil: 200 to 299.
	Taken func(status int) bool
	// Finish, if set, completes the request just before it is made.
	Finish func(*http.Request)
}

// Do makes a request, and says what became of it: Cut if ctx ended before the answer.
func (c *Client) Do(ctx context.Context, r Request) Verdict {
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodPost), r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return Verdict{Kind: Malformed, Err: "the URL or the method of the request cannot be read"}
	}
	req.Header.Set("User-Agent", c.agent)
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	if r.Finish != nil {
		r.Finish(req)
	}
	how := *c.plain
	if req.URL.Scheme == "https" {
		how = *c.secure
	}
	how.Timeout = cmp.Or(r.Timeout, DefaultTimeout)
	resp, err := how.Do(req)
	if ctx.Err() != nil && err != nil {
		return Verdict{Kind: Cut, Err: "the gateway stopped"}
	}
	if err != nil {
		return Verdict{Kind: Unreachable, Err: words(err, how.Timeout)}
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // the status says it all
	return judge(resp.StatusCode, r.Taken)
}
