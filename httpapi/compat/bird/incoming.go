package bird

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"dongled/scheduler/inbox"
)

// textPrefix begins the inbox's ids of texts; the rest is a number.
const textPrefix = "text:"

// incomingID is the id of a text that came in, as a UUID out of which inboxID finds it again: one of
// version 8 (RFC 9562, section 5.8) with the inbox's number in its last 62 bits. ok is false for what is
// no text.
func incomingID(id string) (string, bool) {
	digits, isText := strings.CutPrefix(id, textPrefix)
	n, err := strconv.ParseUint(digits, 10, 62)
	if !isText || err != nil {
		return "", false
	}
	u := incomingSpace()
	binary.BigEndian.PutUint64(u[8:], 1<<63|n)
	return u.String(), true
}

// inboxID is the reverse of incomingID.
func inboxID(id string) (string, bool) {
	u, err := uuid.Parse(id)
	if err != nil {
		return "", false
	}
	space, low := incomingSpace(), binary.BigEndian.Uint64(u[8:])
	if [8]byte(u[:8]) != [8]byte(space[:8]) || low>>62 != 2 {
		return "", false
	}
	return textPrefix + strconv.FormatUint(low&(1<<62-1), 10), true
}

// incomingSpace has the first half of all ids of texts that came in.
func incomingSpace() uuid.UUID {
	u := uuid.NewSHA1(namespace, []byte("incoming"))
	u[6] = u[6]&0x0f | 0x80
	return u
}

// incoming is a text that came in by a channel.
func (d *Dialect) incoming(m inbox.Message, ch channel) message {
	id, _ := incomingID(m.ID)
	from, at := d.contact(m.Sender), written(m.Received)
	return message{
		ID: id, ChannelID: ch.ID, Sender: party{Contact: &from}, Receiver: ch.party(), Direction: directionIncoming,
		Status: statusDelivered, LastStatusAt: at, CreatedAt: at, UpdatedAt: at, Tags: []string{},
		Parts: incomingParts(id, m.Parts), Body: messageBody{Type: "text", Text: textBody{Text: m.Text}},
	}
}

func incomingParts(id string, n int) []part {
	all := make([]part, 0, n)
	for i := range n {
		all = append(all, part{PlatformReference: id + "-" + strconv.Itoa(i+1)})
	}
	return all
}

// incomingByID finds a text that came in; the error is inbox.ErrNotFound if there is none.
func (d *Dialect) incomingByID(ctx context.Context, id string) (inbox.Message, error) {
	stored, is := inboxID(id)
	if !is {
		return inbox.Message{}, inbox.ErrNotFound
	}
	return d.g.Inbox.Get(ctx, stored)
}
