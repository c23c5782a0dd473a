package query

import (
	"errors"
	"iter"
	"net/url"
	"strings"
	"testing"
	"time"
)

func splitLines(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.SplitSeq(s, "\n") {
			if line != "" && !yield(line) {
				return
			}
		}
	}
}

// cut splits a parameter from its value at the first = that does not stand in a name.
func cut(line string) (name, value string) {
	name, value, _ = strings.Cut(line, "=")
	return name, value
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct{ name, query, param, want string }{
		{"a misspelt parameter", "EQ_bizStp=shipping", "EQ_bizStp", "was EQ_bizStep meant?"},
		{"a misspelt case", "EQ_bizstep=shipping", "EQ_bizstep", "was EQ_bizStep meant?"},
		{"another one", "MATCH_epcs=urn:x:y", "MATCH_epcs", "was MATCH_epc meant?"},
		{"an operator that a time has not", "GT_eventTime=2026-11-20T00:00:00Z", "GT_eventTime", "was GE_eventTime meant?"},
		{"no parameter at all", "foo=bar", "foo", "is not a parameter of EPCIS 2.0"},
		{"an undeclared prefix", "EQ_my:field=1", "EQ_my:field", `the prefix "my" is not declared`},
		{"a prefix alone", "EQ_cbvmda:=1", "EQ_cbvmda:", "name of the extension field is missing"},
		{"a sensor value without unit", "GE_value=8", "GE_value", "write GE_value_CEL"},
		{"a business step that is none", "EQ_bizStep=shippng", "EQ_bizStep", `"shippng" is not a business step of the Core Business Vocabulary (was shipping meant?`},
		{"a source of no type", "EQ_source_owning_prty=urn:x:y", "EQ_source_owning_prty", "was owning_party meant?"},
		{"a type that is none", "EQ_type=temperature", "EQ_type", "was Temperature meant?"},
		{"an action that is none", "EQ_action=ADD|observe", "EQ_action", "write OBSERVE"},
		{"a QuantityEvent", "eventType=QuantityEvent", "eventType", "is not a event type"},
		{"a time without zone", "GE_eventTime=2026-11-20T00:00:00", "GE_eventTime", "add the zone: 2026-11-20T00:00:00Z"},
		{"a date for a time", "GE_eventTime=2026-11-20", "GE_eventTime", "is not a date and time with a zone"},
		{"two times for one", "GE_eventTime=2026-11-20T00:00:00Z\nGE_eventTime=2026-11-21T00:00:00Z", "GE_eventTime", "takes one value"},
		{"an end before the beginning", "GE_eventTime=2026-11-21T00:00:00Z\nLT_eventTime=2026-11-20T00:00:00Z", "GE_eventTime", "nothing can match"},
		{"one parameter in two spellings", "GE_errorDeclaration_Time=2026-11-21T00:00:00Z\nGE_errorDeclarationTime=2026-11-21T00:00:00Z", "GE_errorDeclaration_Time", "is the same parameter as GE_errorDeclarationTime"},
		{"an empty value", "EQ_bizStep=", "EQ_bizStep", "a value is empty"},
		{"an empty value in a list", "EQ_bizStep=shipping||packing", "EQ_bizStep", "a value is empty"},
		{"a place that is no URI", "EQ_readPoint=Hall 7", "EQ_readPoint", "is not a URI"},
		{"an EPC that is no URI", "MATCH_epc=12345", "MATCH_epc", "not a URI"},
		{"an EPC with a wrong number", "MATCH_epc=https://id.gs1.org/01/10614141073465/21/1", "MATCH_epc", "check digit"},
		{"a pattern with the wrong head", "MATCH_epc=urn:epc:id:sgtin:0614141.107346.*", "MATCH_epc", "a pattern is written urn:epc:idpat:sgtin:0614141.107346.*"},
		{"a pattern with a hole", "MATCH_epc=urn:epc:idpat:sgtin:*.107346.*", "MATCH_epc", "behind a * only * may stand"},
		{"a pattern of half a part", "MATCH_epc=urn:epc:idpat:sgtin:0614141.1073*", "MATCH_epc", "3 parts"},
		{"a pattern of half a reference", "MATCH_epc=urn:epc:idpat:sgtin:0614141.1*.*", "MATCH_epc", "a text or a * alone"},
		{"a pattern of no prefix", "MATCH_epc=urn:epc:idpat:sgtin:06.*.*", "MATCH_epc", "not a company prefix"},
		{"a pattern with a wrong reference", "MATCH_epc=urn:epc:idpat:sgtin:0614141.1073.*", "MATCH_epc", "total 13 digits"},
		{"a number that is none", "EQ_quantity=ten", "EQ_quantity", `"ten" is not a number`},
		{"a number out of hand", "GE_quantity=1e1000", "GE_quantity", "is not a number"},
		{"two numbers for one", "GE_quantity=1\nGE_quantity=2", "GE_quantity", "takes one value"},
		{"a bound that is none", "GE_cbvmda:lotNumber=A", "GE_cbvmda:lotNumber", "neither a number nor a time"},
		{"a truth that is none", "EQ_booleanValue=yes", "EQ_booleanValue", "neither true nor false"},
		{"a flag that is none", "EXISTS_errorDeclaration=maybe", "EXISTS_errorDeclaration", "is not true"},
		{"a limit without order", "eventCountLimit=1", "eventCountLimit", "add orderBy"},
		{"two limits", "eventCountLimit=1\nmaxEventCount=2\norderBy=eventTime", "eventCountLimit", "exclude each other"},
		{"a limit of none", "maxEventCount=0", "maxEventCount", "not a whole number above 0"},
		{"an order that is none", "orderBy=bizStep", "orderBy", "not ordered by"},
		{"nearly an order", "orderBy=eventtime", "orderBy", "was eventTime meant?"},
		{"a direction that is none", "orderDirection=UP", "orderDirection", "ASC or DESC"},
		{"master data of no field", "HASATTR_bizLoc=x", "HASATTR_bizLoc", "not a field with master data"},
		{"master data without attribute", "EQATTR_bizLocation=x", "EQATTR_bizLocation", "no attribute"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseValues(parameters(t, tt.query), declared2)
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("%s: %v", tt.query, err)
			}
			if e.Param != tt.param || !strings.Contains(e.Error(), tt.want) || e.Kind != KindParameter {
				t.Errorf("%s: %v of %q, want %q of %q", tt.query, e, e.Param, tt.want, tt.param)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	many := url.Values{}
	for i := range MaxParameters + 1 {
		many.Set("EQ_cbvmda:a"+itoa(i), "x")
	}
	for name, v := range map[string]url.Values{
		"parameters": many,
		"values":     {"EQ_readPoint": {strings.Repeat("urn:x:y|", MaxValues) + "urn:x:y"}},
		"repeated":   {"EQ_stringValue": make([]string, MaxValues+1)},
		"a text":     {"EQ_stringValue": {strings.Repeat("x", MaxText+1)}},
		"a name":     {"EQ_cbvmda:" + strings.Repeat("x", MaxText): {"1"}},
	} {
		_, err := ParseValues(v, nil)
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindTooComplex {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := ParseJSON([]byte(strings.Repeat(" ", MaxJSON)+"{}"), nil)
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindTooComplex {
		t.Errorf("JSON: %v", err)
	}
	if q, err := ParseValues(url.Values{"EQ_readPoint": {strings.Repeat("urn:x:y|", MaxValues-1) + "urn:x:y"}}, nil); err != nil || len(q.params[0].value.texts) != 1 {
		t.Error(err)
	}
}

func TestJSON(t *testing.T) {
	for _, tt := range []struct{ name, query, want string }{
		{"nothing", `{}`, everything},
		{"the example of the OpenAPI", `{"eventType":["ObjectEvent"],"EQ_bizStep":["commissioning","shipping"]}`, "commission"},
		{"one text instead of a list", `{"EQ_bizStep":"commissioning"}`, "commission"},
		{"numbers", `{"EQ_quantity":[200.5, 3],"GT_quantity":200}`, "commission"},
		{"one number", `{"EQ_quantity":10,"EQ_quantity_KGM":10}`, "transform"},
		{"a number as text", `{"GE_quantity":"200.5"}`, "commission"},
		{"a number equals a number, however it is written", `{"EQ_acme:box":12.0}`, "commission"},
		{"also that of a lot", `{"EQ_ILMD_cbvmda:lotNumber":12}`, "commission"},
		{"a text does not", `{"EQ_acme:box":["12.0"]}`, ""},
		{"a bar in a text of JSON is a bar", `{"EQ_stringValue":["OK|KO"]}`, ""},
		{"a time", `{"EQ_INNER_acme:from":"2026-11-20T11:00:00Z"}`, "commission"},
		{"true and false", `{"EQ_booleanValue":true,"EXISTS_errorDeclaration":false}`, "sensor"},
		{"existence as null", `{"EXISTS_acme:line":null}`, "commission"},
		{"existence as number", `{"EXISTS_sensorElementList":0}`, "sensor"},
		{"its own context", `{"@context":[{"own":"https://ns.acme.example/epcis/"},"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"EQ_own:line":["L-7"]}`, "commission"},
		{"a context with more to say", `{"@context":{"own":{"@id":"https://ns.acme.example/epcis/","@prefix":true}},"EQ_own:line":["L-7"]}`, "commission"},
		{"white space", " {\n \"EQ_action\" : [ \"ADD\" ] , \"@context\" : { } }\n", "commission pack"},
		{"one parameter twice", `{"MATCH_anyEPC":["urn:epc:id:sgtin:0614141.107346.2017"],"verilot:and":[{"MATCH_anyEPC":["urn:epc:id:sscc:0614141.1234567890"]}]}`, "pack"},
	} {
		q, err := ParseJSON([]byte(tt.query), declared2)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := found(q); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if again, err := ParseJSON(q.JSON(), nil); err != nil || string(again.JSON()) != string(q.JSON()) || found(again) != tt.want {
			t.Errorf("%s: read again: %v: %s", tt.name, err, q.JSON())
		}
		for _, r := range records() {
			checkTerms(t, q, r)
		}
	}
}

func TestRefusedJSON(t *testing.T) {
	for _, tt := range []struct{ query, want string }{
		{``, "unexpected end"},
		{`[]`, "not a JSON object"},
		{`null`, "not a JSON object"},
		{`{"EQ_action":["ADD"]`, "at byte 20: unexpected end"},
		{`{"EQ_action":["ADD"],}`, "at byte 22"},
		{`{} {}`, "at byte 4"},
		{`{"EQ_action":["ADD"],"EQ_action":["DELETE"]}`, "is given twice"},
		{`{"EQ_action":{"in":["ADD"]}}`, "EQ_action: want a text"},
		{`{"EQ_action":[["ADD"]]}`, "EQ_action: want a text"},
		{`{"EQ_action":[]}`, "EQ_action: has no value"},
		{`{"EQ_action":[null]}`, "EQ_action: a value is empty"},
		{`{"EQ_stringValue":[1]}`, "EQ_stringValue: want texts"},
		{`{"EQ_acme:line":[1,"2"]}`, "numbers and texts are mixed"},
		{`{"GE_eventTime":20261120}`, "GE_eventTime: "},
		{`{"GE_eventTime":["2026-11-20T00:00:00Z"]}`, "takes one value"},
		{`{"GE_acme:line":true}`, "neither a number nor a time"},
		{`{"EXISTS_errorDeclaration":[true]}`, "takes one value"},
		{`{"perPage":3}`, "no part of a query"},
		{`{"@context":3}`, "@context: "},
		{`{"@context":[[]]}`, "@context: "},
		{`{"verilot:and":{}}`, "verilot:and: "},
		{`{"verilot:and":[{"verilot:and":[3]}]}`, "not a JSON object"},
		{`{"name":"q","query":{}}`, "name: is not a parameter"},
		{`{"query":{}}`, "query: is not a parameter"},
	} {
		_, err := ParseJSON([]byte(tt.query), declared2)
		if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.query, err, tt.want)
		}
	}
}

func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		query string
		order Order
		want  string
	}{
		{"", Order{}, everything},
		{"orderBy=recordTime", Order{By: "recordTime"}, "sensor transform withdraw ship pack commission"},
		{"orderBy=recordTime\norderDirection=ASC", Order{By: "recordTime", Ascending: true}, everything},
		// ship and withdraw happened at one time and stay as they were.
		{"orderBy=eventTime\neventCountLimit=2", Order{By: "eventTime", Limit: 2}, "sensor transform ship withdraw pack commission"},
		{"orderBy=eventTime\norderDirection=ASC\nmaxEventCount=9", Order{By: "eventTime", Ascending: true, Max: 9}, "commission pack ship withdraw transform sensor"},
		{"orderBy=acme:line", Order{By: "https://ns.acme.example/epcis#line"}, "commission pack ship withdraw transform sensor"},
		{"orderDirection=ASC", Order{Ascending: true}, everything},
	} {
		q, err := ParseValues(parameters(t, tt.query), declared2)
		if err != nil {
			t.Errorf("%s: %v", tt.query, err)
			continue
		}
		list := records()
		sortRecords(q, list)
		var names []string
		for _, r := range list {
			for name, e := range world {
				if e == r.Event {
					names = append(names, name)
				}
			}
		}
		if got := strings.Join(names, " "); got != tt.want || q.Order() != tt.order {
			t.Errorf("%s: %s, %+v", tt.query, got, q.Order())
		}
		if again, err := ParseJSON(q.JSON(), nil); err != nil || again.Order() != tt.order {
			t.Errorf("%s: read again: %v", q.JSON(), err)
		}
	}
}

func TestAnd(t *testing.T) {
	parse := func(s string) *Query {
		t.Helper()
		q, err := ParseValues(parameters(t, s), declared2)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	for _, tt := range []struct{ a, b, want, order string }{
		{"EQ_bizStep=shipping", "EQ_bizStep=shipping|packing", "ship", ""},
		{"EQ_bizStep=shipping", "EQ_bizStep=packing", "", ""},
		{"MATCH_anyEPC=urn:epc:id:sgtin:0614141.107346.2017", "MATCH_anyEPC=urn:epc:id:sscc:0614141.1234567890", "pack", ""},
		{"GE_eventTime=2026-11-20T14:00:00Z", "GE_eventTime=2026-11-21T08:00:00Z\nLT_eventTime=2026-11-21T09:00:00Z", "transform", ""},
		{"orderBy=eventTime\neventCountLimit=3", "orderBy=recordTime\nmaxEventCount=4", everything, "eventTime"},
		{"EQ_action=ADD", "orderBy=recordTime", "commission pack", "recordTime"},
		{"EQ_source_x:sdt:broker=urn:epc:id:pgln:4012345.00003", "EQ_source_x:sdt:broker=https://id.gs1.org/417/4012345000030", "ship", ""},
	} {
		a, b := parse(tt.a), parse(tt.b)
		before := string(a.JSON()) + string(b.JSON())
		q := a.And(b)
		if got := found(q); got != tt.want || q.Order().By != tt.order {
			t.Errorf("%s and %s: %q ordered by %q", tt.a, tt.b, got, q.Order().By)
		}
		again, err := ParseJSON(q.JSON(), nil)
		if err != nil || found(again) != tt.want || string(again.JSON()) != string(q.JSON()) || again.Order() != q.Order() {
			t.Errorf("%s: read again: %v", q.JSON(), err)
		}
		if string(a.JSON())+string(b.JSON()) != before {
			t.Error("And changed what it was given")
		}
		for _, r := range records() {
			checkTerms(t, q, r)
		}
	}
	q := parse("GE_eventTime=2026-11-20T14:00:00.0001Z\nLT_eventTime=2026-11-20T15:00:00.0001Z\nLT_recordTime=2027-01-01T00:00:00Z")
	from, before := q.EventTime()
	if want := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC); !from.Equal(want) || !before.Equal(want.Add(time.Hour+time.Millisecond)) {
		t.Errorf("event times %v to %v", from, before)
	}
	if from, before = q.RecordTime(); !from.IsZero() || before.Year() != 2027 {
		t.Errorf("record times %v to %v", from, before)
	}
}
