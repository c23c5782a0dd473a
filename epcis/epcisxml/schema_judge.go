package epcisxml

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// The judge follows a document token by token beside the reader and says what the official XML Schema would: it decides
// Problem.Schema and nothing else. The reader is more tolerant and reads on where the judge has found something. What both
// see is told once, in the reader's words.

// xframe is an open element as the judge sees it. The content of a type nil is not judged: it should not be there.
type xframe struct {
	t      *xtype
	name   string
	at     pos
	seen   uint64 // parts
	last   int    // part of the last child
	rank   int
	nilled bool
	wild   bool // an element outside the schema was seen
	texted bool // bare text was told
	late   bool // disorder was told
	typed  bool // its type comes from xsi:type alone, in an extension
}

type findingGroup uint8

const (
	groupPlace findingGroup = 1 << iota
	groupNamespace
	groupText
	groupMissing
	groupValue
	groupAttribute
)

// refusal is something that the schema refuses. It waits until the reader has had its say about the same place.
type refusal struct {
	group               findingGroup
	at, parent          pos
	name                string // of what is missing
	code, message, hint string
	path                []string
	attr                string // the attribute that should not be there
	dropped             bool
}

// maxFindings is how many wait. All are counted.
const maxFindings = 2 * reading.MaxEventProblems

type judge struct {
	set       *schemaSet // nil: nothing is judged
	open      []xframe
	text      []byte // of the simple value being read
	attrBad   uint64 // attributes of the current start tag that were told
	qualified bool   // a namespace was told
	pending   []refusal
	refused   bool // the schema refuses the document
	unkept    int  // findings beyond maxFindings
}

// groups are the findings that a problem with this code may be another word for.
var groups = map[string]findingGroup{
	epcis.CodeFieldOrder: groupPlace, epcis.CodeFieldMisplaced: groupPlace, epcis.CodeFieldUnknown: groupPlace, epcis.CodeFieldRepeated: groupPlace,
	epcis.CodeFieldNotAllowed: groupPlace, epcis.CodeContent: groupPlace, epcis.CodeEventMisplaced: groupPlace, epcis.CodeEventUnknown: groupPlace,
	epcis.CodeEventDeprecated: groupPlace, epcis.CodeElement: groupPlace,
	epcis.CodeNamespace:    groupNamespace,
	epcis.CodeText:         groupText,
	epcis.CodeFieldMissing: groupMissing | groupAttribute, epcis.CodeTZMissing: groupMissing, epcis.CodeSBDH: groupMissing,
	epcis.CodeFieldEmpty:  groupMissing | groupValue,
	epcis.CodeTimeInvalid: groupValue, epcis.CodeFieldInvalid: groupValue, epcis.CodeActionInvalid: groupValue, epcis.CodeOffsetInvalid: groupValue,
	epcis.CodeZoneless: groupValue, epcis.CodeEPCInvalid: groupValue, epcis.CodeIDInvalid: groupValue, epcis.CodeCBVUnknown: groupValue,
	epcis.CodeExpiryInvalid: groupValue,
}

// claim reports whether the schema refuses what a problem tells, and takes it from the findings that wait.
func (p *parser) claim(at pos, pr *epcis.Problem) bool {
	g := groups[pr.Code]
	if g == 0 {
		return false
	}
	path := pr.Path[strings.LastIndexByte(pr.Path, '/')+1:]
	claimed := false
	p.judge.pending = slices.DeleteFunc(p.judge.pending, func(f refusal) bool {
		if f.group&g == 0 || claimed && (f.group == groupAttribute || f.group == groupMissing && pr.Code != epcis.CodeSBDH) {
			return false
		}
		switch {
		case pr.Code == epcis.CodeSBDH:
		case f.group == groupValue && f.parent == at && (pr.Code == epcis.CodeFieldInvalid || pr.Code == epcis.CodeIDInvalid):
		case f.at != at:
			return false
		case f.group == groupMissing && p.layout != nil && at == p.eventAt && f.name != path:
			return false
		}
		claimed = true
		return true
	})
	return claimed
}

func (p *parser) found(group findingGroup, at pos, code, message, hint string) *refusal {
	p.judge.refused = true
	if len(p.judge.pending) >= maxFindings {
		p.judge.unkept++
		return &refusal{}
	}
	f := refusal{group: group, at: at, code: code, message: message, hint: hint}
	n := len(p.judge.open)
	if n > 0 {
		f.parent = p.judge.open[n-1].at
	}
	for _, o := range p.judge.open[min(p.judgedDepth(), n):] {
		f.path = append(f.path, o.name)
	}
	p.judge.pending = append(p.judge.pending, f)
	return &p.judge.pending[len(p.judge.pending)-1]
}

// keptAttribute says of an attribute that the schema refuses that it was kept, or read.
func (p *parser) keptAttribute(name, hint string) {
	for i := range p.judge.pending {
		if f := &p.judge.pending[i]; f.at == p.at && f.attr == name && f.dropped {
			f.hint, f.dropped = hint, false
			return
		}
	}
}

// refusedHere reports whether the schema refuses the place of the element just opened.
func (p *parser) refusedHere() bool {
	return p.judge.set == nil || slices.ContainsFunc(p.judge.pending, func(f refusal) bool { return f.at == p.at && f.group&groupPlace != 0 })
}

// misplaced is found for the place of the element just opened.
func (p *parser) misplaced(group findingGroup, code, message, hint string) {
	f := p.found(group, p.at, code, message, hint)
	f.path = append(f.path, excerpt.Clip(p.name.Local))
}

// judgedDepth is the depth whose path the problems of the moment do not have to tell: the event's, or the root's.
func (p *parser) judgedDepth() int {
	if p.layout != nil {
		return p.eventDepth
	}
	return 1
}

// tell reports the findings that the reader had no word for. keep is the place of those that are still too new.
func (p *parser) tell(keep pos) {
	if len(p.judge.pending) == 0 && p.judge.unkept == 0 {
		return
	}
	n := 0
	for _, f := range p.judge.pending {
		if f.at == keep {
			p.judge.pending[n] = f
			n++
			continue
		}
		p.emit(f.at, epcis.Problem{Severity: epcis.SeverityWarning, Code: f.code, Path: strings.Join(f.path, "/"), Message: f.message, Hint: f.hint, Schema: true, Dropped: f.dropped})
	}
	clear(p.judge.pending[n:])
	p.judge.pending = p.judge.pending[:n]
	if p.judge.unkept > 0 {
		p.emit(p.at, epcis.Problem{
			Severity: epcis.SeverityWarning, Code: epcis.CodeTruncated, Schema: true,
			Message: "the schema refuses " + strconv.Itoa(p.judge.unkept) + " more things", Hint: "repair those above and send the document again",
		})
		p.judge.unkept = 0
	}
}

// judgeRoot begins with the start tag just read, as an element of type t.
func (p *parser) judgeRoot(set *schemaSet, t *xtype) {
	p.judge.set = set
	if set != nil {
		p.enter(t, false, true)
	}
}

// judgeToken follows the reader.
func (p *parser) judgeToken() {
	j := &p.judge
	switch p.kind {
	case tokenStart:
		t, declared, nillable := p.child(&j.open[len(j.open)-1])
		p.enter(t, nillable, declared)
	case tokenText:
		p.judgeText(&j.open[len(j.open)-1])
	case tokenEnd:
		p.leave(&j.open[len(j.open)-1])
		if j.open = j.open[:len(j.open)-1]; len(j.open) == 0 {
			j.set = nil
		}
	case tokenEOF:
	}
}

// child finds the type of an element in its parent, and says what is wrong with its place. A type nil is not to be judged.
func (p *parser) child(f *xframe) (t *xtype, declared, nillable bool) {
	t = f.t
	switch {
	case t == nil:
		return nil, false, false
	case f.nilled:
		p.misplaced(groupPlace, epcis.CodeContent, "<"+excerpt.Clip(p.name.Local)+"> stands in an element that says it is nil", "remove one of the two")
		return nil, false, false
	case t.kind == anything:
		return p.lax()
	case f.typed && t.kind == textOnly:
		p.found(groupAttribute, f.at, epcis.CodeFieldInvalid, "<"+excerpt.Clip(f.name)+"> has elements in it, though its xsi:type is "+t.name, "remove xsi:type")
		f.t = nil
		return nil, false, false
	case t.kind != elementsOnly:
		message := "the element <" + excerpt.Clip(p.name.Local) + "> stands where a value should"
		if t.kind == nothing {
			message = "the element <" + excerpt.Clip(p.name.Local) + "> stands in <" + f.name + ">, which is empty"
		}
		p.misplaced(groupPlace, epcis.CodeContent, message, "write the value as text")
		return nil, false, false
	}
	i := f.part(p.name.Space, p.name.Local)
	if (i < 0 || f.passed(i)) && t.admits(p.name.Space) {
		if t.one && (f.wild || f.seen != 0) {
			p.misplaced(groupPlace, epcis.CodeContent, "<"+f.name+"> holds one element only", "remove one")
		}
		f.wild = true
		if f.rank = 1 << 16; !t.inOrder {
			f.rank = 0
		}
		return p.lax()
	}
	if i < 0 {
		if i = p.renamed(f); i < 0 {
			p.unexpected(f)
			return nil, false, false
		}
	}
	part := &t.parts[i]
	bit := uint64(1) << i
	switch {
	case t.one && f.seen != 0:
		p.misplaced(groupPlace, epcis.CodeContent, "<"+f.name+"> holds one element only, and <"+excerpt.Clip(p.name.Local)+"> is not the first", "remove one")
	case !t.inOrder:
	case f.seen&bit != 0 && !part.many:
		p.misplaced(groupPlace, epcis.CodeFieldRepeated, part.name+" stands in <"+f.name+"> twice", "keep one")
	case part.rank < f.rank:
		if !f.late {
			f.late = true
			p.misplaced(groupPlace, epcis.CodeFieldOrder, part.name+" comes too late in <"+f.name+">", "write the elements in the order of the EPCIS schema: "+t.order())
		}
	}
	f.seen |= bit
	f.last, f.rank = i, max(f.rank, part.rank)
	return part.t, true, part.nillable
}

// passed reports whether the place of part i is behind the reader: its element may only stand there
// again, or now, where a wildcard takes it.
func (f *xframe) passed(i int) bool {
	part := &f.t.parts[i]
	return f.t.inOrder && (f.seen&(1<<i) != 0 && !part.many || part.rank < f.rank)
}

// part finds a child by its full name, beginning with the last one, because lists repeat and sequences go on.
func (f *xframe) part(space, name string) int {
	parts := f.t.parts
	for i := f.last; i < len(parts); i++ {
		if parts[i].name == name && parts[i].space == space {
			return i
		}
	}
	for i := range min(f.last, len(parts)) {
		if parts[i].name == name && parts[i].space == space {
			return i
		}
	}
	return -1
}

// renamed finds a child that has the right name in the wrong namespace, and tells the first.
func (p *parser) renamed(f *xframe) int {
	if p.name.Space != "" && !isStandard(p.name.Space) {
		return -1
	}
	i := slices.IndexFunc(f.t.parts, func(part xpart) bool { return part.name == p.name.Local })
	if i >= 0 {
		p.judge.refused = true
		if !p.judge.qualified {
			p.judge.qualified = true
			message, hint := "<"+p.name.Local+"> is in the namespace "+p.name.Space+", where only the root belongs", hintQualified
			if want := f.t.parts[i].space; want != "" {
				message, hint = "<"+p.name.Local+"> belongs into the namespace "+want, "write it with the prefix of that namespace"
			}
			p.misplaced(groupNamespace, epcis.CodeNamespace, message, hint)
		}
	}
	return i
}

const hintQualified = "write the elements below the root without prefix and without a default namespace"

func isStandard(space string) bool {
	switch space {
	case xmlns.EPCIS1, xmlns.EPCIS2, xmlns.Query1, xmlns.Query2, xmlns.MasterData1, xmlns.MasterData2, xmlns.SBDH:
		return true
	}
	return false
}

func (p *parser) unexpected(f *xframe) {
	f.wild = true // so that it is not called empty as well
	message := "the schema has no element <" + excerpt.Clip(p.name.Local) + "> in <" + f.name + ">"
	if p.name.Space != "" {
		message = "the schema has no element <" + excerpt.Clip(p.name.Local) + "> of the namespace " + excerpt.Quote(p.name.Space) + " in <" + f.name + ">"
	}
	hint := "remove it"
	if order := f.t.order(); order != "" {
		hint = "there may be " + order
	}
	switch {
	case f.t.wild == foreignWild && p.name.Space == "":
		hint = "put elements of your own into a namespace of your own, behind those of the standard"
	case f.t.name == "EPCISHeaderType" && p.name.Space != "":
		message = "EPCIS 2.0 has no place for <" + excerpt.Clip(p.name.Local) + "> of the namespace " + excerpt.Quote(p.name.Space) + " in the header; EPCIS 1.2 had"
		hint = "put it behind EPCISBody, as an element of the document"
	}
	p.misplaced(groupPlace, epcis.CodeElement, message, hint)
}

// order names the elements of a type, for a hint.
func (t *xtype) order() string {
	var names []string
	for _, part := range t.parts {
		names = append(names, part.name)
	}
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return strings.Join(names, ", ")
}

// lax is the type of an element outside the schema: what a global element says, or anything.
func (p *parser) lax() (t *xtype, declared, nillable bool) {
	if isStandard(p.name.Space) {
		if t = p.judge.set.elements[p.name]; t != nil {
			return t, true, false
		}
	}
	return ur, false, false
}

// enter opens an element of type t, which its attributes may change.
func (p *parser) enter(t *xtype, nillable, declared bool) {
	j := &p.judge
	j.attrBad = 0
	f := xframe{t: t, name: p.name.Local, at: p.at}
	if len(p.attrs) == 0 {
		if t == nil || t == ur || len(t.attrs) == 0 && !t.abstract {
			j.open = append(j.open, f)
			j.text = j.text[:0]
			return
		}
	}
	j.open = append(j.open, f)
	j.text = j.text[:0]
	if t != nil {
		top := &j.open[len(j.open)-1]
		p.instance(top, nillable, declared)
		p.attributesOf(top)
	}
}

// instance reads xsi:type and xsi:nil.
func (p *parser) instance(f *xframe, nillable, declared bool) {
	for _, a := range p.attrs {
		if a.Name.Space != xmlns.XSI {
			continue
		}
		switch a.Name.Local {
		case "nil":
			value := strings.Trim(a.Value, xsd.Blank)
			switch {
			case !declared:
			case value != "true" && value != "false" && value != "1" && value != "0":
				p.found(groupAttribute, p.at, epcis.CodeFieldInvalid, "xsi:nil is "+excerpt.Quote(a.Value)+", want true or false", "write true or remove it")
			case !nillable:
				p.found(groupAttribute, p.at, epcis.CodeFieldInvalid, "<"+f.name+"> cannot be nil", "remove xsi:nil; leave the element out if there is no value")
			case value == "true" || value == "1":
				f.nilled = true
			}
		case "type":
			p.instanceType(f, strings.Trim(a.Value, xsd.Blank), declared)
		}
	}
	if f.t.abstract {
		p.found(groupAttribute, p.at, epcis.CodeFieldInvalid, "the type "+f.t.name+" of <"+f.name+"> is abstract", "remove xsi:type")
		f.t = nil
	}
}

func (p *parser) instanceType(f *xframe, value string, declared bool) {
	const hint = "declare the prefix, or remove xsi:type"
	prefix, local, ok := strings.Cut(value, ":")
	if !ok {
		prefix, local = "", value
	}
	if !nameForm(local, lexNCName) || ok && !nameForm(prefix, lexNCName) {
		p.found(groupAttribute, p.at, epcis.CodeFieldInvalid, "xsi:type is "+excerpt.Quote(value)+", which is no name", hint)
		return
	}
	space, known := p.lookup(prefix)
	if !known {
		p.found(groupAttribute, p.at, epcis.CodeFieldInvalid, "xsi:type is "+excerpt.Quote(value)+" and the prefix "+excerpt.Quote(prefix)+" is not declared", hint)
		return
	}
	t := p.judge.set.types[xml.Name{Space: space, Local: local}]
	switch {
	case t == nil:
		p.found(groupAttribute, p.at, epcis.CodeFieldInvalid, "xsi:type is "+excerpt.Quote(value)+", a type that the EPCIS schema does not know", hint)
	case declared && !t.derives(f.t):
		p.found(groupAttribute, p.at, epcis.CodeFieldInvalid, "xsi:type is "+excerpt.Quote(value)+", but <"+f.name+"> is of type "+f.t.name, "remove xsi:type")
	default:
		f.t, f.typed = t, !declared
	}
}

// attributesOf judges the attributes of an element.
func (p *parser) attributesOf(f *xframe) {
	t := f.t
	if t == nil || t == ur {
		return
	}
	var seen uint64
	for i, a := range p.attrs {
		if a.Name.Space == xmlns.XSI {
			switch a.Name.Local {
			case "type", "nil", "schemaLocation", "noNamespaceSchemaLocation":
				continue
			}
		}
		k := -1
		if a.Name.Space == "" {
			k = slices.IndexFunc(t.attrs, func(x xattr) bool { return x.name == a.Name.Local })
		}
		switch {
		case k >= 0:
			seen |= 1 << k
			if x := t.attrs[k].t; !x.ok(a.Value) {
				g := p.found(groupValue, p.at, epcis.CodeFieldInvalid, a.Name.Local+": "+x.refuse(a.Value), x.hint())
				if x.lex == lexDateTime || x.lex == lexStamp {
					g.code = epcis.CodeTimeInvalid
				}
			}
		case !t.anyAttr:
			p.judge.attrBad |= 1 << (i & 63)
			if f.typed {
				p.found(groupAttribute, p.at, epcis.CodeFieldInvalid, "<"+excerpt.Clip(f.name)+"> has other attributes, though its xsi:type is "+t.name, "remove xsi:type")
				continue
			}
			g := p.found(groupAttribute, p.at, epcis.CodeAttribute, "the attribute "+excerpt.Quote(a.Name.Local)+" does not belong on <"+f.name+">", "remove it; it was not kept")
			g.attr, g.dropped = a.Name.Local, true
		}
	}
	for k := range t.attrs {
		if t.attrs[k].required && seen&(1<<k) == 0 {
			g := p.found(groupAttribute, p.at, epcis.CodeFieldMissing, "the attribute "+t.attrs[k].name+" is missing on <"+f.name+">", "add it")
			g.name = t.attrs[k].name
		}
	}
}

func (p *parser) judgeText(f *xframe) {
	t := f.t
	if t == nil || t == ur {
		return
	}
	switch t.kind {
	case textOnly:
		if f.nilled {
			break
		}
		if t.lex != lexText || t.enum != nil {
			p.judge.text = append(p.judge.text, p.text...)
		}
		return
	case anything:
		return
	case elementsOnly:
		if !f.nilled && xsd.IsBlank(p.text) {
			return
		}
	case nothing:
	}
	if f.texted {
		return
	}
	f.texted = true
	message := "bare text " + excerpt.Quote(string(xsd.Trim(p.text))) + " stands where only elements may"
	if f.nilled {
		message = "<" + f.name + "> has text and says that it is nil"
	} else if t.kind == nothing {
		message = "<" + f.name + "> holds text, not even white space may be in it"
	}
	p.found(groupText, p.at, epcis.CodeText, message, "remove it; it was not kept").dropped = true
}

// leave closes an element: is everything there, and has the text its form?
func (p *parser) leave(f *xframe) {
	t := f.t
	if t == nil || f.nilled {
		return
	}
	switch t.kind {
	case textOnly:
		if t.lex == lexURI && plainURI(xsd.Trim(p.judge.text)) {
			break
		}
		if (t.lex != lexText || t.enum != nil) && !t.ok(string(p.judge.text)) {
			code := epcis.CodeFieldInvalid
			switch {
			case t.lex == lexDateTime || t.lex == lexStamp:
				code = epcis.CodeTimeInvalid
			case t.name == "ActionType":
				code = epcis.CodeActionInvalid
			}
			g := p.found(groupValue, f.at, code, t.refuse(string(p.judge.text)), t.hint())
			if n := len(p.judge.open); n > 1 {
				g.parent = p.judge.open[n-2].at
			}
		}
	case elementsOnly:
		p.missing(f)
	case anything, nothing:
	}
}

// missing tells which elements are missing from one that ends.
func (p *parser) missing(f *xframe) {
	t := f.t
	tell := func(name, message, hint string) {
		g := p.found(groupMissing, f.at, epcis.CodeFieldMissing, message, hint)
		if g.name = name; name != "" {
			g.path = append(g.path, name)
		}
	}
	switch {
	case t.one:
		if f.seen == 0 && !f.wild {
			tell("", "<"+f.name+"> is empty", "it holds one of "+t.order())
		}
		return
	case t.needsWild && !f.wild:
		tell("", "<"+f.name+"> is empty", "leave it out")
	}
	if !t.inOrder {
		return
	}
	for i := range t.parts {
		part := &t.parts[i]
		if f.seen&(1<<i) != 0 {
			if part.needsLast && f.seen&(1<<(i-1)) == 0 {
				tell(t.parts[i-1].name, "<"+f.name+"> has "+part.name+" and no "+t.parts[i-1].name, "add "+t.parts[i-1].name)
			}
			continue
		}
		if part.required {
			hint := "add it"
			if part.t.kind == elementsOnly && len(part.t.parts) > 0 && !part.t.parts[0].required {
				hint = "add it; it may be empty"
			}
			tell(part.name, part.name+" is missing", hint)
		}
	}
}

// refuse says what a value is not.
func (t *xtype) refuse(s string) string {
	if t.enum != nil {
		if trimmed := strings.Trim(s, xsd.Blank); trimmed != s && slices.Contains(t.enum, trimmed) {
			return excerpt.Quote(s) + " has white space around the value"
		}
		return excerpt.Quote(s) + " is none of " + strings.Join(t.enum, ", ")
	}
	return excerpt.Quote(s) + " is not " + lexicalNames[t.lex]
}

func (t *xtype) hint() string {
	if t.lex == lexDateTime || t.lex == lexStamp {
		return xsd.TimeHint
	}
	if t.lex == lexURI {
		return "write a URI; percent signs and brackets must be escaped"
	}
	if t.enum != nil {
		return "write one of " + strings.Join(t.enum, ", ") + ", without white space"
	}
	return "correct the value, or leave it out"
}
