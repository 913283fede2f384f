package httpapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"dongled/modem"
)

// ussdNetworkTimeOut is <m> of +CUSD, TS 27.007 section 7.15.
const ussdNetworkTimeOut = 5

// ussdAnswer is what the network said.
type ussdAnswer struct {
	Text   string `json:"text"`
	Status int    `json:"status"`
	// SessionOpen says that the next code is the reply to this answer.
	SessionOpen bool `json:"sessionOpen"`
}

// ussd answers POST /modems/{sim}/ussd once the network has. It is the one request that waits for
// a dongle; it is given up when the server stops.
func (s *Server) ussd(c *fiber.Ctx) error {
	m, err := s.named(c)
	if err != nil {
		return err
	}
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return err
	}
	code, err := parseUSSD(c.BodyRaw())
	if err != nil {
		return err
	}
	got, err := s.opt.Modems.USSD(s.serving, m.SIM, code)
	if err == nil && got.Status == ussdNetworkTimeOut {
		err = modem.ErrUSSDTimeout
	}
	if err != nil {
		return fromUSSD(m, err)
	}
	return c.JSON(ussdAnswer{got.Text, got.Status, got.Open()})
}

// cancelUSSD answers DELETE /modems/{sim}/ussd, with 204 also where there was nothing to end.
func (s *Server) cancelUSSD(c *fiber.Ctx) error {
	m, err := s.named(c)
	if err != nil {
		return err
	}
	if err := s.opt.Modems.CancelUSSD(s.serving, m.SIM); err != nil {
		return fromUSSD(m, err)
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func parseUSSD(body []byte) (code string, err error) {
	o := parseBody(body, "code")
	code, _ = o.text("code")
	if code == "" {
		o.reject("code", "is required")
	}
	return code, o.err
}

// fromUSSD words what became of a USSD on m; it names who has to do something.
func fromUSSD(m modem.Status, err error) error {
	decided := func(status int, format string, args ...any) error {
		return &statusError{status, fmt.Sprintf(format, args...)}
	}
	var refused *modem.USSDError
	switch {
	case errors.Is(err, modem.ErrUSSDCode):
		return fault("code", "must be 1 to 182 of the characters 0-9 * # +, or in an open session a reply of as many characters of GSM-7")
	case errors.As(err, &refused):
		return decided(fiber.StatusBadGateway, "SIM %d: %s", m.SIM, refused)
	case errors.Is(err, modem.ErrUSSDCancelled):
		return decided(fiber.StatusConflict, "the USSD request was cancelled")
	case errors.Is(err, modem.ErrUSSDBusy):
		return decided(fiber.StatusConflict, "SIM %d is busy with another USSD request, try again when it has ended", m.SIM)
	case errors.Is(err, modem.ErrUSSDTimeout), errors.Is(err, context.DeadlineExceeded):
		return decided(fiber.StatusGatewayTimeout, "the network did not answer in time: the code may be unknown to it")
	case errors.Is(err, context.Canceled):
		return decided(fiber.StatusServiceUnavailable, "dongled is stopping, try again")
	case errors.Is(err, modem.ErrNotReady) && m.Problem != "":
		return decided(fiber.StatusServiceUnavailable, "SIM %d is not ready (%s): %s", m.SIM, m.Problem, m.Hint)
	case errors.Is(err, modem.ErrNotReady):
		return decided(fiber.StatusServiceUnavailable, "SIM %d is not ready, try again", m.SIM)
	}
	return err
}
