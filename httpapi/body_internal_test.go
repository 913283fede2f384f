package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
)

// anyone lets everybody in, to nothing.
type anyone struct{ Auth }

func (anyone) Authenticate(context.Context, string, string) (auth.Identity, error) {
	return auth.Identity{User: "somebody"}, nil
}

// Bodies are held in memory: as many clients as there can be must not fill it.
func TestBodiesAreBounded(t *testing.T) {
	s := New(Options{Auth: anyone{}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()

	const size = 5000 // beyond what is read of a stranger's
	say := func(c net.Conn, text string) {
		t.Helper()
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(length, sent int) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		say(c, fmt.Sprintf("POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", length, strings.Repeat("a", sent)))
		return c
	}
	answered := func(c net.Conn) {
		t.Helper()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s", resp.Status)
		}
	}
	var slow []net.Conn
	for range mostBodies {
		slow = append(slow, begin(size, size-1))
	}
	for start := time.Now(); len(s.bodies) < mostBodies; runtime.Gosched() {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d bodies are being read", len(s.bodies))
		}
	}
	late := begin(size, size)
	answered(begin(100, 100)) // a small one is there already
	_ = late.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := late.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one more was read: %v", err)
	}
	_ = late.SetReadDeadline(time.Now().Add(10 * time.Second))
	say(slow[0], "a")
	answered(slow[0])
	answered(late)
	for _, c := range slow[1:] {
		_ = c.Close()
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// crowded is a dialect that says which of fiber's errors it got for a body.
type crowded struct{}

func (crowded) OpenAPI() []byte { return []byte("openapi: 3.1.0") }

func (crowded) Mount(r fiber.Router, body fiber.Handler, _ context.Context) {
	r.Post("/crowded", func(c *fiber.Ctx) error {
		var refused *fiber.Error
		if err := c.Next(); !errors.As(err, &refused) {
			return fmt.Errorf("not an error of fiber's: %w", err)
		}
		return c.SendString(refused.Error())
	}, body, func(*fiber.Ctx) error { return nil })
}

// A dialect hears that there are too many large bodies in words that it can tell in its own shape.
func TestDialectBodyInACrowd(t *testing.T) {
	s := New(Options{Auth: anyone{}, Dialects: []Dialect{crowded{}}})
	for range mostBodies {
		s.bodies <- struct{}{}
	}
	s.stop() // ends the wait for a turn
	resp, err := s.app.Test(httptest.NewRequest(http.MethodPost, "/crowded", strings.NewReader(strings.Repeat("x", 5000))), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != "Service Unavailable" {
		t.Errorf("%q, %v", got, err)
	}
}
