package modem

// ForgetRefusedPINs lets a test begin as a new process does.
func ForgetRefusedPINs() {
	refusedPINs.mu.Lock()
	defer refusedPINs.mu.Unlock()
	clear(refusedPINs.cards)
}
