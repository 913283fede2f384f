package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"dongled/httpapi/post"
)

func newClient(o Options) *post.Client {
	return post.New(post.Options{HTTP: o.reach(), Agent: "me.capcom.smsgateway/" + o.Version})
}

// reach is where webhooks go by http.
func (o Options) reach() post.Reach {
	if o.AllowLAN {
		return post.LAN
	}
	return post.Loopback
}

// post makes one try.
func (h *Hooks) post(ctx context.Context, to string, body []byte) post.Verdict {
	return h.client.Do(ctx, post.Request{
		URL: to, Body: body, Header: map[string]string{"Content-Type": "application/json"},
		Finish: func(r *http.Request) {
			stamp := strconv.FormatInt(time.Now().Unix(), 10)
			r.Header.Set("X-Timestamp", stamp)
			r.Header.Set("X-Signature", sign(body, stamp, h.policy.Load().SigningKey))
		},
	})
}

// sign is the signature of SMSGate: HMAC-SHA256 of body and timestamp, in hexadecimal.
func sign(body []byte, stamp, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	mac.Write([]byte(stamp))
	return hex.EncodeToString(mac.Sum(nil))
}
