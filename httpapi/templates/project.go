package templates

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// State is what may be done with a version.
type State string

// The states of a version. Only active ones are used.
const (
	Draft   State = "draft"
	Active  State = "active"
	Retired State = "retired"
)

// Project is a template: a name for its versions.
type Project struct {
	// ID is a UUID in lower case, of this gateway's or the client's making.
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"createdAt"`
	// Updated is when anything about it changed, a version's state included.
	Updated time.Time `json:"updatedAt"`
	// Versions are in the order of their numbers, and at least one.
	Versions []Version `json:"versions"`
	// Last is the highest number that was given.
	Last int `json:"lastNumber"`
}

// Version is one wording of a template.
type Version struct {
	ID string `json:"id"`
	// Number counts the versions of a project from 1.
	Number        int    `json:"number"`
	State         State  `json:"state"`
	DefaultLocale string `json:"defaultLocale"`
	// Texts are by locale, in the spelling that BCP 47 recommends.
	Texts map[string]string `json:"texts"`
	// Variables are those that were declared, then those found in texts.
	Variables []Variable `json:"variables"`
	// ShortLinks has URLs in the text made short.
	ShortLinks bool      `json:"shortLinks"`
	Created    time.Time `json:"createdAt"`
	// Activated is when it first was, zero for never.
	Activated time.Time `json:"activatedAt,omitzero"`
}

// Variable is a place for a value.
type Variable struct {
	Key string `json:"key"`
	// Required ones have to be given; others are Default, which may be empty.
	Required bool   `json:"required"`
	Default  string `json:"default"`
	// MaxLen is how many characters a value may have; 0 for as many as a text.
	MaxLen int `json:"maxLen,omitempty"`
}

func sortProjects(all []Project) {
	slices.SortFunc(all, func(a, b Project) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
}

// find returns the index of the version with that id or number.
func (p Project) find(name string) (int, error) {
	i := slices.IndexFunc(p.Versions, func(v Version) bool {
		return strings.EqualFold(v.ID, name) || strconv.Itoa(v.Number) == name
	})
	if i >= 0 {
		return i, nil
	}
	return 0, &Fault{Field: "version", Problem: fmt.Sprintf("template %s has no version %s", p.ID, spoken(name)), NotFound: true}
}

// spoken is a version's name if it can be one.
func spoken(name string) string {
	if _, err := strconv.ParseUint(name, 10, 32); err == nil || validID(name) {
		return name
	}
	return "of that id or number"
}

// Latest returns the newest active version.
func (p Project) Latest() (Version, bool) {
	for _, v := range slices.Backward(p.Versions) {
		if v.State == Active {
			return v, true
		}
	}
	return Version{}, false
}

// usable returns the version that a request names.
func (p Project) usable(name string, preview bool) (Version, error) {
	if name == "" || name == Latest {
		v, found := p.Latest()
		switch {
		case found:
			return v, nil
		case preview:
			return p.Versions[len(p.Versions)-1], nil
		}
		return Version{}, &Fault{Field: "version", Problem: fmt.Sprintf("template %s has no active version: activate one", p.ID), NotFound: true}
	}
	i, err := p.find(name)
	if err != nil {
		return Version{}, err
	}
	v := p.Versions[i]
	if v.State != Active && !preview {
		problem := fmt.Sprintf("version %s of template %s is %s: only active ones are used", spoken(name), p.ID, v.State)
		return Version{}, &Fault{Field: "version", Problem: problem, NotFound: true}
	}
	return v, nil
}

// validID takes a UUID of any version in its usual form; uuid.Parse alone takes more forms.
func validID(id string) bool { return len(id) == 36 && uuid.Validate(id) == nil }

// idOr returns a client's id in lower case, or a new one.
func idOr(id string) string {
	if id == "" {
		return uuid.NewString()
	}
	return strings.ToLower(id)
}
