package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// connectTimeout is for the connection and again for TLS, wholeTimeout for all of a request.
	connectTimeout = 5 * time.Second
	wholeTimeout   = 30 * time.Second
	// idleTimeout is short of what servers close idle connections after, 5 s in Node.js: a request that
	// meets the close gets no answer, and nobody knows whether it was read.
	idleTimeout = 2 * time.Second
	// maxAnswer bounds what is read of an answer, for the sake of the connection; maxHeader its head.
	maxAnswer = 4 << 10
	maxHeader = 64 << 10
	// maxError bounds the texts that are stored.
	maxError = 200
)

// client posts.
type client struct {
	agent string
	// plain is for http, which goes nowhere but where it is allowed; secure is for https.
	plain, secure *http.Client
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func newClient(o Options) *client {
	c := &client{agent: "me.capcom.smsgateway/" + o.Version}
	c.dialThrough((&net.Dialer{Control: o.guard}).DialContext, (&net.Dialer{}).DialContext)
	// A proxy would resolve names on its own: http does without.
	c.secure.Transport.(*http.Transport).Proxy = http.ProxyFromEnvironment
	return c
}

func (c *client) dialThrough(plain, secure dialFunc) {
	c.plain, c.secure = newHTTP(plain), newHTTP(secure)
}

func newHTTP(dial dialFunc) *http.Client {
	return &http.Client{
		Timeout:       wholeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, connectTimeout)
				defer cancel()
				return dial(ctx, network, address)
			},
			TLSHandshakeTimeout: connectTimeout, IdleConnTimeout: idleTimeout, MaxIdleConns: 2 * maxWell,
			MaxResponseHeaderBytes: maxHeader, DisableCompression: true, ForceAttemptHTTP2: true,
		},
	}
}

func (c *client) close() {
	c.plain.CloseIdleConnections()
	c.secure.CloseIdleConnections()
}

// post makes one request. The result is cut if ctx ended before the answer.
func (c *client) post(ctx context.Context, to string, body []byte, key string) verdict {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return verdict{kind: malformed, err: "the URL of the webhook cannot be read"}
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("X-Timestamp", stamp)
	req.Header.Set("X-Signature", sign(body, stamp, key))
	how := c.plain
	if req.URL.Scheme == "https" {
		how = c.secure
	}
	resp, err := how.Do(req)
	if ctx.Err() != nil && err != nil {
		return verdict{kind: cut, err: "the gateway stopped"}
	}
	if err != nil {
		return verdict{kind: unreachable, err: words(err)}
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // the status says it all
	return judge(resp.StatusCode)
}

// sign is the signature of SMSGate: HMAC-SHA256 of body and timestamp, in hexadecimal.
func sign(body []byte, stamp, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	mac.Write([]byte(stamp))
	return hex.EncodeToString(mac.Sum(nil))
}

func judge(status int) verdict {
	v := verdict{kind: answered, status: status, err: fmt.Sprintf("the endpoint answered %d %s", status, http.StatusText(status))}
	switch {
	case status >= 200 && status < 300:
		return verdict{kind: accepted, status: status}
	case status >= 300 && status < 400:
		v.err += "; redirects are not followed, register the URL that it leads to"
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		v.kind = unreachable
	}
	v.err = strings.TrimSpace(v.err)
	return v
}

// words are what a person is told of an error, without the URL, which may hold a password, and without
// what it quotes: of an answer that is no HTTP, that would have who registers webhooks read what other
// services of this machine say; of a proxy, its password.
func words(err error) string {
	var in *url.Error
	if errors.As(err, &in) {
		if in.Timeout() && !isDial(in.Err) {
			return fmt.Sprintf("no answer within %v", wholeTimeout)
		}
		err = in.Err
	}
	text, _, quotes := strings.Cut(err.Error(), `"`)
	if quotes {
		text = strings.TrimRight(text, " [({=:")
	}
	if len(text) > maxError {
		text = text[:maxError] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || strings.Contains(err.Error(), "TLS handshake")
}
