package pdu_test

import (
	"errors"
	"reflect"
	"testing"

	"dongled/pdu"
)

func TestDecodeSubmit(t *testing.T) {
	for _, c := range []struct {
		name, pdu string
		want      pdu.Submit
	}{
		{"text", "0791947106004007" + "25FE" + "0B916407281553F8" + "0000" + "0161", pdu.Submit{
			SMSC: "+491760000470", MR: 254, Destination: "+46708251358", International: true,
			Report: true, RejectDuplicates: true, Text: "a"}},
		{"no text", "00" + "0100" + "028121" + "4100" + "00", pdu.Submit{Destination: "12", PID: 0x41}},
		{"data", "00" + "4107" + "048121B1" + "0014" + "0A" + "060504D1EB0001" + "0102FF", pdu.Submit{
			MR: 7, Destination: "121#", DCS: 0x14, Flash: true, Alphabet: pdu.Octets,
			UDH: []byte{6, 5, 4, 0xD1, 0xEB, 0, 1}, Ports: &pdu.Ports{Destination: 0xD1EB, Source: 1},
			Data: []byte{1, 2, 0xFF}}},
		{"8-bit ports", "00" + "4100" + "028121" + "0004" + "06" + "040402F0F1" + "00", pdu.Submit{
			Destination: "12", DCS: 4, Alphabet: pdu.Octets, UDH: []byte{4, 4, 2, 0xF0, 0xF1},
			Ports: &pdu.Ports{Destination: 0xF0, Source: 0xF1}, Data: []byte{0}}},
		{"16-bit reference", "00" + "4100" + "028121" + "0008" + "09" + "060804A5A50302" + "0436", pdu.Submit{
			Destination: "12", DCS: 8, Alphabet: pdu.UCS2, UDH: []byte{6, 8, 4, 0xA5, 0xA5, 3, 2},
			Concat: &pdu.Concat{Reference: 0xA5A5, Total: 3, Number: 2, Wide: true}, Text: "ж"}},
		{"the last of two ports counts", "00" + "4100" + "028121" + "0004" + "0D" + "0C" + "050400010002" + "050400030004", pdu.Submit{
			Destination: "12", DCS: 4, Alphabet: pdu.Octets, UDH: unhex(t, "0C050400010002050400030004"),
			Ports: &pdu.Ports{Destination: 3, Source: 4}}},
		{"a lone surrogate does not swallow what follows", "00" + "0100" + "028121" + "0008" + "04" + "D83D" + "0061", pdu.Submit{
			Destination: "12", DCS: 8, Alphabet: pdu.UCS2, Text: "\uFFFDa"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := pdu.DecodeSubmit(unhex(t, c.pdu))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestDecodeSubmitRefuses(t *testing.T) {
	for _, c := range []struct{ name, pdu string }{
		{"SCA longer than the PDU", "0791947106"},
		{"SCA without digits", "0191" + "0100" + "028121" + "0000" + "0161"},
		{"SCA of no type", "021121" + "0100" + "028121" + "0000" + "0161"},
		{"SCA of type 0", "020021" + "0100" + "028121" + "0000" + "0161"},
		{"SCA of fill", "0291FF" + "0100" + "028121" + "0000" + "0161"},
		{"SCA with a star", "02912A" + "0100" + "028121" + "0000" + "0161"},
		{"SCA of a name", "04D0C6A733" + "0100" + "028121" + "0000" + "0161"},
		{"SCA of 22 digits", "0C912143658709214365870921" + "0100" + "028121" + "0000" + "0161"},
		{"TP-DA of no digits", "00" + "0100" + "0081" + "0000" + "0161"},
		{"TP-DA of 21 digits", "00" + "0100" + "1581214365870921436587092143" + "F1" + "0000" + "0161"},
		{"TP-DA longer than the PDU", "00" + "0100" + "FF81" + "21" + "0000" + "0161"},
		{"TP-DA with fill in the middle", "00" + "0100" + "0481" + "F121" + "0000" + "0161"},
		{"TP-DA odd without fill", "00" + "0100" + "0381" + "2143" + "0000" + "0161"},
		{"TP-DA with a letter", "00" + "0100" + "0281" + "2C" + "0000" + "0161"},
		{"TP-DA international with a star", "00" + "0100" + "0291" + "2A" + "0000" + "0161"},
		{"TP-DA without the first bit of its type", "00" + "0100" + "0211" + "21" + "0000" + "0161"},
		{"TP-DA of a name", "00" + "0100" + "04D0" + "6161" + "0000" + "0161"},
		{"TP-DA of reserved type", "00" + "0100" + "02F1" + "21" + "0000" + "0161"},
		{"TP-VP in month 13", "00" + "1900" + "028121" + "0000" + "62312212345440" + "0161"},
		{"TP-VP of ones", "00" + "1900" + "028121" + "0000" + "FFFFFFFFFFFFFF" + "0161"},
		{"TP-VP enhanced and reserved", "00" + "0900" + "028121" + "0000" + "04000000000000" + "0161"},
		{"TP-VP enhanced and no BCD", "00" + "0900" + "028121" + "0000" + "03AA0000000000" + "0161"},
		{"TP-VP cut off", "00" + "1900" + "028121" + "0000" + "622022"},
		{"TP-DCS reserved", "00" + "0100" + "028121" + "0080" + "0161"},
		{"TP-DCS of reserved alphabet", "00" + "0100" + "028121" + "000C" + "0161"},
		{"TP-DCS compressed", "00" + "0100" + "028121" + "0020" + "0161"},
		{"TP-UDL missing", "00" + "0100" + "028121" + "0000"},
		{"TP-UD shorter than TP-UDL", "00" + "0100" + "028121" + "0000" + "0361"},
		{"TP-UD longer than TP-UDL", "00" + "0100" + "028121" + "0000" + "016161"},
		{"TP-UD where TP-UDL is 0", "00" + "0100" + "028121" + "0000" + "0061"},
		{"TP-UD of 141 octets", "00" + "0100" + "028121" + "0004" + "8D" + zeros(141)},
		{"TP-UD of 161 septets", "00" + "0100" + "028121" + "0000" + "A1" + zeros(141)},
		{"UCS-2 of three octets", "00" + "0100" + "028121" + "0008" + "03" + "043604"},
		{"TP-UDHI and no TP-UD", "00" + "4100" + "028121" + "0004" + "00"},
		{"TP-UDHL longer than TP-UD", "00" + "4100" + "028121" + "0004" + "02" + "0205"},
		{"TP-UDHL ends in an element's head", "00" + "4100" + "028121" + "0004" + "03" + "0105" + "04"},
		{"an element longer than TP-UDHL", "00" + "4100" + "028121" + "0004" + "08" + "060505D1EB0000" + "01"},
		{"TP-UDL ends within TP-UDH", "00" + "4100" + "028121" + "0000" + "06" + "050003010201"},
		{"concatenation of two octets", "00" + "4100" + "028121" + "0004" + "06" + "0400020102" + "01"},
		{"16-bit concatenation of three octets", "00" + "4100" + "028121" + "0004" + "07" + "050803010201" + "01"},
		{"ports of three octets", "00" + "4100" + "028121" + "0004" + "07" + "050503010201" + "01"},
		{"8-bit ports of four octets", "00" + "4100" + "028121" + "0004" + "08" + "06040401020100" + "01"},
		{"part 0", "00" + "4100" + "028121" + "0004" + "07" + "050003010200" + "01"},
		{"part 3 of 2", "00" + "4100" + "028121" + "0004" + "07" + "050003010203" + "01"},
		{"no parts", "00" + "4100" + "028121" + "0004" + "07" + "050003010000" + "01"},
		// Of a gateway's test suite: TP-UDL 160 where there are 10 octets.
		{"TP-UDL too long", "0041010C910661345542F60008A0050003000301306F3044"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if s, err := pdu.DecodeSubmit(unhex(t, c.pdu)); !errors.Is(err, pdu.ErrMalformed) {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

// Every beginning of a good PDU is a bad one.
func TestDecodeSubmitCutOff(t *testing.T) {
	whole := unhex(t, "0791947106004007"+"7900"+"0B916407281553F8"+"0004"+"62208212345440"+"0A"+"060504D1EB0001"+"0102FF")
	if _, err := pdu.DecodeSubmit(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if s, err := pdu.DecodeSubmit(whole[:n]); !errors.Is(err, pdu.ErrMalformed) {
			t.Errorf("the first %d octets: %+v, %v", n, s, err)
		}
	}
	if s, err := pdu.DecodeSubmit(append(whole, 0)); !errors.Is(err, pdu.ErrMalformed) {
		t.Errorf("and one octet more: %+v, %v", s, err)
	}
}

func TestDecodeSubmitOfAnotherType(t *testing.T) {
	for _, s := range []string{
		"07919762020033F1040B919762995696F0000041606291401561066379180E8200",
		"00" + reportHead + reportSCTS + reportDT + "00",
	} {
		if m, err := pdu.DecodeSubmit(unhex(t, s)); !errors.Is(err, pdu.ErrNotSubmit) {
			t.Errorf("%+v, %v", m, err)
		}
	}
}

func TestDecodeSubmitKeepsNoReference(t *testing.T) {
	raw := unhex(t, "00"+"5100"+"028121"+"0004"+"A7"+"0A"+"060504D1EB0001"+"0102FF")
	s, err := pdu.DecodeSubmit(raw)
	if err != nil {
		t.Fatal(err)
	}
	clear(raw)
	sameHex(t, s.UDH, "060504D1EB0001")
	sameHex(t, s.Data, "0102FF")
	sameHex(t, s.Validity.Octets, "A7")
}

// zeros is the hexadecimal of n octets of 0.
func zeros(n int) string {
	b := make([]byte, 2*n)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}
