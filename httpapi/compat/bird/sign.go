package bird

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// The headers of callbacks, as Bird writes them.
const (
	headerID        = "messagebird-request-id"
	headerTimestamp = "messagebird-request-timestamp"
	headerSignature = "messagebird-signature"
)

// sign dates a callback with the moment of the try, and signs it if the subscription has a key. Receivers
// refuse what is dated too long ago, so a try hours later needs a date of its own.
func sign(r *http.Request, body []byte, key string, now time.Time) {
	at := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set(headerTimestamp, at)
	if key != "" {
		r.Header.Set(headerSignature, signature(key, at, r.URL.String(), body))
	}
}

// signature is base64(HMAC-SHA256(key, timestamp LF url LF SHA256(body))), the inner hash as it is.
func signature(key, timestamp, url string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	sum := sha256.Sum256(body)
	mac.Write([]byte(timestamp + "\n" + url + "\n"))
	mac.Write(sum[:])
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
