package eventhash

import (
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/jsonld"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xmlns"
)

// expansions of what begins a term outside a field that tells its list: CBV's URNs, and the compact URIs that the standard's
// own context knows. The prefixes of a document are not among them: an event does not carry them.
var expansions = [...]struct{ short, long string }{
	{epcis.StepPrefix, vocabulary.WebCBV + "BizStep-"},
	{epcis.DispositionPrefix, vocabulary.WebCBV + "Disp-"},
	{epcis.BTTPrefix, vocabulary.WebCBV + "BTT-"},
	{epcis.SDTPrefix, vocabulary.WebCBV + "SDT-"},
	{epcis.ReasonPrefix, vocabulary.WebCBV + "ER-"},
	{vocabulary.ComponentPrefix, vocabulary.WebCBV + "Comp-"},
	{"cbv:", vocabulary.WebCBV},
	{"gs1:", vocabulary.WebVoc},
	{"epcis:", jsonld.Vocabulary},
}

// value writes one value in its one form: terms as Web URIs, GS1 identifiers as canonical Digital Links of the finest
// level, everything else as it is. An identifier that is wrong, for example in its check digit, is everything else.
func (h *Hasher) value(s string) {
	if foldPrefix(s, "urn:epc:") || foldPrefix(s, "https://") || foldPrefix(s, "http://") {
		if k, err := h.ids.Key(s); err == nil {
			h.buf = append(h.buf, k.DigitalLink()...)
		} else {
			h.buf = append(h.buf, s...)
		}
		return
	}
	if !strings.ContainsAny(s, " \t\r\n") { // a sentence has no prefix
		for _, x := range expansions {
			if rest, ok := strings.CutPrefix(s, x.short); ok && rest != "" {
				h.buf = append(h.buf, x.long...)
				s = rest
				break
			}
		}
	}
	h.buf = append(h.buf, s...)
}

func foldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// appendNumber writes a plain decimal number without idle zeros: 12.10 is 12.1, -0.0 is 0. What does not match
// ^-?\d+(\.\d+)?$ stays as it is: an exponent, a leading plus, a lone point. Outside the standard's own numeric
// fields a text is a number only when it looks like nothing else: 0012 is not, and stays.
func appendNumber(b []byte, s string, standard bool) []byte {
	rest, negative := strings.CutPrefix(s, "-")
	whole, fraction, point := strings.Cut(rest, ".")
	if whole == "" || !allDigits(whole) || !allDigits(fraction) || point && fraction == "" {
		return append(b, s...)
	}
	if len(whole) > 1 && whole[0] == '0' {
		if !standard {
			return append(b, s...)
		}
		if whole = strings.TrimLeft(whole, "0"); whole == "" {
			whole = "0"
		}
	}
	fraction = strings.TrimRight(fraction, "0")
	if negative && (whole != "0" || fraction != "") {
		b = append(b, '-')
	}
	b = append(b, whole...)
	if fraction != "" {
		b = append(b, '.')
		b = append(b, fraction...)
	}
	return b
}

// canonicalBoolean is XML Schema's: XML may write 1 where JSON can only write true.
func canonicalBoolean(s string) string {
	switch strings.TrimSpace(s) {
	case "1":
		return "true"
	case "0":
		return "false"
	}
	return s
}

// Extensions. They are {namespace}name=value, or name alone for one without namespace; attributes and children follow,
// sorted together. An array of JSON is its elements, each under the array's name; arrays have no order in JSON-LD.

const nsRDFS = "http://www.w3.org/2000/01/rdf-schema#"

func (h *Hasher) extensions(list []epcis.Extension) {
	for i := range list {
		if !extension.IsAttribute(&list[i]) { // of an element of the standard, which has none in JSON
			h.extension(&list[i], list[i].Namespace, list[i].Name)
		}
	}
}

// extension writes x, as an item of the list being written, under a name.
func (h *Hasher) extension(x *epcis.Extension, namespace, name string) {
	if name == "comment" && (namespace == nsRDFS || namespace == "") {
		return // the standard's context has rdfs:comment for people
	}
	if isJSONArray(x) {
		for i := range x.Children {
			h.extension(&x.Children[i], namespace, name)
		}
		return
	}
	start := len(h.buf)
	if epcis.IsMDA(namespace) {
		namespace = epcis.NamespaceMDA // XML and JSON spell it differently
	}
	if namespace != "" {
		h.buf = append(h.buf, '{')
		h.buf = append(h.buf, namespace...)
		h.buf = append(h.buf, '}')
	}
	h.buf = append(h.buf, name...)
	text, own := x.Text, onlyText(x)
	if own >= 0 {
		text = x.Children[own].Text
	}
	if text = strings.TrimSpace(text); text != "" && x.Type != epcis.Null {
		h.buf = append(h.buf, '=')
		h.extensionValue(text, namespace, name)
	}
	m := h.open("")
	for i := range x.Attributes {
		if a := &x.Attributes[i]; a.Namespace != xmlns.XSI { // says how XML writes the value, not what it is
			h.extension(a, a.Namespace, a.Name)
		}
	}
	for i := range x.Children {
		if i != own {
			h.extension(&x.Children[i], x.Children[i].Namespace, x.Children[i].Name)
		}
	}
	h.close(m)
	h.item(start)
}

func (h *Hasher) extensionValue(s, namespace, name string) {
	switch c := s[0]; {
	case name == vocabulary.LotNumber && (epcis.IsMDA(namespace) || namespace == epcis.NamespaceHC):
		h.buf = append(h.buf, s...) // lot 1.10 is not lot 1.1
	case '0' <= c && c <= '9', c == '-':
		h.buf = appendNumber(h.buf, s, false)
	default:
		h.value(s)
	}
}

// isJSONArray reports whether x is an array of JSON that is not just repetition, see the comment of
// package epcisjson.
func isJSONArray(x *epcis.Extension) bool {
	return len(x.Attributes) == 1 && x.Attributes[0].Name == "[]" && x.Attributes[0].Namespace == "" && x.Type == epcis.NoValue
}

// onlyText is the index of the one child that is text among elements, -1 when there is none or more than one: their
// order is not kept by every format.
func onlyText(x *epcis.Extension) int {
	if x.Type != epcis.NoValue {
		return -1
	}
	only := -1
	for i := range x.Children {
		if c := &x.Children[i]; c.Name == "#text" && c.Namespace == "" {
			if only >= 0 {
				return -1
			}
			only = i
		}
	}
	return only
}

// IgnoredFields are the extensions that a document asks to leave out of the hash of its events, with an extension named
// ignoreFields beside them: elements in XML, a list of names in JSON. It is a custom of the reference implementation
// for fields that a repository adds; the standard does not have it, so the function Hash does not either.
func IgnoredFields(header *epcis.Header) (names []QName) {
	if header == nil {
		return nil
	}
	for i := range header.Extensions {
		if x := &header.Extensions[i]; x.Name == "ignoreFields" {
			names = ignored(names, x, header.Prefixes)
		}
	}
	return names
}

func ignored(names []QName, x *epcis.Extension, prefixes map[string]string) []QName {
	for i := range x.Children {
		c := &x.Children[i]
		if c.Name == "[]" || c.Name == "#text" {
			names = ignored(names, c, prefixes)
			continue
		}
		names = append(names, QName{c.Namespace, c.Name})
	}
	if s := strings.TrimSpace(x.Text); s != "" {
		prefix, rest, _ := strings.Cut(s, ":")
		if space := prefixes[prefix]; space != "" && rest != "" && !strings.HasPrefix(rest, "//") {
			names = append(names, QName{space, rest})
		} else {
			space, name := jsonld.SplitURI(s)
			names = append(names, QName{space, name})
		}
	}
	return names
}
