package auth

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzHeader: what the parser takes is what the scheme says, and can be written back.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{
		"", "Basic", "Basic ", "Basic c21zOnA6c3MgdwO2cmQ=", "basic  c21zOnA=", "Basic c21z", "Basic =", "Basic c21zOg==",
		"Bearer", "Bearer  ", "Bearer a.b.c", "BEARER\ta", "Digest username=sms", "Basic\x00c21zOnA=", "Basic c21zAG86cA==",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		c, ok := parse(header)
		if !ok {
			if fine := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+header)); utf8.ValidString(header) &&
				!strings.ContainsFunc(header, unicode.IsControl) {
				if c, ok := parse(fine); !ok || c != (credentials{user: "user", pass: header}) {
					t.Errorf("%q as a password is %q, %t", header, c, ok)
				}
			}
			return
		}
		if c.token != "" {
			if c.user != "" || c.pass != "" || !strings.EqualFold(header[:7], "Bearer ") || !strings.Contains(header, c.token) {
				t.Errorf("%q: %q", header, c)
			}
			return
		}
		again := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.user+":"+c.pass))
		if back, ok := parse(again); !ok || back != c || strings.ContainsAny(c.user, ":\x00") || strings.Contains(c.pass, "\x00") {
			t.Errorf("%q: %q, and back %q", header, c, back)
		}
		if !strings.EqualFold(header[:6], "Basic ") {
			t.Errorf("%q is taken", header)
		}
	})
}

// FuzzHash: a hash that is taken is written back as it was, and within the bounds.
func FuzzHash(f *testing.F) {
	for _, seed := range []string{
		"", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65", "$argon2i$v=19$m=8,t=1,p=1$$", "$$$$$",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, phc string) {
		d, err := parseHash(phc)
		if err == nil && (d.String() != phc || d.memory > dearest.memory || d.passes > dearest.passes || d.threads < 1) {
			t.Errorf("%q: %+v", phc, d)
		}
	})
}

// FuzzJTI: what is taken is written back as it was.
func FuzzJTI(f *testing.F) {
	for _, seed := range []string{"", "F.a1", "F.r12", ".a1", "F.x1", "F.a01", "F.a-1", "F.a1.a2", "F.a99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if j, ok := parseJTI(s); ok && (j.String() != s || j.family == "") {
			t.Errorf("%q: %+v", s, j)
		}
	})
}
