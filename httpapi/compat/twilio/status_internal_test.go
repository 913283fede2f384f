package twilio

import (
	"testing"
	"time"

	"dongled/scheduler/queue"
)

var (
	day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at  = func(s int) time.Time { return day.Add(time.Duration(s) * time.Second) }
)

// made is a message of one recipient, which reached states a second after each other.
func made(state queue.State, reached []queue.State, parts ...queue.Part) queue.Message {
	m := queue.Message{ID: "SM0", Created: day, SIM: 1, State: state, Recipients: []queue.Recipient{{Number: "+4915112345678", State: state, Parts: parts}}}
	for i, s := range reached {
		m.Reached = append(m.Reached, queue.Reached{State: s, At: at(i)})
	}
	return m
}

func part(state queue.PartState, status int, err string, settled int) queue.Part {
	return queue.Part{State: state, Status: status, Error: err, Settled: at(settled)}
}

func TestStatus(t *testing.T) {
	pending, processed, sent := queue.Pending, queue.Processed, queue.Sent
	scheduled := made(pending, []queue.State{pending}, part(queue.PartQueued, -1, "", 0))
	scheduled.ScheduleAt = at(3600)
	anySIM := made(pending, []queue.State{pending}, part(queue.PartQueued, -1, "", 0))
	anySIM.SIM = 0
	again := made(pending, []queue.State{pending, processed}, part(queue.PartQueued, -1, "", 0))
	scheduledAgain := again
	scheduledAgain.ScheduleAt = at(1)
	for what, tt := range map[string]struct {
		m    queue.Message
		want string
		code int
	}{
		"new":                      {made(pending, []queue.State{pending}, part(queue.PartQueued, -1, "", 0)), "queued", 0},
		"new, of any SIM":          {anySIM, "accepted", 0},
		"scheduled":                {scheduled, "scheduled", 0},
		"to be tried again":        {again, "sending", 0},
		"due, to be tried again":   {scheduledAgain, "sending", 0},
		"on its way":               {made(processed, []queue.State{pending, processed}, part(queue.PartSubmitting, -1, "", 0)), "sending", 0},
		"at the service centre":    {made(sent, []queue.State{pending, processed, sent}, part(queue.PartAccepted, -1, "", 0)), "sent", 0},
		"arrived":                  {made(queue.Delivered, []queue.State{pending, sent, queue.Delivered}, part(queue.PartDelivered, 0, "", 3)), "delivered", 0},
		"withdrawn":                {made(queue.Cancelled, []queue.State{pending, queue.Cancelled}, part(queue.PartQueued, -1, "", 0)), "canceled", 0},
		"expired":                  {made(queue.Failed, []queue.State{pending, queue.Failed}, part(queue.PartRejected, -1, "TTL expired: too late", 1)), "failed", 30036},
		"nobody's number":          {made(queue.Failed, []queue.State{pending, queue.Failed}, part(queue.PartRejected, -1, "network: +CMS ERROR: 1", 1)), "failed", 30005},
		"phone out of order":       {made(queue.Failed, []queue.State{pending, queue.Failed}, part(queue.PartRejected, -1, "network: +CMS ERROR: 27", 1)), "failed", 30003},
		"another number in it":     {made(queue.Failed, []queue.State{pending, queue.Failed}, part(queue.PartRejected, -1, "network: +CMS ERROR: 127", 1)), "failed", 30008},
		"refused without a reason": {made(queue.Failed, []queue.State{pending, queue.Failed}, part(queue.PartRejected, -1, "", 1)), "failed", 30008},
		"of unknown outcome":       {made(queue.Failed, []queue.State{pending, processed, queue.Failed}, part(queue.PartLost, -1, "it may have gone out", 1)), "undelivered", 30008},
		"what failed first counts": {made(queue.Failed, []queue.State{pending, processed, queue.Failed},
			part(queue.PartUndelivered, 0x46, "expired", 5), part(queue.PartUndelivered, 0x43, "not obtainable", 4)), "undelivered", 30005},
		"the part before it left": {made(queue.Failed, []queue.State{pending, processed, queue.Failed},
			part(queue.PartAccepted, -1, "", 0), part(queue.PartRejected, -1, "network: +CMS ERROR: 1", 4)), "undelivered", 30005},
	} {
		code, why, failed := failure(tt.m)
		if got := status(tt.m); got != tt.want || code != tt.code || failed != (code != 0) || failed != (why != "") {
			t.Errorf("%s: %s %d %q, want %s %d", what, got, code, why, tt.want, tt.code)
		}
	}
}

// TestNews: each status once, none after a later one, but an end that another end sets right.
func TestNews(t *testing.T) {
	pending, processed, sent, failed, delivered := queue.Pending, queue.Processed, queue.Sent, queue.Failed, queue.Delivered
	for what, tt := range map[string]struct {
		was     queue.State
		state   queue.State
		reached []queue.State // a second after each other
		now     int           // seconds
		want    bool
	}{
		"accepted":                 {0, pending, []queue.State{pending}, 0, false},
		"refused when accepted":    {pending, failed, []queue.State{pending, failed}, 1, true},
		"begun":                    {pending, processed, []queue.State{pending, processed}, 1, true},
		"back to wait":             {processed, pending, []queue.State{pending, processed}, 2, false},
		"begun again":              {pending, processed, []queue.State{pending, processed}, 3, false},
		"sent":                     {processed, sent, []queue.State{pending, processed, sent}, 2, true},
		"delivered":                {sent, delivered, []queue.State{pending, processed, sent, delivered}, 3, true},
		"reported before sent":     {processed, delivered, []queue.State{pending, processed, delivered}, 2, true},
		"sent after the report":    {delivered, sent, []queue.State{pending, processed, delivered, sent}, 3, false},
		"delivered, not lost":      {failed, delivered, []queue.State{pending, processed, failed, delivered}, 3, true},
		"failed for a second time": {processed, failed, []queue.State{pending, processed, failed}, 9, false},
		"withdrawn":                {pending, queue.Cancelled, []queue.State{pending, queue.Cancelled}, 1, true},
	} {
		c := queue.Change{Message: made(tt.state, tt.reached), Was: tt.was}
		if got := news(c, at(tt.now).UnixMilli()); got != tt.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestSentAt(t *testing.T) {
	pending, sent, delivered := queue.Pending, queue.Sent, queue.Delivered
	for _, tt := range []struct {
		reached []queue.State
		want    time.Time
	}{
		{[]queue.State{pending}, time.Time{}},
		{[]queue.State{pending, sent}, at(1)},
		{[]queue.State{pending, sent, delivered}, at(1)},
		{[]queue.State{pending, delivered}, at(1)},
		{[]queue.State{pending, queue.Failed}, time.Time{}},
	} {
		if got := sentAt(made(pending, tt.reached)); !got.Equal(tt.want) {
			t.Errorf("%v: %v", tt.reached, got)
		}
	}
}

func TestSpan(t *testing.T) {
	for text, want := range map[string][2]time.Time{
		"2009-07-06":                  {time.Date(2009, 7, 6, 0, 0, 0, 0, time.UTC), time.Date(2009, 7, 7, 0, 0, 0, 0, time.UTC)},
		"2009-12-31":                  {time.Date(2009, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)},
		"2009-07-06T20:15:00Z":        {time.Date(2009, 7, 6, 20, 15, 0, 0, time.UTC), time.Date(2009, 7, 6, 20, 15, 1, 0, time.UTC)},
		"2009-07-06T22:15:00.9+02:00": {time.Date(2009, 7, 6, 20, 15, 0, 0, time.UTC), time.Date(2009, 7, 6, 20, 15, 1, 0, time.UTC)},
	} {
		if begin, end, err := span(text); err != nil || !begin.Equal(want[0]) || !end.Equal(want[1]) {
			t.Errorf("%s: %v to %v: %v", text, begin, end, err)
		}
	}
	for _, text := range []string{"", "2009-7-6", "2009-02-30", "2009-07-06 20:15:00", "2009-07-06T20:15"} {
		if _, _, err := span(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
