package configs

import "time"

// Bird is the API of Bird Channels.
type Bird struct {
	// Workspace is its UUID; empty derives one from the gateway's ID.
	Workspace string `koanf:"workspace"`
	// ValidationStatus answers what is not valid, 400 or 422.
	ValidationStatus int `koanf:"validation_status"`
	// Strict refuses fields that Bird does not know.
	Strict      bool        `koanf:"strict"`
	MMSFallback MMSFallback `koanf:"mms_fallback"`
	// FrequencyCap is how many marketing messages a number gets within FrequencyPeriod; 0 is no cap, and
	// a message that asks for one is refused.
	FrequencyCap    int           `koanf:"frequency_cap"`
	FrequencyPeriod time.Duration `koanf:"frequency_period"`
}

func (r *rules) bird(b Bird) {
	r.must(b.Workspace == "" || uuidPattern.MatchString(b.Workspace), "must be a UUID, "+uuidExample, "bird.workspace")
	r.must(b.ValidationStatus == 400 || b.ValidationStatus == 422, "must be 400 or 422", "bird.validation_status")
	r.must(0 <= b.FrequencyCap && b.FrequencyCap <= maxFrequencyCap, "must be from 0 to 1000, where 0 is no cap", "bird.frequency_cap")
	r.must(time.Minute <= b.FrequencyPeriod && b.FrequencyPeriod <= maxFrequencyPeriod, "must be from 1m to 366d", "bird.frequency_period")
}

// The bounds of the cap: each number that is counted has so many times stored, for so long.
const (
	maxFrequencyCap    = 1000
	maxFrequencyPeriod = 366 * 24 * time.Hour
)

// MMSFallback is what becomes of image and file messages.
type MMSFallback string

const (
	MMSReject    MMSFallback = "reject"
	MMSWithLinks MMSFallback = "text_with_links"
)

func (MMSFallback) choices() []string { return []string{string(MMSReject), string(MMSWithLinks)} }

// Channel is a channel of Bird's: a SIM under an ID that clients know.
type Channel struct {
	// ID is a UUID.
	ID string `koanf:"id"`
	// SIM is a simNumber, 0 for any.
	SIM  int    `koanf:"sim"`
	Name string `koanf:"name"`
	// Kind decides on the validity of messages that name none.
	Kind ChannelKind `koanf:"kind"`
}

// ChannelKind is what a channel of Bird's is for.
type ChannelKind string

const (
	Conversational ChannelKind = "conversational"
	Transactional  ChannelKind = "transactional"
	Promotional    ChannelKind = "promotional"
	TwoFA          ChannelKind = "2fa"
)

func (ChannelKind) choices() []string {
	return []string{string(Conversational), string(Transactional), string(Promotional), string(TwoFA)}
}
