package main_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/scheduler/queue"
)

// post is call with POST.
func (c *vendorCrash) post(g *gateway, path, body string, header ...string) (int, []byte, error) {
	return c.call(g, http.MethodPost, path, body, header...)
}

// call sends a request without the account's password; pairs of header go with it.
func (c *vendorCrash) call(g *gateway, method, path, body string, header ...string) (int, []byte, error) {
	req, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := g.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// vendorEar receives the callbacks of all three, and is ill half of the time.
type vendorEar struct {
	*httptest.Server
	mu     sync.Mutex
	random *rand.Rand
	ill    bool
	lives  int
	// chance is that of one in so many callbacks to be refused; those to the path spared never are.
	chance int
	spared string
	// refused is how often it did not take a callback. Skycore's are given up after the sixth time.
	refused map[callback]int
	// taken are those that it took, by message, with the life in which it did.
	taken map[string][]takenIn
	wrong []string
}

// callback is what is told of a message: the word of that vendor.
type callback struct{ id, word string }

type takenIn struct {
	word string
	life int
}

// maxRefused is how often a callback is not taken at most.
const maxRefused = 4

func newVendorEar(t *testing.T, seed uint64) *vendorEar {
	t.Helper()
	e := &vendorEar{chance: 2, random: rand.New(rand.NewPCG(seed, 1)), refused: map[callback]int{}, taken: map[string][]takenIn{}}
	e.Server = httptest.NewServer(http.HandlerFunc(e.hear))
	t.Cleanup(e.Close)
	return e
}

// life begins the next life of the gateway.
func (e *vendorEar) life(ill bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ill, e.lives = ill, e.lives+1
}

// heal has it take everything from now on.
func (e *vendorEar) heal() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ill = false
}

func (e *vendorEar) hear(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // its sender was killed while it wrote
	}
	switch status := e.judge(req, body); status {
	case http.StatusOK:
	case 0:
		panic(http.ErrAbortHandler)
	case http.StatusGatewayTimeout:
		<-req.Context().Done() // its sender is killed before that has the answer
	default:
		w.WriteHeader(status)
	}
}

// judge notes a callback and says how it is answered.
func (e *vendorEar) judge(req *http.Request, body []byte) int {
	c := read(req, body)
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.word == "" || c.id == "" {
		e.wrong = append(e.wrong, fmt.Sprintf("%s %s %v: %s", req.Method, req.URL, req.Header, body))
	}
	if e.ill && req.URL.Path != e.spared && e.refused[c] < maxRefused && e.random.IntN(e.chance) == 0 {
		e.refused[c]++
		ill := []int{0, http.StatusInternalServerError, http.StatusFound, http.StatusTooManyRequests, http.StatusGatewayTimeout}
		return ill[e.random.IntN(len(ill))]
	}
	e.taken[c.id] = append(e.taken[c.id], takenIn{c.word, e.lives})
	return http.StatusOK
}

// read reads a callback of any of the vendors; that of Bird has to be signed.
func read(req *http.Request, body []byte) (c callback) {
	switch req.URL.Path {
	case "/kannel":
		return callback{req.URL.Query().Get("id"), req.URL.Query().Get("value")}
	case "/skycore":
		var p struct {
			ID   string `json:"tracking-id"`
			Code string
		}
		if json.Unmarshal(body, &p) == nil {
			c = callback{p.ID, p.Code}
		}
	case "/bird":
		var p struct{ Payload struct{ ID, Status string } }
		if json.Unmarshal(body, &p) == nil && signedByBird(req, body) {
			c = callback{p.Payload.ID, p.Payload.Status}
		}
	}
	return c
}

// signedByBird verifies a signature as Bird's documentation has receivers do it.
func signedByBird(req *http.Request, body []byte) bool {
	sum := sha256.Sum256(body)
	mac := hmac.New(sha256.New, []byte(vendorSecret))
	mac.Write([]byte(req.Header.Get("messagebird-request-timestamp") + "\nhttp://" + req.Host + req.URL.String() + "\n" + string(sum[:])))
	return req.Header.Get("messagebird-signature") == base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// mayBeTold are the ways in which a message comes to an end, in the words of each vendor. A part that was
// in flight at a kill is given up, and its report may come behind that.
var mayBeTold = map[string]map[queue.State][]string{
	"bird": {
		queue.Sent:      {"accepted processing sent"},
		queue.Delivered: {"accepted processing sent delivered", "accepted processing delivered", "accepted processing delivery_failed delivered"},
		queue.Failed:    {"accepted processing delivery_failed", "accepted processing sent delivery_failed"},
	},
	"skycore": {
		queue.Sent:      {"N201"},
		queue.Delivered: {"N201 N202", "E201 N201 N202"},
		queue.Failed:    {"E201"},
	},
	"kannel": {
		queue.Sent:      {"8"},
		queue.Delivered: {"8 1", "2 1"},
		queue.Failed:    {"2"},
	},
}

// compare holds what the gateway shows against what left by radio, and what was told against both.
func (c *vendorCrash) compare(t *testing.T, shown map[string]string) {
	t.Helper()
	sent := map[airKey]int{}
	for _, d := range c.dongles {
		for _, s := range d.Submissions() {
			k := airKey{s.Submit.Destination, 1}
			if s.Submit.Concat != nil {
				k.part = int(s.Submit.Concat.Number)
			}
			sent[k]++
		}
	}
	stored, tally := map[string]bool{}, map[string]int{}
	for _, m := range c.ledger(t) {
		r := m.Recipients[0]
		if stored[r.Number] {
			t.Errorf("there are two messages to %s", r.Number)
		}
		stored[r.Number] = true
		tally[m.Origin+" "+m.State.String()]++
		if m.State.String() != shown[m.ID] && m.Origin != "" {
			t.Errorf("%s is %v in the store and %s by the API", m.ID, m.State, shown[m.ID])
		}
		for i, p := range r.Parts {
			n := sent[airKey{r.Number, i + 1}]
			if n > 1 || n == 0 && (p.State == queue.PartAccepted || p.State == queue.PartDelivered) || n == 1 && p.State == queue.PartQueued {
				t.Errorf("part %d to %s is %v and left %d times", i+1, r.Number, p.State, n)
			}
		}
		if m.Origin != "" {
			c.ear.check(t, m)
		}
	}
	for number := range c.accepted {
		if !stored[number] {
			t.Errorf("the message to %s was accepted and is lost", number)
		}
	}
	t.Logf("%d requests, %d accepted: %v", c.tried, len(c.accepted), tally)
	for _, w := range c.ear.wrong {
		t.Errorf("the receiver got %s", w)
	}
}

// words are what was told of a message, in order. That a word comes again is a fault, unless the gateway
// was ended before it could know that the word was taken.
func (e *vendorEar) words(id string) (words, faults []string) {
	last := map[string]int{}
	for _, w := range e.taken[id] {
		if before, again := last[w.word]; !again {
			words = append(words, w.word)
		} else if before == w.life || words[len(words)-1] != w.word {
			faults = append(faults, fmt.Sprintf("%q was taken in life %d and came again in life %d: %v", w.word, before, w.life, e.taken[id]))
		}
		last[w.word] = w.life
	}
	return words, faults
}

// check compares what was told of a message with its end.
func (e *vendorEar) check(t *testing.T, m queue.Message) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	words, faults := e.words(m.ID)
	for _, f := range faults {
		t.Errorf("%s: %s", m.ID, f)
	}
	if told := strings.Join(words, " "); !slices.Contains(mayBeTold[m.Origin][m.State], told) {
		t.Errorf("%s of %s is %v since %v, and what was told is %q", m.ID, m.Origin, m.State, m.Created.Format(time.TimeOnly), told)
	}
}
