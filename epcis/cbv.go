package epcis

import (
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// Prefixes of the URNs of CBV.
const (
	StepPrefix        = vocabulary.StepPrefix
	DispositionPrefix = vocabulary.DispositionPrefix
	BTTPrefix         = vocabulary.BTTPrefix
	SDTPrefix         = vocabulary.SDTPrefix
	ReasonPrefix      = vocabulary.ReasonPrefix
)

// Business steps that DSCSA knows (docs/dscsa.md section 2).
const (
	StepCommissioning   = "commissioning"
	StepPacking         = "packing"
	StepUnpacking       = "unpacking"
	StepShipping        = "shipping"
	StepVoidShipping    = "void_shipping"
	StepReceiving       = "receiving"
	StepDispensing      = "dispensing"
	StepDecommissioning = "decommissioning"
	StepDestroying      = "destroying"
	StepHolding         = "holding"
	StepInspecting      = "inspecting"
	StepRepackaging     = "repackaging"
)

// Dispositions that DSCSA knows.
const (
	DispActive             = "active"
	DispInProgress         = "in_progress"
	DispInTransit          = "in_transit"
	DispInactive           = "inactive"
	DispDestroyed          = "destroyed"
	DispDispensed          = "dispensed"
	DispPartiallyDispensed = "partially_dispensed"
	DispReturned           = "returned"
	DispNonSellable        = "non_sellable_other"
	DispNoPedigreeMatch    = "no_pedigree_match" // quarantined for investigation: where it comes from could not be confirmed
	DispRecalled           = "recalled"
	DispDamaged            = "damaged"
	DispExpired            = "expired"
	DispStolen             = "stolen"
	DispUnknown            = "unknown"
)

// Types of sources, destinations and business transactions, and reasons of error declarations.
const (
	OwningParty     = "owning_party"
	PossessingParty = "possessing_party"
	Location        = "location"

	PurchaseOrder       = "po"
	Invoice             = "inv"
	DespatchAdvice      = "desadv"
	ReturnAuthorization = "rma"

	DidNotOccur   = "did_not_occur"
	IncorrectData = "incorrect_data"
)

// Steps returns the business steps of CBV, sorted.
func Steps() []string { return slices.Clone(vocabulary.Steps) }

// Dispositions returns the dispositions of CBV.
func Dispositions() []string { return slices.Clone(vocabulary.Dispositions) }

// KnownStep reports whether a bizStep is in CBV.
func KnownStep(s string) bool { return TermBizStep.Known(s) }

// KnownDisposition reports whether a disposition is in CBV.
func KnownDisposition(s string) bool { return TermDisposition.Known(s) }

// NearestStep returns the CBV step that s was probably meant to be, "" when none is near.
func NearestStep(s string) string { return TermBizStep.Nearest(s) }

// NearestDisposition does the same for dispositions.
func NearestDisposition(s string) string { return TermDisposition.Nearest(s) }

// Nearest returns the word that s was probably meant to be, "" when none is near.
func Nearest(s string, words []string) string { return nearest(s, words) }

// nearest returns the word with the fewest edits, if they are few for its length.
func nearest(s string, words []string) string {
	if len(s) > 64 {
		return ""
	}
	best, least := "", 1<<30
	for _, w := range words {
		if w == "" {
			continue
		}
		if d := distance(vocabulary.Lower(s), vocabulary.Lower(w)); d < least && d <= max(2, len(w)/3) {
			best, least = w, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Namespaces that extensions of pharmaceutical events have.
const (
	// NamespaceHC is GS1 US Healthcare's, usually written gs1ushc (epcis.md section 7).
	NamespaceHC = "http://epcis.gs1us.org/hc/ns"
	// NamespaceMDA is CBV master data as XML writes it. It has two more spellings: see IsMDA.
	NamespaceMDA = "urn:epcglobal:cbv:mda"
)

// IsMDA reports whether a namespace is CBV master data, which has three spellings (epcis.md section 2.5).
func IsMDA(namespace string) bool {
	if !strings.HasPrefix(namespace, NamespaceMDA) {
		return false
	}
	rest := namespace[len(NamespaceMDA):]
	return rest == "" || rest == ":" || rest == "#"
}

// IsJudgedILMD reports whether an ILMD element of this name is one that Lot or Expiry reads.
func IsJudgedILMD(namespace, name string) bool {
	return (name == vocabulary.LotNumber || name == vocabulary.ExpirationDate) && (IsMDA(namespace) || namespace == NamespaceHC)
}

func isILMD(x *Extension, name string) bool {
	return x.Name == name && (IsMDA(x.Namespace) || x.Namespace == NamespaceHC)
}

func (e *Event) ilmd(name string) string {
	for i := range e.ILMD {
		if isILMD(&e.ILMD[i], name) {
			return strings.Trim(e.ILMD[i].Text, xsd.Blank)
		}
	}
	return ""
}

// Lot is the lot number of the event's ILMD, "" when it has none.
func (e *Event) Lot() string { return e.ilmd(vocabulary.LotNumber) }

// Expiry is the expiration date of the event's ILMD as captured, "" when it has none.
func (e *Event) Expiry() string { return e.ilmd(vocabulary.ExpirationDate) }

// ExpiryDate is Expiry as a date; an event that passed Check has a date or nothing there.
func (e *Event) ExpiryDate() (d gs1.Date, ok bool) {
	d, err := gs1.ParseDate(e.Expiry())
	return d, err == nil
}

// Step is the name of the business step.
func (e *Event) Step() string { return TermBizStep.Word(e.BizStep) }

// Source is the first source of a type, given as OwningParty, PossessingParty or Location.
func (e *Event) Source(kind string) string { return findTyped(e.SourceList, kind) }

// Destination is the first destination of a type.
func (e *Event) Destination(kind string) string { return findTyped(e.DestinationList, kind) }

func findTyped(list []SourceDest, kind string) string {
	for _, s := range list {
		if TermSourceDest.Word(s.Type) == kind {
			return s.Value
		}
	}
	return ""
}

// BizTransaction is the first business transaction of a type, for example PurchaseOrder.
func (e *Event) BizTransaction(kind string) string {
	for _, t := range e.BizTransactionList {
		if TermBizTransaction.Word(t.Type) == kind {
			return t.Value
		}
	}
	return ""
}

// EPCs calls fn for every EPC the event names, in the order of docs/spec.md section 4.3, until fn returns false.
// list is the number of the list there.
func (e *Event) EPCs(fn func(list int, epc string) bool) {
	for _, l := range [...]struct {
		list int
		epcs []string
	}{{1, e.EPCList}, {2, e.parent()}, {3, e.ChildEPCs}, {4, e.InputEPCList}, {5, e.OutputEPCList}} {
		for _, epc := range l.epcs {
			if !fn(l.list, epc) {
				return
			}
		}
	}
}

func (e *Event) parent() []string {
	if e.ParentID == "" {
		return nil
	}
	return []string{e.ParentID}
}
