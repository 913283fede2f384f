package links

import (
	"strings"
	"unicode/utf8"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// maxText is what the longest message holds, 255 parts of 153 septets (TS 23.040 section 9.2.3.24.1). It
// bounds how many links are made of a text before anybody asks whether that can be sent.
const maxText = 255 * 153

// Rewrite returns the text with short links in place of URLs, and those links, which Keep has to store
// in the transaction that stores the message. All other text stays byte for byte. The error is ErrOff,
// ErrDomain or the store's.
func (l *Links) Rewrite(text string, w Wish) (string, []Link, error) {
	if l.opts.Base == "" {
		return "", nil, ErrOff
	}
	if w.Domain != "" && !strings.EqualFold(w.Domain, l.host) {
		return "", nil, ErrDomain
	}
	found := l.find(text, w)
	if len(found) == 0 {
		return text, nil, nil
	}
	var out string
	var made []Link
	err := l.store.View(func(btx *bolt.Tx) error {
		out, made = l.replace(text, found, w, store.Bucket(btx, bucketLinks))
		return nil
	})
	return out, made, err
}

// find returns the URLs that are to be replaced, with UTM pairs in their targets.
func (l *Links) find(text string, w Wish) []span {
	found, n := finder{bare: l.opts.Bare}.spans(text), 0
	length := utf8.RuneCountInString(l.short("")) + codeLen
	for _, s := range found {
		long := text[s.from:s.to]
		if l.isOurs(s.target) || !w.All && utf8.RuneCountInString(long) <= length {
			continue
		}
		if (n+1)*length > maxText {
			break // short or long, nobody can send it
		}
		if s.target = withUTM(s.target, w.UTM); len(s.target) > maxTarget {
			continue
		}
		found[n] = s
		n++
	}
	return found[:n]
}

// isOurs reports whether a URL is a short link already.
func (l *Links) isOurs(target string) bool {
	_, rest, _ := strings.Cut(target, "://")
	ours := l.host + l.path
	return len(rest) >= len(ours) && strings.EqualFold(rest[:len(ours)], ours) && strings.HasPrefix(rest[len(ours):], route)
}

func (l *Links) replace(text string, found []span, w Wish, b *bolt.Bucket) (string, []Link) {
	var out strings.Builder
	var made []Link
	byTarget, end := map[string]string{}, 0
	for _, s := range found {
		short, again := byTarget[s.target]
		if !again {
			code := l.newCode(b, made)
			short = l.short(code)
			made = append(made, Link{Code: code, URL: s.target, Short: short, Origin: w.Origin, Note: w.Note})
			byTarget[s.target] = short
		}
		out.WriteString(text[end:s.from])
		out.WriteString(short)
		end = s.to
	}
	out.WriteString(text[end:])
	return out.String(), made
}
