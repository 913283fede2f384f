package configs_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dongled/configs"
)

// TestSampleIsTheDefaults holds the sample to the code: the same values, every key
// set, and above each key the environment variable that sets it.
func TestSampleIsTheDefaults(t *testing.T) {
	e := load(t, configs.Sample(), nil, nil)
	if want := configs.Default(); !reflect.DeepEqual(e.Config, want) {
		t.Errorf("sample has %+v\ndefaults are %+v", e.Config, want)
	}
	// 3 of http, 4 auth, 1 store, modems, routes, 12 quotas, 18 messages, 2 inbox, 1 phone, 2 encryption, 4 webhooks,
	// 1 ping, 1 logs, 6 uplink, 2 dialects, 1 callbacks, 2 quiet_hours, 5 links, 6 bird, channels, 7 skycore, receivers,
	// groups, 2 twilio
	if len(e.Origins) != 85 {
		t.Errorf("the sample sets %d keys, want 85", len(e.Origins))
	}
	checkKeys(t, configs.Sample(), e.Origins)
}

// offered are the lines of the examples: their # has a name, an entry or an indent right after it.
var offered = regexp.MustCompile(`(?m)^#(\w|  - |    |$)`)

// TestSampleOffersTheLists: with their # taken away, the examples are entries whose other values
// are those of an entry that leaves them out.
func TestSampleOffersTheLists(t *testing.T) {
	text := strings.NewReplacer("modems: auto\n", "", "routes: []\n", "", "channels: []\n", "", "receivers: []\n", "", "groups: []\n", "").
		Replace(configs.Sample())
	text = offered.ReplaceAllString(text, "$1")
	// The route of the example names SIM 2, which needs a modem.
	e := load(t, text, []string{"DONGLED_MODEMS__1__SIM=2", "DONGLED_MODEMS__1__PORT=/x"}, nil)
	want := configs.Default()
	m := configs.DefaultModem()
	m.SIM, m.Port = 1, "imei:490154203237518"
	want.Modems = []configs.Modem{m, m}
	want.Modems[1].SIM, want.Modems[1].Port = 2, "/x"
	want.Routes = []configs.Route{{Prefix: "+49", SIMs: []int{1, 2}}}
	want.Channels = []configs.Channel{{ID: "11111111-2222-4333-8444-555555555555", SIM: 1, Kind: configs.Conversational}}
	want.Receivers = []configs.Receiver{{Name: "on-call", To: []string{"+491510000001"}, MaxParts: 3}}
	want.Groups = []configs.Group{{Name: "family", Numbers: []string{"+491510000001", "+491510000002"}}}
	if !reflect.DeepEqual(e.Config, want) {
		t.Errorf("the examples have %+v\nwant %+v", e.Config, want)
	}
	checkKeys(t, text, e.Origins)
}

// lists are the keys whose values are entries with keys of their own.
var lists = []string{"modems", "routes", "channels", "receivers", "groups"}

// checkKeys: text sets every key, each below its environment variable. A list itself has none; the
// quotas of a modem are offered by one example.
func checkKeys(t *testing.T, text string, origins map[string]string) {
	t.Helper()
	lines := strings.Split(text, "\n")
	for key, origin := range origins {
		if slices.Contains(lists, key) || strings.HasPrefix(key, "modems[0].quotas") || strings.HasPrefix(key, "modems[1]") {
			continue
		}
		if origin != "f.yaml" {
			t.Errorf("the sample lacks %s", key)
			continue
		}
		name := key[strings.LastIndex(key, ".")+1:]
		set := regexp.MustCompile(`^[ -]*` + name + `:`)
		found := false
		for i, line := range lines {
			found = found || i > 0 && set.MatchString(line) && strings.HasSuffix(lines[i-1], "# "+configs.EnvName(key))
		}
		if !found {
			t.Errorf("no line of the sample sets %s below # %s", name, configs.EnvName(key))
		}
	}
}

func TestPrintDefaults(t *testing.T) {
	e := load(t, "", nil, nil)
	out, err := e.YAML()
	if err != nil {
		t.Fatal(err)
	}
	const want = `http:
  listen: ":8080"
  tls:
    certificate: ""
    key: ""
auth:
  username: "sms"
  password: ""
  password_file: ""
  allow_short_passwords: false
store:
  path: "/var/lib/dongled/dongled.db"
modems: auto
routes: []
quotas:
  minute:
    messages: 0
    parts: 0
    recipients: 0
  hour:
    messages: 0
    parts: 0
    recipients: 0
  day:
    messages: 0
    parts: 0
    recipients: 0
  month:
    messages: 0
    parts: 0
    recipients: 0
messages:
  processing_order: LIFO
  sim_selection_mode: OSDefault
  send_interval_min: 0
  send_interval_max: 0
  limit_period: Disabled
  limit_value: 0
  work_hours_enabled: false
  work_hours_start: "09:00"
  work_hours_end: "19:00"
  max_pending: 0
  max_pending_age: 0
  max_failed: 0
  max_failed_age: 60m
  max_parts: 255
  send_timeout: 180s
  on_unknown: wait
  unknown_after: 24h
  retention: 30d
inbox:
  partial_after: 24h
  retention: 30d
phone:
  default_region: ""
encryption:
  passphrase: ""
  passphrase_file: ""
webhooks:
  allow_lan_http: false
  retry_count: 15
  signing_key: ""
  internet_required: true
ping:
  interval: 0
logs:
  lifetime: 30d
uplink:
  url: ""
  name: "dongled"
  private_token: ""
  username: ""
  password: ""
  code: ""
dialects:
  off: []
  third_party: 614901
callbacks:
  http: lan
quiet_hours:
  start: "00:00"
  end: "00:00"
links:
  listen: ""
  public_base_url: ""
  allow_private: false
  lifetime: 90d
  bare_domains: false
bird:
  workspace: ""
  validation_status: 400
  strict: false
  mms_fallback: reject
  frequency_cap: 0
  frequency_period: 24h
channels: []
skycore:
  postback_url: ""
  inbox_url: ""
  postback_header: ""
  enforce_campaign_check: false
  strict_mask: false
  http_errors: false
  click_postbacks: false
receivers: []
groups: []
twilio:
  account_sid: ""
  auth_token: ""
`
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// TestPrintLists: a list is printed as it may be written, with its origin.
func TestPrintLists(t *testing.T) {
	e := load(t, "modems: auto\nroutes: [{prefix: +49, sims: [2, 1]}]", nil, nil)
	out, err := e.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nmodems: auto # f.yaml\n",
		"\nroutes:\n  - prefix: \"+49\" # f.yaml\n    sims: [2, 1] # f.yaml\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

func TestPrintOriginsAndSecrets(t *testing.T) {
	e := load(t, "modems: [{sim: 1, port: virtual:a, pin: 0042}]\nencryption: {passphrase: correct horse}\nwebhooks: {signing_key: k3yk3y}\nuplink: {private_token: t0ken}",
		[]string{"DONGLED_AUTH__PASSWORD=hunter2hunter2"}, map[string]string{"http.listen": ":1"})
	out, err := e.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`listen: ":1" # command line`,
		`password: "********" # DONGLED_AUTH__PASSWORD`,
		`passphrase: "********" # f.yaml`,
		`signing_key: "********" # f.yaml`,
		`private_token: "********" # f.yaml`,
		`- sim: 1 # f.yaml`,
		`pin: "********" # f.yaml`,
		`smsc: ""` + "\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	for _, secret := range []string{"hunter2", "0042", "correct horse", "k3yk3y", "t0ken"} {
		if strings.Contains(string(out), secret) {
			t.Errorf("%q shows in\n%s", secret, out)
		}
	}
}

func TestRedact(t *testing.T) {
	c := configs.Default()
	c.Auth.Password = "hunter2"
	c.Encryption.Passphrase, c.Webhooks.SigningKey = "correct horse", "k3y"
	c.Uplink.PrivateToken, c.Uplink.Password, c.Uplink.Code = "t", "p", "c"
	c.Modems = []configs.Modem{{SIM: 1, Port: "/y"}, {SIM: 2, Port: "/x", PIN: "0042"}}
	c.Receivers = []configs.Receiver{{Name: "ops", Secret: "s"}}
	c.Skycore.PostbackHeader, c.Twilio.AuthToken = "A: b", "t"
	r := c.Redact()
	if r.Receivers[0].Secret != "********" || r.Skycore.PostbackHeader != "********" || r.Twilio.AuthToken != "********" {
		t.Errorf("redacted: %+v", r)
	}
	if r.Auth.Password != "********" || r.Modems[1].PIN != "********" || r.Modems[0].PIN != "" {
		t.Errorf("redacted: %+v", r)
	}
	if r.Encryption.Passphrase != "********" || r.Webhooks.SigningKey != "********" ||
		r.Uplink.PrivateToken != "********" || r.Uplink.Password != "********" || r.Uplink.Code != "********" {
		t.Errorf("redacted: %+v", r)
	}
	if c.Auth.Password != "hunter2" || c.Modems[1].PIN != "0042" || c.Receivers[0].Secret != "s" {
		t.Errorf("the original changed: %+v", c)
	}
}

func TestLimitWindow(t *testing.T) {
	for period, minutes := range map[configs.LimitPeriod]float64{
		configs.Disabled: 0, configs.PerMinute: 1, configs.Per30Minutes: 30, configs.PerHour: 60, configs.PerDay: 1440,
	} {
		if got := period.Window().Minutes(); got != minutes {
			t.Errorf("%s is %v minutes, want %v", period, got, minutes)
		}
	}
}
