package courier_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/httpapi/courier"
	"dongled/httpapi/post/posttest"
)

// chaos looks at each request as it comes: whether that may come now.
type chaos struct {
	*fixture
	lines []string // by the number that is the text

	mu sync.Mutex
	// waits is how long each host takes, and says what it says then.
	waits map[string]time.Duration
	says  map[string]int
	// begun is when the latest request of a callback was, and over whether it was answered.
	begun map[int]time.Time
	over  map[int]bool
	// taken are those of which the receiver knows that the courier had the answer.
	taken map[int]bool
	came  map[int]int
	stops int
	wrong []string
}

// TestChaos: with receivers that take their time, also longer than a try may last, and stops in the
// middle of requests, whatever comes is in order, one at a time in its line, and not again once it was
// taken.
func TestChaos(t *testing.T) {
	models.Checks(20)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		models.InBubble(t, func(t *testing.T) {
			c := &chaos{
				waits: map[string]time.Duration{}, says: map[string]int{}, begun: map[int]time.Time{}, over: map[int]bool{},
				taken: map[int]bool{}, came: map[int]int{},
			}
			c.fixture = newFixture(models.Reporter{TB: t, RT: rt}, filepath.Join(dir, "s.db"))
			for _, name := range hostNames {
				c.says[name] = 200
				c.net.Host(name).Answers(func(w http.ResponseWriter, r *http.Request) { c.hear(name, w, r) })
			}
			c.start()
			defer func() {
				c.close()
				c.net.Close()
				c.ok(os.Remove(c.path))
			}()
			rt.Repeat(map[string]func(*rapid.T){
				"": c.check, "put": c.putSome, "behave": c.behave, "pass": c.pass, "pass 2": c.pass, "stop": c.cut,
			})
			c.end()
		})
	})
}

func (c *chaos) putSome(t *rapid.T) {
	var all []courier.Callback
	for range rapid.IntRange(1, 12).Draw(t, "callbacks") {
		line := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "line")
		host := rapid.SampledFrom(hostNames).Draw(t, "host")
		all = append(all, to(host, line, strconv.Itoa(len(c.lines))))
		c.mu.Lock()
		c.lines = append(c.lines, line)
		c.mu.Unlock()
	}
	c.put(all...)
}

func (c *chaos) behave(t *rapid.T) {
	name := rapid.SampledFrom(hostNames).Draw(t, "host")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits[name] = time.Duration(rapid.SampledFrom([]int{0, 0, 1, 4, 20, 45}).Draw(t, "seconds")) * time.Second
	c.says[name] = rapid.SampledFrom([]int{200, 200, 500, 302}).Draw(t, "status")
	c.net.Host(name).Turns(rapid.SampledFrom([]posttest.Door{posttest.Open, posttest.Open, posttest.Open, posttest.Closed, posttest.Silent}).Draw(t, "door"))
}

func (c *chaos) pass(t *rapid.T) {
	pass(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second)
}

// cut stops the room, which takes up to 5 s, and starts it again.
func (c *chaos) cut(*rapid.T) {
	c.mu.Lock()
	c.stops++
	c.mu.Unlock()
	c.reopen()
}

// hear is what a receiver does.
func (c *chaos) hear(host string, w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	n, _ := strconv.Atoi(string(body))
	page, _, err := c.List(ctx, "", 10_000, 0)
	c.mu.Lock()
	wait, says, stops := c.waits[host], c.says[host], c.stops
	if err == nil {
		c.judge(n, page)
	}
	c.begun[n], c.over[n] = time.Now(), false
	c.came[n]++
	c.mu.Unlock()
	posttest.Slow(wait, says)(w, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over[n] = true
	if r.Context().Err() == nil && says == 200 && wait < 30*time.Second && c.stops == stops {
		c.taken[n] = true
	}
}

// judge looks at a request that came; page are the callbacks at that moment.
func (c *chaos) judge(n int, page []courier.Delivery) {
	complain := func(format string, args ...any) { c.wrong = append(c.wrong, fmt.Sprintf(format, args...)) }
	if c.taken[n] {
		complain("%d came again after it was taken", n)
	}
	for _, d := range page {
		other, _ := strconv.Atoi(strings.TrimPrefix(d.Ref, "msg-"))
		if other < n && c.lines[n] != "" && c.lines[other] == c.lines[n] && d.State == courier.Pending {
			complain("%d of line %s came while %d was pending", n, c.lines[n], other)
		}
	}
	for other, at := range c.begun {
		same := other == n || c.lines[n] != "" && c.lines[other] == c.lines[n]
		if same && !c.over[other] && time.Since(at) < 5*time.Second {
			complain("%d came while %d was under way", n, other)
		}
	}
}

func (c *chaos) check(*rapid.T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.wrong {
		c.Errorf("%s", w)
	}
	if _, most := c.net.Busy(); most > 16 {
		c.Errorf("%d requests at once", most)
	}
	for _, name := range hostNames {
		if most := c.net.Host(name).Most(); most > 4 {
			c.Errorf("%d requests to %s at once", most, name)
		}
	}
}

// end: everything ends; what is delivered was taken, and what failed was tried three times.
func (c *chaos) end() {
	c.mu.Lock()
	clear(c.waits)
	for _, name := range hostNames {
		c.says[name] = 200
		c.net.Host(name).Turns(posttest.Open)
	}
	c.mu.Unlock()
	pass(6 * time.Hour)
	c.check(nil)
	all := c.all()
	if len(all) != len(c.lines) {
		c.Errorf("%d of %d callbacks", len(all), len(c.lines))
	}
	for n, d := range all {
		switch {
		case d.State == courier.Pending, d.State == courier.Failed && d.Attempts != 3, d.Attempts > 3, d.State == courier.Delivered && d.Status != 200:
			c.Errorf("%+v", d)
		case c.taken[n] && d.State != courier.Delivered:
			c.Errorf("%d was taken, but is %s", n, d.State)
		case c.came[n] > 3+c.stops:
			c.Errorf("%d came %d times with %d stops", n, c.came[n], c.stops)
		}
	}
	c.idle()
}
