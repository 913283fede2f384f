package skycore

import (
	"bytes"
	"encoding/json"
	"net/url"

	"github.com/gofiber/fiber/v2"
	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/compat"
	"dongled/scheduler/store"
)

// maxBulk is how many numbers one request subscribes.
const maxBulk = 1000

// subscriberView is a subscriber as it is shown.
type subscriberView struct {
	Number string `json:"number"`
	State  string `json:"state"`
	Since  string `json:"since"`
	How    string `json:"how"`
	By     string `json:"by,omitempty"`
	Ended  string `json:"ended,omitempty"`
}

func (s subscriber) view(number string) subscriberView {
	v := subscriberView{Number: number, State: "subscribed", Since: shown(s.Since), How: s.How, By: s.By}
	if s.Ended != 0 {
		v.State, v.Ended = "stopped", shown(s.Ended)
	}
	return v
}

// numberParam is the number of the path, in E.164.
func numberParam(c *fiber.Ctx) (string, error) {
	given, err := url.PathUnescape(c.Params("number"))
	number, ok := compat.International(given)
	if err != nil || !ok {
		return "", compat.Fault("number", "the number has to be 7 to 15 digits with the country code")
	}
	return number, nil
}

// subscriberPage is a part of a campaign; next is where the one after it begins.
type subscriberPage struct {
	Subscribers []subscriberView `json:"subscribers"`
	Next        string           `json:"next,omitempty"`
}

func (d *Dialect) listSubscribers(c *fiber.Ctx) error {
	limit, after, err := pageOf(c)
	if err != nil {
		return err
	}
	if after != "" {
		var ok bool
		if after, ok = compat.International(after); !ok {
			return compat.Fault("after", "after has to be the next of the page before")
		}
	}
	page := subscriberPage{Subscribers: []subscriberView{}}
	err = d.store.View(func(btx *bolt.Tx) error {
		found, err := named(btx, c)
		if err == nil {
			page.fill(btx, found.ID, after, limit)
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(page)
}

func (p *subscriberPage) fill(btx *bolt.Tx, id uint64, after string, limit int) {
	prefix, start := idKey(id), subscriberKey(id, after)
	cur := store.Bucket(btx, bucketSubscribers).Cursor()
	for k, v := cur.Seek(start); bytes.HasPrefix(k, prefix); k, v = cur.Next() {
		var s subscriber
		if bytes.Equal(k, start) || json.Unmarshal(v, &s) != nil {
			continue // a damaged record must not hide all others
		}
		if len(p.Subscribers) == limit {
			p.Next = plain(p.Subscribers[limit-1].Number)
			return
		}
		p.Subscribers = append(p.Subscribers, s.view(string(k[idSize:])))
	}
}

// added is what became of numbers that were to be subscribed.
type added struct {
	Subscribed int `json:"subscribed"`
	// Already were subscribed before.
	Already int `json:"already"`
	// Stopped sent STOP, and stay as they are.
	Stopped []string `json:"stopped"`
}

func (d *Dialect) addSubscribers(c *fiber.Ctx) error {
	numbers, err := numbersOf(c.BodyRaw())
	if err != nil {
		return err
	}
	var did added
	err = d.store.Do(c.UserContext(), func(t *store.Tx) error {
		did = added{Stopped: []string{}}
		found, err := named(t.Tx, c)
		if err != nil {
			return err
		}
		for _, number := range numbers {
			s, there := subscription(t.Tx, found.ID, number)
			switch {
			case there && s.Ended != 0:
				did.Stopped = append(did.Stopped, number)
			case there:
				did.Already++
			default:
				did.Subscribed++
				keep(t, found.ID, number, subscriber{Since: t.Now, How: byAPI, By: compat.Identity(c).User})
			}
		}
		return t.Err
	})
	if err != nil {
		return err
	}
	return c.JSON(did)
}

func (d *Dialect) getSubscriber(c *fiber.Ctx) error {
	number, err := numberParam(c)
	if err != nil {
		return err
	}
	var s subscriber
	err = d.store.View(func(btx *bolt.Tx) error {
		found, err := named(btx, c)
		if err != nil {
			return err
		}
		var there bool
		if s, there = subscription(btx, found.ID, number); !there {
			return errUnknownSubscriber
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(s.view(number))
}

func (d *Dialect) putSubscriber(c *fiber.Ctx) error {
	number, err := numberParam(c)
	if err != nil {
		return err
	}
	var s subscriber
	err = d.store.Do(c.UserContext(), func(t *store.Tx) error {
		found, err := named(t.Tx, c)
		if err != nil {
			return err
		}
		var there bool
		switch s, there = subscription(t.Tx, found.ID, number); {
		case there && s.Ended != 0:
			return errStopped
		case !there:
			s = subscriber{Since: t.Now, How: byAPI, By: compat.Identity(c).User}
			keep(t, found.ID, number, s)
		}
		return t.Err
	})
	if err != nil {
		return err
	}
	return c.JSON(s.view(number))
}

// deleteSubscriber forgets a number, and a STOP of it.
func (d *Dialect) deleteSubscriber(c *fiber.Ctx) error {
	number, err := numberParam(c)
	if err != nil {
		return err
	}
	err = d.store.Do(c.UserContext(), func(t *store.Tx) error {
		found, err := named(t.Tx, c)
		if err != nil {
			return err
		}
		if _, there := subscription(t.Tx, found.ID, number); !there {
			return errUnknownSubscriber
		}
		drop(t, found.ID, number)
		return t.Err
	})
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
