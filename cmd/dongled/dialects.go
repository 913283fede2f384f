package main

import (
	"log/slog"
	"slices"

	"dongled/configs"
	"dongled/httpapi"
	"dongled/httpapi/compat"
	"dongled/httpapi/compat/alerts"
	"dongled/httpapi/compat/bird"
	"dongled/httpapi/compat/gammu"
	"dongled/httpapi/compat/kannel"
	"dongled/httpapi/compat/skycore"
	"dongled/httpapi/compat/smseagle"
	"dongled/httpapi/compat/twilio"
	"dongled/httpapi/courier"
	"dongled/httpapi/links"
	"dongled/httpapi/templates"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// dialectsOf makes the APIs of other vendors. Another one is a folder below httpapi/compat and a line here.
func dialectsOf(cfg configs.Config, base compat.Base) []compat.Dialect {
	return []compat.Dialect{
		skycore.New(base, skycore.Options(cfg.Skycore)),
		gammu.New(base),
		kannel.New(base),
		alerts.NewAlertmanager(base, alertReceivers(cfg)),
		alerts.NewGrafana(base, alertReceivers(cfg)),
		smseagle.New(base, eagleGroups(cfg)),
		bird.New(base, birdOptions(cfg)),
		twilio.New(base, twilio.Options(cfg.Twilio)),
	}
}

func alertReceivers(cfg configs.Config) (all []alerts.Receiver) {
	for _, r := range cfg.Receivers {
		all = append(all, alerts.Receiver(r))
	}
	return all
}

// vendors are those APIs, with what they share.
type vendors struct {
	// all are rooms of the store, those that are switched off too; dialects are those that are not.
	all, dialects []compat.Dialect
	courier       *courier.Courier
	links         *links.Links
	templates     *templates.Templates
}

func newVendors(cfg configs.Config, log *slog.Logger) vendors {
	v := vendors{
		courier: courier.New(courier.Options{
			HTTP: courier.Reach(cfg.Callbacks.HTTP), Version: buildVersion(), Log: log.With("component", "callbacks"),
		}),
		templates: templates.New(log.With("component", "templates")),
	}
	v.all = dialectsOf(cfg, compat.Base{Callbacks: v.courier, Log: log.With("component", "dialects")})
	for _, d := range v.all {
		if slices.Contains(cfg.Dialects.Off, d.Name()) {
			v.courier.Unregister(d.Name())
		} else {
			v.dialects = append(v.dialects, d)
		}
	}
	v.links = links.New(links.Options{
		Base: cfg.Links.PublicBaseURL, Lifetime: cfg.Links.Lifetime, Bare: cfg.Links.BareDomains,
		Clicked: v.clicked, Log: log.With("component", "links"),
	})
	return v
}

func (v vendors) rooms() []store.Room {
	rooms := []store.Room{v.courier, v.links, v.templates}
	for _, d := range v.all {
		if room, is := d.(store.Room); is {
			rooms = append(rooms, room)
		}
	}
	return rooms
}

// changed tells the dialect that a message came in by what became of it.
func (v vendors) changed(t *store.Tx, c queue.Change) {
	for _, d := range v.dialects {
		if f, is := d.(compat.Follower); is && d.Name() == c.Message.Origin {
			f.Changed(t, c)
		}
	}
}

func (v vendors) received(t *store.Tx, m inbox.Message) {
	for _, d := range v.dialects {
		if h, is := d.(compat.Hearer); is {
			h.Received(t, m)
		}
	}
}

func (v vendors) clicked(t *store.Tx, c links.Click) {
	for _, d := range v.dialects {
		if f, is := d.(compat.Clicked); is && d.Name() == c.Link.Origin {
			f.Clicked(t, c)
		}
	}
}

// mountable are the dialects on an open gateway.
func (d *daemon) mountable(deviceID string) (out []httpapi.Dialect) {
	v := d.rooms.vendors
	g := compat.Gateway{
		Messages: d.sched, Inbox: d.sched.Inbox(), SIMs: d.sched, Auth: d.rooms.auth, Links: v.links, Templates: v.templates,
		DeviceID: deviceID, Log: d.log.With("component", "http"),
	}
	for _, dialect := range v.dialects {
		out = append(out, compat.Mounted{Dialect: dialect, Gateway: g})
	}
	return out
}
