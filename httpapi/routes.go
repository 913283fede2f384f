package httpapi

import "github.com/gofiber/fiber/v2"

// mounts are the prefixes that clients of SMSGate's local, cloud and private servers use.
var mounts = []string{"", "/3rdparty/v1", "/api/3rdparty/v1"}

// routes registers everything. Fiber runs what matches in the order of registration: what stands
// before authenticate is open to all.
func (s *Server) routes() {
	s.app.Use(cleanPath, s.observe)
	for _, prefix := range mounts {
		s.openRoutes(s.app.Group(prefix))
	}
	s.app.Use(s.authenticate, s.takeBody, refuseEncoding)
	for _, prefix := range mounts {
		r := s.app.Group(prefix)
		r.Get("/", s.may(), s.index)
		s.messageRoutes(r, prefix)
		s.inboxRoutes(r)
		s.deviceRoutes(r)
		s.webhookRoutes(r)
		s.settingsRoutes(r)
		s.tokenRoutes(r)
		s.modemRoutes(r)
	}
	s.app.Use(s.may()) // what does not exist is no business of refresh tokens either
}

func (s *Server) openRoutes(r fiber.Router) {
	r.Get("/health", s.health)
	r.Get("/health/live", s.live)
	r.Get("/health/ready", s.ready)
	r.Get("/health/startup", s.startup)
	r.Get("/openapi.yaml", serveSpec)
	r.Get("/docs", docs)
	r.Get("/docs/:file", docsFile)
}

// Clients of different age say /message and /messages, /webhook and /webhooks, /device and /devices.

func (s *Server) messageRoutes(r fiber.Router, prefix string) {
	for _, path := range []string{"/messages", "/message"} {
		r.Post(path+"/inbox/export", s.may("messages:export"), s.exportInbox)
		r.Post(path, s.may("messages:send"), s.send(prefix))
		r.Get(path, s.may("messages:list", "messages:read"), s.list)
		r.Get(path+"/:id", s.may("messages:read"), s.get)
		r.Delete(path+"/:id", s.may("messages:cancel"), s.cancel)
	}
}

func (s *Server) inboxRoutes(r fiber.Router) {
	r.Get("/inbox", s.may("inbox:list"), s.inbox)
	r.Get("/inbox/unreadable", s.may("inbox:list"), s.unreadable)
	r.Get("/inbox/:id/attachments/:partId", s.may("inbox:read"), s.attachment)
	r.Post("/inbox/refresh", s.may("inbox:refresh"), s.refreshInbox)
	r.Post("/inbox/export", s.may("messages:export"), s.exportInbox) // as client-go and npm call it
}

func (s *Server) deviceRoutes(r fiber.Router) {
	for _, path := range []string{"/devices", "/device"} {
		r.Get(path, s.may("devices:list"), s.devices)
		r.Delete(path+"/:id", s.may("devices:delete"), s.deleteDevice)
	}
}

func (s *Server) webhookRoutes(r fiber.Router) {
	for _, path := range []string{"/webhooks", "/webhook"} {
		r.Get(path, s.may("webhooks:list"), s.webhooks)
		r.Post(path, s.may("webhooks:write"), s.putWebhook)
		r.Delete(path+"/:id", s.may("webhooks:delete"), s.deleteWebhook)
		r.Post(path+"/:id/test", s.may("webhooks:write"), s.testWebhook)
		r.Get(path+"/:id/deliveries", s.may("webhooks:list"), s.deliveries)
		r.Post(path+"/:id/deliveries/:delivery/replay", s.may("webhooks:write"), s.replayDelivery)
	}
}

func (s *Server) settingsRoutes(r fiber.Router) {
	r.Get("/settings", s.may("settings:read"), s.settings)
	r.Patch("/settings", s.may("settings:write"), s.patchSettings)
	r.Put("/settings", s.may("settings:write"), s.putSettings)
	r.Get("/logs", s.may("logs:read"), s.logs)
}

func (s *Server) tokenRoutes(r fiber.Router) {
	r.Post("/auth/token", s.may("tokens:manage"), s.issueToken)
	r.Post("/auth/token/refresh", s.may("tokens:refresh"), s.refreshToken)
	r.Post("/auth/refresh", s.may("tokens:refresh"), s.refreshToken) // as client-go calls it
	r.Delete("/auth/token/:jti", s.may("tokens:manage"), s.revokeToken)
}

// modemRoutes registers what SMSGate has no word for.
func (s *Server) modemRoutes(r fiber.Router) {
	r.Get("/modems", s.may("devices:list"), s.modems)
	r.Get("/modems/:sim", s.may("devices:list"), s.modem)
	r.Get("/modems/:sim/trace", s.may("logs:read"), s.trace)
	r.Post("/modems/:sim/ussd", s.may("messages:send"), s.ussd)
	r.Delete("/modems/:sim/ussd", s.may("messages:send"), s.cancelUSSD)
}
