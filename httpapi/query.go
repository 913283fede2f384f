package httpapi

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/queue"
)

// maxOffset is how far into a listing a page may begin.
const maxOffset = math.MaxInt32

// query reads parameters and keeps the first fault in err. An empty parameter is an absent one.
type query struct {
	get func(key string) string
	err error
	// words are what to say of a parameter at fault instead of what is wrong with it.
	words map[string]string
}

func queryOf(c *fiber.Ctx) *query {
	return &query{get: func(key string) string { return c.Query(key) }}
}

func (q *query) reject(name, format string, args ...any) {
	switch words, own := q.words[name]; {
	case q.err != nil:
	case own:
		q.err = &statusError{fiber.StatusBadRequest, words}
	default:
		q.err = fault(name, format, args...)
	}
}

// flag takes every spelling of ParseBool: the vendor's own Python example sends "True".
func (q *query) flag(name string) bool {
	value := q.get(name)
	if value == "" {
		return false
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		q.reject(name, "must be true or false")
	}
	return on
}

func (q *query) integer(name string, low, high, absent int) int {
	value := q.get(name)
	if value == "" {
		return absent
	}
	n, err := strconv.Atoi(value)
	switch {
	case err == nil && n >= low && n <= high:
		return n
	case high == math.MaxInt32:
		q.reject(name, "must be an integer, %d or more", low)
	default:
		q.reject(name, "must be an integer from %d to %d", low, high)
	}
	return absent
}

func (q *query) time(name string) time.Time {
	value := q.get(name)
	if value == "" {
		return time.Time{}
	}
	// An unescaped '+' of a zone such as +02:00 arrives as a space.
	t, ok := parseTime(strings.ReplaceAll(value, " ", "+"))
	if !ok {
		q.reject(name, "must be a date and time as in RFC 3339, such as 2030-12-31T23:59:59Z")
	}
	return t
}

// inOrder rejects name if a period ends before it begins; zero leaves a side open.
func (q *query) inOrder(name string, from, to time.Time) {
	if !from.IsZero() && !to.IsZero() && from.After(to) {
		q.reject(name, "must not be after to")
	}
}

func (q *query) ownDevice(deviceID string) {
	if id := q.get("deviceId"); id != "" && id != deviceID {
		q.reject("deviceId", "invalid device ID")
	}
}

// sendOptions are the query parameters of POST /messages.
type sendOptions struct {
	skipPhoneValidation bool
	// activeWithin is how many hours ago a modem must have answered at the latest; 0 is no bound.
	activeWithin int
}

func (q *query) sendOptions() (sendOptions, error) {
	o := sendOptions{
		skipPhoneValidation: q.flag("skipPhoneValidation"),
		activeWithin:        q.integer("deviceActiveWithin", 0, math.MaxInt32, 0),
	}
	return o, q.err
}

// listing is what GET /messages asks for.
type listing struct {
	filter         queue.Filter
	includeContent bool
	// nothing says that no message can match.
	nothing bool
}

func (q *query) listing(p profile, deviceID string) (listing, error) {
	l := listing{
		includeContent: q.flag("includeContent"),
		filter: queue.Filter{
			From:        q.time("from"),
			To:          q.time("to"),
			Limit:       min(maxLimit, q.integer("limit", 1, math.MaxInt32, p.limit())),
			Offset:      p.offset(q),
			OldestFirst: q.oldestFirst(),
		},
	}
	l.filter.State, l.nothing = q.state()
	q.inOrder("from", l.filter.From, l.filter.To)
	q.ownDevice(deviceID)
	return l, q.err
}

// state reads the filter of that name. Cancelling is a state of SMSGate's cloud, where a phone
// must confirm; here a message never is in it, and asking for it is no fault.
func (q *query) state() (state queue.State, never bool) {
	name := q.get("state")
	if name == "" {
		return 0, false
	}
	if name == "Cancelling" {
		return 0, true
	}
	state, ok := queue.ParseState(name)
	if !ok {
		q.reject("state", "must be Pending, Cancelling, Cancelled, Processed, Sent, Delivered or Failed")
	}
	return state, false
}

func (q *query) oldestFirst() bool {
	switch q.get("sort") {
	case "created_at":
		return true
	case "", "-created_at":
	default:
		q.reject("sort", "must be created_at or -created_at")
	}
	return false
}
