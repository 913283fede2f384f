package pdu_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"dongled/pdu"
)

// hexOf is the octets that lines of hexadecimal stand for; what follows // is a comment.
func hexOf(t testing.TB, lines string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(lines) {
		line, _, _ = strings.Cut(line, "//")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Two parts as a phone of Vodafone UK got them in 2010, which python-messaging publishes with what they
// say (github.com/pmarti/python-messaging, messaging/test/test_wap.py): concatenation with 16 bits and
// ports in one header, and the content location split between the parts.
var vodafone = []string{
	"0791447758100650400E80885810000000810004016082415464408C0C08049F8E020105040B8423F00106226170706C69636174696F6E2F766E642E7761702E6D6D732D6D65737361676500AF848C82984E4F4B3543694B636F544D595347344D4253774141734B7631344655484141414141414141008D908919802B3434373738353334323734392F545950453D504C4D4E008A808E0274008805810301194083687474703A2F",
	"0791447758100650440E8088581000000081000401608241547440440C08049F8E020205040B8423F02F70726F6D6D732F736572766C6574732F4E4F4B3543694B636F544D595347344D4253774141734B763134465548414141414141414100",
}

// TestMMSNotificationOfVodafone: from the PDUs to what python-messaging says is in them.
func TestMMSNotificationOfVodafone(t *testing.T) {
	parts := make([]pdu.Deliver, len(vodafone))
	for i, line := range vodafone {
		d, err := pdu.DecodeDeliver(unhex(t, line))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "port", d.Ports.Destination, pdu.PushPort)
		equal(t, "concatenation", *d.Concat, pdu.Concat{Reference: 40846, Total: 2, Number: uint8(i + 1), Wide: true})
		parts[i] = d
	}
	text, data := pdu.Join(parts, "")
	equal(t, "text", text, "")
	got, err := pdu.DecodeMMSNotification(data)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "notification", got, pdu.MMSNotification{
		TransactionID: "NOK5CiKcoTMYSG4MBSwAAsKv14FUHAAAAAAAA", Version: "1.0", From: "+447785342749", Class: "Personal",
		Size: 29696, ExpiresIn: 72000 * time.Second,
		Location: "http://promms/servlets/NOK5CiKcoTMYSG4MBSwAAsKv14FUHAAAAAAAA",
	})
	if _, err := pdu.DecodeMMSNotification(parts[0].Data); !errors.Is(err, pdu.ErrMalformed) {
		t.Errorf("the first part alone: %v", err)
	}
}

// push is the head of a WAP push as it is most often: TID, Push, length of the headers, the content type
// as a text, X-Wap-Application-Id (0xAF) with the number of mms.ua.
const push = "01 06 22 6170706C69636174696F6E2F766E642E7761702E6D6D732D6D657373616765 00 AF 84"

// known are notifications and what they say.
var known = []struct {
	name, data string
	want       pdu.MMSNotification
}{
	{
		// github.com/NeoSMatrix/oFono, unit/test-mmsutil.c, PDU 1, behind a push of ours.
		"of the tests of mmsd",
		push + `8C 82 98 4F67514B4B42 00 8D 90 89 08 80 45726F74696B 00 96 50696E2D557073 00 8A 80 8E 02 40 00
			88 05 81 03 03 F4 80 83 687474703A2F2F657073332E64652F4F2F5A39495A4F 00`,
		pdu.MMSNotification{
			TransactionID: "OgQKKB", Version: "1.0", From: "Erotik", Subject: "Pin-Ups", Class: "Personal", Size: 16384,
			ExpiresIn: 259200 * time.Second, Location: "http://eps3.de/O/Z9IZO",
		},
	},
	{
		// support.nowsms.com/discus/messages/12/14191.html, without the datagram's head of CDMA: the
		// headers hold a content length and push flags too, the sender was kept back.
		"of a forum of NowSMS",
		`59 06 26 6170706C69636174696F6E2F766E642E7761702E6D6D732D6D657373616765 00 8D DC AF 84 B4 80
			8C 82 98 4D32303036303231373030333433 38 00 8D 90 89 02 80 00 8A 80 8E 01 80 88 05 81 03 01 51 80
			83 687474703A2F2F31302E302E392E32352F4D32303036303231373030333433 38 00`,
		pdu.MMSNotification{
			TransactionID: "M20060217003438", Version: "1.0", Class: "Personal", Size: 128, ExpiresIn: 86400 * time.Second,
			Location: "http://10.0.9.25/M20060217003438",
		},
	},
	{
		"every field, written by hand from the specifications",
		`00 06      // TID 0, Push
			0A         // the headers have ten octets
			03 BE 81 EA // Content-Type: three octets, application/vnd.wap.mms-message (0x3E), charset: UTF-8 (0x6A)
			AF 84      // X-Wap-Application-Id: mms.ua
			B4 80      // Push-Flag: 0
			8D 90      // Content-Length: 16
			8C 82      // X-Mms-Message-Type: m-notification-ind
			98 54 31 00 // X-Mms-Transaction-Id: T1
			8D 93      // X-Mms-MMS-Version: 1.3
			8B 6D 40 78 00 // Message-ID: m@x
			89 18 80   // From: 24 octets, address present
			16 EA      //   encoded string of 22 octets, UTF-8
			2B 34 39 31 37 30 31 32 33 34 2F 54 59 50 45 3D 50 4C 4D 4E 00 // +491701234/TYPE=PLMN
			96 0A EA 47 72 C3 BC C3 9F 65 21 00 // Subject: ten octets, UTF-8, Grüße!
			8A 81      // X-Mms-Message-Class: Advertisement
			8E 03 01 00 00 // X-Mms-Message-Size: 65536
			88 06 80 04 69 57 21 F5 // X-Mms-Expiry: six octets, absolute, 0x695721F5 = 1767318005, 2026-01-02 01:40:05 UTC
			86 81      // X-Mms-Delivery-Report: no
			BA 83      // X-Mms-Content-Class: video-basic
			B2 02 81 82 // X-Mms-Element-Descriptor: two octets, whatever they say
			58 2D 41 00 62 00 // an application's own: X-A: b
			83 68 74 74 70 3A 2F 2F 6D 2F 31 00 // X-Mms-Content-Location: http://m/1`,
		pdu.MMSNotification{
			TransactionID: "T1", MessageID: "m@x", Version: "1.3", From: "+491701234", Subject: "Grüße!", Class: "Advertisement",
			ContentClass: "VIDEO_BASIC", Size: 65536, Expires: time.Date(2026, 1, 2, 1, 40, 5, 0, time.UTC), Location: "http://m/1",
		},
	},
}

func TestMMSNotification(t *testing.T) {
	for _, c := range known {
		got, err := pdu.DecodeMMSNotification(hexOf(t, c.data))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		equal(t, c.name, got, c.want)
	}
}

// mandatory is what no notification is without: type, transaction T, location L.
const mandatory = push + "8C 82 98 54 00 83 4C 00"

// with is a notification with more fields than the mandatory ones.
func with(fields string) string { return mandatory + "\n" + fields }

// TestMMSFields: the forms that one field may have.
func TestMMSFields(t *testing.T) {
	tests := []struct {
		fields string
		set    func(n *pdu.MMSNotification)
	}{
		{"", func(*pdu.MMSNotification) {}},
		{"96 48 69 00", func(n *pdu.MMSNotification) { n.Subject = "Hi" }},
		{"96 00", func(*pdu.MMSNotification) {}},                                                              // an empty text
		{"96 7F C3 BC 00", func(n *pdu.MMSNotification) { n.Subject = "ü" }},                                  // quoted, UTF-8
		{"96 D0 9F D1 80 00", func(n *pdu.MMSNotification) { n.Subject = "Пр" }},                              // not quoted, as some do
		{"96 FC 00", func(n *pdu.MMSNotification) { n.Subject = "ü" }},                                        // no UTF-8: Latin 1
		{"96 04 83 48 69 00", func(n *pdu.MMSNotification) { n.Subject = "Hi" }},                              // US-ASCII is 3
		{"96 03 84 FC 00", func(n *pdu.MMSNotification) { n.Subject = "ü" }},                                  // ISO-8859-1 is 4
		{"96 02 EA FC", func(n *pdu.MMSNotification) { n.Subject = "\uFFFD" }},                                // UTF-8 that is none
		{"96 09 02 03 E8 04 1F 04 40 00 00", func(n *pdu.MMSNotification) { n.Subject = "Пр" }},               // UCS-2 is 1000
		{"96 09 02 03 F7 FF FE 1F 04 40 04", func(n *pdu.MMSNotification) { n.Subject = "Пр" }},               // UTF-16 is 1015, marked
		{"96 07 02 03 F6 1F 04 40 04", func(n *pdu.MMSNotification) { n.Subject = "Пр" }},                     // UTF-16LE is 1014
		{"96 07 02 07 EA 41 FC 42 00", func(n *pdu.MMSNotification) { n.Subject = "A\uFFFDB" }},               // Big5 is 2026
		{"96 1F 05 EA 48 69 21 00", func(n *pdu.MMSNotification) { n.Subject = "Hi!" }},                       // a length behind a quote
		{"89 01 81", func(*pdu.MMSNotification) {}},                                                           // to be inserted
		{"89 05 80 61 40 62 00", func(n *pdu.MMSNotification) { n.From = "a@b" }},                             // e-mail
		{"89 0B 80 31 2F 74 79 70 65 3D 78 79 00", func(n *pdu.MMSNotification) { n.From = "1" }},             // 1/type=xy
		{"89 05 80 31 2F 32 00", func(n *pdu.MMSNotification) { n.From = "1/2" }},                             // no type
		{"8A 70 00", func(n *pdu.MMSNotification) { n.Class = "p" }},                                          // a word
		{"8A FF BA FF", func(*pdu.MMSNotification) {}},                                                        // numbers of a later version
		{"8E 84", func(n *pdu.MMSNotification) { n.Size = 4 }},                                                // a short integer
		{"8E 09 00 00 00 00 00 00 00 01 00", func(n *pdu.MMSNotification) { n.Size = 256 }},                   // leading zeros
		{"88 02 81 BC", func(n *pdu.MMSNotification) { n.ExpiresIn = time.Minute }},                           // in 60 s
		{"88 09 81 07 7F FF FF FF FF FF FF", func(*pdu.MMSNotification) {}},                                   // never
		{"8D 9F", func(n *pdu.MMSNotification) { n.Version = "1" }},                                           // no minor
		{"8D 9B", func(n *pdu.MMSNotification) { n.Version = "1.11" }},                                        //
		{"8D 31 2E 32 00", func(n *pdu.MMSNotification) { n.Version = "1.2" }},                                // as a text
		{"84 A3 01 02 03", func(*pdu.MMSNotification) {}},                                                     // a body is not read
		{"98 55 00", func(n *pdu.MMSNotification) { n.TransactionID = "U" }},                                  // the last one counts
		{"FF 81 FE 02 00 00 FD 61 00 FC 1F 81 00" + strings.Repeat("00", 128), func(*pdu.MMSNotification) {}}, // unknown, of each form
	}
	for _, tt := range tests {
		want := pdu.MMSNotification{TransactionID: "T", Location: "L"}
		tt.set(&want)
		got, err := pdu.DecodeMMSNotification(hexOf(t, with(tt.fields)))
		if err != nil {
			t.Errorf("%s: %v", tt.fields, err)
			continue
		}
		equal(t, tt.fields, got, want)
	}
}

// TestMMSRefused: what is no notification, and what is none of any use.
func TestMMSRefused(t *testing.T) {
	tests := []struct {
		data string
		want error
	}{
		{"", pdu.ErrMalformed},
		{"01", pdu.ErrMalformed},
		{"01 06", pdu.ErrMalformed},
		{"01 07 01 BE" + "8C 82 98 54 00 83 4C 00", pdu.ErrNotMMS},          // a confirmed push, of a connection
		{"01 06 01 AE 02 05 6A 00", pdu.ErrNotMMS},                          // a service indication (0x2E)
		{"01 06 04 74 65 78 00" + "8C 82 98 54 00 83 4C 00", pdu.ErrNotMMS}, // Content-Type: tex
		{"01 06 02 BE", pdu.ErrMalformed},                                   // headers beyond the end
		{"01 06 00", pdu.ErrMalformed},                                      // no Content-Type
		{"01 06 02 02 BE", pdu.ErrMalformed},                                // a value longer than the headers
		{"01 06 FF FF FF FF FF FF 00 BE", pdu.ErrMalformed},                 // a number of six octets
		{"01 06 8F FF FF FF 7F BE", pdu.ErrMalformed},                       // 4294967295 octets
		{push, pdu.ErrNotMMS},
		{push + "8C 86 8B 4D 00", pdu.ErrNotMMS},                  // M-Delivery.ind
		{push + "8C 6D 00 98 54 00 83 4C 00", pdu.ErrNotMMS},      // the type as a text
		{push + "98 54 00 83 4C 00", pdu.ErrNotMMS},               // no type
		{push + "8C 82 83 4C 00", pdu.ErrMalformed},               // no transaction
		{push + "8C 82 98 00 83 4C 00", pdu.ErrMalformed},         // an empty one
		{push + "8C 82 98 54 00", pdu.ErrMalformed},               // no location
		{push + "8C 82 98 54 00 83 4C", pdu.ErrMalformed},         // one without an end
		{push + "8C 82 98 54 00 83", pdu.ErrMalformed},            // nor a beginning
		{with("96 05 EA 48"), pdu.ErrMalformed},                   // a value beyond the end
		{with("96 1F 85 EA 48"), pdu.ErrMalformed},                // its length has no end
		{with("96 03 61 62 00"), pdu.ErrMalformed},                // a charset by its name
		{with("96 02 05 48"), pdu.ErrMalformed},                   // a charset cut off
		{with("89 81"), pdu.ErrMalformed},                         // From without a length
		{with("89 00"), pdu.ErrMalformed},                         // and without anything
		{with("89 02 82 00"), pdu.ErrMalformed},                   // a token there is none of
		{with("89 04 80 61 40 62"), pdu.ErrMalformed},             // an address without an end
		{with("8A 02 61 00"), pdu.ErrMalformed},                   // a class that is neither token nor text
		{with("8E 61 00"), pdu.ErrMalformed},                      // a size that is a text
		{with("8E 00"), pdu.ErrMalformed},                         // or nothing
		{with("8E 08 01 00 00 00 00 00 00 00"), pdu.ErrMalformed}, // more than 2^55
		{with("88 02 82 BC"), pdu.ErrMalformed},                   // an expiry of a third kind
		{with("88 01 81"), pdu.ErrMalformed},                      // or without a time
		{with("10 61 00"), pdu.ErrMalformed},                      // a name that is neither token nor text
		{with("58 2D 41 00 62"), pdu.ErrMalformed},                // an application's own without an end
	}
	for _, tt := range tests {
		got, err := pdu.DecodeMMSNotification(hexOf(t, tt.data))
		if !errors.Is(err, tt.want) || got != (pdu.MMSNotification{}) {
			t.Errorf("%s: %v, %+v; want %v", tt.data, err, got, tt.want)
		}
	}
}

// TestMMSCutOff: no beginning of a notification is one, up to where a field ends behind all that is
// mandatory.
func TestMMSCutOff(t *testing.T) {
	for _, c := range known {
		whole := hexOf(t, c.data)
		for n := range whole {
			if _, err := pdu.DecodeMMSNotification(whole[:n]); err == nil {
				t.Errorf("%s: %d of %d octets are one", c.name, n, len(whole))
			}
		}
	}
}

// What is a notification can be stored and told: texts that are UTF-8, times that JSON takes.
func FuzzDecodeMMSNotification(f *testing.F) {
	for _, c := range known {
		f.Add(hexOf(f, c.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := pdu.DecodeMMSNotification(data)
		if err != nil {
			if !errors.Is(err, pdu.ErrMalformed) && !errors.Is(err, pdu.ErrNotMMS) || n != (pdu.MMSNotification{}) {
				t.Fatalf("%v, %+v", err, n)
			}
			return
		}
		if n.TransactionID == "" || n.Location == "" || n.Size < 0 || n.ExpiresIn < 0 || !n.Expires.IsZero() && n.ExpiresIn != 0 {
			t.Fatalf("%+v", n)
		}
		for _, text := range []string{n.TransactionID, n.MessageID, n.Version, n.From, n.Subject, n.Class, n.ContentClass, n.Location} {
			if !utf8.ValidString(text) || len(text) > 3*len(data) {
				t.Fatalf("%q", text)
			}
		}
		if _, err := json.Marshal(n); err != nil {
			t.Fatal(err)
		}
	})
}
