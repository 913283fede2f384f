package seal_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"dongled/scheduler/seal"
)

// The values below were made with OpenSSL and Python's hashlib.pbkdf2_hmac.
const (
	passphrase = "correct horse"
	head       = "$aes-256-cbc/pbkdf2-sha1$i=1$AAECAwQFBgcICQoLDA0ODw==$"
	hi         = head + "sDE2OdlYUnXbgWzQjE4tcQ=="
)

func TestOpen(t *testing.T) {
	for _, test := range []struct{ name, passphrase, sealed, want string }{
		{"SMSGate's text", passphrase, "$aes-256-cbc/pbkdf2-sha1$i=75000$AAECAwQFBgcICQoLDA0ODw==$hrO9FdjFIzo6zOjEa45sKg==", "Hello, world!"},
		{"SMSGate's number", passphrase, "$aes-256-cbc/pbkdf2-sha1$i=75000$AAECAwQFBgcICQoLDA0ODw==$myWkJ4AQRkTWO8J6QSJ4Rw==", "+79990001234"},
		{"one iteration", passphrase, hi, "Hi"},
		{"nothing", passphrase, head + "FTOrlotUr3tOxPWQQuEXjw==", ""},
		{"two blocks beyond ASCII", passphrase, head + "SCoaVeVCyLeYxZ1xC99m+m0QS7Dd2rU3CMoSLugg+d0=", "Grüße 😀, sechzehn"},
		{"a whole block", passphrase, "$aes-256-cbc/pbkdf2-sha1$i=2$AAECAwQFBgcICQoLDA0ODw==$gSiIxvN26aHpSNHvdUE0hqiSt6ifgImwkURMQWSkVSA=", "0123456789abcdef"},
		{"passphrase beyond ASCII", "päss", "$aes-256-cbc/pbkdf2-sha1$i=3$/////////////////////w==$U3LDl1aY3rYpScqID+tImA==", "x"},
		{"other parameters", passphrase, strings.Replace(hi, "$i=1$", "$v=2,i=1,x=$", 1), "Hi"},
		{"leading zero", passphrase, strings.Replace(hi, "$i=1$", "$i=01$", 1), "Hi"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := seal.Open(test.passphrase, test.sealed); got != test.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	salt := func(s string) string { return "$aes-256-cbc/pbkdf2-sha1$i=1$" + s + "$sDE2OdlYUnXbgWzQjE4tcQ==" }
	params := func(s string) string { return strings.Replace(hi, "$i=1$", "$"+s+"$", 1) }
	for _, test := range []struct {
		name, sealed string
		want         error
	}{
		{"empty", "", seal.ErrFormat},
		{"clear text", "Hello", seal.ErrFormat},
		{"number", "+4915112345678", seal.ErrFormat},
		{"dollars only", "$$$$", seal.ErrAlgorithm},
		{"no first dollar", hi[1:], seal.ErrFormat},
		{"something before", "x" + hi, seal.ErrFormat},
		{"four chunks", strings.TrimSuffix(head, "$"), seal.ErrFormat},
		{"six chunks", hi + "$", seal.ErrFormat},
		{"other cipher", strings.Replace(hi, "256-cbc", "128-cbc", 1), seal.ErrAlgorithm},
		{"other hash", strings.Replace(hi, "sha1", "sha256", 1), seal.ErrAlgorithm},
		{"upper case", strings.Replace(hi, "aes", "AES", 1), seal.ErrAlgorithm},
		{"SMSGate's RSA draft", "$rsa-oaep-aes-256-gcm$v=1$k=1$AA==$AA==$AA==", seal.ErrAlgorithm},
		{"no parameters", params(""), seal.ErrFormat},
		{"no i", params("j=1"), seal.ErrFormat},
		{"i empty", params("i="), seal.ErrFormat},
		{"i without value", params("i"), seal.ErrFormat},
		{"i twice", params("i=1,i=1"), seal.ErrFormat},
		{"i zero", params("i=0"), seal.ErrFormat},
		{"i negative", params("i=-1"), seal.ErrFormat},
		{"i with sign", params("i=+1"), seal.ErrFormat},
		{"i with blank", params("i= 1"), seal.ErrFormat},
		{"i hexadecimal", params("i=0x1"), seal.ErrFormat},
		{"i beyond the bound", params("i=2000001"), seal.ErrIterations},
		{"i beyond int", params("i=99999999999999999999"), seal.ErrIterations},
		{"trailing comma", params("i=1,"), seal.ErrFormat},
		{"no salt", salt(""), seal.ErrFormat},
		{"salt of 15", salt("AAECAwQFBgcICQoLDA0O"), seal.ErrFormat},
		{"salt of 17", salt("AAECAwQFBgcICQoLDA0ODxA="), seal.ErrFormat},
		{"salt without padding", salt("AAECAwQFBgcICQoLDA0ODw"), seal.ErrFormat},
		{"salt with bits to spare", salt("AAECAwQFBgcICQoLDA0ODx=="), seal.ErrFormat},
		{"salt of URLs", salt("____________________-w=="), seal.ErrFormat},
		{"no ciphertext", head, seal.ErrFormat},
		{"half a block", head + "AAECAwQFBgc=", seal.ErrFormat},
		{"ciphertext no base64", head + "%%%%", seal.ErrFormat},
		{"padding 0", head + "J2R5kBzw/lCpwc5LYl/DFg==", seal.ErrPassphrase},
		{"padding 17", head + "gz0DemIN0Wz/TINHopNyyg==", seal.ErrPassphrase},
		{"padding uneven", head + "mHDr7dUFTV2oUzYwlxk/sw==", seal.ErrPassphrase},
		{"not UTF-8", head + "WuCUx1CMF6Z+CnzSIUFOdQ==", seal.ErrPassphrase},
		{"another passphrase", head + "vRogog7vhYT5ylG2VeUYWA==", seal.ErrPassphrase},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := seal.Open(passphrase, test.sealed); got != "" || !errors.Is(err, test.want) {
				t.Errorf("%q, %v; want %v", got, err, test.want)
			}
		})
	}
}

// TestWords: clients show these.
func TestWords(t *testing.T) {
	for err, want := range map[error]string{
		seal.ErrNoPassphrase: "Passphrase is not set",
		seal.ErrAlgorithm:    "Unsupported algorithm",
		seal.ErrFormat:       "not an encrypted value",
		seal.ErrIterations:   "more than 2000000 iterations",
		seal.ErrPassphrase:   "the passphrase does not open it",
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
	for sealed, want := range map[string]error{hi: seal.ErrNoPassphrase, "x": seal.ErrFormat} {
		if _, err := seal.Open("", sealed); err != want {
			t.Errorf("without a passphrase %q gives %v, want %v", sealed, err, want)
		}
	}
}

// TestOpenerKeepsNoWrongKey: whatever came before, each value opens with its own salt and iterations.
func TestOpenerKeepsNoWrongKey(t *testing.T) {
	o := seal.NewOpener(passphrase)
	for _, v := range []struct {
		sealed, want string
		err          error
	}{
		{hi, "Hi", nil},
		{head + "SCoaVeVCyLeYxZ1xC99m+m0QS7Dd2rU3CMoSLugg+d0=", "Grüße 😀, sechzehn", nil},
		{strings.Replace(hi, "$i=1$", "$i=2$", 1), "", seal.ErrPassphrase},
		{"$aes-256-cbc/pbkdf2-sha1$i=2$AAECAwQFBgcICQoLDA0ODw==$gSiIxvN26aHpSNHvdUE0hqiSt6ifgImwkURMQWSkVSA=", "0123456789abcdef", nil},
		{"$aes-256-cbc/pbkdf2-sha1$i=2$/////////////////////w==$gSiIxvN26aHpSNHvdUE0hqiSt6ifgImwkURMQWSkVSA=", "", seal.ErrPassphrase},
		{hi, "Hi", nil},
	} {
		if got, err := o.Open(v.sealed); got != v.want || !errors.Is(err, v.err) {
			t.Errorf("%s opens to %q, %v; want %q, %v", v.sealed, got, err, v.want, v.err)
		}
	}
}

// FuzzOpen: whatever the value, Open answers, with text or with one of its errors.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{hi, head, "", "$$$$$", strings.Replace(hi, "i=1", "i=99999999", 1), head + "WuCUx1CMF6Z+CnzSIUFOdQ=="} {
		f.Add(passphrase, seed)
	}
	f.Fuzz(func(t *testing.T, passphrase, sealed string) {
		if costly(sealed) {
			t.Skip("would only take long")
		}
		got, err := seal.Open(passphrase, sealed)
		switch {
		case err == nil && (!utf8.ValidString(got) || passphrase == ""):
			t.Errorf("opened to %q", got)
		case err != nil && got != "":
			t.Errorf("%q beside %v", got, err)
		}
		for _, known := range []error{nil, seal.ErrNoPassphrase, seal.ErrAlgorithm, seal.ErrFormat, seal.ErrIterations, seal.ErrPassphrase} {
			if err == known {
				return
			}
		}
		t.Errorf("error %v is not one of the package's", err)
	})
}

// costly reports whether a value asks for thousands of iterations that are allowed.
func costly(sealed string) bool {
	chunks := strings.Split(sealed, "$")
	if len(chunks) < 3 {
		return false
	}
	for param := range strings.SplitSeq(chunks[2], ",") {
		if digits := strings.TrimLeft(strings.TrimPrefix(param, "i="), "0"); len(digits) > 4 && len(digits) < 8 {
			return true
		}
	}
	return false
}
