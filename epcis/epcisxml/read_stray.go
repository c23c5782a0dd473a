package epcisxml

import (
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xmlns"
)

// What stands in another place than its own, or is misspelt. It is read as meant where it can mean one thing. What cannot
// be read is never passed over when there are events or identifiers in it.

// parts of a document that mean one thing wherever they stand around the events.
var partNames = []string{"EPCISHeader", "EPCISBody", "EventList", "VocabularyList", "EPCISMasterData", "QueryResults", "resultsBody", "queryName", "subscriptionID"}

// stray reads an element of the standard in a place around the events that is not its own.
func (p *parser) stray(path string) error {
	name := p.std()
	part := name
	if !slices.Contains(partNames, name) && !isEventName(name) {
		part = vocabulary.Near(name, partNames)
	}
	at := name
	if path != "" {
		at = path + "/" + name
	}
	switch {
	case part == "":
		return p.unknown(&p.header.Extensions, path)
	case isEventName(part):
		before := p.list
		p.list = path
		err := p.event(part, "elsewhere")
		p.list = before
		return err
	case part != name:
		p.meant(at, name, part)
	default:
		p.warn(p.at, epcis.CodeFieldMisplaced, at, "<"+name+"> does not belong here", "move it to where the schema has it; it was read as if it stood there")
	}
	return p.part(part, at)
}

// meant tells that a misspelt name was read as another.
func (p *parser) meant(path, name, as string) {
	p.warn(p.at, epcis.CodeFieldUnknown, path, "EPCIS has no element "+excerpt.Quote(name)+" here", "was "+as+" meant? It was read as "+as)
}

// part reads a part of the document by its name.
func (p *parser) part(name, path string) error {
	switch name {
	case "EPCISHeader":
		p.headerDone = true
		return p.bounded(p.readHeader)
	case "EPCISBody":
		p.bodySeen = true
		return p.body(path)
	case "EventList":
		p.bodySeen = true
		p.list = path
		if err := p.onlyAttrs(&p.header.Extensions, path); err != nil {
			return err
		}
		return p.events("")
	case "VocabularyList":
		return p.bounded(func() error { return p.vocabularies(path) })
	case "EPCISMasterData":
		return p.bounded(func() error { return p.masterData(path) })
	case "QueryResults", "resultsBody":
		p.bodySeen = true
		return p.body(path)
	default: // queryName, subscriptionID
		return p.aboutQuery(name, path)
	}
}

// aboutQuery reads what a query document says beside its events.
func (p *parser) aboutQuery(name, path string) error {
	at := p.at
	if err := p.onlyAttrs(nil, path); err != nil {
		return err
	}
	s, err := p.value(path)
	if p.header.Query == nil {
		if s != "" {
			p.drop(at, epcis.CodeElement, path, name+" is about a query, and the document is no query document", "remove it; it was not kept")
		}
		return err
	}
	to := &p.header.Query.Name
	if name == "subscriptionID" {
		to = &p.header.Query.SubscriptionID
	}
	if *to != "" && s != *to {
		p.drop(at, epcis.CodeFieldRepeated, path, name+" stands there twice", "keep one; the second was not kept")
		return err
	}
	*to = s
	return err
}

// unknown reads an element without a namespace that nobody knows: it is kept as an extension, unless it holds what only
// the standard can name.
func (p *parser) unknown(list *[]epcis.Extension, path string) error {
	if path != "" {
		path += "/"
	}
	at, name := p.at, excerpt.Clip(p.name.Local)
	path += name
	var kept []epcis.Extension
	if err := p.extension(&kept); err != nil {
		return err
	}
	if what := extension.Holds(&kept[0], isEventName); what != "" {
		p.fault(at, epcis.CodeElement, path, "the element <"+name+"> does not belong here, and holds "+what, "move what is in it to where the schema has it: it was not read")
		return nil
	}
	p.warn(at, epcis.CodeFieldUnknown, path, "the element <"+name+"> does not belong here", "put elements of your own into a namespace of your own; it was kept as an extension")
	*list = append(*list, kept...)
	return nil
}

// foreignPart keeps an element of somebody else's beside the events. Events in it are not read, which is told.
func (p *parser) foreignPart(path string) error {
	at, name := p.at, excerpt.Clip(p.name.Local)
	n := len(p.header.Extensions)
	if err := p.extension(&p.header.Extensions); err != nil {
		return err
	}
	if what := extension.HoldsEvent(&p.header.Extensions[n], isEventName); what != "" {
		p.warn(at, epcis.CodeEventMisplaced, strings.TrimPrefix(path+"/"+name, "/"), "the extension <"+name+"> holds "+what+", which is not read as an event", "put events into EventList; it was kept as an extension")
	}
	return nil
}

// eventFields are the names of fields in events.
var eventFields = func() (list []string) {
	for id := field.EventTime; id < field.EPCClass; id++ {
		list = append(list, field.Names[id])
	}
	return list
}()

// nearField returns the field that a name was meant to be.
func (p *parser) nearField(name string) field.ID {
	names := eventFields
	if p.layout.Name == "QuantityEvent" {
		names = append(slices.Clone(names), field.Names[field.EPCClass], field.Names[field.Quantity])
	}
	return field.IDs[vocabulary.Near(name, names)] // field.None for none
}

// misspelt reads an element of an event that is no field.
func (p *parser) misspelt(name, wrapper string, e *epcis.Event) error {
	label := wrapper + excerpt.Clip(name)
	if id := p.nearField(name); id != field.None {
		meant := field.Names[id]
		if p.seen[id] && id != field.CertificationInfo {
			p.fault(p.at, epcis.CodeFieldRepeated, label, excerpt.Quote(name)+" stands beside "+meant, "was "+meant+" meant? Keep one")
			return p.skip()
		}
		p.warn(p.at, epcis.CodeFieldUnknown, label, "EPCIS has no field "+excerpt.Quote(name), "was "+meant+" meant? It was read as "+meant)
		if !p.place(id, wrapper) {
			return p.skip()
		}
		return p.read(id, e)
	}
	for _, w := range [...]string{"extension", "baseExtension"} {
		if strings.EqualFold(name, w) {
			p.meant(label, name, w)
			return p.wrapper(wrapper+w+"/", e)
		}
	}
	at, refused := p.at, p.refusedHere()
	n := len(e.Extensions)
	if err := p.extension(&e.Extensions); err != nil {
		return err
	}
	if what := extension.Holds(&e.Extensions[n], isEventName); what != "" && refused {
		p.fault(at, epcis.CodeFieldUnknown, label, "EPCIS has no field "+excerpt.Quote(name)+", and it holds "+what, "use the fields of the standard, or put it into a namespace of your own")
		return nil
	}
	hint := "put fields of your own into a namespace of your own; it was kept as an extension"
	if near := epcis.Nearest(name, field.Names[:]); near != "" {
		hint = "was " + near + " meant? It was kept as an extension"
	}
	p.warn(at, epcis.CodeFieldUnknown, label, "EPCIS has no field "+excerpt.Quote(name), hint)
	return nil
}

// is reports whether the element just opened is of a name of the standard, or was meant to be.
func (p *parser) is(want, path string) bool {
	name := p.std()
	if name == want {
		return true
	}
	if name == "" || !vocabulary.IsNear(name, want) {
		return false
	}
	p.meant(path+"/"+excerpt.Clip(name), name, want)
	return true
}

// ilmd reads the ILMD. A misspelt element of CBV's own namespaces is read as meant.
func (p *parser) ilmd(e *epcis.Event, path string) error {
	if err := p.onlyAttrs(&e.ILMD, path); err != nil {
		return err
	}
	at := p.at
	if err := p.foreign(&e.ILMD, path, nil, nil); err != nil {
		return err
	}
	extension.RepairILMD(e.ILMD, func(name, meant string, twice bool) {
		if twice {
			p.fault(at, epcis.CodeFieldRepeated, path+"/"+name, excerpt.Quote(name)+" stands beside "+meant+" and says something else", "was "+meant+" meant? Keep one")
			return
		}
		p.warn(at, epcis.CodeFieldUnknown, path+"/"+name, "CBV has no element "+excerpt.Quote(name), "was "+meant+" meant? It was read as "+meant)
	})
	return nil
}

// standardElement reports whether a namespace is none, or the standard's.
func standardElement(space string) bool {
	return space == "" || space == xmlns.EPCIS1 || space == xmlns.EPCIS2
}
