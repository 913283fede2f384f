package httpapi

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/modem"
	"dongled/scheduler/queue"
)

// storePatience is how long the store may take to count before it is called dead.
const storePatience = 2 * time.Second

// health answers GET /health: everything, for people and monitors.
func (s *Server) health(c *fiber.Ctx) error {
	return answerHealth(c, s.wholeHealth(c.UserContext()))
}

// wholeHealth is what GET /health and system:ping tell.
func (s *Server) wholeHealth(ctx context.Context) health {
	now := time.Now()
	modems := s.opt.Modems.Modems()
	checks := modemChecks(modems, now)
	checks["connection:transport"], checks["connection:cellular"] = networkChecks(modems)
	checks["db:ping"], checks["messages:failed"] = s.storeChecks(ctx)
	if check, ok := s.unreadableCheck(ctx, now); ok {
		checks["inbox:unreadable"] = check
	}
	if check, ok := s.uplinkCheck(); ok {
		checks["uplink:connected"] = check
	}
	if s.opt.Certificate != nil {
		checks["tls:certificate"] = certificateCheck(s.opt.Certificate, now)
	}
	return s.healthOf(checks)
}

// live answers GET /health/live: the process serves requests. A supervisor restarts what fails
// this, and a restart mends no dongle.
func (s *Server) live(c *fiber.Ctx) error {
	return answerHealth(c, s.healthOf(map[string]healthCheck{
		"system:goroutines": {"Goroutines", "goroutines", runtime.NumGoroutine(), pass},
		"system:memory":     {"Memory in use by the process's own data", "MiB", heapMiB(), pass},
	}))
}

// heapMiB is the size of what is on the heap. Unlike runtime.ReadMemStats it stops nobody.
func heapMiB() int {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int(sample[0].Value.Uint64() >> 20)
}

// ready answers GET /health/ready: messages can be accepted. That needs the store and no modem.
func (s *Server) ready(c *fiber.Ctx) error {
	ping, _ := s.storeChecks(c.UserContext())
	return answerHealth(c, s.healthOf(map[string]healthCheck{"db:ping": ping}))
}

// startup answers GET /health/startup: New is called with an open store, so who is answered at all
// finds what ready tells.
func (s *Server) startup(c *fiber.Ctx) error { return s.ready(c) }
func (s *Server) healthOf(checks map[string]healthCheck) health {
	return health{worst(checks), s.opt.Version, s.opt.ReleaseID, checks}
}

func answerHealth(c *fiber.Ctx, h health) error {
	status := fiber.StatusOK
	if h.Status == fail {
		status = fiber.StatusServiceUnavailable
	}
	return c.Status(status).JSON(h)
}

// uplinkCheck is there where an SMSGate server is configured. Without its stream of events messages
// still come, every 15 minutes.
func (s *Server) uplinkCheck() (check healthCheck, configured bool) {
	if s.opt.Uplink == nil {
		return check, false
	}
	connected, configured := s.opt.Uplink.Connected()
	if !connected {
		return healthCheck{"Not connected with the SMSGate server", "boolean", 0, warn}, configured
	}
	return healthCheck{"Connected with the SMSGate server", "boolean", 1, pass}, configured
}

func worst(checks map[string]healthCheck) healthStatus {
	overall := pass
	for _, check := range checks {
		if check.Status == fail {
			return fail
		}
		if check.Status == warn {
			overall = warn
		}
	}
	return overall
}

// storeChecks counts the messages of the last hour that failed, which also shows that the store
// answers. They are a warning at most: SMSGate's phone fails when messages failed and none went, but
// one wrong number must not have monitors call the gateway dead, and what keeps every message from
// going is a failure of the modem or of connection:status.
func (s *Server) storeChecks(ctx context.Context) (ping, failed healthCheck) {
	ctx, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	_, count, err := s.opt.Messages.List(ctx, queue.Filter{State: queue.Failed, From: time.Now().Add(-time.Hour)})

	ping = healthCheck{"Message store answers", "boolean", 1, pass}
	failed = healthCheck{"Messages accepted in the last hour that failed", "messages", count, pass}
	if count > 0 {
		failed.Status = warn
	}
	if err != nil {
		s.log.Error("message store does not answer", "error", err)
		ping.ObservedValue, ping.Status = 0, fail
	}
	return ping, failed
}

// modemChecks judge the dongles as they are now: a check is as old as the status it was made from.
// They are open to all, so they hold no number and no identity.
func modemChecks(modems []modem.Status, now time.Time) map[string]healthCheck {
	checks := make(map[string]healthCheck, 4*len(modems)+3)
	connection := healthCheck{"A modem is ready to send", "boolean", 1, pass}
	if !slices.ContainsFunc(modems, modem.Status.Ready) {
		connection.ObservedValue, connection.Status = 0, fail
	}
	checks["connection:status"] = connection
	// While one modem is sound, another's failure is a warning.
	down := fail
	if slices.ContainsFunc(modems, func(m modem.Status) bool { return sound(m, now) }) {
		down = warn
	}
	for _, m := range modems {
		checks[checkName(m, "status")] = modemCheck(m, down)
		checks[checkName(m, "signal")] = signalCheck(m)
		for _, w := range m.Warnings(now) {
			check := healthCheck{w.Text, "boolean", 1, warn}
			if severity(w) == fail {
				check.Status = down
			}
			checks[checkName(m, w.ID)] = check
		}
	}
	return checks
}

// The values of SMSGate's connection:transport and connection:cellular; a generation g is 2G for 2, and so on.
const (
	noTransport     = 0
	cellular        = 2
	noCellular      = 0
	unknownCellular = 1
)

// networkChecks say whether any SIM is in a network, and the best radio by which one is.
func networkChecks(modems []modem.Status) (transport, radio healthCheck) {
	transport = healthCheck{"Network transport: 2 is cellular, 0 none", "flags", noTransport, fail}
	radio = healthCheck{"Radio: 0 none, 1 unknown, 2 2G, 3 3G, 4 4G, 5 5G", "index", noCellular, pass}
	for _, m := range modems {
		if !modem.Registered(m.Registration) && !m.Ready() {
			continue
		}
		transport.ObservedValue, transport.Status = cellular, pass
		radio.ObservedValue = max(radio.ObservedValue, unknownCellular, m.Generation)
	}
	return transport, radio
}

func checkName(m modem.Status, of string) string { return fmt.Sprintf("modem:%d:%s", m.SIM, of) }

// sound reports whether a modem can do all of its work.
func sound(m modem.Status, now time.Time) bool {
	return m.Ready() && !slices.ContainsFunc(m.Warnings(now), func(w modem.Warning) bool { return severity(w) == fail })
}

// modemCheck gives a modem that is not ready the status down.
func modemCheck(m modem.Status, down healthStatus) healthCheck {
	if m.Ready() {
		return healthCheck{"Modem is ready to send", "boolean", 1, pass}
	}
	description := string(m.State)
	if m.Problem != "" {
		description = m.Problem
	}
	if m.Hint != "" {
		description += ": " + m.Hint
	}
	return healthCheck{description, "boolean", 0, down}
}

// signalCheck only shows the level; that it is weak is a warning of its own.
func signalCheck(m modem.Status) healthCheck {
	if m.SignalDBM == 0 {
		return healthCheck{"Received signal level is not known", "dBm", 0, pass}
	}
	return healthCheck{"Received signal level", "dBm", m.SignalDBM, pass}
}
