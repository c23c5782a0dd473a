package epcisjson

import (
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/jsonld"
	"verilot.dev/epcis/internal/vocabulary"
)

// What stands in another place than its own, or is misspelt: as in package epcisxml.

// partNames are members around the events that mean one thing wherever they stand.
var partNames = []string{"epcisHeader", "epcisBody", "eventList", "queryResults", "resultsBody", "vocabularyList", "epcisMasterData", "queryName", "subscriptionID"}

// partOf returns the part of a document that a name is, or was meant to be. "" for none.
func (p *parser) partOf(key *word) string {
	name := key.text
	if slices.Contains(partNames, name) {
		return name
	}
	if strings.IndexByte(name, ':') < 0 {
		return vocabulary.Near(name, partNames)
	}
	if term := p.ctx.standard(name); slices.Contains(partNames, term) {
		return term
	}
	return ""
}

// standard returns the term of the standard that a name is when it is written out, epcis:eventList; "" for any other.
func (c *context) standard(name string) string {
	if term, ok := strings.CutPrefix(name, jsonld.Vocabulary); ok {
		return term
	}
	if prefix, term, ok := strings.Cut(name, ":"); ok && c.iri[prefix] == jsonld.Vocabulary {
		return term
	}
	return ""
}

// elsewhere reads a member around the events that does not belong where it is. schema tells that the schema refuses it.
func (p *parser) elsewhere(key *word, where string, schema bool) error {
	p.needContext()
	part := p.partOf(key)
	sev := epcis.SeverityWarning
	what := where + " has no member " + excerpt.Quote(key.text)
	switch {
	case part == "":
		return p.foreignMember(key, where, schema)
	case p.root.parts[part]:
		p.problem(epcis.SeverityError, epcis.CodeFieldRepeated, what+", and "+part+" stands elsewhere", "was "+part+" meant? Keep one: this was not read", schema)
		return p.skip()
	case part == key.text:
		p.problem(sev, epcis.CodeFieldMisplaced, what, "move it to where the schema has it; it was read as if it stood there", schema)
	default:
		p.problem(sev, epcis.CodeFieldUnknown, what, "was "+part+" meant? It was read as "+part, schema)
	}
	return p.part(part)
}

// part reads a part of the document by its name.
func (p *parser) part(name string) error {
	p.saw(name)
	switch name {
	case "epcisHeader":
		return p.readHeader()
	case "epcisBody":
		return p.body("EPCISBody")
	case "eventList":
		p.listPath = "EventList"
		return p.events()
	case "queryResults":
		return p.queryResults("QueryResults")
	case "resultsBody":
		return p.resultsBody("resultsBody")
	case "vocabularyList":
		return p.vocabularies()
	case "epcisMasterData":
		return p.masterData()
	default: // queryName, subscriptionID
		return p.aboutQuery(name)
	}
}

func (p *parser) saw(part string) {
	if p.root.parts == nil {
		p.root.parts = map[string]bool{}
	}
	p.root.parts[part] = true
}

// again reports a part in its own place that was read already, under another name or elsewhere.
func (p *parser) again(part string) {
	if p.root.parts[part] {
		p.problem(epcis.SeverityError, epcis.CodeFieldRepeated, part+" stands in the document twice, once misspelt or in another place", "keep one", false)
	}
	p.saw(part)
}

func (p *parser) aboutQuery(name string) error {
	s, err := p.text(ruleText)
	if p.header.Query == nil {
		p.header.Query = &epcis.QueryResults{}
	}
	if name == "queryName" {
		p.header.Query.Name = s
	} else {
		p.header.Query.SubscriptionID = s
	}
	return err
}

// foreignMember keeps a member around the events that nobody knows as an extension of the header, unless it has no
// namespace and holds what only the standard can name.
func (p *parser) foreignMember(key *word, where string, schema bool) error {
	at := p.at
	x := p.extensionName(key)
	own := key.takes(ruleURI)
	var list []epcis.Extension
	if own && x.Namespace == epcis.NamespaceHC {
		return p.headerExtension(x)
	}
	if err := p.extension(&list, x, false); err != nil {
		return err
	}
	for i := range list {
		what := extension.HoldsEvent(&list[i], isEventType)
		if !own && what == "" {
			what = extension.Holds(&list[i], isEventType)
		}
		after := p.at
		p.at = at
		switch {
		case what != "" && !own:
			p.problem(epcis.SeverityError, epcis.CodeElement, where+" has no member "+excerpt.Quote(key.text)+", and it holds "+what, "move what is in it to where the schema has it: it was not read", schema)
			return nil
		case what != "":
			p.problem(epcis.SeverityWarning, epcis.CodeEventMisplaced, "the extension "+excerpt.Quote(key.text)+" holds "+what+", which is not read as an event", "put events into eventList; it was kept as an extension", false)
		case !own && i == 0:
			p.problem(epcis.SeverityWarning, epcis.CodeFieldUnknown, where+" has no member "+excerpt.Quote(key.text), "write members of your own as prefix:name; it was kept as an extension", schema)
		}
		p.at = after
	}
	p.header.Extensions = append(p.header.Extensions, list...)
	return nil
}

func isEventType(name string) bool { return slices.Contains(eventTypes, name) }

var fieldNames = field.Names[field.EventTime:field.EPCClass]

// meantField returns the field that a member of an event is meant to be: a misspelt one, or one that is written out.
func (p *parser) meantField(key *word) field.ID {
	name := key.text
	if strings.IndexByte(name, ':') < 0 {
		return field.IDs[vocabulary.Near(name, fieldNames)]
	}
	if term := p.ctx.standard(name); field.IsMember(term) {
		return field.IDs[term] // field.None for type
	}
	return field.None
}

// strange keeps a member of an event that nobody knows.
func (p *parser) strange(e *epcis.Event, key *word) error {
	p.extended++
	n, at := len(e.Extensions), p.at
	pointer := p.dec.StackPointer()
	x := p.extensionName(key)
	if err := p.extension(&e.Extensions, x, false); err != nil {
		return err
	}
	if key.takes(ruleURI) {
		return nil
	}
	after := p.at
	p.at = at
	defer func() { p.at = after }()
	for i := n; i < len(e.Extensions); i++ {
		if what := extension.Holds(&e.Extensions[i], isEventType); what != "" {
			p.fault(epcis.CodeFieldUnknown, "EPCIS has no field "+excerpt.Quote(key.text)+", and it holds "+what, "use the fields of the standard, or write fields of your own as prefix:name")
			p.findings[len(p.findings)-1].Pointer = string(pointer)
			return nil
		}
	}
	return nil
}

// nearMember returns the one of some names that a member of the standard's objects was meant to be, or the name.
func (p *parser) nearMember(name string, known []string) string {
	if strings.IndexByte(name, ':') >= 0 || slices.Contains(known, name) {
		return name
	}
	meant := vocabulary.Near(name, known)
	if meant == "" {
		return name
	}
	p.refuse(epcis.CodeFieldUnknown, excerpt.Quote(name)+" is no member here", "was "+meant+" meant? It was read as "+meant)
	return meant
}
