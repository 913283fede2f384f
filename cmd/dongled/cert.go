package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// certCmd makes a certificate for a gateway on a LAN, where no authority signs one.
type certCmd struct {
	Out   string   `required:"" placeholder:"DIR" help:"Directory for dongled.crt and dongled.key."`
	Host  []string `sep:"none" placeholder:"NAME" help:"A further name or address that clients use; may be repeated."`
	Days  int      `default:"825" help:"How long it is valid."`
	Force bool     `help:"Replace files that are there."`
}

// Help is shown by dongled cert --help.
func (certCmd) Help() string {
	return "Makes a self-signed certificate that names this machine, its addresses and localhost. Clients have to be given " +
		"dongled.crt to trust, as in curl --cacert dongled.crt. After a new one: systemctl reload dongled."
}

// maxDays bounds --days. Some clients bear 825 at most, which is the default.
const maxDays = 36_500

// clockSkew is how far the clock of a client may be behind; a Pi has none of its own.
const clockSkew = 24 * time.Hour

// Run writes the pair and says how to use it.
func (c *certCmd) Run(s streams) error {
	if c.Days < 1 || c.Days > maxDays {
		return fmt.Errorf("--days: %d: must be from 1 to %d", c.Days, maxDays)
	}
	out, err := filepath.Abs(c.Out)
	if err != nil {
		return err
	}
	template, err := certTemplate(append(slices.Clone(c.Host), ownNames()...), time.Now(), c.Days)
	if err != nil {
		return err
	}
	cert, key, err := selfSign(template)
	if err != nil {
		return err
	}
	certPath, keyPath := filepath.Join(out, "dongled.crt"), filepath.Join(out, "dongled.key")
	if err := c.write(out, []certFile{{certPath, cert, 0o644}, {keyPath, key, 0o600}}); err != nil {
		return err
	}
	names := slices.Clone(template.DNSNames)
	for _, ip := range template.IPAddresses {
		names = append(names, ip.String())
	}
	_, err = fmt.Fprintf(s.out, "http:\n  tls:\n    certificate: %q\n    key: %q\n\n# for %s\n# until %s\n# SHA-256 %s\n",
		certPath, keyPath, strings.Join(names, ", "), template.NotAfter.UTC().Format(time.DateOnly), fingerprint(cert))
	return err
}

// certTemplate is a server's certificate for names and addresses. It is no authority's: who trusts it
// trusts it for these names alone.
func certTemplate(hosts []string, now time.Time, days int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126)) // RFC 5280 section 4.1.2.2: at most 20 octets
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		NotBefore:    now.Add(-clockSkew), NotAfter: now.AddDate(0, 0, days),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
			if !slices.ContainsFunc(t.IPAddresses, ip.Equal) {
				t.IPAddresses = append(t.IPAddresses, ip)
			}
			continue
		}
		host = strings.ToLower(host)
		if !validName(host) {
			return nil, fmt.Errorf("--host: %q: must be the name or the address of a machine, without a port", host)
		}
		if !slices.Contains(t.DNSNames, host) {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	t.Subject = pkix.Name{CommonName: "dongled " + t.DNSNames[0]} // localhost at least
	return t, nil
}

// validName accepts names of RFC 1123 section 2.1, of which the first label may be *.
func validName(host string) bool {
	const maxName, maxLabel = 253, 63
	for i, label := range strings.Split(host, ".") {
		if label == "*" && i == 0 && strings.Contains(host, ".") {
			continue
		}
		alien := strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-")
		if label == "" || len(label) > maxLabel || alien != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return len(host) <= maxName
}

// ownNames are how clients may call this machine.
func ownNames() (names []string) {
	if host, err := os.Hostname(); err == nil {
		host = strings.ToLower(host)
		if validName(host) {
			names = append(names, host)
		}
		if label, _, dotted := strings.Cut(host, "."); !dotted && validName(label) {
			names = append(names, label+".local")
		}
	}
	names = append(names, "localhost", "127.0.0.1", "::1")
	addresses, _ := net.InterfaceAddrs() // without them there are names still
	for _, a := range addresses {
		if ipnet, is := a.(*net.IPNet); is && ipnet.IP.IsGlobalUnicast() {
			names = append(names, ipnet.IP.String())
		}
	}
	return names
}

// selfSign makes a key and returns certificate and key as PEM.
func selfSign(template *x509.Certificate) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), nil
}

// fingerprint of a certificate in PEM, as openssl x509 -fingerprint -sha256 writes it.
func fingerprint(cert []byte) string {
	block, _ := pem.Decode(cert)
	sum := sha256.Sum256(block.Bytes)
	pairs := make([]string, len(sum))
	for i, octet := range sum {
		pairs[i] = fmt.Sprintf("%02X", octet)
	}
	return strings.Join(pairs, ":")
}

type certFile struct {
	path    string
	content []byte
	mode    fs.FileMode
}

// write puts the files in place, or none where one is there already.
func (c *certCmd) write(dir string, files []certFile) error {
	for _, f := range files {
		_, err := os.Lstat(f.path)
		if err == nil && !c.Force {
			return fmt.Errorf("%s exists; --force replaces it", f.path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := replace(f); err != nil {
			return err
		}
	}
	return nil
}

// replace writes a file so that it is whole or not there, whenever the power fails.
func replace(file certFile) error {
	f, err := os.CreateTemp(filepath.Dir(file.path), ".dongled-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(file.content)
	err = errors.Join(err, f.Chmod(file.mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
