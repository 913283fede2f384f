package inbox_test

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
	"time"

	"dongled/scheduler/inbox"
	"dongled/scheduler/store"
)

// notification is a WAP push of MMS by hand; pdu's tests say what is what.
const notification = "01" + "06" + "01BE" + // TID, Push, one octet of headers: application/vnd.wap.mms-message
	"8C82" + "98543100" + "8D92" + // m-notification-ind, transaction T1, MMS 1.2
	"8913802B3439313730312F545950453D504C4D4E00" + // from +491701/TYPE=PLMN
	"9648693F00" + "8A80" + "BA81" + "8E022710" + // subject Hi?, Personal, image-basic, 10000 octets
	"880481020E10" + // expires in 3600 s
	"83687474703A2F2F6D2F3100" // http://m/1

// bare says no more than it must.
const bare = "000601BE" + "8C82" + "985432" + "00" + "834C00"

const pusher = "12345"

func mms(t testing.TB, hex string) sms {
	t.Helper()
	return sms{from: pusher, data: unhex(t, hex), port: 2948, at: 30 * time.Minute}
}

// TestMMS: what is kept of a notification, and what is told.
func TestMMS(t *testing.T) {
	for _, c := range []struct {
		name, data string
		sender     string
		want       inbox.Notification
		payload    string
	}{
		{
			"whole", notification, "+491701",
			inbox.Notification{
				TransactionID: "T1", Pusher: pusher, Subject: "Hi?", Class: "Personal", ContentClass: "IMAGE_BASIC", Size: 10000,
				Expires: epoch.Add(2 * time.Hour), Location: "http://m/1",
			},
			`{"messageId":"T1","phoneNumber":"+491701","sender":"+491701","recipient":"+4917000000001","simNumber":1,` +
				`"transactionId":"T1","subject":"Hi?","size":10000,"contentClass":"IMAGE_BASIC","receivedAt":"2000-01-01T01:00:00.000Z"}`,
		},
		{
			"bare", bare, pusher, inbox.Notification{TransactionID: "T2", Pusher: pusher, Location: "L"},
			`{"messageId":"T2","phoneNumber":"12345","sender":"12345","recipient":"+4917000000001","simNumber":1,` +
				`"transactionId":"T2","size":0,"receivedAt":"2000-01-01T01:00:00.000Z"}`,
		},
		{
			// 0x386E2E40 is 2000-01-01 16:41:36 UTC.
			"with the operator's ID and a date", bare + "8B4D4000" + "88068004386E2E40", pusher,
			inbox.Notification{
				TransactionID: "T2", MessageID: "M@", Pusher: pusher, Expires: time.Date(2000, 1, 1, 16, 41, 36, 0, time.UTC), Location: "L",
			},
			`{"messageId":"M@","phoneNumber":"12345","sender":"12345","recipient":"+4917000000001","simNumber":1,` +
				`"transactionId":"T2","size":0,"receivedAt":"2000-01-01T01:00:00.000Z"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, inbox.Options{}, func(f *fixture) {
				pass(time.Hour)
				f.receive(mms(f, c.data))
				f.receive(mms(f, c.data)) // the dongle says it again
				for range 2 {
					f.checkRow(inbox.Message{
						ID: "mms:1", Kind: inbox.MMS, Sender: c.sender, Recipient: card1.Number, SMSC: smsc, Data: unhex(f, c.data),
						Notification: &c.want, Port: 2948, Parts: 1, SIM: 1, IMSI: card1.IMSI, ICCID: card1.ICCID, IMEI: card1.IMEI,
					})
					f.reopen()
				}
				events, err := f.out.Events(0, 10)
				f.ok(err)
				if len(events) != 1 || events[0].Name != "mms:received" || events[0].Ref != "mms:1" || string(events[0].Payload) != local(c.payload) {
					t.Errorf("events %+v\n got %s\nwant %s", events, events[0].Payload, c.payload)
				}
			})
		})
	}
}

// TestMMSInParts: a notification is read when it is whole; a part of one, and what only looks like one,
// stays data.
func TestMMSInParts(t *testing.T) {
	bubble(t, inbox.Options{PartialAfter: 3 * time.Hour}, func(f *fixture) {
		whole := unhex(f, notification)
		half := func(ref uint16, n uint8) sms {
			data := [][]byte{whole[:20], whole[20:]}[n-1]
			return sms{from: pusher, data: data, port: 2948, ref: ref, parts: 2, part: n, wide: true}
		}
		f.receive(half(1, 2), half(1, 1), half(2, 1))
		other, early := mms(f, bare), mms(f, bare[:len(bare)-2])
		other.port, other.from = 2949, bob
		f.receive(other, early)
		f.receive(sms{from: bob, text: "a text", port: 2948})
		pass(4 * time.Hour)
		var got []string
		for _, m := range f.all() {
			got = append(got, m.ID)
		}
		equal(t, "rows", got, []string{"mms:1", "data:2", "data:3", "text:4", "data:5"})
		if m := f.all()[0]; m.Parts != 2 || m.Sender != "+491701" || !reflect.DeepEqual(m.Data, whole) {
			t.Errorf("put together to %+v", m)
		}
		if m := f.all()[4]; !m.Partial || m.Notification != nil {
			t.Errorf("half a notification is %+v", m)
		}
		for kind, want := range map[inbox.Kind]int{0: 5, inbox.SMS: 1, inbox.DataSMS: 3, inbox.MMS: 1} {
			if _, total, err := f.List(ctx, inbox.Filter{Kind: kind}); total != want || err != nil {
				t.Errorf("%d of kind %s, %v; want %d", total, kind, err, want)
			}
		}
		for _, id := range []string{"data:1", "text:1", "mms:2", "mms:6", "mms:01"} {
			if _, err := f.Get(ctx, id); !errors.Is(err, inbox.ErrNotFound) {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}

// TestStoreOfTwoKinds: a store from before there were MMS has shorter counters, which go on counting.
func TestStoreOfTwoKinds(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(sms{text: "a"}, sms{data: []byte{1}}, sms{text: "b"})
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			b := t.Bucket([]byte("inbox_supers"))
			k, v := b.Cursor().First()
			t.Put(b, append([]byte{}, k...), append([]byte{}, v[:16+4*3]...)) // bounds, and none, SMS, DATA_SMS
			return t.Err
		}))
		f.reopen()
		count := func(kind inbox.Kind, want int) {
			f.Helper()
			if _, total, err := f.List(ctx, inbox.Filter{Kind: kind}); total != want || err != nil {
				f.Errorf("%d of kind %s, %v; want %d", total, kind, err, want)
			}
		}
		count(0, 3)
		count(inbox.MMS, 0)
		f.receive(mms(f, bare))
		count(0, 4)
		count(inbox.SMS, 2)
		count(inbox.MMS, 1)
	})
}

// TestDamagedMMS: an MMS without its notification is damaged, and so is a text with one.
func TestDamagedMMS(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(mms(f, bare), sms{text: "good"})
		for _, row := range []string{`{"kind":3,"from":"1","parts":1}`, `{"kind":1,"from":"1","parts":1,"mms":{}}`, `{"kind":4,"from":"1","parts":1}`} {
			f.ok(f.store.Do(ctx, func(t *store.Tx) error {
				at := binary.BigEndian.AppendUint64(nil, uint64(t.Now))
				t.Put(t.Bucket([]byte("inbox")), binary.BigEndian.AppendUint64(nil, 1), append(at, row...))
				return t.Err
			}))
			page, total, err := f.List(ctx, inbox.Filter{Limit: 10})
			f.ok(err)
			if len(page) != 1 || page[0].Text != "good" || total != 2 {
				t.Errorf("%s: %+v of %d", row, page, total)
			}
		}
	})
}
