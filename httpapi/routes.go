package httpapi

import "github.com/gofiber/fiber/v2"

// routes registers everything. Fiber runs what matches in the order of registration: what stands
// before authenticate is open to all.
func (s *Server) routes() {
	s.app.Use(cleanPath, s.observe)
	profiles := s.opt.profiles()
	for _, p := range profiles {
		s.openRoutes(s.app.Group(p.prefix))
	}
	for _, d := range s.opt.Dialects {
		s.alone(func() { d.Mount(s.app, s.dialectBody, s.serving) })
	}
	s.alone(func() { s.guardedRoutes(profiles) })
}

// guardedRoutes are those of SMSGate's API that ask for credentials.
func (s *Server) guardedRoutes(profiles []profile) {
	s.app.Use(s.authenticate, s.takeBody, refuseEncoding)
	for _, p := range profiles {
		r := s.app.Group(p.prefix)
		r.Get("/", s.may(), s.index)
		s.messageRoutes(r, p)
		s.inboxRoutes(r)
		s.deviceRoutes(r)
		s.webhookRoutes(r)
		s.settingsRoutes(r)
		s.tokenRoutes(r)
		s.modemRoutes(r)
		s.templateRoutes(r, p.prefix)
	}
	s.app.Use(s.may()) // what does not exist is no business of refresh tokens either
}

func (s *Server) openRoutes(r fiber.Router) {
	r.Get("/health", s.health)
	r.Get("/health/live", s.live)
	r.Get("/health/ready", s.ready)
	r.Get("/health/startup", s.startup)
	r.Get("/openapi.yaml", s.serveSpec)
	r.Get("/docs", docs)
	r.Get("/docs/:file", docsFile)
}

// Clients of different age say /message and /messages, /webhook and /webhooks, /device and /devices.

func (s *Server) messageRoutes(r fiber.Router, p profile) {
	for _, path := range []string{"/messages", "/message"} {
		r.Post(path+"/inbox/export", s.may("messages:export"), s.exportInbox)
		r.Post(path, s.may("messages:send"), s.send(p))
		r.Get(path, s.may("messages:list", "messages:read"), s.list(p))
		r.Get(path+"/:id", s.may("messages:read"), s.get(p))
		r.Delete(path+"/:id", s.may("messages:cancel"), s.cancel(p))
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
	r.Get("/callbacks", s.may("webhooks:list"), s.callbacks)
}

func (s *Server) settingsRoutes(r fiber.Router) {
	r.Get("/settings", s.may("settings:read"), s.settings)
	r.Patch("/settings", s.may("settings:write"), s.patchSettings)
	r.Put("/settings", s.may("settings:write"), s.putSettings)
	r.Get("/logs", s.may("logs:read"), s.logs)
	r.Get("/links", s.may("links:read"), s.links)
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

func (s *Server) templateRoutes(r fiber.Router, prefix string) {
	const one, version = "/templates/:id", "/templates/:id/versions/:version"
	r.Get("/templates", s.may("templates:read"), s.listTemplates)
	r.Post("/templates", s.may("templates:write"), s.createTemplate(prefix))
	r.Get(one, s.may("templates:read"), s.getTemplate)
	r.Put(one, s.may("templates:write"), s.renameTemplate)
	r.Delete(one, s.may("templates:write"), s.removeTemplate)
	r.Post(one+"/render", s.may("templates:read"), s.renderTemplate)
	r.Post(one+"/versions", s.may("templates:write"), s.addVersion)
	r.Put(version, s.may("templates:write"), s.replaceVersion)
	r.Delete(version, s.may("templates:write"), s.changeVersion(Templates.RemoveVersion))
	r.Post(version+"/activate", s.may("templates:write"), s.changeVersion(Templates.Activate))
	r.Post(version+"/retire", s.may("templates:write"), s.changeVersion(Templates.Retire))
}
