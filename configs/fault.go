package configs

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Fault is one thing wrong with the configuration.
type Fault struct {
	// Origin is where the value was set: the file, the environment variable or
	// "command line"; empty for a fault of the built-in defaults.
	Origin string
	// Key is the key's path as in modems[0].port, empty for the document as a whole.
	Key string
	// Value is the value ready to print: quoted where it would not read as one
	// word, masked where it is a secret, empty where the fault is not a value's.
	Value string
	// Problem says what is wrong and what would be right.
	Problem string
}

// String is the fault on one line: origin: key: value: problem.
func (f Fault) String() string {
	var parts []string
	for _, s := range []string{f.Origin, f.Key, f.Value, f.Problem} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Faults is every fault found, as one error.
type Faults []Fault

// Error has one fault on a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

const mask = "********"

// maxShown keeps a fault on one readable line whatever was pasted into the value.
const maxShown = 64

// urlUser is the user of a URL, with its password.
var urlUser = regexp.MustCompile(`://[^/\s]*@`)

// show makes a value printable on one line of a terminal, without the password of a URL.
func show(s string) string {
	s = urlUser.ReplaceAllString(s, "://"+mask+"@")
	if r := []rune(s); len(r) > maxShown {
		s = string(r[:maxShown]) + "…"
	}
	needsQuotes := func(r rune) bool { return r == '"' || unicode.IsSpace(r) || !unicode.IsPrint(r) }
	if s == "" || strings.ContainsFunc(s, needsQuotes) || strings.HasSuffix(s, ":") {
		return strconv.Quote(s)
	}
	return s
}

// printable is s, quoted if a terminal or a comment in YAML would not survive it.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// showSecret never shows the secret, not even its length.
func showSecret(s string) string {
	if s == "" {
		return `""`
	}
	return mask
}
