package httpapi

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const epcisNamespace = "urn:epcglobal:epcis:xsd:2"

// An element of the type in the schema file.
type schemaElement struct {
	Name string `xml:"name,attr"`
	Type string `xml:"type,attr"`
	Min  string `xml:"minOccurs,attr"`
}

// problemType is the type of a problem in a schema file, official or our excerpt of it.
func problemType(b []byte) ([]schemaElement, error) {
	var file struct {
		Types []struct {
			Name     string `xml:"name,attr"`
			Sequence struct {
				Elements []schemaElement `xml:"element"`
				Any      []struct {
					Namespace string `xml:"namespace,attr"`
				} `xml:"any"`
			} `xml:"sequence"`
		} `xml:"complexType"`
	}
	if err := xml.Unmarshal(b, &file); err != nil {
		return nil, err
	}
	for _, t := range file.Types {
		if t.Name == "RFC7807ProblemResponseBodyType" && len(t.Sequence.Any) == 1 && t.Sequence.Any[0].Namespace == "##other" {
			return t.Sequence.Elements, nil
		}
	}
	return nil, errors.New("the schema has no type of problems that ends in elements of other namespaces")
}

// checkProblem holds a document against the type: its elements in their order, then those of other namespaces.
func checkProblem(want []schemaElement, doc []byte) error {
	var root struct {
		XMLName  xml.Name
		Children []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal(doc, &root); err != nil {
		return err
	}
	if root.XMLName != (xml.Name{Space: epcisNamespace, Local: "EPCISException"}) {
		return fmt.Errorf("the root is %v", root.XMLName)
	}
	rest := root.Children
	for _, e := range want {
		if len(rest) == 0 || rest[0].XMLName != (xml.Name{Local: e.Name}) {
			if e.Min == "0" {
				continue
			}
			return fmt.Errorf("%s is missing", e.Name)
		}
		text := rest[0].Text
		rest = rest[1:]
		var err error
		switch e.Type {
		case "xsd:string":
		case "xsd:int":
			_, err = strconv.ParseInt(text, 10, 32)
		case "xsd:anyURI":
			_, err = url.Parse(text)
		default:
			err = fmt.Errorf("has the type %s", e.Type)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	for _, c := range rest {
		if c.XMLName.Space == "" || c.XMLName.Space == epcisNamespace {
			return fmt.Errorf("%v stands where only other namespaces may", c.XMLName)
		}
	}
	return nil
}

// Problems in XML are what the official schema says, each code of them.
func TestProblemsInXML(t *testing.T) {
	excerpt, err := os.ReadFile("testdata/problem.xsd")
	if err != nil {
		t.Fatal(err)
	}
	want, err := problemType(excerpt)
	if err != nil {
		t.Fatal(err)
	}
	official := filepath.FromSlash("../../../../../shared/gs1/schema/xsd-2.0/EPCglobal-epcis-2_0.xsd")
	if b, err := os.ReadFile(official); err == nil {
		theirs, err := problemType(b)
		if err != nil || fmt.Sprint(theirs) != fmt.Sprint(want) {
			t.Errorf("the excerpt is not what the official schema has: %v %v", theirs, err)
		}
	} else {
		official = ""
	}
	event := 3
	var files []string
	for code := range table {
		p := NewProblem(code, "a <detail> & more: %q", "\u2603")
		p.EPCIS()
		p.Instance = "urn:uuid:0194e9a4-0000-7000-8000-000000000000"
		p = p.With(Fault{Pointer: "event[3]/epcList", Line: 4, Event: &event, Code: "x", Message: "wrong <"}, Fault{Message: "more"})
		doc := p.xml()
		if err := checkProblem(want, doc); err != nil {
			t.Errorf("%s: %v\n%s", code, err, doc)
		}
		name := filepath.Join(t.TempDir(), "problem.xml")
		if err := os.WriteFile(name, doc, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	lint, err := exec.LookPath("xmllint")
	if official == "" || err != nil {
		t.Log("libxml2 was not asked: it needs xmllint and the official schema")
		return
	}
	out, err := exec.CommandContext(t.Context(), lint, append([]string{"--nonet", "--noout", "--schema", official}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("xmllint: %v\n%.3000s", err, out)
	}
}

// The check sees what was wrong once, and its kind.
func TestCheckProblem(t *testing.T) {
	b, err := os.ReadFile("testdata/problem.xsd")
	if err != nil {
		t.Fatal(err)
	}
	want, err := problemType(b)
	if err != nil {
		t.Fatal(err)
	}
	const head = `<e:EPCISException xmlns:e="urn:epcglobal:epcis:xsd:2" xmlns:v="urn:v">`
	for _, tt := range []struct {
		body string
		good bool
	}{
		{`<type>a:b</type><title>t</title>`, true},
		{`<type>a:b</type><title>t</title><status>400</status><detail>d</detail><instance>i</instance><v:code>c</v:code><v:error/>`, true},
		{`<type>a:b</type><title>t</title><status>400</status><code>c</code><detail>d</detail>`, false},
		{`<type>a:b</type><title>t</title><v:code>c</v:code><detail>d</detail>`, false},
		{`<title>t</title><type>a:b</type>`, false},
		{`<type>a:b</type>`, false},
		{`<type>a:b</type><title>t</title><status>four</status>`, false},
		{`<type>a:b</type><title>t</title><e:code>c</e:code>`, false},
	} {
		if err := checkProblem(want, []byte(head+tt.body+`</e:EPCISException>`)); (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
	if err := checkProblem(want, bytes.ReplaceAll([]byte(head+`<type>a:b</type><title>t</title></e:EPCISException>`), []byte("xsd:2"), []byte("xsd:1"))); err == nil || errors.Is(err, io.EOF) {
		t.Error("a root of another namespace is taken")
	}
	if !strings.Contains(string(b), "excerpt") {
		t.Error("the excerpt does not say that it is one")
	}
}
