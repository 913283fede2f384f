package httpapi

import (
	"context"
	"encoding/hex"
	"math"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/inbox"
)

// unreadableNews is how long /health warns of a message that could not be read.
const unreadableNews = 24 * time.Hour

// unreadableMessage is what a dongle handed over as a message and nobody could decode. SMSGate has
// no word for it: a phone drops such messages.
type unreadableMessage struct {
	At        stamp  `json:"at"`
	SIMNumber int    `json:"simNumber,omitempty"`
	IMSI      string `json:"imsi,omitempty"`
	// PDU is service centre address and TPDU in hexadecimal, Line what the dongle said where that is none.
	PDU   string `json:"pdu,omitempty"`
	Line  string `json:"line,omitempty"`
	Error string `json:"error"`
}

// unreadable answers GET /inbox/unreadable, the latest first; X-Total-Count counts those too that
// the archive has forgotten.
func (s *Server) unreadable(c *fiber.Ctx) error {
	q := queryOf(c)
	q.words = inboxFaults
	limit := q.integer("limit", 1, maxInboxLimit, defaultLimit)
	if q.err != nil {
		return q.err
	}
	latest, ever, err := s.opt.Inbox.Unreadable(c.UserContext(), limit)
	if err != nil {
		return fromRead(err)
	}
	return paged(c, latest, ever, func(u inbox.Unreadable) unreadableMessage {
		return unreadableMessage{stamp(u.At), u.SIM, u.IMSI, hex.EncodeToString(u.PDU), u.Line, u.Error}
	})
}

// unreadableCheck shows that there were messages that nobody could read; ok is false if there were
// none, or it cannot be told.
func (s *Server) unreadableCheck(ctx context.Context, now time.Time) (check healthCheck, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	latest, ever, err := s.opt.Inbox.Unreadable(ctx, 1)
	if err != nil || ever == 0 {
		return healthCheck{}, false // the store's own check tells of an error
	}
	check = healthCheck{"Messages that came in and could not be read, ever; see /inbox/unreadable", "messages", capped(ever), pass}
	if now.Sub(newest(latest)) < unreadableNews {
		check.Status = warn
	}
	return check, true
}

// capped is n, as far as every client can read it.
func capped(n uint64) int { return int(min(n, math.MaxInt32)) }

// newest is when the first of a list came; retention may have left none.
func newest(list []inbox.Unreadable) (at time.Time) {
	if len(list) > 0 {
		at = list[0].At
	}
	return at
}
