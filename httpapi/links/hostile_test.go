package links_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/links"
)

// TestHostileTexts: no text of a request's size keeps the processor busy or makes more links than the
// longest message holds. What took the square of the time took minutes.
func TestHostileTexts(t *testing.T) {
	const size = 1 << 20 // that of a request
	var many, ideographs strings.Builder
	for i := 0; many.Len() < size; i++ {
		fmt.Fprintf(&many, "a.io/%d ", i)
		ideographs.WriteRune(rune(0x4e00 + i%20_000))
	}
	utm := [][2]string{{"utm_campaign", strings.Repeat("x", 3000)}}
	h := newHouse(t, func(o *links.Options) { o.Bare = true })
	for name, text := range map[string]string{
		"no end to hosts":   strings.Repeat("www.a.io,", size/9),
		"one long name":     ideographs.String() + ".com",
		"a name in a URL":   "http://" + ideographs.String()[:3*1300] + ".com/",
		"many small links":  many.String(),
		"many, all UTM":     strings.ReplaceAll(many.String(), " ", "?\n"),
		"brackets to close": "http://a.io/" + strings.Repeat(")", size),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, made, err := h.Rewrite(text, links.Wish{All: true, UTM: utm})
			h.ok(err)
			if took := time.Since(began); took > 10*time.Second { // tens of milliseconds, but for the race detector
				t.Errorf("it took %v", took)
			}
			// 39015 characters hold 1219 of https://s.example.org/r/ and a code, 32 each.
			if len(made) > 1219 {
				t.Errorf("%d links", len(made))
			}
		})
	}
}
