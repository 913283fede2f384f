package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestKnownHashes are from the tests of argon2's reference implementation (src/test.c, argon2id, v=19).
func TestKnownHashes(t *testing.T) {
	for _, test := range []struct{ password, hash string }{
		{"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
		{"password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		{"password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"},
		{"differentpassword", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"},
	} {
		k := newKitchen()
		if right, err := k.matches(t.Context(), test.hash, test.password, never); !right || err != nil {
			t.Errorf("%s: %t, %v", test.hash, right, err)
		}
		if right, err := k.matches(t.Context(), test.hash, test.password+"x", never); right || err != nil {
			t.Errorf("%s takes another: %v", test.hash, err)
		}
	}
}

// TestHashes: as strong as OWASP asks for, and never twice the same.
func TestHashes(t *testing.T) {
	k := newKitchen()
	one, err := k.hash(t.Context(), "secret")
	two, err2 := k.hash(t.Context(), "secret")
	if err := errors.Join(err, err2); err != nil || one == two {
		t.Errorf("%s, %s, %v", one, two, err)
	}
	const head = "$argon2id$v=19$m=19456,t=2,p=1$"
	if !strings.HasPrefix(one, head) || len(one) != len(head)+22+1+43 { // 16 and 32 octets
		t.Errorf("%s", one)
	}
	if right, err := k.matches(t.Context(), one, "secret", never); !right || err != nil {
		t.Errorf("%t, %v", right, err)
	}
	if right, _ := k.matches(t.Context(), nobody(), "", never); right {
		t.Error("somebody is nobody")
	}
}

// TestDamagedHashes never cost time or memory.
func TestDamagedHashes(t *testing.T) {
	const good = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if _, err := parseHash(good); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{good, ""}, {"$argon2id", "argon2id"}, {"argon2id", "argon2i"}, {"v=19", "v=16"}, {"v=19", ""},
		{"m=256", "m=4294967295"}, {"m=256", "m=1048577"}, {"m=256", "m=7"}, {"m=256", "m=-1"}, {"m=256", "m=0256"},
		{"t=2", "t=0"}, {"t=2", "t=17"}, {"p=1", "p=0"}, {"p=1", "p=17"}, {"p=1", "p=256"}, {"p=1", "p=1,x=1"}, {"p=1", "p=1 "},
		{"c29tZXNhbHQ", "c29t"}, {"c29tZXNhbHQ", "c29tZXNhbHR"}, {"c29tZXNhbHQ", strings.Repeat("c29t", 22)},
		{"Gi/4", "Gi/5=="}, {"nf65", "n65"}, {"Gi/4", "Gi/4$"}, {"nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "nf65"},
	} {
		damaged := strings.Replace(good, edit[0], edit[1], 1)
		if _, err := parseHash(damaged); err == nil {
			t.Errorf("%s is taken", damaged)
		}
	}
}

// TestOneAtATime: who waits is bounded, and ends with its context; what is known by then costs nothing.
func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKitchen()
		k.stove <- struct{}{}
		ctx, cancel := context.WithCancel(t.Context())
		outcomes := make(chan error, mostWaiting)
		for range mostWaiting {
			go func() {
				_, err := k.hash(ctx, "secret")
				outcomes <- err
			}()
		}
		synctest.Wait()
		if _, err := k.hash(ctx, "secret"); !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		cancel()
		for range mostWaiting {
			if err := <-outcomes; !errors.Is(err, ErrBusy) {
				t.Error(err)
			}
		}
		<-k.stove
		if right, err := k.matches(t.Context(), nobody(), "", func() bool { return true }); !right || err != nil {
			t.Errorf("%t, %v", right, err)
		}
	})
}

func TestBudgetOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKitchen()
		for i := range 60 {
			if !k.affords() {
				t.Fatalf("spent after %d", i)
			}
			k.pay()
		}
		for range 3 {
			if k.affords() {
				t.Error("more than 60")
			}
			time.Sleep(2 * time.Second)
			if !k.affords() {
				t.Error("one every 2 s")
			}
			k.pay()
		}
		time.Sleep(time.Hour)
		for range 60 {
			k.pay()
		}
		if k.affords() {
			t.Error("saved up more than 60")
		}
	})
}

// TestDigestsAreOfThisRun: without the key a table tells nothing.
func TestDigestsAreOfThisRun(t *testing.T) {
	d := newDigests()
	if d.of("a", "bc") == d.of("ab", "c") || d.of("a") == newDigests().of("a") {
		t.Error("digests")
	}
	d = digests{} // HMAC-SHA256 of "a\x00bc" under 32 zeros, by openssl dgst -mac hmac
	got := d.of("a", "bc")
	if hex.EncodeToString(got[:]) != "3f000f80654e7df093e316ef49da29fea5e77549f8150b6e327fdf8d0fe3eacb" {
		t.Errorf("%x", got)
	}
}
