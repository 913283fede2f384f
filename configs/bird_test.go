package configs_test

import (
	"testing"

	"dongled/configs"
)

// TestBirdFaults has one fault a row.
func TestBirdFaults(t *testing.T) {
	for _, test := range []struct{ yaml, want string }{
		{"workspace: shop", "bird.workspace: shop: must be a UUID, such as 11111111-2222-4333-8444-555555555555"},
		{"validation_status: 404", "bird.validation_status: 404: must be 400 or 422"},
		{"mms_fallback: text", "bird.mms_fallback: text: must be one of reject, text_with_links"},
		{"frequency_cap: -1", "bird.frequency_cap: -1: must be from 0 to 1000, where 0 is no cap"},
		{"frequency_cap: 1001", "bird.frequency_cap: 1001: must be from 0 to 1000, where 0 is no cap"},
		{"frequency_period: 59s", "bird.frequency_period: 59s: must be from 1m to 366d"},
		{"frequency_period: 367d", "bird.frequency_period: 367d: must be from 1m to 366d"},
	} {
		compare(t, faultsOf(t, configs.Sources{YAML: []byte("bird: {" + test.yaml + "}")}), "f.yaml: "+test.want)
	}
}

// TestBirdBounds: what is just within them is taken.
func TestBirdBounds(t *testing.T) {
	for _, yaml := range []string{
		"workspace: 6F1A3B1E-2f7c-4f0e-8a4f-0d5c3b2a1908", "validation_status: 422", "frequency_cap: 1000",
		"frequency_period: 1m", "frequency_period: 366d", "mms_fallback: text_with_links",
	} {
		if _, err := configs.Load(configs.Sources{File: "f.yaml", YAML: []byte("bird: {" + yaml + "}")}); err != nil {
			t.Errorf("%s: %v", yaml, err)
		}
	}
}
