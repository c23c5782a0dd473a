package epcisjson

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/jsonld"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/xsd"
)

// Everything of a document around its events.

// rootState is what was seen of the root and the body. The schema's demands depend on the type,
// which may come last.
type rootState struct {
	at       pos
	isEvent  bool
	isDoc    bool
	typeSeen bool
	typeText string
	id       string
	idAt     pos
	idSeen   bool
	held     []epcis.Extension // before it was known what the root is
	event    epcis.Event

	seen     map[string]bool // members of the root
	body     bool            // epcisBody was read
	list     bool            // epcisBody.eventList is a list
	results  bool            // epcisBody.queryResults is an object
	strayAt  pos             // a member of the body that a query document does not have
	stray    string
	resultOK [2]bool         // queryName and resultsBody are there
	inner    bool            // resultsBody.eventList is a list
	parts    map[string]bool // that were read, wherever they stood
}

var (
	rootNames = []string{
		"@context", "id", "type", "schemaVersion", "creationDate", "instanceIdentifier", "sender", "receiver", "epcisHeader", "epcisBody",
	}
	queryNames = []string{"@context", "id", "type", "schemaVersion", "creationDate", "epcisBody"}
)

func (p *parser) document() error {
	if p.peek() != '{' {
		return p.notObject()
	}
	if err := p.open(); err != nil {
		return err
	}
	r := &p.root
	r.at, r.seen = p.at, map[string]bool{}
	p.item = -1
	err := error(nil)
	for err == nil && p.depth > 0 {
		if p.peek() == '}' {
			err = p.close()
			break
		}
		var b []byte
		if b, err = p.str(); err == nil {
			err = p.rootMember(p.word(b))
		}
	}
	if !r.isEvent && !r.isDoc && err == nil {
		return &epcis.ParseError{
			Code: epcis.CodeNotEPCIS, Line: r.at.line, Column: r.at.col,
			Message: "the document is JSON, but neither an EPCIS document nor an event", Hint: hintJSON,
		}
	}
	switch {
	case r.isEvent:
		context := r.seen["@context"]
		if p.sum.Root = p.typeText; err == nil && !context {
			p.missing(epcis.SeverityWarning, epcis.CodeFieldMissing, field.None, "the event has no @context", "add "+excerpt.Quote(jsonld.Context), true)
		}
		if err == nil || errors.Is(err, reading.ErrEventTooLarge) {
			if full := p.room(); full != nil {
				return full
			}
		}
		err = p.end(&r.event, err, 0)
	case err == nil:
		p.documentRules()
	}
	if err != nil {
		return err
	}
	p.stop = 0
	if p.peek() != 0 { // up to the end of the input
		if _, err := p.raw(); err != nil {
			return err
		}
		return p.malformed("a second value follows the document")
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return p.fail(err)
	}
	if err := p.sendHeader(); err != nil {
		return err
	}
	return p.err
}

const hintJSON = `send an object with "type": "EPCISDocument" and epcisBody, or one event with @context`

// notObject says why the root is no document.
func (p *parser) notObject() error {
	what, read := "a value", func() error { _, err := p.raw(); return err }
	if p.peek() == '[' {
		what, read = "a list", p.open
	}
	if err := read(); err != nil {
		return err
	}
	return &epcis.ParseError{Code: epcis.CodeNotEPCIS, Line: p.at.line, Column: p.at.col, Message: "the document is " + what + ", not an object", Hint: hintJSON}
}

// rootMember reads one member of the root, which is a document or an event: the first member that only one of them has
// tells.
func (p *parser) rootMember(key *word) error {
	r, name := &p.root, key.text
	r.seen[name] = len(r.seen) < 64 // enough for the standard's
	if name == "@context" {
		return p.rootContext()
	}
	if !r.isDoc && !r.isEvent {
		switch name {
		case "type", "isA", "@type":
			if p.peek() == '"' { // a type tells only when it is a string
				return p.rootType(key)
			}
		case "schemaVersion", "creationDate", "instanceIdentifier", "sender", "receiver", "epcisHeader", "epcisBody":
			p.isDocument()
		default:
			switch p.needContext(); {
			case p.partOf(key) != "":
				p.isDocument()
			case field.IsMember(name), p.ctx.std[name] != "", p.meantField(key) != field.None:
				p.isEvent()
			}
		}
	}
	switch {
	case r.isEvent:
		return p.member(&r.event, key)
	case name == "id":
		r.idSeen, r.idAt = true, p.at
		s, err := p.text(ruleText)
		r.id = s
		if r.isDoc {
			p.documentID()
		}
		return err
	case !r.isDoc:
		p.extensionKey(key, "the document", rootNames)
		return p.extension(&r.held, p.extensionName(key), false)
	}
	return p.documentMember(key)
}

func (p *parser) rootType(key *word) error {
	r := &p.root
	r.typeSeen = key.text == "type"
	if !r.typeSeen {
		p.refuse(epcis.CodeFieldUnknown, key.text+" stands where type should", "write type")
	}
	s, err := p.text(ruleText)
	if err != nil {
		return err
	}
	r.typeText = s
	switch short := strings.TrimPrefix(strings.TrimPrefix(s, "epcis:"), jsonld.Vocabulary); short {
	case "EPCISDocument", "EPCISQueryDocument":
		p.isDocument()
	case "ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent":
		p.isEvent()
		p.typeSeen, p.typeText, r.event.Type = true, s, short
	}
	return nil
}

func (p *parser) isDocument() {
	p.root.isDoc = true
	p.header.Extensions = append(p.header.Extensions, p.root.held...)
	if p.root.idSeen {
		p.documentID()
	}
}

func (p *parser) documentID() {
	r := &p.root
	if p.header.ID = strings.Trim(r.id, xsd.Blank); !isURI([]byte(r.id)) {
		at := p.at
		p.at = r.idAt
		p.refused(ruleURI, []byte(r.id))
		p.at = at
	}
}

func (p *parser) isEvent() {
	r := &p.root
	r.isEvent = true
	p.begin(r.at, "")
	r.event.Extensions = r.held
	if r.typeText != "" {
		p.typeSeen, p.typeText, r.event.Type = true, r.typeText, strings.Trim(r.typeText, xsd.Blank)
	}
	if r.idSeen {
		p.refuse(epcis.CodeFieldUnknown, `EPCIS has no field "id"`, "was eventID meant? It was kept as an extension")
		r.event.Extensions = append(r.event.Extensions, epcis.Extension{Name: "id", Type: epcis.Text, Text: r.id})
	}
}

// documentMember reads a member of a document.
func (p *parser) documentMember(key *word) (err error) {
	h := &p.header
	switch key.text {
	case "type":
		p.root.typeSeen = true
		p.root.typeText, err = p.text(ruleText)
	case "schemaVersion":
		h.SchemaVersion, err = p.text(ruleVersion)
	case "creationDate":
		h.CreationDate, err = p.text(ruleTime)
	case "instanceIdentifier":
		p.sbdh().InstanceIdentifier, err = p.text(ruleText)
	case "sender":
		err = p.partner(&p.sbdh().Senders)
	case "receiver":
		err = p.partner(&p.sbdh().Receivers)
	case "epcisHeader":
		p.again(key.text)
		err = p.readHeader()
	case "epcisBody":
		p.again(key.text)
		p.root.body = true
		err = p.body("EPCISBody")
	default:
		err = p.elsewhere(key, "the document", !key.takes(ruleURI))
	}
	if err == nil {
		err = p.err
	}
	return err
}

// body reads epcisBody.
func (p *parser) body(path string) error {
	if p.peek() != '{' {
		return p.misfit("an object with eventList")
	}
	outer, lists := p.ctx, 0
	r := &p.root
	err := p.object(func(key *word) error {
		name := key.text
		if name != "queryResults" && !key.takes(ruleURI) && r.strayAt.line == 0 {
			r.stray, r.strayAt = name, p.at
		}
		switch name {
		case "@context":
			return p.bodyContext(lists)
		case "eventList":
			lists++
			p.again(name)
			r.list = p.peek() == '['
			p.listPath = path + "/EventList"
			return p.events()
		case "event":
			lists++
			p.refuse(epcis.CodeFieldUnknown, "event is the name that drafts had for eventList", "write eventList")
			p.listPath = path + "/EventList"
			return p.events()
		case "queryResults":
			lists++
			p.again(name)
			return p.queryResults(path + "/QueryResults")
		}
		before := p.index
		err := p.elsewhere(key, "epcisBody", false)
		if p.index > before {
			lists++
		}
		return err
	})
	p.restore(outer)
	return err
}

func (p *parser) queryResults(path string) error {
	r := &p.root
	if r.results = p.peek() == '{'; !r.results { // documentRules knows whether the schema looks at it
		p.problem(epcis.SeverityError, epcis.CodeContent, "queryResults is not an object", "write an object with resultsBody; this was not kept", false)
		return p.skip()
	}
	if p.header.Query == nil && r.typeText != "EPCISDocument" {
		p.header.Query = &epcis.QueryResults{}
	}
	outer, lists := p.ctx, 0
	err := p.object(func(key *word) error {
		switch key.text {
		case "@context":
			p.refuse(epcis.CodeFieldUnknown, "@context does not belong into queryResults", "write it at the beginning of the document")
			return p.bodyContext(lists)
		case "queryName":
			r.resultOK[0] = true
			return p.aboutQuery(key.text)
		case "subscriptionID":
			return p.aboutQuery(key.text)
		case "resultsBody":
			lists++
			p.again(key.text)
			r.resultOK[1] = true
			return p.resultsBody(path + "/resultsBody")
		}
		before := p.index
		err := p.elsewhere(key, "queryResults", !key.takes(ruleURI))
		if p.index > before {
			lists++
		}
		return err
	})
	p.restore(outer)
	return err
}

func (p *parser) resultsBody(path string) error {
	if p.peek() != '{' {
		return p.misfit("an object with eventList")
	}
	outer, lists := p.ctx, 0
	err := p.object(func(key *word) error {
		switch key.text {
		case "@context":
			p.refuse(epcis.CodeFieldUnknown, "@context does not belong into resultsBody", "write it at the beginning of the document")
			return p.bodyContext(lists)
		case "eventList":
			lists++
			p.again(key.text)
			p.root.inner = true
			p.listPath = path + "/EventList"
			return p.events()
		case "vocabularyList":
			return p.vocabularies()
		}
		before := p.index
		err := p.elsewhere(key, "resultsBody", !key.takes(ruleURI))
		if p.index > before {
			lists++
		}
		return err
	})
	p.restore(outer)
	return err
}

// documentRules are the schema's for what a document has to have.
func (p *parser) documentRules() {
	r := &p.root
	at := func(a pos, pointer, code, message, hint string) {
		p.tell(epcis.Problem{
			Severity: epcis.SeverityWarning, Code: code, Line: a.line, Column: a.col, Pointer: pointer, Path: strings.TrimPrefix(pointer, "/"),
			Message: message, Hint: hint, Event: -1, Schema: true,
		})
	}
	want := func(ok bool, pointer, name, hint string) {
		if !ok {
			at(r.at, pointer, epcis.CodeFieldMissing, name+" is missing", hint)
		}
	}
	query := r.typeText == "EPCISQueryDocument" || r.typeText != "EPCISDocument" && r.results && !r.list
	p.sum.Root = "EPCISDocument"
	if query {
		p.sum.Root = "EPCISQueryDocument"
	}
	switch {
	case !r.typeSeen:
		want(false, "", "type", "add "+excerpt.Quote(p.sum.Root))
	case r.typeText != p.sum.Root:
		at(r.at, "/type", epcis.CodeFieldInvalid, excerpt.Quote(r.typeText)+" is no type of a document", "write "+excerpt.Quote(p.sum.Root)+"; it was read as one")
	}
	want(r.seen["@context"], "", "@context", "add "+excerpt.Quote(jsonld.Context))
	want(r.body, "", "epcisBody", "add it, with an eventList")
	if !query {
		want(r.seen["schemaVersion"], "", "schemaVersion", `add "2.0"`)
		want(r.seen["creationDate"], "", "creationDate", "add the time at which the document was made")
		want(r.list || !r.body, "/epcisBody", "eventList", "add the list of events; it may be empty")
		return
	}
	for _, name := range rootNames[len(queryNames)-1 : len(rootNames)-1] {
		if r.seen[name] {
			at(r.at, "/"+name, epcis.CodeFieldNotAllowed, "a query document has no member "+name, "remove it")
		}
	}
	want(r.results || !r.body, "/epcisBody", "queryResults", "add it, with resultsBody")
	if r.strayAt.line > 0 {
		at(r.strayAt, "/epcisBody", epcis.CodeFieldUnknown, "the body of a query document has no member "+excerpt.Quote(r.stray), "remove it")
	}
	if r.results {
		want(r.resultOK[0], "/epcisBody/queryResults", "queryName", "add the name of the query")
		want(r.resultOK[1], "/epcisBody/queryResults", "resultsBody", "add it, with an eventList")
		want(r.inner || !r.resultOK[1], "/epcisBody/queryResults/resultsBody", "eventList", "add the list of events; it may be empty")
	}
}

// contextValue reads a value of @context.
func (p *parser) contextValue(judge bool) ([]byte, error) {
	raw, err := p.whole()
	if err != nil {
		return nil, err
	}
	raw = bytes.Clone(raw)
	if judge {
		p.contextRules(raw)
	}
	return raw, nil
}

// contextRules are the schema's: an address, an object, or a list of such things, all different.
func (p *parser) contextRules(raw jsontext.Value) {
	const hint = "write the address of the official context, and an object for prefixes of your own"
	item := func(v jsontext.Value) {
		switch v.Kind() {
		case '"':
			if s := unquoted(v); !isURI([]byte(s)) {
				p.refuse(epcis.CodeContext, "the context "+excerpt.Quote(s)+" is not a URI", hint)
			}
		case '{':
		default:
			p.refuse(epcis.CodeContext, "the context "+excerpt.Clip(string(v))+" is neither a URI nor an object", hint)
		}
	}
	if raw.Kind() != '[' {
		item(raw)
		return
	}
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	_, _ = dec.ReadToken()
	seen := map[string]bool{}
	for dec.PeekKind() != ']' {
		v, err := dec.ReadValue()
		if err != nil {
			return
		}
		item(v)
		v = v.Clone()
		if err := v.Canonicalize(); err == nil && seen[string(v)] {
			p.refuse(epcis.CodeContext, "the context "+excerpt.Clip(string(v))+" stands there twice", "name it once")
		}
		seen[string(v)] = true
	}
}

// extend puts a context on top of the one in force.
func (p *parser) extend(raw []byte) *context {
	if p.ctxMade == nil || p.ctxOf != p.ctx || p.ctxRaw != string(raw) {
		p.ctxOf, p.ctxRaw = p.ctx, string(raw)
		p.ctxMade = p.ctx.extend(raw, func(message, hint string) { p.warn(epcis.CodeContext, message, hint) })
	}
	return p.ctxMade
}

func (p *parser) rootContext() error {
	raw, err := p.contextValue(true)
	if err != nil {
		return err
	}
	p.in.release()
	p.ctxGiven = true
	if p.ctxAhead {
		return p.err
	}
	if p.ctxLate {
		p.warn(epcis.CodeContext, "@context comes behind what it is for", "write it at the beginning of the document")
	}
	p.ctx = p.extend(raw)
	return p.err
}

// bodyContext reads the context of a part of the body. lists is how many event lists of it are behind.
func (p *parser) bodyContext(lists int) error {
	p.needContext() // it lies around this one
	raw, err := p.contextValue(false)
	if err != nil || p.ctxAhead {
		return err
	}
	n := p.extend(raw)
	if lists > 0 && !n.equal(p.ctx) {
		p.problem(epcis.SeverityError, epcis.CodeContext, "@context comes behind the events that it is for, which were read without it", "write it at the beginning of the document", false)
	}
	p.ctx = n
	return p.err
}

// localContext reads the context of an event, or of an object in it. before is how many extensions of the object are
// behind. event tells that the schema looks at it.
func (p *parser) localContext(event bool, before int) error {
	p.needContext() // it lies around this one
	raw, err := p.contextValue(event)
	if err != nil {
		return err
	}
	n := p.extend(raw)
	if before > 0 && !n.equal(p.ctx) {
		p.problem(epcis.SeverityError, epcis.CodeContext, "@context comes behind extensions that it is for, which were read without it", "write @context first in its object", false)
	}
	p.ctx = n
	return p.err
}

func (c *context) equal(d *context) bool {
	return maps.Equal(c.iri, d.iri) && maps.Equal(c.std, d.std) && c.vocab == d.vocab
}

// needContext finds the context of the root when it has not come yet: in the rest of a small document, or by a second
// pass over one that can be read twice.
func (p *parser) needContext() {
	if p.ctxGiven || p.ctxNeeded {
		return
	}
	p.ctxNeeded = true
	if all := p.in.preread(); all != nil {
		p.foundAhead(contextsOf(bytes.NewReader(all), &p.opt))
		return
	}
	p.ctxLate = true
	s, ok := p.source.(io.Seeker)
	if !ok {
		return
	}
	here, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return
	}
	if _, err = s.Seek(p.start, io.SeekStart); err == nil {
		p.foundAhead(contextsOf(bufio.NewReaderSize(p.source, reading.ReadAhead), &p.opt))
	}
	if _, err = s.Seek(here, io.SeekStart); err != nil && p.err == nil {
		p.err = err // what comes next would be something else
	}
}

// restore ends the scope of a context. One that began before the root's was found ahead returns to the latter.
func (p *parser) restore(outer *context) {
	if p.ctxAhead && outer == baseContext {
		outer = p.ahead
	}
	p.ctx = outer
}

func (p *parser) foundAhead(found [4][]byte) {
	p.ctxAhead, p.ctxLate = true, false
	for _, raw := range found {
		if raw != nil {
			p.ctx = p.extend(raw)
		}
	}
	p.ahead = p.ctx
}
