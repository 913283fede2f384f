// Package configs is the configuration of dongled: its keys, its defaults and
// the only loader, shared by every command that needs settings.
//
// Settings come in four layers, each overriding the one before, key by key:
//
//	default < file (YAML) < environment (DONGLED_HTTP__LISTEN) < command line
//
// What clients change over the API is not here: it goes over all four (scheduler/settings).
//
// The lists modems and routes are refined entry by entry: environment and command line change
// the entry with the number in the key, or append the next one (DONGLED_MODEMS__0__PORT,
// DONGLED_MODEMS__1__SIM). Lists of plain values, such as the sims of a route, are replaced as
// a whole, and are written as in YAML: [1, 2].
//
// Load reports every fault at once, each with its key, its value and where it was
// set. A key that does not exist is a fault, in a file as in the environment: a
// misspelt setting must not run with its default. A key without a value (null in
// YAML) keeps its default.
//
// dongled.yaml beside this file is the commented sample; Sample returns it. Its
// values are the defaults.
package configs

import (
	"time"
	"unicode/utf8"
)

// Config is everything that can be set. The koanf tags are the keys, which are a
// contract with users; "secret" marks values that are never printed.
type Config struct {
	HTTP  HTTP  `koanf:"http"`
	Auth  Auth  `koanf:"auth"`
	Store Store `koanf:"store"`
	// Modems are the dongles in use; none, in a file "auto", takes every dongle that is found.
	Modems   []Modem  `koanf:"modems,auto"`
	Routes   []Route  `koanf:"routes"`
	Quotas   Quota    `koanf:"quotas"`
	Messages Messages `koanf:"messages"`
	Inbox    Inbox    `koanf:"inbox"`
	Phone    Phone    `koanf:"phone"`
	// Encryption, Webhooks, Ping and Logs, and of Messages what SMSGate's settings have, are the
	// defaults of what clients may change over the API.
	Encryption Encryption `koanf:"encryption"`
	Webhooks   Webhooks   `koanf:"webhooks"`
	Ping       Ping       `koanf:"ping"`
	Logs       Logs       `koanf:"logs"`
	Uplink     Uplink     `koanf:"uplink"`
	// What follows is of other vendors' APIs.
	Dialects   Dialects   `koanf:"dialects"`
	Callbacks  Callbacks  `koanf:"callbacks"`
	QuietHours QuietHours `koanf:"quiet_hours"`
	Links      Links      `koanf:"links"`
	Bird       Bird       `koanf:"bird"`
	Channels   []Channel  `koanf:"channels"`
	Skycore    Skycore    `koanf:"skycore"`
	Receivers  []Receiver `koanf:"receivers"`
	Groups     []Group    `koanf:"groups"`
	Twilio     Twilio     `koanf:"twilio"`
}

// HTTP is the API server.
type HTTP struct {
	// Listen is host:port; an empty host is every interface, port 0 any free port.
	Listen string `koanf:"listen"`
	TLS    TLS    `koanf:"tls"`
}

// TLS is the certificate of the API server; with both paths empty it speaks plain HTTP.
type TLS struct {
	// Certificate and Key are PEM files, read again on SIGHUP.
	Certificate string `koanf:"certificate"`
	Key         string `koanf:"key"`
}

// Auth is the one account of the API (Basic, RFC 7617).
type Auth struct {
	Username string `koanf:"username"`
	// Password and PasswordFile exclude each other. With both empty a password is
	// generated at first start and kept beside the store.
	Password     string `koanf:"password,secret"`
	PasswordFile string `koanf:"password_file"`
	// AllowShortPasswords takes passwords of 8 characters and fewer.
	AllowShortPasswords bool `koanf:"allow_short_passwords"`
}

// shortPassword is the most characters of a password that is short, SMSGate's default of 8 among them.
const shortPassword = 8

// Allows reports whether a password is long enough.
func (a Auth) Allows(password string) bool {
	return a.AllowShortPasswords || utf8.RuneCountInString(password) > shortPassword
}

// Store is the message store.
type Store struct {
	// Path is the bbolt file. Its directory is the state directory.
	Path string `koanf:"path"`
}

// Modem is one dongle.
type Modem struct {
	// SIM is the simNumber of the API, 1 to 255, unique.
	SIM int `koanf:"sim"`
	// Port says where the dongle is: an absolute path; imei:…, imsi:… or usb:VID:PID[#IF] to look
	// for it on the bus; virtual:NAME for a built-in virtual dongle.
	Port string `koanf:"port"`
	Baud int    `koanf:"baud"`
	// PIN is CHV1, 4 to 8 digits (TS 51.011 section 9.3); empty when the SIM asks for none.
	PIN string `koanf:"pin,secret"`
	// SMSC overrides the service centre address of the SIM; + and digits.
	SMSC string `koanf:"smsc"`
	// Name and Number are what clients may call the SIM by, besides SIM: a word of the user's, and the
	// subscriber's own number where the SIM does not hold it.
	Name   string `koanf:"name"`
	Number string `koanf:"number"`
	// HangUpCalls ends incoming calls instead of letting them ring.
	HangUpCalls bool `koanf:"hang_up_calls"`
	// ResetCommand is argv of the user's own last resort against a dongle that does not answer.
	ResetCommand []string `koanf:"reset_command"`
	// Quotas are this SIM's; keys that are not set have the value of Config.Quotas.
	Quotas  Quota   `koanf:"quotas"`
	Balance Balance `koanf:"balance"`
}

// Balance is a question about the credit of a SIM, asked by USSD.
type Balance struct {
	// Code is what is dialled, such as *100#; empty asks nothing.
	Code string `koanf:"code"`
	// Match is a regular expression (RE2) whose one group is the amount in the answer.
	Match string        `koanf:"match"`
	Every time.Duration `koanf:"every"`
	// Below is the amount under which there is a warning.
	Below float64 `koanf:"below"`
}

// Route sends messages that name no SIM, to numbers that begin with Prefix, through SIMs.
type Route struct {
	// Prefix is + and digits (E.164); the longest that fits counts.
	Prefix string `koanf:"prefix"`
	SIMs   []int  `koanf:"sims"`
}

// Quota caps what a SIM sends. Minute and hour slide; day and month are those of the calendar, in
// the local zone.
type Quota struct {
	Minute Caps `koanf:"minute"`
	Hour   Caps `koanf:"hour"`
	Day    Caps `koanf:"day"`
	Month  Caps `koanf:"month"`
}

// Caps are the most of each in one period; 0 is no cap.
type Caps struct {
	Messages int `koanf:"messages"`
	Parts    int `koanf:"parts"`
	// Recipients counts distinct numbers.
	Recipients int `koanf:"recipients"`
}

// Inbox is how messages that come in are kept.
type Inbox struct {
	// PartialAfter is how long after its last part an incomplete message is shown as it is.
	PartialAfter time.Duration `koanf:"partial_after"`
	Retention    time.Duration `koanf:"retention"`
}

// Messages is how messages are ordered, paced and given up. Names and meaning of
// the first six are those of SMSGate's settings.
type Messages struct {
	ProcessingOrder  ProcessingOrder `koanf:"processing_order"`
	SIMSelectionMode SIMSelection    `koanf:"sim_selection_mode"`
	// SendIntervalMin and SendIntervalMax bound the random pause between two
	// messages of a SIM; 0 as the maximum is no pause.
	SendIntervalMin time.Duration `koanf:"send_interval_min"`
	SendIntervalMax time.Duration `koanf:"send_interval_max"`
	LimitPeriod     LimitPeriod   `koanf:"limit_period"`
	LimitValue      int           `koanf:"limit_value"`
	// WorkHoursEnabled holds messages outside of work hours, which are "HH:mm" in local time.
	WorkHoursEnabled bool   `koanf:"work_hours_enabled"`
	WorkHoursStart   string `koanf:"work_hours_start"`
	WorkHoursEnd     string `koanf:"work_hours_end"`
	// MaxPending, MaxPendingAge and MaxFailed refuse new messages (503) while that many are Pending,
	// one is Pending for that long, or that many failed within MaxFailedAge; 0 is no limit.
	MaxPending    int           `koanf:"max_pending"`
	MaxPendingAge time.Duration `koanf:"max_pending_age"`
	MaxFailed     int           `koanf:"max_failed"`
	MaxFailedAge  time.Duration `koanf:"max_failed_age"`
	// MaxParts refuses longer messages when they are submitted, 1 to 255.
	MaxParts int `koanf:"max_parts"`
	// SendTimeout is how long the network may take to answer one SMS-SUBMIT.
	SendTimeout time.Duration `koanf:"send_timeout"`
	OnUnknown   OnUnknown     `koanf:"on_unknown"`
	// UnknownAfter is how long a part of unknown outcome waits for its report.
	UnknownAfter time.Duration `koanf:"unknown_after"`
	// Retention is how long finished messages are kept.
	Retention time.Duration `koanf:"retention"`
}

// Phone is how numbers without + are read.
type Phone struct {
	// DefaultRegion is an ISO 3166-1 alpha-2 code such as DE; empty accepts numbers
	// with + only (and, unvalidated, short codes).
	DefaultRegion string `koanf:"default_region"`
}

// Encryption is what opens end-to-end encrypted messages.
type Encryption struct {
	// Passphrase and PassphraseFile exclude each other.
	Passphrase     string `koanf:"passphrase,secret"`
	PassphraseFile string `koanf:"passphrase_file"`
}

// Webhooks is how events are delivered.
type Webhooks struct {
	// AllowLANHTTP takes http URLs of private networks (RFC 1918, RFC 4193, link-local, .local).
	AllowLANHTTP bool `koanf:"allow_lan_http"`
	// RetryCount is how often a delivery is tried again; the pause doubles from 5 s.
	RetryCount int    `koanf:"retry_count"`
	SigningKey string `koanf:"signing_key,secret"`
	// InternetRequired is kept for clients; it changes nothing.
	InternetRequired bool `koanf:"internet_required"`
}

// Ping is the regular sign of life, system:ping.
type Ping struct {
	Interval time.Duration `koanf:"interval"`
}

// Logs is what GET /logs shows.
type Logs struct {
	Lifetime time.Duration `koanf:"lifetime"`
}

// Uplink makes the gateway a device of an SMSGate server.
type Uplink struct {
	// URL is the base of the server's device API; empty is no uplink.
	URL  string `koanf:"url"`
	Name string `koanf:"name"`
	// PrivateToken, Username with Password, or Code let the gateway register; at most one of them.
	PrivateToken string `koanf:"private_token,secret"`
	Username     string `koanf:"username"`
	Password     string `koanf:"password,secret"`
	Code         string `koanf:"code,secret"`
}

// Defaults that are more than an empty value.
const (
	DefaultListen       = ":8080"
	DefaultUsername     = "sms"
	DefaultStorePath    = "/var/lib/dongled/dongled.db"
	DefaultBaud         = 115200
	DefaultBalanceEvery = 24 * time.Hour
	DefaultMaxParts     = 255
	DefaultSendTimeout  = 180 * time.Second
	DefaultUnknownAfter = 24 * time.Hour
	DefaultRetention    = 30 * 24 * time.Hour
	DefaultPartialAfter = 24 * time.Hour
	DefaultMaxFailedAge = time.Hour
	DefaultWorkStart    = "09:00"
	DefaultWorkEnd      = "19:00"
	DefaultRetryCount   = 15
	DefaultUplinkName   = "dongled"
)

// Default is the configuration without file, environment and flags: every dongle found.
func Default() Config {
	return Config{
		HTTP:  HTTP{Listen: DefaultListen},
		Auth:  Auth{Username: DefaultUsername},
		Store: Store{Path: DefaultStorePath},
		Messages: Messages{
			ProcessingOrder:  LIFO,
			SIMSelectionMode: OSDefault,
			LimitPeriod:      Disabled,
			WorkHoursStart:   DefaultWorkStart,
			WorkHoursEnd:     DefaultWorkEnd,
			MaxFailedAge:     DefaultMaxFailedAge,
			MaxParts:         DefaultMaxParts,
			SendTimeout:      DefaultSendTimeout,
			OnUnknown:        Wait,
			UnknownAfter:     DefaultUnknownAfter,
			Retention:        DefaultRetention,
		},
		Inbox:    Inbox{PartialAfter: DefaultPartialAfter, Retention: DefaultRetention},
		Webhooks: Webhooks{RetryCount: DefaultRetryCount, InternetRequired: true},
		Logs:     Logs{Lifetime: DefaultRetention},
		Uplink:   Uplink{Name: DefaultUplinkName},

		Dialects:   Dialects{ThirdParty: HomeAPI},
		Callbacks:  Callbacks{HTTP: LAN},
		QuietHours: QuietHours{Start: "00:00", End: "00:00"},
		Links:      Links{Lifetime: 90 * 24 * time.Hour},
		Bird:       Bird{ValidationStatus: 400, MMSFallback: MMSReject, FrequencyPeriod: 24 * time.Hour},
	}
}

// DefaultChannel is an entry of channels that sets nothing; id must be set.
func DefaultChannel() Channel { return Channel{Kind: Conversational} }

// DefaultModem is an entry of modems that sets nothing; sim and port must be set.
func DefaultModem() Modem {
	return Modem{Baud: DefaultBaud, Balance: Balance{Every: DefaultBalanceEvery}}
}
