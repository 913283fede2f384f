package courier

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"dongled/httpapi/post"
	"dongled/scheduler/store"
)

// row is a callback as stored: the state, at in 8 octets, the length of fields as JSON in 4, those, and
// the body.
type row struct {
	state byte
	// at is when a pending one is due, 0 for at once, and when another one ended; in ms since 1970.
	at int64
	fields
	body []byte
}

// fields begin with what stays when the callback ended.
type fields struct {
	Dialect  string `json:"dialect"`
	Method   string `json:"method"`
	Host     string `json:"host"`
	Ref      string `json:"ref,omitempty"`
	Created  int64  `json:"created"` // ms since 1970
	Attempts int    `json:"attempts,omitempty"`
	Status   int    `json:"status,omitempty"`
	Error    string `json:"error,omitempty"`

	URL    string            `json:"url,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Line   string            `json:"line,omitempty"`
	Secret []byte            `json:"secret,omitempty"` // any octets
}

// The states as stored. They must not be renumbered.
const (
	pending byte = 1 + iota
	delivered
	failed
)

var stateNames = [...]string{"", Pending, Delivered, Failed}

// rowHead is the length of a row before its fields.
const rowHead = 1 + 8 + 4

var errDamaged = errors.New("a callback does not decode: the store is damaged")

func newRow(cb Callback, now int64) row {
	r := row{state: pending, body: cb.Body, fields: fields{
		Dialect: cb.Dialect, Method: cmp.Or(cb.Method, http.MethodPost), Ref: cb.Ref, Created: now,
		URL: cb.URL, Header: cb.Header, Line: cb.Line, Secret: []byte(cb.Secret),
	}}
	if u, err := url.Parse(cb.URL); err == nil {
		r.Host = strings.ToLower(u.Host)
	}
	return r
}

func decodeRow(v []byte) (r row, err error) {
	if len(v) < rowHead || v[0] < pending || v[0] > failed {
		return row{}, errDamaged
	}
	n := uint64(binary.BigEndian.Uint32(v[9:]))
	if uint64(len(v)-rowHead) < n {
		return row{}, errDamaged
	}
	rest := v[rowHead:]
	if err := json.Unmarshal(rest[:n], &r.fields); err != nil {
		return row{}, errors.Join(errDamaged, err)
	}
	r.state, r.at, r.body = v[0], int64(binary.BigEndian.Uint64(v[1:])), bytes.Clone(rest[n:])
	return r, nil
}

func (r row) encode() ([]byte, error) {
	f, err := json.Marshal(r.fields)
	if err != nil {
		return nil, err
	}
	v := make([]byte, 0, rowHead+len(f)+len(r.body))
	v = binary.BigEndian.AppendUint64(append(v, r.state), uint64(r.at))
	v = binary.BigEndian.AppendUint32(v, uint32(len(f)))
	return append(append(v, f...), r.body...), nil
}

func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// save stores a row under its number.
func (c *Courier) save(t *store.Tx, seq uint64, r row) {
	v, err := r.encode()
	t.Fail(err)
	t.Put(store.Bucket(t, bucketCallbacks), key(seq), v)
}

// line is the name of the line that r stands in, empty for none. A dialect that is off is in nobody's way.
func (r row) line() string {
	if r.Line == "" {
		return ""
	}
	return r.Dialect + "\x00" + r.Line
}

// wait is how long it is to the next try, at a start.
func (r row) wait(p Plan, now int64) time.Duration {
	pause, planned := p.pause(r.Attempts)
	if !planned {
		return 0 // it is new, or its plan was shortened
	}
	return min(pause, max(0, time.Duration(r.at-now)*time.Millisecond))
}

// tried is the row after a try.
func (r row) tried(p Plan, v post.Verdict, now int64) row {
	r.Attempts++
	r.Status, r.Error = v.Status, v.Err
	pause, again := p.pause(r.Attempts)
	switch {
	case v.Kind == post.Accepted:
		return r.end(delivered, now)
	case v.Kind == post.Malformed, !again:
		return r.end(failed, now)
	}
	r.at = now + pause.Milliseconds()
	return r
}

// end leaves what people may see.
func (r row) end(state byte, now int64) row {
	r.state, r.at, r.body = state, now, nil
	r.URL, r.Header, r.Line, r.Secret = "", nil, "", nil
	return r
}
