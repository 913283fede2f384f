package bird

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/compat"
	"dongled/scheduler/store"
)

func lower(id string) string { return strings.ToLower(id) }

// subscriptionRoutes are under both paths that Bird's documentation has had.
func (d *Dialect) subscriptionRoutes(r fiber.Router) {
	for _, root := range []string{"/organizations/:organizationId/workspaces/:workspaceId", "/workspaces/:workspaceId"} {
		all, one := root+"/webhook-subscriptions", root+"/webhook-subscriptions/:webhookSubscriptionId"
		r.Post(all, d.guarded(d.subscribe, "webhooks:write")...)
		r.Get(all, d.guarded(d.listSubscriptions, "webhooks:list")...)
		r.Get(one, d.guarded(d.getSubscription, "webhooks:list")...)
		r.Patch(one, d.guarded(d.changeSubscription, "webhooks:write")...)
		r.Delete(one, d.guarded(d.unsubscribe, "webhooks:delete")...)
	}
}

// asked is a subscription as a client asks for it. What is nil stays as it is.
type asked struct {
	Service, Event, Template, URL, SigningKey, Status *string
	EventFilters                                      *[]filter
}

func (d *Dialect) parseAsked(body []byte) (a asked, err error) {
	err = decode(body, d.opts.Strict, map[string]any{
		"service": &a.Service, "event": &a.Event, "eventFilters": &a.EventFilters, "template": &a.Template,
		"url": &a.URL, "signingKey": &a.SigningKey, "status": &a.Status,
	})
	return a, err
}

// apply changes s to what was asked for.
func (a asked) apply(s *subscription) {
	set(&s.Service, a.Service)
	set(&s.Event, a.Event)
	set(&s.URL, a.URL)
	set(&s.SigningKey, a.SigningKey)
	set(&s.Status, a.Status)
	if a.EventFilters != nil {
		s.EventFilters = append([]filter{}, *a.EventFilters...)
	}
	if a.Template != nil {
		s.Template = a.Template
	}
}

func set(field, asked *string) {
	if asked != nil {
		*field = *asked
	}
}

// secretless is a subscription as it is shown once it was made.
func secretless(s subscription) subscription {
	s.SigningKey = ""
	return s
}

func (d *Dialect) subscribe(c *fiber.Ctx) error {
	organization, err := d.organizationOf(c)
	if err != nil {
		return err
	}
	a, err := d.parseAsked(c.BodyRaw())
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now := timestamp{time.Now()}
	s := subscription{
		ID: id.String(), Organization: organization, Workspace: d.workspace(), EventFilters: []filter{},
		Status: active, Created: now, Updated: now,
	}
	a.apply(&s)
	if err := d.check(&s); err != nil {
		return err
	}
	err = d.store.Do(d.serving(), func(t *store.Tx) error { return d.put(t, s) })
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(s)
}

func (d *Dialect) listSubscriptions(c *fiber.Ctx) error {
	if _, err := d.organizationOf(c); err != nil {
		return err
	}
	p, err := readPage(c)
	if err != nil {
		return err
	}
	all := []subscription{}
	err = d.store.View(func(t *bolt.Tx) error {
		for _, s := range d.subscriptions(store.Bucket(t, bucketSubscriptions)) {
			all = append(all, secretless(s))
		}
		return nil
	})
	if err != nil {
		return err
	}
	answer, err := cut(all, func(s subscription) string { return s.ID }, p)
	if err != nil {
		return err
	}
	return c.JSON(answer)
}

func (d *Dialect) getSubscription(c *fiber.Ctx) error {
	if _, err := d.organizationOf(c); err != nil {
		return err
	}
	var s subscription
	err := d.store.View(func(t *bolt.Tx) (err error) {
		s, err = findSubscription(store.Bucket(t, bucketSubscriptions), subscriptionOf(c))
		return err
	})
	if err != nil {
		return err
	}
	return c.JSON(secretless(s))
}

func (d *Dialect) changeSubscription(c *fiber.Ctx) error {
	if _, err := d.organizationOf(c); err != nil {
		return err
	}
	a, err := d.parseAsked(c.BodyRaw())
	if err != nil {
		return err
	}
	id := subscriptionOf(c)
	var s subscription
	err = d.store.View(func(t *bolt.Tx) (err error) {
		s, err = findSubscription(store.Bucket(t, bucketSubscriptions), id)
		return err
	})
	if err != nil {
		return err
	}
	a.apply(&s)
	if err := d.check(&s); err != nil { // not in the transaction: it may have to remember a channel
		return err
	}
	if sound := s.EventFilters; a.EventFilters != nil {
		a.EventFilters = &sound
	}
	err = d.store.Do(d.serving(), func(t *store.Tx) (err error) {
		if s, err = findSubscription(store.Bucket(t, bucketSubscriptions), id); err != nil {
			return err // it was deleted meanwhile
		}
		a.apply(&s)
		s.Updated = timestamp{time.UnixMilli(t.Now)}
		return d.put(t, s)
	})
	if err != nil {
		return err
	}
	return c.JSON(secretless(s))
}

func (d *Dialect) unsubscribe(c *fiber.Ctx) error {
	if _, err := d.organizationOf(c); err != nil {
		return err
	}
	id := subscriptionOf(c)
	err := d.store.Do(d.serving(), func(t *store.Tx) error {
		b := store.Bucket(t, bucketSubscriptions)
		if _, err := findSubscription(b, id); err != nil {
			return err
		}
		t.Del(b, []byte(id))
		return nil
	})
	if err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// findSubscription reads a subscription.
func findSubscription(b *bolt.Bucket, id string) (s subscription, err error) {
	if raw := b.Get([]byte(id)); raw != nil && json.Unmarshal(raw, &s) == nil {
		return s, nil
	}
	return s, &compat.Trouble{Kind: compat.NotFound, Problem: "webhook subscription not found"}
}

// subscriptionOf is the id in a path, as a copy: fiber uses that of its own again.
func subscriptionOf(c *fiber.Ctx) string {
	return lower(strings.Clone(c.Params("webhookSubscriptionId")))
}

// organizationOf is the organization in a path. There is but one here, which goes by every name.
func (d *Dialect) organizationOf(c *fiber.Ctx) (string, error) {
	if err := d.inWorkspace(c); err != nil {
		return "", err
	}
	named := c.Params("organizationId")
	if named == "" {
		return derived(d.workspace(), "organization"), nil
	}
	id, err := uuid.Parse(named)
	if err != nil || len(named) != len(id.String()) {
		return "", compat.Fault("organizationId", "must be a UUID")
	}
	return id.String(), nil
}
