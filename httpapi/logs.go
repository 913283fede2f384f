package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/logbook"
)

// Logs are what the gateway logged; see logbook.Book.
type Logs interface {
	// List returns the newest entries from a time (inclusive) to another (exclusive), at most limit,
	// oldest first; zero leaves the side open.
	List(ctx context.Context, from, to time.Time, limit int) ([]logbook.Entry, error)
}

// maxLogs bounds an answer of GET /logs, which has no pages. Who wants more asks for the time before
// the first one.
const maxLogs = 1000

// logEntry is SMSGate's LogEntry.
type logEntry struct {
	ID       uint64 `json:"id"`
	Priority string `json:"priority"`
	Module   string `json:"module"`
	Message  string `json:"message"`
	// Context is an object, or absent.
	Context   json.RawMessage `json:"context,omitempty"`
	CreatedAt stamp           `json:"createdAt"`
}

// logs answers GET /logs.
func (s *Server) logs(c *fiber.Ctx) error {
	q := queryOf(c)
	from, to := q.time("from"), q.time("to")
	q.inOrder("from", from, to)
	if q.err != nil {
		return q.err
	}
	found, err := s.opt.Logs.List(c.UserContext(), from, to, maxLogs)
	if err != nil {
		return fromRead(err)
	}
	entries := make([]logEntry, 0, len(found))
	for _, e := range found {
		entries = append(entries, logEntry{e.ID, e.Level, e.Module, e.Message, e.Context, stamp(e.At)})
	}
	return c.JSON(entries)
}
