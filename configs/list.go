package configs

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	errList = errors.New(`must be a list such as ["/usr/local/bin/power-cycle", "2"]`)
	errInts = errors.New("must be a list of whole numbers such as [1, 2]")
)

// parseList reads a list of plain values as YAML writes it on one line, or a lone value.
func parseList(s string) ([]string, error) {
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	if !strings.HasPrefix(s, "[") {
		return []string{s}, nil
	}
	var y yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(s))
	if err := decoder.Decode(&y); err != nil || y.Content[0].Kind != yaml.SequenceNode {
		return nil, errList
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errList
	}
	var out []string
	for _, entry := range y.Content[0].Content {
		if entry.Kind != yaml.ScalarNode || isNull(entry) {
			return nil, errList
		}
		out = append(out, entry.Value)
	}
	return out, nil
}

func parseInts(s string) ([]int, error) {
	values, err := parseList(s)
	if err != nil {
		return nil, errInts
	}
	var out []int
	for _, v := range values {
		n, err := parseInt(v)
		if err != nil {
			return nil, errInts
		}
		out = append(out, n)
	}
	return out, nil
}

// unquoted are the numbers and paths that YAML reads as they are.
var unquoted = regexp.MustCompile(`^[0-9/][0-9A-Za-z/_.-]*$`)

// formatList writes what parseList reads; Go's escapes are YAML's.
func formatList(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		if out[i] = v; !unquoted.MatchString(v) {
			out[i] = strconv.Quote(v)
		}
	}
	return bracket(out)
}

func formatNumbers(numbers []int) string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = strconv.Itoa(n)
	}
	return bracket(out)
}

func bracket(written []string) string { return "[" + strings.Join(written, ", ") + "]" }
