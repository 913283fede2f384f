package pdu_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/pdu"
)

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		name   string
		in     pdu.Content
		o      pdu.Options
		want   string // all of it, with the SCA
		length int
	}{
		{"international", pdu.Content{Text: "hellohello"}, pdu.Options{To: "+46708251358"},
			"00" + "0100" + "0B916407281553F8" + "0000" + "0AE8329BFD4697D9EC37", 22},
		// Cross-checked: an escape, TP-SRR, TP-VP of an hour.
		{"escape, report, validity", pdu.Content{Text: "{"},
			pdu.Options{To: "+46708251358", Report: true, ValidFor: time.Hour},
			"0031000B916407281553F800000B021B14", 16},
		{"short code is no international number", pdu.Content{Text: "a"}, pdu.Options{To: "12345"},
			"00" + "0100" + "05812143F5" + "0000" + "0161", 11},
		{"national number", pdu.Content{Text: "a"}, pdu.Options{To: "0036301234567"},
			"00" + "0100" + "0D81006303214365F7" + "0000" + "0161", 15},
		{"stars", pdu.Content{Text: "a"}, pdu.Options{To: "*21#"},
			"00" + "0100" + "04812AB1" + "0000" + "0161", 10},
		{"SMSC", pdu.Content{Text: "a"}, pdu.Options{To: "12", SMSC: "+491760000470"},
			"0791947106004007" + "0100" + "028121" + "0000" + "0161", 9},
		{"national SMSC of odd length", pdu.Content{Text: "a"}, pdu.Options{To: "12", SMSC: "12345"},
			"04812143F5" + "0100" + "028121" + "0000" + "0161", 9},
		{"UCS-2", pdu.Content{Text: "ж😋"}, pdu.Options{To: "12"},
			"00" + "0100" + "028121" + "0008" + "06" + "0436D83DDE0B", 14},
		{"flash", pdu.Content{Text: "a", Flash: true}, pdu.Options{To: "12"},
			"00" + "0100" + "028121" + "0010" + "0161", 9},
		{"flash in UCS-2", pdu.Content{Text: "ж", Flash: true}, pdu.Options{To: "12"},
			"00" + "0100" + "028121" + "0018" + "02" + "0436", 10},
		// TP-UDHI is set: without it the header would be shown as text.
		{"data to a port", pdu.Content{Data: []byte{1, 2, 3}, Port: 0xD1EB}, pdu.Options{To: "12"},
			"00" + "4100" + "028121" + "0004" + "0A" + "060504D1EB0000" + "010203", 18},
		{"U+001B does not make the next character an escaped one", pdu.Content{Text: "\x1be"}, pdu.Options{To: "12"},
			"00" + "0100" + "028121" + "0000" + "0165", 9},
		{"U+001B is dropped in UCS-2 too", pdu.Content{Text: "\x1bж"}, pdu.Options{To: "12"},
			"00" + "0100" + "028121" + "0008" + "02" + "0436", 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := pdu.Encode(c.in, c.o)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "segments", len(s), 1)
			equal(t, "PDU", s[0].Hex(), c.want)
			equal(t, "length", s[0].Length(), c.length)
		})
	}
}

func TestSegmentOfTheSIMsSMSC(t *testing.T) {
	equal(t, "PDU", pdu.Segment{TPDU: []byte{0x01, 0xAB}}.Hex(), "0001AB")
}

// One part of a concatenated message each: header, what follows it, and TP-SRR and TP-VP on all.
func TestEncodeParts(t *testing.T) {
	const head = "7100" + "0B916407281553F8" + "00"
	options := pdu.Options{To: "+46708251358", Reference: 0xA5, Report: true, ValidFor: 10 * time.Minute}
	ucs2 := strings.Repeat("0436", 66)
	for _, c := range []struct {
		name string
		in   pdu.Content
		want []string
	}{
		{"a surrogate pair is not split", pdu.Content{Text: strings.Repeat("ж", 66) + "😋" + "6789"}, []string{
			head + "0801" + "8A" + "050003A50201" + ucs2,
			head + "0801" + "12" + "050003A50202" + "D83DDE0B0036003700380039",
		}},
		{"data to a port", pdu.Content{Data: append(make([]byte, 133), 0xFF), Port: 0x1234, Flash: true}, []string{
			head + "1401" + "8C" + "0B05041234" + "0000" + "0003A50201" + strings.Repeat("00", 128),
			head + "1401" + "12" + "0B05041234" + "0000" + "0003A50202" + "0000000000FF",
		}},
		// 152 septets and the header's 7; 0x61 after one bit of fill is 0xC2, then 61 E1 87 ... .
		{"an escape is not split", pdu.Content{Text: strings.Repeat("@", 152) + "€" + strings.Repeat("@", 7)}, []string{
			head + "0001" + "9F" + "050003A50201" + strings.Repeat("00", 134),
			// Fill bit, 1B, 65, seven of 00: 0x1B<<1 = 36, 0x65 begins at bit 8.
			head + "0001" + "10" + "050003A50202" + "3665000000000000",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := pdu.Encode(c.in, options)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "segments", len(s), len(c.want))
			for i := range s {
				equal(t, "part", s[i].Hex(), "00"+c.want[i])
			}
		})
	}
}

// Whatever the length, what a network reads in the parts is the content, and no part is longer
// than the air interface allows.
func TestEncodeReassembles(t *testing.T) {
	for _, unit := range []string{"a", "€", "ж", "😋", "a€", "ж😋"} {
		for n := 1; n < 400; n += 1 + n/9 {
			text := strings.Repeat(unit, n)
			parts := network(t, pdu.Content{Text: text}, pdu.Options{To: "12", Reference: 9})
			var got strings.Builder
			for _, p := range parts {
				got.WriteString(p.Text)
			}
			if got.String() != text {
				t.Fatalf("%d times %q came as %q", n, unit, got.String())
			}
		}
	}
	for n := 1; n < 700; n += 1 + n/9 {
		data := []byte(strings.Repeat("\x00\x1b\xff", n))
		var got []byte
		for _, p := range network(t, pdu.Content{Data: data, Port: 0xFFFF}, pdu.Options{To: "12"}) {
			equal(t, "ports", *p.Ports, pdu.Ports{Destination: 0xFFFF})
			got = append(got, p.Data...)
		}
		if string(got) != string(data) {
			t.Fatalf("%d octets came as % X", len(data), got)
		}
	}
}

// network encodes, and decodes as a network does.
func network(t testing.TB, c pdu.Content, o pdu.Options) []pdu.Submit {
	t.Helper()
	segments, err := pdu.Encode(c, o)
	if err != nil {
		t.Fatal(err)
	}
	parts := make([]pdu.Submit, len(segments))
	for i, s := range segments {
		if parts[i], err = pdu.DecodeSubmit(unhex(t, s.Hex())); err != nil {
			t.Fatalf("part %d of %d: %v: %s", i+1, len(segments), err, s.Hex())
		}
		want := pdu.Concat{Reference: uint16(o.Reference), Total: uint8(len(segments)), Number: uint8(i + 1)}
		switch got := parts[i].Concat; {
		case len(segments) == 1 && got != nil:
			t.Fatalf("one part says %+v", *got)
		case len(segments) > 1 && (got == nil || *got != want):
			t.Fatalf("part %d says %+v", i+1, got)
		}
	}
	return parts
}

func TestEncodeKeepsReferences(t *testing.T) {
	c := pdu.Content{Text: strings.Repeat("a", 161)}
	for _, ref := range []uint8{0, 1, 255} {
		for _, p := range network(t, c, pdu.Options{To: "12", Reference: ref}) {
			equal(t, "reference", p.Concat.Reference, uint16(ref))
			equal(t, "TP-MR", p.MR, 0)
		}
	}
}

// The tables beneath are filled without a lock, and headers appended to in place: many encoders
// and decoders at once must neither race (-race) nor see another's message.
func TestConcurrentUse(t *testing.T) {
	turkish := unhex(t, "00"+"40"+"0281"+"21"+"0000"+"62207222000000"+"06"+"03250101"+"3800")
	data := []byte(strings.Repeat("d", 300))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			<-start
			for range 20 {
				if _, err := pdu.Count(pdu.Content{Text: "{a"}); err != nil {
					t.Error(err)
				}
				if d, err := pdu.DecodeDeliver(turkish); err != nil || d.Text != "ı" {
					t.Errorf("%+v, %v", d, err)
				}
				segments, err := pdu.Encode(pdu.Content{Data: data, Port: uint16(i)},
					pdu.Options{To: "12", Reference: uint8(i)})
				if err != nil {
					t.Error(err)
					return
				}
				s, err := pdu.DecodeSubmit(append(segments[2].SCA, segments[2].TPDU...))
				if err != nil || s.Ports.Destination != uint16(i) || s.Concat.Reference != uint16(i) {
					t.Errorf("%d: %+v, %v", i, s, err)
				}
			}
		})
	}
	close(start)
	wg.Wait()
}

func TestEncodeErrorsNameTheValue(t *testing.T) {
	_, err := pdu.Encode(pdu.Content{Text: "a"}, pdu.Options{To: "0151/123"})
	if !errors.Is(err, pdu.ErrAddress) || !strings.Contains(err.Error(), `"0151/123"`) {
		t.Error(err)
	}
}
