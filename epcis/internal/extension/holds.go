package extension

import (
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// Holds says what of an event is in something that no reader knows: an event, or an identifier of GS1. It is "" when
// there is neither.
func Holds(x *epcis.Extension, isEvent func(name string) bool) string {
	if what := HoldsEvent(x, isEvent); what != "" {
		return what
	}
	return holdsID(x)
}

// HoldsEvent says which event of the standard is in an extension.
func HoldsEvent(x *epcis.Extension, isEvent func(name string) bool) string {
	if standard(x.Namespace) && isEvent(x.Name) {
		return x.Name
	}
	if (x.Name == "type" || x.Name == "isA" || x.Name == "@type") && x.Namespace == "" && isEvent(x.Text) {
		return x.Text
	}
	for i := range x.Attributes {
		if a := &x.Attributes[i]; a.Name == "type" && a.Namespace == "" && isEvent(a.Text) {
			return a.Text
		}
	}
	for i := range x.Children {
		if what := HoldsEvent(&x.Children[i], isEvent); what != "" {
			return what
		}
	}
	return ""
}

func standard(space string) bool {
	return space == "" || space == xmlns.EPCIS1 || space == xmlns.EPCIS2
}

// items are elements of lists of things, which hold private identifiers as well.
var items = []string{"epc", "epcClass", "quantityElement"}

func holdsID(x *epcis.Extension) string {
	if standard(x.Namespace) && slices.Contains(items, x.Name) {
		return "<" + x.Name + ">"
	}
	if IsEPC(x.Text) {
		return excerpt.Quote(strings.Trim(x.Text, xsd.Blank))
	}
	for i := range x.Attributes {
		if IsEPC(x.Attributes[i].Text) {
			return excerpt.Quote(strings.Trim(x.Attributes[i].Text, xsd.Blank))
		}
	}
	for i := range x.Children {
		if what := holdsID(&x.Children[i]); what != "" {
			return what
		}
	}
	return ""
}

// IsEPC reports whether a text is an identifier of GS1, or was meant to be one.
func IsEPC(s string) bool {
	s = strings.Trim(s, xsd.Blank)
	if strings.IndexByte(s, ':') < 0 {
		return false
	}
	epc, err := gs1.ParseEPC(s)
	return err == nil && epc.Form() != gs1.FormURI || strings.HasPrefix(s, "urn:epc:") || gs1.Meant(s) != ""
}

// RepairILMD gives misspelt elements of an ILMD that the rules read, of CBV's namespace, of GS1 US Healthcare's or of none,
// their names. tell is called for each. twice: the
// right name is there as well, with another value.
func RepairILMD(list []epcis.Extension, tell func(name, meant string, twice bool)) {
	for i := range list {
		x := &list[i]
		if x.Namespace != "" && !epcis.IsMDA(x.Namespace) && x.Namespace != epcis.NamespaceHC || x.Name == "" || x.Name[0] == '@' {
			continue
		}
		space := x.Namespace
		if space == "" {
			space = epcis.NamespaceMDA
		}
		if epcis.IsJudgedILMD(x.Namespace, x.Name) {
			continue
		}
		name := vocabulary.Near(x.Name, []string{vocabulary.LotNumber, vocabulary.ExpirationDate})
		if name == "" {
			continue
		}
		j := slices.IndexFunc(list, func(o epcis.Extension) bool { return epcis.IsJudgedILMD(o.Namespace, o.Name) && o.Name == name })
		switch {
		case j < 0:
			tell(x.Name, name, false)
			x.Namespace, x.Name = space, name
		case strings.Trim(list[j].Text, xsd.Blank) != strings.Trim(x.Text, xsd.Blank):
			tell(x.Name, name, true)
		}
	}
}
