package queue

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// post is a queue with an outbox in one store.
type post struct {
	*Queue
	out *outbox.Outbox
}

// openPost opens a store at path with a queue and an outbox in it, and further rooms before them.
func openPost(path string, opts Options, rooms ...store.Room) (post, error) {
	p := post{out: outbox.New(nil, nil)}
	opts.Outbox = p.out
	p.Queue = New(opts)
	_, err := store.Open(path, store.Options{Log: opts.Log}, append(rooms, p.out, p.Queue)...)
	return p, err
}

// all are the names and payloads of all events.
func (p post) all(t testing.TB) (all []outbox.Event) {
	t.Helper()
	all, err := p.out.Events(0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// lines are all events, each as name, recipient's number and reason.
func (p post) lines(t testing.TB) (lines []string) {
	t.Helper()
	for _, e := range p.all(t) {
		var f struct{ Recipient, Reason string }
		if err := json.Unmarshal(e.Payload, &f); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimSpace(e.Name+" "+e.Ref+" "+f.Recipient+" "+f.Reason))
	}
	return lines
}

// told runs f on a queue that has an outbox, in virtual time, and compares the events.
func told(t *testing.T, opts Options, f func(*fixture), want ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fx := &fixture{TB: t, path: filepath.Join(t.TempDir(), "q.db"), opts: opts, mr: map[string]uint8{}}
		p, err := openPost(fx.path, opts)
		fx.ok(err)
		fx.Queue = p.Queue
		defer func() {
			checkStore(t, fx.Queue)
			fx.ok(fx.Close())
		}()
		f(fx)
		synctest.Wait()
		equal(t, "events", p.lines(t), want)
	})
}

func TestEventsOfOnePart(t *testing.T) {
	put := func(f *fixture) *Job {
		f.puts("a")
		return f.take(sim1)
	}
	t.Run("sent and delivered", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			mr := f.accept(put(f))
			f.report(card1, mr, alice, VerdictTrying, Matched)
			f.report(card1, mr, alice, VerdictDelivered, Matched)
			f.report(card1, mr, alice, VerdictDelivered, Repeated)
		}, "sms:sent a +4915112345678", "sms:delivered a +4915112345678")
	})
	t.Run("the report beats +CMGS", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			j := put(f)
			f.report(card1, 1, alice, VerdictDelivered, Orphan)
			f.accept(j)
		}, "sms:sent a +4915112345678", "sms:delivered a +4915112345678")
	})
	t.Run("the report instead of +CMGS", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.lose(put(f))
			f.report(card1, 1, alice, VerdictDelivered, Matched)
		}, "sms:sent a +4915112345678", "sms:delivered a +4915112345678")
	})
	t.Run("repeated, and the first report comes before the second +CMGS", func(t *testing.T) {
		told(t, Options{RetryUnknown: true}, func(f *fixture) {
			f.lose(put(f))
			j := f.take(sim1)
			f.report(card1, 1, alice, VerdictDelivered, Matched)
			f.wantState("a", Delivered, PartDelivered)
			f.accept(j)
		}, "sms:sent a +4915112345678", "sms:delivered a +4915112345678")
	})
	t.Run("refused", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) { f.reject(put(f)) }, "sms:failed a +4915112345678 refused")
	})
	t.Run("refused without a word", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.step(&Outcome{Job: put(f), Kind: OutcomeRejected}, nil)
		}, "sms:failed a +4915112345678 Unknown")
	})
	t.Run("undelivered", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			mr := f.accept(put(f))
			f.report(card1, mr, alice, VerdictFailed, Matched)
		}, "sms:sent a +4915112345678", "sms:failed a +4915112345678 no such subscriber")
	})
	t.Run("deferred and sent", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.step(&Outcome{Job: put(f), Kind: OutcomeDeferred, Error: "busy"}, nil)
			f.accept(f.take(sim1))
		}, "sms:sent a +4915112345678")
	})
	t.Run("lost, and found", func(t *testing.T) {
		told(t, Options{UnknownAfter: time.Hour}, func(f *fixture) {
			f.lose(put(f))
			time.Sleep(time.Hour)
			synctest.Wait()
			f.report(card1, 1, alice, VerdictDelivered, Matched)
		}, "sms:failed a +4915112345678 "+errLost, "sms:sent a +4915112345678", "sms:delivered a +4915112345678")
	})
	t.Run("cancelled twice", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.puts("a")
			for range 2 {
				_, err := f.Cancel(ctx, "a")
				f.ok(err)
			}
		}, "sms:cancelled a +4915112345678")
	})
	t.Run("expired", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a", ValidUntil: time.Now().Add(time.Minute)}, 1)
			time.Sleep(time.Minute)
			synctest.Wait()
		}, "sms:failed a +4915112345678 "+errExpired)
	})
	t.Run("retired", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.accept(put(f))
			time.Sleep(time.Second)
			var from uint64
			_, _, err := f.Retire(ctx, time.Now(), &from, 10)
			f.ok(err)
		}, "sms:sent a +4915112345678")
	})
}

func TestEventsOfSeveral(t *testing.T) {
	const sentA, sentB = "sms:sent a +4915112345678", "sms:sent a +4916098765432"
	const delivered = "sms:delivered a +4915112345678"
	t.Run("each part delivered", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a"}, 3)
			f.run(sim1)
			for mr := range uint8(3) {
				f.report(card1, 3-mr, alice, VerdictDelivered, Matched)
			}
		}, sentA, delivered, delivered, delivered)
	})
	t.Run("a part delivered before all are accepted", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a"}, 2)
			mr := f.accept(f.take(sim1))
			f.report(card1, mr, alice, VerdictDelivered, Matched)
			mr = f.accept(f.take(sim1))
			f.report(card1, mr, alice, VerdictDelivered, Matched)
		}, sentA, delivered, delivered)
	})
	t.Run("a part delivered, the next refused", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a"}, 2)
			mr := f.accept(f.take(sim1))
			f.report(card1, mr, alice, VerdictDelivered, Matched)
			f.reject(f.take(sim1))
		}, "sms:failed a +4915112345678 refused")
	})
	t.Run("a part delivered after another failed", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a"}, 3)
			f.run(sim1)
			f.report(card1, 1, alice, VerdictDelivered, Matched)
			f.report(card1, 2, alice, VerdictFailed, Matched)
			f.report(card1, 3, alice, VerdictDelivered, Matched)
		}, sentA, delivered, "sms:failed a +4915112345678 no such subscriber")
	})
	t.Run("two lost, one found, then the other", func(t *testing.T) {
		told(t, Options{UnknownAfter: time.Hour}, func(f *fixture) {
			f.put(Submission{ID: "a"}, 2)
			f.lose(f.take(sim1))
			time.Sleep(time.Minute)
			f.lose(f.take(sim1))
			time.Sleep(time.Hour - time.Minute)
			synctest.Wait() // the first is lost
			f.report(card1, 2, alice, VerdictDelivered, Matched)
			time.Sleep(time.Minute)
			synctest.Wait()
			f.report(card1, 1, alice, VerdictDelivered, Matched)
		}, "sms:failed a +4915112345678 "+errLost, sentA, delivered, delivered)
	})
	t.Run("failed twice", func(t *testing.T) {
		told(t, Options{UnknownAfter: time.Hour}, func(f *fixture) {
			f.put(Submission{ID: "a"}, 2)
			f.lose(f.take(sim1))
			time.Sleep(time.Minute)
			f.lose(f.take(swapped))
			time.Sleep(time.Hour - time.Minute)
			synctest.Wait()
			f.wantState("a", Failed, PartLost, PartUnknown)
			f.report(card1, 1, alice, VerdictDelivered, Matched)
			f.wantState("a", Processed, PartDelivered, PartUnknown)
			time.Sleep(time.Minute)
			synctest.Wait()
			f.wantState("a", Failed, PartDelivered, PartLost)
		}, "sms:failed a +4915112345678 "+errLost)
	})
	t.Run("two recipients", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a", Recipients: []string{alice, bob}}, 1)
			f.accept(f.take(sim1))
			f.reject(f.take(sim1))
		}, sentA, "sms:failed a +4916098765432 refused")
	})
	t.Run("two recipients sent", func(t *testing.T) {
		told(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a", Recipients: []string{alice, bob}}, 2)
			f.run(sim1)
		}, sentA, sentB)
	})
}

// TestUplinkEvents: a server hears of each change, and of what changed together once.
func TestUplinkEvents(t *testing.T) {
	told(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "a", Recipients: []string{alice, bob}, Origin: OriginUplink}, 1)
		j := f.take(sim1)
		f.accept(j)
		f.put(Submission{ID: "b", Recipients: []string{alice, bob}, Origin: OriginUplink}, 1)
		_, err := f.Cancel(ctx, "b")
		f.ok(err)
		f.put(Submission{ID: "c", Origin: "desk"}, 1)
	},
		"message:state a", "sms:sent a +4915112345678", "message:state a",
		"sms:cancelled b +4915112345678", "message:state b", "sms:cancelled b +4916098765432")
}

// TestEventPayloads: these octets go to webhooks.
func TestEventPayloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{TB: t, path: filepath.Join(t.TempDir(), "q.db"), mr: map[string]uint8{}}
		p, err := openPost(f.path, Options{Own: func(sim int) string {
			if sim != 1 {
				return ""
			}
			return "+4917000000000"
		}})
		f.ok(err)
		f.Queue = p.Queue
		defer func() { f.ok(f.Close()) }()
		f.put(Submission{ID: "a", SIM: 1}, 2)
		f.run(sim1)
		time.Sleep(1500 * time.Millisecond)
		f.report(card1, 1, alice, VerdictDelivered, Matched)
		f.report(card1, 2, alice, VerdictFailed, Matched)
		f.put(Submission{ID: "b", SIM: 2}, 1)
		f.put(Submission{ID: "c"}, 1)
		for _, id := range []string{"b", "c"} {
			_, err := f.Cancel(ctx, id)
			f.ok(err)
		}
		at := func(ms int) string {
			return time.Date(2000, 1, 1, 0, 0, 0, ms*1_000_000, time.UTC).In(time.Local).Format("2006-01-02T15:04:05.000Z07:00")
		}
		const base = `{"messageId":"a","phoneNumber":"+4915112345678","sender":"+4917000000000","recipient":"+4915112345678","simNumber":1,`
		want := []string{
			base + `"partsCount":2,"sentAt":"` + at(0) + `"}`,
			base + `"deliveredAt":"` + at(1500) + `"}`,
			base + `"failedAt":"` + at(1500) + `","reason":"no such subscriber"}`,
			`{"messageId":"b","phoneNumber":"+4915112345678","recipient":"+4915112345678","simNumber":2,"cancelledAt":"` + at(1500) + `"}`,
			`{"messageId":"c","phoneNumber":"+4915112345678","recipient":"+4915112345678","cancelledAt":"` + at(1500) + `"}`,
		}
		var got []string
		for _, e := range p.all(t) {
			got = append(got, string(e.Payload))
		}
		equal(t, "payloads", got, want)
	})
}

// TestEventAndStateAreOne: a commit that fails leaves neither.
func TestEventAndStateAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{TB: t, path: filepath.Join(t.TempDir(), "q.db"), mr: map[string]uint8{}}
		p, err := openPost(f.path, Options{})
		f.ok(err)
		f.Queue = p.Queue
		defer func() { f.ok(f.Close()) }()
		f.put(Submission{ID: "a", Origin: OriginUplink}, 1)
		broken := errors.New("the disk is full")
		for range 2 {
			wantErr(t, f.do(ctx, func(t *tx) error {
				if err := t.cancel(1); err != nil {
					return err
				}
				return broken
			}), broken)
			f.wantState("a", Pending, PartQueued)
			equal(t, "events", p.lines(t), nil)
		}
		_, err = f.Cancel(context.Background(), "a")
		f.ok(err)
		equal(t, "events", p.lines(t), []string{"sms:cancelled a +4915112345678", "message:state a"})
	})
}

// TestRecoveryTells: what a restart ends is told in the transaction that ends it.
func TestRecoveryTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "q.db")
		f := &fixture{TB: t, path: path, mr: map[string]uint8{}}
		p, err := openPost(path, Options{})
		f.ok(err)
		f.Queue = p.Queue
		f.puts("a")
		f.take(sim1)
		f.report(card1, 1, alice, VerdictDelivered, Orphan)
		f.ok(f.Close())
		for range 2 {
			p, err = openPost(path, Options{})
			f.ok(err)
			equal(t, "events", p.lines(t), []string{"sms:sent a +4915112345678", "sms:delivered a +4915112345678"})
			f.ok(p.Close())
		}
	})
}

func TestNoOutboxNoEvents(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "a", Origin: OriginUplink}, 1)
		f.reject(f.take(sim1))
		f.wantState("a", Failed, PartRejected)
	})
}
