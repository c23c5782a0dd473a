package epcis

import (
	"crypto/sha256"
	"hash/maphash"

	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
)

// eventIDs knows what each event id of a document stands for. Ids and contents are hashed: a document of 100,000 events
// takes a few megabytes.
type eventIDs struct {
	seed maphash.Seed
	seen map[[16]byte]uint64
}

// eventID reports an event that has the id of another event of the document. The same event twice is none, and what
// declares an event wrong carries its id.
func (c *Checker) eventID(e *Event, fault tell) {
	if e.EventID == "" || e.ErrorDeclaration != nil {
		return
	}
	if c.events.seen == nil {
		c.events = eventIDs{maphash.MakeSeed(), map[[16]byte]uint64{}}
	}
	sum := sha256.Sum256([]byte(e.EventID))
	id, content := [16]byte(sum[:16]), c.events.content(e)
	before, ok := c.events.seen[id]
	switch {
	case !ok:
		c.events.seen[id] = content
	case before != content:
		fault(CodeEventIDRepeated, field.EventID, "another event of the document has the id "+excerpt.Quote(e.EventID), "give every event an id of its own")
	}
}

// content sums up what an event says.
func (ids *eventIDs) content(e *Event) uint64 {
	var h maphash.Hash
	h.SetSeed(ids.seed)
	texts := func(list ...string) {
		for _, s := range list {
			_, _ = h.WriteString(s)
			_ = h.WriteByte(0xff) // in no UTF-8 text
		}
		_ = h.WriteByte(0xfe)
	}
	place := func(p *Place) {
		if p == nil {
			p = &Place{}
		}
		texts(p.ID)
	}
	texts(e.Type, e.Action, e.EventTime, e.EventTimeZoneOffset, e.TransformationID, e.BizStep, e.Disposition, e.ParentID, e.Lot(), e.Expiry())
	place(e.ReadPoint)
	place(e.BizLocation)
	for _, list := range [][]string{e.EPCList, e.ChildEPCs, e.InputEPCList, e.OutputEPCList} {
		texts(list...)
	}
	for _, t := range e.BizTransactionList {
		texts(t.Type, t.Value)
	}
	for _, list := range [][]SourceDest{e.SourceList, e.DestinationList} {
		for _, sd := range list {
			texts(sd.Type, sd.Value)
		}
		texts()
	}
	for _, list := range [][]Quantity{e.QuantityList, e.ChildQuantityList, e.InputQuantityList, e.OutputQuantityList} {
		for _, q := range list {
			texts(q.EPCClass, q.Quantity, q.UOM)
		}
		texts()
	}
	return h.Sum64()
}
