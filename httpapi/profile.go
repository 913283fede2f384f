package httpapi

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"
)

// profile is how messages are spoken of under one base URL. The zero profile is SMSGate's.
type profile struct {
	prefix string
	// homeAPI is the API of 614901.xyz, which has the base URL of SMSGate's private servers. It differs
	// in what follows; fields that only one of the two has are in the answers of both.
	//
	//   - POST answers 200, not 202, and the IDs that it makes are UUIDs.
	//   - A listing may begin at "skip", another word for offset, and is of 20 messages, not 50.
	//   - What is well has "error": null, not no error.
	homeAPI bool
}

// profiles are the base URLs that clients of SMSGate's local, cloud and private servers use.
func (o *Options) profiles() []profile {
	return []profile{{}, {prefix: "/3rdparty/v1"}, {prefix: "/api/3rdparty/v1", homeAPI: !o.SMSGateOnly}}
}

func (p profile) accepted() int {
	if p.homeAPI {
		return fiber.StatusOK
	}
	return fiber.StatusAccepted
}

// newID is what a message is called whose client left that open; empty leaves it to the queue.
func (p profile) newID() string {
	if p.homeAPI {
		return utils.UUIDv4()
	}
	return ""
}

// Limits of a listing.
const (
	defaultLimit     = 50
	defaultHomeLimit = 20
	maxLimit         = 100
)

func (p profile) limit() int {
	if p.homeAPI {
		return defaultHomeLimit
	}
	return defaultLimit
}

// offset is where a listing begins.
func (p profile) offset(q *query) int {
	offset := q.integer("offset", 0, maxOffset, 0)
	if !p.homeAPI || q.get("skip") == "" {
		return offset
	}
	if q.get("offset") != "" {
		q.reject("skip", "fields conflict: skip and offset")
	}
	return q.integer("skip", 0, maxOffset, 0)
}

// problem is the error of a recipient; nil leaves the field out.
func (p profile) problem(why string) json.RawMessage {
	switch {
	case why != "":
		quoted, _ := json.Marshal(why) // a string always does
		return quoted
	case p.homeAPI:
		return json.RawMessage("null")
	}
	return nil
}
