package configs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dongled/configs"
)

// TestAccepted has the last value on the right side of every limit.
func TestAccepted(t *testing.T) {
	for _, yaml := range []string{
		"http: {listen: ':0'}",
		"http: {listen: ':65535'}",
		"http: {listen: 'gateway.lan:80'}",
		"http: {listen: '[fe80::1%eth0]:80'}",
		"auth: {username: 'Zoë A'}",
		"auth: {password: 'a:b # c'}",
		"auth: {password_file: /run/secrets/sms}",
		"store: {path: dongled.db}",
		"modems: [{sim: 255, port: /dev/x}]",
		"modems: [{sim: 1, port: /dev/x, baud: 1}]",
		"modems: [{sim: 1, port: /dev/x, baud: 4000000}]",
		"modems: [{sim: 1, port: /dev/x, pin: 0000}]",
		"modems: [{sim: 1, port: /dev/x, pin: 00000000}]",
		"modems: [{sim: 1, port: /dev/x, smsc: +123}]",
		"modems: [{sim: 1, port: /dev/x, smsc: +12345678901234567890}]",
		"modems: [{sim: 1, port: 'virtual:A-1_b.c'}]",
		"messages: {send_interval_min: 5, send_interval_max: 5}",
		"messages: {send_interval_max: 5}",
		"messages: {limit_period: PerHour, limit_value: 1}",
		"messages: {limit_value: 1}",
		"messages: {max_parts: 1}",
		"messages: {send_timeout: 1s}",
		"messages: {send_timeout: 10m}",
		"messages: {unknown_after: 1ns, retention: 1ns}",
		"messages: {retention: 106751d}",
		"phone: {default_region: GB}",
		"phone: {default_region: XK}",
	} {
		if _, err := configs.Load(configs.Sources{File: "f.yaml", YAML: []byte(yaml)}); err != nil {
			t.Errorf("%s\n%v", yaml, err)
		}
	}
}

// TestSecretsNeverShow puts a secret wherever a slip can put it, in files that have
// faults, and looks for it in what is reported.
func TestSecretsNeverShow(t *testing.T) {
	const secret = "5ECRET"
	tests := []struct {
		name string
		s    configs.Sources
	}{
		{"bad PIN", configs.Sources{YAML: []byte("modems: [{sim: 1, port: /x, pin: " + secret + "}]")}},
		{"bad PIN in the environment", configs.Sources{Environ: []string{"DONGLED_MODEMS__0__PIN=" + secret}}},
		{"bad PIN in a flag", configs.Sources{Flags: map[string]string{"modems.0.pin": secret}}},
		{"control character", configs.Sources{YAML: []byte(`auth: {password: "` + secret + `\t"}`)}},
		{"password and file", configs.Sources{YAML: []byte("auth: {password: " + secret + ", password_file: f}")}},
		{"misspelt key", configs.Sources{YAML: []byte("auth: {pasword: " + secret + "}")}},
		{"misspelt variable", configs.Sources{Environ: []string{"DONGLED_AUTH_PASSWORD=" + secret}}},
		{"misspelt flag", configs.Sources{Flags: map[string]string{"auth.pasword": secret}}},
		{"wrong place", configs.Sources{YAML: []byte("password: " + secret)}},
		{"wrong level", configs.Sources{YAML: []byte("auth: " + secret)}},
		{"a list of it", configs.Sources{YAML: []byte("auth: {password: [" + secret + "]}")}},
		{"a mapping of it", configs.Sources{YAML: []byte("auth: {password: {" + secret + ": a}}")}},
		{"an entry of it", configs.Sources{YAML: []byte("modems: [" + secret + "]")}},
		{"twice", configs.Sources{YAML: []byte("auth: {password: a, password: " + secret + "}")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines := faultsOf(t, tt.s)
			if all := strings.Join(lines, "\n"); strings.Contains(all, secret) {
				t.Errorf("the secret shows:\n%s", all)
			}
		})
	}
}

// TestDurationsPrint: the unit is the largest that says it in a whole number, without
// turning 24h into 1d or 180s into 3m.
func TestDurationsPrint(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1:                       "1ns",
		1500 * time.Millisecond: "1.5s",
		90 * time.Second:        "90s",
		3 * time.Minute:         "180s",
		5 * time.Minute:         "5m",
		time.Hour:               "60m",
		2 * time.Hour:           "2h",
		24 * time.Hour:          "24h",
		36 * time.Hour:          "36h",
		48 * time.Hour:          "2d",
		49 * time.Hour:          "49h",
		720*time.Hour + 1:       "720h0m0.000000001s",
	} {
		e := load(t, "", nil, map[string]string{"messages.retention": d.String()})
		if e.Config.Messages.Retention != d {
			t.Errorf("%v was read as %v", d, e.Config.Messages.Retention)
		}
		out, err := e.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if line := fmt.Sprintf("  retention: %s # command line\n", want); !strings.Contains(string(out), line) {
			t.Errorf("%v: no line %q in\n%s", d, line, out)
		}
	}
}

// TestSuggestions: near enough is named, anything else is not guessed at.
func TestSuggestions(t *testing.T) {
	for flag, want := range map[string]string{
		"http.listen ":               "http.listen",
		"htp.lstn":                   "",
		"messages.limit":             "",
		"messages.send_interval_mix": "messages.send_interval_min",
		"messages.Retention":         "messages.retention",
		"retention":                  "",
		"modems.1.prot":              "modems[1].port",
		"modems.-1.port":             "",
		"modems[0]":                  "",
		"modems":                     "",
		"":                           "",
	} {
		got := strings.Join(faultsOf(t, configs.Sources{Flags: map[string]string{flag: "1"}}), "\n")
		_, suggestion, _ := strings.Cut(got, "; did you mean ")
		if suggestion = strings.TrimSuffix(suggestion, "?"); suggestion != want {
			t.Errorf("%q: suggests %q, want %q; whole fault: %s", flag, suggestion, want, got)
		}
	}
}

func TestEnvName(t *testing.T) {
	for key, want := range map[string]string{
		"http.listen":           "DONGLED_HTTP__LISTEN",
		"modems[12].pin":        "DONGLED_MODEMS__12__PIN",
		"messages.send_timeout": "DONGLED_MESSAGES__SEND_TIMEOUT",
		"phone.default_region":  "DONGLED_PHONE__DEFAULT_REGION",
	} {
		if got := configs.EnvName(key); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
}
