package pdu_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"dongled/pdu"
)

const deliverTime = "62207222408500"

// deliverOf is an SMS-DELIVER of "12" with the given first octet, TP-DCS, and TP-UDL with TP-UD.
func deliverOf(first, dcs, ud string) string {
	return "00" + first + "0281" + "21" + "00" + dcs + deliverTime + ud
}

// Each of these a strict decoder refuses; a message would be lost.
func TestDecodeDeliverTolerates(t *testing.T) {
	for _, c := range []struct {
		name, pdu string
		text      string
		data      []byte
	}{
		{"one octet behind", deliverOf("04", "00", "01"+"61"+"00"), "a", nil},
		{"TP-UDL 0 and a text", deliverOf("04", "00", "00"+"61"), "", nil},
		{"a pad septet that is not zero", deliverOf("04", "00", "07"+"E8329BFD4697D9"), "hellohe", nil},
		{"fewer septets than TP-UDL", deliverOf("04", "00", "A0"+"E8329BFD4697D9EC37"), "hellohello", nil},
		{"TP-DCS reserved", deliverOf("04", "80", "01"+"61"), "a", nil},
		{"TP-DCS of reserved alphabet", deliverOf("04", "0C", "01"+"61"), "a", nil},
		{"TP-DCS compressed", deliverOf("04", "20", "01"+"61"), "", []byte{0x61}},
		{"TP-DCS F4, 8-bit", deliverOf("04", "F4", "01"+"61"), "", []byte{0x61}},
		{"TP-DCS E0, UCS-2", deliverOf("04", "E0", "02"+"0436"), "ж", nil},
		{"UCS-2 cut within a character", deliverOf("04", "08", "03"+"043604"), "ж", nil},
		{"a lone surrogate does not swallow what follows", deliverOf("04", "08", "04"+"D83D0061"), "\uFFFDa", nil},
		{"a lone surrogate at the end", deliverOf("04", "08", "04"+"0061D83D"), "a\uFFFD", nil},
		{"a bare escape at the end", deliverOf("04", "00", "01"+"1B"), " ", nil},
		{"TP-UDHI and TP-UDHL 0", deliverOf("44", "04", "02"+"0061"), "", []byte{0x61}},
		{"TP-UDHI and no header", deliverOf("44", "04", "01"+"61"), "", []byte{0x61}},
		{"TP-UDHI and nothing", deliverOf("44", "00", "00"), "", nil},
		{"TP-UDHL longer than TP-UD", deliverOf("44", "00", "02"+"0500"), "é@", nil},
		{"TP-UDL ends within TP-UDH", deliverOf("44", "00", "06"+"057003000000"), "", nil},
		{"an element longer than the header", deliverOf("44", "04", "04"+"0200FF"+"61"), "", []byte{0x61}},
		{"concatenation of two octets", deliverOf("44", "04", "06"+"0400020102"+"61"), "", []byte{0x61}},
		{"part 0 of 2", deliverOf("44", "04", "07"+"050003010200"+"61"), "", []byte{0x61}},
		{"TP-MTI 3", deliverOf("07", "00", "01"+"61"), "a", nil},
		{"a Turkish text", deliverOf("44", "00", "06"+"03250101"+"3800"), "ı", nil},
		{"a Turkish shift", deliverOf("44", "00", "07"+"03240101"+"D8A401"), "ı", nil},
		{"a national table that nobody knows", deliverOf("44", "00", "06"+"032501FF"+"0803"), "a", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := pdu.DecodeDeliver(unhex(t, c.pdu))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "originator", d.Originator, "12")
			equal(t, "text", d.Text, c.text)
			if !reflect.DeepEqual(d.Data, c.data) {
				t.Errorf("data % X, want % X", d.Data, c.data)
			}
			if d.Concat != nil {
				t.Errorf("%+v", *d.Concat)
			}
			sameHex(t, d.Raw, c.pdu)
		})
	}
}

// TP-UDL 160 where there are 10 octets, as a gateway's test suite has it of a real network.
func TestDecodeDeliverOfTooLongUDL(t *testing.T) {
	d, err := pdu.DecodeDeliver(unhex(t, deliverOf("44", "08", "A0"+"050003000301"+"306F3044")))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "text", d.Text, "はい")
	equal(t, "part", *d.Concat, pdu.Concat{Total: 3, Number: 1})
}

func TestDecodeDeliverTimes(t *testing.T) {
	for _, c := range []struct {
		scts string
		want time.Time
	}{
		{"62207222408500", zoned(0, 2026, 2, 27, 22, 4, 58)},
		{"6220722240858A", zoned(-28, 2026, 2, 27, 22, 4, 58)}, // 8A: sign, 2 tens, 8
		{"99211332959500", zoned(0, 1999, 12, 31, 23, 59, 59)},
		{"622072224085FF", zoned(0, 2026, 2, 27, 22, 4, 58)},
		{"00000000000000", time.Time{}},
		{"FFFFFFFFFFFFFF", time.Time{}},
		{"62001022408500", time.Time{}}, // month 0
		{"62209222408500", time.Time{}}, // 29 February 2026
		{"62207242408500", time.Time{}}, // 24 hours
		{"62207222068500", time.Time{}}, // 60 minutes
		{"62207222400600", time.Time{}}, // 60 seconds
	} {
		d, err := pdu.DecodeDeliver(unhex(t, "00"+"04"+"0281"+"21"+"0000"+c.scts+"0161"))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, c.scts, d.SCTS.Format(time.RFC3339), c.want.Format(time.RFC3339))
		equal(t, c.scts+" is zero", d.SCTS.IsZero(), c.want.IsZero())
	}
}

func TestDecodeDeliverOriginators(t *testing.T) {
	for _, c := range []struct{ name, oa, want string }{
		{"international", "0B91" + "6407281553F8", "+46708251358"},
		{"national", "0AA1" + "0121436587", "1012345678"},
		{"no fill", "0381" + "2143", "123"},
		{"fill in the middle", "0481" + "F1F2", "12"},
		{"letters", "0581" + "BADCFE", "*#abc"},
		{"empty", "0081", ""},
		{"a name of odd length", "09D0" + "C6A7333904", "FONIC"},
		{"a name of 7 characters", "0DD0" + "D432DBFC96D301", "Telfort"},
		{"a name of 7 characters, its length rounded up", "0ED0" + "D432DBFC96D301", "Telfort"},
		{"a name of 8 characters", "0ED0" + "E8329BFD4697D9", "hellohel"},
		{"a name with an escape", "04D0" + "1B14", "{"},
		{"a name longer than there is", "01D0" + "61", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := pdu.DecodeDeliver(unhex(t, "00"+"04"+c.oa+"0000"+deliverTime+"0161"))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "originator", d.Originator, c.want)
		})
	}
}

// An SCA with the type of a name is one, not digits.
func TestDecodeDeliverSMSC(t *testing.T) {
	for sca, want := range map[string]string{
		"00":               "",
		"0191":             "",
		"0791947106004007": "+491760000470",
		"04812143F5":       "12345",
		"06D0C6A7333904":   "FONIC",
	} {
		d, err := pdu.DecodeDeliver(unhex(t, sca+deliverOf("04", "00", "0161")[2:]))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, sca, d.SMSC, want)
	}
}

func TestDecodeDeliverRefuses(t *testing.T) {
	whole := unhex(t, "0791947106004007"+deliverOf("04", "00", "")[2:])
	for n := range whole {
		if d, err := pdu.DecodeDeliver(whole[:n]); !errors.Is(err, pdu.ErrMalformed) {
			t.Errorf("the first %d octets: %+v, %v", n, d, err)
		}
	}
	for _, s := range []string{"000100039199F9000005C8329BFD06", "00" + reportHead + reportSCTS + reportDT + "00"} {
		if d, err := pdu.DecodeDeliver(unhex(t, s)); !errors.Is(err, pdu.ErrNotDeliver) {
			t.Errorf("%+v, %v", d, err)
		}
	}
}

func TestEncodeDeliver(t *testing.T) {
	scts := time.Date(2026, 2, 27, 22, 4, 58, 0, time.UTC)
	for _, c := range []struct {
		name string
		in   pdu.Deliver
		want string
	}{
		{"text", pdu.Deliver{SMSC: "+491760000470", Originator: "+46708251358", Text: "hellohello", PID: 0x41},
			"0791947106004007" + "04" + "0B916407281553F8" + "4100" + deliverTime + "0AE8329BFD4697D9EC37"},
		{"a name", pdu.Deliver{Originator: "Telfort", Text: "ж", Flash: true},
			"00" + "04" + "0DD0D432DBFC96D301" + "0018" + deliverTime + "020436"},
		{"data to a port, a part", pdu.Deliver{Originator: "12", Data: []byte{0xFF}, Ports: &pdu.Ports{Destination: 0xD1EB},
			Concat: &pdu.Concat{Reference: 0x1234, Total: 2, Number: 1, Wide: true}},
			"00" + "44" + "028121" + "0004" + deliverTime + "0E" + "0C0504D1EB0000" + "080412340201" + "FF"},
		{"nothing", pdu.Deliver{Originator: "12"},
			"00" + "04" + "028121" + "0000" + deliverTime + "00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.SCTS = scts
			raw, err := pdu.EncodeDeliver(c.in)
			if err != nil {
				t.Fatal(err)
			}
			sameHex(t, raw, c.want)
			d, err := pdu.DecodeDeliver(raw)
			if err != nil {
				t.Fatal(err)
			}
			d.Raw, d.DCS, d.Alphabet, d.SCTS = nil, 0, 0, scts
			if !reflect.DeepEqual(d, c.in) {
				t.Errorf("got  %+v\nwant %+v", d, c.in)
			}
		})
	}
}

func TestEncodeDeliverRefuses(t *testing.T) {
	now := time.Date(2026, 2, 27, 22, 4, 58, 0, time.UTC)
	part := &pdu.Concat{Total: 2, Number: 1}
	for _, c := range []struct {
		name string
		in   pdu.Deliver
		want error
	}{
		{"no time", pdu.Deliver{Originator: "12"}, pdu.ErrNoTime},
		{"text and data", pdu.Deliver{Originator: "12", SCTS: now, Text: "a", Data: []byte{1}}, pdu.ErrTextAndData},
		{"161 septets", pdu.Deliver{Originator: "12", SCTS: now, Text: strings.Repeat("a", 161)}, pdu.ErrTooLong},
		{"a part of 154 septets", pdu.Deliver{Originator: "12", SCTS: now, Text: strings.Repeat("a", 154), Concat: part}, pdu.ErrTooLong},
		{"no originator", pdu.Deliver{SCTS: now}, pdu.ErrAddress},
		{"a name of 12 characters", pdu.Deliver{SCTS: now, Originator: "abcdefghijkl"}, pdu.ErrAddress},
		{"a name not in GSM-7", pdu.Deliver{SCTS: now, Originator: "Жук"}, pdu.ErrAddress},
		{"a name with U+001B", pdu.Deliver{SCTS: now, Originator: "a\x1b"}, pdu.ErrAddress},
		{"SMSC", pdu.Deliver{SCTS: now, Originator: "12", SMSC: "FONIC"}, pdu.ErrAddress},
	} {
		if _, err := pdu.EncodeDeliver(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
