package httpapi

import "net/http"

// Routes lists what a Server has registered, as "GET /path".
func Routes(s *Server) []string {
	var routes []string
	for _, r := range s.app.GetRoutes(true) {
		if r.Method != "HEAD" {
			routes = append(routes, r.Method+" "+r.Path)
		}
	}
	return routes
}

// Answer answers one request without a connection.
func Answer(s *Server, r *http.Request) (*http.Response, error) { return s.app.Test(r, -1) }
