package pdu_test

import (
	"errors"
	"strings"
	"testing"

	"dongled/pdu"
)

func TestCount(t *testing.T) {
	const (
		emoji = "😋" // two UTF-16 code units
		euro  = "€" // two septets
	)
	for _, c := range []struct {
		name string
		in   pdu.Content
		want pdu.Counted
	}{
		{"one septet", pdu.Content{Text: "a"}, pdu.Counted{pdu.GSM7, 1, 1, 160}},
		{"160 septets", pdu.Content{Text: strings.Repeat("a", 160)}, pdu.Counted{pdu.GSM7, 1, 160, 160}},
		{"161 septets", pdu.Content{Text: strings.Repeat("a", 161)}, pdu.Counted{pdu.GSM7, 2, 161, 153}},
		{"306 septets", pdu.Content{Text: strings.Repeat("a", 306)}, pdu.Counted{pdu.GSM7, 2, 306, 153}},
		{"307 septets", pdu.Content{Text: strings.Repeat("a", 307)}, pdu.Counted{pdu.GSM7, 3, 307, 153}},
		{"80 extension characters", pdu.Content{Text: strings.Repeat(euro, 80)}, pdu.Counted{pdu.GSM7, 1, 160, 160}},
		{"an escape on the border costs a septet",
			pdu.Content{Text: strings.Repeat("a", 152) + euro + strings.Repeat("a", 152)}, pdu.Counted{pdu.GSM7, 3, 306, 153}},
		{"the extension table is in GSM-7", pdu.Content{Text: "\f^{}\\[~]|€"}, pdu.Counted{pdu.GSM7, 1, 20, 160}},
		{"line ends are in GSM-7", pdu.Content{Text: "a\r\nb"}, pdu.Counted{pdu.GSM7, 1, 4, 160}},
		{"NUL is not in GSM-7", pdu.Content{Text: "a\x00"}, pdu.Counted{pdu.UCS2, 1, 2, 70}},
		{"ç is not in GSM-7, though Ç is", pdu.Content{Text: "Çç"}, pdu.Counted{pdu.UCS2, 1, 2, 70}},
		{"U+001B is dropped", pdu.Content{Text: "\x1be\x1b"}, pdu.Counted{pdu.GSM7, 1, 1, 160}},
		{"70 code units", pdu.Content{Text: strings.Repeat("ж", 70)}, pdu.Counted{pdu.UCS2, 1, 70, 70}},
		{"71 code units", pdu.Content{Text: strings.Repeat("ж", 71)}, pdu.Counted{pdu.UCS2, 2, 71, 67}},
		{"134 code units", pdu.Content{Text: strings.Repeat("ж", 134)}, pdu.Counted{pdu.UCS2, 2, 134, 67}},
		{"135 code units", pdu.Content{Text: strings.Repeat("ж", 135)}, pdu.Counted{pdu.UCS2, 3, 135, 67}},
		{"35 pairs", pdu.Content{Text: strings.Repeat(emoji, 35)}, pdu.Counted{pdu.UCS2, 1, 70, 70}},
		{"a pair on the border costs a unit", pdu.Content{Text: strings.Repeat(emoji, 67)}, pdu.Counted{pdu.UCS2, 3, 134, 67}},
		{"flash", pdu.Content{Text: "a", Flash: true}, pdu.Counted{pdu.GSM7, 1, 1, 160}},
		{"133 octets", pdu.Content{Data: make([]byte, 133), Port: 53739}, pdu.Counted{pdu.Octets, 1, 133, 133}},
		{"134 octets", pdu.Content{Data: make([]byte, 134), Port: 53739}, pdu.Counted{pdu.Octets, 2, 134, 128}},
		{"port 0", pdu.Content{Data: make([]byte, 257)}, pdu.Counted{pdu.Octets, 3, 257, 128}},
		{"255 parts of text", pdu.Content{Text: strings.Repeat("a", 255*153)}, pdu.Counted{pdu.GSM7, 255, 255 * 153, 153}},
		{"255 parts of data", pdu.Content{Data: make([]byte, 255*128)}, pdu.Counted{pdu.Octets, 255, 255 * 128, 128}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := pdu.Count(c.in)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "count", got, c.want)
			segments, err := pdu.Encode(c.in, pdu.Options{To: "+4915112345678"})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "segments", len(segments), c.want.Parts)
		})
	}
}

func TestCountRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   pdu.Content
		want error
	}{
		{"nothing", pdu.Content{}, pdu.ErrEmpty},
		{"no data", pdu.Content{Data: []byte{}, Port: 1}, pdu.ErrEmpty},
		{"nothing but U+001B", pdu.Content{Text: "\x1b\x1b"}, pdu.ErrEmpty},
		{"text and data", pdu.Content{Text: "a", Data: []byte{1}}, pdu.ErrTextAndData},
		{"text and port", pdu.Content{Text: "a", Port: 1}, pdu.ErrTextAndData},
		{"not UTF-8", pdu.Content{Text: "a\xff"}, pdu.ErrNotUTF8},
		{"256 parts of GSM-7", pdu.Content{Text: strings.Repeat("a", 255*153+1)}, pdu.ErrTooLong},
		{"256 parts by escapes alone", pdu.Content{Text: strings.Repeat("€", 255*153/2)}, pdu.ErrTooLong},
		{"256 parts of UCS-2", pdu.Content{Text: strings.Repeat("ж", 255*67+1)}, pdu.ErrTooLong},
		{"256 parts of data", pdu.Content{Data: make([]byte, 255*128+1)}, pdu.ErrTooLong},
		{"300 parts", pdu.Content{Text: strings.Repeat("a", 300*153)}, pdu.ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := pdu.Count(c.in); !errors.Is(err, c.want) {
				t.Errorf("Count: %+v, %v, want %v", got, err, c.want)
			}
			if got, err := pdu.Encode(c.in, pdu.Options{To: "+4915112345678"}); !errors.Is(err, c.want) {
				t.Errorf("Encode: %d segments, %v, want %v", len(got), err, c.want)
			}
		})
	}
}

func TestAlphabetString(t *testing.T) {
	equal(t, "GSM7", pdu.GSM7.String(), "GSM-7")
	equal(t, "UCS2", pdu.UCS2.String(), "UCS-2")
	equal(t, "Octets", pdu.Octets.String(), "8-bit")
}
