package post

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxError bounds the texts that are stored.
const maxError = 200

// Kind says what became of a request.
type Kind uint8

// The kinds.
const (
	Accepted Kind = iota
	// Answered is a refusal.
	Answered
	// Unreachable is no answer, or one by somebody on the way: 502, 503, 504.
	Unreachable
	// Malformed is a URL that no request can be made to.
	Malformed
	// Cut says that a stop ended the request: what became of it is not known.
	Cut
)

// Verdict is what came of a request.
type Verdict struct {
	Kind Kind
	// Status is 0 where there was no answer.
	Status int
	// Err is what was wrong, for people; see the package comment for what it does not hold.
	Err string
}

func judge(status int, taken func(int) bool) Verdict {
	v := Verdict{Kind: Answered, Status: status, Err: fmt.Sprintf("the endpoint answered %d %s", status, http.StatusText(status))}
	if taken == nil {
		taken = func(status int) bool { return status >= 200 && status < 300 }
	}
	switch {
	case taken(status):
		return Verdict{Kind: Accepted, Status: status}
	case status >= 300 && status < 400:
		v.Err += "; redirects are not followed, register the URL that it leads to"
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		v.Kind = Unreachable
	}
	v.Err = strings.TrimSpace(v.Err)
	return v
}

// words are what a person is told of an error, without the URL, which may hold a password, and without
// what it quotes: of an answer that is no HTTP, that would have who names URLs read what other services
// of this machine say; of a proxy, its password.
func words(err error, timeout time.Duration) string {
	var in *url.Error
	if errors.As(err, &in) {
		if in.Timeout() && !isDial(in.Err) {
			return fmt.Sprintf("no answer within %v", timeout)
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
