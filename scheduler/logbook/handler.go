package logbook

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	// component is the attribute that names the module, and defaultModule the module without one.
	component     = "component"
	defaultModule = "dongled"
	// maxText bounds a message and each value, in octets: the terminal has them whole.
	maxText = 2 << 10
	// maxContext bounds all attributes together.
	maxContext = 16 << 10
	timeFormat = "2006-01-02T15:04:05.000Z07:00"
)

// Handler returns a handler that writes into the book what next gets too.
func (b *Book) Handler(next slog.Handler) slog.Handler {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report = slog.New(next).With(component, "logbook")
	return &handler{book: b, next: next, module: defaultModule}
}

// handler is a slog.Handler; it never changes.
type handler struct {
	book   *Book
	next   slog.Handler
	module string
	// attrs are those of With, each within the groups that were open then.
	attrs  []within
	groups []string
}

type within struct {
	groups []string
	slog.Attr
}

// Enabled implements slog.Handler: the book keeps INFO whatever the terminal shows.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.next.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	g := *h
	g.next, g.attrs = h.next.WithAttrs(attrs), slices.Clone(h.attrs)
	for _, a := range attrs {
		g.take(a)
	}
	return &g
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	g := *h
	g.next, g.groups = h.next.WithGroup(name), append(slices.Clip(h.groups), name)
	return &g
}

// take adds an attribute of With.
func (h *handler) take(a slog.Attr) {
	if len(h.groups) == 0 && a.Key == component {
		h.module = text(a.Value.Resolve())
		return
	}
	h.attrs = append(h.attrs, within{h.groups, a})
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo {
		h.keep(r)
	}
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func (h *handler) keep(r slog.Record) {
	e := *h // with what the record adds
	e.attrs = slices.Clip(h.attrs)
	r.Attrs(func(a slog.Attr) bool { e.take(a); return true })
	fields := map[string]any{}
	for _, a := range e.attrs {
		put(fields, a.groups, a.Attr)
	}
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	h.book.add(Entry{At: at.Truncate(time.Millisecond), Level: priority(r.Level), Module: e.module, Message: cut(r.Message), Context: encode(fields)})
}

func priority(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return Error
	case level >= slog.LevelWarn:
		return Warn
	}
	return Info
}

// put sets an attribute in the object of its groups, as the rules of slog.Handler say: one without a
// key or value is nothing, a group without a name is its members, one without members nothing.
func put(fields map[string]any, groups []string, a slog.Attr) {
	a.Value = resolved(a.Value)
	if a.Equal(slog.Attr{}) {
		return
	}
	if a.Value.Kind() == slog.KindGroup {
		if a.Key != "" {
			groups = append(slices.Clip(groups), a.Key)
		}
		for _, member := range a.Value.Group() {
			put(fields, groups, member)
		}
		return
	}
	for _, name := range groups {
		inner, is := fields[name].(map[string]any)
		if !is {
			inner = map[string]any{}
			fields[name] = inner
		}
		fields = inner
	}
	fields[a.Key] = value(a.Value)
}

// resolved is v.Resolve for a LogValuer that may panic, as one of a nil pointer does.
func resolved(v slog.Value) (out slog.Value) {
	defer func() {
		if r := recover(); r != nil {
			out = slog.StringValue(fmt.Sprintf("!PANIC: %v", r))
		}
	}()
	return v.Resolve()
}

// value is what JSON can hold of v.
func value(v slog.Value) any {
	switch v.Kind() {
	case slog.KindBool:
		return v.Bool()
	case slog.KindInt64:
		return v.Int64()
	case slog.KindUint64:
		return v.Uint64()
	case slog.KindFloat64:
		if f := v.Float64(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
	case slog.KindAny:
		return anything(v.Any())
	}
	return text(v)
}

// anything is what JSON can hold of a value of any type. Methods of foreign types may panic.
func anything(v any) (out any) {
	defer func() {
		if r := recover(); r != nil {
			out = fmt.Sprintf("!PANIC: %v", r)
		}
	}()
	switch v := v.(type) {
	case nil:
		return nil
	case error:
		return cut(v.Error())
	case fmt.Stringer:
		return cut(v.String())
	case encoding.TextMarshaler:
		raw, err := v.MarshalText()
		return cut(string(raw) + fault(err))
	case []byte:
		return cut(fmt.Sprintf("%x", v))
	}
	raw, err := json.Marshal(v)
	if err != nil || len(raw) > maxText {
		return cut(fmt.Sprintf("%+v", v))
	}
	return json.RawMessage(raw)
}

func fault(err error) string {
	if err == nil {
		return ""
	}
	return "!ERROR: " + err.Error()
}

// text is v in words.
func text(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().Format(timeFormat)
	case slog.KindAny:
		if s, is := anything(v.Any()).(string); is {
			return s
		}
	}
	return cut(v.String())
}

// cut shortens what is too long, and mends what is no UTF-8.
func cut(s string) string {
	if len(s) > maxText {
		s = strings.TrimRight(s[:maxText], "\n") + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

var errLong = errors.New("too long")

// encode is fields as JSON, nil without any.
func encode(fields map[string]any) json.RawMessage {
	if len(fields) == 0 {
		return nil
	}
	raw, err := json.Marshal(fields)
	if err == nil && len(raw) > maxContext {
		err = errLong
	}
	if err != nil {
		raw, _ = json.Marshal(map[string]string{"context": "!ERROR: " + err.Error()}) // strings encode
	}
	return raw
}
