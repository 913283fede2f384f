package links_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"dongled/httpapi/links"
	"dongled/scheduler/store"
)

// shown is a rewritten text with each short link as the target in «».
func shown(text string, made []links.Link) string {
	for _, l := range made {
		text = strings.ReplaceAll(text, l.Short, "«"+l.URL+"»")
	}
	return text
}

// rewriteTests have the text and what shown makes of it; "" is the text itself.
var rewriteTests = []struct{ text, want string }{
	// Nothing to do.
	{"", ""},
	{"Hello, world.", ""},
	{"no scheme: //example.com/a", ""},
	{"http", ""}, {"http:/", ""}, {"http://", ""}, {"https:///path", ""}, {"www.", ""}, {"www..de", ""}, {"www", ""},
	{"awww.example.com", ""},
	// What a URL is, and where it ends.
	{"http://a.de", "«http://a.de»"},
	{"https://example.com/a?b=c#d now", "«https://example.com/a?b=c#d» now"},
	{"HTTPS://EXAMPLE.COM/A", "«HTTPS://EXAMPLE.COM/A»"},
	{"www.example.com", "«http://www.example.com»"},
	{"WWW.Example.com/Path", "«http://WWW.Example.com/Path»"},
	{"Link:www.example.com/a", "Link:«http://www.example.com/a»"},
	{"Link:http://example.com/a", "Link:«http://example.com/a»"},
	{"end.http://example.com/a", "end.«http://example.com/a»"},
	{"a\nhttp://a.de\thttp://b.de\r\n", "a\n«http://a.de»\t«http://b.de»\r\n"},
	{"http://localhost:8080/a", "«http://localhost:8080/a»"},
	{"http://192.0.2.7/a", "«http://192.0.2.7/a»"},
	{"http://[2001:db8::1]:80/a", "«http://[2001:db8::1]:80/a»"},
	{"http://a_b.example.com./a", "«http://a_b.example.com./a»"},
	{"https://web.archive.org/web/2020/http://example.com/", "«https://web.archive.org/web/2020/http://example.com/»"},
	{"https://a.de/?u=https://b.de/c", "«https://a.de/?u=https://b.de/c»"},
	{"http://a.de/x,http://b.de/y", "«http://a.de/x»,«http://b.de/y»"},
	{"http://a.de;HTTPS://b.de|www.c.de", "«http://a.de»;«HTTPS://b.de»|«http://www.c.de»"},
	{"http://a.de/x,y;z", "«http://a.de/x,y;z»"},
	{"<http://a.de/x>", "<«http://a.de/x»>"},
	{`<a href="http://a.de/x">`, `<a href="«http://a.de/x»">`},
	{"`http://a.de/x`", "`«http://a.de/x»`"},
	// Punctuation at the end.
	{"See http://a.de/x. And", "See «http://a.de/x». And"},
	{"http://a.de/x, http://b.de/y; http://c.de/z: so?!", "«http://a.de/x», «http://b.de/y»; «http://c.de/z»: so?!"},
	{"http://a.de/x?", "«http://a.de/x»?"},
	{"http://a.de/...", "«http://a.de/»..."},
	{"(http://a.de/x)", "(«http://a.de/x»)"},
	{"(see http://a.de/x_(y))", "(see «http://a.de/x_(y)»)"},
	{"http://a.de/x_(y)", "«http://a.de/x_(y)»"},
	{"http://a.de/x)y", "«http://a.de/x)y»"},
	{"[http://a.de/x] {http://b.de}", "[«http://a.de/x»] {«http://b.de»}"},
	{"http://a.de/?q[]=1&r[]", "«http://a.de/?q[]=1&r[]»"},
	{"'http://a.de/x'", "'«http://a.de/x»'"},
	{"http://a.de/'x'", "«http://a.de/'x'»"},
	{"http://a.de/it's", "«http://a.de/it's»"},
	{"(http://a.de/x).", "(«http://a.de/x»)."},
	{"http://a.de/x)))))", "«http://a.de/x»)))))"},
	{"“http://a.de/x”", "“«http://a.de/x»”"},
	{"http://a.de/x…", "«http://a.de/x»…"},
	// Beyond ASCII: as it is written.
	{"http://bücher.example/straße?q=ä#ö", "«http://bücher.example/straße?q=ä#ö»"},
	{"http://例え.jp/日本", "«http://例え.jp/日本»"},
	{"请访问http://例子.cn。谢谢", "请访问«http://例子.cn»。谢谢"},
	{"（http://a.de/x）", "（«http://a.de/x»）"},
	{"http://a.de/%C3%A4%2F%25", "«http://a.de/%C3%A4%2F%25»"},
	{"Sale! http://a.de🎉 now", "Sale! «http://a.de»🎉 now"},
	{"http://a.de/x❤️", "«http://a.de/x»❤️"},
	{"http://a.de/🎉/x", "«http://a.de/🎉/x»"},
	{"http://i❤.ws/x", "«http://i❤.ws/x»"},
	{"http://a.de🎉now", ""},
	{"http://a.de/x\u200bhttp://b.de", "«http://a.de/x»\u200b«http://b.de»"},
	{"\u202ehttp://a.de/x\u202c", "\u202e«http://a.de/x»\u202c"},
	// Other schemes, and what is no address.
	{"ftp://www.example.com/http://a.de", ""},
	{"git+https://example.com/a", ""},
	{"mailto:me@www.example.com", ""},
	{"javascript:alert(1) data:text/html,http", ""},
	{"xhttp://a.de", ""},
	{"tel:+49123 sms:+49123?body=www", ""},
	{"http://user:secret@example.com/", ""},
	{"http://good.example@evil.example/", ""},
	{`http://good.example\@evil.example/`, `«http://good.example»\@evil.example/`},
	{"http://exa mple/", "«http://exa» mple/"},
	{"http://a.de:99999999/", "«http://a.de:99999999/»"},
	{"http://a.de:x/", ""},
	{"http://-/", "«http://-/»"},
	{"http://a..de/", ""}, {"http://.de/", ""}, {"http://a,b.de/", ""}, {"http://[::1/", ""}, {"http://[fe80::1%25eth0]/", ""},
	{"http://a.de/100%", ""}, {"http://%00.de/", ""}, {"http://a%0d%0a.de/", ""},
	{"http://" + strings.Repeat("a", 64) + ".de/", ""},
	{"http://a.de/" + strings.Repeat("x", 4096), ""},
	{"http://a.de/\x00x", "«http://a.de/»\x00x"},
	{"http://a.de/x\r\nSet-Cookie: a=b", "«http://a.de/x»\r\nSet-Cookie: a=b"},
	{"http://a.de/\xff\xfe", "«http://a.de/»\xff\xfe"},
	{"src/www.example.com _www.example.com", ""},
	// Our own.
	{"https://s.example.org/r/AbCd1234", ""},
	{"HTTP://S.EXAMPLE.ORG/r/AbCd1234.", ""},
	{"https://s.example.org/r/", ""},
	{"https://s.example.org/other", "«https://s.example.org/other»"},
	{"https://s.example.org.evil.example/r/AbCd1234", "«https://s.example.org.evil.example/r/AbCd1234»"},
	// Names alone are none without Options.Bare.
	{"example.com is fine", ""},
}

func TestRewriteAll(t *testing.T) {
	h := newHouse(t)
	for _, tt := range rewriteTests {
		h.wantRewritten(links.Wish{All: true}, tt.text, tt.want)
	}
}

func (h *house) wantRewritten(w links.Wish, text, want string) {
	h.Helper()
	if want == "" {
		want = text
	}
	got, made, err := h.Rewrite(text, w)
	if err != nil {
		h.Errorf("%q: %v", text, err)
	}
	if shown := shown(got, made); shown != want {
		h.Errorf("%q\n got %q\nwant %q", text, shown, want)
	}
}

var bareTests = []struct{ text, want string }{
	{"fake-url.com", "«http://fake-url.com»"},
	{"FAKE-URL.COM", "«http://FAKE-URL.COM»"},
	{"See example.com. Then", "See «http://example.com». Then"},
	{"(example.com/a?b=c#d)", "(«http://example.com/a?b=c#d»)"},
	{"example.com:8080/a, shop.example.co.uk!", "«http://example.com:8080/a», «http://shop.example.co.uk»!"},
	{"example.com?a=b", "«http://example.com?a=b»"},
	{"bücher.de/straße", "«http://bücher.de/straße»"},
	{"me.github.io", "«http://me.github.io»"}, // a private suffix
	{"https://example.com/a.com", "«https://example.com/a.com»"},
	{"docs.rs/serde", "«http://docs.rs/serde»"},
	{"www.example.com", "«http://www.example.com»"},
	{"example.com,example.org", "«http://example.com»,«http://example.org»"},
	{"", ""}, {".", ""}, {"...", ""}, {"com", ""}, {".com", ""}, {"co.uk", ""}, {"github.io", ""},
	{"e.g. this, i.e. that, z.B. jenes, a.m., U.S., Ph.D.", ""},
	{"report.txt, notes.md, main.rs, a.py, b.zip, setup.sh", ""},
	{"me@example.com and john.doe@example.com", ""},
	{"1.2.3.4 and 3.14 and v1.2.3", ""},
	{"Done.In the end.It was", ""},
	{"at 7.pm", ""},
	{"src/example.com _example.com", ""},
	{"ftp://example.com/a", ""},
	{"a-.com -a.com", ""},
	{"s.example.org/r/AbCd1234", ""},
	{"#example.com $example.com", "#«http://example.com» $«http://example.com»"},
}

func TestRewriteBare(t *testing.T) {
	h := newHouse(t, func(o *links.Options) { o.Bare = true })
	for _, tt := range bareTests {
		h.wantRewritten(links.Wish{All: true}, tt.text, tt.want)
	}
	for _, tt := range rewriteTests {
		if !strings.Contains(tt.text, "example.com") { // which are names
			h.wantRewritten(links.Wish{All: true}, tt.text, tt.want)
		}
	}
}

// TestRewriteShorter: a short link has 32 characters here. What has no more stays unless All is asked for.
func TestRewriteShorter(t *testing.T) {
	h := newHouse(t)
	const (
		same   = "https://example.com/123456789.12" // 32
		longer = "https://example.com/123456789.123"
		umlaut = "https://example.com/äöüäöüäöü.äö" // 32 in 43 bytes
	)
	h.wantRewritten(links.Wish{}, same+" "+longer+" "+umlaut, same+" «"+longer+"» "+umlaut)
	h.wantRewritten(links.Wish{All: true}, same, "«"+same+"»")
}

func TestRewriteUTM(t *testing.T) {
	h := newHouse(t)
	w := links.Wish{All: true, UTM: [][2]string{{"utm_source", "sms"}, {"utm_campaign", "Q&A ä"}, {"utm_term", ""}}}
	const both = "utm_source=sms&utm_campaign=Q%26A+%C3%A4"
	for _, tt := range []struct{ target, want string }{
		{"http://a.de", "http://a.de?" + both},
		{"http://a.de/?&", "http://a.de/?&" + both},
		{"http://a.de/x?a=b", "http://a.de/x?a=b&" + both},
		{"http://a.de/x?a=b&", "http://a.de/x?a=b&" + both},
		{"http://a.de/x#top", "http://a.de/x?" + both + "#top"},
		{"http://a.de/x?a=%20+b;c#/route?d=e", "http://a.de/x?a=%20+b;c&" + both + "#/route?d=e"},
		{"http://a.de/?utm_source=mail", "http://a.de/?utm_source=mail&utm_campaign=Q%26A+%C3%A4"},
		{"http://a.de/?UTM_Source&utm%5Fcampaign=1", "http://a.de/?UTM_Source&utm%5Fcampaign=1"},
		{"http://a.de/#utm_source=x", "http://a.de/?" + both + "#utm_source=x"},
		{"http://a.de/?utm_sources=1", "http://a.de/?utm_sources=1&" + both},
	} {
		h.wantRewritten(w, tt.target, "«"+tt.want+"»")
	}
	long := "http://a.de/" + strings.Repeat("x", 4096-20)
	h.wantRewritten(w, long, "") // would be too long with them
}

// TestRewriteSameURL: one link a message, however often it stands there.
func TestRewriteSameURL(t *testing.T) {
	h := newHouse(t)
	got, made, err := h.Rewrite("www.a.de http://www.a.de http://b.de www.a.de", links.Wish{All: true, Origin: "bird", Note: []byte("n")})
	h.ok(err)
	if len(made) != 2 || made[0].URL != "http://www.a.de" || made[1].URL != "http://b.de" {
		t.Fatalf("links %+v", made)
	}
	a, b := base+"/r/"+made[0].Code, base+"/r/"+made[1].Code
	if want := a + " " + a + " " + b + " " + a; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if made[0].Origin != "bird" || string(made[0].Note) != "n" {
		t.Errorf("link %+v", made[0])
	}
	_, others, err := h.Rewrite("www.a.de", links.Wish{All: true})
	if h.ok(err); others[0].Code == made[0].Code {
		t.Error("another message has the same code")
	}
}

func TestRewriteFaults(t *testing.T) {
	off := links.New(links.Options{})
	if _, _, err := off.Rewrite("http://a.de", links.Wish{}); !errors.Is(err, links.ErrOff) {
		t.Errorf("without a base: %v", err)
	}
	h := newHouse(t)
	for domain, want := range map[string]error{
		"": nil, "s.example.org": nil, "S.Example.org": nil, "example.org": links.ErrDomain, "https://s.example.org": links.ErrDomain,
	} {
		if _, _, err := h.Rewrite("http://a.de", links.Wish{Domain: domain}); !errors.Is(err, want) {
			t.Errorf("%q: %v", domain, err)
		}
	}
}

// TestBaseWithPath: the slash at its end does not matter, and links of it are ours.
func TestBaseWithPath(t *testing.T) {
	h := newHouse(t, func(o *links.Options) { o.Base = "https://example.org/s/" })
	got, made, err := h.Rewrite("http://a.de", links.Wish{All: true})
	if h.ok(err); got != "https://example.org/s/r/"+made[0].Code {
		t.Errorf("got %s", got)
	}
	h.wantRewritten(links.Wish{All: true}, "https://EXAMPLE.org/s/r/x https://example.org/r/x", "https://EXAMPLE.org/s/r/x «https://example.org/r/x»")
}

// TestCodesAreNotShared: neither with what is stored, nor within a message, nor with who was faster.
func TestCodesAreNotShared(t *testing.T) {
	h := newHouse(t)
	codes := []string{"00000001", "00000001", "00000001", "00000002", "00000003"}
	h.SetDraw(func() string {
		next := codes[0]
		codes = codes[1:]
		return next
	})
	first := h.made("m1", "http://a.de")
	second := h.made("m2", "http://a.de", "http://b.de")
	if first[0].Code != "00000001" || second[0].Code != "00000002" || second[1].Code != "00000003" {
		t.Errorf("codes %+v %+v", first, second)
	}
	second[1].Code = "00000001"
	second[0].Code = "00000009"
	if err := h.keep("m3", second); !errors.Is(err, links.ErrTaken) {
		t.Errorf("a code that is taken: %v", err)
	}
	if got := h.of("m3"); len(got) != 0 {
		t.Errorf("kept %+v", got)
	}
	// In one transaction, too.
	third := []links.Link{{Code: "00000010", URL: "http://c.de"}}
	err := h.store.Do(context.Background(), func(t *store.Tx) error {
		if err := h.Keep(t, "m4", third); err != nil {
			return err
		}
		return h.Keep(t, "m5", third)
	})
	if !errors.Is(err, links.ErrTaken) || len(h.of("m4"))+len(h.of("m5")) != 0 {
		t.Errorf("two of the same: %v", err)
	}
}

func TestDraw(t *testing.T) {
	seen := map[string]bool{}
	var all strings.Builder
	for range 1000 {
		code := links.Draw()
		if len(code) != 8 || seen[code] {
			t.Fatalf("code %q", code)
		}
		seen[code] = true
		all.WriteString(code)
	}
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for _, r := range alphabet {
		if !strings.ContainsRune(all.String(), r) { // of 8000, by chance once in 1e56
			t.Errorf("no code has %c", r)
		}
	}
	if rest := strings.Trim(all.String(), alphabet); rest != "" {
		t.Errorf("codes have %q", rest)
	}
}

// FuzzRewrite: text outside of URLs stays, valid text stays valid, and a second time changes nothing.
func FuzzRewrite(f *testing.F) {
	h := newHouse(f)
	bare := newHouse(f, func(o *links.Options) { o.Bare = true })
	f.Fuzz(func(t *testing.T, text string, names bool) {
		rewrite := h.Rewrite
		if names {
			rewrite = bare.Rewrite
		}
		got, made, err := rewrite(text, links.Wish{All: true})
		if err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("%q is not valid any more: %q", text, got)
		}
		if again, more, err := rewrite(got, links.Wish{All: true}); err != nil || again != got || len(more) > 0 {
			t.Errorf("%q becomes %q, and then %q: %v", text, got, again, err)
		}
		if back, ok := restored(text, got, made); !ok {
			t.Errorf("%q becomes %q, which is %q", text, got, back)
		}
	})
}

// restored puts the URLs back in place of their short links, with the http:// that they had or not.
func restored(text, got string, made []links.Link) (string, bool) {
	var out strings.Builder
	for {
		at, which := len(got), -1
		for i, l := range made {
			if n := strings.Index(got, l.Short); n >= 0 && n < at {
				at, which = n, i
			}
		}
		out.WriteString(got[:at])
		if which < 0 {
			return out.String(), out.String() == text
		}
		got = got[at+len(made[which].Short):]
		url := made[which].URL
		if rest := text[min(len(text), out.Len()):]; !strings.HasPrefix(rest, url) {
			url = strings.TrimPrefix(url, "http://")
		}
		out.WriteString(url)
	}
}

func BenchmarkRewrite(b *testing.B) {
	for name, bare := range map[string]bool{"explicit": false, "bare": true} {
		b.Run(name, func(b *testing.B) {
			h := newHouse(b, func(o *links.Options) { o.Bare = bare })
			const text = "Dear Mr. Smith, your parcel no. 4711 arrives today between 9.15 and 11.30. Follow it at " +
				"https://track.example.com/parcels/4711?lang=en&utm_source=sms (or call us, e.g. at noon)."
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = h.Rewrite(text, links.Wish{})
			}
		})
	}
}

// TestRewriteTakesLinearTime: what no phone sends, and an attacker may.
func TestRewriteTakesLinearTime(t *testing.T) {
	h := newHouse(t, func(o *links.Options) { o.Bare = true })
	for _, part := range []string{"(", ")", "a.", "www.", "http://", "http://a", "://", "a.com", ",www.", "a@", "x.com@", "'", "🎉", "ä.", ".", "[]", "http://[", ",http://"} {
		text := strings.Repeat(part, 200_000/len(part))
		for _, head := range []string{"", "http://a.de/"} {
			if _, _, err := h.Rewrite(head+text, links.Wish{}); err != nil {
				t.Errorf("%q: %v", part, err)
			}
		}
	}
}
