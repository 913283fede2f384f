package queue

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The lanes of two routes.
const (
	laneA = LaneRoutes
	laneB = 65535
)

func lanes(sim int, lanes ...int) Claim {
	return Claim{SIM: sim, IMSI: fmt.Sprint("26201000000000", sim), Lanes: lanes}
}

func TestRoutes(t *testing.T) {
	routes := []Route{{"+49", laneA}, {"+4916", laneB}, {"123", laneB}, {"+491511", LaneRoutes + 1}}
	bubble(t, Options{FIFO: true, Routes: routes}, func(f *fixture) {
		f.put(Submission{ID: "m", Recipients: []string{alice, bob, "+431234567", "12345", "+4917012345"}}, 1)
		f.put(Submission{ID: "named", SIM: 3, Recipients: []string{alice}}, 1)
		equal(t, "no pool", f.run(lanes(1)), nil)
		equal(t, "+4916 and 123", f.run(lanes(1, laneB)), []string{"m/1", "m/3"})
		equal(t, "+49", f.run(lanes(1, laneA)), []string{"m/4"})
		equal(t, "no route", f.run(lanes(1, LaneAny)), []string{"m/2"})
		equal(t, "the SIM's own", f.run(lanes(3)), []string{"named"})
		equal(t, "+491511", f.run(lanes(1, LaneRoutes+1)), []string{"m"})
	})
}

// TestRoutesAreOneQueue: several lanes are sent in one order, and the job says where it waited.
func TestRoutesAreOneQueue(t *testing.T) {
	for _, fifo := range []bool{true, false} {
		bubble(t, Options{FIFO: fifo, Routes: []Route{{"+4915", laneA}, {"+4916", laneB}}}, func(f *fixture) {
			for i, to := range []string{alice, bob, "12345", alice, bob} {
				f.put(Submission{ID: fmt.Sprint(i), Recipients: []string{to}, Priority: int8(i / 4)}, 1)
			}
			f.put(Submission{ID: "three", Recipients: []string{"12345", bob, alice, "54321"}}, 1)
			want := []string{"4", "0", "1", "2", "3", "three", "three/1", "three/2", "three/3"}
			if !fifo {
				want = []string{"4", "three", "three/1", "three/2", "three/3", "3", "2", "1", "0"}
			}
			equal(t, fmt.Sprint("FIFO ", fifo), f.run(lanes(1, LaneAny, laneA, laneB)), want)
		})
	}
}

func TestJobSaysItsLane(t *testing.T) {
	bubble(t, Options{FIFO: true, Routes: []Route{{"+4915", laneA}}}, func(f *fixture) {
		f.put(Submission{Recipients: []string{alice, "+491519999999", bob, "12345"}}, 1)
		f.put(Submission{Recipients: []string{alice, bob}, SIM: 1}, 1)
		var got []string
		c := lanes(1, LaneAny, laneA)
		for j, _ := f.step(nil, &c); j != nil; j, _ = f.step(nil, &c) {
			got = append(got, fmt.Sprint(j.Lane, j.Rest))
			f.accept(j)
			c.Last = j
		}
		equal(t, "lane and rest", got, []string{
			fmt.Sprint(laneA, true), fmt.Sprint(laneA, false), fmt.Sprint(LaneAny, true), fmt.Sprint(LaneAny, false), "1 false", "1 false",
		})
		equal(t, "woken", f.wakes(), []int{LaneAny, 1, laneA})
	})
}

// TestRoutesChange: what waits follows the routes of the next start, what was begun stays with its SIM.
func TestRoutesChange(t *testing.T) {
	old := []Route{{"+4915", laneA}, {"+4916", laneB}}
	for _, c := range []struct {
		name   string
		routes []Route
		// what SIM 9 then finds in the lanes
		any, a, b []string
	}{
		{"none", nil, []string{"alice", "bob", "begun", "again", "later"}, nil, nil},
		{"the same", old, nil, []string{"alice", "begun", "again", "later"}, []string{"bob"}},
		{"exchanged", []Route{{"+4916", laneA}, {"+4915", laneB}}, nil, []string{"bob"}, []string{"alice", "begun", "again", "later"}},
		{"another", []Route{{"+49151", laneB}}, []string{"bob"}, nil, []string{"alice", "begun", "again", "later"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, Options{FIFO: true, Routes: old, RetryUnknown: true}, func(f *fixture) {
				f.put(Submission{ID: "begun", Priority: 2}, 2)
				f.accept(f.take(lanes(1, laneA)))
				f.put(Submission{ID: "alice"}, 1)
				f.put(Submission{ID: "bob", Recipients: []string{bob}}, 1)
				f.put(Submission{ID: "again", Priority: 1}, 1)
				f.put(Submission{ID: "later", ScheduleAt: time.Now().Add(time.Hour)}, 1)
				f.lose(f.take(lanes(2, laneA))) // again, perhaps sent
				f.put(Submission{ID: "named", SIM: 3}, 1)
				f.opts.Routes = c.routes
				f.reopen()
				checkStore(t, f.Queue)
				equal(t, "SIM 1", f.run(lanes(1)), []string{"begun.1"})
				equal(t, "SIM 2", f.run(lanes(2)), []string{"again"})
				equal(t, "SIM 3", f.run(lanes(3)), []string{"named"})
				f.wakes()
				pause(time.Hour)
				if got, want := f.wakes(), map[string]int{"none": LaneAny, "the same": laneA, "exchanged": laneB, "another": laneB}[c.name]; len(got) != 1 || got[0] != want {
					t.Errorf("woke %v, want %d", got, want)
				}
				rest := func(ids []string) (out []string) {
					for _, id := range ids {
						if id != "begun" && id != "again" {
							out = append(out, id)
						}
					}
					return out
				}
				equal(t, "any", f.run(lanes(9, LaneAny)), rest(c.any))
				equal(t, "A", f.run(lanes(9, laneA)), rest(c.a))
				equal(t, "B", f.run(lanes(9, laneB)), rest(c.b))
			})
		})
	}
}

// TestRoutesChangeInSteps: a step puts a bounded number into other lanes, and what a crash left between
// two steps goes on to be in order, even if the routes change again.
func TestRoutesChangeInSteps(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		const waiting = 2*moveBatch + 100
		for range waiting / 100 {
			f.put(Submission{Recipients: slices.Repeat([]string{alice, bob}, 50)}, 1)
		}
		in := func(lane int) (n int) {
			f.ok(f.view(func(btx *bolt.Tx) error {
				c := btx.Bucket(bucketReady).Cursor()
				for k, _ := c.Seek(lanePrefix(lane)); hasPrefix(k, lanePrefix(lane)); k, _ = c.Next() {
					n++
				}
				return nil
			}))
			return n
		}
		f.Queue.opts.Routes = []Route{{"+4915", laneA}, {"+4916", laneB}}
		f.ok(f.do(ctx, func(t *tx) error {
			more, err := f.Move(t.Tx)
			if !more {
				f.Error("one step was enough")
			}
			return err
		}))
		if a, b, rest := in(laneA), in(laneB), in(LaneAny); a != moveBatch/2 || b != moveBatch/2 || rest != waiting-moveBatch {
			t.Errorf("after a step %d, %d and %d wait in the lanes", a, b, rest)
		}
		f.opts.Routes = []Route{{"+4915", laneB}}
		f.reopen()
		if a, b, rest := in(laneA), in(laneB), in(LaneAny); a != 0 || b != waiting/2 || rest != waiting/2 {
			t.Errorf("in the end %d, %d and %d wait in the lanes", a, b, rest)
		}
	})
}

// TestDoubtStaysWithItsSIM: what may have gone out is repeated over the same SIM only, if at all.
func TestDoubtStaysWithItsSIM(t *testing.T) {
	for _, retry := range []bool{false, true} {
		bubble(t, Options{RetryUnknown: retry}, func(f *fixture) {
			f.put(Submission{ID: "m", Priority: 3}, 1)
			f.lose(f.take(sim1))
			f.puts("other")
			equal(t, "SIM 2", f.run(sim2), []string{"other"})
			var want []string
			if retry {
				want = []string{"m"}
			}
			equal(t, "SIM 1", f.run(lanes(1)), want)
		})
	}
}

// TestDeferredMoves: what is known not to have gone out is for any SIM of its lane.
func TestDeferredMoves(t *testing.T) {
	bubble(t, Options{Routes: []Route{{"+49", laneA}}}, func(f *fixture) {
		f.put(Submission{ID: "m"}, 2)
		j := f.take(lanes(1, laneA))
		f.step(&Outcome{Job: j, Kind: OutcomeDeferred, Uncounted: true}, nil)
		equal(t, "SIM 2", f.run(lanes(2, laneA)), []string{"m", "m.1"})
	})
}

// TestSchemaOne: a store of the first schema, whose lanes were one octet, is brought up.
func TestSchemaOne(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		f.put(Submission{ID: "begun"}, 2)
		f.accept(f.take(sim2))
		f.puts("any")
		f.put(Submission{ID: "named", SIM: 255, Priority: -128}, 1)
		f.put(Submission{ID: "later", ScheduleAt: time.Now().Add(time.Hour)}, 1)
		f.put(Submission{ID: "cancelled", ScheduleAt: time.Now().Add(time.Hour)}, 1)
		f.ok(f.Close())
		f.ok(downgrade(f.path))
		f.opts.Routes = []Route{{"+4915", laneA}}
		f.start()
		_, err := f.Cancel(ctx, "cancelled")
		f.ok(err)
		checkStore(t, f.Queue)
		equal(t, "SIM 255", f.run(lanes(255)), []string{"named"})
		equal(t, "SIM 2", f.run(sim2), []string{"begun.1"})
		equal(t, "the route", f.run(lanes(9, laneA)), []string{"any"})
		pause(time.Hour)
		equal(t, "the route, later", f.run(lanes(9, laneA)), []string{"later"})
		f.ok(f.view(func(btx *bolt.Tx) error {
			if v := btx.Bucket(bucketMeta).Get(keySchema); !bytes.Equal(v, []byte{2}) {
				t.Errorf("schema %v", v)
			}
			return nil
		}))
	})
}

// downgrade writes a store as the first schema had it: ready keys, also those in records and timers,
// without the first octet of the lane.
func downgrade(path string) error {
	db, err := openRaw(path)
	if err != nil {
		return err
	}
	return errors.Join(db.Update(func(btx *bolt.Tx) error {
		t := &tx{deliveries: btx.Bucket(bucketDeliveries)}
		cut := func(b *bolt.Bucket, match func(k []byte) bool, short func(k []byte) []byte) error {
			var keys [][]byte
			_ = b.ForEach(func(k, _ []byte) error {
				if match(k) {
					keys = append(keys, bytes.Clone(k))
				}
				return nil
			})
			for _, k := range keys {
				if err := errors.Join(b.Delete(k), b.Put(short(k), []byte{})); err != nil {
					return err
				}
			}
			return nil
		}
		records := map[string][]byte{}
		_ = t.deliveries.ForEach(func(k, v []byte) error {
			d, err := decodeDelivery(k, v)
			if err == nil && d.Ready != nil {
				d.Ready = d.Ready[1:]
				records[string(k)] = d.encode()
			}
			return err
		})
		for k, v := range records {
			if err := t.deliveries.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return errors.Join(
			cut(btx.Bucket(bucketReady), func([]byte) bool { return true }, func(k []byte) []byte { return k[1:] }),
			cut(btx.Bucket(bucketTimers), func(k []byte) bool { return k[8] == timerReady }, func(k []byte) []byte { return append(bytes.Clone(k[:9]), k[10:]...) }),
			btx.Bucket(bucketMeta).Put(keySchema, []byte{1}),
		)
	}), db.Close())
}
