package logbook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"dongled/scheduler/logbook"
)

// newest is the latest entry of a book that has no store.
func newest(t *testing.T, b *logbook.Book) logbook.Entry {
	t.Helper()
	entries, err := b.List(ctx, time.Time{}, time.Time{}, all)
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	return entries[len(entries)-1]
}

// TestHandlerRules: the rules of slog.Handler for groups and empty attributes.
func TestHandlerRules(t *testing.T) {
	var b *logbook.Book
	slogtest.Run(t, func(*testing.T) slog.Handler {
		b = logbook.New()
		return b.Handler(slog.DiscardHandler)
	}, func(t *testing.T) map[string]any {
		e := newest(t, b)
		fields := map[string]any{}
		if e.Context != nil {
			if err := json.Unmarshal(e.Context, &fields); err != nil {
				t.Fatal(err)
			}
		}
		fields[slog.LevelKey], fields[slog.MessageKey] = e.Level, e.Message
		if !strings.Contains(t.Name(), "zero-time") { // a line without a time has that of its arrival
			fields[slog.TimeKey] = e.At
		}
		return fields
	})
}

type secretive struct{}

func (secretive) LogValue() slog.Value { return slog.StringValue("masked") }

type shouting struct{}

func (shouting) String() string { return "LOUD" }

type panicking struct{ s *string }

func (p *panicking) Error() string { return *p.s }

type marshals struct{}

func (marshals) MarshalText() ([]byte, error) { return []byte("half"), errors.New("broke off") }

func TestContext(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	tests := map[string]struct {
		value any
		want  string
	}{
		"text":          {"a\nb", `"a\nb"`},
		"not UTF-8":     {"a\xffb", `"a�b"`},
		"integer":       {int64(math.MaxInt64), `9223372036854775807`},
		"unsigned":      {uint64(math.MaxUint64), `18446744073709551615`},
		"fraction":      {2.5, `2.5`},
		"no number":     {math.NaN(), `"NaN"`},
		"infinite":      {math.Inf(-1), `"-Inf"`},
		"bool":          {true, `true`},
		"duration":      {90 * time.Second, `"1m30s"`},
		"time":          {at, `"2026-01-02T03:04:05.006Z"`},
		"error":         {fmt.Errorf("open: %w", errDisk), `"open: no space left on device"`},
		"nil error":     {error(nil), `null`},
		"bad error":     {&panicking{}, `"!PANIC: runtime error: invalid memory address or nil pointer dereference"`},
		"stringer":      {shouting{}, `"LOUD"`},
		"marshaler":     {marshals{}, `"half!ERROR: broke off"`},
		"octets":        {[]byte{0xde, 0xad}, `"dead"`},
		"list":          {[]string{"a", "b"}, `["a","b"]`},
		"struct":        {struct{ A, B int }{1, 2}, `{"A":1,"B":2}`},
		"no JSON":       {map[string]any{"f": complex(1, 2)}, `"map[f:(1+2i)]"`},
		"log valuer":    {secretive{}, `"masked"`},
		"group":         {slog.GroupValue(slog.Int("a", 1), slog.Any("b", secretive{})), `{"a":1,"b":"masked"}`},
		"long":          {strings.Repeat("x", 5000), `"` + strings.Repeat("x", 2048) + `…"`},
		"long list":     {make([]int, 2000), `"[` + strings.Repeat("0 ", 1023) + `0…"`},
		"cut in a rune": {strings.Repeat("x", 2047) + "ä", `"` + strings.Repeat("x", 2047) + `�…"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := logbook.New()
			slog.New(b.Handler(slog.DiscardHandler)).Info("x", "v", tt.value)
			if got, want := string(newest(t, b).Context), `{"v":`+tt.want+`}`; got != want {
				t.Errorf("\n got %.200s\nwant %.200s", got, want)
			}
		})
	}
	t.Run("too much", func(t *testing.T) {
		b := logbook.New()
		var args []any
		for n := range 10 {
			args = append(args, fmt.Sprint("k", n), strings.Repeat("x", 2000))
		}
		slog.New(b.Handler(slog.DiscardHandler)).Info("x", args...)
		if got := string(newest(t, b).Context); got != `{"context":"!ERROR: too long"}` {
			t.Errorf("%.200s", got)
		}
	})
}

func TestModule(t *testing.T) {
	b := logbook.New()
	log := slog.New(b.Handler(slog.DiscardHandler))
	for _, tt := range []struct {
		log             *slog.Logger
		module, context string
	}{
		{log, "dongled", ""},
		{log.With("component", "modem"), "modem", ""},
		{log.With("component", "modem", "sim", 1), "modem", `{"sim":1}`},
		{log.With("component", "modem").With("component", "http"), "http", ""},
		{log.WithGroup("g").With("component", "modem"), "dongled", `{"g":{"component":"modem"}}`},
		{log.With("component", errors.New("odd")), "odd", ""},
	} {
		tt.log.Warn("x")
		if e := newest(t, b); e.Module != tt.module || string(e.Context) != tt.context {
			t.Errorf("module %q context %s, want %q %s", e.Module, e.Context, tt.module, tt.context)
		}
	}
	log.Info("x", "component", "late")
	if e := newest(t, b); e.Module != "late" || e.Context != nil {
		t.Errorf("%+v", e)
	}
}

// With of one logger must not show in its siblings.
func TestWithDoesNotLeak(t *testing.T) {
	b := logbook.New()
	parent := slog.New(b.Handler(slog.DiscardHandler)).With("a", 1, "b", 2, "c", 3)
	one, two := parent.With("d", "one"), parent.With("d", "two")
	one.Info("x", "e", 1)
	if got := string(newest(t, b).Context); got != `{"a":1,"b":2,"c":3,"d":"one","e":1}` {
		t.Error(got)
	}
	two.WithGroup("g").Info("x", "e", 2)
	if got := string(newest(t, b).Context); got != `{"a":1,"b":2,"c":3,"d":"two","g":{"e":2}}` {
		t.Error(got)
	}
}

// The terminal's level is its own: the book keeps INFO and above, and passes on what the terminal wants.
func TestLevels(t *testing.T) {
	tests := []struct {
		level    slog.Level
		priority string // in the book, empty for not at all
	}{
		{slog.LevelDebug, ""}, {slog.LevelInfo - 1, ""}, {slog.LevelInfo, "INFO"}, {slog.LevelWarn - 1, "INFO"},
		{slog.LevelWarn, "WARN"}, {slog.LevelError - 1, "WARN"}, {slog.LevelError, "ERROR"}, {slog.LevelError + 4, "ERROR"},
	}
	for _, shown := range []slog.Level{slog.LevelDebug, slog.LevelWarn} {
		for _, tt := range tests {
			var out strings.Builder
			b := logbook.New()
			log := slog.New(b.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: shown})))
			log.Log(ctx, tt.level, "x", "k", "v")
			if got := strings.Contains(out.String(), "k=v"); got != (tt.level >= shown) {
				t.Errorf("level %v on a terminal of %v: %q", tt.level, shown, out.String())
			}
			entries, err := b.List(ctx, time.Time{}, time.Time{}, all)
			if err != nil || (tt.priority == "") != (len(entries) == 0) || len(entries) > 0 && entries[0].Level != tt.priority {
				t.Errorf("level %v: %+v, %v", tt.level, entries, err)
			}
		}
	}
}

type failing struct{ slog.Handler }

func (failing) Handle(context.Context, slog.Record) error { return errDisk }

// What the next handler says is passed back, and its trouble keeps nothing from the book.
func TestNextFails(t *testing.T) {
	b := logbook.New()
	h := b.Handler(failing{slog.NewTextHandler(io.Discard, nil)})
	if err := h.Handle(ctx, slog.NewRecord(time.Now(), slog.LevelInfo, "x", 0)); !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
	if e := newest(t, b); e.Message != "x" {
		t.Errorf("%+v", e)
	}
}

// FuzzContext: whatever is logged, the context is a JSON object or absent.
func FuzzContext(f *testing.F) {
	f.Add("k", "v", "g", int64(1), 1.5, []byte("x"))
	f.Add("", "", "", int64(-1), math.NaN(), []byte(nil))
	f.Add("component", "\xff", "component", int64(0), math.Inf(1), []byte{0})
	f.Fuzz(func(t *testing.T, key, text, group string, n int64, x float64, raw []byte) {
		b := logbook.New()
		log := slog.New(b.Handler(slog.DiscardHandler))
		log.With(key, text).WithGroup(group).Error(text, key, n, text, x, slog.Group(group, key, raw, text, time.Duration(n)))
		e := newest(t, b)
		if e.Context == nil {
			return
		}
		var fields map[string]any
		if err := json.Unmarshal(e.Context, &fields); err != nil || fields == nil {
			t.Errorf("%v in %s", err, e.Context)
		}
	})
}
