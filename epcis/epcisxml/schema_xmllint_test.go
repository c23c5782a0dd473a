package epcisxml

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/xmlns"
)

// The judge against libxml2, on every example and on damaged copies of them. It needs xmllint (Debian: libxml2-utils), so it
// runs in make test-long only. Where libxml2 is known to deviate from XML Schema, the damage keeps away: white space around
// dates, and around integers of limited size.
func TestXMLLint(t *testing.T) {
	sample.NeedXMLLint(t)
	slice := cmp.Or(os.Getenv("SLICE"), "1/1")
	i, n := 1, 1
	if _, err := fmt.Sscanf(slice, "%d/%d", &i, &n); err != nil {
		t.Fatalf("SLICE=%s: %v", slice, err)
	}
	const seeds = 800
	from, to := (i-1)*seeds/n, i*seeds/n
	t.Logf("slice %s: damage with seeds %d to %d to every XML example", slice, from, to-1)

	var all []lintDoc
	for _, x := range examples(t, "xml") {
		raw := sample.File(t, x.path)
		if x.wellFormed && x.valid != "n/a" {
			all = append(all, lintDoc{name: x.path, raw: raw})
		}
	}
	sources := slices.Clone(all)
	for _, v := range verdicts() {
		if v.want != "white space" {
			all = append(all, lintDoc{name: "verdict " + v.name, raw: []byte(v.doc)})
			sources = append(sources, lintDoc{name: "verdict " + v.name, raw: []byte(v.doc)})
		}
	}
	for _, s := range sources {
		tree := readTree(t, s.raw)
		for seed := from; seed < to; seed++ {
			rng := rand.New(rand.NewPCG(uint64(seed), uint64(len(s.raw))))
			copied := tree.clone()
			for range 1 + rng.IntN(6)/4 { // mostly one thing at a time
				damage(rng, copied)
			}
			var b bytes.Buffer
			copied.write(&b)
			all = append(all, lintDoc{name: fmt.Sprintf("%s seed %d", s.name, seed), raw: b.Bytes()})
		}
	}
	// Documents grown from our own table show what the examples do not have, whole and damaged.
	for seed := from; seed < to; seed++ {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		for _, key := range []setKey{{1, xmlns.EPCIS1}, {1, xmlns.Query1}, {1, xmlns.MasterData1}, {2, xmlns.EPCIS2}, {2, xmlns.Query2}, {2, xmlns.MasterData2}} {
			for round := range 12 {
				tree := growDocument(rng, key)
				if round%3 > 0 {
					damage(rng, tree)
				}
				var b bytes.Buffer
				tree.write(&b)
				all = append(all, lintDoc{name: fmt.Sprintf("grown %v seed %d", key, seed), raw: b.Bytes(), grown: round%3 == 0})
			}
		}
	}
	lint(t, all)
	bad, valid := 0, 0
	for _, d := range all {
		var told []string
		sum, err := Read(bytes.NewReader(d.raw), epcis.Options{}, epcis.Handler{Problem: func(p epcis.Problem) error {
			if p.Schema {
				told = append(told, p.String())
			}
			return nil
		}})
		if _, ok := errors.AsType[*epcis.ParseError](err); ok {
			if d.valid && !strings.Contains(err.Error(), epcis.CodeNotEPCIS) {
				t.Errorf("%s is not read: %v", d.name, err)
			}
			continue // the root is gone
		}
		if d.valid {
			valid++
		}
		if d.grown && !d.valid {
			t.Errorf("%s should be valid: %s\n%.600s", d.name, d.why, d.raw)
		}
		if sum.SchemaInvalid == d.valid || (len(told) > 0) == d.valid {
			if bad++; bad < 10 {
				path := filepath.Join(os.TempDir(), fmt.Sprintf("lint-%d.xml", bad))
				_ = os.WriteFile(path, d.raw, 0o600)
				t.Errorf("%s (%s): xmllint says valid=%v: %s; we say %v", d.name, path, d.valid, d.why, told)
			}
		}
	}
	t.Logf("%d documents, %d of them valid, %d judged differently", len(all), valid, bad)
}

type lintDoc struct {
	name, why string
	raw       []byte
	valid     bool
	grown     bool // without damage
}

// lint has xmllint judge documents, many at a time.
func lint(t *testing.T, docs []lintDoc) {
	t.Helper()
	dir := t.TempDir()
	batches := map[string][]int{}
	for i := range docs {
		schema := schemaFor(docs[i].raw)
		batches[schema] = append(batches[schema], i)
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), docs[i].raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for schema, list := range batches {
		path, err := filepath.Abs(sample.Path("schema/" + schema))
		if err != nil {
			t.Fatal(err)
		}
		for batch := range slices.Chunk(list, 500) {
			args := []string{"--nonet", "--noout", "--schema", path}
			for _, i := range batch {
				args = append(args, strconv.Itoa(i))
			}
			cmd := exec.CommandContext(context.Background(), "xmllint", args...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
				t.Fatal(err)
			}
			told := map[int]bool{}
			for line := range strings.Lines(string(out)) {
				var i int
				line = strings.TrimSpace(line)
				if _, err := fmt.Sscanf(line, "%d validates", &i); err == nil && line == strconv.Itoa(i)+" validates" {
					docs[i].valid, told[i] = true, true
				} else if _, err := fmt.Sscanf(line, "%d fails to validate", &i); err == nil && line == strconv.Itoa(i)+" fails to validate" {
					told[i] = true
				} else if _, err := fmt.Sscanf(line, "%d:", &i); err == nil && docs[i].why == "" {
					docs[i].why = line
				}
			}
			for _, i := range batch {
				if !told[i] {
					t.Fatalf("xmllint says nothing about %s: %s\n%.2000s", docs[i].name, docs[i].why, out)
				}
			}
		}
	}
}

// schemaFor is the schema of a document, by the namespace of its root.
func schemaFor(raw []byte) string {
	d := xml.NewDecoder(bytes.NewReader(raw))
	for {
		tok, err := d.Token()
		if err != nil {
			return "xsd-1.2/EPCglobal-epcis-1_2.xsd"
		}
		if e, ok := tok.(xml.StartElement); ok {
			kind := ""
			switch {
			case strings.Contains(e.Name.Space, "epcis-query"):
				kind = "query-"
			case strings.Contains(e.Name.Space, "epcis-masterdata"):
				kind = "masterdata-"
			}
			if strings.HasSuffix(e.Name.Space, ":2") {
				return "xsd-2.0/EPCglobal-epcis-" + kind + "2_0.xsd"
			}
			return "xsd-1.2/EPCglobal-epcis-" + kind + "1_2.xsd"
		}
	}
}

// tree is an element with its prefix, or a text.
type tree struct {
	name     string // "" is a text
	text     string
	attrs    []xml.Attr
	children []*tree
}

func rawAttr(n xml.Name) string { return rawName(n) }

func readTree(tb testing.TB, raw []byte) *tree {
	tb.Helper()
	d := xml.NewDecoder(bytes.NewReader(raw))
	stack := []*tree{{}}
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return stack[0].children[0]
		}
		if err != nil {
			tb.Fatal(err)
		}
		top := stack[len(stack)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &tree{name: rawName(tok.Name)}
			for _, a := range tok.Attr {
				if a.Name.Local != "schemaLocation" { // libxml2 would look for the files
					e.attrs = append(e.attrs, a)
				}
			}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 1 {
				top.children = append(top.children, &tree{text: string(tok)})
			}
		}
	}
}

func (n *tree) clone() *tree {
	c := *n
	c.attrs = slices.Clone(n.attrs)
	c.children = nil
	for _, child := range n.children {
		c.children = append(c.children, child.clone())
	}
	return &c
}

func (n *tree) write(b *bytes.Buffer) {
	if n.name == "" {
		_ = xml.EscapeText(b, []byte(n.text))
		return
	}
	b.WriteString("<" + n.name)
	for _, a := range n.attrs {
		b.WriteString(" " + rawAttr(a.Name) + `="`)
		_ = xml.EscapeText(b, []byte(a.Value))
		b.WriteString(`"`)
	}
	b.WriteString(">")
	for _, c := range n.children {
		c.write(b)
	}
	b.WriteString("</" + n.name + ">")
}

// elements are all elements below n with at least one parent.
func (n *tree) elements(list [][2]*tree) [][2]*tree {
	for _, c := range n.children {
		if c.name != "" {
			list = c.elements(append(list, [2]*tree{n, c}))
		}
	}
	return list
}

var damageValues = []string{
	"", "x", "ADD", "OBSERVE", "add", "2026-11-20T06:45:16Z", "2026-11-20T06:45:16", "2026-11-20", "2026-02-30T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T06:45:16.5+14:00",
	"2026-11-20T06:45:16+15:00", "12345-01-01T00:00:00Z", "5", "-5", "5.0", ".5", "5.", "1e3", "INF", "NaN", "true", "1", "yes", "f0", "f0f", "urn:a:b", "a b", "%41", "%", "a#b#c", "a:b", ":a", "[", "http://h/[x]", "ü",
	"2147483648", "http://[::1]/", "+5", "--5", "1,5", "Z", "+02:00", "\u00a0", "ERROR", "urn:epcglobal:cbv:btt:po",
}

var damageNames = []string{
	"extension", "baseExtension", "epcList", "epc", "action", "eventTime", "recordTime", "eventID", "errorDeclaration", "declarationTime", "reason", "quantityList", "quantityElement", "quantity",
	"uom", "epcClass", "id", "readPoint", "ilmd", "sensorElementList", "sensorElement", "sensorReport", "sensorMetadata", "persistentDisposition", "set", "unset", "sourceList", "source", "destinationList",
	"bizTransactionList", "bizTransaction", "childEPCs", "parentID", "ObjectEvent", "TransformationEvent", "AssociationEvent", "QuantityEvent", "certificationInfo", "EventList", "VocabularyList",
	"Vocabulary", "VocabularyElementList", "VocabularyElement", "attribute", "children", "EPCISMasterData", "queryName", "subscriptionID", "resultsBody", "dmg:field", "dmg:field", "dmg:field", "Zz", "correctiveEventIDs",
}

var damageTypes = []string{
	"xsd:string", "xsd:int", "xsd:double", "xsd:dateTime", "xsd:boolean", "xsd:decimal", "xsd:anyURI", "xsd:nothing", "nothing:x", "xsd:anyType", "e1:ObjectEventType", "e2:DateTimeStamp", "e1:ParentIDType",
	"e2:EPCListType", "e1:EPCListType", "g:EPC", "e2:EPCISEventType", "q2:ArrayOfString", "xsd:date", "xsd:byte", "xsd:NCName", "xsd:base64Binary", "xsd:duration", "a:b:c", "",
}

// damage changes one thing in a document.
func damage(rng *rand.Rand, root *tree) {
	list := root.elements(nil)
	if len(list) == 0 {
		return
	}
	pick := func(values []string) string { return values[rng.IntN(len(values))] }
	at := list[rng.IntN(len(list))]
	parent, e := at[0], at[1]
	i := slices.Index(parent.children, e)
	element := func(name string) *tree {
		n := &tree{name: name}
		if strings.HasPrefix(name, "dmg:") {
			n.attrs = append(n.attrs, xml.Attr{Name: xml.Name{Space: "xmlns", Local: "dmg"}, Value: "urn:dmg"})
		}
		if v := pick(damageValues); rng.IntN(2) == 0 {
			n.children = append(n.children, &tree{text: v})
		}
		return n
	}
	set := func(n *tree, space, name, value string) {
		n.attrs = slices.DeleteFunc(n.attrs, func(a xml.Attr) bool { return a.Name.Local == name })
		n.attrs = append(n.attrs, xml.Attr{Name: xml.Name{Space: space, Local: name}, Value: value})
	}
	switch rng.IntN(20) {
	case 0, 1:
		parent.children = slices.Delete(parent.children, i, i+1)
	case 2:
		parent.children = slices.Insert(parent.children, i, e.clone())
	case 3, 4: // two brothers change places
		j := rng.IntN(len(parent.children))
		parent.children[i], parent.children[j] = parent.children[j], parent.children[i]
	case 5: // moves to another parent
		parent.children = slices.Delete(parent.children, i, i+1)
		if rest := root.elements(nil); len(rest) > 0 {
			to := rest[rng.IntN(len(rest))][1]
			to.children = slices.Insert(to.children, rng.IntN(len(to.children)+1), e)
		}
	case 6, 7, 8: // another value
		for _, k := range rng.Perm(len(list)) {
			if n := list[k][1]; len(n.children) <= 1 && len(n.elements(nil)) == 0 {
				n.children = []*tree{{text: pick(damageValues)}}
				break
			}
		}
	case 9:
		e.children = append(e.children, &tree{text: pick(damageValues)})
	case 10:
		set(e, "", pick([]string{"type", "id", "date", "value", "time", "uom", "booleanValue", "hexBinaryValue", "schemaVersion", "creationDate"}), pick(damageValues))
	case 11:
		set(e, "xmlns", "dmg", "urn:dmg")
		set(e, "dmg", "a", pick(damageValues))
	case 12:
		for prefix, space := range map[string]string{"i": xmlns.XSI, "xsd": xmlns.XSD, "e1": xmlns.EPCIS1, "e2": xmlns.EPCIS2, "g": "urn:epcglobal:xsd:1", "q2": xmlns.Query2} {
			set(e, "xmlns", prefix, space)
		}
		slices.SortFunc(e.attrs, func(a, b xml.Attr) int {
			return cmp.Or(cmp.Compare(a.Name.Space, b.Name.Space), cmp.Compare(a.Name.Local, b.Name.Local))
		})
		e.attrs = slices.DeleteFunc(e.attrs, func(a xml.Attr) bool { return a.Name.Space == "i" || a.Name.Space == "xsi" })
		if rng.IntN(3) == 0 {
			e.attrs = append(e.attrs, xml.Attr{Name: xml.Name{Space: "i", Local: "nil"}, Value: pick([]string{"true", "false", "1", "maybe"})})
			if rng.IntN(2) == 0 {
				e.children = nil
			}
		} else {
			t := pick(damageTypes)
			e.attrs = append(e.attrs, xml.Attr{Name: xml.Name{Space: "i", Local: "type"}, Value: t})
			if t == "xsd:byte" || t == "xsd:int" {
				for _, c := range e.children {
					c.text = strings.TrimSpace(c.text)
				}
			}
		}
	case 13:
		var plain []int
		for k, a := range e.attrs {
			if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
				plain = append(plain, k)
			}
		}
		if len(plain) > 0 {
			k := plain[rng.IntN(len(plain))]
			if rng.IntN(2) == 0 {
				e.attrs = slices.Delete(e.attrs, k, k+1)
			} else {
				e.attrs[k].Value = pick(damageValues)
			}
		}
	case 14:
		name := pick(damageNames)
		if e.name = name; strings.HasPrefix(name, "dmg:") {
			set(e, "xmlns", "dmg", "urn:dmg")
		}
	case 15, 16:
		e.children = slices.Insert(e.children, rng.IntN(len(e.children)+1), element(pick(damageNames)))
	case 17: // in a wrapper
		parent.children[i] = &tree{name: pick([]string{"extension", "baseExtension"}), children: []*tree{e}}
	case 18: // in another namespace
		set(e, "xmlns", "dmgns", pick([]string{xmlns.EPCIS1, xmlns.EPCIS2, xmlns.Query1, xmlns.Query2, xmlns.SBDH, "urn:dmg"}))
		e.name = "dmgns:" + e.name[strings.LastIndexByte(e.name, ':')+1:]
	case 19: // a wrapper goes
		if len(e.children) > 0 {
			parent.children = slices.Replace(parent.children, i, i+1, e.children...)
		}
	}
}

// growDocument makes a document that the schema takes, from the table.
func growDocument(rng *rand.Rand, key setKey) *tree {
	names := map[string]string{xmlns.EPCIS1: "EPCISDocument", xmlns.EPCIS2: "EPCISDocument", xmlns.Query1: "EPCISQueryDocument", xmlns.Query2: "EPCISQueryDocument", xmlns.MasterData1: "EPCISMasterDataDocument", xmlns.MasterData2: "EPCISMasterDataDocument"}
	root := xml.Name{Space: key.space, Local: names[key.space]}
	prefixes := map[string]string{key.space: "r", xmlns.SBDH: "sbdh", "urn:x": "x"}
	set := schemaSets()[key]
	n := &tree{}
	grow(rng, n, set.elements[root], 14, prefixes)
	n.name = "r:" + root.Local
	for space, prefix := range prefixes {
		n.attrs = append(n.attrs, xml.Attr{Name: xml.Name{Space: "xmlns", Local: prefix}, Value: space})
	}
	slices.SortFunc(n.attrs, func(a, b xml.Attr) int { return cmp.Compare(a.Name.Local, b.Name.Local) })
	return n
}

var growValues = map[lexical][]string{
	lexText: {"", "a", " b c "}, lexBoolean: {"true", "0"}, lexDecimal: {"1", "-2.50", ".5"}, lexInteger: {"1", "07"}, lexDouble: {"1e3", "NaN"},
	lexDateTime: {"2026-11-20T06:45:16", "2026-11-20T06:45:16.5-05:00"}, lexStamp: {"2026-11-20T06:45:16.123456Z"}, lexURI: {"", "urn:a:b", "a b", "http://h/%20?q#f"}, lexHex: {"", "f0"}, lexNCName: {"ERROR"},
}

func grow(rng *rand.Rand, n *tree, t *xtype, depth int, prefixes map[string]string) {
	pick := func(t *xtype) string {
		if t.enum != nil {
			return t.enum[rng.IntN(len(t.enum))]
		}
		values := growValues[t.lex]
		return values[rng.IntN(len(values))]
	}
	for _, a := range t.attrs {
		if a.required || rng.IntN(3) == 0 {
			n.attrs = append(n.attrs, xml.Attr{Name: xml.Name{Local: a.name}, Value: pick(a.t)})
		}
	}
	if t.anyAttr && rng.IntN(8) == 0 {
		n.attrs = append(n.attrs, xml.Attr{Name: xml.Name{Space: "x", Local: "any"}, Value: "1"})
	}
	foreign := func() {
		e := &tree{name: "x:other", children: []*tree{{text: "text"}, {name: "inner"}}}
		if t.wild == localWild {
			e.name = "other"
		}
		n.children = append(n.children, e)
	}
	child := func(p *xpart) {
		e := &tree{name: p.name}
		if p.space != "" {
			e.name = prefixes[p.space] + ":" + p.name
		}
		n.children = append(n.children, e)
		grow(rng, e, p.t, depth-1, prefixes)
	}
	switch {
	case t.kind == textOnly:
		n.children = append(n.children, &tree{text: pick(t)})
	case t.kind == anything:
		n.children = append(n.children, &tree{text: "any"}, &tree{name: "x:thing"})
	case t.one:
		child(&t.parts[rng.IntN(len(t.parts))])
	case !t.inOrder:
		for range rng.IntN(4) {
			if i := rng.IntN(len(t.parts) + 1); i < len(t.parts) {
				child(&t.parts[i])
			} else if t.wild != noWild {
				foreign()
			}
		}
	default:
		for i := range t.parts {
			p := &t.parts[i]
			many := 1
			if p.many {
				many = 1 + rng.IntN(2)
			}
			if !p.required && (depth <= 0 || rng.IntN(2) == 0 || p.needsLast && (len(n.children) == 0 || n.children[len(n.children)-1].name != t.parts[i-1].name)) {
				many = 0
			}
			for range many {
				child(p)
			}
		}
		if t.needsWild || t.wild != noWild && rng.IntN(3) == 0 {
			foreign()
		}
	}
}
