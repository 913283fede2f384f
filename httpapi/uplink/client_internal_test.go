package uplink

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// What a server tells goes into the log, which holds no numbers and no texts.
func TestServersErrors(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"invalid phone number: +491701234567"}`:           "the server answers 400: invalid phone number: <number>",
		`{"message":"0170 1234567 and 12345, since row 1234"}`:        "the server answers 400: 0170 <number> and <number>, since row 1234",
		`{"message":"Key: 'Recipients[0]' Error: required"}`:          "the server answers 400: Key: 'Recipients[0]' Error: required",
		`{"message":"` + strings.Repeat("a", 198) + `+491701234567"}`: "the server answers 400: " + strings.Repeat("a", 198) + "<n",
		`no JSON +491701234567`:                                       "the server answers 400 Bad Request",
	} {
		got := asError(&http.Response{StatusCode: 400, Body: io.NopCloser(strings.NewReader(body))}).Error()
		if got != want {
			t.Errorf("%s: %s\nwant %s", body, got, want)
		}
	}
}
