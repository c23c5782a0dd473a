package tracing

import (
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/custody"
)

// LotTotals is the answer to a recall query: where is every unit of this lot, now?
type LotTotals struct {
	GTIN         string       `json:"gtin"`
	Lot          string       `json:"lot"`
	Expiry       string       `json:"expiry,omitempty"`
	Product      *Product     `json:"product,omitempty"`
	Registered   *Lot         `json:"registered,omitempty" doc:"What the maker announced of the lot"`
	Recalls      []RecallView `json:"recalls,omitempty"`
	Commissioned uint64       `json:"commissioned"`
	Totals       []LotTotal   `json:"totals"`
	RestsOn      AsOf         `json:"restsOn"`
}

// Lot is registry.Lot as shown, with the names of the capture command.
type Lot struct {
	GTIN           string `json:"gtin"`
	Lot            string `json:"lot"`
	Expiry         string `json:"expiry"`
	Size           uint64 `json:"size,omitempty"`
	ManufacturedOn string `json:"manufacturedOn,omitempty"`
}

// LotTotal is one row.
type LotTotal struct {
	custody.Total
	Name string `json:"name,omitempty"`
}

// Lot counts every unit of a lot by the party that has it and its state; ErrNoLot if the ledger has
// no such lot.
func (s *Snapshot) Lot(g gs1.GTIN, lot string) (*LotTotals, error) {
	reg := s.registry()
	l := &LotTotals{GTIN: g.String(), Lot: lot, Totals: []LotTotal{}, RestsOn: s.AsOf()}
	if p, ok := reg.Product(g); ok {
		shown := Product(p)
		l.Product = &shown
	}
	known := false
	if rl, ok := reg.Lot(g, lot); ok {
		shown := Lot(rl)
		known, l.Registered, l.Expiry = true, &shown, rl.Expiry
	}
	for _, rc := range reg.Recalls(g, lot) {
		l.Recalls = append(l.Recalls, RecallView{Recall: Recall(rc.Recall), Party: rc.Party, Position: rc.Pos})
	}
	totals, commissioned := custody.LotTotals(s.View, g, lot)
	l.Commissioned = commissioned
	for _, t := range totals {
		row := LotTotal{Total: t}
		if p := s.party(t.Party); p != nil {
			row.Name = p.Name
		}
		l.Totals = append(l.Totals, row)
	}
	if !known && len(totals) == 0 {
		return nil, s.noLot(g)
	}
	if l.Expiry == "" {
		l.Expiry = custody.LotExpiry(s.View, g, lot)
	}
	return l, nil
}

// noLot says that there is no lot of that name, and whether there is its product.
func (s *Snapshot) noLot(g gs1.GTIN) error {
	if _, ok := s.registry().Product(g); !ok {
		return ErrNoProduct
	}
	return ErrNoLot
}

// LotUnit is one line of the unit list.
type LotUnit struct {
	Serial      string   `json:"serial"`
	DigitalLink string   `json:"digitalLink"`
	State       string   `json:"state"`
	Holder      string   `json:"holder,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	To          string   `json:"to,omitempty"`
	Place       string   `json:"place,omitempty"`
	Parent      string   `json:"parent,omitempty"`
	Overlays    []string `json:"overlays,omitempty"`
	Provisional bool     `json:"provisional,omitempty"`
}

// UnitFilter narrows a list of units. An empty member does not.
type UnitFilter struct {
	Holder string // a party id
	State  string // one of custody.UnitStates
	Loose  bool   // only units that are in no container
}

// Wants reports whether a unit belongs to the list.
func (f *UnitFilter) Wants(u *custody.Unit, state string) bool {
	return (f.Holder == "" || u.Holder == f.Holder) && (f.State == "" || state == f.State) && (!f.Loose || u.Parent.IsZero())
}

// LotUnitOf is a unit as a line of a list.
func LotUnitOf(u *custody.Unit, state string) LotUnit {
	l := LotUnit{
		Serial: u.Key.Serial(), DigitalLink: u.Key.DigitalLink(), State: state, Holder: u.Holder, Owner: u.Owner, To: u.To,
		Place: u.Place, Overlays: u.Overlays, Provisional: u.Provisional,
	}
	if !u.Parent.IsZero() {
		l.Parent = u.Parent.String()
	}
	return l
}

// LotUnits calls fn for every unit of a lot, until fn returns false; ErrNoLot if the ledger has no
// such lot.
func (s *Snapshot) LotUnits(g gs1.GTIN, lot string, fn func(u custody.Unit, state string) bool) error {
	some := false
	custody.LotUnits(s.View, g, lot, func(u custody.Unit, state string) bool {
		some = true
		return fn(u, state)
	})
	if _, announced := s.registry().Lot(g, lot); !some && !announced {
		return s.noLot(g)
	}
	return nil
}

// LotContainer is an outermost container that holds units of a lot.
type LotContainer struct {
	ID
	State    string    `json:"state" doc:"As the totals name it"`
	Holder   *PartyRef `json:"holder,omitempty"`
	To       *PartyRef `json:"to,omitempty"`
	Units    int       `json:"units" doc:"Units of the lot inside, at any depth"`
	Contents int       `json:"contents" doc:"Things directly inside"`
	Overlays []string  `json:"overlays,omitempty"`
}

// LotContainers are the outermost containers of a lot's units.
type LotContainers struct {
	Containers []LotContainer `json:"containers"`
	Total      int            `json:"total" doc:"How many there are; at most limit are listed"`
	LooseUnits int            `json:"looseUnits" doc:"Units that are in none"`
	RestsOn    AsOf           `json:"restsOn"`
}

// LotContainers lists at most limit outermost containers that hold units of a lot, of one holder
// or, if holder is empty, of all. ErrNoLot if the ledger has no such lot.
func (s *Snapshot) LotContainers(g gs1.GTIN, lot, holder string, limit int) (*LotContainers, error) {
	out := &LotContainers{Containers: []LotContainer{}, RestsOn: s.AsOf()}
	at := map[gs1.Key]int{}
	top := map[gs1.Key]gs1.Key{}
	some := false
	custody.LotUnits(s.View, g, lot, func(u custody.Unit, state string) bool {
		some = true
		if holder != "" && u.Holder != holder {
			return true
		}
		if u.Parent.IsZero() {
			if u.State == custody.Active {
				out.LooseUnits++
			}
			return true
		}
		outer, ok := top[u.Parent]
		if !ok {
			outer = u.Parent
			if _, around, ok := custody.Locate(s.View, u.Parent); ok && len(around) > 0 {
				outer = around[len(around)-1]
			}
			top[u.Parent] = outer
		}
		i, ok := at[outer]
		if !ok {
			i = len(at)
			at[outer] = i
			if i < limit {
				c := LotContainer{ID: idOf(outer), State: state, Holder: s.party(u.Holder), To: s.party(u.To)}
				if o, _, ok := custody.Locate(s.View, outer); ok {
					c.Overlays = o.Overlays
				}
				custody.Children(s.View, outer, func(gs1.Key) bool { c.Contents++; return true })
				out.Containers = append(out.Containers, c)
			}
		}
		if i < limit {
			out.Containers[i].Units++
		}
		return true
	})
	out.Total = len(at)
	if _, announced := s.registry().Lot(g, lot); !some && !announced {
		return nil, s.noLot(g)
	}
	return out, nil
}
