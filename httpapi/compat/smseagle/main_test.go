package smseagle_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/smseagle"
	"dongled/scheduler/queue"
)

func TestMain(m *testing.M) {
	spec, err := os.ReadFile("openapi.yaml")
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, append(compattest.Known(), goleak.Cleanup(compattest.Covered(spec)))...)
}

// groups are those of the configuration. "12" is for Uptime-Kuma, which turns names into numbers.
var groups = []smseagle.Group{
	{Name: "on-call", Numbers: []string{"+4915112345678", "+4915112345679"}},
	{Name: "johndoe", Numbers: []string{"+4915112345678"}},
	{Name: "12", Numbers: []string{"+4915112345670"}},
}

func start(t *testing.T, edits ...func(*compattest.Options)) *compattest.House {
	t.Helper()
	return compattest.Start(t, build, edits...)
}

func build(b compat.Base) compat.Dialect { return smseagle.New(b, groups) }

// full makes the queue take one message alone.
func full(o *compattest.Options) { o.Scheduler.Limits.MaxPending = 1 }

const (
	asJSON, asForm = "application/json", "application/x-www-form-urlencoded"
	token          = "access_token=" + compattest.Key
	readToken      = "access_token=" + compattest.ReadKey
	one, two       = "+4915112345678", "+4915112345679"
)

// latest is the message that was accepted last, and its numbers.
func latest(t *testing.T, h *compattest.House) (m queue.Message, to []string) {
	t.Helper()
	all := h.Messages()
	if len(all) == 0 {
		t.Fatal("there is no message")
	}
	for _, r := range all[0].Recipients {
		to = append(to, r.Number)
	}
	return all[0], to
}
