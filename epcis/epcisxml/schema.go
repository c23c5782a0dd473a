package epcisxml

import (
	"encoding/xml"
	"slices"
	"strings"
	"sync"

	"verilot.dev/epcis/internal/xmlns"
)

// xtype is a type of the schema, simple or complex.
type xtype struct {
	name, space string
	base        *xtype
	abstract    bool
	complex     bool
	kind        contentKind

	lex      lexical // of simple content
	min, max string
	enum     []string

	parts     []xpart
	inOrder   bool     // false: any number of the parts in any order
	one       bool     // exactly one of the parts
	wild      wildcard // elements outside the schema, behind the parts
	needsWild bool

	attrs   []xattr
	anyAttr bool
}

type contentKind uint8

const (
	elementsOnly contentKind = iota
	textOnly
	anything // text and elements of any kind
	nothing
)

type wildcard uint8

const (
	noWild wildcard = iota
	foreignWild
	localWild
)

type xpart struct {
	space, name string
	t           *xtype
	rank        int
	required    bool
	many        bool
	nillable    bool
	needsLast   bool // only together with the part before it
}

type xattr struct {
	name     string
	t        *xtype
	required bool
}

// schemaSet is what one root brings with it: the types and global elements of the schemas it imports.
type schemaSet struct {
	types    map[xml.Name]*xtype
	elements map[xml.Name]*xtype
}

type setKey struct {
	version int
	space   string // of the root: document, query or master data
}

var schemaSets = sync.OnceValue(func() map[setKey]*schemaSet {
	sets := map[setKey]*schemaSet{}
	for version, spaces := range map[int][3]string{1: {xmlns.EPCIS1, xmlns.MasterData1, xmlns.Query1}, 2: {xmlns.EPCIS2, xmlns.MasterData2, xmlns.Query2}} {
		all := readTable(version, spaces)
		for _, root := range spaces {
			s := &schemaSet{types: map[xml.Name]*xtype{}, elements: map[xml.Name]*xtype{}}
			in := func(space string) bool { return space == root || !slices.Contains(spaces[1:], space) }
			for n, t := range all.types {
				if in(n.Space) {
					s.types[n] = t
				}
			}
			for n, t := range all.elements {
				if in(n.Space) {
					s.elements[n] = t
				}
			}
			sets[setKey{version, root}] = s
		}
	}
	return sets
})

// ur is the type of everything that no schema knows.
var ur = &xtype{name: "anyType", space: xmlns.XSD, complex: true, kind: anything, anyAttr: true}

// readTable reads schemaTable for one version. It panics on a mistake, which no document can make.
func readTable(version int, spaces [3]string) *schemaSet {
	set := &schemaSet{types: map[xml.Name]*xtype{{Space: xmlns.XSD, Local: "anyType"}: ur}, elements: map[xml.Name]*xtype{}}
	named := map[string]*xtype{"anyType": ur}
	for _, b := range builtins[1:] {
		t := &xtype{name: b.name, space: xmlns.XSD, base: named[b.base], kind: textOnly, lex: b.lex, min: b.min, max: b.max}
		named[b.name] = t
		set.types[xml.Name{Space: xmlns.XSD, Local: b.name}] = t
	}
	type line struct {
		space, name string
		words       []string
		element     bool
	}
	var lines []line
	space := ""
	for l := range strings.Lines(schemaTable) {
		l = strings.TrimSuffix(l, "\n")
		switch {
		case l == "":
			continue
		case l[0] == '[':
			space = map[string]string{
				"[epcglobal]": "urn:epcglobal:xsd:1", "[sbdh]": xmlns.SBDH, "[epcis]": spaces[0], "[epcismd]": spaces[1], "[epcisq]": spaces[2],
			}[l]
			continue
		case l[0] == '\t':
			if len(lines) > 0 && lines[len(lines)-1].words != nil {
				lines[len(lines)-1].words = append(lines[len(lines)-1].words, strings.Fields(l)...)
			}
			continue
		case l[0] == '1' || l[0] == '2':
			if int(l[0]-'0') != version {
				lines = append(lines, line{}) // its continuation belongs to nothing
				continue
			}
			l = l[2:]
		}
		name, rest, _ := strings.Cut(l, " =")
		n := line{space: space, name: strings.Trim(name, "<>"), words: append([]string{}, strings.Fields(rest)...), element: name[0] == '<'}
		lines = append(lines, n)
		if !n.element {
			t := &xtype{name: n.name, space: space}
			if strings.HasPrefix(strings.TrimSpace(rest), "is:") {
				t.kind = textOnly
			} else {
				t.complex, t.inOrder, t.base = true, true, ur
			}
			named[n.name] = t
			set.types[xml.Name{Space: space, Local: n.name}] = t
		}
	}
	find := func(name string) *xtype {
		t := named[name]
		if t == nil {
			panic("epcis: no type " + name)
		}
		return t
	}
	elementSpace := map[string]string{}
	for _, l := range lines {
		if l.element {
			set.elements[xml.Name{Space: l.space, Local: l.name}] = find(l.words[0])
			elementSpace[l.name] = l.space
		}
	}
	for _, l := range lines {
		if l.words != nil && !l.element {
			find(l.name).define(l.words, find, elementSpace, set)
		}
	}
	return set
}

// define makes a type of the words of its line. A base stands in the table before what extends it.
func (t *xtype) define(words []string, find func(string) *xtype, elementSpace map[string]string, set *schemaSet) {
	rank := 0
	for _, w := range words {
		key, value, _ := strings.Cut(w, ":")
		switch {
		case key == "is":
			t.base = find(value)
			t.lex, t.min, t.max = t.base.lex, t.base.min, t.base.max
		case key == "enum":
			t.enum = strings.Split(value, "|")
		case w == "pattern": // there is one
			t.lex = lexStamp
		case w == "abstract":
			t.abstract = true
		case w == "mixed":
			t.kind = anything
		case key == "simple":
			t.kind, t.base = textOnly, find(value)
			t.lex, t.min, t.max, t.enum = t.base.lex, t.base.min, t.base.max, t.base.enum
		case key == "base":
			t.base = find(value)
			t.parts = slices.Clone(t.base.parts)
			t.attrs = slices.Clone(t.base.attrs)
			t.anyAttr = t.base.anyAttr
			rank = len(t.parts)
		case w == "choice*":
			t.inOrder = false
		case w == "choice1":
			t.inOrder, t.one = false, true
		case w == "@*":
			t.anyAttr = true
		case w[0] == '@':
			name, required := strings.CutSuffix(value, "!")
			t.attrs = append(t.attrs, xattr{key[1:], find(name), required})
		case w[0] == '#':
			if t.wild = localWild; strings.HasPrefix(w, "##other") {
				t.wild = foreignWild
			}
			t.needsWild = !strings.HasSuffix(w, "*")
		default:
			var p xpart
			w, same := strings.CutPrefix(w, "&")
			if !same {
				rank++
			}
			body := strings.TrimRight(w, "?*+~^")
			marks := w[len(body):]
			p.rank = rank
			p.required = !strings.ContainsAny(marks, "?*")
			p.many = strings.ContainsAny(marks, "*+")
			p.nillable = strings.Contains(marks, "~")
			p.needsLast = strings.Contains(marks, "^")
			if ref, ok := strings.CutPrefix(body, "="); ok {
				p.name, p.space = ref, elementSpace[ref]
				p.t = set.elements[xml.Name{Space: p.space, Local: ref}]
			} else {
				name, kind, _ := strings.Cut(body, ":")
				p.name, p.t = name, find(kind)
				if t.space == xmlns.SBDH { // the one schema whose local elements are qualified
					p.space = xmlns.SBDH
				}
			}
			t.parts = append(t.parts, p)
		}
	}
	if t.complex && t.kind == elementsOnly && len(t.parts) == 0 && t.wild == noWild {
		t.kind = nothing
	}
}

// derives reports whether t is b or made from it.
func (t *xtype) derives(b *xtype) bool {
	for ; t != nil; t = t.base {
		if t == b {
			return true
		}
	}
	return false
}

func (t *xtype) admits(space string) bool {
	return t.wild == foreignWild && space != "" && space != t.space || t.wild == localWild && space == ""
}
