package sample

import (
	"slices"

	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/xmlns"
)

// Random events, as readers make them: extensions are canonical, everything else may be odd.

// Behind odd stands what some format cannot hold. Most values are drawn from before it, or nothing would come through.
const odd = "odd:"

var (
	someSpaces = []string{
		"http://ns.example.com/epcis", "http://ns.example.com/epcis/", "https://example.com/x#", "urn:epcglobal:cbv:mda", "urn:epcglobal:cbv:mda:",
		epcis.NamespaceHC, "foo:", "https://gs1.org/voc/", "https://ref.gs1.org/epcis/", xmlns.XSD, "urn:x", "https://example.com/ä/", xmlns.SBDH, "urn:x:", "ns1:", "xsi:", "#", "a b",
		odd, "", xmlns.EPCIS2, "http://www.w3.org/2000/xmlns/", "\x01",
	}
	someNames = []string{
		"a", "b", "c", "lotNumber", "myField", "type", "id", "ns1", "bizStep", "value", "a.b-c", "xmlnsx", "context",
		odd, "größe", "two words", "1st", "a:b", "@x", "extension", "x/y", "//x", "xmlns", "epcClass",
	}
	someTexts = []string{
		"a", "", " ", " a ", "10", "true", "1.50", "x\ny", "<&>\"'", "ä€😀", "null", "2026-01-01", "line\r\nline", "]]>", "&#10;", "\u2028", "\uFFFD",
		odd, "\x01", "a\uFFFFb", "\xFF",
	}
	someNumbers = []string{"0", "-1", "10", "1.5", "1e5", "1E-3", "-0.0", "12345678901234567890123"}
	someIDs     = []string{
		"urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/01/10614141073464/21/2018", "urn:epc:id:sgln:0614141.07346.1234",
		"urn:epc:class:lgtin:4012345.012345.998877", "urn:epc:idpat:sgtin:0614141.107346.*", "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
		"urn:epc:id:gid:1.2.3", "https://example.com/a", "urn:epc:id:pgln:4012345.00225",
		odd, "not a uri", "PO123", "https://example.com/01/10614141073464/10/L/21/1?x=y", "urn:epc:id:sgtin:1.2.3",
	}
	someTimes = []string{
		"2026-11-20T06:45:16Z", "2026-11-20T06:45:16.123456789-05:00", "1969-12-31T23:59:59.9999Z",
		odd, "2026-11-20T06:45:16", "2026-11-20T24:00:00Z", "soon",
	}
)

func pick(t *rapid.T, list []string) string {
	i := slices.Index(list, odd)
	if i < 0 {
		return rapid.SampledFrom(list).Draw(t, "word")
	}
	if rapid.IntRange(0, 999).Draw(t, "odd") == 0 {
		i = len(list)
	}
	if s := rapid.SampledFrom(list[:i]).Draw(t, "word"); s != odd {
		return s
	}
	return list[0]
}

// maybe draws a word most of the time.
func maybe(t *rapid.T, list []string) string {
	if rapid.IntRange(0, 11).Draw(t, "absent") == 0 {
		return ""
	}
	return pick(t, list)
}

func many(t *rapid.T, list []string) (words []string) {
	for range rapid.IntRange(0, 3).Draw(t, "n") {
		words = append(words, pick(t, list))
	}
	return words
}

func someExtensions(t *rapid.T, depth int) (list []epcis.Extension) {
	for range rapid.IntRange(0, 3).Draw(t, "extensions") {
		list = append(list, someExtension(t, depth))
	}
	return list
}

// plainExtensions can mostly be attributes of XML.
func plainExtensions(t *rapid.T) []epcis.Extension {
	if rapid.IntRange(0, 19).Draw(t, "complex") == 0 {
		return someExtensions(t, 1)
	}
	if rapid.Bool().Draw(t, "none") {
		return nil
	}
	return []epcis.Extension{{Namespace: pick(t, someSpaces), Name: pick(t, someNames), Type: epcis.Text, Text: "x"}}
}

func someExtension(t *rapid.T, depth int) epcis.Extension {
	x := epcis.Extension{Namespace: pick(t, someSpaces), Name: pick(t, someNames)}
	kinds := 7
	if depth == 0 {
		kinds = 6
	}
	kind := rapid.IntRange(0, kinds-1).Draw(t, "kind")
	if depth > 0 && rapid.IntRange(0, 19).Draw(t, "rare") == 0 {
		kind = rapid.IntRange(7, 8).Draw(t, "kind")
	}
	switch kind {
	case 0, 1:
		x.Text = pick(t, someTexts)
	case 2:
		x.Type, x.Text = epcis.Number, pick(t, someNumbers)
	case 3:
		x.Type, x.Text = epcis.Boolean, pick(t, []string{"true", "false"})
	case 4:
		x.Type = epcis.Null
	case 5:
		x.Text = pick(t, someTexts)
		x.Attributes = someAttributes(t)
	case 6:
		x.Children = someExtensions(t, depth-1)
		if x.Attributes = someAttributes(t); len(x.Attributes) > 0 && x.Attributes[0].Namespace == xmlns.XSI {
			x.Attributes = nil // and no elements
		}
		return x
	case 7: // an array
		x.Attributes = []epcis.Extension{{Name: extension.ListName, Type: epcis.Empty}}
		x.Children = someExtensions(t, depth-1)
		for i := range x.Children {
			x.Children[i].Namespace, x.Children[i].Name = "", extension.ListName
		}
		if len(x.Children) > 1 { // without null it would be siblings
			x.Children = append(x.Children, epcis.Extension{Name: extension.ListName, Type: epcis.Null})
		}
		return x
	case 8: // text among elements
		for _, c := range someExtensions(t, depth-1) {
			x.Children = append(x.Children, epcis.Extension{Name: extension.TextName, Type: epcis.Text, Text: "t"}, c)
		}
		if x.Children == nil {
			x.Text = "t"
			break
		}
		return x
	}
	if x.Type == epcis.NoValue {
		if x.Type = epcis.Text; x.Text == "" {
			x.Type = epcis.Empty
		}
	}
	return x
}

func someAttributes(t *rapid.T) (list []epcis.Extension) {
	if rapid.Bool().Draw(t, "xsi") {
		a := epcis.Extension{Namespace: xmlns.XSI, Name: "type", Type: epcis.Text}
		a.Text = pick(t, []string{"xsd:string", odd, "{http://ns.example.com/epcis}t", "p:t", "{urn:epcglobal:cbv:mda:}t", "ns1:t"})
		return append(list, a) // a simple type has no other attributes
	}
	if rapid.Bool().Draw(t, "plain") {
		a := epcis.Extension{Namespace: pick(t, someSpaces), Name: pick(t, someNames), Type: epcis.Text, Text: pick(t, someTexts)}
		if a.Text == "" {
			a.Type = epcis.Empty
		}
		list = append(list, a)
	}
	return list
}

// Event draws an event of any type.
func Event(t *rapid.T) epcis.Event {
	e := epcis.Event{
		Type:                pick(t, []string{"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"}),
		EventTime:           maybe(t, someTimes),
		RecordTime:          maybe(t, someTimes),
		EventTimeZoneOffset: maybe(t, []string{"-05:00", "+14:00", odd, "Z"}),
		EventID:             maybe(t, someIDs),
		BizStep:             maybe(t, []string{"shipping", "urn:epcglobal:cbv:bizstep:packing", "https://ref.gs1.org/cbv/BizStep-foo", "cbv:BizStep-loading", "urn:x:y", odd, "other thing"}),
		Disposition:         maybe(t, []string{"in_transit", "urn:epcglobal:cbv:disp:foo", "http://ns.gs1.org/cbv/Disp-active", odd, "nothing"}),
		Extensions:          someExtensions(t, 2),
	}
	if e.CertificationInfo = many(t, someIDs); len(e.CertificationInfo) > 1 && rapid.IntRange(0, 9).Draw(t, "certificates") > 0 {
		e.CertificationInfo = e.CertificationInfo[:1]
	}
	allowed := func(id field.ID) bool { return field.LayoutOf(2, e.Type).Slots[id].Allowed }
	if allowed(field.Action) {
		e.Action = maybe(t, []string{"ADD", "OBSERVE", "DELETE"})
	}
	if allowed(field.TransformationID) {
		e.TransformationID = maybe(t, someIDs)
	}
	if allowed(field.ILMD) {
		e.ILMD = someExtensions(t, 2)
	}
	if allowed(field.ParentID) {
		e.ParentID = maybe(t, someIDs)
	}
	quantity := func(id field.ID, list *[]epcis.Quantity) {
		for range rapid.IntRange(0, 2).Draw(t, "quantities") {
			if allowed(id) {
				*list = append(*list, epcis.Quantity{EPCClass: maybe(t, someIDs), Quantity: maybe(t, []string{"10", "+5", "007.50", ".5", "1e3", "12e-3", odd, "many"}), UOM: maybe(t, []string{"KGM", "", odd, "each"})})
			}
		}
	}
	quantity(field.QuantityList, &e.QuantityList)
	quantity(field.ChildQuantityList, &e.ChildQuantityList)
	quantity(field.InputQuantityList, &e.InputQuantityList)
	quantity(field.OutputQuantityList, &e.OutputQuantityList)
	for id, list := range map[field.ID]*[]string{field.EPCList: &e.EPCList, field.ChildEPCs: &e.ChildEPCs, field.InputEPCList: &e.InputEPCList, field.OutputEPCList: &e.OutputEPCList} {
		if allowed(id) {
			for _, s := range many(t, someIDs) { // no list may name a thing twice
				if !slices.Contains(*list, s) {
					*list = append(*list, s)
				}
			}
		}
	}
	if rapid.Bool().Draw(t, "error") {
		e.ErrorDeclaration = &epcis.ErrorDeclaration{DeclarationTime: maybe(t, someTimes), Reason: maybe(t, []string{"did_not_occur", "urn:epcglobal:cbv:er:incorrect_data", "urn:x:y"}), CorrectiveEventIDs: many(t, someIDs), Extensions: someExtensions(t, 1)}
	}
	if rapid.Bool().Draw(t, "persistent") {
		e.PersistentDisposition = &epcis.PersistentDisposition{Set: many(t, []string{"active", "expired", "unknown", "stolen", odd, "foo"}), Unset: many(t, []string{"urn:epcglobal:cbv:disp:active", "urn:epcglobal:cbv:disp:expired", "urn:x:y", "urn:x:z"})}
	}
	if rapid.Bool().Draw(t, "places") {
		e.ReadPoint = &epcis.Place{ID: pick(t, someIDs), Extensions: someExtensions(t, 1)}
		e.BizLocation = &epcis.Place{ID: pick(t, someIDs), Extensions: nil}
	}
	for range rapid.IntRange(0, 2).Draw(t, "parties") {
		e.BizTransactionList = append(e.BizTransactionList, epcis.BizTransaction{Type: maybe(t, []string{"po", "urn:epcglobal:cbv:btt:inv", odd, "x"}), Value: pick(t, someIDs)})
		e.SourceList = append(e.SourceList, epcis.SourceDest{Type: maybe(t, []string{"location", "https://ref.gs1.org/cbv/SDT-owning_party"}), Value: pick(t, someIDs)})
		e.DestinationList = append(e.DestinationList, epcis.SourceDest{Type: maybe(t, []string{"urn:epcglobal:cbv:sdt:possessing_party", odd, "foo"}), Value: pick(t, someIDs)})
	}
	for range rapid.IntRange(0, 2).Draw(t, "sensors") {
		s := epcis.SensorElement{Extensions: someExtensions(t, 1)}
		if rapid.Bool().Draw(t, "metadata") {
			s.Metadata = &epcis.SensorMetadata{Time: maybe(t, someTimes), DeviceID: maybe(t, someIDs), BizRules: maybe(t, someIDs), Extensions: plainExtensions(t)}
		}
		for range rapid.SampledFrom([]int{1, 1, 1, 2, 2, 0}).Draw(t, "reports") {
			s.Reports = append(s.Reports, epcis.SensorReport{
				Type: maybe(t, []string{"Temperature", "gs1:Speed", "https://gs1.org/voc/Foo", "example:x"}), Exception: maybe(t, []string{"ALARM_CONDITION", "gs1:ERROR_CONDITION"}),
				Component: maybe(t, []string{"x", "cbv:Comp-y", "urn:epcglobal:cbv:comp:z"}), Value: maybe(t, []string{"26.0", "1e3", "+.5", odd, "INF", "hot"}),
				BooleanValue: maybe(t, []string{"true", "0", odd, "maybe"}), HexBinaryValue: maybe(t, []string{"f0f0", odd, "abc", "xyz"}), StringValue: maybe(t, someTexts),
				Time: maybe(t, someTimes), URIValue: maybe(t, someIDs), UOM: maybe(t, []string{"CEL"}), Extensions: plainExtensions(t),
			})
		}
		e.SensorElementList = append(e.SensorElementList, s)
	}
	return e
}
