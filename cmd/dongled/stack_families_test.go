package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// families is what is to be seen of each make beyond the script that all of them pass: the setting
// of +CNMI (TS 27.005 section 3.4.1) in force, and why it is that one. The one thing in the script that
// cannot be had of all is the service centre's number in a report, see zteReports.
var families = []struct{ name, cnmi, why string }{
	{"generic", "2,1,0,1,0", "as the standard has it"},
	{"huawei-e173", "1,1,0,1,0", "mode 2 is offered and refused"},
	{"huawei-e1752", "2,1,0,1,0", "mode 2 is taken"},
	{"huawei-e3372", "2,1,0,1,0", "mode 2 is taken"},
	{"novatel", "2,1,0,2,0", "a +CDS may neither be acknowledged nor not: reports are stored"},
	{"quectel-ec25", "2,1,0,1,0", "its +CDSI names a wrong place: reports come as +CDS"},
	{"sim7600", "2,1,0,1,0", "as the standard has it"},
	{"sim800", "2,1,0,1,0", "stored reports are not offered"},
	{"tc35", "2,1,0,2,1", "reports are only stored in phase 2, and <bfr> is 1"},
	{"ublox", "2,1,0,1,0", "as the standard has it"},
	{"wavecom", "2,1,0,1,0", "as the standard has it"},
	{zteReports, "1,1,0,1,0", "mode 2 is offered and refused"},
}

// zteReports cuts the service centre's address in a report down to its first digit.
const zteReports = "zte-mf190"

// The identity of the one stick and SIM of a suite.
const (
	suiteIMEI  = "490154203237518"
	suiteICCID = "8949020000000000017"
	suiteIMSI  = "262010000000017"
)

// suite is the life of one stick: what was asked for, and what has to be seen in the end.
type suite struct {
	*stack
	*radio
	t    *testing.T
	sent []asked
	// air is what has to have been on the air, inbox what has to have come in.
	air, inbox []string
}

// asked is a message with what has to become of it.
type asked struct {
	id      string
	state   queue.State
	problem string
	parts   []queue.PartState
}

// TestFamilySuites has a stick of each make go through the same: it sends, brings reports, receives,
// speaks USSD, is called, falls silent, is unplugged, boots by itself. What a user sees is the same.
func TestFamilySuites(t *testing.T) {
	var names []string
	for _, f := range families {
		names = append(names, f.name)
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newSuite(t, f.name)
				c.pass(2 * time.Minute)
				c.comesUp(f.name, f.cnmi)
				c.sends()
				c.receives()
				c.speaksUSSD()
				c.isCalled()
				c.fallsSilent()
				c.isUnplugged()
				c.bootsByItself()
				c.pass(2 * time.Hour) // a reset is told of for an hour
				c.check()
				c.restart()
				c.pass(2 * time.Hour)
				c.check()
			})
		})
	}
	slices.Sort(names)
	if !slices.Equal(names, virtual.Families()) {
		t.Errorf("the table has %q, there are %q", names, virtual.Families())
	}
}

func newSuite(t *testing.T, name string) *suite {
	t.Helper()
	o, _ := virtual.Family(name)
	o.IMEI, o.IMSI, o.ICCID = suiteIMEI, suiteIMSI, suiteICCID
	o.Slots = 10
	o.RegisterDelay, o.SubmitDelay, o.ReportDelay = 4*time.Second, 2*time.Second, 3*time.Second
	o.USSD = ussdScript
	r := newRadio(1, o)
	r.recovery = []modem.RecoveryStep{{Name: "usb-reset", Do: func(context.Context, string, modem.Status) error {
		r.Unplug()
		time.AfterFunc(time.Second, r.Plug)
		return nil
	}}}
	return &suite{stack: stackOf(t, scheduler.Options{FIFO: true}, r), radio: r, t: t}
}

func (c *suite) status() modem.Status { return c.Modems()[0] }

// expectReady: the SIM may send, and there is nothing that a person should look at but these.
func (c *suite) expectReady(warnings ...string) {
	c.t.Helper()
	st := c.status()
	var ids []string
	for _, w := range st.Warnings(time.Now()) {
		ids = append(ids, w.ID)
	}
	if !st.Ready() || !slices.Equal(ids, warnings) {
		c.t.Fatalf("warnings %q, want %q: %+v", ids, warnings, st)
	}
}

func (c *suite) comesUp(name, cnmi string) {
	c.t.Helper()
	c.expectReady()
	st := c.status()
	if st.Profile != name || st.IMEI != suiteIMEI || st.IMSI != suiteIMSI || st.ICCID != suiteICCID ||
		st.SMSC != virtual.DefaultSMSC || st.Operator != virtual.DefaultOperator || !st.Reports || st.Registration != 1 {
		c.t.Errorf("%+v", st)
	}
	lines, _ := c.Trace(1, false)
	inForce := ""
	for _, l := range lines {
		if value, is := strings.CutPrefix(l.Text, "+CNMI: "); is && !l.Sent && !strings.HasPrefix(value, "(") {
			inForce = value
		}
	}
	if inForce != cnmi {
		c.t.Errorf("+CNMI is %q, want %q", inForce, cnmi)
	}
}

// send submits a message of which the network is to take these parts, each reported as delivered.
func (c *suite) send(to string, content queue.Content, parts ...string) string {
	c.t.Helper()
	id := c.post(queue.Submission{Content: content, Recipients: []string{to}, Report: true, SkipPhoneValidation: true})
	m := asked{id: id, state: queue.Delivered}
	for i, p := range parts {
		c.air = append(c.air, fmt.Sprintf("%s %d/%d %s", to, i+1, len(parts), p))
		m.parts = append(m.parts, queue.PartDelivered)
	}
	c.sent = append(c.sent, m)
	return id
}

// ends says that the latest message ends otherwise than delivered.
func (c *suite) ends(state queue.State, problem string, parts ...queue.PartState) {
	m := &c.sent[len(c.sent)-1]
	m.state, m.problem, m.parts = state, problem, parts
}

// sends are messages of every kind, and reports of every class (TS 23.040 section 9.2.3.15).
func (c *suite) sends() {
	c.t.Helper()
	const failing, trying = "+4915112345671", "+4915112345672"
	c.AddFaults(
		virtual.Fault{Do: virtual.ReportStatus, Code: 0x46, To: failing},
		virtual.Fault{Do: virtual.ReportStatus, Code: 0x30, To: trying, Delay: time.Minute},
	)
	c.send(phone, queue.Content{Text: "Hello [€]"}, `"Hello [€]"`)
	// 153 septets a part.
	c.send(phone, queue.Content{Text: strings.Repeat("0123456789", 31)},
		`"`+strings.Repeat("0123456789", 15)+`012"`, `"3456789`+strings.Repeat("0123456789", 14)+`012345"`, `"6789"`)
	// 67 UTF-16 units a part: the emoji needs two, and is not cut.
	c.send(phone, queue.Content{Text: strings.Repeat("я", 66) + "😀ok?"}, `"`+strings.Repeat("я", 66)+`"`, `"😀ok?"`)
	c.send(phone, queue.Content{Data: []byte{0, 0x1a, 0x1b, 0xff}, Port: 2948}, "001a1bff to port 2948")
	c.send(failing, queue.Content{Text: "Nobody there"}, `"Nobody there"`)
	centre := virtual.DefaultSMSC
	if c.status().Profile == zteReports {
		centre = "+1"
	}
	c.ends(queue.Failed, "Delivery result from SC "+centre+": 70 (SM validity period expired)", queue.PartUndelivered)
	c.send(trying, queue.Content{Text: "Later"}, `"Later"`)
	c.pass(30 * time.Second)
	c.expect(c.sent[len(c.sent)-1].id, queue.Sent, "")
	c.pass(time.Minute)
	c.checkSent()
}

// onAir describes what the network took.
func onAir(s virtual.Submission) string {
	number, total := 1, 1
	if s.Submit.Concat != nil {
		number, total = int(s.Submit.Concat.Number), int(s.Submit.Concat.Total)
	}
	what := fmt.Sprintf("%q", s.Submit.Text)
	if s.Submit.Ports != nil {
		what = fmt.Sprintf("%x to port %d", s.Submit.Data, s.Submit.Ports.Destination)
	}
	return fmt.Sprintf("%s %d/%d %s", s.Submit.Destination, number, total, what)
}

// checkSent: every message is in its state, with the reports of all its parts, and left once.
func (c *suite) checkSent() {
	c.t.Helper()
	for _, want := range c.sent {
		c.expect(want.id, want.state, want.problem)
		var parts []queue.PartState
		for _, p := range c.get(want.id).Recipients[0].Parts {
			parts = append(parts, p.State)
			if p.IMSI != suiteIMSI {
				c.t.Errorf("%s left by %q", want.id, p.IMSI)
			}
		}
		if !slices.Equal(parts, want.parts) {
			c.t.Errorf("the parts of %q are %v, want %v", c.get(want.id).Content.Text, parts, want.parts)
		}
	}
	var air []string
	for _, s := range c.Submissions() {
		air = append(air, onAir(s))
	}
	compare(c.t, "on the air", air, c.air)
}

// compare says which are missing or too many.
func compare(t *testing.T, where string, got, want []string) {
	t.Helper()
	left := slices.Clone(want)
	for _, g := range got {
		if i := slices.Index(left, g); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			t.Errorf("%s too many: %s", where, g)
		}
	}
	for _, l := range left {
		t.Errorf("%s missing: %s", where, l)
	}
}

// check is what has to be true whenever the stick has come to rest.
func (c *suite) check() {
	c.t.Helper()
	c.checkSent()
	c.checkReceived()
	c.expectReady()
}
