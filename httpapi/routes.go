package httpapi

import "github.com/gofiber/fiber/v2"

// mounts are the prefixes that clients of SMSGate's local, cloud and private servers use.
var mounts = []string{"", "/3rdparty/v1", "/api/3rdparty/v1"}

// routes registers everything. Fiber runs what matches in the order of registration: what stands
// before authenticate is open to all.
func (s *Server) routes(authenticate fiber.Handler) {
	s.app.Use(cleanPath, s.observe)
	for _, prefix := range mounts {
		s.openRoutes(s.app.Group(prefix))
	}
	s.app.Use(authenticate, refuseEncoding)
	for _, prefix := range mounts {
		s.nativeRoutes(s.app.Group(prefix), prefix)
	}
}

func (s *Server) openRoutes(r fiber.Router) {
	r.Get("/health", s.health)
	r.Get("/health/live", s.live)
	r.Get("/health/ready", s.ready)
	r.Get("/openapi.yaml", serveSpec)
}

// nativeRoutes registers SMSGate's API, in the plural and in the singular of older clients.
func (s *Server) nativeRoutes(r fiber.Router, prefix string) {
	r.Get("/", s.index)
	for _, path := range []string{"/messages", "/message"} {
		r.Post(path, s.send(prefix))
		r.Get(path, s.list)
		r.Get(path+"/:id", s.get)
		r.Delete(path+"/:id", s.cancel)
	}
	for _, path := range []string{"/devices", "/device"} {
		r.Get(path, s.devices)
	}
	r.Get("/inbox", s.inbox)
	s.ownRoutes(r)
}

// ownRoutes registers what SMSGate has no word for.
func (s *Server) ownRoutes(r fiber.Router) {
	r.Get("/inbox/unreadable", s.unreadable)
	r.Get("/modems", s.modems)
	r.Get("/modems/:sim", s.modem)
	r.Get("/modems/:sim/trace", s.trace)
	r.Post("/modems/:sim/ussd", s.ussd)
	r.Delete("/modems/:sim/ussd", s.cancelUSSD)
}
