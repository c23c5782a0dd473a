package query

import (
	"errors"
	"net/url"
	"testing"
)

// asError fails unless an error is an *Error with something to say.
func asError(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*Error](err); !ok || e.Message == "" || e.Error() == "" {
		t.Fatalf("%v", err)
	}
}

// readAgain checks that a query says the same as JSON, whatever prefixes it was made with.
func readAgain(t *testing.T, q *Query) {
	t.Helper()
	again, err := ParseJSON(q.JSON(), nil)
	if err != nil {
		t.Fatalf("%s: %v", q.JSON(), err)
	}
	if string(again.JSON()) != string(q.JSON()) || again.Order() != q.Order() {
		t.Fatalf("%s is read again as %s", q.JSON(), again.JSON())
	}
	for _, r := range records() {
		checkTerms(t, q, r)
		if q.Match(r, masterData{}) != again.Match(r, masterData{}) {
			t.Fatalf("%s read again decides otherwise", q.JSON())
		}
		q.Less(r, records()[0])
	}
}

func FuzzParseValues(f *testing.F) {
	for _, p := range Parameters() {
		name, value := cut(p.Example)
		f.Add(url.Values{name: {value}}.Encode())
	}
	for _, s := range []string{
		"EQ_bizStep=shipping%7Creceiving&EQ_action=ADD", "EQ_INNER_%23leader=R.+Roe", "EQ_x:a=1&EQ_acme:b=2&orderBy=acme:c&eventCountLimit=3",
		"EQATTR_acme:line_colour=blue", "EQ_source_x:y=urn:a:b", "MATCH_epc=urn:epc:idpat:itip:4012345.011122.*.*.*", "GE_acme:b=2026-11-20T00:00:00+01:00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := url.ParseQuery(s)
		if err != nil {
			return
		}
		q, err := ParseValues(v, declared2)
		if err != nil {
			asError(t, err)
			return
		}
		readAgain(t, q)
	})
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"EQ_bizStep":["shipping"],"GE_quantity":5,"EXISTS_errorDeclaration":null}`, `{"@context":[{"a":"urn:b:"}],"EQ_a:c":[1.5,2e3],"GE_a:c":"2026-11-20"}`,
		`{"verilot:and":[{"MATCH_epc":["urn:epc:idpat:sgtin:0614141.107346.*"]}],"MATCH_epc":"urn:x:y"}`, `{"orderBy":"eventTime","eventCountLimit":1,"EQ_booleanValue":false}`,
		`{"EQ_acme:n":12,"EQ_ILMD_cbvmda:lotNumber":["A"],"HASATTR_bizLocation":["cbvmda:city"]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, err := ParseJSON(raw, declared2)
		if err != nil {
			asError(t, err)
			return
		}
		readAgain(t, q)
	})
}
