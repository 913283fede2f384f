package inbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dongled/pdu"
	"dongled/scheduler/inbox"
	"dongled/scheduler/store"
)

// part is part n of 3 with its number as its text, sent at the start of the epoch.
func part(n uint8) sms { return sms{text: fmt.Sprint(n), ref: 7, parts: 3, part: n} }

// TestOrders: parts in every order, each followed by all before it once more, with a restart between.
func TestOrders(t *testing.T) {
	for _, order := range [][]uint8{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			bubble(t, inbox.Options{}, func(f *fixture) {
				for i, n := range order {
					f.receive(part(n))
					for _, again := range order[:i+1] {
						f.receive(part(again))
					}
					if i < 2 {
						f.want()
					}
					f.reopen()
				}
				f.want("123")
				for _, n := range order { // a repetition after the end begins nothing
					f.receive(part(n))
				}
				pass(2 * day)
				f.want("123")
				if f.size("inbox_open")+f.size("inbox_parts") > 0 {
					t.Error("something is left of it")
				}
			})
		})
	}
}

// TestJoined: the message has what its parts say, and comes from where its last part came.
func TestJoined(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(
			sms{text: "ab", ref: 300, wide: true, parts: 2, part: 2, at: 2 * time.Minute, port: 16},
		)
		pass(time.Hour)
		moved := inbox.Origin{SIM: 4, IMSI: card1.IMSI, Number: "+49170"}
		f.ok(f.Receive(ctx, moved, sms{text: "c", ref: 300, wide: true, parts: 2, part: 1, at: time.Minute, port: 16, flash: true}.deliver(t)))
		m := f.all()[0]
		if m.Text != "cab" || m.Parts != 2 || m.Partial || m.Port != 16 || !m.Flash || m.Sender != alice || m.SMSC != smsc {
			t.Errorf("message %+v", m)
		}
		if m.SIM != 4 || m.Recipient != "+49170" || m.ICCID != "" || m.IMSI != card1.IMSI {
			t.Errorf("message %+v", m)
		}
		if !m.Sent.Equal(epoch.Add(time.Minute)) || !m.Received.Equal(epoch.Add(time.Hour)) {
			t.Errorf("sent %v, received %v", m.Sent, m.Received)
		}
	})
}

// TestSplitCharacter: a surrogate pair split between two parts is whole again.
func TestSplitCharacter(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		for _, ud := range []string{"0A" + "050003010202" + "DE000062", "0A" + "050003010201" + "0061D83D"} {
			f.ok(f.Receive(ctx, card1, decode(t, unhex(t, "00"+"44"+"0281"+"21"+"00"+"08"+"62207222408500"+ud))))
		}
		f.want("a😀b")
	})
}

func TestLongData(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(
			sms{data: []byte{3, 4}, ref: 1, parts: 2, part: 2, port: 99},
			sms{data: []byte{1, 2}, ref: 1, parts: 2, part: 1, port: 99},
		)
		f.want("01 02 03 04")
		if m := f.all()[0]; m.Kind != inbox.DataSMS || m.ID != "data:1" || m.Port != 99 || m.Parts != 2 {
			t.Errorf("message %+v", m)
		}
	})
}

// TestManyParts: the most there can be.
func TestManyParts(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		var want strings.Builder
		for n := 1; n <= 255; n++ {
			fmt.Fprintf(&want, "%d ", n)
			f.receive(sms{text: fmt.Sprintf("%d ", n), parts: 255, part: uint8(n)})
		}
		f.want(want.String())
	})
}

// TestMixed: messages whose parts come mixed are told apart by all that can tell them apart.
func TestMixed(t *testing.T) {
	pair := func(text string, change func(*sms)) [2]sms {
		a := sms{text: text + "1", ref: 7, parts: 2, part: 1}
		change(&a)
		b := a
		b.text, b.part = text+"2", 2
		if b.data != nil {
			b.text, b.data = "", []byte{2}
		}
		return [2]sms{a, b}
	}
	for name, other := range map[string][2]sms{
		"reference":        pair("b", func(s *sms) { s.ref = 8 }),
		"sender":           pair("b", func(s *sms) { s.from = bob }),
		"16-bit reference": pair("b", func(s *sms) { s.wide = true }),
		"data":             pair("", func(s *sms) { s.text, s.data = "", []byte{1} }),
		"an hour and more": pair("b", func(s *sms) { s.at = time.Hour + time.Second }),
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, inbox.Options{}, func(f *fixture) {
				a := pair("a", func(*sms) {})
				f.receive(a[0], other[1], other[0], a[1])
				second := "b1b2"
				if other[0].data != nil {
					second = "01 02"
				}
				f.want(second, "a1a2")
			})
		})
	}
	t.Run("total", func(t *testing.T) {
		bubble(t, inbox.Options{}, func(f *fixture) {
			a := pair("a", func(*sms) {})
			f.receive(a[0], part(1), part(2), part(3), a[1])
			f.want("123", "a1a2")
		})
	})
	t.Run("card", func(t *testing.T) {
		bubble(t, inbox.Options{}, func(f *fixture) {
			a, b := pair("a", func(*sms) {}), pair("b", func(*sms) {})
			f.receive(a[0])
			f.ok(f.Receive(ctx, card2, b[1].deliver(t)))
			f.receive(a[1])
			f.ok(f.Receive(ctx, card2, b[0].deliver(t)))
			f.want("a1a2", "b1b2")
		})
	})
}

// TestConstantReference: senders that always use the same reference are told apart by what is there
// already and by when it was sent.
func TestConstantReference(t *testing.T) {
	of := func(text string, n uint8, at time.Duration) sms {
		return sms{text: text + fmt.Sprint(n), ref: 0, parts: 2, part: n, at: at}
	}
	t.Run("one after another", func(t *testing.T) {
		bubble(t, inbox.Options{}, func(f *fixture) {
			for i, text := range []string{"a", "b", "c"} {
				at := time.Duration(i) * time.Minute
				f.receive(of(text, 2, at), of(text, 1, at))
			}
			f.want("a1a2", "b1b2", "c1c2")
		})
	})
	t.Run("mixed", func(t *testing.T) {
		bubble(t, inbox.Options{}, func(f *fixture) {
			f.receive(of("a", 1, 0), of("b", 1, time.Minute), of("c", 1, 2*time.Minute))
			f.receive(of("b", 2, time.Minute+2*time.Second), of("c", 2, 2*time.Minute+time.Second), of("a", 2, 3*time.Second))
			f.want("b1b2", "c1c2", "a1a2")
		})
	})
	t.Run("a part lost, and the next message a day later", func(t *testing.T) {
		bubble(t, inbox.Options{}, func(f *fixture) {
			f.receive(of("a", 1, 0))
			pass(20 * time.Hour)
			f.receive(of("b", 2, 20*time.Hour), of("b", 1, 20*time.Hour))
			f.want("b1b2")
			pass(5 * time.Hour)
			f.want("b1b2", "?a1[…]")
		})
	})
	t.Run("the older of equals", func(t *testing.T) {
		bubble(t, inbox.Options{}, func(f *fixture) {
			f.receive(of("a", 1, 0), of("b", 1, 0), of("a", 2, 0), of("b", 2, 0))
			f.want("a1a2", "b1b2")
		})
	})
}

// TestPartial: a day after its last part came a message is delivered as it is.
func TestPartial(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(part(1))
		pass(20 * time.Hour)
		f.receive(part(3))
		pass(2 * time.Hour)
		f.receive(part(1), part(3)) // repetitions do not put it off
		f.reopen()
		pass(22*time.Hour - time.Millisecond)
		f.want()
		pass(time.Millisecond)
		f.want("?1[…]3")
		m := f.all()[0]
		if m.Parts != 3 || m.Sender != alice || m.SIM != 1 || m.ICCID != card1.ICCID || !m.Received.Equal(epoch.Add(44*time.Hour)) {
			t.Errorf("message %+v", m)
		}
		events, err := f.out.Events(0, 2)
		f.ok(err)
		if payload := string(events[0].Payload); !strings.Contains(payload, `"message":"1[…]3","partial":true`) {
			t.Errorf("payload %s", payload)
		}
		f.receive(part(1)) // still the same
		f.receive(part(2)) // too late: nobody is told the same text twice
		pass(25 * time.Hour)
		f.want("?1[…]3", "?[…]2[…]")
	})
}

// TestPartialWhileDown: what fell due while nobody ran waits two hours more, for the network has the
// rest ready; or as long as it would have, where that is less.
func TestPartialWhileDown(t *testing.T) {
	for _, c := range []struct{ after, grace time.Duration }{{24 * time.Hour, 2 * time.Hour}, {time.Hour, time.Hour}} {
		bubble(t, inbox.Options{PartialAfter: c.after}, func(f *fixture) {
			f.receive(part(2), sms{data: []byte{9}, ref: 1, parts: 2, part: 2})
			for range 2 {
				f.ok(f.store.Close())
				pass(48 * time.Hour)
				f.start()
				pass(c.grace - time.Millisecond)
				f.want()
			}
			f.receive(part(1), part(3))
			f.want("123")
			pass(time.Millisecond)
			f.want("123", "?09")
		})
	}
}

// TestIMSIComesLate: what came while the card could not be read is known when it can, alone and as a
// part.
func TestIMSIComesLate(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		unread := inbox.Origin{SIM: card1.SIM}
		first, alone := part(1).deliver(t), sms{text: "alone"}.deliver(t)
		f.ok(f.Receive(ctx, unread, first))
		f.ok(f.Receive(ctx, unread, alone))
		for range 2 {
			f.ok(f.Receive(ctx, card1, alone))
			f.ok(f.Receive(ctx, card1, first))
		}
		f.receive(part(2), part(3))
		f.want("alone", "123")
		if m := f.all()[1]; m.IMSI != card1.IMSI {
			t.Errorf("message %+v", m)
		}
		f.ok(f.Receive(ctx, card2, alone)) // another slot
		f.want("alone", "123", "alone")
		pass(40 * day)
		if n := f.size("inbox_seen"); n != 0 {
			t.Errorf("%d are still remembered", n)
		}
	})
}

// TestTimelessParts: parts without a time are of the only message that lacks them.
func TestTimelessParts(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		for _, n := range []uint8{3, 1, 2} {
			raw := part(n).deliver(t).Raw
			if n != 1 {
				copy(raw[len(raw)-15:], make([]byte, 7)) // TP-SCTS, before TP-UDL, TP-UDH and one octet
			}
			d := decode(t, raw)
			if d.SCTS.IsZero() != (n != 1) || d.Text != fmt.Sprint(n) {
				t.Fatalf("part %+v", d)
			}
			f.ok(f.Receive(ctx, card1, d))
		}
		f.want("123")
		if m := f.all()[0]; !m.Sent.Equal(epoch) {
			t.Errorf("sent %v", m.Sent)
		}
	})
}

// TestDamagedParts: records that do not decode stop neither the message they are of nor others.
func TestDamagedParts(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(part(1), part(2))
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			k, _ := t.Bucket([]byte("inbox_parts")).Cursor().First()
			t.Put(t.Bucket([]byte("inbox_parts")), append([]byte{}, k...), []byte("junk"))
			return nil
		}))
		f.receive(part(3))
		f.want("?[…]23")
		f.receive(sms{text: "a", ref: 1, parts: 2, part: 1})
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			k, _ := t.Bucket([]byte("inbox_open")).Cursor().First()
			t.Put(t.Bucket([]byte("inbox_open")), append([]byte{}, k...), []byte("{"))
			return nil
		}))
		f.receive(sms{text: "b", ref: 1, parts: 2, part: 2, at: time.Second})
		pass(25 * time.Hour)
		f.want("?[…]23", "?[…]b")
		f.ok(f.store.Do(ctx, func(t *store.Tx) error { // the part that nobody claims any more
			b := t.Bucket([]byte("inbox_parts"))
			k, _ := b.Cursor().First()
			t.Del(b, append([]byte{}, k...))
			return nil
		}))
	})
}

// TestHeaderOfNonsense: a part that cannot be one is a message of its own.
func TestHeaderOfNonsense(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		for _, ud := range []string{"05000301" + "02" + "00", "05000301" + "02" + "03", "05000301" + "00" + "00"} {
			d := decode(t, unhex(t, "00"+"44"+"0281"+"21"+"00"+"04"+"62207222408500"+"07"+ud+"61"))
			if d.Concat != nil || d.Alphabet != pdu.Octets {
				t.Fatalf("%+v", d)
			}
			f.ok(f.Receive(ctx, card1, d))
		}
		f.want("61", "61", "61")
	})
}

// TestDamagedTimer: one that names nothing fails no commit.
func TestDamagedTimer(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		const kindForget = 12
		err := f.store.Do(ctx, func(t *store.Tx) error {
			t.At(t.Now, kindForget, nil)
			return t.Err
		})
		if err != nil {
			t.Errorf("a commit fails: %v", err)
		}
	})
}
