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

const (
	// storePatience is how long the store may take to count before it is called dead.
	storePatience = 2 * time.Second
	// weakSignal is +CSQ 4 in dBm (TS 27.007 section 8.5); below it sending often fails.
	weakSignal = -105
)

// health answers GET /health: everything, for people and monitors.
func (s *Server) health(c *fiber.Ctx) error {
	checks := modemChecks(s.opt.Modems.Modems())
	checks["db:ping"], checks["messages:failed"] = s.storeChecks(c.UserContext())
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

// modemChecks are open to all, so they hold no number and no identity.
func modemChecks(modems []modem.Status) map[string]healthCheck {
	checks := make(map[string]healthCheck, 2*len(modems)+3)
	connection := healthCheck{"A modem is ready to send", "boolean", 1, pass}
	down := warn
	if !slices.ContainsFunc(modems, modem.Status.Ready) {
		connection.ObservedValue, connection.Status, down = 0, fail, fail
	}
	checks["connection:status"] = connection
	for _, m := range modems {
		checks[fmt.Sprintf("modem:%d:status", m.SIM)] = modemCheck(m, down)
		checks[fmt.Sprintf("modem:%d:signal", m.SIM)] = signalCheck(m)
	}
	return checks
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

func signalCheck(m modem.Status) healthCheck {
	check := healthCheck{"Received signal level", "dBm", m.SignalDBM, pass}
	switch {
	case m.SignalDBM == 0:
		check.Description = "Received signal level is not known"
	case m.SignalDBM < weakSignal:
		check.Description, check.Status = "Received signal is weak: check the antenna and its place", warn
	}
	return check
}
