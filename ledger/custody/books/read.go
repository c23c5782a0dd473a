package books

import (
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// MaxDepth ends a walk up the containers, should a mistake in the rules ever make a cycle.
const MaxDepth = 64

// Lookup returns the record as stored.
func Lookup(v state.View, key gs1.Key) (Unit, bool) {
	r := readRecord(v, unitAt+key.String())
	if r == nil {
		return Unit{}, false
	}
	return r.unit(), true
}

// Inherit is what a thing takes on from the containers around it; chain is innermost first and begins with the thing. The
// result is to be read: it is the thing's own record if there is nothing around it.
func Inherit(chain []*Record) *Record {
	if len(chain) == 1 {
		return chain[0]
	}
	u, top := *chain[0], chain[len(chain)-1]
	u.Phase, u.Holder, u.Owner, u.To, u.Place, u.Shipment = top.Phase, top.Holder, top.Owner, top.To, top.Place, top.Shipment
	for _, c := range chain[1:] {
		u.Overlays |= c.Overlays
		if c.Since.Compare(u.Since) > 0 {
			u.Since = c.Since
		}
		// What befalls a container befalls its contents, but a number taken out of use is only that number.
		if u.State == Active && c.State != Decommissioned {
			u.State = c.State
		}
	}
	return &u
}

// ChainOf follows the containers of key; get returns nil for what has no record.
func ChainOf(key string, get func(string) *Record) []*Record {
	var chain []*Record
	for key != "" && len(chain) < MaxDepth {
		r := get(key)
		if r == nil {
			break
		}
		if chain == nil {
			if r.Parent == "" {
				r.self[0] = r
				return r.self[:]
			}
			chain = make([]*Record, 0, 4)
		}
		chain = append(chain, r)
		key = r.Parent
	}
	return chain
}

// Locate returns the record with place, holder, owner, phase and inherited overlays of its containers, and the chain of
// containers, innermost first. State, too, is inherited when a container was destroyed, dispensed, lost or stolen.
func Locate(v state.View, key gs1.Key) (u Unit, containers []gs1.Key, ok bool) {
	chain := ChainOf(key.String(), func(k string) *Record { return readRecord(v, unitAt+k) })
	if len(chain) == 0 {
		return Unit{}, nil, false
	}
	for _, c := range chain[1:] {
		containers = append(containers, MustKey(c.Key))
	}
	return Inherit(chain).unit(), containers, true
}

// Shipped is what one shipping event set on its way. What of it is still on its way, the units themselves say (Unit.Shipment).
type Shipped struct {
	From, To string
	Keys     []gs1.Key // as named by the event: the outermost containers and loose units
}

// ShipmentAt returns the shipment that the event at pos began.
func ShipmentAt(v state.View, pos canonical.Position) (Shipped, bool) {
	s, keys := readShipment(v, pos), ReadShipped(v, pos)
	if s == nil || len(keys) == 0 { // without keys it is the late record of what had been received
		return Shipped{}, false
	}
	out := Shipped{From: s.From, To: s.To}
	for _, k := range keys {
		out.Keys = append(out.Keys, MustKey(k))
	}
	return out, true
}

// Children lists the direct contents of a container in key order.
func Children(v state.View, parent gs1.Key, fn func(gs1.Key) bool) {
	ChildrenOf(v, parent.String(), func(child string) bool { return fn(MustKey(child)) })
}

// lotReader walks a lot. Units of a lot share containers and shipments, so it remembers those.
type lotReader struct {
	v          state.View
	containers map[string]*Record
	short      map[canonical.Position]bool
}

func newLotReader(v state.View) *lotReader {
	return &lotReader{v: v, containers: map[string]*Record{}, short: map[canonical.Position]bool{}}
}

func (l *lotReader) container(key string) *Record {
	c, ok := l.containers[key]
	if !ok {
		c = readRecord(l.v, unitAt+key)
		l.containers[key] = c
	}
	return c
}

// Names of the states of active units.
const (
	OnHand      = "on_hand"
	OnItsWay    = "in_transit"
	Unaccounted = "unaccounted" // missing of a shipment that has arrived
	Nowhere     = "unknown"     // nobody has it, by what is recorded
)

// UnitStates lists the names of states, as StateName gives them.
func UnitStates() []string {
	list := []string{OnHand, OnItsWay, Unaccounted}
	for _, s := range []UnitState{Dispensed, Destroyed, Decommissioned, Lost, Stolen} {
		list = append(list, s.String())
	}
	return append(list, Nowhere)
}

func (l *lotReader) stateName(u *Record) string {
	at := slotOf(u)
	if !at.moving() {
		return at.name(false)
	}
	short, ok := l.short[u.Shipment]
	if !ok {
		s := readShipment(l.v, u.Shipment)
		short = s != nil && s.Short
		l.short[u.Shipment] = short
	}
	return at.name(short)
}

// StateName is how lists and totals name the state of a unit that Locate returned.
func StateName(v state.View, u *Unit) string {
	return newLotReader(v).stateName(&Record{State: u.State, Phase: u.Phase, Holder: u.Holder, Shipment: u.Shipment})
}

func (l *lotReader) walk(g gs1.GTIN, lot string, fn func(u *Record, state string) bool) {
	at := lotAt + LGTIN(g.String(), lot) + nul
	unit := unitAt + "01" + g.String() + "21"
	// Records are read in the order in which they are stored: serials come in any.
	type listed struct {
		at   string
		born canonical.Position
	}
	const atOnce = 1 << 15
	var batch []listed
	goOn := true
	read := func() bool {
		slices.SortFunc(batch, func(a, b listed) int { return strings.Compare(a.at, b.at) })
		for _, x := range batch {
			r := readRecord(l.v, x.at)
			if r == nil {
				panic("books: lot names a unit without record: " + x.at)
			}
			if !r.inLot(lot, x.born) {
				continue
			}
			u := Inherit(append([]*Record{r}, ChainOf(r.Parent, l.container)...))
			if !fn(u, l.stateName(u)) {
				return false
			}
		}
		batch = batch[:0]
		return true
	}
	l.v.Scan(at, func(k string, b []byte) bool {
		pos := canonical.NewReader([]byte(k[len(at):]))
		list := canonical.NewReader(b)
		born := pos.Position()
		serials := ReadKeys(list)
		Damaged(pos, "lot "+at)
		Damaged(list, "lot "+at)
		for _, serial := range serials {
			batch = append(batch, listed{unit + serial, born})
		}
		if len(batch) < atOnce {
			return true
		}
		goOn = read()
		return goOn
	})
	if goOn {
		read()
	}
}

// LotUnits lists a lot's units, by birth and then, some ten thousand at a time, by serial, with their located record and state name.
func LotUnits(v state.View, g gs1.GTIN, lot string, fn func(u Unit, state string) bool) {
	newLotReader(v).walk(g, lot, func(u *Record, state string) bool { return fn(u.unit(), state) })
}

// LotExpiry is the expiry that the maker recorded with the first units of a lot, "" if there are none. It is no walk.
func LotExpiry(v state.View, g gs1.GTIN, lot string) (expiry string) {
	at := lotAt + LGTIN(g.String(), lot) + nul
	v.Scan(at, func(k string, b []byte) bool {
		pos := canonical.NewReader([]byte(k[len(at):]))
		list := canonical.NewReader(b)
		born := pos.Position()
		for _, serial := range ReadKeys(list) {
			if r := readRecord(v, unitAt+"01"+g.String()+"21"+serial); r != nil && r.inLot(lot, born) {
				expiry = r.Expiry
				return false
			}
		}
		return true
	})
	return expiry
}
