package custody

import (
	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
)

// A Directory finds the party that a GLN belongs to. registry.Registry is one.
type Directory interface {
	PartyOfGLN(gln string) (party string, ok bool)
}

// Actor returns the party that performed ev, and the identifier in ev that says so. It is the owner named as destination
// (receiving) or as source (shipping, void_shipping), otherwise the party of the business location, then of the read point.
//
// id is empty if the event names none of these; party is empty if id belongs to no party in dir. In both cases the publisher
// counts as the actor. The error is that of an identifier that cannot be read.
func Actor(ev *epcis.Event, dir Directory) (party, id string, err error) {
	id = actorID(ev)
	n := names{dir: dir}
	party, err = n.party(id)
	return party, id, err
}

// actorID is the identifier in ev that says who performed it.
func actorID(ev *epcis.Event) (id string) {
	switch ev.Step() {
	case epcis.StepReceiving:
		id = ev.Destination(epcis.OwningParty)
	case epcis.StepShipping, epcis.StepVoidShipping:
		id = ev.Source(epcis.OwningParty)
	}
	for _, p := range []*epcis.Place{ev.BizLocation, ev.ReadPoint} {
		if id == "" && p != nil {
			id = p.ID
		}
	}
	return id
}

// names are the identifiers of an event's places and parties, each read and looked up once: the rules ask for them many
// times. Of an event that has more than a few, the others are read each time.
type names struct {
	dir  Directory
	list [6]name
	used int
}

// name is an identifier as captured, and what it says.
type name struct {
	id  string
	key gs1.Key
	err error

	asked bool // for its party
	party string
}

func (n *names) read(id string) *name {
	for i := range n.used {
		if n.list[i].id == id {
			return &n.list[i]
		}
	}
	x := &name{}
	if n.used < len(n.list) {
		x = &n.list[n.used]
		n.used++
	}
	x.id = id
	epc, err := gs1.ParseEPC(id)
	if x.err = err; err == nil {
		x.key = epc.Key()
	}
	return x
}

// party returns the party of an SGLN or PGLN as captured, "" if it is nobody's.
func (n *names) party(id string) (string, error) {
	if id == "" {
		return "", nil
	}
	x := n.read(id)
	if x.err != nil || x.asked {
		return x.party, x.err
	}
	x.asked = true
	if gln, ok := x.key.GLN(); ok {
		x.party, _ = n.dir.PartyOfGLN(gln.String())
	}
	return x.party, nil
}

// keyText is the key text of an identifier as captured; what does not parse stands for itself.
func (n *names) keyText(id string) string {
	if id == "" {
		return ""
	}
	if x := n.read(id); x.err == nil {
		return x.key.String()
	}
	return clip("uri:" + id)
}
