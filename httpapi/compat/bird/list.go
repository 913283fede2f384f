package bird

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/httpapi/compat"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
)

// get answers with one message of the channel, of either direction.
func (d *Dialect) get(c *fiber.Ctx) error {
	ch, err := d.channelOf(c)
	if err != nil {
		return err
	}
	id := lower(c.Params("messageId"))
	m, err := d.g.Messages.Get(c.UserContext(), id)
	switch {
	case err == nil && sentBy(ch, m):
		return c.JSON(d.outgoing(m))
	case err != nil && !errors.Is(err, queue.ErrNotFound):
		return err
	}
	in, err := d.incomingByID(c.UserContext(), id)
	switch {
	case err != nil:
		return err
	case !d.hears(ch, in):
		return inbox.ErrNotFound
	case !mayHear(c):
		return &auth.Forbidden{Scope: scopeInbox}
	}
	return c.JSON(d.incoming(in, ch))
}

// scopeInbox is asked for besides by what shows texts that came in.
const scopeInbox = "inbox:list"

func mayHear(c *fiber.Ctx) bool { return compat.Identity(c).May(scopeInbox) }

func sentBy(ch channel, m queue.Message) bool {
	return m.Origin == Name && metaOf(m).Channel.ID == ch.ID
}

// listing is what a client wants to see of the messages of a channel.
type listing struct {
	channel   channel
	limit     int
	direction string
	status    string
	number    string
	// from and to bound createdAt, from being in and to not; zero leaves the side open.
	from, to time.Time
	at       cursor
}

// list answers with a page, the latest first: both directions merged by the time at which they came to be.
func (d *Dialect) list(c *fiber.Ctx) error {
	ch, err := d.channelOf(c)
	if err != nil {
		return err
	}
	l, err := readListing(c, time.Now())
	if err != nil {
		return err
	}
	l.channel = ch
	results, next, err := d.merged(c.UserContext(), l)
	if err != nil {
		return err
	}
	return c.JSON(listed[message]{Results: results, NextPageToken: next.String()})
}

func readListing(c *fiber.Ctx, now time.Time) (l listing, err error) {
	p, err := readPage(c)
	if err != nil {
		return l, err
	}
	l = listing{limit: p.limit, direction: c.Query("direction"), status: c.Query("status"), number: c.Query("phonenumber")}
	switch {
	case p.reverse:
		return l, compat.Fault("reverse", "must be false: messages are listed with the latest first")
	case l.direction != "" && l.direction != directionIncoming && l.direction != directionOutgoing:
		return l, compat.Fault("direction", "must be incoming or outgoing")
	case l.status != "" && !slices.Contains(statuses, l.status):
		return l, compat.Fault("status", "must be one of %s", strings.Join(statuses, ", "))
	}
	if l.from, err = timeIn(c, "startAt"); err != nil {
		return l, err
	}
	if l.to, err = timeIn(c, "endAt"); err != nil {
		return l, err
	}
	if l.at, err = readCursor(p.after); err != nil {
		return l, err
	}
	if p.after == "" {
		l.at = l.begin(now)
	}
	if !mayHear(c) { // whatever the token says, which is the client's
		if l.direction == directionIncoming {
			return l, &auth.Forbidden{Scope: scopeInbox}
		}
		l.at.InDone = true
	}
	return l, nil
}

// begin is where a listing starts. What comes in later stays out of it, so that its pages do not shift.
func (l listing) begin(now time.Time) cursor {
	end := now.Add(time.Millisecond)
	if !l.to.IsZero() && l.to.Before(end) {
		end = l.to
	}
	onlyThere := l.status != "" && l.status != statusDelivered // a text that came in is delivered
	return cursor{
		Until:   end.UnixMilli(),
		OutDone: l.direction == directionIncoming,
		InDone:  l.direction == directionOutgoing || onlyThere,
	}
}

func timeIn(c *fiber.Ctx, name string) (time.Time, error) {
	text := c.Query(name)
	if text == "" {
		return time.Time{}, nil
	}
	// A plus that was not escaped is a space by the time it gets here.
	at, ok := readTime(strings.ReplaceAll(text, " ", "+"))
	if !ok {
		at, ok = readTime(text)
	}
	if !ok {
		return at, compat.Fault(name, "must be an RFC 3339 timestamp, such as 2024-11-21T09:14:49.469Z")
	}
	return at, nil
}

// keeps reports whether an outgoing message is one of the listing.
func (l listing) keeps(m queue.Message) bool {
	switch {
	case !sentBy(l.channel, m), l.status != "" && status(m) != l.status:
		return false
	case m.Created.Before(l.from), m.Created.UnixMilli() >= l.at.Until:
		return false
	case l.number == "":
		return true
	}
	return slices.ContainsFunc(m.Recipients, func(r queue.Recipient) bool { return l.of(r.Number) })
}

// of reports whether a number is the one that the listing is about, if it is about one.
func (l listing) of(number string) bool {
	wanted, isNumber := compat.International(l.number)
	have, isOne := compat.International(number)
	if isNumber && isOne {
		return wanted == have
	}
	return l.number == "" || l.number == number
}

// merged takes the latest of both directions. Where the search in one of them was cut short, nothing older
// than what it has found may come from the other: it might have to stand before it.
func (d *Dialect) merged(ctx context.Context, l listing) (results []message, next cursor, err error) {
	out, err := d.sentPage(ctx, l)
	if err != nil {
		return nil, next, err
	}
	in, err := d.heardPage(ctx, l)
	if err != nil {
		return nil, next, err
	}
	results = []message{}
	i, j := 0, 0
	for len(results) < l.limit {
		a, b := out.peek(i), in.peek(j)
		switch {
		case a != nil && (b != nil && !b.at.After(a.at) || b == nil && in.done):
			results, i = append(results, a.message), i+1
		case b != nil && (a != nil || out.done):
			results, j = append(results, b.message), j+1
		default:
			return d.moved(ctx, l, results, out, in, i, j)
		}
	}
	return d.moved(ctx, l, results, out, in, i, j)
}

// moved is the cursor behind the first i of out and j of in. A page that was used up ends where its
// search did.
func (d *Dialect) moved(ctx context.Context, l listing, results []message, out, in found, i, j int) ([]message, cursor, error) {
	next := l.at
	switch {
	case i == len(out.items):
		next.Out, next.OutDone = out.end, out.done
	case i > 0:
		last := out.items[i-1].message.ID
		_, seq, err := d.g.Messages.Scan(ctx, queue.Scan{
			Origin: Name, Before: l.at.Out, Limit: 1, Keep: func(m queue.Message) bool { return m.ID == last },
		})
		if err != nil {
			return nil, next, err
		}
		if seq > 0 { // or it was retired meanwhile: then the page begins again, and nothing is left out
			next.Out = seq
		}
	}
	switch {
	case j == len(in.items):
		next.In, next.InDone = in.end, in.done
	case j > 0:
		next.In = in.items[j-1].end
	}
	return results, next, nil
}

// found is what one direction has for a page. done says that there is no more behind it.
type found struct {
	items []item
	end   uint64
	done  bool
}

// item is a message, and for incoming ones where the search goes on behind it.
type item struct {
	at      time.Time
	message message
	end     uint64
}

func (f found) peek(i int) *item {
	if i < len(f.items) {
		return &f.items[i]
	}
	return nil
}

func (d *Dialect) sentPage(ctx context.Context, l listing) (found, error) {
	if l.at.OutDone {
		return found{done: true}, nil
	}
	page, next, err := d.g.Messages.Scan(ctx, queue.Scan{Origin: Name, Before: l.at.Out, Limit: l.limit, Keep: l.keeps})
	f := found{end: next, done: next == 0}
	for _, m := range page {
		f.items = append(f.items, item{at: m.Created, message: d.outgoing(m)})
	}
	return f, err
}

// maxHeard bounds the texts that are looked at for one page.
const maxHeard = 2000

func (d *Dialect) heardPage(ctx context.Context, l listing) (found, error) {
	if l.at.InDone {
		return found{done: true}, nil
	}
	f := found{end: l.at.In}
	for looked := 0; looked < maxHeard; {
		page, _, err := d.g.Inbox.List(ctx, inbox.Filter{
			Kind: inbox.SMS, From: l.from, To: time.UnixMilli(l.at.Until), Limit: maxLimit, Offset: int(f.end),
		})
		if err != nil {
			return f, err
		}
		for _, m := range page {
			looked++
			f.end++
			if d.hears(l.channel, m) && l.of(m.Sender) {
				f.items = append(f.items, item{at: m.Received, message: d.incoming(m, l.channel), end: f.end})
			}
			if len(f.items) == l.limit {
				return f, nil
			}
		}
		if len(page) < maxLimit {
			f.done = true
			return f, nil
		}
	}
	return f, nil
}
