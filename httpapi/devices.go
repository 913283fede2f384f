package httpapi

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/modem"
)

// index answers GET /, which Home Assistant uses as a probe of the credentials.
func (s *Server) index(c *fiber.Ctx) error {
	return c.JSON(struct {
		Status string `json:"status"`
		Model  string `json:"model"`
	}{"ok", s.opt.DeviceName})
}

// devices answers with the gateway as SMSGate's one device and each modem as one of its SIMs.
func (s *Server) devices(c *fiber.Ctx) error {
	modems := s.opt.Modems.Modems()
	seen := stamp(lastSeen(modems, s.opt.Started))
	return c.JSON([]device{{
		ID:        s.opt.DeviceID,
		Name:      s.opt.DeviceName,
		CreatedAt: stamp(s.opt.Created),
		UpdatedAt: seen,
		LastSeen:  seen,
		SIMCards:  simCards(modems),
	}})
}

func simCards(modems []modem.Status) []simCard {
	cards := make([]simCard, 0, len(modems))
	for _, m := range modems {
		cards = append(cards, simCard{
			SlotIndex:   m.SIM - 1,
			SIMNumber:   m.SIM,
			PhoneNumber: m.Number,
			CarrierName: m.Operator,
			ICCID:       m.ICCID,
		})
	}
	return cards
}

// lastSeen is when any modem last answered, or started where none did.
func lastSeen(modems []modem.Status, started time.Time) time.Time {
	latest := started
	for _, m := range modems {
		if m.LastSeen.After(latest) {
			latest = m.LastSeen
		}
	}
	return latest
}

var (
	errNoDevice  = &statusError{fiber.StatusNotFound, "device not found"}
	errOwnDevice = &statusError{fiber.StatusConflict, "this gateway is the device itself and cannot be deleted"}
)

// deleteDevice answers DELETE /devices/{id}. SMSGate's server forgets a phone so; there is none here
// beside the gateway.
func (s *Server) deleteDevice(c *fiber.Ctx) error {
	id, err := url.PathUnescape(c.Params("id"))
	if err == nil && id == s.opt.DeviceID {
		return errOwnDevice
	}
	return errNoDevice
}
