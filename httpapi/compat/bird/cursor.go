package bird

import (
	"encoding/base64"
	"encoding/json"

	"dongled/httpapi/compat"
)

// cursor is where a listing goes on, as its token says it.
type cursor struct {
	// Out is queue.Scan.Before.
	Out uint64 `json:"o,omitempty"`
	// In is how many texts that came in before Until (ms since 1970) were looked at.
	In    uint64 `json:"i,omitempty"`
	Until int64  `json:"u"`
	// OutDone and InDone say that nothing of that direction is left, or wanted.
	OutDone bool `json:"od,omitempty"`
	InDone  bool `json:"id,omitempty"`
}

// maxToken is more than any token has.
const maxToken = 256

// String is the token, empty at the end.
func (c cursor) String() string {
	if c.OutDone && c.InDone {
		return ""
	}
	raw, _ := json.Marshal(c) // numbers and flags alone
	return base64.RawURLEncoding.EncodeToString(raw)
}

// readCursor reads a token that String made.
func readCursor(token string) (c cursor, err error) {
	if token == "" {
		return c, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(token) > maxToken || json.Unmarshal(raw, &c) != nil || c.In > 1<<31-1 || c.Until <= 0 || c.OutDone && c.InDone {
		return cursor{}, compat.Fault("pageToken", "must be the nextPageToken of a page before")
	}
	return c, nil
}
