package modem

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// What dongles say, and what was meant.
func TestParseUSSD(t *testing.T) {
	tests := map[string]struct {
		args, text string
		status     int
	}{
		"plain":                       {`0,"Your balance is 12.34 EUR",15`, "Your balance is 12.34 EUR", 0},
		"plain, other language":       {`1,"1: Yes, 2: No",0`, "1: Yes, 2: No", 1},
		"plain, without dcs":          {`0,"Saldo: 5"`, "Saldo: 5", 0},
		"plain, quotes within":        {`1,"Reply "1", or "2"",15`, `Reply "1", or "2"`, 1},
		"plain, no quotes at all":     {`0,Saldo 5, thanks,15`, "Saldo 5, thanks", 0},
		"plain, dcs beyond reason":    {`0,"Saldo",4711`, "Saldo", 0},
		"plain, UTF-8":                {`0,"Guthaben: 3 €",15`, "Guthaben: 3 €", 0},
		"plain, Latin-1":              {"0,\"Men\xfc: 5 \xa3\",15", "Menü: 5 £", 0},
		"plain, several lines":        {"1,\"Menu\n1 Balance\n2 Exit\",15", "Menu\n1 Balance\n2 Exit", 1},
		"plain, called UCS-2":         {`0,"Your balance",72`, "Your balance", 0},
		"plain, odd number of digits": {`0,"12345",15`, "12345", 0},
		"plain, a number":             {`0,"123456",15`, "123456", 0},
		"plain, a telephone number":   {`0,"491701234567",15`, "491701234567", 0},
		"no text":                     {`2`, "", 2},
		"no text, spaces":             {` 4 `, "", 4},
		"empty text":                  {`0,"",15`, "", 0},
		"packed":                      {`0,"AA180C3602",15`, "*100#", 0},
		"packed, as by Huawei": {
			// "Your balance is 12.34", packed by hand.
			`0,"D9775D0E1287D961F7B80C4ACF4131996B4603",15`, "Your balance is 12.34", 0},
		"packed, lower case":                 {`0,"aa180c3602",15`, "*100#", 0},
		"packed, dcs 0":                      {`0,"AA180C3602",0`, "*100#", 0},
		"packed, without dcs":                {`0,"AA180C3602"`, "*100#", 0},
		"packed, 0x48 wrong":                 {`0,"AA180C3602",72`, "*100#", 0},
		"packed, language before":            {`0,"657743186687DDE332A806",16`, "Balance 5", 0},
		"packed, general coding":             {`0,"AA180C3602",64`, "*100#", 0},
		"UCS-2":                              {`0,"00470075007400680061006200650020003500A0002020AC",72`, "Guthabe 5\u00a0 €", 0},
		"UCS-2, Cyrillic":                    {`0,"04110430043B0430043D0441003A00200035",72`, "Баланс: 5", 0},
		"UCS-2, Chinese":                     {`0,"4F59989D0035",72`, "余额5", 0},
		"UCS-2, emoji":                       {`0,"D83DDE00",72`, "😀", 0},
		"UCS-2, dcs 8":                       {`0,"4F59989D",8`, "余额", 0},
		"UCS-2, dcs 0x11":                    {`0,"04110430",17`, "Ба", 0},
		"UCS-2, dcs 0x11, with language":     {`0,"653704110430",17`, "Ба", 0},
		"UCS-2, dcs 0x11, not a language":    {`0,"65374F59",17`, "攷余", 0},
		"UCS-2, dcs 0x94, 8-bit with header": {`0,"4869FC",148`, "Hiü", 0},
		"UCS-2 for AT+CSCS, dcs 15":          {`0,"00530061006C0064006F003A00200035",15`, "Saldo: 5", 0},
		"UCS-2 for AT+CSCS, Cyrillic":        {`0,"04110430043B0430043D0441",15`, "Баланс", 0},
		"UCS-2 for AT+CSCS, one character":   {`0,"0041",15`, "A", 0},
		"hex of ASCII":                       {`0,"53616C646F3A2035",15`, "Saldo: 5", 0},
		"8-bit":                              {`0,"4F6BFC",68`, "Okü", 0},
		"8-bit, data coding":                 {`0,"4F6B",244`, "Ok", 0},
		"line ends":                          {"0,\"a\r\nb\rc\r\",15", "a\nb\nc", 0},
		"time-out":                           {`5,"",0`, "", 5},
	}
	for name, test := range tests {
		got, ok := parseUSSD(test.args)
		if !ok || got.Text != test.text || got.Status != test.status {
			t.Errorf("%s: %+v, %t; want %q, status %d", name, got, ok, test.text, test.status)
		}
	}
	for _, bad := range []string{"", "x", `"text",15`, "-1", ",1"} {
		if got, ok := parseUSSD(bad); ok {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

// Whatever a dongle gives, the text is UTF-8 and no longer than what there was: an octet of hex
// cannot make more than two characters, nor a character more than four octets.
func FuzzUSSD(f *testing.F) {
	for _, seed := range []string{
		`0,"Your balance is 12.34 EUR",15`, `1,"AA180C3602",15`, `0,"04110430043B0430043D0441",72`,
		`0,"653704110430",17`, `0,"657743186687DDE332A806",16`, "2", `1,"a "quoted" word",0`, "0,unquoted, text,15",
		"0,\"\xff\xfe\",68", `0,"D83D",72`, `0,"00",15`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, args string) {
		got, ok := parseUSSD(args)
		if !ok {
			if got != (USSD{}) {
				t.Errorf("%q is nothing, and %+v", args, got)
			}
			return
		}
		if !utf8.ValidString(got.Text) || len(got.Text) > 4*len(args) || got.Status < 0 {
			t.Errorf("%q gives %+v", args, got)
		}
		if strings.ContainsRune(got.Text, '\r') {
			t.Errorf("%q gives a CR: %q", args, got.Text)
		}
	})
}
