package scheduler_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// nights are quiet hours from one full hour to another.
func nights(from, to int) scheduler.WorkHours {
	return scheduler.WorkHours{Enabled: true, Start: from * 60, End: to * 60}
}

func quiet(s string) queue.Submission {
	sub := text(s)
	sub.Quiet = true
	return sub
}

// evening sleeps until so many minutes after midnight, by the clock of the zone, of this day.
func evening(t *testing.T, zone *time.Location, minutes int) {
	t.Helper()
	y, m, d := time.Now().In(zone).Date()
	at := time.Date(y, m, d, 0, minutes, 0, 0, zone)
	if at.Before(time.Now()) {
		t.Fatalf("%s is over", at)
	}
	time.Sleep(time.Until(at))
}

// sentAt is when SIM f was handed what, by the clock of the zone.
func (f *fakeSIM) sentAt(zone *time.Location) (out []string) {
	for _, s := range f.sent() {
		out = append(out, f.born.Add(s.At).In(zone).Format("Mon 15:04:05 ")+s.Text)
	}
	return out
}

// wantSentAt compares them, the bubble having begun on a Saturday at midnight UTC.
func (f *fakeSIM) wantSentAt(zone *time.Location, want ...string) {
	f.t.Helper()
	synctest.Wait()
	if got := f.sentAt(zone); !slices.Equal(got, want) {
		f.t.Errorf("sent\n %q, want\n %q", got, want)
	}
}

// TestQuietHours: what comes before them is sent, what comes within waits for their end, what names an hour
// of the night too, and nothing else waits.
func TestQuietHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true, QuietHours: nights(22, 6), Zone: time.UTC}, sim)
		evening(t, time.UTC, 22*60-1)
		r.post(quiet("early"))
		scheduled := quiet("scheduled")
		scheduled.ScheduleAt = time.Now().Add(3 * time.Hour)
		r.post(scheduled)
		time.Sleep(minute)
		r.post(quiet("late"))
		urgent := quiet("urgent")
		urgent.Priority = queue.Urgent
		r.post(urgent)
		r.post(text("loud"))
		time.Sleep(9 * time.Hour)
		r.post(quiet("morning"))
		sim.wantSentAt(time.UTC, "Sat 21:59:00 early", "Sat 22:00:00 loud",
			"Sun 06:00:00 urgent", "Sun 06:00:00 scheduled", "Sun 06:00:00 late", "Sun 07:00:00 morning")
	})
}

// TestQuietBounds: quiet hours begin with their first moment, and their end is none of them.
func TestQuietBounds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hours scheduler.WorkHours
		at    time.Duration // after midnight
		want  string
	}{
		{"just before", nights(13, 15), 13*time.Hour - time.Millisecond, "Sat 12:59:59 x"},
		{"at the start", nights(13, 15), 13 * time.Hour, "Sat 15:00:00 x"},
		{"just within", nights(13, 15), 15*time.Hour - time.Millisecond, "Sat 15:00:00 x"},
		{"at the end", nights(13, 15), 15 * time.Hour, "Sat 15:00:00 x"},
		{"overnight", nights(22, 6), 5 * time.Hour, "Sat 06:00:00 x"},
		{"never", nights(0, 0), 0, "Sat 00:00:00 x"},
		{"never, by any clock", nights(13, 13), 13 * time.Hour, "Sat 13:00:00 x"},
		{"off", scheduler.WorkHours{Start: 0, End: 23 * 60}, time.Hour, "Sat 01:00:00 x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				r := start(t, scheduler.Options{QuietHours: tt.hours, Zone: time.UTC}, sim)
				time.Sleep(tt.at)
				r.post(quiet("x"))
				time.Sleep(24 * time.Hour)
				sim.wantSentAt(time.UTC, tt.want)
			})
		})
	}
}

// TestQuietBacklog: what waits for a SIM when quiet hours begin waits on, also if the SIM comes then.
func TestQuietBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{
			FIFO: true, QuietHours: nights(2, 4), Zone: time.UTC, IntervalMin: 50 * minute, IntervalMax: 50 * minute,
		}, sim)
		for i := range 5 {
			r.post(quiet(fmt.Sprint(i)))
		}
		r.post(text("loud"))
		time.Sleep(12 * time.Hour)
		sim.wantSentAt(time.UTC, "Sat 00:00:00 0", "Sat 00:50:00 1", "Sat 01:40:00 2", "Sat 02:30:00 loud",
			"Sat 04:00:00 3", "Sat 04:50:00 4")
	})
}

// TestQuietHoldsNobodyUp: one message that may be sent is, at once, whatever waits before it; in the morning
// all go, in their order.
func TestQuietHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		r := idle(t, scheduler.Options{FIFO: true, QuietHours: nights(0, 6), Zone: time.UTC, Selection: scheduler.RoundRobin}, one, two)
		const crowd = 300
		for i := range crowd {
			r.post(quiet(fmt.Sprint(i)))
		}
		r.post(text("loud"))
		r.run()
		time.Sleep(time.Second)
		if got := append(one.texts(), two.texts()...); !slices.Equal(got, []string{"loud"}) {
			t.Errorf("sent %q by night", got)
		}
		time.Sleep(6 * time.Hour)
		if n := len(one.sent()) + len(two.sent()); n != crowd+1 {
			t.Errorf("%d messages sent by the morning, want %d", n, crowd+1)
		}
	})
}

// TestQuietDST: the hours are those of the clocks on the wall, which in Berlin leapt from 02:00 to 03:00 on
// 26 March 2000, and back from 03:00 to 02:00 on 29 October.
func TestQuietDST(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		day   time.Time
		hours scheduler.WorkHours
		after time.Duration // 23:00 of that day
		want  string
	}{
		{"a short night", time.Date(2000, 3, 25, 23, 0, 0, 0, berlin), nights(22, 6), 6 * time.Hour, "Sun 06:00:00 x"},
		{"a long night", time.Date(2000, 10, 28, 23, 0, 0, 0, berlin), nights(22, 6), 8 * time.Hour, "Sun 06:00:00 x"},
		{"an end that is leapt over", time.Date(2000, 3, 25, 23, 0, 0, 0, berlin), scheduler.WorkHours{Enabled: true, Start: 22 * 60, End: 150}, 3 * time.Hour, "Sun 03:00:00 x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(tt.day))
				sim := newSIM(t, 1)
				r := start(t, scheduler.Options{QuietHours: tt.hours, Zone: berlin}, sim)
				r.post(quiet("x"))
				time.Sleep(tt.after - time.Millisecond)
				sim.wantSentAt(berlin)
				time.Sleep(time.Millisecond)
				sim.wantSentAt(berlin, tt.want)
			})
		})
	}
}

// TestQuietRestart: a night with a restart in it is a night.
func TestQuietRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true, QuietHours: nights(0, 6), Zone: time.UTC}, sim)
		r.post(quiet("held"))
		time.Sleep(time.Hour)
		r.halt()
		r.post(quiet("accepted last"))
		r.restart()
		time.Sleep(time.Hour)
		sim.wantSentAt(time.UTC)
		time.Sleep(4 * time.Hour)
		sim.wantSentAt(time.UTC, "Sat 06:00:00 held", "Sat 06:00:00 accepted last")
	})
}

// TestQuietExpiry: a message whose time is over at night ends then, without having been sent.
func TestQuietExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{QuietHours: nights(0, 6), Zone: time.UTC}, sim)
		brief := quiet("brief")
		brief.ValidUntil = time.Now().Add(time.Hour)
		id := r.post(brief)
		time.Sleep(time.Hour - time.Millisecond)
		synctest.Wait()
		r.expect(id, queue.Pending, "")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		r.expect(id, queue.Failed, "TTL expired: validUntil passed before the message could be submitted")
		time.Sleep(6 * time.Hour)
		sim.wantSentAt(time.UTC)
	})
}

// TestQuietGoesOn: a long message that was begun in time is sent to its end, to the recipient it was begun
// for; the other one is not woken.
func TestQuietGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.latency = 20 * minute
		r := start(t, scheduler.Options{FIFO: true, QuietHours: nights(1, 6), Zone: time.UTC}, sim)
		time.Sleep(50 * minute)
		long := quiet(fmt.Sprintf("%0300d", 1))
		long.Recipients = append(long.Recipients, "+4916098765432")
		r.post(long)
		time.Sleep(8 * time.Hour)
		want := []time.Duration{50 * minute, 70 * minute, 6 * time.Hour, 6*time.Hour + 20*minute}
		if got := sim.times(); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}
