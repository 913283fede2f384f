package configs

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// Receiver is whom alerts go to: a receiver of Alertmanager or a contact point of Grafana by its name.
type Receiver struct {
	Name string   `koanf:"name"`
	To   []string `koanf:"to"`
	SIM  int      `koanf:"sim"`
	// Template is a text of Go's text/template; empty is the built-in one.
	Template string `koanf:"template"`
	MaxParts int    `koanf:"max_parts"`
	// Secret checks Grafana's signature.
	Secret string `koanf:"secret,secret"`
}

// DefaultReceiver is an entry of receivers that sets nothing; name and to must be set.
func DefaultReceiver() Receiver { return Receiver{MaxParts: 3} }

// receiverNumber is + and digits, or what the default region reads as a number.
var receiverNumber = regexp.MustCompile(`^\+?[0-9 ()/.-]{3,30}$`)

// maxTo is how many numbers one message may have.
const maxTo = 100

func (r *rules) receivers(receivers []Receiver) {
	first := map[string]string{}
	for i, rc := range receivers {
		at := fmt.Sprintf("receivers[%d].", i)
		r.must(rc.Name != "", "must be set", at+"name")
		if taken, is := first[rc.Name]; is && rc.Name != "" {
			r.add("is taken by "+taken, at+"name", taken)
		} else {
			first[rc.Name] = at + "name"
		}
		r.must(1 <= len(rc.To) && len(rc.To) <= maxTo, "must have 1 to 100 numbers", at+"to")
		for _, number := range rc.To {
			r.must(receiverNumber.MatchString(number), strconv.Quote(number)+" is no number", at+"to")
		}
		r.must(0 <= rc.SIM && rc.SIM <= maxSIM, "must be from 1 to 255, or 0 for any", at+"sim")
		r.must(1 <= rc.MaxParts && rc.MaxParts <= 255, "must be from 1 to 255", at+"max_parts")
		if _, err := template.New(rc.Name).Parse(rc.Template); err != nil {
			r.add("must be a text of Go's text/template: "+err.Error(), at+"template")
		}
	}
}

// Group is several numbers under one name, or one: what SMSEagle calls a group or a contact.
type Group struct {
	Name    string   `koanf:"name"`
	Numbers []string `koanf:"numbers"`
}

// groupMember is a number in E.164 (ITU-T), so that one who is in two groups is known to be the same.
var groupMember = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func (r *rules) groups(groups []Group) {
	first := map[string]string{}
	for i, g := range groups {
		at := fmt.Sprintf("groups[%d].", i)
		r.must(g.Name != "" && strings.TrimSpace(g.Name) == g.Name && !strings.Contains(g.Name, ","),
			"must be set, without commas and without spaces around it", at+"name")
		if taken, is := first[g.Name]; is && g.Name != "" {
			r.add("is taken by "+taken, at+"name", taken)
		} else {
			first[g.Name] = at + "name"
		}
		r.must(1 <= len(g.Numbers) && len(g.Numbers) <= maxTo, "must have 1 to 100 numbers", at+"numbers")
		for j, number := range g.Numbers {
			r.must(groupMember.MatchString(number), strconv.Quote(number)+" is no number with + and its country code", at+"numbers")
			r.must(!slices.Contains(g.Numbers[:j], number), strconv.Quote(number)+" is there twice", at+"numbers")
		}
	}
}

// Twilio is the API of Twilio.
type Twilio struct {
	// AccountSID and AuthToken let clients in, and the latter signs callbacks; both are set or neither.
	AccountSID string `koanf:"account_sid"`
	AuthToken  string `koanf:"auth_token,secret"`
}

var (
	accountSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	// authToken is as long as an API key has to be, which it is as good as.
	authToken = regexp.MustCompile(`^[!-~]{16,200}$`)
)

func (r *rules) twilio(t Twilio) {
	r.must(t.AccountSID == "" || accountSID.MatchString(t.AccountSID), "must be AC and 32 hexadecimal digits", "twilio.account_sid")
	r.must(t.AuthToken == "" || authToken.MatchString(t.AuthToken),
		"must be 16 to 200 characters of visible ASCII, without spaces", "twilio.auth_token")
	r.must(t.AccountSID == "" || t.AuthToken != "", "needs twilio.auth_token", "twilio.account_sid")
	r.must(t.AuthToken == "" || t.AccountSID != "", "needs twilio.account_sid", "twilio.auth_token")
}
