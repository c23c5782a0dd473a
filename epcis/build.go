package epcis

import (
	"slices"
	"strings"

	"verilot.dev/epcis/internal/vocabulary"
)

// The events of docs/dscsa.md section 2, as a partner would write them: CBV terms are URNs, because 1.2 knows nothing
// else. Nothing is checked here; Check does that. Slices given are copied.

// At is when and where something happened. A place left empty is left out.
type At struct {
	Time, Offset           string // eventTime, eventTimeZoneOffset
	ReadPoint, BizLocation string
}

func (at At) event(kind, action, step, disposition string) Event {
	e := Event{
		Type: kind, EventTime: at.Time, EventTimeZoneOffset: at.Offset, Action: action,
		BizStep: StepPrefix + step, Disposition: DispositionPrefix + disposition,
	}
	if at.ReadPoint != "" {
		e.ReadPoint = &Place{ID: at.ReadPoint}
	}
	if at.BizLocation != "" {
		e.BizLocation = &Place{ID: at.BizLocation}
	}
	return e
}

func (at At) object(action, step, disposition string, epcs []string) Event {
	e := at.event("ObjectEvent", action, step, disposition)
	e.EPCList = slices.Clone(epcs)
	return e
}

func (at At) aggregation(action, step, parent string, children []string) Event {
	e := at.event("AggregationEvent", action, step, DispInProgress)
	e.ParentID, e.ChildEPCs = parent, slices.Clone(children)
	return e
}

// Commission brings units of one lot, or with empty lot and expiry containers, into being.
func Commission(at At, epcs []string, lot, expiry string) Event {
	e := at.object("ADD", StepCommissioning, DispActive, epcs)
	if lot != "" {
		e.ILMD = append(e.ILMD, Extension{Namespace: NamespaceMDA, Name: vocabulary.LotNumber, Type: Text, Text: lot})
	}
	if expiry != "" {
		e.ILMD = append(e.ILMD, Extension{Namespace: NamespaceMDA, Name: vocabulary.ExpirationDate, Type: Text, Text: expiry})
	}
	return e
}

// Pack puts children into a container.
func Pack(at At, parent string, children []string) Event {
	return at.aggregation("ADD", StepPacking, parent, children)
}

// Unpack takes children out of a container; without children, all of them.
func Unpack(at At, parent string, children []string) Event {
	return at.aggregation("DELETE", StepUnpacking, parent, children)
}

// Shipment says between whom goods change hands. What is left empty is left out.
type Shipment struct {
	SourceOwner, SourceLocation           string
	DestinationOwner, DestinationLocation string
	Documents                             []BizTransaction // see BusinessDocument
	DropShipment                          bool
}

func (s Shipment) in(e Event) Event {
	side := func(owner, location string) (list []SourceDest) {
		if owner != "" {
			list = append(list, SourceDest{SDTPrefix + OwningParty, owner})
		}
		if location != "" {
			list = append(list, SourceDest{SDTPrefix + Location, location})
		}
		return list
	}
	e.SourceList = side(s.SourceOwner, s.SourceLocation)
	e.DestinationList = side(s.DestinationOwner, s.DestinationLocation)
	e.BizTransactionList = slices.Clone(s.Documents)
	return e
}

// BusinessDocument names a document by its type, for example PurchaseOrder, the GLN under which it is numbered, and
// its number. A purchase order stands under the buyer's GLN, a despatch advice under the seller's.
func BusinessDocument(kind, gln, number string) BizTransaction {
	return BizTransaction{Type: BTTPrefix + kind, Value: "urn:epcglobal:cbv:bt:" + gln + ":" + number}
}

// Ship sends the outermost containers and loose units away. A shipment has no bizLocation.
func Ship(at At, epcs []string, s Shipment) Event {
	at.BizLocation = ""
	e := s.in(at.object("OBSERVE", StepShipping, DispInTransit, epcs))
	drop := "false"
	if s.DropShipment {
		drop = "true"
	}
	e.Extensions = []Extension{{Namespace: NamespaceHC, Name: "dropShipment", Type: Text, Text: drop}}
	return e
}

// VoidShip says that some of what was shipped did not go.
func VoidShip(at At, epcs []string, s Shipment) Event {
	return s.in(at.object("OBSERVE", StepVoidShipping, DispInProgress, epcs))
}

// Receive takes delivery of what was scanned; s repeats the shipment.
func Receive(at At, epcs []string, s Shipment) Event {
	return s.in(at.object("OBSERVE", StepReceiving, DispInProgress, epcs))
}

// ShipReturn sends goods back under a return authorization of the former seller, whose GLN numbers it.
func ShipReturn(at At, epcs []string, s Shipment, gln, authorization string) Event {
	s.Documents = append(slices.Clone(s.Documents), BusinessDocument(ReturnAuthorization, gln, authorization))
	return Ship(at, epcs, s)
}

// ReceiveReturn takes goods back under that authorization.
func ReceiveReturn(at At, epcs []string, s Shipment, gln, authorization string) Event {
	s.Documents = append(slices.Clone(s.Documents), BusinessDocument(ReturnAuthorization, gln, authorization))
	e := Receive(at, epcs, s)
	e.Disposition = DispositionPrefix + DispReturned
	return e
}

// Dispense gives units, or part of what is in them, to patients. Never put patient data into an event.
func Dispense(at At, epcs []string, partly bool) Event {
	disposition := DispDispensed
	if partly {
		disposition = DispPartiallyDispensed
	}
	return at.object("OBSERVE", StepDispensing, disposition, epcs)
}

// Decommission retires identifiers for ever.
func Decommission(at At, epcs []string) Event {
	return at.object("DELETE", StepDecommissioning, DispInactive, epcs)
}

// Destroy reports destruction.
func Destroy(at At, epcs []string) Event {
	return at.object("DELETE", StepDestroying, DispDestroyed, epcs)
}

// Hold takes goods out of sale. disposition says why; empty is non_sellable_other.
func Hold(at At, epcs []string, disposition string) Event {
	if disposition == "" {
		disposition = DispNonSellable
	}
	return at.object("OBSERVE", StepHolding, disposition, epcs)
}

// Withdraw declares an event an error: the same event again, with the declaration (epcis.md section 2.6). reason is
// DidNotOccur, IncorrectData or a URI.
func Withdraw(e Event, declared, reason string, corrective ...string) Event {
	if !strings.Contains(reason, ":") {
		reason = ReasonPrefix + reason
	}
	e.RecordTime = ""
	e.ErrorDeclaration = &ErrorDeclaration{DeclarationTime: declared, Reason: reason, CorrectiveEventIDs: slices.Clone(corrective)}
	return e
}
