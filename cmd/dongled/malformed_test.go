package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// malformedRequests is how many wrong requests there are; the seed makes them the same each time.
const (
	malformedRequests = 10_000
	malformedSeed     = 20_261_122
	malformedClients  = 4
	// settled is after how many the memory is measured that must not grow any more.
	settled = 1_000
	// heapSlack is what the heap may grow after that, in bytes: by what was stored of the requests
	// that were valid, and by what the pools of the server keep.
	heapSlack = 8 << 20
)

var regexpBraces = regexp.MustCompile(`\{[^}]*\}`)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// TestMalformed sends ten thousand wrong requests, made from the document, to a daemon. Each is refused
// as SMSGate refuses, nothing panics, nothing leaks, and afterwards the gateway sends.
func TestMalformed(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("../../httpapi/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := runWhole(t)
	m := &malformer{w: w, all: targets(doc), counts: map[string]int{}}
	m.run(t, 0, settled)
	heap, goroutines := w.settle()
	m.run(t, settled, malformedRequests)
	heapAfter, goroutinesAfter := w.settle()
	t.Logf("%d requests: %v; heap %d KiB, then %d KiB; goroutines %d, then %d", malformedRequests, m.counts, heap>>10, heapAfter>>10, goroutines, goroutinesAfter)
	if heapAfter > heap+heapSlack {
		t.Errorf("the heap grew from %d to %d KiB", heap>>10, heapAfter>>10)
	}
	if goroutinesAfter > goroutines+10 {
		t.Errorf("there were %d goroutines and are %d", goroutines, goroutinesAfter)
	}
	if refused := m.counts["refused"]; refused < malformedRequests*95/100 {
		t.Errorf("only %d of %d requests were refused: the generator makes too many that are valid or broken", refused, malformedRequests)
	}
	for _, word := range []string{"panic", "level=ERROR"} {
		if said := w.log.String(); strings.Contains(said, word) {
			at := strings.Index(said, word)
			t.Errorf("the log has %s: %s", word, said[max(0, at-200):min(len(said), at+2000)])
		}
	}
	// Whatever of it was valid may have changed the settings.
	w.object(t, 200, "PUT", "/settings", "{}")
	id := w.object(t, 202, "POST", "/messages", `{"textMessage":{"text":"Still there"},"phoneNumbers":["+4915112345679"],"priority":127}`)["id"].(string)
	w.await("the gateway to send", func() bool { return w.object(t, 200, "GET", "/messages/"+id, "")["state"] == "Delivered" })
}

// malformer makes and sends wrong requests and counts what becomes of them.
type malformer struct {
	w   *whole
	all []target
	// dress changes a request before it goes out, if set; sentence is another than the common one.
	dress    func(string) string
	sentence func(wrong, answer, error) (class, fault string)

	mu     sync.Mutex
	counts map[string]int
	faults int
}

// request is the i-th.
func (m *malformer) request(i int) wrong {
	return malform(rand.New(rand.NewPCG(malformedSeed, uint64(i))), m.all)
}

// run sends the requests from first up to end over a few connections at once.
func (m *malformer) run(t *testing.T, first, end int) {
	var clients sync.WaitGroup
	for c := range malformedClients {
		clients.Go(func() {
			conn := &wire{address: strings.TrimPrefix(m.w.url, "http://")}
			defer conn.hangUp()
			for i := first + c; i < end; i += malformedClients {
				r := m.request(i)
				if m.dress != nil {
					r.bytes = m.dress(r.bytes)
				}
				got, err := conn.ask(r)
				m.judge(t, r, got, err)
			}
		})
	}
	clients.Wait()
}

// judge checks one answer.
func (m *malformer) judge(t *testing.T, r wrong, got answer, err error) {
	judge := sentence
	if m.sentence != nil {
		judge = m.sentence
	}
	class, fault := judge(r, got, err)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[class]++
	if fault == "" {
		return
	}
	if m.faults++; m.faults <= 40 {
		t.Errorf("%.80s: %s: %d %.200s %v\n%.300q", r.name, fault, got.status, got.body, err, r.bytes)
	}
}

func sentence(r wrong, got answer, err error) (class, fault string) {
	switch {
	case err != nil && r.broken:
		return "cut off", ""
	case err != nil:
		return "cut off", "there is no answer"
	case got.status >= 500:
		return "5xx", "the server blames itself"
	case got.status >= 400:
		if err := shape(got.body, `{"message":"<id>"}`); err != nil {
			return "refused", "it is refused in other words"
		}
		if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
			return "refused", "it is refused as " + kind
		}
		return "refused", ""
	case got.status >= 200 && got.status < 300 && r.harmless:
		return "accepted", ""
	}
	return "accepted", "it is not refused"
}

// wire is one connection, made anew where the server or a broken request ended it.
type wire struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
}

func (l *wire) hangUp() {
	if l.conn != nil {
		_ = l.conn.Close() // it may be closed already
	}
	l.conn = nil
}

// ask sends a request as it is. What is broken may only be answered before the end of the stream.
func (l *wire) ask(r wrong) (got answer, err error) {
	if l.conn == nil {
		if l.conn, err = net.DialTimeout("tcp", l.address, wholePatience); err != nil {
			return got, err
		}
		l.in = bufio.NewReader(l.conn)
	}
	if err := l.conn.SetDeadline(time.Now().Add(wholePatience)); err != nil {
		return got, err
	}
	// The server may refuse before it has read everything: what it says counts, not the error here.
	_, sent := io.WriteString(l.conn, r.bytes)
	if tcp, is := l.conn.(*net.TCPConn); is && r.broken {
		_ = tcp.CloseWrite() // so that the server does not wait for the rest
	}
	method, _, _ := strings.Cut(r.bytes, " ")
	resp, err := http.ReadResponse(l.in, &http.Request{Method: method})
	if err != nil {
		l.hangUp()
		return got, errors.Join(err, sent)
	}
	body, err := io.ReadAll(resp.Body)
	if resp.Close || r.broken || sent != nil {
		l.hangUp()
	}
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

// settle waits until the connections are gone and returns what stays: the heap after a collection, and
// how many goroutines there are.
func (w *whole) settle() (heap uint64, goroutines int) {
	w.http.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), wholePatience)
	defer cancel()
	for last := -1; ctx.Err() == nil && last != runtime.NumGoroutine(); {
		last = runtime.NumGoroutine()
		time.Sleep(200 * time.Millisecond)
	}
	for range 3 { // pools give up what was unused for two collections
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc, runtime.NumGoroutine()
}

// The same seed makes the same requests, or a failure could not be looked at.
func TestMalformedIsDeterministic(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("../../httpapi/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := malformer{all: targets(doc)}
	kinds := map[string]bool{}
	for i := range settled {
		r := m.request(i)
		if again := m.request(i); again != r {
			t.Errorf("request %d is %q and then %q", i, r.bytes, again.bytes)
		}
		kinds[r.name] = true
	}
	if len(kinds) < 300 {
		t.Errorf("there are only %d kinds of them", len(kinds))
	}
}
