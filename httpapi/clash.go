package httpapi

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"
)

// handlers counts those of each route, by method and path without the names of its parameters.
func (s *Server) handlers() map[string]int {
	count := map[string]int{}
	for _, r := range s.app.GetRoutes(true) {
		if r.Method != fiber.MethodHead { // which comes with each GET
			count[r.Method+" "+unnamed(r.Path)] += len(r.Handlers)
		}
	}
	return count
}

// alone has an API add its routes, and says which of them others have already. The router would take the
// first and tell nobody.
func (s *Server) alone(register func()) {
	before := s.handlers()
	register()
	for route, n := range s.handlers() {
		if before[route] > 0 && n > before[route] {
			s.clash = errors.Join(s.clash, fmt.Errorf("two APIs have the route %s", route))
		}
	}
}
