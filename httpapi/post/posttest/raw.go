package posttest

import (
	"bufio"
	"net"
	"net/http"
	"testing"
)

// Raw is a server on the loopback that gives one request an answer octet by octet, which need be no HTTP. end
// waits until it has.
func Raw(t testing.TB, answer string) (address string, end func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = conn.Write([]byte(answer))
	}()
	return ln.Addr().String(), func() {
		t.Helper()
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
		<-done
	}
}
