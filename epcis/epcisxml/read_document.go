package epcisxml

import (
	"encoding/xml"
	"errors"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// document reads everything.
func (p *parser) document() error {
	if err := p.next(); err != nil {
		return err
	}
	if p.doctype.line > 0 {
		p.warn(p.doctype, epcis.CodeDoctype, "", "the document has a document type declaration", "remove <!DOCTYPE …>; it declares nothing and was passed over")
	}
	if p.mislabelled != "" {
		p.warn(pos{1, 1}, epcis.CodeEncoding, "", "the document is in UTF-16, and says that it is in "+excerpt.Quote(p.mislabelled), `write encoding="UTF-16", or save it as UTF-8`)
	}
	read := p.root
	if p.name.Space == xmlns.SOAP11 || p.name.Space == xmlns.SOAP12 {
		read = p.envelope
	}
	if err := read(); err != nil {
		return err
	}
	if err := p.next(); err != nil { // up to the end of the input
		return err
	}
	p.tell(pos{})
	if p.bare && p.wrapped && p.anyVersion {
		p.sum.Format, p.header.Format = epcis.FormatXML12, string(epcis.FormatXML12)
	}
	if err := p.sendHeader(); err != nil {
		return err
	}
	return p.err
}

func (p *parser) refuse(code, message, hint string) error {
	return &epcis.ParseError{Code: code, Line: p.at.line, Column: p.at.col, Message: message, Hint: hint}
}

// envelope looks through a SOAP message, 1.1 or 1.2. What is in its body is the document.
func (p *parser) envelope() error {
	soap, at := p.name.Space, p.at
	if p.name.Local != "Envelope" {
		return p.refuse(epcis.CodeNotEPCIS, "the root element is <"+excerpt.Clip(p.name.Local)+"> of SOAP, want <Envelope>", reading.NotEPCISHint)
	}
	found := false
	err := p.each("Envelope", func() error {
		switch {
		case p.name.Space == soap && vocabulary.IsNear(p.name.Local, "Header"):
			return p.transport("Envelope/Header")
		case p.name.Space != soap || !vocabulary.IsNear(p.name.Local, "Body"):
			return p.ignore("Envelope")
		case p.name.Local != "Body":
			p.meant("Envelope/"+excerpt.Clip(p.name.Local), p.name.Local, "Body")
		}
		return p.each("Envelope/Body", func() error {
			switch {
			case p.name.Space == soap && p.name.Local == "Fault":
				return p.refuse(epcis.CodeNotEPCIS, "the SOAP message reports a fault, not events", "ask the sender to repeat what failed")
			case found:
				return p.ignore("Envelope/Body")
			}
			found = true
			return p.root()
		})
	})
	if err == nil && !found {
		p.at = at
		return p.refuse(epcis.CodeNotEPCIS, "the SOAP message has an empty body", reading.NotEPCISHint)
	}
	return err
}

// root reads the document, whose start tag was just read.
func (p *parser) root() error {
	root := p.name
	p.version, p.header.Format, p.sum.Format = 1, string(epcis.FormatXML12), epcis.FormatXML12
	if strings.HasSuffix(root.Space, ":2") {
		p.version, p.header.Format, p.sum.Format = 2, string(epcis.FormatXML2), epcis.FormatXML2
	}
	var want string
	switch root.Space {
	case xmlns.EPCIS1, xmlns.EPCIS2:
		want = "EPCISDocument"
	case xmlns.Query1, xmlns.Query2:
		want = "EPCISQueryDocument"
	case xmlns.MasterData1, xmlns.MasterData2:
		want = "EPCISMasterDataDocument"
	case "":
	default:
		if strings.HasPrefix(root.Space, "urn:epcglobal:epcis") {
			return p.refuse(epcis.CodeUnsupportedVersion, "the namespace "+excerpt.Quote(root.Space)+" is no version of EPCIS that is read", reading.NotEPCISHint)
		}
		return p.refuse(epcis.CodeNotEPCIS, "the root element is <"+excerpt.Clip(root.Local)+"> in the namespace "+excerpt.Quote(root.Space), reading.NotEPCISHint)
	}
	results := want == "EPCISQueryDocument" && root.Local == "QueryResults"
	switch {
	case want != "EPCISQueryDocument" && want != "EPCISMasterDataDocument" && isEventName(root.Local):
		return p.bareEvent()
	case want == "":
		return p.refuse(epcis.CodeNotEPCIS, "the root element is <"+excerpt.Clip(root.Local)+"> in no namespace", reading.NotEPCISHint)
	case want == "EPCISQueryDocument" && root.Local != want && !results && schemaSets()[setKey{p.version, root.Space}].elements[root] != nil:
		return p.refuse(epcis.CodeNotEPCIS, "the root element is <"+root.Local+">, a message of the query interface that holds no events", "send the QueryResults, or an EPCISDocument")
	case root.Local != want && !results:
		return p.refuse(epcis.CodeNotEPCIS, "the root element is <"+excerpt.Clip(root.Local)+">, want <"+want+"> in this namespace", reading.NotEPCISHint)
	}
	p.sum.Root = root.Local
	set := schemaSets()[setKey{p.version, root.Space}]
	p.judgeRoot(set, set.elements[root])
	if want == "EPCISQueryDocument" {
		p.header.Query = &epcis.QueryResults{}
	}
	if results {
		return p.body("QueryResults")
	}
	p.versionOf()
	if err := p.onlyAttrs(&p.header.Extensions, "", "schemaVersion", "creationDate", "id"); err != nil {
		return err
	}
	return p.parts(p.at)
}

// versionOf reads the attributes of the root.
func (p *parser) versionOf() {
	p.header.SchemaVersion = p.attr("schemaVersion")
	p.header.CreationDate = p.attr("creationDate")
	p.header.ID = p.attr("id") // of a document that was JSON: see writer.Begin
	if v := p.header.SchemaVersion; p.version == 1 && v != "1.2" && v != "" {
		p.sum.Format = epcis.FormatXML1
	}
}

// parts reads what is in a document whose root is at.
func (p *parser) parts(at pos) error {
	if p.header.SchemaVersion == "" {
		p.warn(at, epcis.CodeFieldMissing, "", "the attribute schemaVersion is missing", `add schemaVersion="1.2"`)
	}
	if p.header.CreationDate == "" {
		p.warn(at, epcis.CodeFieldMissing, "", "the attribute creationDate is missing", "add the time at which the document was made")
	} else if _, err := xsd.ParseTime(p.header.CreationDate); err != nil {
		p.warn(at, epcis.CodeTimeInvalid, "", "creationDate: "+err.Error(), xsd.TimeHint)
	}
	err := p.each("", func() error {
		switch p.std() {
		case "":
			return p.foreignPart("")
		case "extension":
			return p.extensions("extension")
		case "EPCISHeader":
			if p.headerSent || p.headerDone {
				p.warn(p.at, epcis.CodeFieldOrder, "EPCISHeader", "the header does not come first, or comes twice", "put one EPCISHeader before EPCISBody")
			}
			p.headerDone = true
			err := p.bounded(p.readHeader)
			p.tell(pos{})
			return err
		case "EPCISBody":
			p.bodySeen = true
			return p.body("EPCISBody")
		}
		return p.stray("")
	})
	if err == nil && !p.bodySeen {
		p.warn(at, epcis.CodeFieldMissing, "EPCISBody", "the document has no EPCISBody", "add one, with an EventList")
	}
	return err
}

// maxHeaderBytes bounds what stays in memory until a document has been read, whatever Options.MaxBytes allows for its events.
const maxHeaderBytes = 64 << 20

// bounded reads a part of the document that stays in memory.
func (p *parser) bounded(read func() error) error {
	at := p.at
	p.stop = p.dec.InputOffset() + maxHeaderBytes
	err := read()
	p.stop = 0
	if errors.Is(err, reading.ErrEventTooLarge) {
		p.at = at
		return p.exceeded("header and master data are longer than %d bytes", maxHeaderBytes)
	}
	return err
}

// extensions reads the elements in a wrapper of the document or its body.
func (p *parser) extensions(path string) error {
	if err := p.onlyAttrs(&p.header.Extensions, path); err != nil {
		return err
	}
	return p.each(path, func() error {
		if name := p.std(); slices.Contains(partNames, name) || isEventName(name) {
			return p.stray(path)
		}
		return p.foreignPart(path)
	})
}

func isEventName(name string) bool {
	return field.LayoutOf(1, name) != nil || field.LayoutOf(2, name) != nil
}

// bareEvent reads an event that is the root. Its namespace tells the version, if it has one; else a namespace declared on it,
// or the attribute schemaVersion, that some senders write there.
func (p *parser) bareEvent() error {
	p.bare, p.sum.NoSchema, p.sum.Root = true, true, p.name.Local
	space := p.name.Space
	p.versionOf()
	for _, b := range p.bindings {
		if space == "" && (b.space == xmlns.EPCIS1 || b.space == xmlns.EPCIS2) {
			space = b.space
		}
	}
	switch {
	case space != "":
	case strings.HasPrefix(p.header.SchemaVersion, "2"):
		space = xmlns.EPCIS2
	case strings.HasPrefix(p.header.SchemaVersion, "1"):
		space = xmlns.EPCIS1
	default:
		p.anyVersion = true
	}
	if space != xmlns.EPCIS1 {
		p.version, p.header.Format, p.sum.Format = 2, string(epcis.FormatXML2), epcis.FormatXML2
	}
	name := p.std()
	if !p.anyVersion {
		set := schemaSets()[setKey{p.version, space}]
		if t := set.types[xml.Name{Space: space, Local: name + "Type"}]; t != nil {
			p.judgeRoot(set, t)
		}
	}
	return p.event(name, "")
}

// ignore passes over an element that means nothing here, unless there is something in it that must not be lost.
func (p *parser) ignore(path string) error {
	if path != "" {
		path += "/"
	}
	at, name := p.at, excerpt.Clip(p.name.Local)
	path += name
	var list []epcis.Extension
	if err := p.extension(&list); err != nil {
		return err
	}
	if what := extension.Holds(&list[0], isEventName); what != "" {
		p.fault(at, epcis.CodeElement, path, "the element <"+name+"> does not belong here, and holds "+what, "move what is in it to where the schema has it: it was not read")
		return nil
	}
	p.drop(at, epcis.CodeElement, path, "the element <"+name+"> does not belong here", "remove it; it was not kept")
	return nil
}

// transport passes over the header of a message, which is no part of the document.
func (p *parser) transport(path string) error {
	at := p.at
	var list []epcis.Extension
	if err := p.extension(&list); err != nil {
		return err
	}
	if what := extension.HoldsEvent(&list[0], isEventName); what != "" {
		p.fault(at, epcis.CodeElement, path, "the header of the message holds "+what, "put the document into the body of the message: it was not read")
	}
	return nil
}

func (p *parser) body(path string) error {
	if err := p.onlyAttrs(&p.header.Extensions, path); err != nil {
		return err
	}
	return p.each(path, func() error {
		switch name := p.std(); name {
		case "":
			return p.foreignPart(path)
		case "extension":
			return p.extensions(path + "/extension")
		case "EventList", "VocabularyList", "QueryResults", "resultsBody":
			return p.part(name, path+"/"+name)
		case "queryName", "subscriptionID":
			return p.aboutQuery(name, path+"/"+name)
		default:
			space := xmlns.Query1
			if p.version == 2 {
				space = xmlns.Query2
			}
			if schemaSets()[setKey{p.version, space}].elements[xml.Name{Space: space, Local: name}] == nil {
				return p.stray(path)
			}
			message, hint := "the document holds <"+name+">, a message of the query interface, and no events", "send the results of the query"
			if strings.HasSuffix(name, "Exception") {
				message, hint = "the document reports a failed query, not events", "ask the sender to repeat the query"
			}
			p.drop(p.at, epcis.CodeElement, path+"/"+name, message, hint)
			return p.skip()
		}
	})
}

func (p *parser) sendHeader() error {
	if p.headerSent {
		return nil
	}
	p.headerSent = true
	if p.to.Header == nil {
		return nil
	}
	return p.to.Header(&p.header)
}

// events reads an event list. In 1.2, wrapper is "", "extension/" or "extension/extension/" (epcis.md section 3).
func (p *parser) events(wrapper string) error {
	return p.each(p.list, func() error {
		name := p.std()
		switch {
		case name == "extension":
			if err := p.onlyAttrs(&p.header.Extensions, p.list+"/extension"); err != nil {
				return err
			}
			return p.events(wrapper + "extension/")
		case name == "" && wrapper != "":
			return p.listExtension(wrapper)
		}
		return p.event(name, wrapper)
	})
}

// listExtension keeps an element of somebody else's in the extension of an event list, where the schema has a place for
// it. An event of a type of their own is one of the list, and cannot be read.
func (p *parser) listExtension(wrapper string) error {
	at, name := p.at, excerpt.Clip(p.name.Local)
	path := p.list + "/" + wrapper + name
	n := len(p.header.Extensions)
	if err := p.extension(&p.header.Extensions); err != nil {
		return err
	}
	x := &p.header.Extensions[n]
	what := extension.HoldsEvent(x, isEventName)
	if slices.ContainsFunc(x.Children, func(c epcis.Extension) bool { return standardElement(c.Namespace) && c.Name == "eventTime" }) {
		what = "eventTime"
	}
	if what != "" {
		p.fault(at, epcis.CodeEventUnknown, path, "<"+name+"> in the namespace "+excerpt.Quote(x.Namespace)+" holds "+what+", and is no EPCIS event",
			"use ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or AssociationEvent, in no namespace")
	}
	return nil
}
