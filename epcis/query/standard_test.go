package query

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
)

// An official file names a parameter; a value of its type must be read.
func accepts(t *testing.T, name string, schema map[string]any) {
	t.Helper()
	value := "urn:x:y"
	for word, v := range map[string]string{
		"eventType": "ObjectEvent", "_action": "ADD", "bizStep": "shipping", "isposition": "active", "errorReason": "did_not_occur", "EQ_type": "Temperature",
		"Time": "2026-11-20T00:00:00Z", "_time": "2026-11-20T00:00:00Z", "uantity": "2", "perc": "2", "booleanValue": "true", "EXISTS_": "true", "Count": "2", "orderBy": "eventTime",
		"orderDirection": "ASC", "value_": "2", "Value_": "2", "sDev_": "2",
	} {
		if strings.Contains(name, word) {
			value = v
		}
	}
	if strings.Contains(name, "acme:") && !strings.HasPrefix(name, "EXISTS_") && !strings.HasPrefix(name, "EQ_") {
		value = "2"
	}
	lines := name + "=" + value
	if name == "eventCountLimit" {
		lines += "\norderBy=eventTime"
	}
	if _, err := ParseValues(parameters(t, lines), declared2); err != nil {
		t.Errorf("%s: %v", lines, err)
	}
	if schema == nil {
		return
	}
	object := map[string]any{name: value}
	switch schema["type"] {
	case "array":
		object[name] = []any{value}
		if items, _ := schema["items"].(map[string]any); value == "2" && items["$ref"] == "#/definitions/decimal" || items["type"] == "number" {
			object[name] = []any{2}
		}
	case "number", "integer":
		object[name] = 2
	case "boolean":
		object[name] = true
	}
	if name == "eventCountLimit" {
		object["orderBy"] = "eventTime"
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseJSON(raw, declared2); err != nil {
		t.Errorf("%s: %v", raw, err)
	}
}

func TestEveryParameterOfTheOpenAPI(t *testing.T) {
	var api struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct {
					Ref string `json:"$ref"`
				}
			}
		}
		Components struct {
			Parameters map[string]struct{ Name, In string }
		}
	}
	// The YAML file has the same content.
	if err := json.Unmarshal(sharedFile(t, "openapi/openapi.json"), &api); err != nil {
		t.Fatal(err)
	}
	yaml := string(sharedFile(t, "openapi/openapi.yaml"))
	n := 0
	for _, ref := range api.Paths["/events"].Get.Parameters {
		p := api.Components.Parameters[strings.TrimPrefix(ref.Ref, "#/components/parameters/")]
		if p.In != "query" {
			continue
		}
		n++
		if !strings.Contains(yaml, "name: "+p.Name) {
			t.Errorf("%s is not in the YAML file", p.Name)
		}
		accepts(t, p.Name, nil)
	}
	// That list leaves some out that the components have.
	for _, m := range regexp.MustCompile(`name: ((?:EQ|GT|GE|LT|LE|WD|MATCH|EXISTS|HASATTR)_\w+)`).FindAllStringSubmatch(yaml, -1) {
		n++
		accepts(t, m[1], nil)
	}
	if n < 100 {
		t.Errorf("only %d parameters found", n)
	}
}

func TestEveryParameterOfTheQuerySchema(t *testing.T) {
	var schema struct {
		Definitions map[string]json.RawMessage
	}
	if err := json.Unmarshal(sharedFile(t, "schema/json/query-schema.json"), &schema); err != nil {
		t.Fatal(err)
	}
	var query struct {
		Properties, PatternProperties map[string]map[string]any
	}
	if err := json.Unmarshal(schema.Definitions["EPCIS-Query"], &query); err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, property := range query.Properties {
		n++
		if name != "@context" {
			accepts(t, name, property)
		}
	}
	for pattern, property := range query.PatternProperties {
		n++
		name := strings.Trim(pattern, "^$")
		for from, to := range map[string]string{
			`[a-z][a-zA-Z0-9]*\\:\\w+`: "acme:field_1", `[A-Z0-9]{2,4}`: "KGM", `EQ_ATTR_\\w+_\\w+`: "EQ_ATTR_bizLocation_colour",
			`EQ_bizTransaction_[a-z][a-zA-Z0-9_]+`: "EQ_bizTransaction_po", `EQ_source_[a-z][a-zA-Z0-9_]+`: "EQ_source_owning_party", `EQ_destination_[a-z][a-zA-Z0-9_]+`: "EQ_destination_location",
		} {
			name = strings.ReplaceAll(name, from, to)
		}
		if strings.ContainsAny(name, `[\`) {
			t.Errorf("the pattern %s is not understood", pattern)
			continue
		}
		accepts(t, name, property)
	}
	if n != len(query.Properties)+len(query.PatternProperties) || n < 150 {
		t.Errorf("%d parameters", n)
	}
	// The words that the schema allows are those known here.
	for _, v := range []struct {
		name string
		voc  *vocabulary
	}{{"measurementType", vocType}, {"error-reason", vocReason}, {"bizStep", vocStep}, {"disposition", vocDisp}, {"eventType", vocEvent}} {
		var d struct {
			AnyOf []struct{ Enum []string }
		}
		if err := json.Unmarshal(schema.Definitions[v.name], &d); err != nil {
			t.Fatal(err)
		}
		words := 0
		for _, any := range d.AnyOf {
			for _, w := range any.Enum {
				words++
				if !v.voc.knows(w) {
					t.Errorf("%s %s is not known", v.voc.what, w)
				}
			}
		}
		if words == 0 || v.voc.words != nil && words != len(v.voc.words) {
			t.Errorf("%s: %d words in the schema, %d known", v.name, words, len(v.voc.words))
		}
	}
	terms := string(sharedFile(t, "cbv/cbv-terms.csv"))
	for list, voc := range map[string]*vocabulary{"bizTransaction type": vocBTT, "source/destination type": vocSDT, "bizStep": vocStep, "disposition": vocDisp, "error reason": vocReason, "measurement type": vocType} {
		words := 0
		for line := range strings.Lines(terms) {
			f := strings.SplitN(line, ",", 5)
			if f[0] != list {
				continue
			}
			words++
			for _, s := range f[1:4] {
				if s != "" && voc.bare(s) != voc.bare(f[1]) || !voc.knows(voc.bare(f[1])) {
					t.Errorf("%s: %q is %q", list, s, voc.bare(s))
				}
			}
		}
		if words == 0 || voc.words != nil && words != len(voc.words) {
			t.Errorf("%s: %d words in the list, %d known", list, words, len(voc.words))
		}
	}
}

func TestParameters(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Parameters() {
		if seen[p.Name] || p.Doc == "" || p.Type == "" || !strings.HasSuffix(p.Doc, ".") {
			t.Errorf("%+v", p)
		}
		seen[p.Name] = true
		name, _ := cut(p.Example)
		lines := p.Example
		if name == "eventCountLimit" {
			lines += "\norderBy=eventTime"
		}
		q, err := ParseValues(parameters(t, lines), nil)
		if err != nil {
			t.Errorf("%s: %v", lines, err)
			continue
		}
		if _, err := ParseJSON(q.JSON(), nil); err != nil {
			t.Errorf("%s: %v", q.JSON(), err)
		}
		for op := range strings.FieldsSeq(p.Ops) {
			_, value := cut(p.Example)
			if _, after, _ := strings.Cut(name, "_"); op == "EXISTS" || value == "true" || !slices.Contains([]byte("0123456789"), value[0]) {
				value = "true"
				if op != "EQ" && op != "EXISTS" {
					value = "5"
				}
				name = op + "_" + after
			} else {
				name = op + "_" + after
			}
			if _, err := ParseValues(parameters(t, name+"="+value), nil); err != nil {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		}
	}
	if len(seen) != len(definitions)+len(families)+2*4 { // quantity and percRank once for each operator
		t.Errorf("%d are documented", len(seen))
	}
}

var update = flag.Bool("update", false, "rewrite the table of parameters in docs/queries.md")

func TestDocumentation(t *testing.T) {
	const begin, end = "<!-- Written by a test: go test ./query -update -->\n", "<!-- end -->"
	file := filepath.Join("..", "..", "docs", "queries.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	var table strings.Builder
	table.WriteString("\n| Parameter | Value | Meaning | Example |\n| --- | --- | --- | --- |\n")
	for _, p := range Parameters() {
		name := "`" + p.Name + "`"
		if p.Ops != "" {
			name += " and with " + strings.Join(strings.Fields(p.Ops)[1:], ", ")
		}
		table.WriteString("| " + name + " | " + string(p.Type) + " | " + p.Doc + " | `" + strings.ReplaceAll(p.Example, "|", `\|`) + "` |\n")
	}
	table.WriteString("\n")
	want := head + begin + table.String() + end + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(b) != want {
		t.Error("docs/queries.md is not what Parameters says: go test ./query -update")
	}
	// Every query of the text is one.
	for _, block := range regexp.MustCompile("(?m)^(?:    )?(?:curl .*|verilot query .*|  --data-urlencode .*)$").FindAllString(head, -1) {
		for _, m := range regexp.MustCompile(`'((?:EQ|GT|GE|LT|LE|WD|MATCH|EXISTS|HASATTR|EQATTR|eventType|order|event|max)[^']*)'`).FindAllStringSubmatch(block, -1) {
			name, value := cut(m[1])
			if name == "eventCountLimit" {
				continue
			}
			if _, err := ParseValues(url.Values{name: {value}}, declared2); err != nil {
				t.Errorf("%s: %v", m[1], err)
			}
		}
	}
}

// Every event of the shared XML examples is found by what it says itself, and by nothing that another event says.
func TestEventsFindThemselves(t *testing.T) {
	sharedFile(t, "examples/index.csv")
	files, events := 0, 0
	root := "../../../shared/gs1/examples"
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".xml") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		doc, err := epcisdoc.Parse(strings.NewReader(string(raw)), epcis.Options{})
		if _, ok := errors.AsType[*epcis.ParseError](err); ok {
			return nil
		} else if err != nil {
			return err
		}
		files++
		if len(doc.Events) > 200 {
			doc.Events = doc.Events[:200]
		}
		for i := range doc.Events {
			e := &doc.Events[i].Event
			events++
			for _, line := range says(e) {
				v := parameters(t, line)
				q, err := ParseValues(v, nil)
				if err != nil {
					t.Errorf("%s: event %d: %s: %v", path, i, line, err)
					continue
				}
				again, err := ParseJSON(q.JSON(), nil)
				if err != nil {
					t.Errorf("%s: %v", q.JSON(), err)
					continue
				}
				r := &Record{Event: e}
				if !q.Match(r, masterData{}) || !again.Match(r, masterData{}) {
					t.Errorf("%s: event %d is not found by %s", path, i, line)
				}
				for j := range doc.Events {
					checkTerms(t, q, &Record{Event: &doc.Events[j].Event})
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events of %d files", events, files)
	if files < 100 || events < 250 {
		t.Errorf("%d events of %d files", events, files)
	}
}

// says is what an event says, as parameters.
func says(e *epcis.Event) (list []string) {
	add := func(name, value string) {
		if value = trim(value); value != "" && !strings.ContainsAny(value, "|\n") && strings.Contains(value+name, ":") {
			list = append(list, name+"="+value)
		}
	}
	list = append(list, "eventType="+e.Type)
	if t, ok := eventTime(e); ok {
		list = append(list, "GE_eventTime="+formatTime(t))
	}
	if e.Action != "" {
		list = append(list, "EQ_action="+e.Action)
	}
	add("EQ_bizStep", e.BizStep)
	add("EQ_disposition", e.Disposition)
	add("EQ_eventID", e.EventID)
	add("EQ_transformationID", e.TransformationID)
	if e.ReadPoint != nil {
		add("EQ_readPoint", e.ReadPoint.ID)
		add("WD_readPoint", e.ReadPoint.ID)
	}
	if e.BizLocation != nil {
		add("EQ_bizLocation", e.BizLocation.ID)
	}
	for _, b := range e.BizTransactionList {
		if strings.Contains(b.Type, ":") && !strings.Contains(b.Type, "=") {
			add("EQ_bizTransaction_"+b.Type, b.Value)
		}
	}
	for _, s := range e.SourceList {
		if strings.Contains(s.Type, ":") && !strings.Contains(s.Type, "=") && strings.Contains(s.Value, ":") {
			add("EQ_source_"+s.Type, s.Value)
		}
	}
	if d := e.ErrorDeclaration; d != nil {
		add("EQ_errorReason", d.Reason)
		for _, id := range d.CorrectiveEventIDs {
			add("EQ_correctiveEventID", id)
		}
		list = append(list, "EXISTS_errorDeclaration=true")
	}
	for i, l := range [][]string{e.EPCList, e.ChildEPCs, e.InputEPCList, e.OutputEPCList} {
		for _, epc := range l[:min(3, len(l))] {
			add([]string{"MATCH_epc", "MATCH_epc", "MATCH_inputEPC", "MATCH_outputEPC"}[i], epc)
			add("MATCH_anyEPC", epc)
		}
	}
	add("MATCH_parentID", e.ParentID)
	for i, l := range [][]epcis.Quantity{e.QuantityList, e.ChildQuantityList, e.InputQuantityList, e.OutputQuantityList} {
		for _, q := range l {
			add([]string{"MATCH_epcClass", "MATCH_epcClass", "MATCH_inputEPCClass", "MATCH_outputEPCClass"}[i], q.EPCClass)
			if q.Quantity != "" {
				list = append(list, "EQ_quantity="+q.Quantity, "GE_quantity="+q.Quantity)
				if isUnit(q.UOM) {
					list = append(list, "LE_quantity_"+q.UOM+"="+q.Quantity)
				}
			}
		}
	}
	for _, where := range []struct {
		prefix string
		list   []epcis.Extension
	}{{"", e.Extensions}, {"ILMD_", e.ILMD}} {
		for i := range where.list {
			x := &where.list[i]
			f := field{namespace(x.Namespace), x.Name}
			if strings.Contains(f.String(), "=") {
				continue
			}
			if !empty(x) {
				list = append(list, "EXISTS_"+where.prefix+f.String()+"=true")
			}
			if x.Type == epcis.Text {
				add("EQ_"+where.prefix+f.String(), x.Text)
			}
			for j := range x.Children {
				if c := &x.Children[j]; c.Name != "#text" && !empty(c) {
					list = append(list, "EXISTS_INNER_"+where.prefix+field{namespace(c.Namespace), c.Name}.String()+"=true")
				}
			}
		}
	}
	for i := range e.SensorElementList {
		for _, r := range e.SensorElementList[i].Reports {
			if strings.Contains(r.Type, ":") {
				add("EQ_type", r.Type)
			}
			add("EQ_deviceID", r.DeviceID)
			if _, ok := parseDouble(r.Value); ok && isUnit(r.UOM) {
				list = append(list, "EQ_value_"+r.UOM+"="+r.Value)
			}
			if r.StringValue != "" {
				list = append(list, "EQ_stringValue="+r.StringValue)
			}
		}
	}
	return list
}
