package pdu_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"dongled/pdu"
)

// A report that decodes is one that EncodeReport can write again, with the same meaning, as far as
// its numbers can be addressed.
func FuzzDecodeReport(f *testing.F) {
	for _, c := range reports {
		f.Add(unhex(f, c.pdu))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := pdu.DecodeReport(raw)
		if err != nil {
			if r != (pdu.Report{}) {
				t.Fatalf("%v, and %+v", err, r)
			}
			return
		}
		if r.SCTS.IsZero() {
			return // whether there was an SCA is then a guess, and another one the second time
		}
		again, err := pdu.EncodeReport(r)
		if err != nil {
			if !errors.Is(err, pdu.ErrAddress) {
				t.Fatal(err)
			}
			return
		}
		got, err := pdu.DecodeReport(again)
		if err != nil {
			t.Fatal(err)
		}
		sameReport(t, got, r)
	})
}

// What a modem hands over decodes to text that can be stored and sent on.
func FuzzDecodeDeliver(f *testing.F) {
	f.Add(unhex(f, deliverOf("44", "00", "07"+"03240101"+"D8A401")))
	f.Add(unhex(f, deliverOf("44", "08", "A0"+"050003000301"+"306F3044")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := pdu.DecodeDeliver(raw)
		if err != nil {
			return
		}
		if string(d.Raw) != string(raw) {
			t.Fatalf("raw: % X", d.Raw)
		}
		if !utf8.ValidString(d.Text) || !utf8.ValidString(d.Originator) || !utf8.ValidString(d.SMSC) {
			t.Fatalf("not UTF-8: %+v", d)
		}
		checkUserData(t, d.Alphabet, d.Text, d.Data, d.Concat)
	})
}

// What passes for an SMS-SUBMIT in the network has a recipient and can be told again.
func FuzzDecodeSubmit(f *testing.F) {
	f.Add(unhex(f, "0791947106004007"+"7900"+"0B916407281553F8"+"0004"+"62208212345440"+"0A"+"060504D1EB0001"+"0102FF"))
	f.Add(unhex(f, "0031000B916407281553F800000B021B14"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := pdu.DecodeSubmit(raw)
		if err != nil {
			if !errors.Is(err, pdu.ErrMalformed) && !errors.Is(err, pdu.ErrNotSubmit) {
				t.Fatal(err)
			}
			return
		}
		if err := pdu.ValidAddress(s.Destination); err != nil {
			t.Fatal(err)
		}
		if err := pdu.ValidSMSC(s.SMSC); err != nil {
			t.Fatal(err)
		}
		if s.International != strings.HasPrefix(s.Destination, "+") {
			t.Fatalf("%+v", s)
		}
		checkUserData(t, s.Alphabet, s.Text, s.Data, s.Concat)
	})
}

// checkUserData holds of every decoded part.
func checkUserData(t *testing.T, a pdu.Alphabet, text string, data []byte, c *pdu.Concat) {
	t.Helper()
	if text != "" && data != nil || a == pdu.Octets && text != "" || a != pdu.Octets && data != nil {
		t.Fatalf("%v: %q and % X", a, text, data)
	}
	if !utf8.ValidString(text) {
		t.Fatalf("not UTF-8: %q", text)
	}
	if c != nil && (c.Number == 0 || c.Number > c.Total) {
		t.Fatalf("%+v", *c)
	}
}

// Every text there is arrives, whole and in as many parts as Count said.
func FuzzEncode(f *testing.F) {
	f.Add("hello", uint8(1), int64(0))
	f.Add(strings.Repeat("a", 152)+"€", uint8(255), int64(time.Hour))
	f.Add(strings.Repeat("ж", 66)+"😋ж", uint8(0), int64(time.Minute))
	f.Fuzz(func(t *testing.T, text string, ref uint8, validFor int64) {
		c := pdu.Content{Text: text, Flash: ref%2 == 1}
		o := pdu.Options{To: "+4915112345678", Reference: ref, ValidFor: max(0, time.Duration(validFor)),
			Now: time.Date(2026, 2, 27, 22, 4, 58, 0, time.UTC)}
		want := strings.ReplaceAll(text, "\x1b", "")
		n, err := pdu.Count(c)
		if err != nil {
			if _, again := pdu.Encode(c, o); !errors.Is(again, err) {
				t.Fatalf("Count: %v, Encode: %v", err, again)
			}
			good := utf8.ValidString(text) && want != "" && len(text) <= pdu.MaxParts*66
			if good {
				t.Fatal(err)
			}
			return
		}
		parts := network(t, c, o)
		equal(t, "parts", len(parts), n.Parts)
		var got strings.Builder
		for _, p := range parts {
			equal(t, "alphabet", p.Alphabet, n.Alphabet)
			equal(t, "flash", p.Flash, c.Flash)
			got.WriteString(p.Text)
		}
		equal(t, "text", got.String(), want)
	})
}

// Data arrives as it was, at its port.
func FuzzEncodeData(f *testing.F) {
	f.Add([]byte{0}, uint16(0))
	f.Add(make([]byte, 134), uint16(0xFFFF))
	f.Fuzz(func(t *testing.T, data []byte, port uint16) {
		c := pdu.Content{Data: data, Port: port}
		n, err := pdu.Count(c)
		if err != nil {
			if len(data) > 0 && len(data) <= pdu.MaxParts*128 {
				t.Fatal(err)
			}
			return
		}
		var got []byte
		parts := network(t, c, pdu.Options{To: "12345"})
		for _, p := range parts {
			equal(t, "port", *p.Ports, pdu.Ports{Destination: port})
			got = append(got, p.Data...)
		}
		equal(t, "parts", len(parts), n.Parts)
		equal(t, "data", string(got), string(data))
	})
}
