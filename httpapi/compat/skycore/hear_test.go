package skycore_test

import (
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/skycore"
)

const alice = "+4915112345678"

// campaigned is a gateway that enforces, with campaigns on SIM 1, on SIM 2 and on any, and alice in all.
func campaigned(t testing.TB) *compattest.House {
	t.Helper()
	h := start(t, skycore.Options{EnforceCampaignCheck: true})
	for path, body := range map[string]string{
		"/one": `{"sim":1,"keyword":"Pizza news"}`, "/two": `{"sim":2,"keyword":"Pasta"}`, "/any": `{"keyword":"all of it"}`,
	} {
		admin(h, "PUT", path, body)
		admin(h, "PUT", path+"/subscribers/"+alice, "")
	}
	return h
}

// restore has alice in all campaigns again, and nobody else.
func restore(t testing.TB, h *compattest.House) {
	t.Helper()
	for _, ref := range []string{"one", "two", "any"} {
		for _, row := range strings.Split(listed(t, h, ref), " | ") {
			if row != "" {
				admin(h, "DELETE", "/"+ref+"/subscribers/"+strings.TrimSuffix(row, "!"), "")
			}
		}
		admin(h, "PUT", "/"+ref+"/subscribers/"+alice, "")
	}
}

// state is what alice is subscribed to: 1, 2 and A for the three campaigns.
func state(t testing.TB, h *compattest.House) (s string) {
	t.Helper()
	for _, c := range [][2]string{{"one", "1"}, {"two", "2"}, {"any", "A"}} {
		if strings.Contains(listed(t, h, c[0])+" ", alice+" ") {
			s += c[1]
		}
	}
	return s
}

func TestWords(t *testing.T) {
	h := campaigned(t)
	for _, c := range []struct {
		sim         int
		text, after string
	}{
		{1, "STOP", "2"},
		{2, "STOP", "1"},
		{1, "stop", "2"},
		{1, "  Stop \r\n", "2"},
		{1, "\"Stop!\"", "2"},
		{1, "STOPALL", "2"},
		{1, "stop all.", "2"},
		{1, "Unsubscribe", "2"},
		{1, "CANCEL", "2"},
		{1, "end", "2"},
		{1, "Quit", "2"},
		{1, "opt out", "2"},
		{1, "revoke", "2"},
		{1, "stop one", "2A"},
		{1, "STOP \n\t ONE", "2A"},
		{1, "quit pizza  news!", "2A"},
		{1, "stop any", "12"},
		{1, "stop all of it", "12"},
		{1, "stop two", "12A"}, // that is none of SIM 1's
		{1, "stop by at five", "12A"},
		{1, "please stop", "12A"},
		{1, "nonstop", "12A"},
		{1, "", "12A"},
		{1, "?!", "12A"},
		{1, "stop ?!", "2"},
		{1, "START", "12A"},
		{1, "Pizza news", "12A"},
		{1, "Hello", "12A"},
	} {
		t.Run(c.text, func(t *testing.T) {
			restore(t, h)
			h.Hear(c.sim, alice, c.text)
			if got := state(t, h); got != c.after {
				t.Errorf("%q on SIM %d: subscribed to %q, want %q", c.text, c.sim, got, c.after)
			}
		})
	}
}

// TestConversations: what alice is subscribed to after each text of a row.
func TestConversations(t *testing.T) {
	h := campaigned(t)
	type step struct {
		sim         int
		text, after string
	}
	for name, steps := range map[string][]step{
		"START brings back":                      {{1, "STOP", "2"}, {1, "start", "12A"}},
		"UNSTOP does":                            {{1, "STOP", "2"}, {1, "Unstop", "12A"}},
		"YES does not":                           {{1, "STOP", "2"}, {1, "yes", "2"}},
		"only those of its SIM":                  {{1, "STOP", "2"}, {2, "STOP", ""}, {1, "START", "1A"}, {2, "START", "12A"}},
		"START of one":                           {{1, "STOP", "2"}, {1, "START one", "12"}},
		"START of one by its keyword":            {{1, "STOP", "2"}, {1, "start pizza news", "12"}},
		"the keyword alone":                      {{1, "STOP", "2"}, {1, "PIZZA NEWS", "12"}},
		"a reference alone is nothing":           {{1, "STOP", "2"}, {1, "one", "2"}},
		"the keyword of another SIM":             {{2, "STOP", "1"}, {1, "Pasta", "1"}, {2, "Pasta", "12"}},
		"STOP of one, then of all, then of none": {{1, "STOP one", "2A"}, {1, "STOP", "2"}, {1, "STOP", "2"}, {1, "START", "12A"}},
	} {
		t.Run(name, func(t *testing.T) {
			restore(t, h)
			for _, s := range steps {
				h.Hear(s.sim, alice, s.text)
				if got := state(t, h); got != s.after {
					t.Errorf("after %q on SIM %d: %q, want %q", s.text, s.sim, got, s.after)
				}
			}
		})
	}
}

// TestSenders: who is meant by the sender of a text.
func TestSenders(t *testing.T) {
	h := campaigned(t)
	for _, c := range []struct {
		from, text, one string
	}{
		{"+4915112345678", "STOP", "+4315112345678 | +4915112345678!"},
		{"4915112345678", "STOP", "+4315112345678 | +4915112345678!"},
		{"004915112345678", "STOP", "+4315112345678 | +4915112345678!"},
		// At home networks may leave out the country code: both are who may have meant it.
		{"015112345678", "STOP", "+4315112345678! | +4915112345678!"},
		{"+15112345678", "STOP", "+4315112345678 | +4915112345678"},
		{"345678", "STOP", "+4315112345678 | +4915112345678"},
		{"Pizza345678", "STOP", "+4315112345678 | +4915112345678"},
		{"+4915100000000", "START", "+4315112345678 | +4915112345678"},
		{"+4915100000000", "START one", "+4315112345678 | +4915100000000 | +4915112345678"},
		{"+4915100000000", "pizza news", "+4315112345678 | +4915100000000 | +4915112345678"},
		{"015100000000", "START one", "+4315112345678 | +4915112345678"},
		{"72345", "START one", "+4315112345678 | +4915112345678"},
		{"Pizza", "START one", "+4315112345678 | +4915112345678"},
	} {
		t.Run(c.from+" "+c.text, func(t *testing.T) {
			restore(t, h)
			admin(h, "PUT", "/one/subscribers/+4315112345678", "")
			h.Hear(1, c.from, c.text)
			if got := listed(t, h, "one"); got != c.one {
				t.Errorf("%s", got)
			}
		})
	}
}

// TestAmbiguousStart: whom a START means has to be certain, whom a STOP may mean has not.
func TestAmbiguousStart(t *testing.T) {
	h := campaigned(t)
	admin(h, "PUT", "/one/subscribers/+4315112345678", "")
	h.Hear(1, "015112345678", "STOP")
	h.Hear(1, "015112345678", "START")
	if got := listed(t, h, "one"); got != "+4315112345678! | +4915112345678!" {
		t.Errorf("%s", got)
	}
	admin(h, "DELETE", "/one/subscribers/+4315112345678", "")
	h.Hear(1, "015112345678", "START")
	if got := listed(t, h, "one"); got != "+4915112345678" {
		t.Errorf("%s", got)
	}
}

// TestHow: it is kept who subscribed, when and how.
func TestHow(t *testing.T) {
	h := campaigned(t)
	h.Hear(1, "+4915100000000", " pizza \n NEWS! ")
	got := admin(h, "GET", "/one/subscribers/4915100000000", "")
	if !strings.HasPrefix(got.Body, `{"number":"+4915100000000","state":"subscribed","since":"20`) || !strings.HasSuffix(got.Body, `"how":"sms","by":"pizza NEWS!"}`) {
		t.Errorf("%s", got.Body)
	}
	h.Hear(1, alice, "STOP")
	h.Hear(1, alice, strings.Repeat("!", 120)+"START")
	if got := admin(h, "GET", "/one/subscribers/"+alice, ""); !strings.HasSuffix(got.Body, `"how":"sms","by":"`+strings.Repeat("!", 100)+`"}`) {
		t.Errorf("%s", got.Body)
	}
}

func TestEnforcement(t *testing.T) {
	h := campaigned(t)
	for _, c := range []struct{ name, body, code, info string }{
		{"no campaign", with(), "E714", "Missing/Invalid campaign"},
		{"empty", with("campaign-ref", `""`), "E714", "Missing/Invalid campaign"},
		{"unknown", with("campaign-ref", `"x"`), "E714", "Missing/Invalid campaign"},
		{"of another case", with("campaign-ref", `"ONE"`), "E714", "Missing/Invalid campaign"},
		{"of another SIM", with("campaign-ref", `"two"`), "E714", "of another sender"},
		{"not subscribed", with("campaign-ref", `"one"`, "to", `"+4915100000000"`), "E715", "not subscribed"},
		{"subscribed", with("campaign-ref", `"one"`), "", ""},
		{"subscribed, without +", with("campaign-ref", `"any"`, "to", `"4915112345678"`), "", ""},
		{"subscribed, from the other SIM", with("campaign-ref", `"any"`, "from", `"2"`), "", ""},
	} {
		before := len(h.Messages())
		a := read(t, post(h, c.body))
		if a.Code != c.code || !strings.Contains(a.Info, c.info) {
			t.Errorf("%s: %+v", c.name, a)
		}
		if made := len(h.Messages()) - before; (made == 1) != (c.code == "") {
			t.Errorf("%s: %d messages were made", c.name, made)
		}
	}
	h.Hear(1, alice, "STOP")
	if a := read(t, post(h, with("campaign-ref", `"one"`))); a.Code != "E715" {
		t.Errorf("after STOP: %+v", a)
	}
	h.Hear(1, alice, "START")
	accepted(t, h, with("campaign-ref", `"one"`))
}

// TestNotEnforced: the campaign is only told of in postbacks, but STOP is noted all the same.
func TestNotEnforced(t *testing.T) {
	h := start(t, skycore.Options{PostbackURL: postbackURL})
	admin(h, "PUT", "/one", `{}`)
	admin(h, "PUT", "/one/subscribers/"+alice, "")
	h.Hear(1, alice, "STOP")
	accepted(t, h, with("campaign-ref", `"one"`))
	accepted(t, h, with("campaign-ref", `"x"`))
	if got := listed(t, h, "one"); got != alice+"!" {
		t.Errorf("%s", got)
	}
}
