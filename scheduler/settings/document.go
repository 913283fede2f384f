package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// document is what clients set, in the form in which it is shown. In a change, nil takes a setting back
// to its default.
type document map[*setting]json.RawMessage

// parse reads what a client asks for.
func parse(body []byte) (document, error) {
	d, faults := read(body)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return d, nil
}

// decode reads a stored document; what is damaged is left out.
func decode(stored []byte) (document, []*Fault) {
	if stored == nil {
		return document{}, nil
	}
	d, faults := read(stored)
	maps.DeleteFunc(d, func(_ *setting, raw json.RawMessage) bool { return raw == nil })
	return d, faults
}

// read takes what is right of a JSON object, and lists what is wrong. Unknown names are ignored; a known
// one must not occur twice.
func read(body []byte) (d document, faults []*Fault) {
	d = document{}
	report := func(f *Fault) { faults = append(faults, f) }
	seen := map[string]bool{}
	err := members(body, func(section string, raw json.RawMessage) {
		switch {
		case !slices.Contains(sections, section):
		case seen[section]:
			report(&Fault{section, section + " must not occur twice"})
		case string(raw) == "null":
			d.reset(section)
		default:
			d.section(section, raw, report)
		}
		seen[section] = true
	})
	if err != nil {
		report(&Fault{"body", "the settings must be a JSON object"})
	}
	return d, faults
}

// reset takes all of a section back to the defaults.
func (d document) reset(section string) {
	for _, s := range table {
		if s.section == section {
			d[s] = nil
		}
	}
}

func (d document) section(section string, raw json.RawMessage, report func(*Fault)) {
	err := members(raw, func(name string, raw json.RawMessage) {
		s := find(section, name)
		if s == nil {
			return
		}
		if _, again := d[s]; again {
			report(s.fault("must not occur twice"))
			return
		}
		value, fault := s.canonical(raw)
		if fault != nil {
			report(fault)
			return
		}
		d[s] = value
	})
	if err != nil {
		report(&Fault{section, section + " must be an object"})
	}
}

// canonical is a value in the form in which it is shown; nil for null.
func (s *setting) canonical(raw json.RawMessage) (json.RawMessage, *Fault) {
	if string(raw) == "null" {
		return nil, nil
	}
	var v Values
	if problem := s.kind.set(&v, raw); problem != "" {
		return nil, s.fault(problem)
	}
	value, _ := s.kind.get(&v)
	return marshal(value), nil
}

// merge returns d with a change, leaving d as it is.
func (d document) merge(change document) document {
	out := maps.Clone(d)
	for s, raw := range change {
		if out[s] = raw; raw == nil {
			delete(out, s)
		}
	}
	return out
}

// apply puts the document's values over those in v.
func (d document) apply(v *Values) {
	for s, raw := range d {
		s.kind.set(v, raw) // it was checked when it was read
	}
}

// forget drops what clients set of some keys, and reports whether there was any.
func (d document) forget(keys ...string) (found bool) {
	maps.DeleteFunc(d, func(s *setting, _ json.RawMessage) bool {
		gone := slices.Contains(keys, s.key())
		found = found || gone
		return gone
	})
	return found
}

// encode writes the document so that decode reads it.
func (d document) encode() []byte {
	return render(func(s *setting) (json.RawMessage, bool) {
		raw, set := d[s]
		return raw, set
	})
}

// public shows values, but not secrets, nor what the configuration has and no client could set: what
// is shown may be sent back.
func public(v Values) json.RawMessage {
	return render(func(s *setting) (json.RawMessage, bool) {
		value, there := s.kind.get(&v)
		raw := marshal(value)
		var taken Values
		return raw, !s.secret && (there || !s.optional) && s.kind.set(&taken, raw) == ""
	})
}

// render writes every section, with the settings that value has.
func render(value func(*setting) (json.RawMessage, bool)) []byte {
	whole := map[string]map[string]json.RawMessage{}
	for _, name := range sections {
		whole[name] = map[string]json.RawMessage{}
	}
	for _, s := range table {
		if raw, shown := value(s); shown {
			whole[s.section][s.name] = raw
		}
	}
	return marshal(whole)
}

// marshal writes numbers, flags, strings and objects of them, which cannot fail.
func marshal(value any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

var errNoObject = errors.New("not a JSON object")

// members calls each for the members of a JSON object, in their order.
func members(raw []byte, each func(name string, value json.RawMessage)) error {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 || raw[0] != '{' || !json.Valid(raw) {
		return errNoObject
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		name, _ := token.(string)
		each(name, value)
	}
	return nil
}
