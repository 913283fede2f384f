// Package seal opens values that clients encrypted end to end, in SMSGate's format; pure.
//
// A value is "$aes-256-cbc/pbkdf2-sha1$i=75000$salt$ciphertext", the last two in base64 with padding
// (RFC 4648 section 4). The key of 32 octets is PBKDF2 (RFC 8018) with HMAC-SHA-1 of the passphrase,
// the salt and i iterations. The salt of 16 octets is the initialization vector too. The cipher is
// AES-256-CBC with the padding of PKCS #7 (RFC 5652 section 6.3), and what it holds is UTF-8.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What may be wrong with a value, in SMSGate's words where it has them; recipients show them.
var (
	// ErrNoPassphrase says that there is nothing to open a value with.
	//lint:ignore ST1005 SMSGate's words
	ErrNoPassphrase = errors.New("Passphrase is not set")
	// ErrAlgorithm says that the value is encrypted in another way than this one.
	//lint:ignore ST1005 SMSGate's words
	ErrAlgorithm = errors.New("Unsupported algorithm")
	// ErrFormat says that the value is none, or was damaged on its way.
	ErrFormat = errors.New("not an encrypted value")
	// ErrIterations says that i is beyond maxIterations.
	ErrIterations = fmt.Errorf("more than %d iterations", maxIterations)
	// ErrPassphrase says that the value does not open: it was encrypted with another passphrase, or it
	// was damaged.
	ErrPassphrase = errors.New("the passphrase does not open it")
)

// maxIterations bounds the time that one value takes: some seconds on a small board. Clients use
// 75 000; what is recommended for HMAC-SHA-1 in 2023 is 1 300 000 (OWASP).
const maxIterations = 2_000_000

const (
	algorithm = "aes-256-cbc/pbkdf2-sha1"
	keySize   = 32
)

// value is an encrypted value taken apart.
type value struct {
	iterations int
	salt, text []byte
}

// Opener opens values with one passphrase. Values of the same salt and iterations have the same key,
// which it keeps from one to the next. It is for one goroutine.
type Opener struct {
	passphrase string
	of         value
	key        []byte
}

// NewOpener makes one; an empty passphrase is none.
func NewOpener(passphrase string) *Opener { return &Opener{passphrase: passphrase} }

// Open decrypts one value. The error is one of this package.
func Open(passphrase, sealed string) (string, error) { return NewOpener(passphrase).Open(sealed) }

// Open decrypts one value. The error is one of this package.
func (o *Opener) Open(sealed string) (string, error) {
	v, err := parse(sealed)
	if err != nil {
		return "", err
	}
	if o.passphrase == "" {
		return "", ErrNoPassphrase
	}
	block, err := o.cipher(v)
	if err != nil {
		return "", err
	}
	plain := make([]byte, len(v.text))
	cipher.NewCBCDecrypter(block, v.salt).CryptBlocks(plain, v.text)
	plain, ok := unpad(plain)
	if !ok || !utf8.Valid(plain) {
		return "", ErrPassphrase
	}
	return string(plain), nil
}

// cipher is AES with the key of v.
func (o *Opener) cipher(v value) (cipher.Block, error) {
	if o.key == nil || o.of.iterations != v.iterations || string(o.of.salt) != string(v.salt) {
		key, err := pbkdf2.Key(sha1.New, o.passphrase, v.salt, v.iterations, keySize)
		if err != nil {
			return nil, fmt.Errorf("derive the key: %w", err)
		}
		o.of, o.key = v, key
	}
	return aes.NewCipher(o.key)
}

// parse takes a value apart. What follows the ciphertext, as later forms may have it, is another form.
func parse(sealed string) (v value, err error) {
	chunks := strings.Split(sealed, "$")
	if len(chunks) < 5 || chunks[0] != "" {
		return value{}, ErrFormat
	}
	if chunks[1] != algorithm {
		return value{}, ErrAlgorithm
	}
	if len(chunks) > 5 {
		return value{}, ErrFormat
	}
	if v.iterations, err = iterations(chunks[2]); err != nil {
		return value{}, err
	}
	var saltErr, textErr error
	v.salt, saltErr = base64.StdEncoding.Strict().DecodeString(chunks[3])
	v.text, textErr = base64.StdEncoding.Strict().DecodeString(chunks[4])
	whole := len(v.text) > 0 && len(v.text)%aes.BlockSize == 0
	if saltErr != nil || textErr != nil || len(v.salt) != aes.BlockSize || !whole {
		return value{}, ErrFormat
	}
	return v, nil
}

// iterations reads i out of "i=75000,x=y". Other parameters mean nothing.
func iterations(params string) (int, error) {
	found := ""
	for param := range strings.SplitSeq(params, ",") {
		name, number, is := strings.Cut(param, "=")
		if !is || name == "i" && found != "" {
			return 0, ErrFormat
		}
		if name == "i" {
			found = number
		}
	}
	if found == "" || strings.Trim(found, "0123456789") != "" {
		return 0, ErrFormat
	}
	switch n, err := strconv.Atoi(found); {
	case err != nil || n > maxIterations: // an error of Atoi is out of range here
		return 0, ErrIterations
	case n < 1:
		return 0, ErrFormat
	default:
		return n, nil
	}
}

// unpad takes off the padding of PKCS #7.
func unpad(plain []byte) ([]byte, bool) {
	n := int(plain[len(plain)-1])
	if n < 1 || n > aes.BlockSize {
		return nil, false
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			return nil, false
		}
	}
	return plain[:len(plain)-n], true
}
