package bird

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// TestSignature is a vector that was made by another implementation of what Bird documents.
func TestSignature(t *testing.T) {
	body := []byte(`{"service":"channels","event":"sms.outbound","payload":{"id":"11111111-2222-4333-8444-555555555555","status":"delivered"}}`)
	request := func() *http.Request {
		r, err := http.NewRequest(http.MethodPost, "https://hooks.example.org/bird", nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	sign := plan().Sign
	r := request()
	sign(r, body, "test-signing-key", time.Unix(1_700_000_000, 999_999_999))
	if got := r.Header.Get("messagebird-signature"); got != "dYYiAF/POx2HlUWaOmPJjaAAVZnO7dAkBuJEijHoed8=" {
		t.Errorf("signature %q", got)
	}
	if got := r.Header.Get("messagebird-request-timestamp"); got != "1700000000" {
		t.Errorf("timestamp %q", got)
	}
	// A try four hours later is signed for then. The signature is Python's hmac.
	sign(r, body, "test-signing-key", time.Unix(1_700_014_400, 0))
	if got := r.Header.Get("messagebird-request-timestamp"); got != "1700014400" {
		t.Errorf("timestamp of a later try %q", got)
	}
	if got := r.Header.Get("messagebird-signature"); got != "4yPR5rUVme64obAVoPyWrEvTwQlHKdnMx/dQr3e7buQ=" {
		t.Errorf("signature of a later try %q", got)
	}
	bare := request()
	sign(bare, body, "", time.Unix(1_700_000_000, 0))
	if _, signed := bare.Header[http.CanonicalHeaderKey(headerSignature)]; signed || bare.Header.Get(headerTimestamp) != "1700000000" {
		t.Errorf("without a key the headers are %v", bare.Header)
	}
}

func TestPlan(t *testing.T) {
	p := plan()
	if !slices.IsSorted(p.Pauses) {
		t.Errorf("the pauses do not rise: %v", p.Pauses)
	}
	var sum time.Duration
	for _, pause := range p.Pauses {
		sum += pause
	}
	if sum != 8*time.Hour || p.Timeout != 30*time.Second || p.Taken != nil {
		t.Errorf("%v in all, %v each", sum, p.Timeout)
	}
}
