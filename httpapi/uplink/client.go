package uplink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	// callTimeout bounds one request with its answer.
	callTimeout = 30 * time.Second
	dialTimeout = 10 * time.Second
	// maxAnswer holds 100 messages of 65535 characters, each written as two \uXXXX escapes, to 100
	// recipients each.
	maxAnswer = 128 << 20
	// maxQuote bounds what is kept of an error that the server tells, in bytes.
	maxQuote = 200
)

// statusError is an answer that is none of those asked for.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("the server answers %d %s", e.status, http.StatusText(e.status))
	}
	return fmt.Sprintf("the server answers %d: %s", e.status, e.message)
}

// refused reports whether err is an answer with one of these statuses.
func refused(err error, statuses ...int) bool {
	var s *statusError
	if !errors.As(err, &s) {
		return false
	}
	for _, status := range statuses {
		if s.status == status {
			return true
		}
	}
	return false
}

// newHTTPClient follows no redirect: it could lead the token to plain http or to others.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     time.Minute,
			// A connection that died without a word must not be used again and again.
			HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (u *Uplink) request(ctx context.Context, method, path, authorization string, body []byte) (*http.Request, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(u.opts.URL, "/")+path, reader)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "dongled/"+u.opts.Version)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return r, nil
}

// call sends in, unless it is nil, and reads an answer with the status want into out, unless that is
// nil. Any other answer is a *statusError.
func (u *Uplink) call(ctx context.Context, method, path, authorization string, in any, want int, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	r, err := u.request(ctx, method, path, authorization, body)
	if err != nil {
		return err
	}
	resp, err := u.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close() // what was wanted of it was read
	if resp.StatusCode != want {
		return asError(resp)
	}
	if out == nil {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("answer of %s %s: %w", method, path, err)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("answer of %s %s: %w", method, path, err)
	}
	return nil
}

// longNumber may be somebody's telephone number, which a server may quote and the log must not.
var longNumber = regexp.MustCompile(`\+?[0-9]{5,}`)

func asError(resp *http.Response) error {
	e := &statusError{status: resp.StatusCode}
	if resp.StatusCode/100 == 3 {
		e.message = "a redirect, which is not followed: set uplink.url to the server's own address"
		return e
	}
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // the status alone says enough
	var told struct{ Message string }
	if json.Unmarshal(raw, &told) == nil {
		e.message = longNumber.ReplaceAllString(told.Message, "<number>")
		e.message = e.message[:min(len(e.message), maxQuote)]
	}
	return e
}

func bearer(token string) string { return "Bearer " + token }
