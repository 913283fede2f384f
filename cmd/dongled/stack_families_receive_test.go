package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler/inbox"
	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
)

// comes has the service centre deliver a message.
func (c *suite) comes(d pdu.Deliver) {
	c.t.Helper()
	d.SMSC, d.SCTS = virtual.DefaultSMSC, time.Now()
	if err := c.Deliver(d); err != nil {
		c.t.Fatal(err)
	}
}

// says has a message of one part come in.
func (c *suite) says(from, text string) {
	c.t.Helper()
	c.comes(pdu.Deliver{Originator: from, Text: text})
	c.inbox = append(c.inbox, fmt.Sprintf("text from %s of 1: %q", from, text))
}

// unreadable ends in the middle of TP-OA.
var unreadable = []byte{0, 0x04, 0x0b, 0x91, 0x94}

// mmsParts are a WAP push of an MMS notification: transaction T1, from +491701, subject Hi?, at http://m/1;
// pdu's tests have the specification.
var mmsParts = [][]byte{
	[]byte("\x01\x06\x01\xbe\x8c\x82\x98T1\x00\x8d\x92\x89\x13\x80+491701/TYPE"),
	[]byte("=PLMN\x00\x96Hi?\x00\x83http://m/1\x00"),
}

// receives are messages of every kind, then more at once than the SIM has room for.
func (c *suite) receives() {
	c.t.Helper()
	const friend = "+491701234567"
	c.says(friend, "Hi there")
	c.comes(pdu.Deliver{Originator: friend, Text: "Hi there"}) // the same once more: its TP-SCTS is no other
	c.pass(time.Second)
	c.says(friend, "Hi there") // said twice
	c.says("MyBank", "Your code is 1234")
	for _, n := range []uint8{3, 1, 2} {
		c.comes(pdu.Deliver{
			Originator: friend, Text: []string{"one ", "zwei ü ", "три 😀"}[n-1],
			Concat: &pdu.Concat{Reference: 200, Total: 3, Number: n},
		})
		c.pass(10 * time.Second)
	}
	c.inbox = append(c.inbox, `text from +491701234567 of 3: "one zwei ü три 😀"`)
	c.comes(pdu.Deliver{Originator: "12345", Data: []byte{1, 6, 0, 0xff}, Ports: &pdu.Ports{Destination: 2948, Source: 9200}})
	c.inbox = append(c.inbox, "data from 12345 of 1: 010600ff to port 2948")
	for n := range mmsParts {
		c.comes(pdu.Deliver{
			Originator: "12345", Data: mmsParts[n], Ports: &pdu.Ports{Destination: 2948, Source: 9200},
			Concat: &pdu.Concat{Reference: 40846, Total: 2, Number: uint8(n + 1), Wide: true},
		})
	}
	c.inbox = append(c.inbox, "MMS from +491701 of 2: Hi?")
	if err := c.DeliverRaw(unreadable); err != nil {
		c.t.Fatal(err)
	}
	c.pass(2 * time.Minute)
	c.checkReceived()
	for i := range 25 {
		c.says(fmt.Sprintf("+4917000000%02d", i), "at once")
	}
	c.pass(10 * time.Minute)
	c.checkReceived()
}

// checkReceived: all that came is in the inbox, once, with whence and by which card; of what cannot be
// read there are the octets; and the stick has given all of it away.
func (c *suite) checkReceived() {
	c.t.Helper()
	page, total, err := c.Inbox().List(c.t.Context(), inbox.Filter{Limit: 100})
	if err != nil || total != len(c.inbox) {
		c.t.Errorf("%d messages came in, want %d; %v", total, len(c.inbox), err)
	}
	var got []string
	ids := map[string]bool{}
	for _, m := range page {
		what := fmt.Sprintf("text from %s of %d: %q", m.Sender, m.Parts, m.Text)
		if m.Kind == inbox.DataSMS {
			what = fmt.Sprintf("data from %s of %d: %x to port %d", m.Sender, m.Parts, m.Data, m.Port)
		}
		if m.Kind == inbox.MMS {
			what = fmt.Sprintf("MMS from %s of %d: %s", m.Sender, m.Parts, m.Notification.Subject)
		}
		got = append(got, what)
		ids[m.ID] = true
		if m.SIM != 1 || m.IMSI != suiteIMSI || m.ICCID != suiteICCID || m.IMEI != suiteIMEI ||
			m.SMSC != virtual.DefaultSMSC || m.Partial || m.Flash || m.Sent.After(m.Received) {
			c.t.Errorf("came in as %+v", m)
		}
	}
	compare(c.t, "in the inbox", got, c.inbox)
	events, err := c.Events(0, 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	received := []string{outbox.SMSReceived, outbox.DataSMSReceived, outbox.MMSReceived}
	for _, e := range events {
		if slices.Contains(received, e.Name) && !ids[e.Ref] {
			c.t.Errorf("event %d, %s, is of %q, which is told of already, or none", e.Seq, e.Name, e.Ref)
		}
		delete(ids, e.Ref)
	}
	if len(ids) > 0 {
		c.t.Errorf("no events of %v", ids)
	}
	raw, ever, err := c.Inbox().Unreadable(c.t.Context(), 10)
	if err != nil || ever != 1 || !bytes.Equal(raw[0].PDU, unreadable) || raw[0].IMSI != suiteIMSI || raw[0].SIM != 1 {
		c.t.Errorf("%d were unreadable, %+v, %v", ever, raw, err)
	}
	for _, memory := range []string{"SM", "ME", "SR"} {
		for _, left := range c.Stored(memory) {
			c.t.Errorf("left in %s: %s", memory, hex.EncodeToString(left))
		}
	}
}

// ussdScript is what the network answers.
var ussdScript = []virtual.USSD{
	{Code: "*100#", Text: "Balance: 3.50 EUR", Delay: 3 * time.Second},
	{Code: "*101#", Text: "1 Recharge\n2 Leave", Replies: []virtual.USSD{{Code: "1", Text: "Recharged"}}},
	{Code: "*102#", Text: "Баланс 5 €", DCS: 72},
}

func (c *suite) speaksUSSD() {
	c.t.Helper()
	for _, tt := range []struct {
		code, text string
		status     int
	}{
		{"*100#", "Balance: 3.50 EUR", 0},
		{"*101#", "1 Recharge\n2 Leave", 1},
		{"1", "Recharged", 0},
		{"*102#", "Баланс 5 €", 0},
		{"*999#", "", 4},
		{"*101#", "1 Recharge\n2 Leave", 1},
	} {
		got, err := c.USSD(c.t.Context(), 1, tt.code)
		if err != nil || got.Text != tt.text || got.Status != tt.status {
			c.t.Errorf("%s is answered by %q, <m> %d, %v", tt.code, got.Text, got.Status, err)
		}
	}
	if err := c.CancelUSSD(c.t.Context(), 1); err != nil {
		c.t.Error(err)
	}
	c.send(phone, queue.Content{Text: "after USSD"}, `"after USSD"`)
	c.pass(time.Minute)
	c.check()
}

func (c *suite) isCalled() {
	c.t.Helper()
	if err := c.Call("+4930123456"); err != nil {
		c.t.Fatal(err)
	}
	c.send(phone, queue.Content{Text: "while it rings"}, `"while it rings"`)
	c.pass(23 * time.Second)
	c.EndCall()
	c.pass(time.Minute)
	events, err := c.Events(0, 1000)
	if err != nil {
		c.t.Fatal(err)
	}
	var calls []string
	for _, e := range events {
		var call struct {
			PhoneNumber string
			SIMNumber   int
		}
		if e.Name != outbox.CallReceived {
			continue
		}
		if err := json.Unmarshal(e.Payload, &call); err != nil {
			c.t.Fatal(err)
		}
		calls = append(calls, fmt.Sprintf("%s on SIM %d", call.PhoneNumber, call.SIMNumber))
	}
	compare(c.t, "among the calls", calls, []string{"+4930123456 on SIM 1"})
	c.check()
}

// fallsSilent: +CFUN=1,1 is tried, and is not heard; the USB reset, which cuts the power, helps.
func (c *suite) fallsSilent() {
	c.t.Helper()
	c.Hang()
	c.send(phone, queue.Content{Text: "for a silent stick"}, `"for a silent stick"`)
	c.says("+491701234567", "to a silent stick")
	c.pass(time.Minute)
	st := c.status()
	if w := st.Warnings(time.Now()); st.Problem != modem.ProblemNoAnswer || len(w) != 1 ||
		w[0].ID != modem.ProblemNoAnswer || w[0].Severity != modem.SeverityFail {
		c.t.Errorf("a minute after it fell silent: %v, %+v", w, st)
	}
	c.pass(10 * time.Minute)
	c.expectReady(modem.WarningRecentlyReset)
	if st := c.status(); st.Resets != 2 || st.LastReset != "usb-reset" {
		c.t.Errorf("%d resets, the last one %s, want 2, usb-reset", st.Resets, st.LastReset)
	}
	c.checkSent()
	c.checkReceived()
}

// isUnplugged: what is asked for meanwhile waits on both sides.
func (c *suite) isUnplugged() {
	c.t.Helper()
	c.Unplug()
	c.send(phone, queue.Content{Text: "for an absent stick"}, `"for an absent stick"`)
	c.says("+491701234567", "to an absent stick")
	c.pass(time.Hour)
	c.expect(c.sent[len(c.sent)-1].id, queue.Pending, "")
	if st := c.status(); st.Problem != modem.ProblemPortMissing {
		c.t.Errorf("while it is unplugged: %+v", st)
	}
	c.Plug()
	c.pass(5 * time.Minute)
	c.check()
}

// bootsByItself: once at rest, once while the network takes the second of three parts, whose report
// then tells of it. Its settings are lost each time.
func (c *suite) bootsByItself() {
	c.t.Helper()
	c.Reboot()
	c.pass(5 * time.Second)
	c.says("+491701234567", "to a stick that boots")
	c.pass(5 * time.Minute)
	c.check()
	c.AddFaults(virtual.Fault{Do: virtual.Unplug, Nth: 2, Return: 10 * time.Second, Network: virtual.Takes})
	c.send(phone, queue.Content{Text: strings.Repeat("abcdefghij", 31)},
		`"`+strings.Repeat("abcdefghij", 15)+`abc"`, `"defghij`+strings.Repeat("abcdefghij", 14)+`abcdef"`, `"ghij"`)
	c.pass(10 * time.Minute)
	c.check()
}
