package skycore

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"dongled/httpapi/compat"
)

const (
	// maxMask is where the vendor cuts a from-mask off, in characters.
	maxMask = 11
	// maxRef bounds a campaign-ref that is only echoed, in characters.
	maxRef = 255
)

// request is a sendsms.
type request struct {
	// to and from are as they came, number is to in E.164.
	to, number, from string
	text, mask       string
	campaign         string
	tracked          bool
}

// otherActions are those of the vendor's older versions.
var otherActions = []string{
	"savemms", "sendsavedmms", "sendmms", "getmmstemplates", "deletemmsid", "sendmessagebysubscriberref",
	"subscribe", "unsubscribe", "loginuser",
}

// parse reads a request. What it had for to is there with an error, too, if it could be read.
func parse(body []byte) (r request, err error) {
	o, err := readObject(body)
	if err != nil {
		return r, err
	}
	r.to = o.text("to")
	action := o.text("action")
	r.text, r.from = o.text("message-text"), o.text("from")
	r.mask, r.campaign = cut(o.text("from-mask"), maxMask), o.text("campaign-ref")
	r.tracked = o.flag("click-tracking")
	if err := known(action); err != nil {
		return r, err
	}
	if o.err != nil {
		return r, o.err
	}
	return r, r.check()
}

func known(action string) error {
	action = strings.ToLower(strings.TrimSpace(action))
	switch {
	case action == "sendsms":
		return nil
	case slices.Contains(otherActions, action):
		return compat.Fault(codeNotAllowed, "no rights to use this action: only sendsms is served")
	}
	return errAction
}

// check looks at what is there, in the order in which the vendor lists the codes of sendsms.
func (r *request) check() error {
	var ok bool
	r.number, ok = compat.International(r.to)
	switch {
	case r.text == "":
		return errText
	case r.to == "":
		return errNoReceiver
	case !ok:
		return errReceiver
	case utf8.RuneCountInString(r.campaign) > maxRef:
		return compat.Fault(codeCampaign, "Missing/Invalid campaign: campaign-ref has more than %d characters", maxRef)
	}
	return nil
}

// cut returns the first characters of s.
func cut(s string, most int) string {
	runes := []rune(s)
	return string(runes[:min(len(runes), most)])
}

// object is a JSON object that is read field by field; err is the first fault.
type object struct {
	fields map[string]json.RawMessage
	err    error
}

// readObject takes UTF-8 only, in place of which encoding/json would read U+FFFD, and each name once.
func readObject(body []byte) (*object, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	switch {
	case !utf8.Valid(body):
		return nil, malformed("the body has to be UTF-8")
	case !json.Valid(body):
		return nil, malformed("the body has to be JSON")
	}
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, malformed("the body has to be a JSON object")
	}
	o := &object{fields: map[string]json.RawMessage{}}
	for d.More() {
		var value json.RawMessage
		token, _ := d.Token()
		name, _ := token.(string)
		if err := d.Decode(&value); err != nil {
			return nil, malformed("the body has to be JSON")
		}
		if _, twice := o.fields[name]; twice {
			return nil, malformed("a name is there twice")
		}
		o.fields[name] = value
	}
	return o, nil
}

func (o *object) reject(name, problem string) {
	if o.err == nil {
		o.err = malformed("%s has to be %s", name, problem)
	}
}

// text is empty where the field is absent or null.
func (o *object) text(name string) (value string) {
	raw, there := o.fields[name]
	if there && json.Unmarshal(raw, &value) != nil {
		o.reject(name, "a string")
	}
	return value
}

// flag also takes the words that the vendor's older versions know.
func (o *object) flag(name string) bool {
	switch strings.ToLower(strings.Trim(string(o.fields[name]), `"`)) {
	case "true", "yes":
		return true
	case "false", "no", "null", "":
		return false
	}
	o.reject(name, "true or false")
	return false
}

// integer is 0 where the field is absent or null.
func (o *object) integer(name string) int {
	raw := string(o.fields[name])
	if raw == "" || raw == "null" {
		return 0
	}
	n, err := strconv.Atoi(raw)
	if err != nil {
		o.reject(name, "a whole number")
	}
	return n
}
