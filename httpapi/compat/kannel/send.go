package kannel

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
)

// The bits of dlr-mask that mean something here.
const (
	dlrDelivered = 1
	dlrFailed    = 2
	dlrAccepted  = 8
	dlrRefused   = 16
	maxMask      = 63
)

// meta is what reports say of a message besides what the queue knows.
type meta struct {
	URL     string `json:"url,omitempty"`
	Mask    int    `json:"mask,omitempty"`
	From    string `json:"from,omitempty"`
	User    string `json:"user,omitempty"`
	Account string `json:"account,omitempty"`
	BInfo   string `json:"binfo,omitempty"`
	Coding  int    `json:"coding,omitempty"`
}

const (
	answerAccepted = "0: Accepted for delivery"
	answerQueued   = "3: Queued for later delivery"
)

func (d *Dialect) send(c *fiber.Ctx) error {
	p := read(c)
	now := time.Now()
	s := queue.Submission{
		Recipients: p.numbers(), SIM: d.sim(p), Priority: int8(p.number(0, 3, "priority")),
		ScheduleAt: p.after(now, "deferred"), ValidUntil: p.after(now, "validity"), Origin: d.Name(),
	}
	if len(s.Recipients) == 0 {
		return compat.Fault("", "Empty receiver number not allowed")
	}
	s.Content = p.content()
	p.refuseOthers()
	m := d.meta(p, compat.Identity(c).User)
	s.Report = m.URL != "" && m.Mask&(dlrDelivered|dlrFailed) != 0
	if p.err != nil {
		return p.err
	}
	var err error
	if s.Meta, err = json.Marshal(m); err != nil {
		return err
	}
	if _, err := d.gateway.Messages.Submit(c.UserContext(), s); err != nil {
		return naming(err)
	}
	answer := answerAccepted
	if !s.ScheduleAt.IsZero() {
		answer = answerQueued
	}
	return c.Status(fiber.StatusAccepted).SendString(answer)
}

// sim is the one that smsc names, or from, if that is a SIM's.
func (d *Dialect) sim(p *params) int {
	sims := d.gateway.SIMs.Modems()
	if name := p.get("smsc"); name != "" {
		st, found := compat.SIM(sims, name)
		if !found {
			p.reject("smsc", "there is no SIM of this name, number or simNumber")
		}
		return st.SIM
	}
	if from := p.get("from"); from != "" {
		st, _ := compat.SIM(sims, from)
		return st.SIM
	}
	return 0
}

func (d *Dialect) meta(p *params, user string) meta {
	m := meta{
		URL: p.get("dlr-url", "dlrurl"), Mask: p.number(0, maxMask, "dlr-mask", "dlrmask"), From: p.short("from"),
		User: user, Account: p.short("account"), BInfo: p.short("binfo"), Coding: p.number(coding7Bit, codingUCS2, "coding"),
	}
	if m.URL != "" {
		d.checkURL(p, m.URL)
	}
	return m
}

// checkURL checks a dlr-url with something in place of its escapes, which are no URL yet. Whatever they
// stand for, it has to lead to the host that was checked.
func (d *Dialect) checkURL(p *params, template string) {
	filled := func(value string) string { return expand(template, func(byte) (string, bool) { return value, true }) }
	if err := d.callbacks.Check(filled("0")); err != nil {
		p.reject("dlr-url", "%s", err)
		return
	}
	zero, errZero := url.Parse(filled("0"))
	one, errOne := url.Parse(filled("1"))
	if errZero != nil || errOne != nil || zero.Scheme != one.Scheme || zero.Host != one.Host {
		p.reject("dlr-url", "must not have escapes in its host")
	}
}

// naming gives the fields of an error the names that they have here.
func naming(err error) error {
	switch t := compat.Explain(err); t.Field {
	case "scheduleAt", "validUntil":
		return compat.Fault("validity", "must be longer than deferred")
	}
	return compat.Named(err, "phoneNumbers", "to", "", "text")
}
