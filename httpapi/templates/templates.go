package templates

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"dongled/scheduler/store"
)

// Latest is the version that names the newest active one.
const Latest = "latest"

// Request asks for a text.
type Request struct {
	// Project is the id of a template. Version is the id or the number of one of its versions, Latest, or
	// empty, which is the same.
	Project, Version string
	// Locale such as en-GB; empty is the version's default.
	Locale string
	// Values are by key.
	Values map[string]string
	// Strict refuses values that the template has no place for.
	Strict bool
	// Preview takes a version in any state, and the newest of all for Latest if none is active.
	Preview bool
}

// Text is what came of a Request.
type Text struct {
	Text string
	// Version is the id of the one taken, and Locale the one found.
	Version, Locale string
	// ShortLinks says that the template wants its URLs short.
	ShortLinks bool
	// Unknown are the keys of the values that the template had no place for, in order.
	Unknown []string
}

// Fault is the client's fault in one field of a Request or a template.
type Fault struct {
	// Field is a path in the words of Wording's JSON, or values.KEY.
	Field, Problem string
	// NotFound says that there is no such project or version, or none that may be used.
	NotFound bool
	// Conflict says that what is stored, such as a version's state, does not allow it.
	Conflict bool
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: %s", f.Field, f.Problem) }

func fault(field, format string, args ...any) *Fault {
	return &Fault{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Templates is a room of the store. Its methods may be called from any goroutine once that is open. A
// Project that one of them returned is shared with others: its maps and slices must not be changed.
type Templates struct {
	log   *slog.Logger
	store *store.Store

	mu sync.RWMutex
	// projects are all, by id; none of them is changed in place.
	projects map[string]Project
}

// New makes the room. A nil log discards what there is to say of damaged records.
func New(log *slog.Logger) *Templates {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Templates{log: log, projects: map[string]Project{}}
}

// Get returns the project of an id, or a *Fault.
func (r *Templates) Get(id string) (Project, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, found := r.projects[strings.ToLower(id)]
	if !found {
		return Project{}, unknownProject(id)
	}
	return p, nil
}

// unknownProject names only what can be an id: anything else may be what does not belong into an error.
func unknownProject(id string) *Fault {
	if !validID(id) {
		return &Fault{Field: "projectId", Problem: "must be the UUID of a template", NotFound: true}
	}
	return &Fault{Field: "projectId", Problem: "there is no template " + id, NotFound: true}
}

// List returns all projects, the oldest first.
func (r *Templates) List() []Project {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]Project, 0, len(r.projects))
	for _, p := range r.projects {
		all = append(all, p)
	}
	sortProjects(all)
	return all
}

// Render makes the text of a request. The error may be a *Fault, and is nothing else for now.
func (r *Templates) Render(_ context.Context, q Request) (Text, error) {
	r.mu.RLock()
	p, found := r.projects[strings.ToLower(q.Project)]
	r.mu.RUnlock()
	if !found {
		return Text{}, unknownProject(q.Project)
	}
	v, err := p.usable(q.Version, q.Preview)
	if err != nil {
		return Text{}, err
	}
	return v.render(q)
}
