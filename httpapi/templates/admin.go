package templates

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"dongled/scheduler/store"
)

// Create stores a project with its first version, a draft. An empty id has one made. The error may be a
// *Fault, as with all that follow.
func (r *Templates) Create(ctx context.Context, id, name string, w Wording) (Project, error) {
	if id != "" && !validID(id) {
		return Project{}, fault("id", "must be a UUID such as 0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51")
	}
	if err := checkName(name); err != nil {
		return Project{}, err
	}
	v, err := w.version()
	if err != nil {
		return Project{}, err
	}
	p := Project{ID: idOr(id), Name: name}
	err = r.store.Do(ctx, func(t *store.Tx) error {
		b := store.Bucket(t, bucketTemplates)
		if b.Get([]byte(p.ID)) != nil {
			return &Fault{Field: "id", Problem: "there is a template of that id already", Conflict: true}
		}
		p.Created, p.Versions, p.Last = at(t), nil, 0
		p.add(t, v, w.VersionID)
		if err := fits(t, &p); err != nil {
			return err
		}
		return r.put(t, &p)
	})
	return p, err
}

// Rename gives a project another name.
func (r *Templates) Rename(ctx context.Context, id, name string) (Project, error) {
	if err := checkName(name); err != nil {
		return Project{}, err
	}
	return r.change(ctx, id, func(_ *store.Tx, p *Project) error { p.Name = name; return nil })
}

// Remove removes a project with all its versions. Messages made of it keep their texts.
func (r *Templates) Remove(ctx context.Context, id string) error {
	id = strings.ToLower(id)
	return r.store.Do(ctx, func(t *store.Tx) error {
		if _, err := stored(store.Bucket(t, bucketTemplates), id); err != nil {
			return err
		}
		r.del(t, id)
		return nil
	})
}

// AddVersion adds a draft, which is then the last of the project's versions.
func (r *Templates) AddVersion(ctx context.Context, id string, w Wording) (Project, error) {
	v, err := w.version()
	if err != nil {
		return Project{}, err
	}
	return r.change(ctx, id, func(t *store.Tx, p *Project) error {
		if len(p.Versions) >= maxVersions {
			return conflict("version", "a template has at most %d versions: remove one that is not active", maxVersions)
		}
		if _, err := p.find(w.VersionID); w.VersionID != "" && err == nil {
			return conflict("versionId", "there is a version of that id already")
		}
		p.add(t, v, w.VersionID)
		return fits(t, p)
	})
}

// ReplaceVersion changes what a draft says. It keeps its id.
func (r *Templates) ReplaceVersion(ctx context.Context, id, version string, w Wording) (Project, error) {
	v, err := w.version()
	if err != nil {
		return Project{}, err
	}
	return r.change(ctx, id, func(t *store.Tx, p *Project) error {
		i, err := p.find(version)
		if err != nil {
			return err
		}
		old := p.Versions[i]
		switch {
		case w.VersionID != "" && !strings.EqualFold(w.VersionID, old.ID):
			return fault("versionId", "must be that of the version, or none")
		case old.State != Draft:
			return conflict("version", "version %d is %s: only drafts may be changed, add a version instead", old.Number, old.State)
		}
		v.ID, v.Number, v.Created = old.ID, old.Number, old.Created
		p.Versions[i] = v
		return fits(t, p)
	})
}

// RemoveVersion removes a version that is not active. A project keeps one.
func (r *Templates) RemoveVersion(ctx context.Context, id, version string) (Project, error) {
	return r.change(ctx, id, func(_ *store.Tx, p *Project) error {
		i, err := p.find(version)
		switch {
		case err != nil:
			return err
		case p.Versions[i].State == Active:
			return conflict("version", "version %d is active: retire it first", p.Versions[i].Number)
		case len(p.Versions) == 1:
			return conflict("version", "version %d is the only one: remove the template instead", p.Versions[i].Number)
		}
		p.Versions = slices.Delete(p.Versions, i, i+1)
		return nil
	})
}

// Activate lets a version be used, from now on or again. One that is active stays it.
func (r *Templates) Activate(ctx context.Context, id, version string) (Project, error) {
	return r.change(ctx, id, func(t *store.Tx, p *Project) error {
		i, err := p.find(version)
		if err != nil {
			return err
		}
		v := &p.Versions[i]
		if v.State = Active; v.Activated.IsZero() {
			v.Activated = at(t)
		}
		return nil
	})
}

// Retire has an active version be used no more. One that is retired stays it.
func (r *Templates) Retire(ctx context.Context, id, version string) (Project, error) {
	return r.change(ctx, id, func(_ *store.Tx, p *Project) error {
		i, err := p.find(version)
		if err != nil {
			return err
		}
		v := &p.Versions[i]
		if v.State == Draft {
			return conflict("version", "version %d is a draft, which nobody can use: remove it instead", v.Number)
		}
		v.State = Retired
		return nil
	})
}

func conflict(field, format string, args ...any) *Fault {
	f := fault(field, format, args...)
	f.Conflict = true
	return f
}

// change has f change a project and stores it.
func (r *Templates) change(ctx context.Context, id string, f func(*store.Tx, *Project) error) (p Project, err error) {
	id = strings.ToLower(id)
	err = r.store.Do(ctx, func(t *store.Tx) error {
		var err error
		if p, err = stored(store.Bucket(t, bucketTemplates), id); err != nil {
			return err
		}
		if err := f(t, &p); err != nil {
			return err
		}
		return r.put(t, &p)
	})
	return p, err
}

// add appends a version.
func (p *Project) add(t *store.Tx, v Version, id string) {
	p.Last++
	v.ID, v.Number, v.Created = idOr(id), p.Last, at(t)
	p.Versions = append(p.Versions, v)
}

// fits reports whether there is room for a project that is new or has grown.
func fits(t *store.Tx, p *Project) error {
	record, err := json.Marshal(p)
	if err != nil {
		return err
	}
	b := store.Bucket(t, bucketTemplates)
	count, size := 1, len(record)
	if err := b.ForEach(func(k, v []byte) error {
		if string(k) != p.ID {
			count, size = count+1, size+len(v)
		}
		return nil
	}); err != nil {
		return err
	}
	switch {
	case count > maxProjects:
		return conflict("id", "there are %d templates, as many as there can be: remove one", count-1)
	case size > maxStored:
		return conflict("texts", "the templates would have %d octets together, %d at most: remove what is not used", size, maxStored)
	}
	return nil
}

func at(t *store.Tx) time.Time { return time.UnixMilli(t.Now).UTC() }
