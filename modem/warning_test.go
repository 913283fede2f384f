package modem_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/modem"
)

func TestWarnings(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	well := modem.Status{
		SIM: 1, State: modem.StateReady, IMSI: "262011234567890", SMSC: "+491710760000", Registration: 1, SignalDBM: -73, Reports: true,
		Storage: [3]modem.Memory{{"SM", 7, 10}, {"ME", 0, 0}},
	}
	lost := modem.Status{State: modem.StateLost}
	with := func(st modem.Status, change func(*modem.Status)) modem.Status {
		change(&st)
		return st
	}
	problem := func(id string) modem.Status { return with(lost, func(st *modem.Status) { st.Problem = id }) }
	flapping := [4]time.Time{ago(1), ago(2), ago(30), ago(59)}

	for name, test := range map[string]struct {
		status modem.Status
		want   []string // severity and ID
	}{
		"well":           {well, nil},
		"not started":    {modem.Status{SIM: 1, State: modem.StateStopped}, nil},
		"first session":  {modem.Status{SIM: 1, State: modem.StateIdentifying}, nil},
		"signal at edge": {with(well, func(st *modem.Status) { st.SignalDBM = -105 }), nil},
		"signal weak":    {with(well, func(st *modem.Status) { st.SignalDBM = -107 }), []string{"warn weak-signal"}},
		"signal unknown": {with(well, func(st *modem.Status) { st.SignalDBM = 0 }), nil},
		"80 per cent":    {with(well, func(st *modem.Status) { st.Storage[0].Used = 8 }), []string{"warn storage-nearly-full"}},
		"79 per cent":    {with(well, func(st *modem.Status) { st.Storage[1] = modem.Memory{"ME", 79, 100} }), nil},
		"full":           {with(well, func(st *modem.Status) { st.Storage[0].Used = 10 }), []string{"fail storage-full"}},
		"full and nearly full": {with(well, func(st *modem.Status) {
			st.Storage = [3]modem.Memory{{"SM", 10, 10}, {"ME", 9, 10}}
		}), []string{"fail storage-full"}},
		"no service centre": {with(well, func(st *modem.Status) { st.SMSC = "" }), []string{"fail smsc-missing"}},
		"none yet":          {with(well, func(st *modem.Status) { st.SMSC, st.State = "", modem.StateIdentifying }), nil},
		"no reports":        {with(well, func(st *modem.Status) { st.Reports = false }), []string{"warn no-reports"}},
		"under-voltage":     {with(well, func(st *modem.Status) { st.Host.UnderVoltage = true }), []string{"warn under-voltage"}},
		"port held":         {with(well, func(st *modem.Status) { st.Host.Holder = "ModemManager" }), []string{"warn port-held"}},
		"flapping":          {with(well, func(st *modem.Status) { st.EnumeratedAt = flapping }), []string{"warn re-enumerating"}},
		"three times an hour": {with(well, func(st *modem.Status) {
			st.EnumeratedAt = [4]time.Time{ago(1), ago(2), ago(59), ago(60)}
		}), nil},
		"three times ever": {with(well, func(st *modem.Status) { st.EnumeratedAt = [4]time.Time{ago(1), ago(2), ago(3)} }), nil},
		"reset":            {with(well, func(st *modem.Status) { st.Resets, st.LastReset, st.LastResetAt = 1, "usb-reset", ago(59) }), []string{"warn recently-reset"}},
		"low balance":      {with(well, func(st *modem.Status) { st.Balance = modem.Balance{Amount: 1, At: ago(59), Low: true} }), []string{"warn low-balance"}},
		"reset long ago":   {with(well, func(st *modem.Status) { st.Resets, st.LastResetAt = 1, ago(60) }), nil},
		"of the scheduler": {with(well, func(st *modem.Status) { st.State, st.Problem, st.Hint = modem.StatePaused, "quota", "until 13:00" }), []string{"warn quota"}},
		"two at once": {with(well, func(st *modem.Status) { st.Reports, st.SignalDBM = false, -111 }),
			[]string{"warn weak-signal", "warn no-reports"}},

		// One hides what follows from it, and is as bad as that.
		"no SIM": {with(problem(modem.ProblemNoSIM), func(st *modem.Status) { st.SMSC = "" }), []string{"fail no-sim"}},
		"no network for want of signal": {with(well, func(st *modem.Status) {
			st.State, st.Problem, st.SignalDBM = modem.StateNotRegistered, modem.ProblemNotRegistered, -111
		}), []string{"fail weak-signal"}},
		"denied, whatever the signal": {with(well, func(st *modem.Status) {
			st.State, st.Problem, st.SignalDBM = modem.StateNotRegistered, modem.ProblemDenied, -111
		}), []string{"fail registration-denied"}},
		"held and busy":      {with(problem(modem.ProblemPortBusy), func(st *modem.Status) { st.Host.Holder = "minicom" }), []string{"fail port-held"}},
		"held and silent":    {with(problem(modem.ProblemNoAnswer), func(st *modem.Status) { st.Host.Holder = "minicom" }), []string{"fail port-held"}},
		"held and no SIM":    {with(problem(modem.ProblemNoSIM), func(st *modem.Status) { st.Host.Holder = "minicom" }), []string{"warn port-held", "fail no-sim"}},
		"flapping, and lost": {with(problem(modem.ProblemPortLost), func(st *modem.Status) { st.EnumeratedAt = flapping }), []string{"fail re-enumerating"}},
		"starved": {with(problem(modem.ProblemPortLost), func(st *modem.Status) {
			st.EnumeratedAt, st.Host.UnderVoltage = flapping, true
		}), []string{"fail under-voltage"}},
		"starved, and pulled": {with(problem(modem.ProblemPortMissing), func(st *modem.Status) { st.Host.UnderVoltage = true }),
			[]string{"warn under-voltage", "fail port-missing"}},
		"reset in vain": {with(problem(modem.ProblemNoAnswer), func(st *modem.Status) {
			st.Resets, st.LastReset, st.LastResetAt = 3, "usb-reset", ago(1)
		}), []string{"fail no-answer"}},
	} {
		var got []string
		for _, w := range test.status.Warnings(now) {
			got = append(got, w.Severity+" "+w.ID)
			if len(w.Text) < 10 {
				t.Errorf("%s: %s says %q", name, w.ID, w.Text)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// A warning names what it is about.
func TestWarningTexts(t *testing.T) {
	now := time.Now()
	for want, st := range map[string]modem.Status{
		"ModemManager uses":                    {Host: modem.Host{Holder: "ModemManager"}},
		"weak, -109 dBm":                       {SignalDBM: -109},
		"full (SR: 5 of 5)":                    {Storage: [3]modem.Memory{{Name: "SM", Used: 9, Total: 10}, {Name: "SR", Used: 5, Total: 5}}},
		"(SM: 8 of 10, ME: 9 of 10)":           {Storage: [3]modem.Memory{{Name: "SM", Used: 8, Total: 10}, {Name: "ME", Used: 9, Total: 10}}},
		"2 times in a day, last by usb-rebind": {Resets: 2, LastReset: "usb-rebind", LastResetAt: now},
		"until noon":                           {Problem: "quota", Hint: "until noon"},
	} {
		if got := fmt.Sprint(st.Warnings(now)); !strings.Contains(got, want) {
			t.Errorf("%s, want %q", got, want)
		}
	}
}
