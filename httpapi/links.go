package httpapi

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/links"
)

// Links are the short links of messages; see links.Links.
type Links interface {
	// Of returns those of a message; of one that is not there, none.
	Of(ctx context.Context, messageID string) ([]links.Link, error)
}

// linkState is a short link with its counts.
type linkState struct {
	Code        string `json:"code"`
	URL         string `json:"url"`
	ShortURL    string `json:"shortUrl"`
	MessageID   string `json:"messageId"`
	Hits        int    `json:"hits"`
	LikelyHuman int    `json:"likelyHuman"`
	CreatedAt   stamp  `json:"createdAt"`
	ExpiresAt   stamp  `json:"expiresAt"`
	// FirstAt and LastAt are absent until somebody follows the link.
	FirstAt *stamp `json:"firstAt,omitempty"`
	LastAt  *stamp `json:"lastAt,omitempty"`
}

// links answers GET /links. The message itself may be gone: its links live longer.
func (s *Server) links(c *fiber.Ctx) error {
	id := c.Query("messageId")
	if !validID(id) {
		return fault("messageId", "must be the id of a message")
	}
	found, err := s.opt.Links.Of(c.UserContext(), id)
	if err != nil {
		return fromRead(err)
	}
	states := make([]linkState, 0, len(found))
	for _, l := range found {
		states = append(states, linkState{
			l.Code, l.URL, l.Short, l.MessageID, l.Hits, l.Human, stamp(l.Created), stamp(l.Expires), stampOf(l.First), stampOf(l.Last),
		})
	}
	return c.JSON(states)
}

// stampOf is nil for never.
func stampOf(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}
