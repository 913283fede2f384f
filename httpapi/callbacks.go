package httpapi

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/courier"
)

// Callbacks are the requests that other vendors' APIs owe their clients; *courier.Courier is one.
type Callbacks interface {
	// List returns one page, newest first, and how many there are of a state in all; it may be empty.
	List(ctx context.Context, state string, limit, offset int) (page []courier.Delivery, total int, err error)
}

// maxCallbacks bounds a page.
const maxCallbacks = 500

// callback is one of them, for people. SMSGate has no word for it.
type callback struct {
	ID        string `json:"id"`
	Dialect   string `json:"dialect"`
	Method    string `json:"method"`
	Host      string `json:"host"`
	MessageID string `json:"messageId,omitempty"`
	State     string `json:"state"`
	Attempts  int    `json:"attempts"`
	// LastStatus is absent where there was no answer.
	LastStatus int    `json:"lastStatus,omitempty"`
	LastError  string `json:"lastError,omitempty"`
	CreatedAt  stamp  `json:"createdAt"`
	NextAt     *stamp `json:"nextAt,omitempty"`
}

func newCallback(d courier.Delivery) callback {
	out := callback{
		ID: d.ID, Dialect: d.Dialect, Method: d.Method, Host: d.Host, MessageID: d.Ref, State: d.State, Attempts: d.Attempts,
		LastStatus: d.Status, LastError: d.Error, CreatedAt: stamp(d.Created),
	}
	if !d.Next.IsZero() {
		next := stamp(d.Next)
		out.NextAt = &next
	}
	return out
}

// callbacks answers GET /callbacks.
func (s *Server) callbacks(c *fiber.Ctx) error {
	q := queryOf(c)
	state := q.callbackState()
	limit, offset := q.integer("limit", 1, maxCallbacks, defaultLimit), q.integer("offset", 0, maxOffset, 0)
	if q.err != nil {
		return q.err
	}
	page, total, err := s.opt.Callbacks.List(c.UserContext(), state, limit, offset)
	if err != nil {
		return fromRead(err)
	}
	return paged(c, page, total, newCallback)
}

func (q *query) callbackState() string {
	switch state := q.get("state"); state {
	case "", courier.Pending, courier.Delivered, courier.Failed:
		return state
	}
	q.reject("state", "must be pending, delivered or failed")
	return ""
}
