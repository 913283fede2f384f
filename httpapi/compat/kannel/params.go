package kannel

import (
	"cmp"
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// params are the parameters of a request, wherever they are. They keep the first fault in err.
type params struct {
	c *fiber.Ctx
	// form says that the body has parameters.
	form bool
	err  error
}

func read(c *fiber.Ctx) *params {
	media, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	return &params{c: c, form: c.Method() == fiber.MethodPost && media == fiber.MIMEApplicationForm}
}

// get returns the first value that is not empty: of the name, or of what it was called before.
func (p *params) get(names ...string) (value string) {
	for _, name := range names {
		value = cmp.Or(value, p.c.Query(name))
		if p.form {
			value = cmp.Or(value, string(p.c.Request().PostArgs().Peek(name)))
		}
	}
	return cmp.Or(value, p.c.Get("X-Kannel-"+names[0]))
}

func (p *params) reject(name, format string, args ...any) {
	if p.err == nil {
		p.err = compat.Fault(name, format, args...)
	}
}

func (p *params) number(low, high int, names ...string) (n int) {
	value := p.get(names...)
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		p.reject(names[0], "must be a number from %d to %d", low, high)
		return 0
	}
	return n
}

// maxKept bounds what is kept of a request without being sent, in octets.
const maxKept = 255

// short is a parameter that is kept.
func (p *params) short(name string) string {
	value := p.get(name)
	if len(value) > maxKept {
		p.reject(name, "must have at most %d octets", maxKept)
	}
	return value
}

// maxMinutes is a year.
const maxMinutes = 365 * 24 * 60

// after is that many minutes from now, or zero.
func (p *params) after(now time.Time, name string) time.Time {
	if n := p.number(0, maxMinutes, name); n > 0 {
		return now.Add(time.Duration(n) * time.Minute)
	}
	return time.Time{}
}

// numbers are those between spaces. A + that was not escaped is a space, too: what follows it is a number
// with its country code all the same.
func (p *params) numbers() (numbers []string) {
	for _, n := range strings.Fields(p.get("to")) {
		// "49151…" is read as "+49151…" where it can be; the scheduler says if it is no number.
		if e164, ok := compat.International(n); ok && !strings.HasPrefix(n, "+") && !strings.HasPrefix(n, "0") {
			n = e164
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// refuseOthers rejects what would change what arrives and cannot be sent.
func (p *params) refuseOthers() {
	for _, name := range []string{"mwi", "pid", "rpi"} {
		if v := p.get(name); v != "" && v != "0" {
			p.reject(name, "is not supported by this gateway")
		}
	}
}
