package virtual_test

import (
	"strings"
	"testing"
	"time"

	"dongled/modem/virtual"
)

// ussd is the result code as the TE hears it.
func ussd(args string) string { return "\r\n+CUSD: " + args + "\r\n" }

// menu is a network that has a balance, a menu of two levels, and codes that go wrong.
var menu = []virtual.USSD{
	{Code: "*100#", Text: "Balance: 4.20 EUR"},
	{Code: "*101#", Text: "Guthaben: 4,20 €", DCS: 72},
	{Code: "*102#", Text: "Line one\nLine \"two\""},
	{Code: "*103#", Str: "C8329BFD06", DCS: 15},
	{Code: "*104#", Status: 5},
	{Code: "*105#", Text: "late", Delay: 9 * time.Second},
	{Code: "#123#", Text: "1 Data\n2 Calls", Replies: []virtual.USSD{
		{Code: "1", Text: "Which one?", Replies: []virtual.USSD{{Text: "Booked."}}},
		{Code: "2", Text: "None left."},
	}},
}

func TestUSSD(t *testing.T) {
	for name, lines := range map[string][]line{
		"a code":            {{"AT+CUSD=1,\"*100#\",15\r", ok + ussd(`0,"Balance: 4.20 EUR",15`)}},
		"the DCS left":      {{"AT+CUSD=1,\"*100#\"\r", ok + ussd(`0,"Balance: 4.20 EUR",15`)}},
		"UCS-2":             {{"AT+CUSD=1,\"*101#\",15\r", ok + ussd(`0,"0047007500740068006100620065006E003A00200034002C00320030002020AC",72`)}},
		"several lines":     {{"AT+CUSD=1,\"*102#\",15\r", ok + ussd("0,\"Line one\nLine \"two\"\",15")}},
		"as it stands":      {{"AT+CUSD=1,\"*103#\",15\r", ok + ussd(`0,"C8329BFD06",15`)}},
		"unknown":           {{"AT+CUSD=1,\"*999#\",15\r", ok + ussd("4")}},
		"asked in UCS-2":    {{"AT+CUSD=1,\"002A0031003000300023\",72\r", ok + ussd(`0,"Balance: 4.20 EUR",15`)}},
		"not presented":     {{"AT+CUSD=0,\"*100#\",15\r", ok}, {"AT+CUSD?\r", "\r\n+CUSD: 0\r\n" + ok}},
		"presentation only": {{"AT+CUSD=1\r", ok}, {"AT+CUSD?;+CUSD=?\r", "\r\n+CUSD: 1\r\n\r\n+CUSD: (0-2)\r\n" + ok}},
		"a session": {
			{"AT+CUSD=1,\"#123#\",15\r", ok + ussd("1,\"1 Data\n2 Calls\",15")},
			{"AT+CUSD=1,\"1\",15\r", ok + ussd(`1,"Which one?",15`)},
			{"AT+CUSD=1,\"anything\",15\r", ok + ussd(`0,"Booked.",15`)},
			{"AT+CUSD=1,\"2\",15\r", ok + ussd("4")},
		},
		"a reply that is none": {
			{"AT+CUSD=1,\"#123#\"\r", ok + ussd("1,\"1 Data\n2 Calls\",15")},
			{"AT+CUSD=1,\"3\"\r", ok + ussd("2")},
		},
		"cancelled": {
			{"AT+CUSD=1,\"#123#\"\r", ok + ussd("1,\"1 Data\n2 Calls\",15")},
			{"AT+CUSD=2\r", ok},
			{"AT+CUSD=1,\"1\"\r", ok + ussd("4")},
		},
		"wrong": {
			{"AT+CMEE=1\r", ok}, {"AT+CUSD\r", errorLine}, {"AT+CUSD=3\r", errorLine}, {"AT+CUSD=x\r", errorLine},
			{"AT+CUSD=1,*100#\r", errorLine}, {"AT+CUSD=1,\"*100#\",256\r", errorLine}, {"AT+CUSD=1,\"*100#\",15,1\r", errorLine},
			{"AT+CUSD=1,\"\",15\r", errorLine}, {"AT+CUSD=1,\"" + strings.Repeat("1", 183) + "\"\r", errorLine}, {"AT+CUSD=1,\"*100#\",72\r", errorLine},
		},
	} {
		t.Run(name, func(t *testing.T) { transcript(t, virtual.Options{USSD: menu}, lines) })
	}
}

// TestPackedUSSD: *100# is AA180C3602 in any manual; "1234567" leaves seven spare bits, which hold
// CR (TS 23.038 6.1.2.3.1); the two long answers came from networks (asterisk-chan-dongle#38).
func TestPackedUSSD(t *testing.T) {
	script := []virtual.USSD{
		{Code: "*100#", Text: "1234567"},
		{Code: "1234567", Text: "12345678"},
		{Code: "[€]", Text: "@{\n}é", Status: 1},
		{Code: "x", Text: "1234567\r"},
		{Code: "y", Text: "Привет", DCS: 72},
		{Code: "z", Text: "Ж"},
		{Code: "*105#", Text: "OCTATOK 187.24 p."},
		{Code: "*115#", Text: "Nepravilnyi nomer uslugi"},
	}
	transcript(t, virtual.Options{USSD: script, Quirks: virtual.Quirks{PackedUSSD: true}}, []line{
		{"AT+CUSD=1,\"*100#\",15\r", errorLine},
		{"AT+CUSD=1,\"AA180C3602\",15\r", ok + ussd(`0,"31D98C56B3DD1A",15`)},
		{"AT+CUSD=1,\"31D98C56B3DD1A\",15\r", ok + ussd(`0,"31D98C56B3DD70",15`)},
		{"AT+CUSD=1,\"78\",15\r", ok + ussd(`0,"31D98C56B3DD1A0D",15`)},
		{"AT+CUSD=1,\"79\",15\r", ok + ussd(`0,"041F04400438043204350442",72`)},
		{"AT+CUSD=1,\"7A\",15\r", ok + ussd(`0,"3F",15`)},
		{"AT+CUSD=1,\"1BDEA6BCF101\",15\r", ok + ussd(`1,"800D4AB149151A",15`)},
		{"AT+CUSD=1,\"AA58AC3602\",15\r", ok + ussd("2")}, // a session was open, and this no reply in it
		{"AT+CUSD=1,\"AA58AC3602\",15\r", ok + ussd(`0,"CE325C1EB6A7D9EE7C1AE47EB7CB72507DCEAE9FD3",15`)},
		{"AT+CUSD=1,\"AA18AC3602\",15\r", ok + ussd(`0,"CF2135487D2E4131DCCD25A381E02E",15`)},
	})
}

func TestUSSDTimes(t *testing.T) {
	bubble(t, virtual.Options{USSD: menu}, func(e *te) {
		e.dialogue("AT+CMEE=1\r", ok)
		e.dialogue("AT+CUSD=1,\"*105#\",15\r", ok)
		e.dialogue("AT+CUSD=1,\"*100#\",15\r", cme+"3"+end) // one at a time
		time.Sleep(9 * time.Second)
		e.expect(ussd(`0,"late",15`))

		e.dialogue("AT+CUSD=1,\"*104#\",15\r", ok)
		time.Sleep(virtual.DefaultUSSDTimeout - 1)
		e.expect("")
		time.Sleep(time.Nanosecond)
		e.expect(ussd("5"))

		e.dialogue("AT+CUSD=1,\"#123#\",15\r", ok+ussd("1,\"1 Data\n2 Calls\",15"))
		time.Sleep(virtual.DefaultUSSDTimeout)
		e.expect(ussd("2")) // the user said nothing

		// Cancelled before the answer, which then never comes.
		e.dialogue("AT+CUSD=1,\"*105#\",15\r", ok)
		e.dialogue("AT+CUSD=2\r", ok)
		e.dialogue("AT+CUSD=1,\"*100#\",15\r", ok+ussd(`0,"Balance: 4.20 EUR",15`))
		time.Sleep(time.Minute)
		e.expect("")
	})
}

func TestUSSDNeedsTheNetwork(t *testing.T) {
	bubble(t, virtual.Options{USSD: menu, PIN: "1234"}, func(e *te) {
		e.dialogue("AT+CMEE=1;+CUSD=1\r", cme+"11"+end)
		e.dialogue("AT+CPIN=1234;+CUSD=1,\"*105#\"\r", ok)
		e.d.SetRegistration(2)
		e.dialogue("AT+CUSD=1,\"*100#\"\r", cme+"30"+end)
		e.d.NotifyUSSD(virtual.USSD{Text: "unheard"})
		e.expect("")
		e.d.SetRegistration(1)
		e.dialogue("AT+CFUN=4;+CFUN=1\r", ok) // leaving the network ends the dialogue
		time.Sleep(time.Minute)
		e.expect("")
	})
}

func TestNetworkSpeaksFirst(t *testing.T) {
	bubble(t, virtual.Options{}, func(e *te) {
		e.d.NotifyUSSD(virtual.USSD{Text: "not presented"})
		e.expect("")
		e.dialogue("AT+CUSD=1\r", ok)
		e.d.NotifyUSSD(virtual.USSD{Text: "Welcome."})
		e.expect(ussd(`0,"Welcome.",15`))
		e.d.NotifyUSSD(virtual.USSD{Text: "Go on?", Replies: []virtual.USSD{{Code: "1", Text: "Thanks."}}})
		e.expect(ussd(`1,"Go on?",15`))
		e.dialogue("AT+CUSD=1,\"1\"\r", ok+ussd(`0,"Thanks.",15`))
	})
}
