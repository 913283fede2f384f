package bird

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// Pages of lists, as Bird bounds them.
const (
	defaultLimit = 10
	maxLimit     = 100
)

// page is what a request wants to see of a list.
type page struct {
	limit int
	// after is the id of the last item that was seen, empty at the beginning.
	after   string
	reverse bool
}

// listed is a page of a list. NextPageToken is empty on the last one.
type listed[T any] struct {
	Results       []T    `json:"results"`
	NextPageToken string `json:"nextPageToken,omitempty"`
}

func readPage(c *fiber.Ctx) (p page, err error) {
	p = page{limit: defaultLimit, after: c.Query("pageToken")}
	if asked := c.Query("limit"); asked != "" {
		p.limit, err = strconv.Atoi(asked)
		if err != nil || p.limit < 1 || p.limit > maxLimit {
			return p, compat.Fault("limit", "must be a whole number from 1 to %d", maxLimit)
		}
	}
	if asked := c.Query("reverse"); asked != "" {
		if p.reverse, err = strconv.ParseBool(asked); err != nil {
			return p, compat.Fault("reverse", "must be true or false")
		}
	}
	return p, nil
}

// cut takes the page out of all, which are in their order. An item that is gone cannot be gone on from.
func cut[T any](all []T, id func(T) string, p page) (listed[T], error) {
	if p.reverse {
		turned := make([]T, 0, len(all))
		for i := len(all) - 1; i >= 0; i-- {
			turned = append(turned, all[i])
		}
		all = turned
	}
	from := 0
	for ; p.after != "" && from <= len(all); from++ {
		if from == len(all) {
			return listed[T]{}, compat.Fault("pageToken", "is of no item that is still there: begin anew")
		}
		if id(all[from]) == p.after {
			from++
			break
		}
	}
	rest := all[from:]
	if len(rest) <= p.limit {
		return listed[T]{Results: append([]T{}, rest...)}, nil
	}
	return listed[T]{Results: rest[:p.limit], NextPageToken: id(rest[p.limit-1])}, nil
}
