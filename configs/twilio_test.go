package configs_test

import (
	"strings"
	"testing"

	"dongled/configs"
)

func TestTwilio(t *testing.T) {
	const (
		sid   = "account_sid: AC0123456789abcdef0123456789ABCDEF"
		token = "auth_token: fedcba9876543210"
	)
	for yaml, want := range map[string]string{
		"{}":                                   "",
		"{" + sid + ", " + token + "}":         "",
		"{" + sid + "}":                        "needs twilio.auth_token",
		"{" + token + "}":                      "needs twilio.account_sid",
		"{account_sid: AC0123, " + token + "}": "must be AC and 32 hexadecimal digits",
		"{account_sid: SK0123456789abcdef0123456789abcdef, " + token + "}": "must be AC and 32 hexadecimal digits",
		"{" + sid + ", auth_token: fedcba987654321}":                       "must be 16 to 200 characters of visible ASCII, without spaces",
		"{" + sid + ", auth_token: fedcba9876543210 x}":                    "must be 16 to 200 characters of visible ASCII, without spaces",
	} {
		_, err := configs.Load(configs.Sources{File: "f.yaml", YAML: []byte("twilio: " + yaml)})
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), ": "+want)) {
			t.Errorf("%s: %v, want %q", yaml, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "fedcba") {
			t.Errorf("%s: the token shows: %v", yaml, err)
		}
	}
}
