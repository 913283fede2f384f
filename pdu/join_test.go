package pdu_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/pdu"
)

// part is part n of 3 with user data behind a header of six octets; udl is that of the whole.
func part(t testing.TB, n, dcs, udl, ud string) pdu.Deliver {
	t.Helper()
	d, err := pdu.DecodeDeliver(unhex(t, deliverOf("44", dcs, udl+"050003010"+"3"+"0"+n+ud)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestJoin(t *testing.T) {
	const gsm7, octets, ucs2 = "00", "04", "08"
	never := pdu.Deliver{}
	shift := func(ud string) pdu.Deliver { // a Turkish single shift table and nothing else
		d, err := pdu.DecodeDeliver(unhex(t, deliverOf("44", gsm7, ud)))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name  string
		parts []pdu.Deliver
		text  string
		data  []byte
	}{
		{"nothing", nil, "", nil},
		{"one text", []pdu.Deliver{part(t, "1", ucs2, "08", "0436")}, "ж", nil},
		{
			"an emoji split between two parts",
			[]pdu.Deliver{part(t, "1", ucs2, "0A", "0061"+"D83D"), part(t, "2", ucs2, "0A", "DE00"+"0062")}, "a😀b", nil,
		},
		{
			"half an emoji, the other half never came",
			[]pdu.Deliver{part(t, "1", ucs2, "0A", "0061"+"D83D"), never, part(t, "3", ucs2, "0A", "DE00"+"0062")}, "a\uFFFD[…]\uFFFDb", nil,
		},
		{"an escape split from its character", []pdu.Deliver{part(t, "1", gsm7, "09", "C21B"), part(t, "2", gsm7, "08", "CA")}, "a€", nil},
		{
			"an escape does not reach over a gap",
			[]pdu.Deliver{part(t, "1", gsm7, "09", "C21B"), never, part(t, "3", gsm7, "08", "CA")}, "a […]e", nil,
		},
		{
			"nor into another table",
			[]pdu.Deliver{part(t, "1", gsm7, "09", "C21B"), shift("07" + "03240101" + "D8A401")}, "a ı", nil,
		},
		{
			"alphabets mixed",
			[]pdu.Deliver{part(t, "1", gsm7, "08", "CA"), part(t, "2", ucs2, "08", "0436"), part(t, "3", gsm7, "08", "CA")}, "eжe", nil,
		},
		{"parts missing at both ends", []pdu.Deliver{never, never, part(t, "3", gsm7, "08", "CA"), never}, "[…]e[…]", nil},
		{"nothing came", []pdu.Deliver{never, never}, "[…]", nil},
		{"one that cannot be read", []pdu.Deliver{{Raw: []byte{1, 2, 3}}, part(t, "2", gsm7, "08", "CA")}, "[…]e", nil},
		{
			"octets", []pdu.Deliver{part(t, "1", octets, "08", "00FF"), part(t, "2", octets, "07", "1B")},
			"", []byte{0x00, 0xFF, 0x1B},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, data := pdu.Join(c.parts, "[…]")
			equal(t, "text", text, c.text)
			if !bytes.Equal(data, c.data) {
				t.Errorf("data % X, want % X", data, c.data)
			}
		})
	}
}

// TestJoinUndoesEncode: what Encode split is whole again.
func TestJoinUndoesEncode(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("0123456789", 40), strings.Repeat("{€}", 150), strings.Repeat("😀", 150) + "a", strings.Repeat("жук ", 100),
	} {
		segments, err := pdu.Encode(pdu.Content{Text: text}, pdu.Options{To: "12"})
		if err != nil {
			t.Fatal(err)
		}
		parts := make([]pdu.Deliver, len(segments))
		for i, seg := range segments {
			raw, err := pdu.DecodeHex(seg.Hex())
			if err != nil {
				t.Fatal(err)
			}
			sent, err := pdu.DecodeSubmit(raw)
			if err != nil {
				t.Fatal(err)
			}
			raw, err = pdu.EncodeDeliver(pdu.Deliver{Originator: "12", SCTS: time.Unix(1e9, 0), Text: sent.Text, Concat: sent.Concat})
			if err != nil {
				t.Fatal(err)
			}
			if parts[i], err = pdu.DecodeDeliver(raw); err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := pdu.Join(parts, ""); len(parts) < 2 || got != text {
			t.Errorf("%d parts of %q are %q", len(parts), text, got)
		}
	}
}

func TestUserData(t *testing.T) {
	for _, c := range []struct{ name, pdu, want string }{
		{"a text", deliverOf("04", "00", "01"+"61"), "01" + "61"},
		{"junk behind it", deliverOf("04", "00", "01"+"61"+"0000"), "01" + "61"},
		{"with a header", deliverOf("44", "04", "07"+"050003010201"+"61"), "07" + "050003010201" + "61"},
		{"cut off", deliverOf("04", "04", "05"+"6162"), "02" + "6162"},
		{"none", deliverOf("04", "00", "00"), "00"},
	} {
		d, err := pdu.DecodeDeliver(unhex(t, c.pdu))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.UserData(); !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s: % X, want %s", c.name, got, c.want)
		}
	}
	if got := (pdu.Deliver{Raw: []byte{1}}).UserData(); got != nil {
		t.Errorf("of what cannot be read: % X", got)
	}
}

// FuzzJoin: two PDUs that can be read join without a panic, octets in full, and a single text as it
// was decoded.
func FuzzJoin(f *testing.F) {
	f.Add(unhex(f, deliverOf("44", "08", "0A"+"050003010201"+"0061D83D")), unhex(f, deliverOf("44", "08", "0A"+"050003010202"+"DE000062")))
	f.Add(unhex(f, deliverOf("44", "00", "09"+"050003010201"+"C21B")), unhex(f, deliverOf("44", "00", "07"+"03240101"+"D8A401")))
	f.Add(unhex(f, deliverOf("04", "F4", "01"+"61")), unhex(f, deliverOf("44", "00", "06"+"057003000000")))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		one, err := pdu.DecodeDeliver(a)
		if err != nil {
			return
		}
		if text, data := pdu.Join([]pdu.Deliver{one}, "?"); text != one.Text || !bytes.Equal(data, one.Data) {
			t.Errorf("alone it is %q and % X, was %q and % X", text, data, one.Text, one.Data)
		}
		two, err := pdu.DecodeDeliver(b)
		if err != nil {
			return
		}
		text, data := pdu.Join([]pdu.Deliver{one, two}, "?")
		if !bytes.Equal(data, slices.Concat(one.Data, two.Data)) {
			t.Errorf("data % X of % X and % X", data, one.Data, two.Data)
		}
		if (text == "") != (one.Text == "" && two.Text == "") {
			t.Errorf("text %q of %q and %q", text, one.Text, two.Text)
		}
	})
}
