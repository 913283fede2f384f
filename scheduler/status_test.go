package scheduler_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

func TestModems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, three := newSIM(t, 1), newSIM(t, 2), newSIM(t, 3)
		two.status = modem.Status{
			SIM: 2, Port: "/dev/ttyUSB2", State: modem.StateLost, Problem: modem.ProblemPortMissing, Hint: "plug it in", SignalDBM: -71,
		}
		want := two.status
		r := idle(t, scheduler.Options{}, three, one, two)
		got := r.Modems()
		if len(got) != 3 || got[0].SIM != 1 || got[1] != want || got[2].SIM != 3 || !got[0].Ready() {
			t.Errorf("modems: %+v", got)
		}
	})
}

// A SIM that lost its network while paused says that, which is more to the point.
func TestModemsOwnProblemComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(refused(30))
		r := start(t, scheduler.Options{}, sim)
		r.post(text("a"))
		synctest.Wait()
		sim.set(modem.StateNotRegistered)
		if st := r.Modems()[0]; st.State != modem.StateNotRegistered || st.Problem != "" {
			t.Errorf("status %s, problem %q", st.State, st.Problem)
		}
	})
}

func TestReportTexts(t *testing.T) {
	tests := []struct {
		status  pdu.Status
		state   queue.State
		problem string
	}{
		{0x00, queue.Delivered, ""},
		{0x01, queue.Delivered, "Delivery result from SC +491710760000: 1 (short message forwarded by the SC to the SME but the SC is unable to confirm delivery)"},
		{0x02, queue.Failed, "Delivery result from SC +491710760000: 2 (short message replaced by the SC)"},
		{0x1f, queue.Delivered, "Delivery result from SC +491710760000: 31 (value 0x1F specific to the SC: delivered)"},
		{0x20, queue.Sent, ""},
		{0x3f, queue.Sent, ""},
		{0x43, queue.Failed, "Delivery result from SC +491710760000: 67 (not obtainable)"},
		{0x46, queue.Failed, "Delivery result from SC +491710760000: 70 (SM validity period expired)"},
		{0x62, queue.Failed, "Delivery result from SC +491710760000: 98 (no response from SME, no more attempts)"},
		{0x80, queue.Failed, "Delivery result from SC +491710760000: 128 (reserved value 0x80: gave up)"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%02X", uint8(tt.status)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				r := start(t, scheduler.Options{}, sim)
				id := r.post(text("a"))
				synctest.Wait()
				r.report(sim.sent()[0], tt.status)
				r.expect(id, tt.state, tt.problem)
				if got := r.get(id).Recipients[0].Parts[0].Status; got != int(tt.status) {
					t.Errorf("TP-ST %d kept, want %d", got, tt.status)
				}
			})
		})
	}
}

// A report names its card; another card's TP-MR means nothing.
func TestReportIsTheCards(t *testing.T) {
	for _, imsi := range []string{"262010000000001", ""} { // a dongle may not tell the IMSI
		t.Run("IMSI "+imsi, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				one.status.IMSI = imsi
				if imsi == "" {
					two.status.IMSI = ""
				}
				r := start(t, scheduler.Options{}, one, two)
				id := r.post(text("a"))
				synctest.Wait()
				stray := one.sent()[0]
				stray.SIM = 2
				r.report(stray, 0)
				r.expect(id, queue.Sent, "")
				r.report(one.sent()[0], 0)
				r.expect(id, queue.Delivered, "")
			})
		})
	}
}

// The report of a part may overtake its +CMGS.
func TestReportBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.latency = second
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text("a"))
		time.Sleep(second / 2)
		r.report(sim.sent()[0], 0)
		r.expect(id, queue.Processed, "")
		time.Sleep(second)
		r.expect(id, queue.Delivered, "")
	})
}

func TestOnPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(nil, refused(21))
		var told []string
		opts := scheduler.Options{OnPart: func(job *queue.Job, seg pdu.Segment, err error, after bool) {
			told = append(told, fmt.Sprintf("part %d of %d, %d octets, after %t, %v", job.Part+1, job.Parts, seg.Length(), after, err))
		}}
		r := start(t, opts, sim)
		r.post(text(strings.Repeat("a", 161)))
		synctest.Wait()
		// 14 octets before TP-UD (the address takes 9); then 140, or 6 of header and 8 for one fill bit and 8 septets.
		want := []string{
			"part 1 of 2, 154 octets, after false, <nil>",
			"part 1 of 2, 154 octets, after true, <nil>",
			"part 2 of 2, 28 octets, after false, <nil>",
			"part 2 of 2, 28 octets, after true, +CMS ERROR: 21 (short message transfer rejected)",
		}
		if strings.Join(told, "\n") != strings.Join(want, "\n") {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestGatewayKeepsItsIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, scheduler.Options{}, newSIM(t, 1))
		before, err := r.Gateway()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		r.restart()
		after, err := r.Gateway()
		if err != nil || after.ID != before.ID || !after.Created.Equal(before.Created) || len(after.ID) != 21 {
			t.Errorf("identity %+v, then %+v, %v", before, after, err)
		}
	})
}

func TestListPassesTheFilterOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := idle(t, scheduler.Options{}, newSIM(t, 1))
		for range 3 {
			r.post(text("a"))
		}
		page, total, err := r.List(context.Background(), queue.Filter{State: queue.Pending, Limit: 2})
		if len(page) != 2 || total != 3 || err != nil {
			t.Errorf("%d of %d listed, %v", len(page), total, err)
		}
	})
}
