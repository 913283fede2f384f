package configs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"dongled/configs"
)

// load reads yaml as the file f.yaml, with environ and flags as given.
func load(t *testing.T, yaml string, environ []string, flags map[string]string) configs.Effective {
	t.Helper()
	e, err := configs.Load(configs.Sources{File: "f.yaml", YAML: []byte(yaml), Environ: environ, Flags: flags})
	if err != nil {
		t.Fatalf("Load:\n%v", err)
	}
	return e
}

func TestNoSources(t *testing.T) {
	e, err := configs.Load(configs.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	if want := configs.Default(); !reflect.DeepEqual(e.Config, want) {
		t.Errorf("got %+v\nwant %+v", e.Config, want)
	}
}

// TestEveryKey sets every key away from its default, in every layer that can.
func TestEveryKey(t *testing.T) {
	caps := func(n int) configs.Caps { return configs.Caps{Messages: n, Parts: n + 1, Recipients: n + 2} }
	quotas := configs.Quota{Minute: caps(1), Hour: caps(4), Day: caps(7), Month: caps(10)}
	want := configs.Config{
		HTTP:  configs.HTTP{Listen: "[::1]:80", TLS: configs.TLS{Certificate: "c.pem", Key: "k.pem"}},
		Auth:  configs.Auth{Username: "me", Password: "p w", PasswordFile: "", AllowShortPasswords: true},
		Store: configs.Store{Path: "x.db"},
		Modems: []configs.Modem{
			{
				SIM: 7, Port: "/dev/serial/by-id/a", Baud: 9600, PIN: "0042", SMSC: "+491710760000", Name: "attic", Number: "+491510000007",
				HangUpCalls: true, ResetCommand: []string{"/sbin/cycle", "a b"},
				Quotas:  configs.Quota{Minute: configs.Caps{Messages: 1, Parts: 2, Recipients: 3}, Hour: caps(0), Day: caps(7), Month: caps(10)},
				Balance: configs.Balance{Code: "*100#", Match: "([0-9.]+)", Every: 12 * time.Hour, Below: 2.5},
			},
			{SIM: 8, Port: "virtual:b", Baud: 115200, Quotas: quotas, Balance: configs.Balance{Every: 24 * time.Hour}},
		},
		Routes: []configs.Route{{Prefix: "+49", SIMs: []int{8, 7}}, {Prefix: "+", SIMs: []int{7}}},
		Quotas: quotas,
		Messages: configs.Messages{
			ProcessingOrder:  configs.FIFO,
			SIMSelectionMode: configs.RoundRobin,
			SendIntervalMin:  2 * time.Second,
			SendIntervalMax:  1500 * time.Second,
			LimitPeriod:      configs.Per30Minutes,
			LimitValue:       50,
			WorkHoursEnabled: true, WorkHoursStart: "22:30", WorkHoursEnd: "06:15",
			MaxPending: 100, MaxPendingAge: 2 * time.Hour, MaxFailed: 5, MaxFailedAge: 10 * time.Minute,
			MaxParts:     10,
			SendTimeout:  90 * time.Second,
			OnUnknown:    configs.Retry,
			UnknownAfter: 36 * time.Hour,
			Retention:    7 * 24 * time.Hour,
		},
		Inbox: configs.Inbox{PartialAfter: time.Hour, Retention: 48 * time.Hour},
		Phone: configs.Phone{DefaultRegion: "DE"},

		Encryption: configs.Encryption{Passphrase: "correct horse"},
		Webhooks:   configs.Webhooks{AllowLANHTTP: true, RetryCount: 3, SigningKey: "key", InternetRequired: false},
		Ping:       configs.Ping{Interval: time.Minute},
		Logs:       configs.Logs{Lifetime: 48 * time.Hour},
		Uplink:     configs.Uplink{URL: "https://sms.example/api/mobile/v1", Name: "attic", Username: "u", Password: "p"},

		Dialects:   configs.Dialects{Off: []string{"kannel", "twilio"}, ThirdParty: configs.SMSGate},
		Callbacks:  configs.Callbacks{HTTP: configs.Anywhere},
		QuietHours: configs.QuietHours{Start: "21:00", End: "08:30"},
		Links: configs.Links{
			Listen: ":8081", PublicBaseURL: "https://s.example.org", AllowPrivate: true, Lifetime: 30 * 24 * time.Hour, BareDomains: true,
		},
		Bird: configs.Bird{
			Workspace: "11111111-2222-4333-8444-000000000000", ValidationStatus: 422, Strict: true, MMSFallback: configs.MMSWithLinks,
			FrequencyCap: 3, FrequencyPeriod: 48 * time.Hour,
		},
		Channels: []configs.Channel{{ID: "11111111-2222-4333-8444-555555555555", SIM: 7, Name: "codes", Kind: configs.TwoFA}},
		Skycore: configs.Skycore{
			PostbackURL: "https://app.example/postback", InboxURL: "https://app.example/inbox", PostbackHeader: "X-Token: t",
			EnforceCampaignCheck: true, StrictMask: true, HTTPErrors: true, ClickPostbacks: true,
		},
		Receivers: []configs.Receiver{{
			Name: "ops", To: []string{"+491510000001", "+491510000002"}, SIM: 8, Template: "{{.Status}}", MaxParts: 2, Secret: "s",
		}},
		Groups: []configs.Group{{Name: "family", Numbers: []string{"+491510000001"}}},
		Twilio: configs.Twilio{AccountSID: "AC0123456789abcdef0123456789abcdef", AuthToken: "fedcba9876543210"},
	}
	t.Run("file", func(t *testing.T) {
		got := load(t, `
http: {listen: "[::1]:80", tls: {certificate: c.pem, key: k.pem}}
auth: {username: me, password: p w, allow_short_passwords: true}
store: {path: x.db}
modems:
  - sim: 7
    port: /dev/serial/by-id/a
    baud: 9600
    pin: 0042
    smsc: +491710760000
    name: attic
    number: +491510000007
    hang_up_calls: true
    reset_command: [/sbin/cycle, a b]
    quotas: {hour: {messages: 0, parts: 1, recipients: 2}}
    balance: {code: '*100#', match: '([0-9.]+)', every: 12h, below: 2.50}
  - {sim: 8, port: "virtual:b"}
routes: [{prefix: +49, sims: [8, 7]}, {prefix: +, sims: 7}]
quotas:
  minute: {messages: 1, parts: 2, recipients: 3}
  hour: {messages: 4, parts: 5, recipients: 6}
  day: {messages: 7, parts: 8, recipients: 9}
  month: {messages: 10, parts: 11, recipients: 12}
inbox: {partial_after: 1h, retention: 2d}
messages:
  processing_order: FIFO
  sim_selection_mode: RoundRobin
  send_interval_min: 2
  send_interval_max: 25m
  limit_period: Per30Minutes
  limit_value: 50
  work_hours_enabled: true
  work_hours_start: 22:30
  work_hours_end: 06:15
  max_pending: 100
  max_pending_age: 2h
  max_failed: 5
  max_failed_age: 600
  max_parts: 10
  send_timeout: 1m30s
  on_unknown: retry
  unknown_after: 1d12h
  retention: 7d
phone: {default_region: DE}
encryption: {passphrase: correct horse}
webhooks: {allow_lan_http: true, retry_count: 3, signing_key: key, internet_required: false}
ping: {interval: 60}
logs: {lifetime: 2d}
uplink: {url: 'https://sms.example/api/mobile/v1', name: attic, username: u, password: p}
dialects: {off: [kannel, twilio], third_party: smsgate}
callbacks: {http: any}
quiet_hours: {start: 21:00, end: 08:30}
links: {listen: ':8081', public_base_url: 'https://s.example.org', allow_private: true, lifetime: 30d, bare_domains: true}
bird:
  workspace: 11111111-2222-4333-8444-000000000000
  validation_status: 422
  strict: true
  mms_fallback: text_with_links
  frequency_cap: 3
  frequency_period: 2d
channels: [{id: 11111111-2222-4333-8444-555555555555, sim: 7, name: codes, kind: 2fa}]
skycore:
  postback_url: https://app.example/postback
  inbox_url: https://app.example/inbox
  postback_header: 'X-Token: t'
  enforce_campaign_check: true
  strict_mask: true
  http_errors: true
  click_postbacks: true
receivers: [{name: ops, to: [+491510000001, +491510000002], sim: 8, template: '{{.Status}}', max_parts: 2, secret: s}]
groups: [{name: family, numbers: +491510000001}]
twilio: {account_sid: AC0123456789abcdef0123456789abcdef, auth_token: fedcba9876543210}
`, nil, nil).Config
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	})
	t.Run("environment", func(t *testing.T) {
		got := load(t, "", []string{
			"DONGLED_HTTP__LISTEN=[::1]:80",
			"DONGLED_AUTH__USERNAME=me",
			"DONGLED_AUTH__PASSWORD=p w",
			"DONGLED_STORE__PATH=x.db",
			"DONGLED_MODEMS__0__SIM=7",
			"DONGLED_MODEMS__0__PORT=/dev/serial/by-id/a",
			"DONGLED_MODEMS__0__BAUD=9600",
			"DONGLED_MODEMS__0__PIN=0042",
			"DONGLED_MODEMS__0__SMSC=+491710760000",
			"DONGLED_MODEMS__0__HANG_UP_CALLS=true",
			"DONGLED_MODEMS__0__RESET_COMMAND=[/sbin/cycle, a b]",
			"DONGLED_MODEMS__0__QUOTAS__HOUR__MESSAGES=0",
			"DONGLED_MODEMS__0__QUOTAS__HOUR__PARTS=1",
			"DONGLED_MODEMS__0__QUOTAS__HOUR__RECIPIENTS=2",
			"DONGLED_MODEMS__0__BALANCE__CODE=*100#",
			"DONGLED_MODEMS__0__BALANCE__MATCH=([0-9.]+)",
			"DONGLED_MODEMS__0__BALANCE__EVERY=12h",
			"DONGLED_MODEMS__0__BALANCE__BELOW=2.5",
			"DONGLED_ROUTES__0__PREFIX=+49",
			"DONGLED_ROUTES__0__SIMS=[8, 7]",
			"DONGLED_ROUTES__1__PREFIX=+",
			"DONGLED_ROUTES__1__SIMS=7",
			"DONGLED_INBOX__PARTIAL_AFTER=3600",
			"DONGLED_INBOX__RETENTION=48h",
			"DONGLED_QUOTAS__MINUTE__MESSAGES=1",
			"DONGLED_QUOTAS__MINUTE__PARTS=2",
			"DONGLED_QUOTAS__MINUTE__RECIPIENTS=3",
			"DONGLED_QUOTAS__HOUR__MESSAGES=4",
			"DONGLED_QUOTAS__HOUR__PARTS=5",
			"DONGLED_QUOTAS__HOUR__RECIPIENTS=6",
			"DONGLED_QUOTAS__DAY__MESSAGES=7",
			"DONGLED_QUOTAS__DAY__PARTS=8",
			"DONGLED_QUOTAS__DAY__RECIPIENTS=9",
			"DONGLED_QUOTAS__MONTH__MESSAGES=10",
			"DONGLED_QUOTAS__MONTH__PARTS=11",
			"DONGLED_QUOTAS__MONTH__RECIPIENTS=12",
			"DONGLED_MODEMS__1__SIM=8",
			"DONGLED_MODEMS__1__PORT=virtual:b",
			"DONGLED_MESSAGES__PROCESSING_ORDER=FIFO",
			"DONGLED_MESSAGES__SIM_SELECTION_MODE=RoundRobin",
			"DONGLED_MESSAGES__SEND_INTERVAL_MIN=2s",
			"DONGLED_MESSAGES__SEND_INTERVAL_MAX=1500",
			"DONGLED_MESSAGES__LIMIT_PERIOD=Per30Minutes",
			"DONGLED_MESSAGES__LIMIT_VALUE=50",
			"DONGLED_MESSAGES__MAX_PARTS=10",
			"DONGLED_MESSAGES__SEND_TIMEOUT=90s",
			"DONGLED_MESSAGES__ON_UNKNOWN=retry",
			"DONGLED_MESSAGES__UNKNOWN_AFTER=36h",
			"DONGLED_MESSAGES__RETENTION=168h",
			"DONGLED_PHONE__DEFAULT_REGION=DE",
			"DONGLED_HTTP__TLS__CERTIFICATE=c.pem",
			"DONGLED_HTTP__TLS__KEY=k.pem",
			"DONGLED_AUTH__ALLOW_SHORT_PASSWORDS=true",
			"DONGLED_MESSAGES__WORK_HOURS_ENABLED=true",
			"DONGLED_MESSAGES__WORK_HOURS_START=22:30",
			"DONGLED_MESSAGES__WORK_HOURS_END=06:15",
			"DONGLED_MESSAGES__MAX_PENDING=100",
			"DONGLED_MESSAGES__MAX_PENDING_AGE=2h",
			"DONGLED_MESSAGES__MAX_FAILED=5",
			"DONGLED_MESSAGES__MAX_FAILED_AGE=10m",
			"DONGLED_ENCRYPTION__PASSPHRASE=correct horse",
			"DONGLED_WEBHOOKS__ALLOW_LAN_HTTP=true",
			"DONGLED_WEBHOOKS__RETRY_COUNT=3",
			"DONGLED_WEBHOOKS__SIGNING_KEY=key",
			"DONGLED_WEBHOOKS__INTERNET_REQUIRED=false",
			"DONGLED_PING__INTERVAL=1m",
			"DONGLED_LOGS__LIFETIME=48h",
			"DONGLED_UPLINK__URL=https://sms.example/api/mobile/v1",
			"DONGLED_UPLINK__NAME=attic",
			"DONGLED_UPLINK__USERNAME=u",
			"DONGLED_UPLINK__PASSWORD=p",
			"DONGLED_MODEMS__0__NAME=attic",
			"DONGLED_MODEMS__0__NUMBER=+491510000007",
			"DONGLED_DIALECTS__OFF=[kannel, twilio]",
			"DONGLED_DIALECTS__THIRD_PARTY=smsgate",
			"DONGLED_CALLBACKS__HTTP=any",
			"DONGLED_QUIET_HOURS__START=21:00",
			"DONGLED_QUIET_HOURS__END=08:30",
			"DONGLED_LINKS__LISTEN=:8081",
			"DONGLED_LINKS__PUBLIC_BASE_URL=https://s.example.org",
			"DONGLED_LINKS__ALLOW_PRIVATE=true",
			"DONGLED_LINKS__LIFETIME=30d",
			"DONGLED_LINKS__BARE_DOMAINS=true",
			"DONGLED_BIRD__WORKSPACE=11111111-2222-4333-8444-000000000000",
			"DONGLED_BIRD__VALIDATION_STATUS=422",
			"DONGLED_BIRD__STRICT=true",
			"DONGLED_BIRD__MMS_FALLBACK=text_with_links",
			"DONGLED_BIRD__FREQUENCY_CAP=3",
			"DONGLED_BIRD__FREQUENCY_PERIOD=48h",
			"DONGLED_CHANNELS__0__ID=11111111-2222-4333-8444-555555555555",
			"DONGLED_CHANNELS__0__SIM=7",
			"DONGLED_CHANNELS__0__NAME=codes",
			"DONGLED_CHANNELS__0__KIND=2fa",
			"DONGLED_SKYCORE__POSTBACK_URL=https://app.example/postback",
			"DONGLED_SKYCORE__INBOX_URL=https://app.example/inbox",
			"DONGLED_SKYCORE__POSTBACK_HEADER=X-Token: t",
			"DONGLED_SKYCORE__ENFORCE_CAMPAIGN_CHECK=true",
			"DONGLED_SKYCORE__STRICT_MASK=true",
			"DONGLED_SKYCORE__HTTP_ERRORS=true",
			"DONGLED_SKYCORE__CLICK_POSTBACKS=true",
			"DONGLED_RECEIVERS__0__NAME=ops",
			"DONGLED_RECEIVERS__0__TO=[\"+491510000001\", \"+491510000002\"]",
			"DONGLED_RECEIVERS__0__SIM=8",
			"DONGLED_RECEIVERS__0__TEMPLATE={{.Status}}",
			"DONGLED_RECEIVERS__0__MAX_PARTS=2",
			"DONGLED_RECEIVERS__0__SECRET=s",
			"DONGLED_GROUPS__0__NAME=family",
			"DONGLED_GROUPS__0__NUMBERS=+491510000001",
			"DONGLED_TWILIO__ACCOUNT_SID=AC0123456789abcdef0123456789abcdef",
			"DONGLED_TWILIO__AUTH_TOKEN=fedcba9876543210",
			"PATH=/bin",
			"DONGLEDX=not ours",
		}, nil).Config
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	})
	t.Run("command line", func(t *testing.T) {
		got := load(t, "", nil, map[string]string{
			"http.listen":                     "[::1]:80",
			"auth.username":                   "me",
			"auth.password":                   "p w",
			"store.path":                      "x.db",
			"modems[0].sim":                   "7",
			"modems[0].port":                  "/dev/serial/by-id/a",
			"modems[0].baud":                  "9600",
			"modems[0].pin":                   "0042",
			"modems[0].smsc":                  "+491710760000",
			"modems.0.hang_up_calls":          "true",
			"modems.0.reset_command":          "[/sbin/cycle, a b]",
			"modems.0.quotas.hour.messages":   "0",
			"modems.0.quotas.hour.parts":      "1",
			"modems.0.quotas.hour.recipients": "2",
			"modems.0.balance.code":           "*100#",
			"modems.0.balance.match":          "([0-9.]+)",
			"modems.0.balance.every":          "12h",
			"modems.0.balance.below":          "2.5",
			"routes.0.prefix":                 "+49",
			"routes.0.sims":                   "[8, 7]",
			"routes.1.prefix":                 "+",
			"routes.1.sims":                   "7",
			"inbox.partial_after":             "3600",
			"inbox.retention":                 "48h",
			"quotas.minute.messages":          "1",
			"quotas.minute.parts":             "2",
			"quotas.minute.recipients":        "3",
			"quotas.hour.messages":            "4",
			"quotas.hour.parts":               "5",
			"quotas.hour.recipients":          "6",
			"quotas.day.messages":             "7",
			"quotas.day.parts":                "8",
			"quotas.day.recipients":           "9",
			"quotas.month.messages":           "10",
			"quotas.month.parts":              "11",
			"quotas.month.recipients":         "12",
			"modems.1.sim":                    "8",
			"modems.1.port":                   "virtual:b",
			"messages.processing_order":       "FIFO",
			"messages.sim_selection_mode":     "RoundRobin",
			"messages.send_interval_min":      "2s",
			"messages.send_interval_max":      "1500",
			"messages.limit_period":           "Per30Minutes",
			"messages.limit_value":            "50",
			"messages.max_parts":              "10",
			"messages.send_timeout":           "90s",
			"messages.on_unknown":             "retry",
			"messages.unknown_after":          "36h",
			"messages.retention":              "168h",
			"phone.default_region":            "DE",
			"http.tls.certificate":            "c.pem",
			"http.tls.key":                    "k.pem",
			"auth.allow_short_passwords":      "true",
			"messages.work_hours_enabled":     "true",
			"messages.work_hours_start":       "22:30",
			"messages.work_hours_end":         "06:15",
			"messages.max_pending":            "100",
			"messages.max_pending_age":        "2h",
			"messages.max_failed":             "5",
			"messages.max_failed_age":         "10m",
			"encryption.passphrase":           "correct horse",
			"webhooks.allow_lan_http":         "true",
			"webhooks.retry_count":            "3",
			"webhooks.signing_key":            "key",
			"webhooks.internet_required":      "false",
			"ping.interval":                   "1m",
			"logs.lifetime":                   "48h",
			"uplink.url":                      "https://sms.example/api/mobile/v1",
			"uplink.name":                     "attic",
			"uplink.username":                 "u",
			"uplink.password":                 "p",
			"modems.0.name":                   "attic",
			"modems.0.number":                 "+491510000007",
			"dialects.off":                    "[kannel, twilio]",
			"dialects.third_party":            "smsgate",
			"callbacks.http":                  "any",
			"quiet_hours.start":               "21:00",
			"quiet_hours.end":                 "08:30",
			"links.listen":                    ":8081",
			"links.public_base_url":           "https://s.example.org",
			"links.allow_private":             "true",
			"links.lifetime":                  "30d",
			"links.bare_domains":              "true",
			"bird.workspace":                  "11111111-2222-4333-8444-000000000000",
			"bird.validation_status":          "422",
			"bird.strict":                     "true",
			"bird.mms_fallback":               "text_with_links",
			"bird.frequency_cap":              "3",
			"bird.frequency_period":           "48h",
			"channels.0.id":                   "11111111-2222-4333-8444-555555555555",
			"channels.0.sim":                  "7",
			"channels.0.name":                 "codes",
			"channels.0.kind":                 "2fa",
			"skycore.postback_url":            "https://app.example/postback",
			"skycore.inbox_url":               "https://app.example/inbox",
			"skycore.postback_header":         "X-Token: t",
			"skycore.enforce_campaign_check":  "true",
			"skycore.strict_mask":             "true",
			"skycore.http_errors":             "true",
			"skycore.click_postbacks":         "true",
			"receivers.0.name":                "ops",
			"receivers.0.to":                  "[\"+491510000001\", \"+491510000002\"]",
			"receivers.0.sim":                 "8",
			"receivers.0.template":            "{{.Status}}",
			"receivers.0.max_parts":           "2",
			"receivers.0.secret":              "s",
			"groups.0.name":                   "family",
			"groups.0.numbers":                "+491510000001",
			"twilio.account_sid":              "AC0123456789abcdef0123456789abcdef",
			"twilio.auth_token":               "fedcba9876543210",
		}).Config
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	})
}

func TestPrecedence(t *testing.T) {
	const file = "http: {listen: ':1'}\nauth: {username: f}\nstore: {path: f.db}\n"
	e := load(t, file,
		[]string{"DONGLED_HTTP__LISTEN=:2", "DONGLED_AUTH__USERNAME=e"},
		map[string]string{"http.listen": ":3"})
	for _, c := range []struct{ key, got, want, origin string }{
		{"http.listen", e.Config.HTTP.Listen, ":3", "command line"},
		{"auth.username", e.Config.Auth.Username, "e", "DONGLED_AUTH__USERNAME"},
		{"store.path", e.Config.Store.Path, "f.db", "f.yaml"},
		{"messages.on_unknown", string(e.Config.Messages.OnUnknown), "wait", "default"},
	} {
		if c.got != c.want || e.Origins[c.key] != c.origin {
			t.Errorf("%s = %q from %q, want %q from %q", c.key, c.got, e.Origins[c.key], c.want, c.origin)
		}
	}
}

func TestModemsAcrossLayers(t *testing.T) {
	const one = "modems: [{sim: 5, port: virtual:f}]"
	modem := func(sim int, port string) configs.Modem {
		m := configs.DefaultModem()
		m.SIM, m.Port = sim, port
		return m
	}
	withPIN := modem(5, "virtual:f")
	withPIN.PIN = "0000"
	tests := []struct {
		name, yaml string
		environ    []string
		want       []configs.Modem
	}{
		{"environment begins the list", "modems: auto", []string{"DONGLED_MODEMS__0__SIM=1", "DONGLED_MODEMS__0__PORT=virtual:e"},
			[]configs.Modem{modem(1, "virtual:e")}},
		{"auto", "modems: auto", nil, nil},
		{"an empty list is auto", "modems: []", nil, nil},
		{"file", one, nil, []configs.Modem{modem(5, "virtual:f")}},
		{"environment refines the file", one, []string{"DONGLED_MODEMS__0__PIN=0000"},
			[]configs.Modem{withPIN}},
		{"environment appends to the file", one, []string{"DONGLED_MODEMS__1__SIM=6", "DONGLED_MODEMS__1__PORT=virtual:e"},
			[]configs.Modem{modem(5, "virtual:f"), modem(6, "virtual:e")}},
		{"environment says auto", one, []string{"DONGLED_MODEMS=auto"}, nil},
		{"environment says auto, and then not", one, []string{"DONGLED_MODEMS=auto", "DONGLED_MODEMS__0__SIM=1", "DONGLED_MODEMS__0__PORT=virtual:e"},
			[]configs.Modem{modem(1, "virtual:e")}},
		{"null keeps the default", "modems:", nil, nil},
		{"alias", "modems:\n- &m {sim: 5, port: &p virtual:f}\nstore: {path: *p}", nil,
			[]configs.Modem{modem(5, "virtual:f")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := load(t, tt.yaml, tt.environ, nil).Config.Modems; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAutoOnTheCommandLine(t *testing.T) {
	e := load(t, "modems: [{sim: 5, port: virtual:f}]", []string{"DONGLED_MODEMS__1__SIM=6"}, map[string]string{"modems": "auto"})
	if len(e.Config.Modems) != 0 {
		t.Errorf("modems %+v", e.Config.Modems)
	}
	for _, environ := range []string{"DONGLED_MODEMS=Auto", "DONGLED_ROUTES=auto", "DONGLED_modems=auto", "dongled_modems=auto"} {
		_, err := configs.Load(configs.Sources{Environ: []string{environ}})
		if ours := strings.HasPrefix(environ, "DONGLED_"); (err != nil) != ours {
			t.Errorf("%s: %v", environ, err)
		}
	}
}

// TestScalars has what people write without quotes. YAML's own reading would turn
// 0123 into 83, yes into true, 1e3 into 1000 and 2026-01-01 into a time.
func TestScalars(t *testing.T) {
	for _, text := range []string{"0123", "yes", "1e3", "0x10", "2026-01-01", "1_000", "true", ".5", "12:30"} {
		got := load(t, "auth: {password: "+text+", allow_short_passwords: true}", nil, nil).Config.Auth.Password
		if got != text {
			t.Errorf("password: %s became %q", text, got)
		}
	}
	for _, text := range []string{"", "~", "null"} {
		if got := load(t, "http: {listen: "+text+"}", nil, nil).Config.HTTP.Listen; got != ":8080" {
			t.Errorf("listen: %s became %q, want the default", text, got)
		}
	}
	if got := load(t, `modems: [{sim: "1", port: /dev/x, pin: 0123}]`, nil, nil).Config.Modems[0].PIN; got != "0123" {
		t.Errorf("pin: 0123 became %q", got)
	}
	if got := load(t, "\xef\xbb\xbfauth: {username: bom}", nil, nil).Config.Auth.Username; got != "bom" {
		t.Errorf("byte order mark: username %q", got)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1":      time.Second,
		"0180":   180 * time.Second,
		"500ms":  500 * time.Millisecond,
		"1.5h":   90 * time.Minute,
		"30d":    720 * time.Hour,
		"1d12h":  36 * time.Hour,
		"1d0.5s": 24*time.Hour + 500*time.Millisecond,
	} {
		if got := load(t, "messages: {unknown_after: "+text+"}", nil, nil).Config.Messages.UnknownAfter; got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
}

func TestMissingFile(t *testing.T) {
	_, err := configs.Load(configs.Sources{File: filepath.Join(t.TempDir(), "no.yaml")})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no.yaml") {
		t.Errorf("got %v", err)
	}
}

func TestFileOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.yaml")
	if err := os.WriteFile(path, []byte("http: {listen: ':9'}"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := configs.Load(configs.Sources{File: path})
	if err != nil || e.Config.HTTP.Listen != ":9" || e.Origins["http.listen"] != path {
		t.Errorf("got %+v, %v", e, err)
	}
}

// TestListsAcrossLayers: entries are refined, lists of plain values are replaced.
func TestListsAcrossLayers(t *testing.T) {
	const file = "routes: [{prefix: +49, sims: [1, 2]}, {prefix: +44, sims: [3]}]"
	got := load(t, file, []string{"DONGLED_ROUTES__0__SIMS=[4]", "DONGLED_ROUTES__2__PREFIX=+1"},
		map[string]string{"routes[2].sims": " 5 "}).Config.Routes
	want := []configs.Route{{Prefix: "+49", SIMs: []int{4}}, {Prefix: "+44", SIMs: []int{3}}, {Prefix: "+1", SIMs: []int{5}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestResetCommandKeepsItsArguments: each is one, whatever is in it, from every layer.
func TestResetCommandKeepsItsArguments(t *testing.T) {
	want := []string{"/bin/x", "a b", "", `"'\`, "ü,]", "0123", "\x7f"}
	for name, e := range map[string]configs.Effective{
		"file": load(t, `modems: [{sim: 1, port: /x, reset_command: [/bin/x, a b, "", "\"'\\", "ü,]", 0123, "\x7f"]}]`, nil, nil),
		"environment": load(t, "modems: [{sim: 1, port: /x}]",
			[]string{`DONGLED_MODEMS__0__RESET_COMMAND=["/bin/x", 'a b', "", "\"'\\", "ü,]", 0123, "\x7f"]`}, nil),
	} {
		if got := e.Config.Modems[0].ResetCommand; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		out, err := e.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again := load(t, string(out), nil, nil)
		if got := again.Config.Modems[0].ResetCommand; !reflect.DeepEqual(got, want) {
			t.Errorf("%s, printed and read again: got %q, want %q", name, got, want)
		}
	}
}
