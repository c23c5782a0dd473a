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
	party, err = partyOf(id, dir)
	return party, id, err
}

// partyOf returns the party of an SGLN or PGLN as captured, "" if it is nobody's.
func partyOf(id string, dir Directory) (string, error) {
	if id == "" {
		return "", nil
	}
	epc, err := gs1.ParseEPC(id)
	if err != nil {
		return "", err
	}
	gln, ok := epc.Key().GLN()
	if !ok {
		return "", nil
	}
	party, _ := dir.PartyOfGLN(gln.String())
	return party, nil
}
