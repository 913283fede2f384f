package kannel

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dongled/httpapi/compat"
	"dongled/httpapi/courier"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// Changed implements compat.Follower: it has the dlr-url called for what the client asked to be told.
func (d *Dialect) Changed(t *store.Tx, c queue.Change) {
	var m meta
	if json.Unmarshal(c.Message.Meta, &m) != nil || m.URL == "" {
		return
	}
	for _, value := range values(c) {
		if value&m.Mask == 0 {
			continue
		}
		r := report{value: value, meta: m, message: c.Message, recipient: c.Message.Recipients[c.Recipient], at: time.UnixMilli(t.Now)}
		d.callbacks.Put(t, courier.Callback{
			Dialect: d.Name(), Method: http.MethodGet, URL: expand(m.URL, r.escape), Ref: c.Message.ID,
			Line: fmt.Sprintf("%s/%d", c.Message.ID, c.Recipient),
		})
	}
}

// values are what a change means, in the order in which it is told.
func values(c queue.Change) []int {
	r := c.Message.Recipients[c.Recipient]
	switch r.State {
	case queue.Sent:
		return []int{dlrAccepted}
	case queue.Delivered:
		if c.Was == queue.Sent || c.Was == queue.Failed {
			return []int{dlrDelivered}
		}
		return []int{dlrAccepted, dlrDelivered} // the report overtook the answer of the service centre
	case queue.Failed:
		if c.Was == queue.Sent || compat.Left(r) {
			return []int{dlrFailed}
		}
		return []int{dlrRefused}
	case queue.Cancelled:
		return []int{dlrRefused}
	}
	return nil
}

// report is what the escapes of a dlr-url stand for.
type report struct {
	value     int
	meta      meta
	message   queue.Message
	recipient queue.Recipient
	at        time.Time
}

// escape is what a letter behind a % stands for.
func (r report) escape(letter byte) (value string, known bool) {
	switch letter {
	case 'd':
		return strconv.Itoa(r.value), true
	case 'p', 'q':
		return r.meta.From, true
	case 'P', 'Q':
		return r.recipient.Number, true
	case 't':
		return r.at.UTC().Format("2006-01-02 15:04"), true
	case 'T':
		return strconv.FormatInt(r.at.Unix(), 10), true
	case 'i':
		return strconv.Itoa(r.recipient.SIM), true
	case 'I':
		return r.message.ID, true
	case 'A':
		return r.reply(), true
	case 'F':
		return r.references(), true
	case 'n':
		return r.meta.User, true
	case 'o':
		return r.meta.Account, true
	case 'B':
		return r.meta.BInfo, true
	case 'a':
		return r.message.Content.Text, true
	case 'c':
		return strconv.Itoa(r.meta.Coding), true
	}
	return "", false
}

// reply is what the service centre said, in the form of Kannel: ACK/ or NACK/ and the reason.
func (r report) reply() string {
	switch r.value {
	case dlrFailed, dlrRefused:
		return "NACK/" + r.recipient.Error
	case dlrAccepted:
		return "ACK/"
	}
	return r.recipient.Error
}

// references are the TP-MR of the parts.
func (r report) references() string {
	var references []string
	for _, p := range r.recipient.Parts {
		references = append(references, strconv.Itoa(int(p.MR)))
	}
	return strings.Join(references, ",")
}

// maxExpanded bounds a URL in which a long text is put, maybe often, in octets. Servers take 8000 (RFC 9110
// section 4.1); the longest text, of 39015 characters, takes up to 234090.
const maxExpanded = 256 << 10

// expand puts values in the place of the escapes of a dlr-url, encoded for a query. What is no escape stays,
// such as %20; of the URL's own encoding %A0 would be read as the escape %A, which has to be written %%A0, as
// for Kannel. A value that would make it longer than maxExpanded is left out.
func expand(template string, value func(letter byte) (string, bool)) string {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '%' || i+1 == len(template) {
			b.WriteByte(template[i])
			continue
		}
		letter := template[i+1]
		if letter == '%' {
			b.WriteByte('%')
			i++
			continue
		}
		if v, known := value(letter); known {
			if v = url.QueryEscape(v); b.Len()+len(v) <= maxExpanded {
				b.WriteString(v)
			}
			i++
			continue
		}
		b.WriteByte('%')
	}
	return b.String()
}
