package configs_test

import (
	"errors"
	"strings"
	"testing"

	"dongled/configs"
)

// faultsOf loads and returns one line a fault.
func faultsOf(t *testing.T, s configs.Sources) []string {
	t.Helper()
	s.File = "f.yaml"
	if s.YAML == nil {
		s.YAML = []byte{}
	}
	_, err := configs.Load(s)
	var faults configs.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want Faults", err)
	}
	return strings.Split(faults.Error(), "\n")
}

func compare(t *testing.T, got []string, want ...string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// TestEachFault has one fault a row; the text after the file's name is part of what users see.
func TestEachFault(t *testing.T) {
	const sections = "http, auth, store, modems, routes, quotas, messages, inbox, phone, encryption, webhooks, ping, logs, uplink, " +
		"dialects, callbacks, quiet_hours, links, bird, channels, skycore, receivers, groups, twilio"
	const duration = "must be a length of time such as 180s, 10m, 24h or 30d; a number alone is seconds"
	tests := []struct{ yaml, want string }{
		// Documents.
		{"a: b: c", "not valid YAML: mapping values are not allowed in this context"},
		{"\thttp:", "not valid YAML: found character that cannot start any token"},
		{"[]", "a list: must be a mapping with the keys " + sections},
		{"{}\n---\n{}", "more than one YAML document; only the first would be read"},
		// Keys.
		{"htpt: {}", "htpt: unknown key in line 1; did you mean http?"},
		{"http:\n  Listen: ':1'", "http.Listen: unknown key in line 2; did you mean listen?"},
		{"listen: ':1'", "listen: unknown key in line 1; did you mean http.listen or links.listen?"},
		{"pin: 1234", "pin: unknown key in line 1; did you mean modems[0].pin?"},
		{"weather: 1", "weather: unknown key in line 1; known here: " + sections},
		{"webhooks: 1", "webhooks: a single value: must be a mapping with the keys allow_lan_http, retry_count, signing_key, internet_required"},
		{"http.listen: x", "http.listen: unknown key in line 1; known here: " + sections},
		{"modems: [{sim: 1, port: /x, pni: 1}]", "modems[0].pni: unknown key in line 1; did you mean pin?"},
		{"? [a]\n: b", "a list: must not be a key"},
		{"http: {listen: ':1', listen: ':2'}", "http.listen: is set twice, in lines 1 and 1"},
		// Shapes.
		{"http: 8080", "http: 8080: must be a mapping with the keys listen, tls"},
		{"auth: hunter2", "auth: a single value: must be a mapping with the keys username, password, password_file, allow_short_passwords"},
		{"http: {listen: [a]}", "http.listen: a list: must be a single value"},
		{"http: {listen: {a: b}}", "http.listen: a mapping: must be a single value"},
		{"modems: {sim: 1}", `modems: a mapping: must be auto, or a list, each entry beginning with "- "`},
		{"modems: [/dev/ttyUSB0]", "modems[0]: a single value: must be a mapping with the keys sim, port, baud, pin, smsc, name, number, hang_up_calls, reset_command, quotas, balance"},
		{"modems: Auto", `modems: Auto: must be auto, or a list, each entry beginning with "- "`},
		{"routes: auto", `routes: auto: must be a list, each entry beginning with "- "`},
		// http, auth, store.
		{"http: {listen: 8080}", "http.listen: 8080: must be host:port, such as :8080 or 127.0.0.1:8080"},
		{"http: {listen: ':65536'}", "http.listen: :65536: must be host:port, such as :8080 or 127.0.0.1:8080"},
		{"http: {listen: 'http://x:80'}", "http.listen: http://x:80: must be host:port, such as :8080 or 127.0.0.1:8080"},
		{"http: {listen: ':http'}", "http.listen: :http: must be host:port, such as :8080 or 127.0.0.1:8080"},
		{"http: {listen: ''}", `http.listen: "": must be host:port, such as :8080 or 127.0.0.1:8080`},
		{"auth: {username: ''}", `auth.username: "": must not be empty nor contain a colon or control characters (RFC 7617 section 2)`},
		{"auth: {username: 'a:b'}", "auth.username: a:b: must not be empty nor contain a colon or control characters (RFC 7617 section 2)"},
		{`auth: {password: "a\nlong word"}`, "auth.password: ********: must not contain control characters (RFC 7617 section 2)"},
		{"auth: {password: long enough, password_file: b}", "auth.password_file: b: must be empty when auth.password is set; keep one of the two"},
		{"auth: {password: 12345678}", "auth.password: ********: must have more than 8 characters, unless auth.allow_short_passwords is true"},
		{"auth: {password: äöüäöüäö}", "auth.password: ********: must have more than 8 characters, unless auth.allow_short_passwords is true"},
		{"auth: {password: short, allow_short_passwords: false}", "auth.password: ********: must have more than 8 characters, unless auth.allow_short_passwords is true"},
		{"http: {tls: {certificate: c.pem}}", `http.tls.key: "": must be set together with the other`},
		{"http: {tls: {key: k.pem}}", "http.tls.key: k.pem: must be set together with the other"},
		{"store: {path: ''}", `store.path: "": must be the path of a file, such as /var/lib/dongled/dongled.db`},
		{"store: {path: /var/}", "store.path: /var/: must be the path of a file, such as /var/lib/dongled/dongled.db"},
		// modems.
		{"modems: [{port: /x}]", "modems[0].sim: must be set, from 1 to 255"},
		{"modems: [{sim: 0, port: /x}]", "modems[0].sim: 0: must be set, from 1 to 255"},
		{"modems: [{sim: 256, port: /x}]", "modems[0].sim: 256: must be set, from 1 to 255"},
		{"modems: [{sim: one, port: /x}]", "modems[0].sim: one: must be a whole number in decimal digits"},
		{"modems: [{sim: 1.0, port: /x}]", "modems[0].sim: 1.0: must be a whole number in decimal digits"},
		{"modems: [{sim: 99999999999, port: /x}]", "modems[0].sim: 99999999999: must be a whole number in decimal digits"},
		{"modems: [{sim: 1, port: /x}, {sim: 1, port: /y}]", "modems[1].sim: 1: is taken by modems[0].sim; every modem needs its own"},
		{"modems: [{sim: 1}]", "modems[0].port: must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME"},
		{"modems: [{sim: 1, port: ttyUSB0}]", "modems[0].port: ttyUSB0: must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME"},
		{"modems: [{sim: 1, port: 'virtual:'}]", `modems[0].port: "virtual:": must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME`},
		{"modems: [{sim: 1, port: /d/x}, {sim: 2, port: /d//x}]", "modems[1].port: /d//x: is taken by modems[0].port; one port is one modem"},
		{"modems: [{sim: 1, port: 'virtual:a'}, {sim: 2, port: 'virtual:a'}]", "modems[1].port: virtual:a: is taken by modems[0].port; one port is one modem"},
		{"modems: [{sim: 1, port: /x, baud: 0}]", "modems[0].baud: 0: must be from 1 to 4000000; usual is 115200"},
		{"modems: [{sim: 1, port: /x, pin: 123}]", "modems[0].pin: ********: must be 4 to 8 digits, or empty for a SIM without PIN"},
		{"modems: [{sim: 1, port: /x, pin: 123456789}]", "modems[0].pin: ********: must be 4 to 8 digits, or empty for a SIM without PIN"},
		{"modems: [{sim: 1, port: /x, pin: 12a4}]", "modems[0].pin: ********: must be 4 to 8 digits, or empty for a SIM without PIN"},
		{"modems: [{sim: 1, port: /x, smsc: 49171}]", "modems[0].smsc: 49171: must be + and 3 to 20 digits, or empty for the SIM's own"},
		{`modems: [{sim: 1, port: /x, smsc: "+4917\r"}]`, `modems[0].smsc: "+4917\r": must be + and 3 to 20 digits, or empty for the SIM's own`},
		{"modems: [{sim: 1, port: /x, name: Küche}]", "modems[0].name: Küche: must be 1 to 32 letters, digits, spaces, dots, underscores and hyphens, no space first or last; or empty"},
		{"modems: [{sim: 1, port: /x, name: ' x'}]", `modems[0].name: " x": must be 1 to 32 letters, digits, spaces, dots, underscores and hyphens, no space first or last; or empty`},
		{"modems: [{sim: 1, port: /x, name: a23456789012345678901234567890123}]", "modems[0].name: a23456789012345678901234567890123: must be 1 to 32 letters, digits, spaces, dots, underscores and hyphens, no space first or last; or empty"},
		{"modems: [{sim: 1, port: /x, name: hall}, {sim: 2, port: /y, name: hall}]", "modems[1].name: hall: is taken by modems[0].name; one name is one SIM"},
		{"modems: [{sim: 1, port: /x, name: '2'}, {sim: 2, port: /y}]", "modems[0].name: 2: is the simNumber of another, modems[1].sim"},
		{"modems: [{sim: 1, port: /x, number: '491701234567'}]", "modems[0].number: 491701234567: must be + and 7 to 15 digits, or empty for what the SIM says"},
		{"modems: [{sim: 1, port: /x, number: +491701}]", "modems[0].number: +491701: must be + and 7 to 15 digits, or empty for what the SIM says"},
		{"modems: [{sim: 1, port: /x, number: +1234567890123456}]", "modems[0].number: +1234567890123456: must be + and 7 to 15 digits, or empty for what the SIM says"},
		{"modems: [{sim: 1, port: /x, number: +491701234567}, {sim: 2, port: /y, number: +491701234567}]", "modems[1].number: +491701234567: is taken by modems[0].number; one number is one SIM"},
		{"quiet_hours: {start: '24:00'}", "quiet_hours.start: 24:00: must be HH:mm, such as 22:00"},
		{"quiet_hours: {start: '22:00', end: 7h}", "quiet_hours.end: 7h: must be HH:mm, such as 07:00"},
		{"modems: [{sim: 1, port: 'imei:49015420323751'}, {sim: 2, port: 'imei:4901542'}]", "modems[1].port: imei:4901542: must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME"},
		{"modems: [{sim: 1, port: 'imsi:26201'}]", "modems[0].port: imsi:26201: must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME"},
		{"modems: [{sim: 1, port: 'usb:12d1'}]", "modems[0].port: usb:12d1: must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME"},
		{"modems: [{sim: 1, port: 'usb:12d1:1001#'}]", "modems[0].port: usb:12d1:1001#: must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME"},
		{"modems: [{sim: 1, port: 'usb:12d1:ab01'}, {sim: 2, port: 'usb:12D1:AB01'}]", "modems[1].port: usb:12D1:AB01: is taken by modems[0].port; one port is one modem"},
		{"modems: [{sim: 1, port: /x, hang_up_calls: yes}]", "modems[0].hang_up_calls: yes: must be true or false"},
		{"modems: [{sim: 1, port: /x, reset_command: /sbin/reset -f}]", `modems[0].reset_command: "/sbin/reset -f": must be a program and its arguments, each an entry of the list; no shell reads it`},
		{"modems: [{sim: 1, port: /x, reset_command: ['']}]", `modems[0].reset_command: "[\"\"]": must be a program and its arguments, each an entry of the list; no shell reads it`},
		{`modems: [{sim: 1, port: /x, reset_command: [/x, "a\0"]}]`, `modems[0].reset_command: "[/x, \"a\\x00\"]": must not contain NUL`},
		{"modems: [{sim: 1, port: /x, reset_command: [[a]]}]", "modems[0].reset_command: a list: must be a list of single values"},
		{"modems: [{sim: 1, port: /x, reset_command: {a: b}}]", "modems[0].reset_command: a mapping: must be a single value"},
		{"modems: [{sim: 1, port: /x, reset_command: '[a'}]", `modems[0].reset_command: [a: must be a list such as ["/usr/local/bin/power-cycle", "2"]`},
		{"modems: [{sim: 1, port: /x, quotas: {day: {parts: -1}}}]", "modems[0].quotas.day.parts: -1: must not be negative; 0 is no cap"},
		{"modems: [{sim: 1, port: /x, balance: {code: 'abc', match: '(.)'}}]", "modems[0].balance.code: abc: must be digits, *, # and + (TS 22.090), such as *100#"},
		{"modems: [{sim: 1, port: /x, balance: {code: '*100#'}}]", `modems[0].balance.match: must be a regular expression with one group, the amount, such as "([0-9.,]+) EUR"`},
		{"modems: [{sim: 1, port: /x, balance: {code: '*100#', match: '(a)(b)'}}]", `modems[0].balance.match: (a)(b): must be a regular expression with one group, the amount, such as "([0-9.,]+) EUR"`},
		{"modems: [{sim: 1, port: /x, balance: {code: '*100#', match: '('}}]", `modems[0].balance.match: (: must be a regular expression with one group, the amount, such as "([0-9.,]+) EUR"`},
		{"modems: [{sim: 1, port: /x, balance: {match: '(a)'}}]", "modems[0].balance.match: (a): is of no use without balance.code"},
		{"modems: [{sim: 1, port: /x, balance: {every: 59}}]", "modems[0].balance.every: 59: must be at least 1m"},
		{"modems: [{sim: 1, port: /x, balance: {below: -1}}]", "modems[0].balance.below: -1: must not be negative"},
		{"modems: [{sim: 1, port: /x, balance: {below: NaN}}]", "modems[0].balance.below: NaN: must be a number such as 5 or 2.50"},
		// routes and quotas.
		{"routes: [{sims: [1]}]", "routes[0].prefix: must be + and up to 15 digits, such as +49"},
		{"routes: [{prefix: 49, sims: [1]}]", "routes[0].prefix: 49: must be + and up to 15 digits, such as +49"},
		{"routes: [{prefix: +1, sims: 1}, {prefix: +1, sims: 2}]", "routes[1].prefix: +1: is taken by routes[0].prefix; list all its sims there"},
		{"routes: [{prefix: +1}]", "routes[0].sims: must name at least one simNumber, such as [1, 2]"},
		{"routes: [{prefix: +1, sims: []}]", "routes[0].sims: []: must name at least one simNumber, such as [1, 2]"},
		{"routes: [{prefix: +1, sims: [1, x]}]", `routes[0].sims: "[1, \"x\"]": must be a list of whole numbers such as [1, 2]`},
		{"routes: [{prefix: +1, sims: [256]}]", "routes[0].sims: [256]: has 256; a simNumber is from 1 to 255"},
		{"routes: [{prefix: +1, sims: [2, 2]}]", `routes[0].sims: "[2, 2]": has 2 twice`},
		{"modems: [{sim: 1, port: /x}]\nroutes: [{prefix: +1, sims: 2}]", "routes[0].sims: 2: has 2, which no modem has as its sim"},
		{"quotas: {month: {recipients: -1}}", "quotas.month.recipients: -1: must not be negative; 0 is no cap"},
		{"quotas: {week: {parts: 1}}", "quotas.week: unknown key in line 1; known here: minute, hour, day, month"},
		// messages.
		{"messages: {processing_order: fifo}", "messages.processing_order: fifo: must be one of LIFO, FIFO; did you mean FIFO?"},
		{"messages: {sim_selection_mode: RoundRobbin}", "messages.sim_selection_mode: RoundRobbin: must be one of OSDefault, RoundRobin, Random; did you mean RoundRobin?"},
		{"messages: {limit_period: weekly}", "messages.limit_period: weekly: must be one of Disabled, PerMinute, Per30Minutes, PerHour, PerDay"},
		{"messages: {on_unknown: ''}", `messages.on_unknown: "": must be one of wait, retry`},
		{"messages: {send_interval_min: -1}", "messages.send_interval_min: -1: must not be negative"},
		{"messages: {send_interval_max: -1s}", "messages.send_interval_max: -1s: must not be negative"},
		{"messages: {send_interval_min: 5, send_interval_max: 4}", "messages.send_interval_max: 4: must not be less than messages.send_interval_min"},
		{"messages: {send_interval_min: 5}", "messages.send_interval_max: 0: must not be less than messages.send_interval_min"},
		{"messages: {limit_value: -1}", "messages.limit_value: -1: must not be negative"},
		{"messages: {limit_period: PerDay}", "messages.limit_value: 0: must be at least 1 when messages.limit_period is set"},
		{"messages: {max_parts: 0}", "messages.max_parts: 0: must be from 1 to 255 (TS 23.040 section 9.2.3.24.1)"},
		{"messages: {max_parts: 256}", "messages.max_parts: 256: must be from 1 to 255 (TS 23.040 section 9.2.3.24.1)"},
		{"messages: {send_timeout: 999ms}", "messages.send_timeout: 999ms: must be from 1s to 10m"},
		{"messages: {send_timeout: 601}", "messages.send_timeout: 601: must be from 1s to 10m"},
		{"messages: {unknown_after: 0}", "messages.unknown_after: 0: must be more than 0"},
		{"messages: {retention: 0d}", "messages.retention: 0d: must be more than 0"},
		{"messages: {retention: month}", "messages.retention: month: " + duration},
		{"messages: {retention: 1.5d}", "messages.retention: 1.5d: " + duration},
		{"messages: {retention: 1d-2h}", "messages.retention: 1d-2h: " + duration},
		{"messages: {retention: -1d}", "messages.retention: -1d: " + duration},
		{"messages: {retention: 106752d}", "messages.retention: 106752d: is longer than 292 years"},
		{"messages: {retention: 106751d2562047h}", "messages.retention: 106751d2562047h: is longer than 292 years"},
		{"messages: {retention: 9223372037}", "messages.retention: 9223372037: is longer than 292 years"},
		{"messages: {work_hours_start: '9:00'}", "messages.work_hours_start: 9:00: must be HH:mm, such as 09:00"},
		{"messages: {work_hours_end: '24:00'}", "messages.work_hours_end: 24:00: must be HH:mm, such as 19:00"},
		{"messages: {work_hours_end: 1900}", "messages.work_hours_end: 1900: must be HH:mm, such as 19:00"},
		{"messages: {work_hours_enabled: on}", "messages.work_hours_enabled: on: must be true or false"},
		{"messages: {max_pending: -1}", "messages.max_pending: -1: must not be negative"},
		{"messages: {max_pending_age: -1}", "messages.max_pending_age: -1: must not be negative"},
		{"messages: {max_failed: -1}", "messages.max_failed: -1: must not be negative"},
		{"messages: {max_failed_age: 0}", "messages.max_failed_age: 0: must be more than 0"},
		// inbox.
		{"inbox: {partial_after: 0}", "inbox.partial_after: 0: must be more than 0"},
		{"inbox: {retention: -1}", "inbox.retention: -1: must be more than 0"},
		// phone.
		{"phone: {default_region: de}", "phone.default_region: de: must be in capitals: DE"},
		{"phone: {default_region: UK}", "phone.default_region: UK: must be an ISO 3166-1 code; the United Kingdom is GB"},
		{"phone: {default_region: DEU}", "phone.default_region: DEU: must be an ISO 3166-1 code of two capitals such as DE, or empty"},
		// encryption, webhooks, ping, logs, uplink.
		{"encryption: {passphrase: a, passphrase_file: b}", "encryption.passphrase_file: b: must be empty when encryption.passphrase is set; keep one of the two"},
		{"webhooks: {retry_count: 0}", "webhooks.retry_count: 0: must be at least 1"},
		{"webhooks: {allow_lan_http: 1}", "webhooks.allow_lan_http: 1: must be true or false"},
		{"ping: {interval: 999ms}", "ping.interval: 999ms: must be 0 or at least 1s"},
		{"ping: {interval: -1}", "ping.interval: -1: must be 0 or at least 1s"},
		{"logs: {lifetime: 0}", "logs.lifetime: 0: must be more than 0"},
		{"uplink: {url: sms.example.com}", "uplink.url: sms.example.com: must be an http or https URL, such as https://sms.example.com/api/mobile/v1"},
		{"uplink: {url: 'https:///x'}", "uplink.url: https:///x: must be an http or https URL, such as https://sms.example.com/api/mobile/v1"},
		{"uplink: {url: 'https://a/?b=c'}", "uplink.url: https://a/?b=c: must be an http or https URL, such as https://sms.example.com/api/mobile/v1"},
		{"uplink: {url: 'https://sms:hunter2@sms.example.com/api'}", "uplink.url: https://********@sms.example.com/api: must have no user and password; those are uplink.username and uplink.password"},
		{"uplink: {url: 'https://hunter2@sms.example.com'}", "uplink.url: https://********@sms.example.com: must have no user and password; those are uplink.username and uplink.password"},
		{"uplink: {url: 'ftp://sms:hunter@2@sms.example.com'}", "uplink.url: ftp://********@sms.example.com: must be an http or https URL, such as https://sms.example.com/api/mobile/v1"},
		{"uplink: {username: a}", `uplink.password: "": must be set together with the other`},
		{"uplink: {password: a}", "uplink.password: ********: must be set together with the other"},
		{"uplink: {private_token: a, code: b}", "uplink.private_token: ********: only one of private_token, username and code may be set"},
		{"uplink: {username: a, password: b, code: c}", `uplink.private_token: "": only one of private_token, username and code may be set`},
		// channels.
		{"channels: [{sim: 1}]", `channels[0].id: must be a UUID, such as 11111111-2222-4333-8444-555555555555`},
		{"channels: [{id: 11111111-2222-4333-8444-55555555555}]", "channels[0].id: 11111111-2222-4333-8444-55555555555: must be a UUID, such as 11111111-2222-4333-8444-555555555555"},
		{"channels: [{id: 11111111-2222-4333-8444-555555555555, sim: 256}]", "channels[0].sim: 256: must be from 1 to 255, or 0 for any SIM"},
		{"channels: [{id: 11111111-2222-4333-8444-555555555555, sim: -1}]", "channels[0].sim: -1: must be from 1 to 255, or 0 for any SIM"},
		{"channels: [{id: 11111111-2222-4333-8444-55555555555a}, {id: 11111111-2222-4333-8444-55555555555A}]",
			"channels[1].id: 11111111-2222-4333-8444-55555555555A: is taken by channels[0].id; every channel needs its own"},
		{"channels: [{id: 11111111-2222-4333-8444-555555555555, kind: otp}]",
			"channels[0].kind: otp: must be one of conversational, transactional, promotional, 2fa"},
		{"phone: {default_region: ' '}", `phone.default_region: " ": must be an ISO 3166-1 code of two capitals such as DE, or empty`},
	}
	for _, tt := range tests {
		t.Run(tt.yaml, func(t *testing.T) {
			got := faultsOf(t, configs.Sources{YAML: []byte(tt.yaml)})
			compare(t, got, "f.yaml: "+tt.want)
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	got := faultsOf(t, configs.Sources{
		YAML:    []byte("htp: 1\nhttp: {listen: nowhere}\nmessages: {max_parts: many, retention: 0}"),
		Environ: []string{"DONGLED_MESSAGES__SEND_TIMEOUT=soon", "DONGLED_HTTP_LISTEN=:1"},
		Flags:   map[string]string{"messages.on_unknwn": "wait"},
	})
	compare(t, got,
		"f.yaml: htp: unknown key in line 1; did you mean http?",
		"DONGLED_HTTP_LISTEN: no setting has this environment variable; did you mean DONGLED_HTTP__LISTEN?",
		"command line: messages.on_unknwn: unknown key; did you mean messages.on_unknown?",
		"f.yaml: messages.max_parts: many: must be a whole number in decimal digits",
		"DONGLED_MESSAGES__SEND_TIMEOUT: messages.send_timeout: soon: must be a length of time such as 180s, 10m, 24h or 30d; a number alone is seconds",
		"f.yaml: http.listen: nowhere: must be host:port, such as :8080 or 127.0.0.1:8080",
		"f.yaml: messages.retention: 0: must be more than 0",
	)
}

// TestDialectsOff: what is switched off has to be there, where it is known what is.
func TestDialectsOff(t *testing.T) {
	known := []string{"bird", "kannel", "twilio"}
	for _, tt := range []struct{ off, want string }{
		{"[twillio]", `f.yaml: dialects.off: "[\"twillio\"]": has twillio, which no API has as its name; did you mean twilio?`},
		{"Bird", "f.yaml: dialects.off: Bird: has Bird, which no API has as its name; did you mean bird?"},
		{"nexmo", "f.yaml: dialects.off: nexmo: has nexmo, which no API has as its name; known are bird, kannel, twilio"},
		{"['']", `f.yaml: dialects.off: "[\"\"]": has "", which no API has as its name; known are bird, kannel, twilio`},
	} {
		compare(t, faultsOf(t, configs.Sources{YAML: []byte("dialects: {off: " + tt.off + "}"), Dialects: known}), tt.want)
	}
	for _, s := range []configs.Sources{
		{YAML: []byte("dialects: {off: [twilio, bird]}"), Dialects: known},
		{YAML: []byte("dialects: {off: [nexmo]}")},
	} {
		if _, err := configs.Load(s); err != nil {
			t.Errorf("%s: %v", s.YAML, err)
		}
	}
	compare(t, faultsOf(t, configs.Sources{YAML: []byte("dialects: {third_party: sms-gate}\ncallbacks: {http: wan}")}),
		"f.yaml: dialects.third_party: sms-gate: must be one of 614901, smsgate; did you mean smsgate?",
		"f.yaml: callbacks.http: wan: must be one of loopback, lan, any; did you mean lan?")
}

// TestNoFollowUpFaults: a value that does not parse is one fault, not two.
func TestNoFollowUpFaults(t *testing.T) {
	got := faultsOf(t, configs.Sources{YAML: []byte("messages: {send_interval_min: 9, send_interval_max: x}\nmodems: [{sim: x, port: /x}]")})
	compare(t, got,
		"f.yaml: modems[0].sim: x: must be a whole number in decimal digits",
		"f.yaml: messages.send_interval_max: x: must be a length of time such as 180s, 10m, 24h or 30d; a number alone is seconds",
	)
}

func TestEnvironmentFaults(t *testing.T) {
	tests := []struct{ variable, want string }{
		{"DONGLED_=x", "DONGLED_: no setting has this environment variable"},
		{"DONGLED_MODEMS=x", "DONGLED_MODEMS: no setting has this environment variable"},
		{"DONGLED_http__listen=:1", "DONGLED_http__listen: no setting has this environment variable; did you mean DONGLED_HTTP__LISTEN?"},
		{"DONGLED_MODEMS__3__PRT=x", "DONGLED_MODEMS__3__PRT: no setting has this environment variable; did you mean DONGLED_MODEMS__3__PORT?"},
		{"DONGLED_MODEMS__00__PORT=/x", "DONGLED_MODEMS__00__PORT: no setting has this environment variable; did you mean DONGLED_MODEMS__0__PORT?"},
		{"DONGLED_MODEMS__255__SIM=1", "DONGLED_MODEMS__255__SIM: no setting has this environment variable"},
		{"DONGLED_MODEMS__2__SIM=3", "DONGLED_MODEMS__2__SIM: modems[2]: leaves out numbers; the next new entry is modems[0]"},
		{"DONGLED_MODEMS__0__SIM=2", "DONGLED_MODEMS__0__SIM: modems[0].port: must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME"},
		{"DONGLED_MESSAGES__LIMIT_PERIOD=PerDay", "DONGLED_MESSAGES__LIMIT_PERIOD: messages.limit_value: 0: must be at least 1 when messages.limit_period is set"},
		{"DONGLED_AUTH__USERNAME=", `DONGLED_AUTH__USERNAME: auth.username: "": must not be empty nor contain a colon or control characters (RFC 7617 section 2)`},
	}
	for _, tt := range tests {
		t.Run(tt.variable, func(t *testing.T) {
			compare(t, faultsOf(t, configs.Sources{Environ: []string{tt.variable}}), tt.want)
		})
	}
}

func TestTooManyModems(t *testing.T) {
	yaml := "modems:\n" + strings.Repeat("- {sim: 1, port: /x}\n", 256)
	compare(t, faultsOf(t, configs.Sources{YAML: []byte(yaml)}),
		"f.yaml: modems: 256 entries: must have at most 255")
}

// TestFaultStaysOnItsLine: what is pasted into a value cannot forge or hide a line.
func TestFaultStaysOnItsLine(t *testing.T) {
	got := faultsOf(t, configs.Sources{Flags: map[string]string{"http.listen": "a\nb\x1b[2J" + strings.Repeat("x", 5000)}})
	compare(t, got, `command line: http.listen: "a\nb\x1b[2J`+strings.Repeat("x", 57)+
		`…": must be host:port, such as :8080 or 127.0.0.1:8080`)
}
