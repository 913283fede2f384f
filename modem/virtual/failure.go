package virtual

import (
	"fmt"
	"slices"
)

// Hang makes the firmware stop: from now on nothing is answered and nothing said, until the power
// is cut. What the network sends is still taken, as by the part of a stick that runs the radio.
func (d *Dongle) Hang() {
	d.lock()
	defer d.unlock()
	d.chatter.dead = true
}

// Reboot makes the stick boot of its own accord, as after +CFUN=1,1.
func (d *Dongle) Reboot() {
	d.lock()
	defer d.unlock()
	if d.plugged {
		d.reboot()
	}
}

// Stored are the TPDUs in a memory, SM, ME or SR, with their SCA, by place; the owner sees them
// whatever the stick lists. The caller may change them.
func (d *Dongle) Stored(memory string) (all [][]byte) {
	d.lock()
	defer d.unlock()
	m := d.store.named(memory)
	if m == nil {
		return nil
	}
	for _, place := range m.slots {
		if place.stored != nil {
			all = append(all, slices.Clone(place.raw))
		}
	}
	return all
}

// Keep puts what a telephone left on the card, or a user in the stick, into a memory: a TPDU with its
// SCA, as a message to be sent (TS 27.005 section 3.1, STO UNSENT). Nobody is told. The error says
// that there is no such memory, or no room in it.
func (d *Dongle) Keep(memory string, raw []byte) error {
	d.lock()
	defer d.unlock()
	m := d.store.named(memory)
	if m == nil {
		return fmt.Errorf("virtual: there is no memory %s", memory)
	}
	if _, ok := m.add(stoUnsent, arrival{raw: slices.Clone(raw)}); !ok {
		return fmt.Errorf("virtual: memory %s is full", memory)
	}
	return nil
}
