package main

import (
	"context"
	"strconv"

	"dongled/httpapi/templates"
	"dongled/scheduler/store"
)

// The orders about templates, which are carried out as those about accounts are.
const (
	orderTemplateList     = "/template/list"
	orderTemplateShow     = "/template/show"
	orderTemplateAdd      = "/template/add"
	orderTemplateActivate = "/template/activate"
	orderTemplateRetire   = "/template/retire"
	orderTemplateRemove   = "/template/remove"
	orderTemplateRender   = "/template/render"
)

// templateOrder names what is to be done with; what an order does not need is ignored.
type templateOrder struct {
	ID string `json:"id"`
	// Version is a UUID or a number; empty is the newest, or all where something is removed.
	Version string `json:"version"`
}

// templateAddition is a template that is to be stored, or a version of the one that To names.
type templateAddition struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	To       string            `json:"to"`
	Wording  templates.Wording `json:"wording"`
	Activate bool              `json:"activate"`
}

func templateOrders(r *templates.Templates) map[string]instruction {
	change := func(do func(ctx context.Context, id, version string) (templates.Project, error)) instruction {
		return ordered(func(ctx context.Context, o templateOrder) (templates.Project, error) {
			version, err := newest(r, o)
			if err != nil {
				return templates.Project{}, err
			}
			return do(ctx, o.ID, version)
		})
	}
	return map[string]instruction{
		orderTemplateList: ordered(func(context.Context, done) ([]templates.Project, error) { return r.List(), nil }),
		orderTemplateShow: ordered(func(_ context.Context, o templateOrder) (templates.Project, error) { return r.Get(o.ID) }),
		orderTemplateAdd: ordered(func(ctx context.Context, a templateAddition) (templates.Project, error) {
			return a.carryOut(ctx, r)
		}),
		orderTemplateActivate: change(r.Activate),
		orderTemplateRetire:   change(r.Retire),
		orderTemplateRemove: ordered(func(ctx context.Context, o templateOrder) (done, error) {
			if o.Version == "" {
				return done{}, r.Remove(ctx, o.ID)
			}
			_, err := r.RemoveVersion(ctx, o.ID, o.Version)
			return done{}, err
		}),
		orderTemplateRender: ordered(r.Render),
	}
}

// newest is the version that an order is about.
func newest(r *templates.Templates, o templateOrder) (string, error) {
	if o.Version != "" {
		return o.Version, nil
	}
	p, err := r.Get(o.ID)
	if err != nil {
		return "", err
	}
	return strconv.Itoa(p.Versions[len(p.Versions)-1].Number), nil
}

// carryOut stores what is to be added. What is stored and then cannot be activated stays a draft.
func (a templateAddition) carryOut(ctx context.Context, r *templates.Templates) (p templates.Project, err error) {
	if a.To == "" {
		p, err = r.Create(ctx, a.ID, a.Name, a.Wording)
	} else {
		p, err = r.AddVersion(ctx, a.To, a.Wording)
	}
	if err != nil || !a.Activate {
		return p, err
	}
	return r.Activate(ctx, p.ID, strconv.Itoa(p.Last))
}

// tellTemplates has an order about templates carried out, and its answer put into v.
func (s sources) tellTemplates(ctx context.Context, path string, in, v any) error {
	e, err := s.load()
	if err != nil {
		return err
	}
	return carryOutWith(ctx, e.Config, path, in, v, func() (map[string]instruction, *store.Store, error) {
		r := templates.New(nil)
		st, err := openGuest(e.Config, r)
		return templateOrders(r), st, err
	})
}
