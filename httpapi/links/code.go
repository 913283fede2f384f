package links

import (
	"crypto/rand"
	"math/big"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// codeLen is how many characters of base 62 a code has: 2.2e14 codes, of which guessing finds none.
const codeLen = 8

var codes = new(big.Int).Exp(big.NewInt(62), big.NewInt(codeLen), nil)

func draw() string {
	n, err := rand.Int(rand.Reader, codes)
	if err != nil {
		panic(err) // crypto/rand's Reader never fails
	}
	code := n.Text(62)
	return strings.Repeat("0", codeLen-len(code)) + code
}

func isCode(s string) bool {
	return len(s) == codeLen && strings.IndexFunc(s, func(r rune) bool { return !alphanumeric(r) }) < 0
}

// alphanumeric is of ASCII only.
func alphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
}

// newCode draws a code that no link has, stored or in given.
func (l *Links) newCode(b *bolt.Bucket, given []Link) string {
	for {
		code := l.draw()
		taken := b.Get([]byte(code)) != nil
		for _, other := range given {
			taken = taken || other.Code == code
		}
		if !taken {
			return code
		}
	}
}
