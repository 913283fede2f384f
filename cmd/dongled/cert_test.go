package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dongled/modem/probe"
)

// TestCert: the pair is one that a server can use and a client can trust, for each of its names.
func TestCert(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), probe.Bus{}, []string{"cert", "--out", dir, "--host", "sms.example.com", "--days", "100"}, &stdout, &stderr); status != exitOK {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "dongled.crt"), filepath.Join(dir, "dongled.key"))
	if err != nil {
		t.Fatal(err)
	}
	leaf := pair.Leaf
	if key, is := leaf.PublicKey.(*ecdsa.PublicKey); !is || key.Curve != elliptic.P256() {
		t.Errorf("key %T", leaf.PublicKey)
	}
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature || leaf.SerialNumber.Sign() <= 0 {
		t.Errorf("CA %t, usage %d, serial %v", leaf.IsCA, leaf.KeyUsage, leaf.SerialNumber)
	}
	if days := time.Until(leaf.NotAfter).Hours() / 24; days < 99 || days > 101 {
		t.Errorf("ends in %f days", days)
	}
	if time.Since(leaf.NotBefore) < 23*time.Hour {
		t.Errorf("begins %v", leaf.NotBefore)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sms.example.com", "localhost", "127.0.0.1", "::1", hostname} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "example.com"}); err == nil {
		t.Error("it is good for a name that it was not given")
	}
	opensslAgrees(t, dir, stdout.String())
}

// opensslAgrees: the fingerprint is what people compare it with. Not every machine has openssl.
func opensslAgrees(t *testing.T, dir, printed string) {
	t.Helper()
	out, err := exec.Command("openssl", "x509", "-in", filepath.Join(dir, "dongled.crt"), "-noout", "-fingerprint", "-sha256").Output()
	if err != nil {
		t.Logf("openssl: %v", err)
		return
	}
	_, print, _ := strings.Cut(strings.TrimSpace(string(out)), "=")
	if !strings.Contains(printed, "# SHA-256 "+print+"\n") {
		t.Errorf("openssl says %s, we print %s", print, printed)
	}
}

func TestFingerprint(t *testing.T) {
	// SHA-256 of "abc", FIPS 180-2 appendix B.1.
	const abc = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"
	const want = "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
	if got := fingerprint([]byte(abc)); got != want {
		t.Errorf("%s", got)
	}
}

func TestValidName(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]bool{
		"raspberrypi": true, "raspberrypi.local": true, "a-b.c1": true, "*.example.com": true, "1.example": true, long + ".x": true,
		"": false, ".": false, "a.": false, ".a": false, "a..b": false, "-a": false, "a-": false, "a_b": false, "a b": false,
		"*": false, "a.*": false, "a*.b": false, "ä.example": false, "a:1": false, "a/b": false, long + "a.x": false,
		strings.Repeat(long+".", 4) + "a": false,
	} {
		if got := validName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

func TestCertTemplateNames(t *testing.T) {
	got, err := certTemplate([]string{"A.example", "a.example", "localhost", "127.0.0.1", "[::1]", "::1", "0:0:0:0:0:0:0:1"}, time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got.DNSNames, " ") != "a.example localhost" || len(got.IPAddresses) != 2 || got.Subject.CommonName != "dongled a.example" {
		t.Errorf("names %v, addresses %v, subject %s", got.DNSNames, got.IPAddresses, got.Subject)
	}
}
