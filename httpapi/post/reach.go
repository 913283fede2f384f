package post

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// Reach is where http, which anybody on the way can read, may go; https may go anywhere.
type Reach string

// The reaches. Any other value is Loopback.
const (
	Loopback Reach = "loopback"
	LAN      Reach = "lan" // and the private networks of RFC 1918, RFC 4193 and link-local
	Any      Reach = "any"
)

// Allows says whether http may go to an address.
func (r Reach) Allows(addr netip.Addr) bool {
	return r == Any || addr.Unmap().IsLoopback() || r == LAN && IsPrivate(addr)
}

// Guard is a net.Dialer's Control for http: it looks at the address that a connection is about to be
// made to, whatever name led there.
func (r Reach) Guard(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if addr, err := netip.ParseAddr(host); err == nil && r.Allows(addr) {
		return nil
	}
	return fmt.Errorf("the host has the address %s, to which http is not allowed: use https", host)
}

// IsPrivate takes the addresses of private networks: RFC 1918, RFC 4193, link-local ones.
func IsPrivate(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr.IsPrivate() || addr.IsLinkLocalUnicast()
}

// IsLoopback takes the addresses of this machine, and the name that has no other ones (RFC 6761).
func IsLoopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}
