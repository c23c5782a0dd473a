package epcisxml

import (
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/heading"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// inEvent reports whether an unqualified element of an event is read as a field.
func inEvent(name string) bool {
	id, known := field.IDs[name]
	return known && id < field.EPCClass
}

// extensions writes extensions beside standard elements of the names given: unqualified ones in an element extension, as the
// schemas have it, then the others.
func (x *writer) extensions(list []epcis.Extension, standard ...string) {
	if len(list) == 0 {
		return
	}
	local, foreign := split(list)
	if len(local) > 0 {
		x.wrap("extension", func() {
			for _, t := range local {
				x.unqualified(t, func(name string) bool { return slices.Contains(standard, name) })
			}
		})
	}
	for _, t := range foreign {
		x.foreign(t)
	}
}

// openWith opens an element of the standard that has the attributes among extensions.
func (x *writer) openWith(name string, list []epcis.Extension) {
	x.start(name)
	x.ownAttributes(list)
	x.endStart()
}

// ownAttributes writes the attributes of an element of the standard, which are among its extensions. taken are those that
// it has already.
func (x *writer) ownAttributes(list []epcis.Extension, taken ...string) {
	for i := range list {
		a := &list[i]
		if !extension.IsAttribute(a) {
			continue
		}
		local := a.Name[1:]
		name, ok := x.name(a.Namespace, local)
		x.In(excerpt.Clip(a.Name))
		switch {
		case !ok, local == "xmlns", a.Namespace == "" && slices.Contains(taken, local):
			x.Lost("no attribute of XML can have the name "+excerpt.Quote(local)+" here; it was left out", "rename it")
		case slices.ContainsFunc(list[:i], func(b epcis.Extension) bool {
			return b.Name == a.Name && extension.Canonical(b.Namespace) == extension.Canonical(a.Namespace)
		}):
			x.Lost("the attribute "+excerpt.Quote(local)+" stands twice; the second was left out", "")
		case a.Type == epcis.NoValue, len(a.Children)+len(a.Attributes) > 0:
			x.Lost("the attribute "+excerpt.Quote(local)+" has parts, which XML has no place for; it was left out", "")
		default:
			if a.Type == epcis.Number || a.Type == epcis.Boolean || a.Type == epcis.Null {
				x.Lost("an attribute of XML has no type: "+excerpt.Quote(a.Text)+" became text", "")
			}
			x.attr(name, a.Text)
		}
		x.Out()
	}
}

// unqualified writes an extension without a namespace, unless a reader would take it for something else.
func (x *writer) unqualified(t *epcis.Extension, standard func(name string) bool) {
	if t.Name == "extension" || t.Name == "baseExtension" || standard(t.Name) {
		x.In(excerpt.Clip(t.Name))
		x.Lost("an element "+excerpt.Quote(t.Name)+" without a namespace means something else in XML; it was left out", "put it into a namespace")
		x.Out()
		return
	}
	x.foreign(t)
}

// foreign writes an extension element. An array is the element repeated.
func (x *writer) foreign(t *epcis.Extension) {
	x.In(excerpt.Clip(t.Name))
	defer x.Out()
	if !extension.IsArray(t) {
		x.element(t)
		return
	}
	switch n := len(t.Children); n {
	case 0:
		x.Lost("an empty array is nothing in XML; it was left out", "")
	case 1:
		x.Lost("an array of one is written like a single value", "")
	}
	for i := range t.Children {
		item := t.Children[i] // a copy
		item.Namespace, item.Name = t.Namespace, t.Name
		if extension.IsArray(&item) { // its elements get an element around them, so that they stay together
			x.Lost("an array in an array is written as elements in an element", "")
			wrapped := epcis.Extension{Namespace: t.Namespace, Name: t.Name, Children: []epcis.Extension{item}}
			x.element(&wrapped)
			continue
		}
		x.element(&item)
	}
}

// element writes one element with its attributes and content.
func (x *writer) element(t *epcis.Extension) {
	name, ok := x.name(t.Namespace, t.Name)
	if !ok {
		x.Lost("no element of XML can have the name "+excerpt.Quote(t.Name)+" in the namespace "+excerpt.Quote(t.Namespace)+"; it was left out", "rename it")
		return
	}
	x.start(name)
	x.attributes(t)
	if len(t.Children) == 0 && t.Type == epcis.NoValue && len(t.Attributes) == 0 {
		x.Lost("an empty object is written as an empty element, which is read as empty text", "")
	}
	x.mixed(name, t.Text, t.Children)
}

// mixed ends an element behind its attributes, with text or with children, among which pieces of text may stand.
func (x *writer) mixed(name, text string, children []epcis.Extension) {
	if len(children) == 0 {
		x.value(name, text)
		return
	}
	if text != "" {
		children = slices.Insert(slices.Clone(children), 0, epcis.Extension{Name: extension.TextName, Type: epcis.Text, Text: text})
	}
	mixed := extension.HasText(children)
	if mixed {
		x.flat++
	}
	x.endStart()
	afterText := false
	for i := range children {
		c := &children[i]
		if !extension.IsText(c) {
			x.foreign(c)
			afterText = false
			continue
		}
		switch {
		case afterText:
			x.Lost("two pieces of text that follow each other become one in XML", "")
		case xsd.IsBlank([]byte(c.Text)):
			x.Lost("white space between elements is nothing in XML", "")
		case c.Type != epcis.Text || len(c.Attributes)+len(c.Children) > 0:
			x.Lost("the text beside elements has no type and no parts in XML", "")
		}
		x.text(c.Text)
		afterText = true
	}
	x.close(name)
	if mixed {
		x.flat--
	}
}

// attributes writes the attributes of an element, and the one that says the type of its value.
func (x *writer) attributes(t *epcis.Extension) {
	said := ""
	switch t.Type {
	case epcis.Number, epcis.Boolean:
		// A simple type of XML Schema has no attributes.
		alone := !slices.ContainsFunc(t.Attributes, func(a epcis.Extension) bool { return !extension.IsMarker(&a) && a.Namespace != xmlns.XSI })
		if lit, name := extension.Literal(t.Text); lit == t.Type && len(t.Children) == 0 && alone {
			said = name
			x.attr("xsi:type", name)
		} else {
			x.Lost("the value "+excerpt.Quote(t.Text)+" became text", "")
		}
	case epcis.Null:
		if len(t.Children) == 0 && t.Text == "" {
			said = "true"
			x.attr("xsi:nil", said)
		} else {
			x.Lost("null beside content was left out", "")
		}
	default:
	}
	for i := range t.Attributes {
		a := &t.Attributes[i]
		if extension.IsMarker(a) {
			continue
		}
		name, ok := x.name(a.Namespace, a.Name)
		switch {
		case a.Namespace == xmlns.XSI && said != "" && (a.Name == "type" || a.Name == "nil"):
			if a.Text != said {
				x.Lost("the attribute "+excerpt.Quote(a.Name)+" says another type than the value has; it was left out", "")
			}
			continue
		case !ok || a.Name == "xmlns":
			x.Lost("no attribute of XML can have the name "+excerpt.Quote(a.Name)+"; it was left out", "rename it")
			continue
		case slices.ContainsFunc(t.Attributes[:i], func(b epcis.Extension) bool {
			return b.Name == a.Name && extension.Canonical(b.Namespace) == extension.Canonical(a.Namespace)
		}):
			x.Lost("the attribute "+excerpt.Quote(a.Name)+" stands twice; the second was left out", "")
			continue
		case len(a.Children)+len(a.Attributes) > 0 || a.Type == epcis.NoValue:
			x.Lost("the attribute "+excerpt.Quote(a.Name)+" has parts, which XML has no place for; it was left out", "")
			continue
		case a.Type != epcis.Text && a.Type != epcis.Empty:
			x.Lost("an attribute of XML has no type: "+excerpt.Quote(a.Text)+" became text", "")
		}
		text := a.Text
		if a.Namespace == xmlns.XSI && a.Name == "type" {
			text = x.qname(text)
		}
		x.attr(name, text)
	}
}

// qname writes the value of xsi:type, a name whose prefix means something.
func (x *writer) qname(s string) string {
	if space, local, ok := xmlns.Braced(s); ok {
		if own := !x.Old && space == xmlns.EPCIS2 || x.Old && space == xmlns.EPCIS1; !own {
			x.Refused("the type "+excerpt.Quote(s)+" is none that the schema knows", "leave it out, or use one of XML Schema")
		}
		if prefix := x.Prefix(extension.Canonical(space)); prefix != "" && extension.Canonical(space) == space {
			return prefix + ":" + local
		}
		x.Lost("the type "+excerpt.Quote(s)+" has a namespace that cannot be written", "")
		return s
	}
	prefix, _, ok := strings.Cut(s, ":")
	if prefix != "xsd" {
		x.Refused("the type "+excerpt.Quote(s)+" is none that the schema knows", "leave it out, or use one of XML Schema")
	}
	if ok && prefix != "xsd" && x.PrefixTaken(prefix) {
		x.Lost("the type "+excerpt.Quote(s)+" has a prefix that nobody declared, and means something else now", "declare the prefix")
	}
	return s
}

// header writes EPCISHeader, if there is anything in it.
func (x *writer) header(h *epcis.Header) {
	local, foreign := split(heading.Extensions(h))
	b := heading.FilledSBDH(h, x.head.CreationDate)
	vocabularies := h.Vocabularies
	if x.master {
		vocabularies = nil
	}
	if b == nil && x.Old {
		x.trailing, foreign = foreign, nil
	}
	if b == nil && len(vocabularies)+len(local)+len(foreign) == 0 {
		return
	}
	x.In("EPCISHeader")
	defer x.Out()
	x.open("EPCISHeader")
	switch {
	case b != nil:
		if b.InstanceIdentifier == "" && x.Old && h.ID != "" {
			x.Lost("the id of the document was written as its InstanceIdentifier", "")
			b.InstanceIdentifier = h.ID
		}
		x.sbdh(b)
	case x.Old:
		x.Refused("EPCIS 1.2 wants a StandardBusinessDocumentHeader in the header, and sender and receiver are not known", "name them")
	}
	x.wrap("extension", func() {
		if len(vocabularies) > 0 {
			x.open("EPCISMasterData")
			x.vocabularies(vocabularies)
			x.close("EPCISMasterData")
		}
		x.wrap("extension", func() {
			for _, t := range local {
				x.unqualified(t, func(name string) bool { return name == "EPCISMasterData" })
			}
			if x.Old {
				return
			}
			x.wrap("extension", func() {
				for _, t := range foreign {
					x.foreign(t)
				}
			})
		})
	})
	if x.Old {
		for _, t := range foreign {
			x.foreign(t)
		}
	}
	x.close("EPCISHeader")
}

func (x *writer) sbdh(b *epcis.SBDH) {
	x.In(heading.SBDHName)
	defer x.Out()
	for _, f := range []struct {
		name string
		ok   bool
	}{
		{"Sender", len(b.Senders) > 0},
		{"Receiver", len(b.Receivers) > 0},
		{"InstanceIdentifier", b.InstanceIdentifier != ""},
		{"CreationDateAndTime", b.CreationDateAndTime != ""},
	} {
		if !f.ok {
			x.Refused("the header of the document lacks "+f.name, "add it")
		}
	}
	t := heading.SBDHExtension(b)
	x.element(&t)
}

func (x *writer) vocabularies(list []epcis.Vocabulary) {
	x.open("VocabularyList")
	for i := range list {
		x.vocabulary(&list[i])
	}
	x.close("VocabularyList")
}

func (x *writer) vocabulary(v *epcis.Vocabulary) {
	x.In("Vocabulary")
	defer x.Out()
	x.start("Vocabulary")
	if v.Type != "" {
		x.attr("type", v.Type)
	}
	x.ownAttributes(v.Extensions, "type")
	x.endStart()
	if len(v.Elements) > 0 {
		x.open("VocabularyElementList")
		for i := range v.Elements {
			x.vocabularyElement(&v.Elements[i])
		}
		x.close("VocabularyElementList")
	}
	x.extensions(v.Extensions, "VocabularyElementList")
	x.close("Vocabulary")
}

func (x *writer) vocabularyElement(e *epcis.VocabularyElement) {
	x.In("VocabularyElement")
	defer x.Out()
	x.start("VocabularyElement")
	if e.ID != "" {
		x.attr("id", x.ID(e.ID))
	}
	x.ownAttributes(e.Extensions, "id")
	x.endStart()
	for i := range e.Attributes {
		a := &e.Attributes[i]
		x.In("attribute")
		x.start("attribute")
		if a.ID != "" {
			x.attr("id", a.ID)
		}
		x.mixed("attribute", a.Text, a.Children)
		x.Out()
	}
	if len(e.Children) > 0 {
		x.open("children")
		for _, s := range e.Children {
			x.leaf("id", x.ID(s))
		}
		x.close("children")
	}
	x.IDsDone()
	x.extensions(e.Extensions, "attribute", "children")
	x.close("VocabularyElement")
}
