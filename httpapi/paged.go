package httpapi

import (
	"fmt"

	"github.com/gofiber/fiber/v2"
)

// headerTotalCount carries how many there are in all of what a listing is a page of.
const headerTotalCount = "X-Total-Count"

// paged answers a listing: a page, each of it as view shows it, of total.
func paged[T, V any, N int | uint64](c *fiber.Ctx, page []T, total N, view func(T) V) error {
	views := make([]V, 0, len(page))
	for _, item := range page {
		views = append(views, view(item))
	}
	c.Set(headerTotalCount, fmt.Sprint(total))
	return c.JSON(views)
}
