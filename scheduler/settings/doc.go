// Package settings holds what clients changed of the gateway's settings, as a room of the store, and
// tells those concerned at once. What no client set has the value of the configuration.
//
// Names, types and words are those of SMSGate's settings (GET and PATCH /settings), section by section;
// lengths of time are whole seconds or days on the wire. A few mean nothing to a dongle and are kept
// for clients that set and read them. gateway.cloud_url and gateway.private_token are kept too, but
// where the uplink goes is the configuration's alone to say: whoever may change settings must not be
// able to send all messages elsewhere.
//
// # Layout
//
//	settings    document       → what clients set, as they would PATCH it
//	            signing_key    → the key of webhooks that the gateway made for itself
package settings
