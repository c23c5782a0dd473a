package epcisrest

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// Namespace of what this service adds to events that are not answered whole.
const Namespace = "urn:verilot:epcis:"

// hiddenField counts the identifiers of an event that its reader may not see. It is an extension of the event.
const hiddenField = "hidden"

// sealedField names, in an extension of the event, the fields that are left out of it because all that is in them is sealed.
const sealedField = "sealed"

// SealedPrefix begins the value that stands for a sealed one: the rest is its commitment, hex. Value and salt
// together prove that it stands for them.
const SealedPrefix = "urn:verilot:sealed:"

// visibility decides which events and identifiers one caller may see, over one state of the ledger.
// It is not safe for concurrent use.
type visibility struct {
	caller Caller
	view   state.View
	reg    registry.Registry
	// lookups counts objects whose holder was looked up: what one answer may cost.
	lookups int
	holders map[gs1.Key]bool
	places  map[string]bool
}

func newVisibility(caller Caller, v state.View) *visibility {
	return &visibility{caller: caller, view: v, reg: registry.Registry{View: v}, holders: map[gs1.Key]bool{}, places: map[string]bool{}}
}

// see returns what the caller may know of an event, or nil, the event as a whole, and how many identifiers of it are hidden. Queries are
// matched against the first, so that nothing is learnt from what matches.
func (v *visibility) see(submitter string, it *wire.Item) (seen, whole *epcis.Event, hidden int) {
	ev, ok := it.Message.(*epcis.Event)
	if !ok {
		return nil, nil, 0
	}
	ev = unsealed(it, ev)
	switch {
	case v.caller.All, v.caller.Party != "" && (submitter == v.caller.Party || v.named(ev)):
		return ev, ev, 0
	case v.caller.Party == "":
		return nil, ev, 0
	}
	seen, hidden = v.cut(ev, it.Committed.Units)
	return seen, ev, hidden
}

// named reports whether an event names the caller as a party or takes place at one of its places.
func (v *visibility) named(ev *epcis.Event) bool {
	for _, list := range [][]epcis.SourceDest{ev.SourceList, ev.DestinationList} {
		for i := range list {
			if v.isCallers(list[i].Value) {
				return true
			}
		}
	}
	return ev.ReadPoint != nil && v.isCallers(ev.ReadPoint.ID) || ev.BizLocation != nil && v.isCallers(ev.BizLocation.ID)
}

// isCallers reports whether an identifier of a party or place is the caller's.
func (v *visibility) isCallers(id string) bool {
	yes, ok := v.places[id]
	if !ok {
		if epc, err := gs1.ParseEPC(id); err == nil {
			if gln, is := epc.Key().GLN(); is {
				party, known := v.reg.PartyOfGLN(gln.String())
				yes = known && party == v.caller.Party
			}
		}
		if len(v.places) < 10_000 {
			v.places[id] = yes
		}
	}
	return yes
}

// holds reports whether an object is the caller's now.
func (v *visibility) holds(key gs1.Key) bool {
	held, ok := v.holders[key]
	if !ok {
		v.lookups++
		u, _, known := custody.Locate(v.view, key)
		held = known && u.Holder == v.caller.Party
		if len(v.holders) < 100_000 {
			v.holders[key] = held
		}
	}
	return held
}

// cut leaves of an event the objects that the caller holds now; nil if there are none. Class-level quantities are other goods, and
// go with the rest.
func (v *visibility) cut(ev *epcis.Event, units []commit.Unit) (seen *epcis.Event, hidden int) {
	keep := map[string]bool{}
	for i := range units {
		if v.holds(units[i].Key) {
			keep[units[i].Form] = true
		}
	}
	if len(keep) == 0 {
		return nil, 0
	}
	out := *ev
	cut := func(list []string) []string {
		var left []string
		for _, epc := range list {
			if keep[epc] {
				left = append(left, epc)
			} else {
				hidden++
			}
		}
		return left
	}
	out.EPCList, out.ChildEPCs = cut(ev.EPCList), cut(ev.ChildEPCs)
	out.InputEPCList, out.OutputEPCList = cut(ev.InputEPCList), cut(ev.OutputEPCList)
	if ev.ParentID != "" && !keep[ev.ParentID] {
		hidden++
		out.ParentID = ""
	}
	for _, list := range []*[]epcis.Quantity{&out.QuantityList, &out.ChildQuantityList, &out.InputQuantityList, &out.OutputQuantityList} {
		hidden += len(*list)
		*list = nil
	}
	return &out, hidden
}

// hiddenID stands for what is hidden where nothing at all would mean something else: an aggregation that names no children ends for
// all of them. It is another one in every event, so that no two hidden things look like one.
func hiddenID(pos canonical.Position) string {
	return fmt.Sprintf("urn:verilot:hidden:%d-%d-%d", pos.Height, pos.Entry, pos.Item)
}

// mark says in an event how much of it is hidden, and keeps its shape.
func mark(seen, whole *epcis.Event, hidden int, pos canonical.Position) *epcis.Event {
	if hidden == 0 {
		return seen
	}
	out := *seen
	id := hiddenID(pos)
	if whole.ParentID != "" && out.ParentID == "" {
		out.ParentID = id
	}
	for _, list := range []struct {
		left *[]string
		had  int
	}{
		{&out.EPCList, len(whole.EPCList) + len(whole.QuantityList)},
		{&out.ChildEPCs, len(whole.ChildEPCs) + len(whole.ChildQuantityList)},
		{&out.InputEPCList, len(whole.InputEPCList) + len(whole.InputQuantityList)},
		{&out.OutputEPCList, len(whole.OutputEPCList) + len(whole.OutputQuantityList)},
	} {
		if list.had > 0 && len(*list.left) == 0 {
			*list.left = []string{id}
		}
	}
	out.Extensions = append(slices.Clip(out.Extensions), epcis.Extension{Namespace: Namespace, Name: hiddenField, Type: epcis.Number, Text: strconv.Itoa(hidden)})
	return &out
}

// unsealed puts a stand-in where a value is sealed: an event must not look as if it had been captured without. Where the standard
// wants a number or a time no stand-in fits: the field is left out, and an extension names it.
func unsealed(it *wire.Item, ev *epcis.Event) *epcis.Event {
	if len(it.Sealed) == 0 {
		return ev
	}
	known := make([]commit.SealedValue, 0, len(it.Sealed))
	sensors := false
	for _, s := range it.Sealed {
		path, err := commit.ParsePath(s.Path)
		if err != nil {
			continue
		}
		switch path[0].N {
		case wire.FieldRecordTime, wire.FieldGivenEventID: // the ledger's own stand in their places
			continue
		case wire.FieldSensorElementList:
			sensors = true
			continue
		}
		if wire.IsGiven(path) || path[len(path)-1].Namespace == schemaInstance {
			continue
		}
		known = append(known, commit.SealedValue{Path: s.Path, Type: commit.Text, Text: SealedPrefix + hex.EncodeToString(s.ValueHash[:])})
	}
	message, err := wire.Unseal(it, known)
	if err != nil {
		return ev // a sealed value without a place in the message: nothing to show
	}
	out, ok := message.(*epcis.Event)
	if !ok {
		return ev
	}
	untyped(out.ILMD)
	untyped(out.Extensions)
	for _, p := range []*epcis.Place{out.ReadPoint, out.BizLocation} {
		if p != nil {
			untyped(p.Extensions)
		}
	}
	if out.ErrorDeclaration != nil {
		untyped(out.ErrorDeclaration.Extensions)
	}
	if sensors {
		out.SensorElementList = nil
		out.Extensions = append(out.Extensions, epcis.Extension{Namespace: Namespace, Name: sealedField, Type: epcis.Text, Text: "sensorElementList"})
	}
	return out
}

// schemaInstance is the namespace of xsi:type and xsi:nil, for whose values nothing can stand.
const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

// untyped takes attributes of XML Schema out whose value is sealed.
func untyped(list []epcis.Extension) {
	for i := range list {
		x := &list[i]
		x.Attributes = slices.DeleteFunc(x.Attributes, func(a epcis.Extension) bool {
			return a.Namespace == schemaInstance && a.Type == epcis.NoValue
		})
		untyped(x.Attributes)
		untyped(x.Children)
	}
}

// WithoutSealed is an event of an answer without what stands for sealed values.
func WithoutSealed(ev epcis.Event) epcis.Event {
	stands := func(text string) bool { return strings.HasPrefix(text, SealedPrefix) }
	ev.BizTransactionList = slices.DeleteFunc(ev.BizTransactionList, func(t epcis.BizTransaction) bool { return stands(t.Value) })
	ev.CertificationInfo = slices.DeleteFunc(ev.CertificationInfo, stands)
	if stands(ev.TransformationID) {
		ev.TransformationID = ""
	}
	if d := ev.PersistentDisposition; d != nil {
		d.Set, d.Unset = slices.DeleteFunc(d.Set, stands), slices.DeleteFunc(d.Unset, stands)
		if len(d.Set)+len(d.Unset) == 0 {
			ev.PersistentDisposition = nil
		}
	}
	var without func(list []epcis.Extension) []epcis.Extension
	without = func(list []epcis.Extension) []epcis.Extension {
		for i := range list {
			list[i].Attributes, list[i].Children = without(list[i].Attributes), without(list[i].Children)
		}
		return slices.DeleteFunc(list, func(x epcis.Extension) bool { return x.Namespace == Namespace || stands(x.Text) })
	}
	ev.ILMD, ev.Extensions = without(ev.ILMD), without(ev.Extensions)
	for _, p := range []*epcis.Place{ev.ReadPoint, ev.BizLocation} {
		if p != nil {
			p.Extensions = without(p.Extensions)
		}
	}
	return ev
}
