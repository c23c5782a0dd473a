package epcis

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// parser reads EPCIS XML into the model. Elements without a namespace and elements in an EPCIS namespace are
// standard, everything else is an extension. Every method that reads an element is called behind its start tag and
// returns behind its end tag.
type parser struct {
	*scanner
	opt    Options
	header Header
	to     Handler
	sum    Summary

	version    int    // of the namespace: 1 or 2
	list       string // path of the event list
	headerDone bool
	headerSent bool
	qualified  bool // namespace_unexpected was reported
	rejected   int
	index      int // of the next event
	ordinal    map[string]int
	buf        []byte
	interned   map[string]string
	check      checker
	nodes      int   // see node
	err        error // of Handler.Problem

	// The event being read.
	layout   *layout
	eventAt  pos
	path     string
	faults   int
	warnings int
	units    int
	nodesIn  int
	rank     int
	disorder bool
	seen     [numFields]bool
	field    [numFields]pos
	items    [numFields][]pos
}

// maxEventProblems is how many errors, and how many warnings, of one event are told; a list of 16,384 bad EPCs is one mistake.
const maxEventProblems = 100

// Limits on what is much larger in memory than in the document.
const (
	maxEventNodes    = 1 << 16
	maxDocumentNodes = 1 << 20
)

// node counts an extension, or something as large as several of them.
func (p *parser) node(weight int) error {
	if p.nodes += weight; p.nodes > maxDocumentNodes {
		return p.exceeded("the document has more than %d extension elements, attributes or sensor data", maxDocumentNodes)
	}
	if p.nodesIn += weight; p.layout != nil && p.nodesIn > maxEventNodes {
		return errEventTooLarge
	}
	return nil
}

func readXML(r io.Reader, opt Options, h Handler) (Summary, error) {
	s, err := newScanner(r, &opt)
	if err != nil {
		return Summary{}, err
	}
	p := &parser{scanner: s, opt: opt, to: h, ordinal: map[string]int{}, interned: map[string]string{}}
	err = p.document()
	p.sum.Events, p.sum.Rejected = p.index, p.rejected
	return p.sum, err
}

// std returns the local name of a standard element, "" for any other.
func (p *parser) std() string {
	switch p.name.Space {
	case "":
		return p.name.Local
	case nsDoc1, nsDoc2:
		if !p.qualified {
			p.qualified = true
			p.warn(p.at, CodeNamespace, p.name.Local,
				"<"+p.name.Local+"> is in the namespace "+p.name.Space+", where only the root belongs",
				"write the elements below the root without prefix and without a default namespace")
		}
		return p.name.Local
	case nsQuery1, nsQuery2, nsMaster1, nsMaster2:
		return p.name.Local
	}
	return ""
}

func (p *parser) problem(at pos, pr Problem) {
	pr.Line, pr.Column = at.line, at.col
	pr.Event = -1
	if p.layout != nil {
		pr.Event = p.index
		told := &p.warnings
		if pr.Severity == SeverityError {
			told = &p.faults
		}
		if *told++; *told > maxEventProblems {
			return
		}
		if pr.Path == "" {
			pr.Path = p.path
		} else {
			pr.Path = p.path + "/" + pr.Path
		}
	}
	if p.to.Problem != nil && p.err == nil {
		p.err = p.to.Problem(pr)
	}
}

func (p *parser) warn(at pos, code, path, message, hint string) {
	p.problem(at, Problem{Severity: SeverityWarning, Code: code, Path: path, Message: message, Hint: hint})
}

func (p *parser) fault(at pos, code, path, message, hint string) {
	p.problem(at, Problem{Severity: SeverityError, Code: code, Path: path, Message: message, Hint: hint})
}

// each reads the children of an element that holds only elements. fn reads one child; p.at is its start.
func (p *parser) each(path string, fn func() error) error {
	told := false
	for {
		if err := p.next(); err != nil {
			return err
		}
		switch p.kind {
		case tokenStart:
			if err := fn(); err != nil {
				return err
			}
		case tokenText:
			if !told && !isBlank(p.text) {
				told = true
				p.warn(p.at, CodeText, path, "bare text "+quote(string(trim(p.text)))+" stands where only elements may", "remove it; it was not kept")
			}
		case tokenEnd:
			return p.err
		case tokenEOF:
			return nil
		}
	}
}

// skip passes over the rest of an element.
func (p *parser) skip() error { return p.unwind(len(p.frames) - 1) }

// unwind passes over everything until depth elements are open.
func (p *parser) unwind(depth int) error {
	for len(p.frames) > depth {
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// raw reads a leaf. The result is valid until the next read.
func (p *parser) raw(path string) ([]byte, error) {
	p.buf = p.buf[:0]
	for {
		if err := p.next(); err != nil {
			return nil, err
		}
		switch p.kind {
		case tokenText:
			p.buf = append(p.buf, p.text...)
		case tokenStart:
			p.fault(p.at, CodeContent, path, "the element <"+clip(p.name.Local)+"> stands where a value should", "write the value as text")
			if err := p.skip(); err != nil {
				return nil, err
			}
		default:
			return p.buf, nil
		}
	}
}

// value reads a standard value: without white space around it.
func (p *parser) value(path string) (string, error) {
	b, err := p.raw(path)
	return string(trim(b)), err
}

// word reads a value of which a document has few different ones.
func (p *parser) word(path string) (string, error) {
	b, err := p.raw(path)
	return p.intern(trim(b)), err
}

func (p *parser) intern(b []byte) string {
	if s, ok := p.interned[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(p.interned) < 4096 && len(s) <= 256 {
		p.interned[s] = s
	}
	return s
}

// attr returns a standard attribute of the current start tag.
func (p *parser) attr(name string) string {
	for _, a := range p.attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return strings.Trim(a.Value, blank)
		}
	}
	return ""
}

// onlyAttrs reports attributes that the model has no place for.
func (p *parser) onlyAttrs(path string, known ...string) {
next:
	for _, a := range p.attrs {
		if a.Name.Space == nsXSI { // schemaLocation, a redundant type
			continue
		}
		if a.Name.Space == "" {
			for _, k := range known {
				if a.Name.Local == k {
					continue next
				}
			}
		}
		p.warn(p.at, CodeAttribute, path, "the attribute "+quote(a.Name.Local)+" does not belong on <"+p.name.Local+">", "remove it; it was not kept")
	}
}

// document reads everything.
func (p *parser) document() error {
	if err := p.root(); err != nil {
		return err
	}
	if err := p.next(); err != nil { // up to the end of the input
		return err
	}
	if err := p.sendHeader(); err != nil {
		return err
	}
	return p.err
}

func (p *parser) root() error {
	if err := p.next(); err != nil {
		return err
	}
	at, root := p.at, p.name
	fail := func(code, message, hint string) error {
		return &ParseError{Code: code, Line: at.line, Column: at.col, Message: message, Hint: hint}
	}
	var want string
	switch root.Space {
	case nsDoc1, nsDoc2:
		want = "EPCISDocument"
	case nsQuery1, nsQuery2:
		want = "EPCISQueryDocument"
	case nsMaster1, nsMaster2:
		want = "EPCISMasterDataDocument"
	default:
		if strings.HasPrefix(root.Space, "urn:epcglobal:epcis") {
			return fail(CodeUnsupportedVersion, "the namespace "+quote(root.Space)+" is no version of EPCIS that is read", hintNotEPCIS)
		}
		return fail(CodeNotEPCIS, "the root element is <"+clip(root.Local)+"> in the namespace "+quote(root.Space), hintNotEPCIS)
	}
	if root.Local != want {
		return fail(CodeNotEPCIS, "the root element is <"+clip(root.Local)+">, want <"+want+"> in this namespace", hintNotEPCIS)
	}
	p.version, p.header.Format = 1, "xml-1.2"
	p.sum.Root, p.sum.Format = root.Local, FormatXML12
	switch p.attr("schemaVersion") {
	case "1.0", "1.1", "1", "0":
		p.sum.Format = FormatXML1
	}
	if strings.HasSuffix(root.Space, ":2") {
		p.version, p.header.Format, p.sum.Format = 2, "xml-2.0", FormatXML2
	}
	p.header.SchemaVersion = p.attr("schemaVersion")
	p.header.CreationDate = p.attr("creationDate")
	p.header.ID = p.attr("id") // of a document that was JSON: see xmlWriter.begin
	if p.header.SchemaVersion == "" {
		p.warn(at, CodeFieldMissing, "", "the attribute schemaVersion is missing", `add schemaVersion="1.2"`)
	}
	if p.header.CreationDate == "" {
		p.warn(at, CodeFieldMissing, "", "the attribute creationDate is missing", "add the time at which the document was made")
	} else if _, err := parseTime(p.header.CreationDate); err != nil {
		p.warn(at, CodeTimeInvalid, "", "creationDate: "+err.Error(), hintTime)
	}
	body := false
	err := p.each("", func() error {
		switch p.std() {
		case "":
			return p.extension(&p.header.Extensions)
		case "EPCISHeader":
			if p.headerSent || p.headerDone {
				p.warn(p.at, CodeFieldOrder, "EPCISHeader", "the header does not come first, or comes twice", "put one EPCISHeader before EPCISBody")
			}
			p.headerDone = true
			return p.readHeader()
		case "EPCISBody":
			body = true
			return p.body("EPCISBody")
		}
		return p.ignore("")
	})
	if err == nil && !body {
		p.warn(at, CodeFieldMissing, "EPCISBody", "the document has no EPCISBody", "add one, with an EventList")
	}
	return err
}

// ignore passes over an element that means nothing here.
func (p *parser) ignore(path string) error {
	if path != "" {
		path += "/"
	}
	name := clip(p.name.Local)
	p.warn(p.at, CodeElement, path+name, "the element <"+name+"> does not belong here", "remove it; it was not kept")
	return p.skip()
}

func (p *parser) body(path string) error {
	return p.each(path, func() error {
		switch name := p.std(); name {
		case "EventList":
			p.list = path + "/EventList"
			return p.events("")
		case "VocabularyList":
			return p.vocabularies(path + "/VocabularyList")
		case "QueryResults", "resultsBody":
			return p.body(path + "/" + name)
		case "queryName", "subscriptionID":
			return p.skip()
		case "QueryTooLargeException", "ImplementationException":
			p.warn(p.at, CodeElement, path+"/"+name, "the document reports a failed query, not events", "ask the sender to repeat the query")
			return p.skip()
		}
		return p.ignore(path)
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
		if name == "extension" {
			return p.events(wrapper + "extension/")
		}
		return p.event(name, wrapper)
	})
}

func (p *parser) event(name, wrapper string) error {
	if err := p.sendHeader(); err != nil {
		return err
	}
	if p.index >= p.opt.MaxEvents {
		return &ParseError{
			Code: CodeDocumentTooLarge, Line: p.at.line, Column: p.at.col,
			Message: "the document has more than " + itoa(p.opt.MaxEvents) + " events", Hint: "send it in several documents",
		}
	}
	l := layouts[layoutKey{p.version, name}]
	known := l != nil
	if !known {
		if l = layouts[layoutKey{3 - p.version, name}]; l == nil { // QuantityEvent in 2.0
			l = unknownEvent
		}
	}
	label := clip(p.name.Local)
	p.ordinal[label]++
	p.layout, p.eventAt, p.path = l, p.at, p.list+"/"+label+"["+itoa(p.ordinal[label])+"]"
	p.faults, p.warnings, p.units, p.nodesIn, p.rank, p.disorder = 0, 0, 0, 0, 0, false
	clear(p.seen[:])
	depth := len(p.frames)
	p.stop = p.dec.InputOffset() + p.opt.MaxEventBytes

	e := EventAt{Event: Event{Type: l.modelled}, Index: p.index, Line: p.at.line, Column: p.at.col}
	var err error
	switch l {
	case unknownEvent:
		hint := "use ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or AssociationEvent"
		if p.name.Space != "" {
			hint += ", in no namespace"
		}
		p.fault(p.at, CodeEventUnknown, "", "<"+label+"> in the namespace "+quote(p.name.Space)+" is no EPCIS event", hint)
		err = p.skip()
	default:
		if wrapper != l.wrapper {
			where := "directly in EventList"
			if l.wrapper != "" {
				where = "inside EventList/" + strings.TrimSuffix(l.wrapper, "/")
			}
			p.warn(p.at, CodeEventMisplaced, "", name+" does not stand "+where, "put it there")
		}
		if name == "QuantityEvent" {
			p.warn(p.at, CodeEventDeprecated, "", "QuantityEvent is read as an ObjectEvent with action OBSERVE and one quantity", "send an ObjectEvent with quantityList")
			e.Event.Action = "OBSERVE"
		}
		p.onlyAttrs("")
		err = p.fields("", &e.Event)
	}
	if errors.Is(err, errEventTooLarge) {
		p.stop = 0
		p.fault(p.eventAt, CodeEventTooLarge, "", "the event names more than "+itoa(p.opt.MaxEPCs)+" EPCs, is longer than "+itoa(int(p.opt.MaxEventBytes))+" bytes or has more than "+itoa(maxEventNodes)+" extensions",
			"send it as several events")
		err = p.unwind(depth - 1)
	} else if err == nil && l != unknownEvent {
		p.finish(&e.Event)
	}
	p.stop = 0
	if err != nil {
		return err
	}
	if more := max(p.faults-maxEventProblems, 0) + max(p.warnings-maxEventProblems, 0); more > 0 {
		p.warnings = 0
		p.warn(p.eventAt, CodeTruncated, "", "the event has "+itoa(more)+" more problems", "repair those above and send the document again")
	}
	p.layout = nil
	p.index++
	if p.faults > 0 {
		p.rejected++
		e.Faults = p.faults
	}
	if p.err != nil || p.to.Event == nil || p.faults > 0 && !p.opt.KeepFaulty {
		return p.err
	}
	return p.to.Event(e)
}

var unknownEvent = &layout{}

// fields reads the fields of an event, or of a wrapper in it.
func (p *parser) fields(wrapper string, e *Event) error {
	return p.each(strings.TrimSuffix(wrapper, "/"), func() error {
		name := p.std()
		switch name {
		case "":
			if wrapper == "" {
				p.rank = 1 << 16 // nothing standard may follow
			}
			return p.extension(&e.Extensions)
		case "extension", "baseExtension":
			p.onlyAttrs(wrapper + name)
			return p.fields(wrapper+name+"/", e)
		}
		id, known := fieldIDs[name]
		if !known || id >= fEPCClass && p.layout.name != "QuantityEvent" {
			hint := "put fields of your own into a namespace of your own; it was kept as an extension"
			if near := nearest(name, fieldNames[:]); near != "" {
				hint = "was " + near + " meant? It was kept as an extension"
			}
			p.warn(p.at, CodeFieldUnknown, wrapper+clip(name), "EPCIS has no field "+quote(name), hint)
			return p.extension(&e.Extensions)
		}
		if !p.place(id, wrapper) {
			return p.skip()
		}
		return p.read(id, e)
	})
}

// place notes where a field is and reports what is unusual about it. It returns false when the field cannot be kept.
func (p *parser) place(id fieldID, wrapper string) bool {
	name, s := fieldNames[id], p.layout.slots[id]
	switch {
	case !s.allowed:
		p.fault(p.at, CodeFieldNotAllowed, name, p.layout.name+" has no field "+name, "remove it, or send another event for it")
		return false
	case p.seen[id] && id != fCertificationInfo:
		p.fault(p.at, CodeFieldRepeated, name, name+" stands in the event twice", "keep one: "+p.layout.name+" has one "+name)
		return false
	}
	p.seen[id], p.field[id] = true, p.at
	if p.items[id] != nil {
		p.items[id] = p.items[id][:0]
	}
	if p.version == 1 && p.layout.name == "AssociationEvent" {
		return true
	}
	if wrapper != s.wrapper {
		where := "directly in " + p.layout.name
		if s.wrapper != "" {
			where = "in " + strings.TrimSuffix(s.wrapper, "/")
		}
		p.warn(p.at, CodeFieldMisplaced, wrapper+name, name+" belongs "+where, "move it there; it was read as if it were")
		return true
	}
	if s.rank < p.rank && !p.disorder {
		p.disorder = true
		p.warn(p.at, CodeFieldOrder, wrapper+name, name+" comes too late", "write the fields in the order of the EPCIS schema")
	}
	p.rank = max(p.rank, s.rank)
	return true
}

// read reads one field.
func (p *parser) read(id fieldID, e *Event) error {
	path := fieldNames[id]
	p.onlyAttrs(path)
	switch id {
	case fEventTime:
		return p.into(&e.EventTime, path)
	case fRecordTime:
		return p.into(&e.RecordTime, path)
	case fEventTimeZoneOffset:
		return p.intoWord(&e.EventTimeZoneOffset, path)
	case fEventID:
		return p.into(&e.EventID, path)
	case fErrorDeclaration:
		return p.errorDeclaration(e)
	case fCertificationInfo:
		var s string
		if err := p.into(&s, path); err != nil || s == "" {
			return err
		}
		e.CertificationInfo = append(e.CertificationInfo, s)
		return nil
	case fAction:
		return p.intoWord(&e.Action, path)
	case fTransformationID:
		return p.into(&e.TransformationID, path)
	case fBizStep:
		return p.intoWord(&e.BizStep, path)
	case fDisposition:
		return p.intoWord(&e.Disposition, path)
	case fPersistentDisposition:
		e.PersistentDisposition = &PersistentDisposition{}
		return p.persistentDisposition(e.PersistentDisposition)
	case fReadPoint:
		return p.location(&e.ReadPoint, path)
	case fBizLocation:
		return p.location(&e.BizLocation, path)
	case fBizTransactionList:
		return p.typed(id, "type", func(t, v string) {
			e.BizTransactionList = append(e.BizTransactionList, BizTransaction{t, v})
		})
	case fSourceList:
		return p.typed(id, "type", func(t, v string) { e.SourceList = append(e.SourceList, SourceDest{t, v}) })
	case fDestinationList:
		return p.typed(id, "type", func(t, v string) { e.DestinationList = append(e.DestinationList, SourceDest{t, v}) })
	case fQuantityList:
		return p.quantities(id, &e.QuantityList)
	case fChildQuantityList:
		return p.quantities(id, &e.ChildQuantityList)
	case fInputQuantityList:
		return p.quantities(id, &e.InputQuantityList)
	case fOutputQuantityList:
		return p.quantities(id, &e.OutputQuantityList)
	case fSensorElementList:
		return p.sensors(e)
	case fILMD:
		return p.foreign(&e.ILMD, path, nil)
	case fEPCList:
		return p.epcs(id, &e.EPCList)
	case fChildEPCs:
		return p.epcs(id, &e.ChildEPCs)
	case fInputEPCList:
		return p.epcs(id, &e.InputEPCList)
	case fOutputEPCList:
		return p.epcs(id, &e.OutputEPCList)
	case fParentID:
		if p.units++; p.units > p.opt.MaxEPCs {
			return errEventTooLarge
		}
		return p.into(&e.ParentID, path)
	case fEPCClass, fQuantity:
		if len(e.QuantityList) == 0 {
			e.QuantityList = []Quantity{{}}
		}
		if id == fEPCClass {
			return p.into(&e.QuantityList[0].EPCClass, path)
		}
		return p.into(&e.QuantityList[0].Quantity, path)
	default: // fNone and numFields are no fields
		return p.skip()
	}
}

func (p *parser) into(s *string, path string) (err error) {
	at := p.at
	if *s, err = p.value(path); *s == "" && err == nil {
		p.empty(at, path)
	}
	return err
}

func (p *parser) intoWord(s *string, path string) (err error) {
	at := p.at
	if *s, err = p.word(path); *s == "" && err == nil {
		p.empty(at, path)
	}
	return err
}

func (p *parser) empty(at pos, path string) {
	p.warn(at, CodeFieldEmpty, path, "the field is empty", "leave it out; it was read as absent")
}

// epcs reads <epc> elements.
func (p *parser) epcs(id fieldID, list *[]string) error {
	name := fieldNames[id]
	path := name + "/epc"
	return p.each(name, func() error {
		if p.std() != "epc" {
			return p.stranger(name)
		}
		if p.units++; p.units > p.opt.MaxEPCs {
			return errEventTooLarge
		}
		p.items[id] = append(p.items[id], p.at)
		if len(p.attrs) > 0 {
			p.onlyAttrs(path)
		}
		s, err := p.value(path)
		*list = append(*list, s)
		return err
	})
}

// stranger refuses an element in a list of the standard, where the model could not keep it.
func (p *parser) stranger(path string) error {
	p.fault(p.at, CodeContent, path, "the element <"+clip(p.name.Local)+"> does not belong into "+path, "remove it, or put it behind the standard fields of the event")
	return p.skip()
}

// typed reads a list of values with a type attribute.
func (p *parser) typed(id fieldID, attr string, add func(kind, value string)) error {
	name, item, n := fieldNames[id], itemNames[id], 0
	at, path := p.at, name+"/"+item
	err := p.each(name, func() error {
		if p.std() != item {
			return p.stranger(name)
		}
		n++
		p.items[id] = append(p.items[id], p.at)
		p.onlyAttrs(path, attr)
		kind := p.intern([]byte(p.attr(attr)))
		v, err := p.word(path)
		add(kind, v)
		return err
	})
	if n == 0 && err == nil {
		p.empty(at, name)
	}
	return err
}

func (p *parser) quantities(id fieldID, list *[]Quantity) error {
	name, at := fieldNames[id], p.at
	err := p.each(name, func() error {
		if p.std() != "quantityElement" {
			return p.stranger(name)
		}
		if p.units++; p.units > p.opt.MaxEPCs {
			return errEventTooLarge
		}
		p.items[id] = append(p.items[id], p.at)
		path := name + "/quantityElement"
		p.onlyAttrs(path)
		var q Quantity
		seen := map[string]bool{}
		err := p.each(path, func() error {
			field := p.std()
			if seen[field] && field != "" {
				p.fault(p.at, CodeFieldRepeated, path+"/"+field, field+" stands there twice", "keep one")
				return p.skip()
			}
			seen[field] = true
			switch field {
			case "epcClass":
				return p.intoWord(&q.EPCClass, path+"/epcClass")
			case "quantity":
				return p.intoWord(&q.Quantity, path+"/quantity")
			case "uom":
				return p.intoWord(&q.UOM, path+"/uom")
			}
			return p.stranger(path)
		})
		*list = append(*list, q)
		return err
	})
	if len(*list) == 0 && err == nil {
		p.empty(at, name)
	}
	return err
}

// location reads a read point or business location.
func (p *parser) location(place **Place, path string) error {
	*place = &Place{}
	at, seen := p.at, false
	err := p.foreign(&(*place).Extensions, path, func(name string) (bool, error) {
		if name != "id" {
			return false, nil
		}
		if seen {
			p.fault(p.at, CodeFieldRepeated, path+"/id", "id stands there twice", "keep one")
			return true, p.skip()
		}
		seen = true
		p.onlyAttrs(path + "/id")
		return true, p.intoWord(&(*place).ID, path+"/id")
	})
	if err == nil && !seen {
		p.warn(at, CodeFieldMissing, path, path+" has no id", "add <id>")
	}
	if err == nil && (*place).ID == "" && len((*place).Extensions) == 0 {
		*place = nil
	}
	return err
}

// foreign reads an element that holds extensions beside standard children, which known reads. The wrapper
// <extension> of 1.2 is looked through.
func (p *parser) foreign(list *[]Extension, path string, known func(name string) (bool, error)) error {
	return p.each(path, func() error {
		name := p.std()
		if name == "extension" {
			return p.foreign(list, path, known)
		}
		if name != "" {
			if known != nil {
				if done, err := known(name); done || err != nil {
					return err
				}
			}
			p.warn(p.at, CodeFieldUnknown, path+"/"+clip(name), path+" has no field "+quote(name),
				"put fields of your own into a namespace of your own; it was kept as an extension")
		}
		return p.extension(list)
	})
}

func (p *parser) errorDeclaration(e *Event) error {
	const path = "errorDeclaration"
	d := &ErrorDeclaration{}
	e.ErrorDeclaration = d
	var declaredAt, reasonAt pos
	at := p.at
	err := p.foreign(&d.Extensions, path, func(name string) (bool, error) {
		twice := func(first *pos) bool {
			if first.line == 0 {
				*first = p.at
				return false
			}
			p.fault(p.at, CodeFieldRepeated, path+"/"+name, name+" stands there twice", "keep one")
			return true
		}
		switch name {
		case "declarationTime":
			if twice(&declaredAt) {
				return true, p.skip()
			}
			return true, p.into(&d.DeclarationTime, path+"/declarationTime")
		case "reason":
			if twice(&reasonAt) {
				return true, p.skip()
			}
			return true, p.intoWord(&d.Reason, path+"/reason")
		case "correctiveEventIDs":
			return true, p.each(path+"/correctiveEventIDs", func() error {
				if p.std() != "correctiveEventID" {
					return p.stranger(path + "/correctiveEventIDs")
				}
				var s string
				err := p.into(&s, path+"/correctiveEventIDs/correctiveEventID")
				if s != "" {
					d.CorrectiveEventIDs = append(d.CorrectiveEventIDs, s)
				}
				return err
			})
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if d.DeclarationTime == "" {
		p.warn(at, CodeFieldMissing, path, "declarationTime is missing", "say when the event was declared an error")
	} else if _, bad := parseTime(d.DeclarationTime); bad != nil {
		p.warn(declaredAt, CodeTimeInvalid, path+"/declarationTime", bad.Error(), hintTime)
	}
	return nil
}

func (p *parser) persistentDisposition(d *PersistentDisposition) error {
	const path = "persistentDisposition"
	return p.each(path, func() error {
		list := &d.Set
		switch name := p.std(); name {
		case "unset":
			list = &d.Unset
		case "set":
		default:
			return p.stranger(path)
		}
		var s string
		err := p.intoWord(&s, path+"/"+p.name.Local)
		if s != "" {
			*list = append(*list, s)
		}
		return err
	})
}

// extension reads an element of any content, without loss, and appends it to list.
func (p *parser) extension(list *[]Extension) error {
	if err := p.node(1 + len(p.attrs)); err != nil {
		return err
	}
	x := Extension{Namespace: p.name.Space, Name: p.name.Local}
	for _, a := range p.attrs {
		x.Attributes = append(x.Attributes, p.attribute(a))
	}
	err := p.content(&x)
	*list = append(*list, x)
	return err
}

// attribute keeps an attribute. The prefix in an xsi:type is the only prefix with a meaning, and only the document knows
// it: XML Schema's is written xsd, another is replaced by its namespace in braces.
func (p *parser) attribute(a xml.Attr) Extension {
	x := Extension{Namespace: a.Name.Space, Name: a.Name.Local, Type: Text, Text: a.Value}
	if a.Name.Space == nsXSI && a.Name.Local == "type" {
		x.Text = strings.Trim(x.Text, blank)
		if prefix, local, ok := strings.Cut(x.Text, ":"); ok {
			switch space, declared := p.lookup(prefix); {
			case declared && space == nsXSD:
				x.Text = "xsd:" + local
			case declared:
				x.Text = "{" + space + "}" + local
			}
		}
	}
	if x.Text == "" {
		x.Type = Empty
	}
	return x
}

// textName is the name of a piece of text between child elements; no element can have it.
const textName = "#text"

// content reads text and children into x. A leaf keeps its text exactly, white space included. White space between
// children is dropped; other text between children becomes a child named #text, so that its place is kept.
func (p *parser) content(x *Extension) error {
	var text []byte // not p.buf: this recurses
	flush := func() {
		if !isBlank(text) {
			x.Children = append(x.Children, Extension{Name: textName, Type: Text, Text: string(text)})
		}
		text = text[:0]
	}
	for {
		if err := p.next(); err != nil {
			return err
		}
		switch p.kind {
		case tokenText:
			text = append(text, p.text...)
		case tokenStart:
			flush()
			if err := p.extension(&x.Children); err != nil {
				return err
			}
		default:
			switch {
			case len(x.Children) > 0:
				flush()
			case len(text) > 0:
				x.Type, x.Text = Text, string(text)
			default:
				x.Type = Empty
			}
			return nil
		}
	}
}
