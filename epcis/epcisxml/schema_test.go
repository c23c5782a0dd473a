package epcisxml

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/xmlns"
)

// xsdNode is an element of an XML Schema.
type xsdNode struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []xsdNode  `xml:",any"`
}

func (n *xsdNode) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n *xsdNode) child(names ...string) *xsdNode {
	for _, name := range names {
		for i := range n.Children {
			if n.Children[i].XMLName.Local == name {
				n = &n.Children[i]
				goto found
			}
		}
		return nil
	found:
	}
	return n
}

func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// xsdTables writes official schemas the way schemaTable does, apart from its order and the types it leaves out.
type xsdTables struct {
	groups map[string]*xsdNode
	table  map[string]string
}

func occurs(n *xsdNode) string {
	switch n.attr("minOccurs") + "-" + n.attr("maxOccurs") {
	case "0-", "0-1":
		return "?"
	case "0-unbounded":
		return "*"
	case "-unbounded", "1-unbounded":
		return "+"
	}
	return ""
}

func (x *xsdTables) particles(n *xsdNode, words []string) []string {
	for i := range n.Children {
		c := &n.Children[i]
		switch c.XMLName.Local {
		case "element":
			switch ref := local(c.attr("ref")); ref {
			case "":
				nillable := map[bool]string{true: "~"}[c.attr("nillable") == "true"]
				words = append(words, c.attr("name")+":"+local(c.attr("type"))+nillable+occurs(c))
			case "ScopeInformation": // abstract: these stand for it, in any order
				words = append(words, "=CorrelationInformation*", "&=BusinessService*")
			default:
				words = append(words, "="+ref+occurs(c))
			}
		case "any":
			words = append(words, c.attr("namespace")+occurs(c))
		case "sequence":
			if c.attr("minOccurs") == "0" && len(c.Children) == 2 { // the second only behind the first
				inner := x.particles(c, nil)
				words = append(words, inner[0]+"?", inner[1]+"^")
				continue
			}
			words = x.particles(c, words)
		case "choice":
			words = append(words, "choice"+map[string]string{"": "1"}[occurs(c)]+occurs(c))
			words = x.particles(c, words)
		case "group":
			words = x.particles(x.groups[c.attr("ref")], words)
		}
	}
	return words
}

func (x *xsdTables) attributes(n *xsdNode, words []string) []string {
	for i := range n.Children {
		switch c := &n.Children[i]; c.XMLName.Local {
		case "attribute":
			words = append(words, "@"+c.attr("name")+":"+local(c.attr("type"))+map[bool]string{true: "!"}[c.attr("use") == "required"])
		case "anyAttribute":
			words = append(words, "@*")
		}
	}
	return words
}

func (x *xsdTables) complex(n *xsdNode) (words []string) {
	if n.attr("abstract") == "true" {
		words = append(words, "abstract")
	}
	in := n
	if e := n.child("simpleContent", "extension"); e != nil {
		in, words = e, append(words, "simple:"+local(e.attr("base")))
	} else if e := n.child("complexContent", "extension"); e != nil {
		in = e
		if n.child("complexContent").attr("mixed") == "true" {
			words = append(words, "mixed")
		} else {
			words = append(words, "base:"+local(e.attr("base")))
		}
	}
	return x.attributes(in, x.particles(in, words))
}

func (x *xsdTables) read(tb testing.TB, file, space string) {
	tb.Helper()
	var schema xsdNode
	if err := xml.Unmarshal(sample.File(tb, file), &schema); err != nil {
		tb.Fatal(err)
	}
	for i := range schema.Children {
		if c := &schema.Children[i]; c.XMLName.Local == "group" {
			x.groups[c.attr("name")] = c
		}
	}
	for i := range schema.Children {
		c := &schema.Children[i]
		name := space + " " + c.attr("name")
		switch c.XMLName.Local {
		case "complexType":
			x.table[name] = strings.Join(x.complex(c), " ")
		case "simpleType":
			r := c.child("restriction")
			words := []string{"is:" + local(r.attr("base"))}
			var enum []string
			for j := range r.Children {
				switch facet := &r.Children[j]; facet.XMLName.Local {
				case "enumeration":
					enum = append(enum, facet.attr("value"))
				case "pattern":
					words = append(words, "pattern")
				}
			}
			if enum != nil {
				words = append(words, "enum:"+strings.Join(enum, "|"))
			}
			x.table[name] = strings.Join(words, " ")
		case "element":
			x.table[space+" <"+c.attr("name")+">"] = local(c.attr("type"))
		}
	}
}

// The table says what the official schemas say, word for word.
func TestTablesAreTheSchemas(t *testing.T) {
	sbdh := []string{"BasicTypes", "DocumentIdentification", "Partner", "Manifest", "BusinessScope", "StandardBusinessDocumentHeader"}
	for digit, folder := range map[string]string{"1": "xsd-1.2", "2": "xsd-2.0"} {
		t.Run(folder, func(t *testing.T) {
			x := xsdTables{groups: map[string]*xsdNode{}, table: map[string]string{}}
			x.read(t, "schema/"+folder+"/EPCglobal.xsd", "[epcglobal]")
			for _, name := range sbdh {
				x.read(t, "schema/"+folder+"/"+name+".xsd", "[sbdh]")
			}
			suffix := strings.ReplaceAll(strings.TrimPrefix(folder, "xsd-"), ".", "_") + ".xsd"
			x.read(t, "schema/"+folder+"/EPCglobal-epcis-"+suffix, "[epcis]")
			x.read(t, "schema/"+folder+"/EPCglobal-epcis-masterdata-"+suffix, "[epcismd]")
			x.read(t, "schema/"+folder+"/EPCglobal-epcis-query-"+suffix, "[epcisq]")
			for _, name := range []string{
				"[sbdh] <ScopeInformation>", "[epcis] <EPCISCaptureJob>", "[epcis] EPCISCaptureJobType", "[epcis] <EPCISException>",
				"[epcis] RFC7807ProblemResponseBodyType", "[epcis] EPCISCaptureErrorBehaviourType", "[epcis] EPCISCaptureDocumentErrorListType",
			} {
				delete(x.table, name) // left out, as the comment of the table says
			}
			got := map[string]string{}
			space, last := "", ""
			for l := range strings.Lines(schemaTable) {
				l = strings.TrimRight(l, "\n")
				switch {
				case l == "":
				case l[0] == '[':
					space = l
				case l[0] == '\t':
					if last != "" {
						got[last] += " " + strings.TrimSpace(l)
					}
				default:
					if version, rest, ok := strings.Cut(l, " "); ok && (version == "1" || version == "2") {
						if last = ""; version != digit {
							continue
						}
						l = rest
					}
					name, rest, _ := strings.Cut(l, " =")
					last = space + " " + name
					got[last] = strings.TrimSpace(rest)
				}
			}
			if d := cmp.Diff(x.table, got); d != "" {
				t.Errorf("(-schema +table):\n%s", d)
			}
		})
	}
}

// The lexical forms of XML Schema's types.
func TestSimpleTypes(t *testing.T) {
	types := schemaSets()[setKey{2, xmlns.EPCIS2}].types
	for _, tt := range []struct{ name, good, bad string }{
		{"boolean", "true|false|1|0| true |", "TRUE|yes|2|"},
		{"decimal", "1|-1|+1.50|.5|5.|007| 1 |123456789012345678901234567890.1", "|.|-|1e3|1,5|1 2|0x1|INF"},
		{"integer", "0|-0|+12|000|99999999999999999999999", "1.0||-|1e3| 1 2"},
		{"int", "2147483647|-2147483648|+02147483647", "2147483648|-2147483649"},
		{"unsignedByte", "0|255|-0|+7", "256|-1"},
		{"positiveInteger", "1|99999999999999999999", "0|-0|-5"},
		{"negativeInteger", "-1|-99999999999999999999", "0|1"},
		{"double", "1|-1.5e10|.5E-3|INF|-INF|NaN|1.|+2", "inf|nan|1e|e5||.|--1|1e1.5|0x1p3"},
		{
			"dateTime", "2026-11-20T06:45:16Z|2026-11-20T06:45:16|2026-11-20T24:00:00|-0044-03-15T12:00:00|12026-01-01T00:00:00.5+14:00| 2026-11-20T06:45:16Z |2024-02-29T00:00:00Z|2000-02-29T00:00:00Z",
			"2026-11-20|2026-02-29T00:00:00Z|1900-02-29T00:00:00|2026-11-20T24:00:01|2026-11-20T06:45Z|2026-11-20T06:45:16.|2026-11-20T06:45:60Z|2026-11-20T06:45:16+14:01|0000-01-01T00:00:00|02026-01-01T00:00:00|2026-13-01T00:00:00|2026-11-20t06:45:16Z|2026-11-20T06:45:16z|",
		},
		{"date", "2026-11-20|2026-11-20Z|2026-11-20-05:00", "2026-11-31|26-11-20|2026-11-20T00:00:00|2026/11/20"},
		{"time", "06:45:16|24:00:00|06:45:16.123Z", "6:45:16|25:00:00|06:45"},
		{"gYear", "2026|-0001|12026Z", "26|0000|02026"},
		{"gYearMonth", "2026-11|2026-11Z", "2026-13|2026-1"},
		{"gMonth", "--11|--11Z", "--13|-11|11"},
		{"gMonthDay", "--02-29|--11-30Z", "--02-30|--11-31|11-30"},
		{"gDay", "---31|---01Z", "---32|--31"},
		{"duration", "P1Y2M3DT4H5M6.7S|-P1D|PT1S|P1Y", "P|PT|P1S|1D|P1YT|P1.5Y|PT1.S|PT.5S|P1M1Y"},
		{"hexBinary", "f0F0||00", "f|xx|f0 f0"},
		{"base64Binary", "QQ==|QUI=|QUJD||QU JD", "Q|QQ=|QR==|QUK=|QQ=A|Q!=="},
		{
			"anyURI", "|urn:a:b|http://a.example/b?c=d#e|a b|Dock 4|ü|x:y:z|../a|#f|urn:epc:id:sgtin:0614141.107346.%2F|a<b|'|{|http://[::1]:80/|//h|mailto:a@b|?q|cbv:BizStep-receiving|http://u@h:1/",
			"%|%2|%zz|a#b#c|[|1:2|:a|http://h:x/|http://[::1|a:b[c]|a b:c|http://a@b@c/",
		},
		{"QName", "a|a:b|_x.1", ":a|a:|1a|a:b:c|a b|"},
		{"NCName", "ERROR|_", "a:b|1|"},
		{"language", "de|en-US|x-klingon", "1|de_DE|"},
		{"NMTOKEN", "1|-|a:b", "a b|"},
		{"string", "| |any thing", ""},
	} {
		typ := types[xml.Name{Space: xmlns.XSD, Local: tt.name}]
		for s := range strings.SplitSeq(tt.good, "|") {
			if !typ.ok(s) && !(tt.name == "boolean" && s == "") {
				t.Errorf("%q is a good %s", s, tt.name)
			}
		}
		if tt.bad == "" {
			continue
		}
		for s := range strings.SplitSeq(tt.bad, "|") {
			if typ.ok(s) {
				t.Errorf("%q is no good %s", s, tt.name)
			}
		}
	}
	stamp := types[xml.Name{Space: xmlns.EPCIS2, Local: "DateTimeStamp"}]
	for s, want := range map[string]bool{
		"2026-11-20T06:45:16Z": true, "2026-11-20T06:45:16": false, "2026-11-20T24:00:00Z": false, "2026-11-20T06:45:16.123456789+14:00": true,
		"-2026-11-20T06:45:16Z": false, "12026-11-20T06:45:16Z": false, "2026-11-20T06:45:16+14:01": false,
	} {
		if stamp.ok(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
	action := types[xml.Name{Space: xmlns.EPCIS2, Local: "ActionType"}]
	if !action.ok("ADD") || action.ok(" ADD") || action.ok("add") || action.ok("") {
		t.Error("action")
	}
}
