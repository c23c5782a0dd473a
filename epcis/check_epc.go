package epcis

import (
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
)

// movements are the steps of CBV that make, move, pack and end single things. Where DSCSA knows the step, an event that
// names a class of things, or a place, in a list of things is refused by those who apply its rules (docs/spec.md section
// 14.3, step 11), whatever the schema of EPCIS takes.
var movements = map[string][]string{
	"ObjectEvent": {
		StepCommissioning, StepShipping, StepVoidShipping, StepReceiving, StepDispensing, StepDecommissioning, StepDestroying,
		StepHolding, StepInspecting, "accepting", "storing", "stocking", "cycle_counting", "stock_taking",
	},
	"AggregationEvent": {StepPacking, StepUnpacking, "loading", "unloading"},
}

func judged(e *Event) bool {
	return e.ErrorDeclaration == nil && e.BizStep != "" && slices.Contains(movements[e.Type], e.Step())
}

// single reports an identifier in a list of things that names no single thing, or that only looks like one of GS1.
func (c *Checker) single(id field.ID, item int, s string, k gs1.Key, report report) {
	switch kind := k.Kind(); {
	case kind == gs1.KindURI:
		if m := c.lookalike(s, k); m != "" {
			report(SeverityError, CodeEPCInvalid, id, item, lookalikeMessage(s), wasMeant(m))
		}
	case kind == gs1.KindGTIN, kind == gs1.KindLGTIN, strings.HasPrefix(s, "urn:epc:idpat:"):
		report(c.class, CodeEPCClass, id, item, excerpt.Quote(s)+" names a class of things, not one thing", "list serialised things here, and classes in "+quantityList[id])
	case c.class == SeverityError && (kind == gs1.KindSGLN || kind == gs1.KindPGLN):
		report(c.class, CodeEPCClass, id, item, excerpt.Quote(s)+" names a place or party, not a thing", "list serialised things here, and places in readPoint and bizLocation")
	}
}

var quantityList = [field.Count]string{
	field.EPCList: "quantityList", field.ParentID: "childQuantityList of another event", field.ChildEPCs: "childQuantityList",
	field.InputEPCList: "inputQuantityList", field.OutputEPCList: "outputQuantityList",
}

// lookalike returns the GS1 identifier that a private URI was probably meant to be, "" for any other.
func (c *Checker) lookalike(s string, k gs1.Key) string {
	if k.Kind() != gs1.KindURI {
		return ""
	}
	return gs1.Meant(s)
}

func lookalikeMessage(s string) string {
	return excerpt.Quote(s) + " looks like an identifier of GS1, but is none"
}

func wasMeant(m string) string { return "was " + excerpt.Clip(m) + " meant?" }

// correct is what to do about an identifier that cannot be read.
func correct(s string) string {
	if m := gs1.Meant(s); m != "" {
		return wasMeant(m)
	}
	return "correct the identifier"
}
