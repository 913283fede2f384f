package alerts

import (
	"errors"
	"strings"

	"dongled/pdu"
)

// maxText bounds what a template may write, in octets; far more than 255 parts.
const maxText = 64 << 10

var errLong = errors.New("it writes more than 64 KiB")

// bounded is a text that does not grow beyond maxText.
type bounded struct{ strings.Builder }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxText {
		return 0, errLong
	}
	return b.Builder.Write(p)
}

// write makes the text for a receiver.
func (r receiver) write(p payload) (string, error) {
	var b bounded
	if err := r.text.Execute(&b, p); err != nil {
		return "", err
	}
	text := strings.ToValidUTF8(strings.TrimSpace(b.String()), "?")
	if text == "" {
		return "", errors.New("it writes nothing")
	}
	return cut(text, r.MaxParts), nil
}

// ellipsis is in the GSM 7 bit default alphabet, unlike the one character of that name.
const ellipsis = "..."

// cut shortens a text to so many parts.
func cut(text string, parts int) string {
	if fits(text, parts) {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes) // the first low runes fit
	for low+1 < high {
		if middle := (low + high) / 2; fits(string(runes[:middle])+ellipsis, parts) {
			low = middle
		} else {
			high = middle
		}
	}
	return string(runes[:low]) + ellipsis
}

func fits(text string, parts int) bool {
	n, err := pdu.Count(pdu.Content{Text: text})
	return err == nil && n.Parts <= parts
}
