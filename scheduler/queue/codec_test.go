package queue

import (
	"math"
	"reflect"
	"testing"
)

var fullMessage = message{
	ID: "0f6c", Content: Content{Text: "Grüße\x00", Data: []byte{0, 255}, Port: 65535, Flash: true},
	SIM: 255, Priority: -128, Report: true, ValidUntil: 253402300799000, ScheduleAt: -1, Recipients: 100, Created: 1700000000123,
}

var fullDelivery = delivery{
	seq: 77, rcpt: 99, was: Failed, To: alice, SIM: 255, Reference: 255,
	Ready: readyKey(255, -128, 77, 99), Due: math.MaxInt64, Faults: 9,
	Reached: [Cancelled + 1]int64{Pending: 1700000000123, Failed: 1700000000999},
	Parts: []part{
		{State: PartQueued},
		{
			State: PartRejected, IMSI: card1, MR: 255, Attempts: 3, Submitted: 1, Accepted: 2, Settled: 3, Status: 256,
			Error: "no", Unanswered: []string{card1, card2}, Intent: math.MaxInt32,
		},
	},
}

var sealedMessage = message{ID: "x", Content: Content{Data: []byte("$data"), Port: 7}, Recipients: 1, Encrypted: true, SkipPhoneValidation: true}

var openedMessage = message{
	ID: "x", Content: Content{Text: "$text", Flash: true}, Recipients: 1, Created: 1, Encrypted: true, Origin: "uplink",
	Clear: Content{Text: "Grüße", Flash: true}, Meta: []byte{0, 255},
}

func TestRecordsComeBack(t *testing.T) {
	for _, m := range []message{{}, {ID: "x", Recipients: 1}, fullMessage, sealedMessage, openedMessage, {Origin: "uplink", Meta: []byte{0}}, {Quiet: true}, {Quiet: true, Held: 1700000000123}} {
		got, err := decodeMessage(m.encode())
		if err != nil || !reflect.DeepEqual(*got, m) {
			t.Errorf("%+v came back as %+v, %v", m, got, err)
		}
	}
	openedDelivery := fullDelivery
	openedDelivery.Cipher = "$number"
	for _, d := range []delivery{{was: Pending, Parts: make([]part, 255)}, fullDelivery, openedDelivery} {
		got, err := decodeDelivery(deliveryKey(d.seq, d.rcpt), d.encode())
		if err != nil || !reflect.DeepEqual(*got, d) {
			t.Errorf("%+v came back as %+v, %v", d, got, err)
		}
	}
}

// TestRecordForm: these octets are in people's stores.
func TestRecordForm(t *testing.T) {
	m := message{ID: "a", Content: Content{Text: "hi"}, SIM: 1, Priority: -2, Report: true, Recipients: 1, Created: 0x0102}
	equal(t, "message", m.encode(), []byte{0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 3, 2, 0, 0, 1, 'a', 2, 'h', 'i', 0, 0, 0})
	d := delivery{To: "+1", SIM: 1, Parts: []part{{State: PartAccepted, IMSI: "9", MR: 200, Attempts: 1, Intent: 5}}}
	equal(t, "recipient", d.encode(), []byte{
		3, 2, '+', '1', 2, 0, 0, 0, 0, 14, 0, 0, 0, 0, 0, 0, 0, // Sent; seven times
		2, 6, 1, '9', 0x90, 3, 2, 0, 0, 0, 0, 0, 10, 0,
	})
	m = message{ID: "a", Content: Content{Text: "$t"}, Recipients: 1, Encrypted: true, Clear: Content{Text: "t"}, SkipPhoneValidation: true, Origin: "o", Meta: []byte{7}}
	equal(t, "encrypted message", m.encode(), []byte{
		0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 'a', 2, '$', 't', 0, 0, 0, // as above
		2, 1, 't', 0, 2, 1, 'o', 1, 7,
	})
	m = message{ID: "a", Recipients: 1, Origin: "o", Quiet: true, Held: 64}
	equal(t, "quiet message", m.encode(), []byte{
		0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 0, 0, // as above
		0, 0, 0, 0, 1, 'o', 0, 2, 0x80, 1,
	})
	d = delivery{To: "1", Cipher: "$", Parts: []part{{}}}
	equal(t, "recipient of one", d.encode()[len(d.encode())-13:], []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, '$'})
}

func TestDamagedRecords(t *testing.T) {
	key := deliveryKey(1, 0)
	good := (&delivery{To: alice, Parts: make([]part, 1)}).encode()
	for name, v := range map[string][]byte{
		"empty": nil, "state only": {1}, "no such state": append([]byte{9}, good[1:]...), "state zero": append([]byte{0}, good[1:]...),
		"cut in a text": good[:4], "endless number": {1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"no parts": (&delivery{To: alice}).encode(),
	} {
		if d, err := decodeDelivery(key, v); err == nil {
			t.Errorf("%s: decoded to %+v", name, d)
		}
	}
	if _, err := decodeDelivery(key[:8], good); err == nil {
		t.Error("decoded under a short key")
	}
	for _, v := range [][]byte{nil, make([]byte, 7), {0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 200}} {
		if m, err := decodeMessage(v); err == nil {
			t.Errorf("%x decoded to %+v", v, m)
		}
	}
}

// FuzzDecodeRecords: whatever is in the file, decoding and showing it never panics, and what decodes
// comes back the same.
func FuzzDecodeRecords(f *testing.F) {
	f.Fuzz(func(t *testing.T, v []byte) {
		if m, err := decodeMessage(v); err == nil {
			again, err := decodeMessage(m.encode())
			if err != nil || !reflect.DeepEqual(m, again) {
				t.Errorf("%x: %+v came back as %+v, %v", v, m, again, err)
			}
		}
		d, err := decodeDelivery(deliveryKey(1, 2), v)
		if err != nil {
			return
		}
		d.view()
		d.nextQueued()
		d.lastNews()
		assemble(&message{}, []*delivery{d})
		again, err := decodeDelivery(deliveryKey(1, 2), d.encode())
		if err != nil {
			t.Fatalf("%x: %+v does not come back: %v", v, d, err)
		}
		again.was = d.was // the stored state is worked out anew
		if !reflect.DeepEqual(d, again) {
			t.Errorf("%x: %+v came back as %+v", v, d, again)
		}
	})
}
