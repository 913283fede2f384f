package links

import (
	"context"
	"encoding/json"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

const (
	// flushAfter is how long counts may be in memory alone.
	flushAfter = 5 * time.Second
	// tellEvery is how long after a click was told of the next one is.
	tellEvery = time.Minute
)

// tally is what was counted of one link. Times are in ms since 1970, 0 for never.
type tally struct {
	Hits  int   `json:"hits"`
	Human int   `json:"human,omitempty"`
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	// Person is when the first person came.
	Person int64 `json:"person,omitempty"`
}

// add counts what came after c.
func (c *tally) add(o tally) {
	if o.Hits == 0 {
		return
	}
	c.Hits += o.Hits
	c.Human += o.Human
	if c.First == 0 {
		c.First = o.First
	}
	if c.Person == 0 {
		c.Person = o.Person
	}
	c.Last = max(c.Last, o.Last)
}

func (c tally) fill(link *Link) {
	link.Hits, link.Human = c.Hits, c.Human
	if c.Hits > 0 {
		link.First, link.Last = time.UnixMilli(c.First), time.UnixMilli(c.Last)
	}
}

// counts is what is stored of a link that was followed.
type counts struct {
	tally
	// Told is when a click was told of.
	Told int64 `json:"told,omitempty"`
	// Waiting is what came since, and is to be told.
	Waiting *tally `json:"waiting,omitempty"`
}

func read(btx *bolt.Tx, code string) (c counts) {
	_ = json.Unmarshal(store.Bucket(btx, bucketCounts).Get([]byte(code)), &c) // nil, or damaged: counted anew
	return c
}

// count notes a hit in memory.
func (l *Links) count(code string, at time.Time, human bool) {
	hit := tally{Hits: 1, First: at.UnixMilli(), Last: at.UnixMilli()}
	if human {
		hit.Human, hit.Person = 1, hit.First
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.fresh[code]
	c.add(hit)
	l.fresh[code] = c
	select {
	case l.dirty <- struct{}{}:
	default:
	}
}

// uncounted is what of a link is not stored.
func (l *Links) uncounted(code string) tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.leaving[code]
	c.add(l.fresh[code])
	return c
}

// flushing stores counts until ctx ends, and then what is left.
func (l *Links) flushing(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			l.flush()
			return
		case <-l.dirty:
		}
		pause := time.NewTimer(flushAfter)
		select {
		case <-ctx.Done():
		case <-pause.C:
			l.flush()
		}
		pause.Stop()
	}
}

// flush stores what was counted. What the disk refuses stays for the next time.
func (l *Links) flush() {
	l.mu.Lock()
	leaving := l.fresh
	l.fresh, l.leaving = map[string]tally{}, leaving
	select {
	case <-l.dirty:
	default:
	}
	l.mu.Unlock()
	if len(leaving) == 0 {
		return
	}
	err := l.store.Do(context.Background(), func(t *store.Tx) error {
		for code, c := range leaving {
			l.save(t, code, c)
		}
		t.After(l.stored)
		return nil
	})
	if err != nil {
		l.opts.Log.Error("clicks on short links are not stored yet", "links", len(leaving), "err", err)
		l.back(leaving)
	}
}

// stored forgets what left.
func (l *Links) stored() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaving = nil
}

// back takes what could not leave together with what came since.
func (l *Links) back(leaving map[string]tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for code, c := range leaving {
		c.add(l.fresh[code])
		l.fresh[code] = c
	}
	l.leaving = nil
	select {
	case l.dirty <- struct{}{}:
	default:
	}
}

// save adds to the counts of a link, and tells of the click, now or when the minute is over.
func (l *Links) save(t *store.Tx, code string, came tally) {
	r, is := l.get(t.Tx, code)
	if !is {
		return // it was deleted meanwhile
	}
	c := read(t.Tx, code)
	c.add(came)
	if l.opts.Clicked != nil {
		waits := c.Waiting != nil
		if !waits {
			c.Waiting = &tally{}
		}
		c.Waiting.add(came)
		if due := c.Told + tellEvery.Milliseconds(); due <= t.Now {
			l.tell(t, r.link(code), &c)
		} else if !waits {
			t.At(due, kindTell, []byte(code))
		}
	}
	put(t, store.Bucket(t, bucketCounts), code, c)
}

// tellLate tells of what waited for its minute.
func (l *Links) tellLate(t *store.Tx, code string) {
	c := read(t.Tx, code)
	r, is := l.get(t.Tx, code)
	if !is || c.Waiting == nil || c.Told+tellEvery.Milliseconds() > t.Now {
		return // deleted, or told since
	}
	if l.opts.Clicked != nil {
		l.tell(t, r.link(code), &c)
	}
	put(t, store.Bucket(t, bucketCounts), code, c)
}

// tell tells of what waits.
func (l *Links) tell(t *store.Tx, link Link, c *counts) {
	c.fill(&link)
	click := Click{Link: link, At: time.UnixMilli(c.Waiting.First)}
	if c.Waiting.Person != 0 {
		click.At, click.Human = time.UnixMilli(c.Waiting.Person), true
	}
	c.Told, c.Waiting = t.Now, nil
	l.opts.Clicked(t, click)
}
