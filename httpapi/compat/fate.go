package compat

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dongled/scheduler/queue"
)

// News says whether a change is one of the status that clients are told, each once and none after a later
// one: a message that goes back to wait for another try is not, nor is what comes behind an end, but for
// another end that sets it right. now is in ms since 1970.
func News(c queue.Change, now int64) bool {
	if c.Was == 0 {
		return true
	}
	m := c.Message
	for _, r := range m.Reached {
		before := r.State != m.State
		switch {
		case !before && r.At.UnixMilli() != now:
			return false // it was told when it came to be that the first time
		case before && rank(r.State) > rank(m.State):
			return false
		}
	}
	return true
}

// rank orders states as clients may see them follow each other.
func rank(s queue.State) int {
	switch s {
	case queue.Pending:
		return 1
	case queue.Processed:
		return 2
	case queue.Sent:
		return 3
	}
	return 4
}

// Begun reports whether a SIM ever took a message, which may be Pending again.
func Begun(m queue.Message) bool {
	return slices.ContainsFunc(m.Reached, func(r queue.Reached) bool { return r.State == queue.Processed })
}

// Culprit is the part of a message that failed first, on which the others were given up.
func Culprit(m queue.Message) (first queue.Part, failed bool) {
	for _, r := range m.Recipients {
		for _, p := range r.Parts {
			bad := p.State == queue.PartRejected || p.State == queue.PartUndelivered || p.State == queue.PartLost
			if bad && (!failed || p.Settled.Before(first.Settled)) {
				first, failed = p, true
			}
		}
	}
	return first, failed
}

// What the queue says of a part whose time was over before it left begins, and what it says of one that was to
// be repeated then ends with these.
const (
	expired = "TTL expired"
	doubt   = "the message may have gone out"
)

// Expired reports whether a part failed as its time was over.
func Expired(p queue.Part) bool { return strings.HasPrefix(p.Error, expired) }

// Doubtful reports whether a part that failed may have gone out, which is never said not to have been sent:
// one that was given up without an answer, and one that was to be repeated when its time was over.
func Doubtful(p queue.Part) bool {
	return p.State == queue.PartLost || p.State == queue.PartRejected && strings.HasSuffix(p.Error, doubt)
}

// Left reports whether any part for a recipient went out, or may have.
func Left(r queue.Recipient) bool {
	return slices.ContainsFunc(r.Parts, func(p queue.Part) bool {
		return p.State == queue.PartAccepted || p.State == queue.PartDelivered || p.State == queue.PartUndelivered || Doubtful(p)
	})
}

var cmsError = regexp.MustCompile(`\+CMS ERROR: (\d+)`)

// CMSCode is the number of the +CMS ERROR that a part failed with (TS 27.005 section 3.2.5), 0 if it was none.
func CMSCode(p queue.Part) int {
	found := cmsError.FindStringSubmatch(p.Error)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1])
	return n
}
