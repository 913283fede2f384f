package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"dongled/modem"
	"dongled/modem/probe"
)

const (
	// firstLookAgain is when a dongle that is not clear yet is looked at again: it is still
	// starting, its SIM is, or another program holds it. From look to look that time doubles.
	firstLookAgain = 10 * time.Second
	maxLookAgain   = 5 * time.Minute
	// looksForSIM is how often a dongle may be seen without a SIM before it gets a number as it is.
	looksForSIM = 3
	// missFor is how long a dongle that was pulled out is missed, as port-missing; then it counts as
	// taken away for good. Its number waits for it, or its SIM, all the same.
	missFor = 24 * time.Hour
)

// find takes every dongle that is found, now and later, until ctx ends.
func (f *fleet) find(ctx context.Context) {
	without := map[string]int{}
	again := firstLookAgain
	for ctx.Err() == nil {
		later := f.forgetMissing(ctx, time.Now())
		if !f.look(ctx, without) {
			later = again
			again = min(2*again, maxLookAgain)
		}
		var alarm <-chan time.Time
		if later > 0 {
			alarm = time.After(later)
		}
		select {
		case <-f.looks:
			again = firstLookAgain
		case <-alarm:
		case <-ctx.Done():
		}
	}
}

// forgetMissing lets go of dongles that are missed for long, and returns when the next will be, or 0.
func (f *fleet) forgetMissing(ctx context.Context, now time.Time) (next time.Duration) {
	for _, m := range f.list() {
		switch since := now.Sub(m.missed); {
		case m.Worker.Status().Problem != modem.ProblemPortMissing:
			m.missed = time.Time{}
			continue
		case m.missed.IsZero():
			m.missed = now
		case since >= missFor:
			f.log.Info("a dongle was taken away", "sim", m.SIM(), "dongle", m.place)
			f.retire(ctx, m)
			continue
		}
		if left := m.missed.Add(missFor).Sub(now); next == 0 || left < next {
			next = left
		}
	}
	return next
}

// look gives every dongle on the bus a worker, under the number of its SIM. clear says that nothing
// is left to be found out. without counts the looks at dongles without a SIM.
func (f *fleet) look(ctx context.Context, without map[string]int) (clear bool) {
	dongles, err := f.bus.Probe(ctx)
	if err != nil {
		if ctx.Err() == nil {
			f.log.Error("dongles are not found; it is tried again", "err", err)
		}
		return false
	}
	for _, m := range f.list() {
		if st := m.Worker.Status(); m.strange(st) {
			if spec, err := probe.ParseSpec(m.place); err == nil {
				f.settle(ctx, spec, st.IMSI)
			}
		}
	}
	clear = true
	for _, d := range dongles {
		spec, known := f.place(d, dongles)
		switch mine := f.at(spec.String()); {
		case !known:
			clear = clear && !d.Busy && !askable(d)
		case d.Busy || mine != nil && d.Answer.IMSI == "":
			clear = clear && mine != nil
		case d.Answer.IMSI == "" && without[spec.String()] < looksForSIM:
			without[spec.String()]++
			clear = false
		default:
			delete(without, spec.String())
			f.settle(ctx, spec, d.Answer.IMSI)
		}
	}
	return clear
}

// place is how a dongle is found again: by its IMEI, or where another one on the bus shows the same, as
// some makers give one to all, by its socket. The one that was there first stays what it is.
func (f *fleet) place(d probe.Dongle, all []probe.Dongle) (spec probe.Spec, known bool) {
	spec, known = d.Spec()
	twin := slices.ContainsFunc(all, func(other probe.Dongle) bool {
		theirs, ok := other.Spec()
		return ok && theirs == spec && other.Device != d.Device
	})
	if mine := f.at(spec.String()); !known || !twin || mine != nil && mine.imsi == d.Answer.IMSI {
		return spec, known
	}
	spec, err := probe.ParseSpec(cmp.Or(d.AT.ByPath, d.AT.Node))
	return spec, err == nil
}

// askable reports whether any port of the dongle may be asked at all.
func askable(d probe.Dongle) bool {
	return slices.ContainsFunc(d.Ports, func(p probe.ProbedPort) bool { return p.Skip == "" })
}

func (f *fleet) at(place string) *member {
	return f.first(func(m *member) bool { return m.place == place })
}

func (f *fleet) first(is func(*member) bool) *member {
	all := f.list()
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	return nil
}

// settle sees to it that the dongle at spec works under the number of the SIM in it: the one that
// the SIM has had before, in whatever dongle. Without a SIM it is a number of the dongle's own.
func (f *fleet) settle(ctx context.Context, spec probe.Spec, imsi string) {
	mine := f.at(spec.String())
	if mine != nil && mine.imsi == imsi {
		return
	}
	key := spec.String()
	if imsi != "" {
		key = "imsi:" + imsi
	}
	n, err := f.roster.Number(ctx, key)
	if err != nil {
		f.log.Error("a dongle gets no number", "dongle", spec.String(), "err", err)
		return
	}
	if other := f.first(func(m *member) bool { return m.SIM() == n }); other != nil && other != mine {
		if works(other.Status(), imsi) {
			f.log.Error("two dongles show the same SIM; the second is not used", "sim", n, "first", other.place, "second", spec.String())
			return
		}
		f.retire(ctx, other) // the SIM has left it
		nudge(f.looks)       // what is in it now needs a number
	}
	if mine != nil {
		f.retire(ctx, mine)
	}
	if ctx.Err() != nil {
		return
	}
	f.log.Info("dongle found", "sim", n, "dongle", spec.String())
	m := &member{place: spec.String(), bound: true, imsi: imsi}
	w := modem.Config{SIM: n, Port: m.place}
	f.plug(&w, m, spec, modem.DefaultBaud, nil)
	f.enlist(w, m)
	f.start(ctx, m)
}

// works reports whether a dongle is in use with that SIM.
func works(st modem.Status, imsi string) bool {
	switch st.State {
	case modem.StateReady, modem.StateNotRegistered, modem.StatePaused:
		return imsi != "" && st.IMSI == imsi
	}
	return false
}

// retire ends a worker, after the part in flight has its outcome.
func (f *fleet) retire(ctx context.Context, m *member) {
	if err := f.roster.Remove(ctx, m.SIM()); err != nil && ctx.Err() == nil {
		f.log.Error("a SIM is not taken out of use", "sim", m.SIM(), "err", err)
	}
	m.stop()
	<-m.ended
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members = slices.DeleteFunc(f.members, func(x *member) bool { return x == m })
}
