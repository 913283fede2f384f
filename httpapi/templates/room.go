package templates

import (
	"encoding/json"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

var bucketTemplates = []byte("vendors/templates")

// Buckets implements store.Room.
func (*Templates) Buckets() [][]byte { return [][]byte{bucketTemplates} }

// Kinds implements store.Room: nothing here is a matter of time.
func (*Templates) Kinds() []byte { return nil }

// Due implements store.Room.
func (*Templates) Due(*store.Tx, byte, []byte) {}

// Prepare implements store.Room. A record that is damaged is nobody's, and stays where it is.
func (r *Templates) Prepare(t *store.Tx) error {
	r.store = t.Store()
	r.mu.Lock()
	defer r.mu.Unlock()
	return store.Bucket(t, bucketTemplates).ForEach(func(k, v []byte) error {
		p, err := readProject(v)
		if err != nil || p.ID != string(k) || len(p.Versions) == 0 {
			r.log.Error("a damaged template is skipped", "id", string(k), "err", err)
			return nil
		}
		r.projects[p.ID] = p
		return nil
	})
}

func readProject(v []byte) (p Project, err error) { return p, json.Unmarshal(v, &p) }

// stored returns the project of an id as this transaction sees it.
func stored(b *bolt.Bucket, id string) (Project, error) {
	p, err := readProject(b.Get([]byte(id))) // also for nil
	if err != nil || len(p.Versions) == 0 {
		return Project{}, unknownProject(id)
	}
	return p, nil
}

// put stores a project, and has the world see it after the commit.
func (r *Templates) put(t *store.Tx, p *Project) error {
	p.Updated = at(t)
	record, err := json.Marshal(p)
	if err != nil {
		return err
	}
	t.Put(store.Bucket(t, bucketTemplates), []byte(p.ID), record)
	visible := *p
	t.After(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.projects[visible.ID] = visible
	})
	return nil
}

func (r *Templates) del(t *store.Tx, id string) {
	t.Del(store.Bucket(t, bucketTemplates), []byte(id))
	t.After(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.projects, id)
	})
}
