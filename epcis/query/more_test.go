package query

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"verilot.dev/epcis"
)

// Events are ordered by numbers, times and texts, in this order, and those without the field come last either way.
func TestOrderByField(t *testing.T) {
	var list []*Record
	for _, s := range []string{"b", "10", "", "9.5", "2026-11-20", "a", "2026-11-20T01:00:00+02:00", "B", "-1e2"} {
		e := &epcis.Event{}
		if s != "" {
			e.Extensions = []epcis.Extension{text(ns, "rank", s)}
		}
		list = append(list, &Record{Event: e})
	}
	for direction, want := range map[string]string{
		"ASC":  "-1e2 9.5 10 2026-11-20T01:00:00+02:00 2026-11-20 B a b ",
		"DESC": "b a B 2026-11-20 2026-11-20T01:00:00+02:00 10 9.5 -1e2 ",
	} {
		q, err := ParseValues(url.Values{"orderBy": {"acme:rank"}, "orderDirection": {direction}}, declared2)
		if err != nil {
			t.Fatal(err)
		}
		sorted := slices.Clone(list)
		sortRecords(q, sorted)
		var got []string
		for _, r := range sorted {
			s := ""
			if x := r.Event.Extensions; len(x) > 0 {
				s = x[0].Text
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", direction, got)
		}
	}
	q, err := ParseValues(url.Values{"orderBy": {"eventTime"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	timed, timeless := &Record{Event: world["ship"]}, &Record{Event: &epcis.Event{}}
	if !q.Less(timed, timeless) || q.Less(timeless, timed) || q.Less(timeless, timeless) {
		t.Error("an event without a time does not come last")
	}
}

// Less is an order: never both ways, and transitive.
func TestLessIsAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.SampledFrom([]string{"eventTime", "recordTime", "acme:line", "cbvmda:lotNumber"}).Draw(t, "by")
		q, err := ParseValues(url.Values{"orderBy": {by}, "orderDirection": {rapid.SampledFrom([]string{"ASC", "DESC"}).Draw(t, "direction")}}, declared2)
		if err != nil {
			t.Fatal(err)
		}
		var r [3]*Record
		for i := range r {
			r[i] = &Record{Event: genEvent.Draw(t, "event"), RecordTime: time.Unix(rapid.Int64Range(0, 2).Draw(t, "record"), 0)}
		}
		equal := func(a, b *Record) bool { return !q.Less(a, b) && !q.Less(b, a) }
		switch a, b, c := r[0], r[1], r[2]; {
		case q.Less(a, b) && q.Less(b, a), q.Less(a, a):
			t.Fatal("less both ways")
		case q.Less(a, b) && q.Less(b, c) && !q.Less(a, c), equal(a, b) && equal(b, c) && !equal(a, c):
			t.Fatal("not transitive")
		}
	})
}

// everythingKnown has an attribute for every id that it is asked for, and notes which they were.
type everythingKnown struct{ asked *[]string }

func (everythingKnown) Descendants(string) []string { return nil }

func (k everythingKnown) Attribute(id, name string) []string {
	*k.asked = append(*k.asked, id+" "+name)
	return nil
}

// Master data is asked of the values of the field, as captured, and of no other.
func TestAttributesOfEveryField(t *testing.T) {
	for _, tt := range []struct{ query, event, want string }{
		{"HASATTR_bizStep=a", "pack", "packing a"},
		{"HASATTR_disposition=a", "pack", "in_progress a"},
		{"HASATTR_readPoint=a", "commission", "urn:epc:id:sgln:0614141.07346.1234 a"},
		{"HASATTR_bizLocation=cbvmda:b|x:c|https://d.example/e#f|g:h", "pack", "https://id.gs1.org/414/0614141073467 urn:epcglobal:cbv:mda#b,https://id.gs1.org/414/0614141073467 urn:acme:c,https://id.gs1.org/414/0614141073467 https://d.example/e#f,https://id.gs1.org/414/0614141073467 g:h"},
		{"EQATTR_bizLocation_urn:epcglobal:cbv:mda:b=x", "pack", "https://id.gs1.org/414/0614141073467 urn:epcglobal:cbv:mda#b"},
		{"EQATTR_bizLocation_gs1ushc:b=x", "pack", "https://id.gs1.org/414/0614141073467 http://epcis.gs1us.org/hc/ns#b"},
		{"HASATTR_bizTransaction=a", "ship", "urn:epcglobal:cbv:bt:0614141073467:1152 a,https://id.gs1.org/253/0614141000005D1 a,urn:epcglobal:cbv:bt:0614141073467:untyped a"},
		{"HASATTR_source=a", "ship", "urn:epc:id:pgln:4012345.00001 a,urn:epc:id:pgln:4012345.00003 a"},
		{"HASATTR_destination=a", "ship", "https://id.gs1.org/414/4012345000023 a"},
		{"HASATTR_epcClass=a", "transform", "urn:epc:class:lgtin:4012345.011111.4444 a,urn:epc:idpat:grai:0614141.12345.* a"},
		{"HASATTR_epc=a", "transform", "urn:epc:id:sgtin:4012345.011122.25 a,urn:epc:id:sgtin:4012345.077889.26 a"},
		{"EQATTR_parentID_a_b=c", "pack", "urn:epc:id:sscc:0614141.1234567890 a_b"},
		{"EQATTR_acme:line_a_b=c", "commission", "L-7 a_b"},
	} {
		q, err := ParseValues(parameters(t, tt.query), declared2)
		if err != nil {
			t.Errorf("%s: %v", tt.query, err)
			continue
		}
		var asked []string
		if q.Match(&Record{Event: world[tt.event]}, everythingKnown{&asked}) || strings.Join(asked, ",") != tt.want {
			t.Errorf("%s asks for %q", tt.query, asked)
		}
		if q.Match(&Record{Event: world[tt.event]}, nil) {
			t.Errorf("%s matches without master data", tt.query)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		v    url.Values
		kind ErrorKind
		want string
	}{
		{url.Values{"EQ_source_location": {"here"}}, KindParameter, "is not a URI"},
		{url.Values{"EQ_bizStep": {":"}}, KindParameter, "is not a business step"},
		{url.Values{"EQ_stringValue": {"\xff"}}, KindParameter, "not UTF-8"},
		{url.Values{"EQ_acme:\xff": {"1"}}, KindParameter, "not UTF-8"},
		{url.Values{"EQ_https://x.example/a#b#c": {"1"}}, KindParameter, "a # may only end it"},
		{url.Values{"EQ_urn:epc": {"1"}}, KindParameter, ""},
		{url.Values{"EQ_epc": {"1"}}, KindParameter, "written prefix:name or namespace#name"},
		{url.Values{"MATCH_epc": {"urn:epc:idpat:itip:4012345.011122.01.*.*"}}, KindParameter, "piece and total both"},
		{url.Values{"MATCH_epc": {"urn:epc:idpat:foo:1.*"}}, KindParameter, "not an EPC scheme"},
		{url.Values{"MATCH_epc": {"urn:epc:idpat:cpi:0614141.*"}}, KindParameter, "3 parts"},
		{url.Values{"EQ_x:" + strings.Repeat("y", MaxText-5): {"1"}}, KindTooComplex, "too long"},
		{url.Values{"EQ_readPoint": {"x:" + strings.Repeat("y", MaxText-2)}}, KindTooComplex, "too long"},
		{url.Values{"EQ_source_x:y": {"x:" + strings.Repeat("y", MaxText-2)}}, KindTooComplex, "too long"},
		{url.Values{"GE_" + strings.Repeat("y", 300): {"1"}}, KindParameter, "…: is not a parameter"},
	} {
		_, err := ParseValues(tt.v, declared2)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%v: %v", tt.v, err)
			}
			continue
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != tt.kind || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%v: %v", tt.v, err)
		}
	}
	if got := []string{KindParameter.String(), KindValidation.String(), KindTooComplex.String()}; !slices.Equal(got, []string{"QueryParameterException", "QueryValidationException", "QueryTooComplexException"}) {
		t.Error(got)
	}
	q, err := ParseValues(nil, nil)
	if err != nil || q.And(nil) != q || (*Query)(nil).And(q) != q {
		t.Error("And of nothing", err)
	}
}

// The patterns of every scheme match the keys of that scheme and company prefix, and no others.
func TestPatternsOfEveryScheme(t *testing.T) {
	epcs := []string{
		"urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:class:lgtin:0614141.107346.L1", "urn:epc:id:upui:0614141.107346.2017", "urn:epc:id:sscc:0614141.1234567890", "urn:epc:id:sgln:0614141.07346.7",
		"urn:epc:id:pgln:0614141.07346", "urn:epc:id:grai:0614141.12345.400", "urn:epc:id:giai:0614141.12345", "urn:epc:id:gsrn:0614141.1234567890", "urn:epc:id:gsrnp:0614141.1234567890",
		"urn:epc:id:gdti:0614141.12345.400", "urn:epc:id:sgcn:0614141.67890.04711", "urn:epc:id:cpi:0614141.12AB.7", "urn:epc:id:ginc:0614141.xyz", "urn:epc:id:gsin:0614141.123456789", "urn:epc:id:itip:0614141.012345.01.02.9",
		"urn:epc:id:gid:0614141.12345.400", "urn:epc:id:usdod:0614141.400", "urn:epc:id:adi:0614141.12.400",
	}
	for _, epc := range epcs {
		rest := strings.TrimPrefix(strings.TrimPrefix(epc, "urn:epc:id:"), "urn:epc:class:")
		scheme, body, _ := strings.Cut(rest, ":")
		parts := strings.Split(body, ".")
		for literals := range len(parts) {
			if scheme == "itip" && literals == 3 {
				continue
			}
			pattern := slices.Clone(parts)
			for i := literals; i < len(parts); i++ {
				pattern[i] = "*"
			}
			var set epcSet
			text := "urn:epc:idpat:" + scheme + ":" + strings.Join(pattern, ".")
			if err := set.add(text); err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			for _, other := range epcs {
				// Lots and third-party serials of a GTIN are of its class.
				want := other == epc || scheme == "sgtin" && strings.Contains(other, "lgtin") || scheme == "sgtin" && literals == 2 && strings.Contains(other, "upui")
				if got := set.hasAny([]string{other}); got != want {
					t.Errorf("%s matches %s: %v", text, other, got)
				}
			}
		}
	}
}
