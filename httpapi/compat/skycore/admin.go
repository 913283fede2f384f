package skycore

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/compat"
	"dongled/scheduler/store"
)

const (
	// defaultPage and maxPage are how many rows a page has.
	defaultPage = 100
	maxPage     = 500
	// maxCampaigns bounds what a text that comes in is compared to.
	maxCampaigns = 1000
	// maxKeyword is in characters.
	maxKeyword = 64
)

// validRef is what stands in a path as it is.
var validRef = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$`)

var (
	errUnknownCampaign   = &compat.Trouble{Kind: compat.NotFound, Problem: "there is no campaign of that reference"}
	errUnknownSubscriber = &compat.Trouble{Kind: compat.NotFound, Problem: "the number was never subscribed to this campaign"}

	errStopped = &compat.Trouble{Kind: compat.Duplicate, Problem: "the number sent STOP: it has to send START, or be deleted before"}
	errClash   = &compat.Trouble{Kind: compat.Duplicate, Problem: "another campaign on this SIM has this reference or keyword"}
	errTooMany = &compat.Trouble{
		Kind: compat.Duplicate, Problem: "there are " + strconv.Itoa(maxCampaigns) + " campaigns; delete one before",
	}
)

// complaint is the body of every error of the administration.
type complaint struct {
	Message string `json:"message"`
}

// complain answers with a status that says whose fault it is, whatever Options.HTTPErrors says.
func complain(c *fiber.Ctx, t compat.Trouble) error {
	return c.Status(compat.Status(t.Kind)).JSON(complaint{t.Problem})
}

func (d *Dialect) mountCampaigns(r fiber.Router, g compat.Gateway) {
	route := func(add func(string, ...fiber.Handler) fiber.Router, path, scope string, h fiber.Handler) {
		add("/skycore/campaigns"+path, g.Answering(complain), g.Enter(key, scope), g.Body, h)
	}
	const read, write = "settings:read", "settings:write"
	route(r.Get, "", read, d.listCampaigns)
	route(r.Get, "/:ref", read, d.getCampaign)
	route(r.Put, "/:ref", write, d.putCampaign)
	route(r.Delete, "/:ref", write, d.deleteCampaign)
	route(r.Get, "/:ref/subscribers", read, d.listSubscribers)
	route(r.Post, "/:ref/subscribers", write, d.addSubscribers)
	route(r.Get, "/:ref/subscribers/:number", read, d.getSubscriber)
	route(r.Put, "/:ref/subscribers/:number", write, d.putSubscriber)
	route(r.Delete, "/:ref/subscribers/:number", write, d.deleteSubscriber)
}

// campaignView is a campaign as it is shown.
type campaignView struct {
	Ref     string `json:"ref"`
	Keyword string `json:"keyword"`
	SIM     int    `json:"sim"`
	Created string `json:"created"`
	By      string `json:"by,omitempty"`
}

func (c campaign) view() campaignView {
	return campaignView{c.Ref, c.Keyword, c.SIM, shown(c.Created), c.By}
}

func shown(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// pageOf reads limit and after.
func pageOf(c *fiber.Ctx) (limit int, after string, err error) {
	limit, err = strconv.Atoi(c.Query("limit", strconv.Itoa(defaultPage)))
	if err != nil || limit < 1 || limit > maxPage {
		return 0, "", compat.Fault("limit", "limit has to be from 1 to %d", maxPage)
	}
	return limit, c.Query("after"), nil
}

func (d *Dialect) listCampaigns(c *fiber.Ctx) error {
	limit, after, err := pageOf(c)
	if err != nil {
		return err
	}
	page := struct {
		Campaigns []campaignView `json:"campaigns"`
		Next      string         `json:"next,omitempty"`
	}{Campaigns: []campaignView{}}
	err = d.store.View(func(btx *bolt.Tx) error {
		each(btx, after, func(found campaign) bool {
			if len(page.Campaigns) == limit {
				page.Next = page.Campaigns[limit-1].Ref
				return false
			}
			page.Campaigns = append(page.Campaigns, found.view())
			return true
		})
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(page)
}

// named is the campaign that the path names.
func named(btx *bolt.Tx, c *fiber.Ctx) (campaign, error) {
	ref, err := url.PathUnescape(c.Params("ref"))
	found, there := load(btx, ref)
	if err != nil || !there {
		return campaign{}, errUnknownCampaign
	}
	return found, nil
}

func (d *Dialect) getCampaign(c *fiber.Ctx) error {
	var found campaign
	err := d.store.View(func(btx *bolt.Tx) (err error) {
		found, err = named(btx, c)
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(found.view())
}

// putCampaign makes a campaign, or changes one and keeps its subscribers.
func (d *Dialect) putCampaign(c *fiber.Ctx) error {
	wanted, err := d.readCampaign(c)
	if err != nil {
		return err
	}
	status := fiber.StatusOK
	err = d.store.Do(c.UserContext(), func(t *store.Tx) error {
		status = fiber.StatusOK
		if err := fits(t, wanted); err != nil {
			return err
		}
		old, there := load(t.Tx, wanted.Ref)
		wanted.ID, wanted.Created, wanted.By = old.ID, old.Created, old.By
		if !there {
			status = fiber.StatusCreated
			wanted.Created, wanted.By = t.Now, compat.Identity(c).User
			var err error
			if wanted.ID, err = store.Bucket(t, bucketCampaigns).NextSequence(); err != nil {
				return err
			}
		}
		save(t, wanted)
		return t.Err
	})
	if err != nil {
		return err
	}
	return c.Status(status).JSON(wanted.view())
}

func (d *Dialect) readCampaign(c *fiber.Ctx) (wanted campaign, err error) {
	o, err := readObject(c.BodyRaw())
	if err != nil {
		return wanted, err
	}
	wanted.Ref, err = url.PathUnescape(c.Params("ref"))
	if err != nil || !validRef.MatchString(wanted.Ref) {
		return wanted, compat.Fault("ref", "the reference has to be 1 to 64 letters, digits and _ . : -, the first a letter or digit")
	}
	wanted.Keyword = strings.Join(strings.Fields(o.text("keyword")), " ")
	wanted.SIM = o.integer("sim")
	words := strings.Fields(wanted.Keyword)
	switch {
	case o.err != nil:
		return wanted, o.err
	case cut(wanted.Keyword, maxKeyword) != wanted.Keyword:
		return wanted, compat.Fault("keyword", "keyword has more than %d characters", maxKeyword)
	case len(words) > 0 && (bare(wanted.Keyword) == "" || isCommand(words[0]) || isCommand(wanted.Keyword)):
		return wanted, compat.Fault("keyword", "keyword has to have letters or digits and must not begin with a word such as STOP or START")
	case wanted.SIM != 0 && !d.has(wanted.SIM):
		return wanted, compat.Fault("sim", "there is no SIM %d; 0 is any", wanted.SIM)
	}
	return wanted, nil
}

func (d *Dialect) has(sim int) bool {
	for _, st := range d.gateway.Load().SIMs.Modems() {
		if st.SIM == sim {
			return true
		}
	}
	return false
}

// fits says why a campaign cannot be beside the others: no text may mean two of them.
func fits(t *store.Tx, wanted campaign) error {
	others, clash := 0, false
	each(t.Tx, "", func(c campaign) bool {
		if c.Ref == wanted.Ref {
			return true
		}
		others++
		meet := c.SIM == 0 || wanted.on(c.SIM)
		clash = meet && (c.called(wanted.Ref) || wanted.Keyword != "" && c.called(wanted.Keyword))
		return !clash
	})
	switch {
	case clash:
		return errClash
	case others >= maxCampaigns:
		return errTooMany
	}
	return nil
}

// deleteCampaign deletes its subscribers behind itself, step by step.
func (d *Dialect) deleteCampaign(c *fiber.Ctx) error {
	err := d.store.Do(c.UserContext(), func(t *store.Tx) error {
		found, err := named(t.Tx, c)
		if err != nil {
			return err
		}
		t.Del(store.Bucket(t, bucketCampaigns), []byte(found.Ref))
		t.At(t.Now, kindSweep, idKey(found.ID))
		return t.Err
	})
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// numbersOf reads a body of numbers in an array.
func numbersOf(body []byte) (numbers []string, err error) {
	var given []string
	if json.Unmarshal(body, &given) != nil || len(given) < 1 || len(given) > maxBulk {
		return nil, compat.Fault("", "the body has to be an array of 1 to %d numbers", maxBulk)
	}
	for i, n := range given {
		number, ok := compat.International(n)
		if !ok {
			return nil, compat.Fault("", "[%d] has to be 7 to 15 digits with the country code; nothing was subscribed", i)
		}
		numbers = append(numbers, number)
	}
	return numbers, nil
}
