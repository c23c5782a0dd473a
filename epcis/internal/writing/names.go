package writing

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/accessor"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/heading"
	"verilot.dev/epcis/internal/jsonld"
	"verilot.dev/epcis/internal/xmlns"
)

// wellKnown are prefixes that everybody uses. The prefixes of a source are not in the model: other namespaces get ns1, ns2….
var wellKnown = map[string]string{
	epcis.NamespaceHC: "gs1ushc", epcis.NamespaceMDA: "cbvmda", xmlns.SBDH: "sbdh", xmlns.XSI: "xsi", xmlns.XSD: "xsd", xmlns.XML: "xml",
}

// reserved are prefixes that a caller cannot choose, because a format gives them a meaning.
var reserved = strings.Fields("epcis epcisq epcismd cbv cbvmda gs1 rdfs owl xsd xsi xml xmlns dcterms sbdh id type http https urn ni mailto data")

// Declaration is a prefix and what it stands for.
type Declaration struct{ Prefix, Space string }

// Names gives namespaces their prefixes. Those of the root hold for the whole document, those of an
// event for that event.
type Names struct {
	json     bool
	prefixes map[string]string // by namespace
	taken    map[string]bool   // prefixes in use
	Root     []Declaration
	schemes  map[string]bool // of namespaces in JSON: no prefix may be one
	n        int             // generated prefixes of the root
	rooted   bool            // the root is written
	Local    []Declaration
}

func (n *Names) init(json bool) {
	n.json = json
	n.prefixes, n.taken, n.schemes = map[string]string{}, map[string]bool{}, map[string]bool{}
	if json {
		for prefix, space := range jsonld.Prefixes {
			n.prefixes[space] = prefix
		}
	}
	n.prefixes[""] = ""
	n.prefixes[epcis.NamespaceMDA] = "cbvmda" // in JSON from the official context; in XML declared when it is used
	if !json {
		delete(n.prefixes, epcis.NamespaceMDA)
		n.prefixes[xmlns.XML] = "xml"
	}
}

// MaxPreferred is how many prefixes of a source are declared though nothing may need them. Values can: "example:size" in a field
// of the standard means something only where the prefix does.
const MaxPreferred = 64

// Prefer declares the prefixes given, as far as that is possible.
func (n *Names) Prefer(prefixes map[string]string) {
	if len(prefixes) > MaxPreferred {
		return
	}
	for _, prefix := range slices.Sorted(maps.Keys(prefixes)) {
		space := extension.Canonical(prefixes[prefix])
		_, known := n.prefixes[space]
		switch {
		case known, n.PrefixTaken(prefix), !xmlns.IsNCName(prefix), space == "", space == xmlns.XMLNS, !utf8.ValidString(space):
		case n.json && (n.schemes[prefix] || !n.asTerm(space)):
		case !n.json && strings.ContainsFunc(space, func(r rune) bool { return r < ' ' || r == 0xFFFE || r == 0xFFFF }):
		default:
			n.add(prefix, space)
		}
	}
}

// Declare gives a namespace a prefix, unless it has one.
func (n *Names) Declare(space string) {
	space = extension.Canonical(space)
	if n.Prefix(space) != "" || space == "" || n.json && !n.asTerm(space) {
		return
	}
	if prefix := wellKnown[space]; prefix != "" && !n.taken[prefix] && !n.schemes[prefix] && (!n.json || prefix != "xsd") { // xsd: has a # in JSON-LD
		n.add(prefix, space)
		return
	}
	for {
		n.n++
		if prefix := "ns" + strconv.Itoa(n.n); !n.taken[prefix] && !n.schemes[prefix] {
			n.add(prefix, space)
			return
		}
	}
}

func (n *Names) add(prefix, space string) {
	if n.rooted {
		n.Local = append(n.Local, Declaration{prefix, space})
		return
	}
	n.prefixes[space], n.taken[prefix] = prefix, true
	n.Root = append(n.Root, Declaration{prefix, space})
}

// declared ends the declarations of the root.
func (n *Names) declared() { n.rooted = true }

// EventScope begins the declarations of an event: its prefixes count on from those of the root, so
// they depend on it alone.
func (n *Names) EventScope() (end func()) {
	before := n.n
	n.Local = n.Local[:0]
	return func() { n.n, n.Local = before, n.Local[:0] }
}

// Prefix returns the prefix of a namespace, "" when it has none.
func (n *Names) Prefix(space string) string {
	if p := n.prefixes[space]; p != "" {
		return p
	}
	for _, d := range n.Local {
		if d.Space == space {
			return d.Prefix
		}
	}
	return ""
}

// PrefixTaken reports whether a prefix means something already.
func (n *Names) PrefixTaken(prefix string) bool {
	return slices.Contains(reserved, prefix) || n.DeclaredPrefix(prefix)
}

// asTerm reports whether a context of JSON-LD can say what space is. It cannot of one that would be read as a keyword, as the name
// of a field or as a prefix and something behind it; and it need not of a bare scheme, see isScheme.
func (n *Names) asTerm(space string) bool {
	scheme, rest, colon := strings.Cut(space, ":")
	if n.IsScheme(space) {
		n.schemes[scheme] = true
		return false
	}
	if space[0] == '@' || field.IsMember(strings.TrimPrefix(space, jsonld.Vocabulary)) {
		return false
	}
	if colon && strings.HasPrefix(rest, "//") {
		return true
	}
	if n.DeclaredPrefix(scheme) || jsonld.Prefixes[scheme] != "" {
		return false
	}
	if len(n.schemes) < jsonld.MaxTerms {
		n.schemes[scheme] = true
	}
	return true
}

// DeclaredPrefix reports whether a word is a prefix of the document. In JSON-LD such a word alone
// means its namespace.
func (n *Names) DeclaredPrefix(word string) bool {
	return n.taken[word] || slices.ContainsFunc(n.Local, func(d Declaration) bool { return d.Prefix == word })
}

// IsScheme reports whether a namespace is a bare scheme such as "foo:", which is what becomes of a key "foo:bar" whose prefix
// nobody declared. It is written without a declaration again.
func (n *Names) IsScheme(space string) bool {
	scheme, ok := strings.CutSuffix(space, ":")
	return ok && schemeName(scheme) && !n.PrefixTaken(scheme)
}

func schemeName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z'; !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// headerNamespaces calls fn for every namespace that a header needs.
func (w *Writer) headerNamespaces(h *epcis.Header, fn func(space string)) {
	w.namespaces(heading.Extensions(h), fn)
	if h.SBDH != nil {
		x := heading.SBDHExtension(h.SBDH)
		if !w.JSON {
			w.extensionNamespaces(&x, fn)
		} else if !heading.FlatSBDH(h.SBDH, h.CreationDate) {
			w.extensionNamespaces(&x, fn)
		}
	}
	for i := range h.Vocabularies {
		v := &h.Vocabularies[i]
		w.namespaces(v.Extensions, fn)
		for j := range v.Elements {
			w.namespaces(v.Elements[j].Extensions, fn)
			for k := range v.Elements[j].Attributes {
				w.namespaces(v.Elements[j].Attributes[k].Children, fn)
			}
		}
	}
}

// EventNamespaces calls fn for every namespace that an event needs.
func (w *Writer) EventNamespaces(e *epcis.Event, fn func(space string)) {
	for _, id := range [...]field.ID{field.QuantityList, field.ChildQuantityList, field.InputQuantityList, field.OutputQuantityList} {
		for _, q := range accessor.Quantities(e, id) {
			if !w.JSON && q.Quantity == "" && q.UOM != "" {
				fn(xmlns.XSI) // see quantities in package epcisxml
			}
		}
	}
	w.namespaces(e.ILMD, fn)
	w.namespaces(e.Extensions, fn)
	if e.ErrorDeclaration != nil {
		w.namespaces(e.ErrorDeclaration.Extensions, fn)
	}
	if e.ReadPoint != nil {
		w.namespaces(e.ReadPoint.Extensions, fn)
	}
	if e.BizLocation != nil {
		w.namespaces(e.BizLocation.Extensions, fn)
	}
	for i := range e.SensorElementList {
		s := &e.SensorElementList[i]
		w.namespaces(s.Extensions, fn)
		if s.Metadata != nil {
			w.namespaces(s.Metadata.Extensions, fn)
		}
		for j := range s.Reports {
			w.namespaces(s.Reports[j].Extensions, fn)
		}
	}
}

func (w *Writer) namespaces(list []epcis.Extension, fn func(space string)) {
	for i := range list {
		w.extensionNamespaces(&list[i], fn)
	}
}

func (w *Writer) extensionNamespaces(x *epcis.Extension, fn func(space string)) {
	fn(x.Namespace)
	typed := extension.TypeOf(x)
	if !w.JSON && (typed == epcis.Number || typed == epcis.Boolean || typed == epcis.Null) {
		fn(xmlns.XSI)
		if typed != epcis.Null {
			fn(xmlns.XSD)
		}
	}
	for i := range x.Attributes {
		a := &x.Attributes[i]
		if extension.IsMarker(a) || w.JSON && typed != x.Type && a.Namespace == xmlns.XSI { // the type is in the value
			continue
		}
		fn(a.Namespace)
		if !w.JSON && a.Namespace == xmlns.XSI && a.Name == "type" {
			if space, _, ok := xmlns.Braced(a.Text); ok {
				fn(space)
			} else if strings.HasPrefix(a.Text, "xsd:") {
				fn(xmlns.XSD)
			}
		}
	}
	w.namespaces(x.Children, fn)
}
