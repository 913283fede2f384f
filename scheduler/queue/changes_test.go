package queue

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"

	"dongled/scheduler/store"
)

// desk puts a message from another API, to so many recipients.
func (f *fixture) desk(id string, recipients int) Message {
	f.Helper()
	return f.put(Submission{ID: id, Origin: "desk", Recipients: []string{alice, bob}[:recipients]}, 1)
}

// TestChanges has each way that a recipient goes, and what is told of it: who, from what to what, and what
// the message is then.
func TestChanges(t *testing.T) {
	for _, tt := range []struct {
		name string
		opts Options
		run  func(*fixture)
		want []string
	}{
		{"accepted", Options{}, func(f *fixture) { f.desk("a", 2) }, []string{"a/0 >Pending (Pending)", "a/1 >Pending (Pending)"}},
		{"sent and delivered", Options{}, func(f *fixture) {
			f.desk("a", 1)
			mr := f.accept(f.take(sim1))
			f.report(card1, mr, alice, VerdictTrying, Matched)
			f.report(card1, mr, alice, VerdictDelivered, Matched)
			f.report(card1, mr, alice, VerdictDelivered, Repeated)
		}, []string{"a/0 >Pending (Pending)", "a/0 Pending>Processed (Processed)", "a/0 Processed>Sent (Sent)", "a/0 Sent>Delivered (Delivered)"}},
		{"a report before its +CMGS", Options{}, func(f *fixture) {
			f.desk("a", 1)
			j := f.take(sim1)
			f.report(card1, 1, alice, VerdictDelivered, Orphan)
			f.accept(j)
		}, []string{"a/0 >Pending (Pending)", "a/0 Pending>Processed (Processed)", "a/0 Processed>Delivered (Delivered)"}},
		{"undelivered", Options{}, func(f *fixture) {
			f.desk("a", 1)
			f.report(card1, f.accept(f.take(sim1)), alice, VerdictFailed, Matched)
		}, []string{"a/0 >Pending (Pending)", "a/0 Pending>Processed (Processed)", "a/0 Processed>Sent (Sent)", "a/0 Sent>Failed (Failed)"}},
		{"one refused of two", Options{FIFO: true}, func(f *fixture) {
			f.desk("a", 2)
			f.reject(f.take(sim1))
			f.accept(f.take(sim1))
		}, []string{
			"a/0 >Pending (Pending)", "a/1 >Pending (Pending)", "a/0 Pending>Processed (Pending)", "a/0 Processed>Failed (Pending)",
			"a/1 Pending>Processed (Processed)", "a/1 Processed>Sent (Sent)",
		}},
		{"deferred", Options{}, func(f *fixture) {
			f.desk("a", 1)
			f.step(&Outcome{Job: f.take(sim1), Kind: OutcomeDeferred, Error: "busy"}, nil)
		}, []string{"a/0 >Pending (Pending)", "a/0 Pending>Processed (Processed)", "a/0 Processed>Pending (Pending)"}},
		{"deferred and claimed in one step", Options{}, func(f *fixture) {
			f.desk("a", 1)
			f.step(&Outcome{Job: f.take(sim1), Kind: OutcomeDeferred, Error: "busy"}, &sim1)
		}, []string{
			"a/0 >Pending (Pending)", "a/0 Pending>Processed (Processed)", "a/0 Processed>Pending (Pending)", "a/0 Pending>Processed (Processed)",
		}},
		{"lost, and found", Options{UnknownAfter: time.Hour}, func(f *fixture) {
			f.desk("a", 1)
			f.lose(f.take(sim1))
			time.Sleep(time.Hour)
			synctest.Wait()
			f.report(card1, 1, alice, VerdictDelivered, Matched)
		}, []string{
			"a/0 >Pending (Pending)", "a/0 Pending>Processed (Processed)", "a/0 Processed>Failed (Failed)", "a/0 Failed>Delivered (Delivered)",
		}},
		{"cancelled twice", Options{}, func(f *fixture) {
			f.desk("a", 2)
			for range 2 {
				_, err := f.Cancel(ctx, "a")
				f.ok(err)
			}
		}, []string{
			"a/0 >Pending (Pending)", "a/1 >Pending (Pending)", "a/0 Pending>Cancelled (Pending)", "a/1 Pending>Cancelled (Cancelled)",
		}},
		{"expired", Options{}, func(f *fixture) {
			f.put(Submission{ID: "a", Origin: "desk", Recipients: []string{alice, bob}, ValidUntil: time.Now().Add(time.Minute)}, 1)
			time.Sleep(time.Minute)
			synctest.Wait()
		}, []string{
			"a/0 >Pending (Pending)", "a/1 >Pending (Pending)", "a/0 Pending>Failed (Pending)", "a/1 Pending>Failed (Failed)",
		}},
		{"interrupted", Options{}, func(f *fixture) {
			f.desk("a", 1)
			f.take(sim1)
			f.reopen()
		}, []string{"a/0 >Pending (Pending)", "a/0 Pending>Processed (Processed)"}},
		{"refused", Options{}, func(f *fixture) {
			f.put(Submission{ID: "a", Origin: "desk", Recipients: []string{alice, bob}, Refused: "not now"}, 1)
		}, []string{
			"a/0 >Pending (Pending)", "a/1 >Pending (Pending)", "a/0 Pending>Failed (Pending)", "a/1 Pending>Failed (Failed)",
		}},
		{"of the native API", Options{}, func(f *fixture) {
			f.puts("a")
			f.accept(f.take(sim1))
		}, nil},
		{"with a quiet night between", Options{}, func(f *fixture) {
			f.put(Submission{ID: "a", Origin: "desk", Quiet: true}, 1)
			night := sim1
			night.QuietUntil = time.Now().Add(time.Hour)
			f.idle(night)
		}, []string{"a/0 >Pending (Pending)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			followed(t, tt.opts, func(f *fixture, d *diary) {
				tt.run(f)
				f.wantDiary(d, 0, tt.want...)
			})
		})
	}
}

// TestChangesAtStart: what a crash left open is settled in Prepare, and told of in its transaction; what fell
// due meanwhile by the writer's first. The start after that has no news.
func TestChangesAtStart(t *testing.T) {
	followed(t, Options{}, func(f *fixture, d *diary) {
		f.desk("a", 1)
		f.take(sim1)
		f.report(card1, 1, alice, VerdictDelivered, Orphan) // its +CMGS never comes
		f.put(Submission{ID: "b", Origin: "desk", ValidUntil: time.Now().Add(time.Minute)}, 1)
		f.ok(f.Close())
		time.Sleep(time.Hour)
		rang := d.rang
		f.start()
		f.wantDiary(d, 3, "a/0 Processed>Delivered (Delivered)", "b/0 Pending>Failed (Failed)")
		if d.rang != rang+1 {
			t.Errorf("%d calls after commits, want one: Prepare has none", d.rang-rang)
		}
		f.reopen()
		synctest.Wait()
		f.wantDiary(d, 5)
	})
}

// TestChangeAndCommitShareTheirFate: what a commit that fails told of is undone with it, and nothing that was
// to follow it does; the next try tells of it anew, once.
func TestChangeAndCommitShareTheirFate(t *testing.T) {
	followed(t, Options{}, func(f *fixture, d *diary) {
		setMax := func(n int) { f.ok(f.do(ctx, func(t *tx) error { t.DB().MaxSize = n; return nil })) }
		f.desk("a", 1)
		done := &Outcome{Job: f.take(sim1), Kind: OutcomeAccepted, MR: 1}
		setMax(1)
		big := Submission{ID: "big", Origin: "desk", Recipients: []string{alice}, Content: Content{Text: string(make([]byte, 200<<10))}}
		_, err := f.Enqueue(ctx, big, 1)
		wantErr(t, err, bolterrors.ErrMaxSizeReached)
		if n := d.count(t); n != 2 || d.rang != 2 {
			t.Errorf("%d changes stored, %d told after commits, want 2 of each", n, d.rang)
		}
		setMax(0)
		f.step(done, nil)
		f.wantDiary(d, 2, "a/0 Processed>Sent (Sent)")
		if d.rang != 3 {
			t.Errorf("%d calls after commits, want 3", d.rang)
		}
	})
}

// TestChangesBesideFailure: a neighbour that fails after it wrote has the others run again; each change is
// on disk once all the same.
func TestChangesBesideFailure(t *testing.T) {
	followed(t, Options{}, func(f *fixture, d *diary) {
		release := f.hold()
		errs := make(chan error, 3)
		for _, id := range []string{"a", "b"} {
			go func() {
				_, err := f.Enqueue(ctx, Submission{ID: id, Origin: "desk", Recipients: []string{alice}}, 1)
				errs <- err
			}()
			synctest.Wait()
		}
		go func() { errs <- f.do(ctx, spoil) }()
		synctest.Wait()
		close(release)
		spoilt := 0
		for range 3 {
			if err := <-errs; errors.Is(err, errSpoilt) {
				spoilt++
			} else {
				f.ok(err)
			}
		}
		f.wantDiary(d, 0, "a/0 >Pending (Pending)", "b/0 >Pending (Pending)")
		if spoilt != 1 || d.rang != 2 {
			t.Errorf("%d failed, %d calls after commits; want 1 and 2", spoilt, d.rang)
		}
	})
}

// TestChangeOfDamagedMessage: who cannot be told of does not stop the others.
func TestChangeOfDamagedMessage(t *testing.T) {
	followed(t, Options{FIFO: true}, func(f *fixture, d *diary) {
		f.put(Submission{ID: "a", Origin: "desk", Recipients: []string{alice, bob}, Priority: 1}, 1)
		f.desk("b", 1)
		var good []byte
		replace := func(v []byte) {
			f.ok(f.do(ctx, func(t *tx) error {
				k := deliveryKey(1, 1)
				good = bytes.Clone(t.deliveries.Get(k))
				t.put(t.deliveries, k, v)
				return nil
			}))
		}
		replace([]byte{byte(Pending)})
		j := f.take(sim1) // of a, whose other recipient cannot be read
		f.report(card1, 1, alice, VerdictDelivered, Orphan)
		f.accept(j)
		_, err := f.Cancel(ctx, "b")
		f.ok(err)
		f.wantDiary(d, 3, "b/0 Pending>Cancelled (Cancelled)")
		replace(good)
		if got := f.get("a").Recipients[0].State; got != Delivered {
			t.Errorf("the recipient is %v", got)
		}
	})
}

// TestAlso: what is to be done with a message is done in its transaction, on the message as it was
// accepted; where it fails, there is no such message, and the next one may have its ID.
func TestAlso(t *testing.T) {
	followed(t, Options{}, func(f *fixture, d *diary) {
		var shown Message
		s := Submission{ID: "a", Origin: "desk", Meta: []byte("{}"), Recipients: []string{alice, bob}, Content: Content{Text: "hi"}}
		s.Also = func(st *store.Tx, m Message) error {
			shown = m
			st.Put(st.Bucket(bucketDiary), []byte("beside it"), mustJSON(entry{All: []State{Pending}}))
			return nil
		}
		m, err := f.Enqueue(ctx, s, 2)
		f.ok(err)
		if shown.ID != "a" || shown.State != Pending || len(shown.Recipients) != 2 || string(shown.Meta) != "{}" || !shown.Created.Equal(m.Created) {
			t.Errorf("was shown %+v, stored is %+v", shown, m)
		}
		if n := d.count(t); n != 3 {
			t.Errorf("%d entries, want 3", n)
		}
	})
}

func TestAlsoFails(t *testing.T) {
	write := func(st *store.Tx) { st.Put(st.Bucket(bucketDiary), []byte("x"), []byte("{}")) }
	for name, also := range map[string]func(*store.Tx, Message) error{
		"before it wrote": func(*store.Tx, Message) error { return errAlso },
		"after it wrote":  func(st *store.Tx, _ Message) error { write(st); return errAlso },
		"after it asked to be called": func(st *store.Tx, _ Message) error {
			st.After(func() { t.Error("called for a message that is not stored") })
			return errAlso
		},
	} {
		t.Run(name, func(t *testing.T) {
			followed(t, Options{}, func(f *fixture, d *diary) {
				release := f.hold()
				errs := make(chan error, 2)
				enqueue := func(s Submission) {
					s.Origin, s.Recipients = "desk", []string{alice}
					_, err := f.Enqueue(ctx, s, 1)
					errs <- err
				}
				go enqueue(Submission{ID: "a", Also: also, Encrypted: true, ValidUntil: time.Now().Add(time.Hour)})
				synctest.Wait()
				go enqueue(Submission{ID: "b"})
				synctest.Wait()
				close(release)
				first, second := <-errs, <-errs
				if first == nil {
					first, second = second, first
				}
				if first != errAlso || second != nil {
					t.Errorf("errors %v and %v, want its own and none", first, second)
				}
				_, err := f.Get(ctx, "a")
				wantErr(t, err, ErrNotFound)
				f.wantDiary(d, 0, "b/0 >Pending (Pending)")
				f.desk("a", 1) // its ID is free
			})
		})
	}
}

// TestRefused: a message that was accepted and not admitted is Failed from the start, counts as such, and
// nobody can claim it.
func TestRefused(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		told(t, Options{}, func(f *fixture) {
			m := f.put(Submission{ID: "a", Refused: "not now", Encrypted: encrypted, Recipients: []string{alice, bob}, ScheduleAt: time.Now().Add(time.Hour)}, 2)
			if m.State != Failed || m.Recipients[0].Error != "not now" || m.Recipients[1].Error != "not now" {
				t.Errorf("encrypted %t: answered %+v", encrypted, m)
			}
			if got := f.get("a"); got.State != Failed || len(got.Reached) != 2 || got.Recipients[0].Parts[0].Attempts != 0 {
				t.Errorf("encrypted %t: stored %+v", encrypted, got)
			}
			if s, err := f.NextSealed(0); s != nil || err != nil {
				t.Errorf("is to be opened: %+v, %v", s, err)
			}
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			f.idle(sim1)
			if _, n, err := f.List(ctx, Filter{State: Failed}); n != 1 || err != nil {
				t.Errorf("%d messages count as failed, %v", n, err)
			}
			_, err := f.Cancel(ctx, "a")
			wantErr(t, err, ErrNotPending)
			_, err = f.Enqueue(ctx, Submission{ID: "a", Recipients: []string{alice}}, 1)
			wantErr(t, err, ErrDuplicateID)
			var from uint64
			if n, _, err := f.Retire(ctx, time.Now(), &from, 10); n != 1 || err != nil {
				t.Errorf("retired %d, %v", n, err)
			}
		}, "sms:failed a "+alice+" not now", "sms:failed a "+bob+" not now")
	}
}
