package httpapi

import (
	"context"
	"fmt"
	"runtime"
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
	now := time.Now()
	checks := modemChecks(s.opt.Modems.Modems(), now)
	checks["db:ping"], checks["messages:failed"] = s.storeChecks(c.UserContext())
	if check, ok := s.unreadableCheck(c.UserContext(), now); ok {
		checks["inbox:unreadable"] = check
	}
	return s.answerHealth(c, checks)
}

// live answers GET /health/live: the process serves requests. A supervisor restarts what fails
// this, and a restart mends no dongle.
func (s *Server) live(c *fiber.Ctx) error {
	return s.answerHealth(c, map[string]healthCheck{
		"system:goroutines": {"Goroutines", "goroutines", runtime.NumGoroutine(), pass},
	})
}

// ready answers GET /health/ready: messages can be accepted. That needs the store and no modem.
func (s *Server) ready(c *fiber.Ctx) error {
	ping, _ := s.storeChecks(c.UserContext())
	return s.answerHealth(c, map[string]healthCheck{"db:ping": ping})
}

func (s *Server) answerHealth(c *fiber.Ctx, checks map[string]healthCheck) error {
	status := fiber.StatusOK
	overall := worst(checks)
	if overall == fail {
		status = fiber.StatusServiceUnavailable
	}
	return c.Status(status).JSON(health{overall, s.opt.Version, s.opt.ReleaseID, checks})
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
// answers.
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
