package queue

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	bolt "go.etcd.io/bbolt"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// with is SIM 1 under a quota.
func with(q Quota) Claim {
	c := sim1
	c.Quota = q
	return c
}

// heldBy insists that c may send nothing, because of that quota, until so long after start.
func (f *fixture) heldBy(c Claim, quota string, start time.Time, until time.Duration) {
	f.Helper()
	j, why, err := f.Step(ctx, nil, &c)
	f.ok(err)
	if j != nil {
		f.Fatalf("claimed %s beyond the quota", name(j))
	}
	if got := why.Until.Sub(start); why.Quota != quota || got != until {
		f.Errorf("held by %q until %v, want %q until %v", why.Quota, got, quota, until)
	}
}

func TestQuotaSlides(t *testing.T) {
	for name, c := range map[string]struct {
		quota  Quota
		period time.Duration
	}{
		"3 parts a minute":     {Quota{Minute: Caps{Parts: 3}}, time.Minute},
		"3 messages a minute":  {Quota{Minute: Caps{Messages: 3}}, time.Minute},
		"3 recipients an hour": {Quota{Hour: Caps{Recipients: 3}}, time.Hour},
		"3 messages an hour":   {Quota{Hour: Caps{Messages: 3, Parts: 10}, Minute: Caps{Parts: 10}}, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{FIFO: true}, func(f *fixture) {
				start := time.Now()
				for i := range 9 {
					f.put(Submission{Recipients: []string{fmt.Sprint("+4915112345", i)}}, 1)
				}
				c := struct {
					Claim
					period time.Duration
				}{with(c.quota), c.period}
				for range 3 { // at 0, 10 and 20 s
					f.accept(f.take(c.Claim))
					pause(10 * time.Second)
				}
				f.heldBy(c.Claim, name, start, c.period)
				f.reopen()
				f.heldBy(c.Claim, name, start, c.period)
				pause(c.period - 30*time.Second - time.Millisecond)
				f.heldBy(c.Claim, name, start, c.period)
				pause(time.Millisecond)
				f.accept(f.take(c.Claim))
				f.heldBy(c.Claim, name, start, c.period+10*time.Second)
				pause(20 * time.Second)
				f.accept(f.take(c.Claim))
				f.accept(f.take(c.Claim))
				f.heldBy(c.Claim, name, start, 2*c.period)
			})
		})
	}
}

// TestQuotaCalendar: a bubble begins at 01:00 of the first of January in Berlin.
func TestQuotaCalendar(t *testing.T) {
	for name, c := range map[string]struct {
		quota Quota
		until time.Duration
	}{
		"2 parts a day":        {Quota{Day: Caps{Parts: 2}}, 23 * time.Hour},
		"2 messages a day":     {Quota{Day: Caps{Messages: 2}}, 23 * time.Hour},
		"2 recipients a month": {Quota{Month: Caps{Recipients: 2}}, (31*24 - 1) * time.Hour},
		"2 messages a month":   {Quota{Month: Caps{Messages: 2}, Day: Caps{Messages: 2}, Minute: Caps{Parts: 1}}, (31*24 - 1) * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{Zone: zone(t, "Europe/Berlin"), FIFO: true}, func(f *fixture) {
				start := time.Now()
				for i := range 5 {
					f.put(Submission{Recipients: []string{fmt.Sprint("+4915112345", i)}}, 1)
				}
				claim := with(c.quota)
				f.accept(f.take(claim))
				pause(time.Hour)
				f.accept(f.take(claim))
				f.heldBy(claim, name, start, c.until)
				pause(c.until - time.Hour - time.Millisecond)
				f.reopen()
				f.heldBy(claim, name, start, c.until)
				pause(time.Millisecond)
				f.accept(f.take(claim))
			})
		})
	}
}

// TestDayStart: the first moments of days whose midnight is special, from the tz database.
func TestDayStart(t *testing.T) {
	for _, c := range []struct {
		zone, at, start, next string
	}{
		{"UTC", "2000-01-31T12:00:00Z", "2000-01-31T00:00:00Z", "2000-02-01T00:00:00Z"},
		{"Europe/Berlin", "2000-03-26T12:00:00Z", "2000-03-25T23:00:00Z", "2000-03-26T22:00:00Z"},
		{"Europe/Berlin", "2000-10-29T12:00:00Z", "2000-10-28T22:00:00Z", "2000-10-29T23:00:00Z"},
		// From 00:00 to 01:00, and from 00:00 back to 23:00.
		{"America/Sao_Paulo", "2017-10-14T12:00:00Z", "2017-10-14T03:00:00Z", "2017-10-15T03:00:00Z"},
		{"America/Sao_Paulo", "2017-10-15T12:00:00Z", "2017-10-15T03:00:00Z", "2017-10-16T02:00:00Z"},
		{"America/Sao_Paulo", "2018-02-17T12:00:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"},
		{"America/Sao_Paulo", "2018-02-18T02:30:00Z", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"},
		// Midnight comes twice: from 01:00 back to 00:00. And never: from 00:00 to 01:00.
		{"Atlantic/Azores", "2000-10-29T00:30:00Z", "2000-10-29T00:00:00Z", "2000-10-30T01:00:00Z"},
		{"Atlantic/Azores", "2000-10-29T12:00:00Z", "2000-10-29T00:00:00Z", "2000-10-30T01:00:00Z"},
		{"Atlantic/Azores", "2000-03-26T00:59:00Z", "2000-03-25T01:00:00Z", "2000-03-26T01:00:00Z"},
		{"Atlantic/Azores", "2000-03-26T12:00:00Z", "2000-03-26T01:00:00Z", "2000-03-27T00:00:00Z"},
		{"Australia/Lord_Howe", "2000-03-26T12:00:00Z", "2000-03-25T13:00:00Z", "2000-03-26T13:30:00Z"},
		// The 30th of December did not take place.
		{"Pacific/Apia", "2011-12-30T05:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range (&Quota{Day: Caps{Parts: 1}}).windows(at.UnixMilli(), zone(t, c.zone)) {
			start, next := time.UnixMilli(w.start).UTC().Format(time.RFC3339), time.UnixMilli(w.next).UTC().Format(time.RFC3339)
			if start != c.start || next != c.next {
				t.Errorf("in %s at %s the day is from %s to %s, want %s to %s", c.zone, c.at, start, next, c.start, c.next)
			}
		}
	}
}

// TestWindowsEnd: whatever the zone, a window begins before the time it holds and ends after it.
func TestWindowsEnd(t *testing.T) {
	q := &Quota{Minute: Caps{Parts: 1}, Hour: Caps{Parts: 1}, Day: Caps{Parts: 1}, Month: Caps{Parts: 1}}
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Atlantic/Azores", "Pacific/Apia", "Asia/Beirut", "Antarctica/Troll"} {
		z := zone(t, name)
		from, to := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2012, 2, 1, 0, 0, 0, 0, time.UTC)
		for at := from; at.Before(to); at = at.Add(17 * time.Minute) {
			now := at.UnixMilli()
			for _, w := range q.windows(now, z) {
				if w.start > now || w.frees(w.start) <= now {
					t.Fatalf("%s in %s: %s from %d to %d does not hold it", at, name, w.name, w.start, w.frees(w.start))
				}
			}
		}
	}
}

// TestQuotaUnits: a message of three parts to two recipients is two texts, six parts, two recipients.
func TestQuotaUnits(t *testing.T) {
	for quota, allowed := range map[Quota]int{
		{Day: Caps{Messages: 2}}:                           6,
		{Day: Caps{Messages: 1}}:                           3,
		{Day: Caps{Parts: 6}}:                              6,
		{Day: Caps{Parts: 5}}:                              3, // the second text does not fit
		{Day: Caps{Parts: 2}}:                              2, // not even the first, so it begins alone
		{Day: Caps{Recipients: 1}}:                         3,
		{Day: Caps{Recipients: 2}}:                         6,
		{Day: Caps{Recipients: 2, Messages: 1}}:            3,
		{Day: Caps{Parts: 6}, Minute: Caps{Recipients: 1}}: 3,
		{Day: Caps{Parts: -1}}:                             6,
	} {
		t.Run(fmt.Sprint(quota), func(t *testing.T) {
			bubble(t, Options{}, func(f *fixture) {
				f.put(Submission{Recipients: []string{alice, bob}, Priority: Urgent}, 3)
				if sent := f.run(with(quota)); len(sent) != allowed {
					t.Errorf("%d of 6 parts sent, want %d: %v", len(sent), allowed, sent)
				}
			})
		})
	}
}

// TestQuotaLongText: a text longer than the cap goes out piece by piece, before all others, over its SIM.
func TestQuotaLongText(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		c := with(Quota{Minute: Caps{Parts: 2}})
		f.put(Submission{ID: "long"}, 5)
		equal(t, "at once", f.run(c), []string{"long", "long.1"})
		f.put(Submission{ID: "vip", Priority: 127}, 1)
		pause(time.Minute)
		equal(t, "after a minute", f.run(c), []string{"long.2", "long.3"})
		pause(time.Minute)
		equal(t, "after two", f.run(c), []string{"long.4", "vip"})
	})
}

// TestQuotaPassesOver: when no new recipient is allowed, those written to already still are.
func TestQuotaPassesOver(t *testing.T) {
	for _, fifo := range []bool{true, false} {
		t.Run(fmt.Sprint("FIFO ", fifo), func(t *testing.T) {
			bubble(t, Options{FIFO: fifo, Zone: time.UTC}, func(f *fixture) {
				start := time.Now()
				c := with(Quota{Day: Caps{Recipients: 2}, Minute: Caps{Parts: 100}})
				f.put(Submission{ID: "first", Recipients: []string{alice, bob}}, 1)
				f.run(c)
				f.put(Submission{ID: "new", Recipients: []string{"12345", alice}, Priority: 5}, 2)
				f.put(Submission{ID: "bob", Recipients: []string{bob}}, 1)
				f.put(Submission{ID: "own", Recipients: []string{"54321", bob}, SIM: 1}, 1)
				f.put(Submission{ID: "low", Recipients: []string{alice}, Priority: -5}, 1)
				want := []string{"new/1", "new/1.1", "own/1", "bob", "low"}
				if fifo {
					want = []string{"new/1", "new/1.1", "bob", "own/1", "low"}
				}
				equal(t, "sent", f.run(c), want)
				f.heldBy(c, "2 recipients a day", start, 24*time.Hour)
				equal(t, "another card", f.run(sim2), []string{"new", "new.1"})
				pause(24 * time.Hour)
				equal(t, "the next day", f.run(c), []string{"own"})
			})
		})
	}
}

// TestQuotaPassesOverSoMany: a claim does not look at a whole queue, and says when to come again.
func TestQuotaPassesOverSoMany(t *testing.T) {
	bubble(t, Options{FIFO: true, Zone: time.UTC}, func(f *fixture) {
		start := time.Now()
		c := with(Quota{Day: Caps{Recipients: 1}})
		f.puts("first")
		f.run(c)
		for i := range maxSkip - 1 {
			f.put(Submission{Recipients: []string{fmt.Sprint("+49160", i)}}, 1)
		}
		f.puts("near")
		equal(t, "sent", f.run(c), []string{"near"})
		f.put(Submission{Recipients: []string{bob}}, 1)
		f.puts("far")
		f.heldBy(c, "1 recipient a day", start, 24*time.Hour)
	})
}

// TestQuotaRefund: what never came into the network does not count, what may have does.
func TestQuotaRefund(t *testing.T) {
	later := time.Now().AddDate(1000, 0, 0)
	for name, c := range map[string]struct {
		outcome Outcome
		counts  bool
	}{
		"accepted":  {Outcome{Kind: OutcomeAccepted, MR: 7}, true},
		"unknown":   {Outcome{Kind: OutcomeUnknown}, true},
		"rejected":  {Outcome{Kind: OutcomeRejected, Error: "no"}, false},
		"deferred":  {Outcome{Kind: OutcomeDeferred, RetryAt: later}, false},
		"uncounted": {Outcome{Kind: OutcomeDeferred, RetryAt: later, Uncounted: true}, false},
	} {
		for _, caps := range []Caps{{Parts: 3}, {Messages: 2}, {Recipients: 2}, {Parts: 3, Messages: 2, Recipients: 2}} {
			t.Run(fmt.Sprint(name, caps), func(t *testing.T) {
				bubble(t, Options{FIFO: true}, func(f *fixture) {
					claim := with(Quota{Hour: caps})
					f.put(Submission{Recipients: []string{"12345"}}, 2)
					f.run(claim)
					f.put(Submission{ID: "m"}, 1)
					o := c.outcome
					o.Job = f.take(claim)
					pause(time.Second)
					f.step(&o, nil)
					f.put(Submission{ID: "next", Recipients: []string{bob}}, 1)
					if sent := f.run(claim); (len(sent) == 0) != c.counts {
						t.Errorf("then sent %v; it counts: %t", sent, c.counts)
					}
				})
			})
		}
	}
}

// TestQuotaRefundOfAKnownRecipient: she was written to all the same, when she was.
func TestQuotaRefundOfAKnownRecipient(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		start := time.Now()
		c := with(Quota{Hour: Caps{Recipients: 1}})
		f.puts("a", "b")
		f.accept(f.take(c))
		pause(10 * time.Minute)
		f.reject(f.take(c))
		f.put(Submission{Recipients: []string{bob}}, 1)
		f.heldBy(c, "1 recipient an hour", start, time.Hour)
	})
}

// TestQuotaIsTheCards: it follows the card from SIM to SIM.
func TestQuotaIsTheCards(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		start := time.Now()
		c := with(Quota{Hour: Caps{Messages: 1, Recipients: 5}})
		moved, other := c, c
		moved.SIM, other.IMSI = 7, card2
		f.puts("a", "b", "c")
		equal(t, "SIM 1", f.run(c), []string{"a"})
		f.heldBy(moved, "1 message an hour", start, time.Hour)
		equal(t, "another card", f.run(other), []string{"b"})
		f.heldBy(other, "1 message an hour", start, time.Hour)
	})
}

// TestQuotaForgets: the store keeps no more than the windows hold, give or take.
func TestQuotaForgets(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		c := with(Quota{Minute: Caps{Messages: 1000, Parts: 1000, Recipients: 1000}})
		for i := range 300 {
			f.put(Submission{Recipients: []string{fmt.Sprint("+4916", i%50)}}, 1)
			f.run(c)
			pause(10 * time.Second)
		}
		n := 0
		f.ok(f.view(func(btx *bolt.Tx) error { n = btx.Bucket(bucketQuotas).Stats().KeyN; return nil }))
		if n < 4*6 || n > 4*8 {
			t.Errorf("%d entries kept, want those of the last minute", n)
		}
	})
}

// TestNoQuotaCountsNothing: it must not cost those who have none.
func TestNoQuotaCountsNothing(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{}, 3)
		f.run(sim1)
		f.ok(f.view(func(btx *bolt.Tx) error {
			if k, _ := btx.Bucket(bucketQuotas).Cursor().First(); k != nil || btx.Bucket(bucketMeta).Get(keyQuotaClock) != nil {
				t.Errorf("something was counted: %x", k)
			}
			return nil
		}))
	})
}
