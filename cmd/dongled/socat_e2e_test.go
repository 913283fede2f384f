package main_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestSocat is the whole way: HTTP, queue, AT commands through socat, PDU, and the report back.
// Two SIMs; each message must leave by its own.
func TestSocat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := behindSocat(t, dir, "one", "--first-mr=255", "--submit-delay=5ms", "--report-delay=20ms")
	two := behindSocat(t, dir, "two", "--submit-delay=5ms", "--report-delay=20ms")
	g := newSite(t, []string{one.port(), two.port()}, knownPassword, "messages: {processing_order: FIFO}").serve(t)
	g.awaitReady(t)

	t.Run("text", func(t *testing.T) { socatText(t, g, one) })
	t.Run("no report", func(t *testing.T) { socatNoReport(t, g, one) })
	t.Run("ten parts", func(t *testing.T) { socatLong(t, g, two) })
	t.Run("data", func(t *testing.T) { socatData(t, g, two) })

	// TP-MR counts on over messages, 255 → 0, and each dongle took its own messages only.
	for d, want := range map[*dongle]struct{ first, parts int }{one: {255, 2}, two: {250, 10 + 1 + 3}} {
		all := d.taken(t)
		if len(all) != want.parts {
			t.Errorf("SIM %s sent %d parts, want %d", d.name, len(all), want.parts)
		}
		for i, s := range all {
			if s.MR != uint8(want.first+i) {
				t.Errorf("SIM %s, submission %d: TP-MR %d, want %d", d.name, i, s.MR, uint8(want.first+i))
			}
		}
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// delivered sends a message and checks how it became Delivered.
func delivered(t *testing.T, g *gateway, body string) {
	t.Helper()
	m := g.awaitState(t, g.send(t, body).ID, "Delivered")
	for _, r := range m.Recipients {
		if r.State != "Delivered" || r.Error != "" {
			t.Errorf("recipient %+v", r)
		}
	}
	order := []string{"Pending", "Processed", "Sent", "Delivered"}
	for i, state := range order {
		at, reached := m.States[state]
		if !reached || i > 0 && at.Before(m.States[order[i-1]]) {
			t.Errorf("%s at %v, in %v", state, at, m.States)
		}
	}
}

// socatText compares a PDU with one made by hand: no SCA, SMS-SUBMIT with TP-SRR, +4915112345678,
// PID 0, DCS 0, "Hello" in septets.
func socatText(t *testing.T, g *gateway, one *dongle) {
	delivered(t, g, `{"textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345678"],"simNumber":1}`)
	got := to("+4915112345678", one.taken(t))
	if len(got) != 1 {
		t.Fatalf("SIM 1 sent %d parts: %+v", len(got), got)
	}
	if want := "0021000D91945111325476F8000005C8329BFD06"; got[0].Raw != want {
		t.Errorf("PDU %s, want %s", got[0].Raw, want)
	}
}

// socatNoReport: without a report, Sent is the end, and none is asked for.
func socatNoReport(t *testing.T, g *gateway, one *dongle) {
	m := g.send(t, `{"textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345679"],"simNumber":1,"withDeliveryReport":false}`)
	g.awaitState(t, m.ID, "Sent")
	got := to("+4915112345679", one.taken(t))
	if len(got) != 1 {
		t.Fatalf("SIM 1 sent %d parts: %+v", len(got), got)
	}
	if want := "0001000D91945111325476F9000005C8329BFD06"; got[0].Raw != want {
		t.Errorf("PDU %s, want %s", got[0].Raw, want)
	}
}

// socatLong sends 640 UTF-16 code units. A part holds 67 of them, or 66 where the next is the first
// half of a surrogate pair; either way ten parts.
func socatLong(t *testing.T, g *gateway, two *dongle) {
	long := strings.Repeat("Привет, мир! 👋 ", 40)
	delivered(t, g, fmt.Sprintf(`{"textMessage":{"text":%q},"phoneNumbers":["+4915112345670"],"simNumber":2}`, long))
	parts := to("+4915112345670", two.taken(t))
	if len(parts) != 10 {
		t.Fatalf("%d parts, want 10", len(parts))
	}
	if got := text(t, parts); got != long {
		t.Errorf("the phone shows %q", got)
	}
	for i, p := range parts {
		units := len(utf16.Encode([]rune(p.Text)))
		if last := i == 9; units > 67 || !last && units < 66 {
			t.Errorf("part %d has %d code units", i+1, units)
		}
		if !p.Report {
			t.Errorf("part %d does not ask for a report", i+1)
		}
	}
}

// socatData sends four octets in one part, and 300 in three: of 140, one goes for the header's length,
// six for the ports and five for the concatenation, so 128 are left.
func socatData(t *testing.T, g *gateway, two *dongle) {
	delivered(t, g, `{"dataMessage":{"data":"3q2+7w==","port":53739},"phoneNumbers":["+4915112345671"],"simNumber":2}`)
	short := to("+4915112345671", two.taken(t))
	if len(short) != 1 {
		t.Fatalf("%d parts, want 1", len(short))
	}
	// First octet 61: TP-UDHI, TP-SRR, SMS-SUBMIT. DCS 04; UDL 11; UDHL 6: IEI 05, 4 octets, ports 53739 and 0; DE AD BE EF.
	if want := "0061000D91945111325476F100040B060504D1EB0000DEADBEEF"; short[0].Raw != want {
		t.Errorf("PDU %s, want %s", short[0].Raw, want)
	}

	data := []byte(strings.Repeat("\x00\x1a\x1b\r\n\xff", 50)) // octets that would hurt as text
	delivered(t, g, fmt.Sprintf(`{"dataMessage":{"data":%q,"port":16000},"phoneNumbers":["+4915112345672"],"simNumber":2}`,
		base64.StdEncoding.EncodeToString(data)))
	parts := to("+4915112345672", two.taken(t))
	checkWhole(t, parts)
	var got []byte
	for i, p := range parts {
		if p.Ports == nil || p.Ports.Destination != 16000 {
			t.Errorf("part %d has ports %+v", i+1, p.Ports)
		}
		if want := []int{128, 128, 44}; len(parts) != 3 || len(p.Data) != want[i] {
			t.Errorf("part %d of %d has %d octets, want %v", i+1, len(parts), len(p.Data), want)
		}
		got = append(got, p.Data...)
	}
	if string(got) != string(data) {
		t.Errorf("the application gets % x", got)
	}
}
