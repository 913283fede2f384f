package bird

import "dongled/scheduler/store"

// Store is the store that the room is in.
func (d *Dialect) Store() *store.Store { return d.store }
