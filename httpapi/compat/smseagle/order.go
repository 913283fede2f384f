package smseagle

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// names are what a version calls that which the others call otherwise. An empty name is of a field that it
// does not have.
type names struct{ text, to, groups, contacts string }

// fieldName marks an error whose text is the vendor's own, complete.
const fieldName = ""

// Priorities of the queue; 100 and above would bypass its delays and limits.
const (
	highPriority = 90
	priorityStep = 10
)

// maxOID is the most characters of an oid.
const maxOID = 36

// order reads what the params ask for, and whether it is only a test.
func (d *Dialect) order(p params, n names) (s queue.Submission, test bool, err error) {
	s = queue.Submission{Content: queue.Content{Text: p[n.text]}, Report: true, Origin: d.Name()}
	if s.Content.Text == "" {
		return s, false, compat.Fault(n.text, "must be set")
	}
	if s.Recipients, err = d.recipients(p, n); err != nil {
		return s, false, err
	}
	if s.Content.Flash, err = p.flag("flash"); err != nil {
		return s, false, err
	}
	if s.Priority, err = p.priority(); err != nil {
		return s, false, err
	}
	if s.SIM, err = p.number("modem_no", 1, 255); err != nil {
		return s, false, err
	}
	if s.Meta, err = p.meta(); err != nil {
		return s, false, err
	}
	if s.ScheduleAt, s.ValidUntil, err = p.times(time.Now()); err != nil {
		return s, false, err
	}
	test, err = p.flag("test")
	return s, test, err
}

// recipients are the numbers of to, and of the groups and contacts those that were not named yet.
func (d *Dialect) recipients(p params, n names) (numbers []string, err error) {
	for _, number := range split(p[n.to]) {
		numbers = append(numbers, dialled(number))
	}
	for _, named := range []struct{ field, what string }{{n.groups, "group"}, {n.contacts, "contact"}} {
		for _, name := range split(p[named.field]) {
			members, is := d.groups[strings.TrimSpace(name)]
			if !is || named.what == "contact" && len(members) != 1 {
				return nil, compat.Fault(fieldName, "Invalid %s name – %s", named.what, strings.TrimSpace(name))
			}
			for _, member := range members {
				if !slices.Contains(numbers, member) {
					numbers = append(numbers, member)
				}
			}
		}
	}
	if len(numbers) == 0 {
		return nil, compat.Fault(n.needed(), "must be set")
	}
	return numbers, nil
}

// dialled is a number of a list. A + that was not escaped in a query arrives as a space; no country code
// begins with 0.
func dialled(number string) string {
	plain := strings.TrimSpace(number)
	if strings.HasPrefix(number, " ") && '1' <= plain[0] && plain[0] <= '9' {
		return "+" + plain
	}
	return plain
}

// needed are the fields of recipients, of which one has to be there.
func (n names) needed() string {
	fields := slices.DeleteFunc([]string{n.to, n.contacts, n.groups}, func(field string) bool { return field == "" })
	return strings.Join(fields, ", ")
}

// split takes what stands between commas, but for nothing.
func split(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return strings.TrimSpace(s) == "" })
}

func (p params) flag(name string) (bool, error) {
	switch strings.ToLower(p[name]) {
	case "", "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	}
	return false, compat.Fault(name, "must be 0 or 1, or true or false")
}

// number is 0 where there is none.
func (p params) number(name string, least, most int) (int, error) {
	if p[name] == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(p[name])
	if err != nil || n < least || n > most {
		return 0, compat.Fault(name, "must be a number from %d to %d", least, most)
	}
	return n, nil
}

// priority is that of the queue. Uptime-Kuma puts v2's priority into highpriority.
func (p params) priority() (int8, error) {
	high, err := p.number("highpriority", 0, 9)
	if err != nil {
		return 0, err
	}
	if high > 0 {
		return highPriority, nil
	}
	n, err := p.number("priority", 0, 9)
	return int8(n * priorityStep), err
}

// meta is what is kept of a message besides.
func (p params) meta() ([]byte, error) {
	oid := p["oid"]
	switch {
	case oid == "":
		return nil, nil
	case utf8.RuneCountInString(oid) > maxOID || !utf8.ValidString(oid):
		return nil, compat.Fault("oid", "must have at most %d characters", maxOID)
	}
	return json.Marshal(struct {
		OID string `json:"oid"`
	}{oid})
}

// accepted is one recipient of an order. The ID is 0 of a test.
type accepted struct {
	id     uint64
	number string
}

// submit puts an order into the queue, or sees whether it could.
func (d *Dialect) submit(c *fiber.Ctx, p params, n names) (all []accepted, err error) {
	s, test, err := d.order(p, n)
	if err != nil {
		return nil, err
	}
	s.Also = func(t *store.Tx, m queue.Message) error {
		all = make([]accepted, len(m.Recipients))
		for i, r := range m.Recipients {
			all[i].number = r.Number
		}
		if test {
			return errTest
		}
		first := reserve(t, len(all))
		for i := range all {
			all[i].id = first + uint64(i)
		}
		return t.Err
	}
	if _, err := d.gateway.Messages.Submit(c.UserContext(), s); err != nil && !errors.Is(err, errTest) {
		return nil, n.naming(err)
	}
	return all, nil
}

// naming gives the fields of an error the names that they have here.
func (n names) naming(err error) error {
	t := compat.Explain(err)
	switch {
	case t.Kind != compat.Invalid:
		return err
	case strings.HasPrefix(t.Field, "phoneNumbers"):
		return compat.Fault(n.needed(), "%s", t.Problem)
	case t.Field == "textMessage.text", t.Field == "flashMessage.text":
		return compat.Fault(n.text, "%s", t.Problem)
	case t.Field == "simNumber":
		return compat.Fault("modem_no", "%s", t.Problem)
	case t.Field == "validUntil":
		return compat.Fault("validity", "%s", t.Problem)
	}
	return err
}
