package wire

import (
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/ledger/commit"
)

// An Opening is a field that a trading partner leaves open: everybody on the network reads it, for ever. Every other
// field of a document header or event is sealed before it leaves the submitter. docs/private.md shows this table.
type Opening struct {
	Kind  uint8
	Field string // in the words of item.proto, without indexes
	When  string // which values of it; "": all
	Why   string // the rule, query or screen that reads it

	at    []uint32                                                    // field numbers, up to the name of an extension
	holds func(it *Item, path []commit.Segment, f *commit.Field) bool // When; nil: all, but nothing of an extension
}

// Openings is the whole table, in the order of the fields. It is a copy.
func Openings() []Opening { return slices.Clone(openings) }

// eventIDs is when the id of an event stands on the ledger as it was given.
const eventIDs = "random ones and CBV hashes that cover nothing sealed; for others an id stands in that says nothing"

var openings = openingTable()

func openingTable() []Opening {
	const (
		rules      = "custody rules (spec.md section 14)"
		persistent = "EPCIS queries: `EQ_persistentDisposition_set`, `_unset`"
		lists      = "EPCIS queries by class and quantity"
		master     = "EPCIS queries by master data (`WD_`, `EQATTR_`, `HASATTR_`)"
		published  = master + "; registrations of places and products hold the same"
	)
	header := func(why, when string, holds func(*Item, []commit.Segment, *commit.Field) bool, at ...uint32) Opening {
		return Opening{Kind: KindDocumentHeader, When: when, Why: why, at: at, holds: holds}
	}
	event := func(why string, at ...uint32) Opening { return Opening{Kind: KindEvent, Why: why, at: at} }
	only := func(when string, holds func(*Item, []commit.Segment, *commit.Field) bool, o Opening) Opening {
		o.When, o.holds = when, holds
		return o
	}
	table := []Opening{
		header(master, "in a vocabulary of CBV", inVocabulary, 5, 2, 1),
		header(published, "in a vocabulary of CBV, of an attribute that a registration has", isPublished, 5, 2, 2, 1),
		header(published, "in a vocabulary of CBV, of an attribute that a registration has", isPublished, 5, 2, 2, 2),
		header(master, "in a vocabulary of CBV", inVocabulary, 5, 2, 3),
		header("the seller's statement of FD&C Act section 581(27): a regulator reads it without asking the seller", "`true` or `false`", isBoolean, 8),
		event(rules, FieldType),
		event(rules, FieldEventTime),
		event(rules, FieldEventTimeZoneOffset),
		{Kind: KindEvent, When: eventIDs, Why: rules + ": one id, one event", at: []uint32{FieldEventID}, holds: always},
		event("EPCIS queries: `GE_errorDeclarationTime`", FieldErrorDeclaration, 1),
		only("a word of CBV", isReason, event("EPCIS queries: `EQ_errorReason`", FieldErrorDeclaration, 2)),
		{Kind: KindEvent, When: "random ones; for others an id stands in that says nothing", Why: "EPCIS queries: `EQ_correctiveEventID`", at: []uint32{FieldErrorDeclaration, correctiveIDs}, holds: always},
		event(rules, FieldAction),
		event(rules, FieldBizStep),
		event(rules, FieldDisposition),
		only("a word of CBV", isDisposition, event(persistent, FieldPersistentDisposition, 1)),
		only("a word of CBV", isDisposition, event(persistent, FieldPersistentDisposition, 2)),
		event(rules, FieldReadPoint, 1),
		event(rules, FieldBizLocation, 1),
		event(rules, FieldBizTransactionList, 1),
		only("of type `rma`", isAuthorisation, event(rules+": a return authorisation is compared", FieldBizTransactionList, 2)),
	}
	for _, list := range []uint32{FieldQuantityList, FieldChildQuantityList, FieldInputQuantityList, FieldOutputQuantityList} {
		table = append(table, event(lists, list, 1), event(lists, list, 2), event(lists, list, 3))
	}
	for _, list := range []uint32{FieldSourceList, FieldDestinationList} {
		table = append(table, event(rules, list, 1), event(rules, list, 2))
	}
	table = append(table,
		only("value of `lotNumber` and `itemExpirationDate` of CBV and GS1 US Healthcare", isJudgedILMD, event(rules+"; trace", FieldILMD)),
		only("`dropShipment` of GS1 US Healthcare, `true` or `false`", isDropShipment, event("shipments of a party", FieldExtensions)),
	)
	for n := FieldEPCList; n <= FieldOutputEPCList; n++ {
		table = append(table, event(rules, n))
	}
	for i := range table {
		table[i].Field = fieldName(table[i].Kind, table[i].at)
	}
	return table
}

func fieldName(kind uint8, at []uint32) string {
	p := commit.Path("")
	for _, n := range at {
		p = p.Field(n)
	}
	return PathName(kind, p)
}

// DefaultSealed selects what a trading partner seals unless it decides otherwise: of document headers and events, all
// that is not in the table of openings. Registrations seal nothing. SealIDs does the rest.
func DefaultSealed(it *Item) func(commit.Field) bool {
	if it.Kind != KindDocumentHeader && it.Kind != KindEvent {
		return func(commit.Field) bool { return false }
	}
	return func(f commit.Field) bool {
		path, err := commit.ParsePath(f.Path)
		return err == nil && !open(it, path, &f)
	}
}

func open(it *Item, path []commit.Segment, f *commit.Field) bool {
	var numbers [8]uint32 // deeper, there are only extensions
	n, named := 0, false
	for i := range path {
		if named = path[i].Kind == commit.NameSegment; named {
			break
		}
		if path[i].Kind == commit.FieldSegment {
			if n == len(numbers) {
				return false
			}
			numbers[n] = path[i].N
			n++
		}
	}
	if !named && f.Type == commit.Empty {
		return true // the leaf of an empty message: there is nothing in it
	}
	if last := &path[len(path)-1]; f.Type == commit.Empty && last.Local == "[]" && last.Namespace == "" {
		return true // it says that siblings are one array
	}
	for i := range openings {
		o := &openings[i]
		if o.Kind == it.Kind && slices.Equal(o.at, numbers[:n]) {
			if o.holds == nil {
				return !named
			}
			return o.holds(it, path, f)
		}
	}
	return false
}

func always(*Item, []commit.Segment, *commit.Field) bool { return true }

func isBoolean(_ *Item, _ []commit.Segment, f *commit.Field) bool {
	return f.Text == "true" || f.Text == "false"
}

// isWord reports whether a text is a word, bare or in one of the spellings of CBV, and nothing around it.
func isWord(text, urn, web string, known func(string) bool) bool {
	for _, prefix := range []string{urn, "https://ref.gs1.org/cbv/" + web, "http://ref.gs1.org/cbv/" + web, "https://ns.gs1.org/cbv/" + web, "cbv:" + web} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			text = rest
			break
		}
	}
	return !strings.ContainsAny(text, ":/") && text == strings.TrimSpace(text) && known(text)
}

func isReason(_ *Item, _ []commit.Segment, f *commit.Field) bool {
	return isWord(f.Text, epcis.ReasonPrefix, "ER-", func(s string) bool { return s == epcis.DidNotOccur || s == epcis.IncorrectData })
}

func isDisposition(_ *Item, _ []commit.Segment, f *commit.Field) bool {
	return isWord(f.Text, epcis.DispositionPrefix, "Disp-", epcis.KnownDisposition)
}

// isAuthorisation reports whether a business document is a return authorisation. Unless the item is an event that has
// the document, nothing is known of its type.
func isAuthorisation(it *Item, path []commit.Segment, _ *commit.Field) bool {
	ev, ok := it.Message.(*epcis.Event)
	if !ok || len(path) != 3 {
		return false
	}
	i := int(path[1].N)
	return i < len(ev.BizTransactionList) && epcis.TermBizTransaction.Word(ev.BizTransactionList[i].Type) == epcis.ReturnAuthorization
}

func isJudgedILMD(_ *Item, path []commit.Segment, _ *commit.Field) bool {
	return len(path) == 3 && path[2].Kind == commit.NameSegment && epcis.IsJudgedILMD(path[2].Namespace, path[2].Local)
}

func isDropShipment(it *Item, path []commit.Segment, f *commit.Field) bool {
	return len(path) == 3 && path[2].Namespace == epcis.NamespaceHC && path[2].Local == "dropShipment" && isBoolean(it, path, f)
}

// vocabularies are those of CBV that a query or registration reads.
var vocabularies = []string{"EPCClass", "Location", "BusinessLocation", "ReadPoint", "SourceDest", "Party"}

// attributes are those of CBV that a registration of a place or a product has.
var attributes = []string{
	"name", "streetAddressOne", "streetAddressTwo", "city", "state", "postalCode", "countryCode",
	"additionalTradeItemIdentification", "additionalTradeItemIdentificationTypeCode", "regulatedProductName", "manufacturerOfTradeItemPartyName",
	"dosageFormType", "strengthDescription", "netContentDescription",
}

// vocabulary is the one of a document header that a path is in; nil, if it is none of CBV.
func vocabulary(it *Item, path []commit.Segment) *epcis.Vocabulary {
	h, ok := it.Message.(*epcis.Header)
	if !ok || len(path) < 2 || int(path[1].N) >= len(h.Vocabularies) {
		return nil
	}
	v := &h.Vocabularies[path[1].N]
	name, ok := strings.CutPrefix(v.Type, "urn:epcglobal:epcis:vtype:")
	if !ok || !slices.Contains(vocabularies, name) {
		return nil
	}
	return v
}

func inVocabulary(it *Item, path []commit.Segment, _ *commit.Field) bool {
	return vocabulary(it, path) != nil
}

func isPublished(it *Item, path []commit.Segment, _ *commit.Field) bool {
	v := vocabulary(it, path)
	if v == nil || len(path) != 7 { // 5 [i] 2 [j] 2 [k] and a field of the attribute
		return false
	}
	j, k := int(path[3].N), int(path[5].N)
	if j >= len(v.Elements) || k >= len(v.Elements[j].Attributes) {
		return false
	}
	id := v.Elements[j].Attributes[k].ID
	i := strings.LastIndexAny(id, "#:") + 1
	if namespace := id[:i]; !epcis.IsMDA(namespace) && namespace != "cbvmda:" {
		return false
	}
	return slices.Contains(attributes, id[i:])
}
