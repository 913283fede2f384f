package twilio

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
)

// page is the vendor's shape of a list. There is no way back: previous_page_uri is always null.
type page struct {
	End             int       `json:"end"`
	FirstPageURI    string    `json:"first_page_uri"`
	Messages        []message `json:"messages"`
	NextPageURI     *string   `json:"next_page_uri"`
	Page            int       `json:"page"`
	PageSize        int       `json:"page_size"`
	PreviousPageURI *string   `json:"previous_page_uri"`
	Start           int       `json:"start"`
	URI             string    `json:"uri"`
}

// The vendor's sizes of pages.
const (
	standardPage = 50
	maxPage      = 1000
)

// tokenPrefix begins a PageToken; the rest is where the queue's page before ended.
const tokenPrefix = "PA"

// listing is what a client wants to see.
type listing struct {
	params
	account    string
	to, from   string
	size, page int
	before     uint64
	// since (inclusive) and until (exclusive) bound date_sent; zero leaves the side open.
	since, until time.Time
}

func (d *Dialect) list(c *fiber.Ctx) error {
	account, err := d.account(c)
	if err != nil {
		return err
	}
	query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return refuse(codeInvalid, "The query cannot be read.")
	}
	l, err := readListing(params{query}, account)
	if err != nil {
		return err
	}
	p, err := d.page(c.UserContext(), l)
	if err != nil {
		return err
	}
	return c.JSON(p)
}

// page may have fewer messages than its size, and be followed by another all the same.
func (d *Dialect) page(ctx context.Context, l listing) (page, error) {
	found, next, err := d.gateway.Messages.Scan(ctx, queue.Scan{Origin: d.Name(), Before: l.before, Limit: l.size, Keep: l.keeps})
	if err != nil {
		return page{}, err
	}
	if found, err = d.present(found); err != nil {
		return page{}, err
	}
	p := page{
		Messages: []message{}, Page: l.page, PageSize: l.size, Start: l.page * l.size,
		FirstPageURI: l.uri(0, 0), URI: l.uri(l.page, l.before),
	}
	for _, m := range found {
		p.Messages = append(p.Messages, view(m))
	}
	p.End = p.Start + max(len(p.Messages)-1, 0)
	if next > 0 {
		p.NextPageURI = optional(l.uri(l.page+1, next))
	}
	return p, nil
}

// uri leads to a page with the same filters.
func (l listing) uri(number int, before uint64) string {
	query := url.Values{"PageSize": {strconv.Itoa(l.size)}, "Page": {strconv.Itoa(number)}}
	for _, name := range []string{"To", "From", "DateSent", "DateSent<", "DateSent>"} {
		if v := l.Get(name); v != "" {
			query.Set(name, v)
		}
	}
	if before > 0 {
		query.Set("PageToken", tokenPrefix+strconv.FormatUint(before, 10))
	}
	return messagesOf(l.account) + ".json?" + query.Encode()
}

func readListing(p params, account string) (l listing, err error) {
	l = listing{params: p, account: account, to: p.Get("To"), from: p.Get("From")}
	if l.size, err = p.number("PageSize", standardPage, 1, maxPage); err != nil {
		return l, err
	}
	if l.page, err = p.number("Page", 0, 0, 1<<30); err != nil {
		return l, err
	}
	if token := p.Get("PageToken"); token != "" {
		rest, is := strings.CutPrefix(token, tokenPrefix)
		if l.before, err = strconv.ParseUint(rest, 10, 64); err != nil || !is || l.before == 0 {
			return l, refuse(codeInvalid, "PageToken must be one of a next_page_uri.")
		}
	} else if l.page > 0 {
		return l, refuse(codeInvalid, "Page is of use with the PageToken of a next_page_uri only.")
	}
	return l, l.readDates()
}

// readDates: a date stands for its whole day in UTC, and a time for its second.
func (l *listing) readDates() error {
	for _, bound := range []struct {
		name         string
		since, until bool
	}{{"DateSent", true, true}, {"DateSent<", false, true}, {"DateSent>", true, false}} {
		text := l.Get(bound.name)
		if text == "" {
			continue
		}
		begin, end, err := span(text)
		if err != nil {
			return refuse(codeInvalid, "%s must be a date such as 2009-07-06, or a time such as 2009-07-06T20:15:00Z.", bound.name)
		}
		if bound.since && begin.After(l.since) {
			l.since = begin
		}
		if bound.until && (l.until.IsZero() || end.Before(l.until)) {
			l.until = end
		}
	}
	return nil
}

func span(text string) (begin, end time.Time, err error) {
	if begin, err = time.Parse(time.DateOnly, text); err == nil {
		return begin, begin.AddDate(0, 0, 1), nil
	}
	if begin, err = time.Parse(time.RFC3339, text); err == nil {
		begin = begin.Truncate(time.Second)
	}
	return begin, begin.Add(time.Second), err
}

// keeps reports whether a message is one of the listing.
func (l listing) keeps(m queue.Message) bool {
	kept := metaOf(m)
	if kept.Account != l.account || !same(l.to, m.Recipients[0].Number) || !same(l.from, sender(m, kept)) {
		return false
	}
	if l.since.IsZero() && l.until.IsZero() {
		return true
	}
	at := sentAt(m)
	return !at.IsZero() && !at.Before(l.since) && (l.until.IsZero() || at.Before(l.until))
}

// same reports whether a number is the one wanted, if one is.
func same(wanted, have string) bool {
	a, isNumber := compat.International(wanted)
	b, isOne := compat.International(have)
	if isNumber && isOne {
		return a == b
	}
	return wanted == "" || wanted == have
}
