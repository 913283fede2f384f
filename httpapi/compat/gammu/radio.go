package gammu

import (
	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/modem"
)

// best is the first SIM that can send, or else the first there is.
func (d *Dialect) best() (best modem.Status, found bool) {
	sims := d.gateway.SIMs.Modems()
	for _, st := range sims {
		if st.Ready() {
			return st, true
		}
	}
	if len(sims) > 0 {
		return sims[0], true
	}
	return modem.Status{}, false
}

type signal struct {
	SignalStrength int `json:"SignalStrength"` // dBm
	SignalPercent  int `json:"SignalPercent"`
	BitErrorRate   int `json:"BitErrorRate"` // -1 is not known
}

func (d *Dialect) signal(c *fiber.Ctx) error {
	st, found := d.best()
	if !found || st.SignalDBM == 0 {
		return c.JSON(signal{SignalStrength: -1, SignalPercent: 0, BitErrorRate: -1})
	}
	return c.JSON(signal{st.SignalDBM, percent(st.SignalDBM), -1})
}

// percent is where a level is between -113 and -51 dBm, the ends of +CSQ (TS 27.007 section 8.5).
func percent(dbm int) int { return min(100, max(0, (dbm+113)*100/62)) }

type network struct {
	NetworkName string `json:"NetworkName"`
	State       string `json:"State"`
	PacketState string `json:"PacketState"`
	NetworkCode string `json:"NetworkCode"`
	CID         string `json:"CID"`
	PacketCID   string `json:"PacketCID"`
	GPRS        string `json:"GPRS"`
	PacketLAC   string `json:"PacketLAC"`
	LAC         string `json:"LAC"`
}

// registrations are Gammu's words for <stat> of +CREG (TS 27.007 section 7.2).
var registrations = map[int]string{
	0: "NoNetwork", 1: "HomeNetwork", 2: "RequestingNetwork", 3: "RegistrationDenied", 4: "Unknown", 5: "RoamingNetwork",
}

// network leaves empty what is of mobile data, which no dongle here uses.
func (d *Dialect) network(c *fiber.Ctx) error {
	st, found := d.best()
	n := network{NetworkName: st.Operator, State: "NoNetwork", PacketState: "Unknown"}
	if state, known := registrations[st.Registration]; found && known {
		n.State = state
	}
	return c.JSON(n)
}

func reset(c *fiber.Ctx) error {
	return c.Status(fiber.StatusNotImplemented).JSON(problem{"not supported: dongles that hang are reset by the gateway itself"})
}

var _ compat.Dialect = (*Dialect)(nil)
