package store

import "crypto/rand"

// IDLen is how many characters NewID has, as many as SMSGate's ids.
const IDLen = 21

// NewID returns random letters and digits that stand in a URL as they are, 5 bits each: enough for an
// id, and for a secret.
func NewID() string { return rand.Text()[:IDLen] }
