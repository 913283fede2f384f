package skycore

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	bolt "go.etcd.io/bbolt"

	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler/inbox"
	"dongled/scheduler/store"
)

// stops and starts are the words of people, as bare makes them. The stops are the vendor's field's, and
// those of 47 CFR 64.1200(a)(10).
var (
	stops  = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
	starts = []string{"START", "UNSTOP"}
)

// bare is what is left of words without spaces and signs, in capitals: "Stop all!" is STOPALL.
func bare(words string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, words))
}

// maxWords bounds what is kept of how somebody subscribed, in characters.
const maxWords = 100

func isCommand(words string) bool {
	return slices.Contains(stops, bare(words)) || slices.Contains(starts, bare(words))
}

// command is what a text asks for; of is empty for all campaigns of the SIM.
type command struct {
	stop bool
	of   string
}

// read finds out what a text asks for of those campaigns, if anything.
func read(text string, all []campaign) (c command, is bool) {
	if isCommand(text) {
		return command{stop: slices.Contains(stops, bare(text))}, true
	}
	means := campaign.keyed
	if words := strings.Fields(text); len(words) > 1 && isCommand(words[0]) {
		means, text = campaign.called, strings.Join(words[1:], " ")
		c.stop = slices.Contains(stops, bare(words[0]))
	}
	i := slices.IndexFunc(all, func(c campaign) bool { return means(c, text) })
	if bare(text) == "" || i < 0 {
		return command{}, false
	}
	c.of = all[i].Ref
	return c, true
}

// hear does what a text that came in asks for.
func (b *campaigns) hear(t *store.Tx, sim int, from, text string) {
	var all []campaign
	each(t.Tx, "", func(c campaign) bool {
		if c.on(sim) {
			all = append(all, c)
		}
		return true
	})
	asked, is := read(text, all)
	if !is {
		return
	}
	if asked.of != "" {
		all = slices.DeleteFunc(all, func(c campaign) bool { return c.Ref != asked.of })
	}
	found := subscribedAs(t.Tx, from)
	switch {
	case asked.stop:
		for _, number := range found {
			end(t, all, number)
		}
	case len(found) > 1:
		b.log.Warn("a START in the national form is of more than one subscriber and does nothing")
	case len(found) == 1:
		begin(t, all, found[0], asked, text)
	default:
		b.welcome(t, all, from, asked, text)
	}
}

// welcome subscribes a number that was never subscribed to anything.
func (b *campaigns) welcome(t *store.Tx, all []campaign, from string, asked command, text string) {
	switch {
	case asked.of == "":
	case !strings.HasPrefix(from, "+"):
		b.log.Warn("a START does nothing: its sender has no country code")
	default:
		begin(t, all, from, asked, text)
	}
}

// end ends what a number is subscribed to of those campaigns.
func end(t *store.Tx, all []campaign, number string) {
	for _, c := range all {
		if s, there := subscription(t.Tx, c.ID, number); there && s.Ended == 0 {
			s.Ended = t.Now
			keep(t, c.ID, number, s)
		}
	}
}

// begin brings back what a STOP ended, and subscribes to the campaign that was asked for.
func begin(t *store.Tx, all []campaign, number string, asked command, text string) {
	for _, c := range all {
		s, there := subscription(t.Tx, c.ID, number)
		if there && s.Ended != 0 || !there && asked.of != "" {
			keep(t, c.ID, number, subscriber{Since: t.Now, How: bySMS, By: cut(strings.Join(strings.Fields(text), " "), maxWords)})
		}
	}
}

// subscribedAs are the numbers that a sender may be, of those that are or were subscribed: itself where it
// has its country code, else those that end in it, as networks give a number at home without that.
func subscribedAs(btx *bolt.Tx, from string) (numbers []string) {
	if strings.Trim(from, "+0123456789") != "" || len(strings.TrimLeft(from, "+0")) <= lastDigits {
		return nil // a name, or a short code, which nobody is subscribed as
	}
	prefix := []byte(last(from))
	cur := store.Bucket(btx, bucketNumbers).Cursor()
	for k, _ := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cur.Next() {
		if len(k) <= lastDigits+1+idSize {
			continue // damaged
		}
		number := string(k[lastDigits : len(k)-1-idSize])
		same := number == from || !strings.HasPrefix(from, "+") && pdu.SameNumber(number, from)
		if same && !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// callName is what a client calls a SIM that a message came in on; see Dialect.called.
func callName(sim modem.Status, m inbox.Message) string {
	if sim.Name != "" && strings.Trim(sim.Name, "0123456789") == "" {
		return sim.Name
	}
	return cmp.Or(plain(m.Recipient), plain(sim.Number), sim.Name, strconv.Itoa(m.SIM))
}
