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
		"auth: {password: 'a:b # c:d'}",
		"auth: {password: 123456789}",
		"auth: {password: äöüäöüäöü}",
		"auth: {password: a, allow_short_passwords: true}",
		"auth: {allow_short_passwords: false, password: ''}",
		"auth: {password_file: /run/secrets/sms}",
		"http: {tls: {certificate: c.pem, key: k.pem}}",
		"store: {path: dongled.db}",
		"modems: [{sim: 255, port: /dev/x}]",
		"modems: [{sim: 1, port: /dev/x, baud: 1}]",
		"modems: [{sim: 1, port: /dev/x, baud: 4000000}]",
		"modems: [{sim: 1, port: /dev/x, pin: 0000}]",
		"modems: [{sim: 1, port: /dev/x, pin: 00000000}]",
		"modems: [{sim: 1, port: /dev/x, smsc: +123}]",
		"modems: [{sim: 1, port: /dev/x, name: a}]",
		"modems: [{sim: 1, port: /dev/x, name: Front door_2.b-}]",
		"modems: [{sim: 1, port: /dev/x, name: a2345678901234567890123456789012}]",
		"modems: [{sim: 1, port: /dev/x, name: '1'}, {sim: 2, port: /dev/y, name: '3'}]",
		"modems: [{sim: 1, port: /dev/x, number: +1234567}, {sim: 2, port: /dev/y, number: +123456789012345}]",
		"quiet_hours: {start: '22:00', end: '07:00'}",
		"modems: [{sim: 1, port: /dev/x, smsc: +12345678901234567890}]",
		"modems: [{sim: 1, port: 'virtual:A-1_b.c'}]",
		"modems: [{sim: 1, port: 'imei:49015420323751'}, {sim: 2, port: 'imei:4901542032375180'}]",
		"modems: [{sim: 1, port: 'imsi:001011'}, {sim: 2, port: 'imsi:001010123456789'}]",
		"modems: [{sim: 1, port: 'usb:12d1:1001'}, {sim: 2, port: 'usb:12D1:1001#2'}]",
		"modems: [{sim: 1, port: /x, reset_command: reboot}]",
		"modems: [{sim: 1, port: /x, reset_command: []}]",
		"modems: [{sim: 1, port: /x, balance: {code: '*100*1#', match: '(?:a|b)(.*)', every: 1m, below: 0.01}}]",
		"routes: [{prefix: +, sims: [255]}]",
		"routes: [{prefix: +123456789012345, sims: [1]}]",
		"modems: [{sim: 1, port: /x}]\nroutes: [{prefix: +1, sims: 1}]",
		"quotas: {day: {parts: 2147483647}}",
		"inbox: {partial_after: 1ns, retention: 106751d}",
		"messages: {send_interval_min: 5, send_interval_max: 5}",
		"messages: {send_interval_max: 5}",
		"messages: {limit_period: PerHour, limit_value: 1}",
		"messages: {limit_value: 1}",
		"messages: {max_parts: 1}",
		"messages: {send_timeout: 1s}",
		"messages: {send_timeout: 10m}",
		"messages: {unknown_after: 1ns, retention: 1ns}",
		"messages: {retention: 106751d}",
		"messages: {work_hours_enabled: true, work_hours_start: 00:00, work_hours_end: 23:59}",
		"messages: {work_hours_start: 22:00, work_hours_end: 06:00}",
		"messages: {max_pending: 0, max_pending_age: 0, max_failed: 0, max_failed_age: 1ns}",
		"encryption: {passphrase_file: f}",
		"webhooks: {retry_count: 1, signing_key: ''}",
		"ping: {interval: 1s}",
		"logs: {lifetime: 1ns}",
		"uplink: {url: 'http://[::1]:3000/api/mobile/v1', name: ''}",
		"uplink: {username: a, password: b}",
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
		{"wrong word", configs.Sources{YAML: []byte("modems: {pin: " + secret + "}")}},
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
		{"short password", configs.Sources{YAML: []byte("auth: {password: " + secret + "}")}},
		{"passphrase and file", configs.Sources{YAML: []byte("encryption: {passphrase: " + secret + ", passphrase_file: f}")}},
		{"a list of a signing key", configs.Sources{YAML: []byte("webhooks: {signing_key: [" + secret + "]}")}},
		{"uplink twice", configs.Sources{YAML: []byte("uplink: {private_token: " + secret + ", code: " + secret + "}")}},
		{"uplink without username", configs.Sources{YAML: []byte("uplink: {password: " + secret + "}")}},
		{"misspelt token", configs.Sources{Environ: []string{"DONGLED_UPLINK_PRIVATE_TOKEN=" + secret}}},
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

// TestLists: a list of plain values is read from one line as YAML has it; a lone value is a list of one.
func TestLists(t *testing.T) {
	const fault = "command line: routes[0].sims: %s: must be a list of whole numbers such as [1, 2]"
	for text, want := range map[string]string{
		"[1, 2]":           "[1 2]",
		"[ 3,4 ,5 ]":       "[3 4 5]",
		"['6', \"7\"]":     "[6 7]",
		"[8,]":             "[8]",
		"[10, # both\n11]": "[10 11]",
		" 9 ":              "[9]",
		"[1, 2":            fmt.Sprintf(fault, `"[1, 2"`),
		"1, 2":             fmt.Sprintf(fault, `"1, 2"`),
		"1 2":              fmt.Sprintf(fault, `"1 2"`),
		"[1 2]":            fmt.Sprintf(fault, `"[1 2]"`),
		"[[1]]":            fmt.Sprintf(fault, "[[1]]"),
		"[{1: 2}]":         fmt.Sprintf(fault, `"[{1: 2}]"`),
		"[~]":              fmt.Sprintf(fault, "[~]"),
		"[1, null]":        fmt.Sprintf(fault, `"[1, null]"`),
		"[1.0]":            fmt.Sprintf(fault, "[1.0]"),
		"[1]\n---\n[2]":    fmt.Sprintf(fault, `"[1]\n---\n[2]"`),
		"[99999999999]":    fmt.Sprintf(fault, "[99999999999]"),
		"{1: 2}":           fmt.Sprintf(fault, `"{1: 2}"`),
	} {
		e, err := configs.Load(configs.Sources{Flags: map[string]string{"routes.0.prefix": "+1", "routes.0.sims": text}})
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprint(e.Config.Routes[0].SIMs)
		}
		if got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// TestQuotasOfAModem: what a modem does not set is what is set for all, whichever layer set either;
// a fault of the general value is told once, where it is.
func TestQuotasOfAModem(t *testing.T) {
	e := load(t, "quotas: {day: {parts: 5, messages: 6}}\nmodems: [{sim: 1, port: /x, quotas: {day: {parts: 0}}}, {sim: 2, port: /y}]",
		[]string{"DONGLED_MODEMS__1__QUOTAS__MONTH__RECIPIENTS=9", "DONGLED_QUOTAS__HOUR__PARTS=3"},
		map[string]string{"quotas.day.messages": "7"})
	hour := configs.Caps{Parts: 3}
	for i, want := range []configs.Quota{
		{Hour: hour, Day: configs.Caps{Messages: 7}},
		{Hour: hour, Day: configs.Caps{Messages: 7, Parts: 5}, Month: configs.Caps{Recipients: 9}},
	} {
		if got := e.Config.Modems[i].Quotas; got != want {
			t.Errorf("modems[%d]: %+v, want %+v", i, got, want)
		}
	}
	got := faultsOf(t, configs.Sources{YAML: []byte("quotas: {day: {parts: x}}\nmodems: [{sim: 1, port: /x}]")})
	compare(t, got, "f.yaml: quotas.day.parts: x: must be a whole number in decimal digits")
	got = faultsOf(t, configs.Sources{YAML: []byte("quotas: {day: {parts: -1}}\nmodems: [{sim: 1, port: /x}]")})
	compare(t, got, "f.yaml: quotas.day.parts: -1: must not be negative; 0 is no cap")
}
