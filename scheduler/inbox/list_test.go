package inbox_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"dongled/scheduler/inbox"
	"dongled/scheduler/store"
)

func TestKindNames(t *testing.T) {
	for name, want := range map[string]inbox.Kind{"SMS": inbox.SMS, "DATA_SMS": inbox.DataSMS, "MMS": inbox.MMS, "": 0, "MMS_DOWNLOADED": 0, "sms": 0} {
		if got, ok := inbox.ParseKind(name); got != want || ok != (want != 0) {
			t.Errorf("%q is %d, %t", name, got, ok)
		}
		if want != 0 && want.String() != name {
			t.Errorf("%d is written %q", want, want)
		}
	}
	if got := inbox.Kind(9).String(); got != "" {
		t.Errorf("a kind there is not is written %q", got)
	}
}

// TestList: pages and totals by kind and time; from is in, to is out.
func TestList(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		for i := range 6 { // at 0 s, 10 s, …; every third is data
			s := sms{text: fmt.Sprint(i), at: time.Duration(i) * time.Second}
			if i%3 == 2 {
				s.text, s.data = "", []byte{byte(i)}
			}
			f.receive(s)
			pass(10 * time.Second)
		}
		at := func(s int) time.Time { return epoch.Add(time.Duration(s) * time.Second) }
		for _, c := range []struct {
			name   string
			filter inbox.Filter
			total  int
			want   []string
		}{
			{"all", inbox.Filter{Limit: 10}, 6, []string{"data:6", "text:5", "text:4", "data:3", "text:2", "text:1"}},
			{"first page", inbox.Filter{Limit: 2}, 6, []string{"data:6", "text:5"}},
			{"second page", inbox.Filter{Limit: 2, Offset: 2}, 6, []string{"text:4", "data:3"}},
			{"beyond the end", inbox.Filter{Limit: 2, Offset: 6}, 6, nil},
			{"only counting", inbox.Filter{}, 6, nil},
			{"texts", inbox.Filter{Kind: inbox.SMS, Limit: 2, Offset: 1}, 4, []string{"text:4", "text:2"}},
			{"data", inbox.Filter{Kind: inbox.DataSMS, Limit: 10}, 2, []string{"data:6", "data:3"}},
			{"a kind there is not", inbox.Filter{Kind: 3, Limit: 10}, 0, nil},
			{"from", inbox.Filter{From: at(30), Limit: 10}, 3, []string{"data:6", "text:5", "text:4"}},
			{"to", inbox.Filter{To: at(30), Limit: 10}, 3, []string{"data:3", "text:2", "text:1"}},
			{"from and to", inbox.Filter{From: at(10), To: at(31), Limit: 10}, 3, []string{"text:4", "data:3", "text:2"}},
			{"from and to, texts", inbox.Filter{Kind: inbox.SMS, From: at(10), To: at(31), Limit: 1}, 2, []string{"text:4"}},
			{"nothing then", inbox.Filter{From: at(31), To: at(40), Limit: 10}, 0, nil},
		} {
			page, total, err := f.List(ctx, c.filter)
			f.ok(err)
			var got []string
			for _, m := range page {
				got = append(got, m.ID)
			}
			equal(t, c.name, got, c.want)
			if total != c.total {
				t.Errorf("%s: total %d, want %d", c.name, total, c.total)
			}
		}
	})
}

func TestGet(t *testing.T) {
	bubble(t, inbox.Options{}, func(f *fixture) {
		f.receive(sms{text: "a"}, sms{data: []byte{1}})
		for _, id := range []string{"text:1", "data:2"} {
			if m, err := f.Get(ctx, id); err != nil || m.ID != id {
				t.Errorf("%s: %+v, %v", id, m, err)
			}
		}
		for _, id := range []string{
			"", "1", "text:", "text:2", "data:1", "text:3", "text:01", "text:+1", "text:-1", "text:1 ", "mms:1",
			"text:18446744073709551615", "text:18446744073709551616", "text:a",
		} {
			if m, err := f.Get(ctx, id); !errors.Is(err, inbox.ErrNotFound) {
				t.Errorf("%q: %+v, %v", id, m, err)
			}
		}
	})
}

// TestDamagedRow: it is an error to read, hides no other row and stops no sweep.
func TestDamagedRow(t *testing.T) {
	bubble(t, inbox.Options{Retention: 2 * day}, func(f *fixture) {
		f.receive(sms{text: "a"}, sms{text: "b"}, sms{text: "c"})
		damage := func(seq byte, v []byte) {
			f.ok(f.store.Do(ctx, func(t *store.Tx) error {
				t.Put(t.Bucket([]byte("inbox")), []byte{0, 0, 0, 0, 0, 0, 0, seq}, v)
				return nil
			}))
		}
		for _, v := range []string{"short", "12345678{", "12345678{}", `12345678{"kind":7}`} {
			damage(1, []byte(v))
			if _, err := f.Get(ctx, "text:1"); err == nil || errors.Is(err, inbox.ErrNotFound) {
				t.Errorf("%q: %v", v, err)
			}
			page, total, err := f.List(ctx, inbox.Filter{Limit: 10})
			if err != nil || total != 3 || len(page) != 2 || page[0].Text != "c" || page[1].Text != "b" {
				t.Errorf("%q: %d, %+v, %v", v, total, page, err)
			}
		}
		pass(3 * day)
		if _, total, err := f.List(ctx, inbox.Filter{}); total != 1 || err != nil {
			t.Errorf("%d messages are left, %v", total, err)
		}
	})
}
