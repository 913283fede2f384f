package kannel_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/kannel"
	"dongled/scheduler/queue"
)

const report = "http://127.0.0.1:9/dlr?id=42&d=%d&to=%P&from=%p&smsc=%i&ref=%I&reply=%A&foreign=%F&user=%n&text=%a&coding=%c&account=%o&b=%B&t=%T"

func dlr(mask, template string) string {
	return "&dlr-mask=" + mask + "&dlr-url=" + url.QueryEscape(template)
}

// told are the values of %d that the client was told, in their order.
func told(t *testing.T, h *compattest.House) (values []string) {
	t.Helper()
	for _, c := range h.Callbacks.All() {
		u, err := url.Parse(c.URL)
		if err != nil || c.Method != "GET" || c.Dialect != "kannel" || c.Line == "" || c.Ref == "" {
			t.Fatalf("%+v: %v", c, err)
		}
		values = append(values, u.Query().Get("d"))
	}
	return values
}

func TestReports(t *testing.T) {
	for what, tt := range map[string]struct {
		mask   string
		answer func(compattest.Part) error
		status int // of the report; -1 for none
		want   []string
	}{
		"delivered":                     {"31", nil, 0, []string{"8", "1"}},
		"delivered, and nothing else":   {"1", nil, 0, []string{"1"}},
		"not delivered":                 {"31", nil, 0x45, []string{"8", "2"}},
		"refused":                       {"31", compattest.Refuse(1), -1, []string{"16"}},
		"refused, but not asked for it": {"3", compattest.Refuse(1), -1, nil},
		"no report":                     {"8", nil, -1, []string{"8"}},
		"nothing asked for":             {"0", nil, 0, nil},
	} {
		t.Run(what, func(t *testing.T) {
			h := start(t)
			for _, s := range h.SIMs {
				s.Answer(tt.answer)
			}
			if got := h.Do("GET", login+to+"&text=Hi"+dlr(tt.mask, report), ""); got.Status != 202 {
				t.Fatalf("%d %s", got.Status, got.Body)
			}
			id, end := h.Messages()[0].ID, queue.Sent
			if tt.answer != nil {
				end = queue.Failed
			}
			m := h.Await(id, end)
			if wanted := strings.ContainsAny(tt.mask, "13"); m.Report != wanted {
				t.Errorf("report %v", m.Report)
			}
			if tt.status >= 0 {
				h.Report(id, uint8(tt.status))
			}
			h.Callbacks.Await(t, len(tt.want))
			if got := told(t, h); !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// Each recipient is told of, on a line of its own.
func TestReportsOfSeveral(t *testing.T) {
	h := start(t)
	if got := h.Do("GET", login+"&to=%2B4915112345678+%2B4915112345679&text=Hi"+dlr("8", report), ""); got.Status != 202 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	lines := map[string]bool{}
	for _, c := range h.Callbacks.Await(t, 2) {
		lines[c.Line] = true
	}
	if len(lines) != 2 {
		t.Errorf("%v", lines)
	}
}

func TestEscapes(t *testing.T) {
	h := start(t)
	query := to + "&text=Gr%C3%BC%C3%9Fe+%26&from=ACME&account=acc&binfo=b/1&smsc=two" + dlr("24", report)
	if got := h.Do("GET", login+query, ""); got.Status != 202 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	c := h.Callbacks.Await(t, 1)[0]
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"id": "42", "d": "8", "to": "+4915112345678", "from": "ACME", "smsc": "2", "ref": c.Ref, "reply": "ACK/", "foreign": "1",
		"user": "sms", "text": "Grüße &", "coding": "0", "account": "acc", "b": "b/1",
	} {
		if got := u.Query().Get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for _, s := range h.SIMs {
		s.Answer(compattest.Refuse(1))
	}
	h.Do("GET", login+query, "")
	c = h.Callbacks.Await(t, 2)[1]
	if u, err = url.Parse(c.URL); err != nil || !strings.HasPrefix(u.Query().Get("reply"), "NACK/") || len(u.Query().Get("reply")) < 10 {
		t.Errorf("%s: %v", c.URL, err)
	}
}

func TestExpand(t *testing.T) {
	for template, want := range map[string]string{
		"":                     "",
		"http://x/?a=%d":       "http://x/?a=8",
		"http://x/?a=%d%d&%":   "http://x/?a=88&%",
		"http://x/?a=%%d":      "http://x/?a=%d",
		"http://x/a%20b?c=%2F": "http://x/a%20b?c=%2F",
		"http://x/?a=%z&b=%P":  "http://x/?a=%z&b=%2B1+2%263%25",
		"http://x/?%%20=%%%d":  "http://x/?%20=%8",
	} {
		got := kannel.Expand(template, func(letter byte) (string, bool) {
			switch letter {
			case 'd':
				return "8", true
			case 'P':
				return "+1 2&3%", true
			}
			return "", false
		})
		if got != want {
			t.Errorf("%q: %q, want %q", template, got, want)
		}
	}
}

// TestExpandIsBounded: a long text in a thousand places would be a URL of a hundred megabytes.
func TestExpandIsBounded(t *testing.T) {
	long := strings.Repeat("é", 39_015) // six octets each, encoded
	for template, want := range map[string]int{
		"http://x/?" + strings.Repeat("%a", 990): len("http://x/?") + 234_090,
		"http://x/?a=%a":                         len("http://x/?a=") + 234_090,
	} {
		if got := kannel.Expand(template, func(byte) (string, bool) { return long, true }); len(got) != want {
			t.Errorf("%.20q: %d octets, want %d", template, len(got), want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("http://x/?a=%d&b=%P")
	f.Add("%")
	f.Add("%%%%d%2")
	f.Fuzz(func(t *testing.T, template string) {
		same := kannel.Expand(template, func(byte) (string, bool) { return "", false })
		if !strings.Contains(template, "%%") && same != template {
			t.Errorf("%q became %q", template, same)
		}
	})
}
