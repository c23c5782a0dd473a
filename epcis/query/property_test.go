package query

import (
	"errors"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
)

// A small world, so that random queries find random events.
var (
	genEPC = rapid.SampledFrom([]string{
		"urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/10614141073464/21/2017", "urn:epc:id:sgtin:0614141.107346.2018",
		"urn:epc:id:sgtin:06141411.07346.2018", "https://example.com/a/gtin/10614141073464/lot/L1/ser/2%2F1?x=/y", "urn:epc:id:sgtin:0614141.107346.2%2F1",
		"urn:epc:id:sgtin:4012345.011122.25", "urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/00/106141412345678908",
		"urn:epc:id:grai:0614141.12345.400", "urn:epc:id:giai:4000001.12345", "https://id.gs1.org/8004/400000112345", "urn:epc:id:gid:95100000.12345.400",
		"urn:acme:thing:1", "https://acme.example/thing/1", "urn:epc:id:itip:4012345.011122.01.02.9", "urn:epc:id:cpi:0614141.12AB.7", "urn:epc:id:upui:0614141.107346.7",
	})
	genClass = rapid.SampledFrom([]string{
		"urn:epc:idpat:sgtin:0614141.107346.*", "https://id.gs1.org/01/10614141073464", "urn:epc:class:lgtin:0614141.107346.L1", "https://id.gs1.org/01/10614141073464/10/L1",
		"urn:epc:class:lgtin:4012345.011122.L2", "urn:epc:idpat:grai:0614141.12345.*", "https://id.gs1.org/8003/00614141123452", "urn:acme:class:1",
		"urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:idpat:cpi:0614141.12AB.*", "urn:epc:idpat:itip:4012345.011122.01.02.*",
	})
	genPattern = rapid.SampledFrom([]string{
		"urn:epc:idpat:sgtin:*.*.*", "urn:epc:idpat:sgtin:0614141.*.*", "urn:epc:class:lgtin:*.*.*", "urn:epc:class:lgtin:0614141.107346.*", "urn:epc:idpat:sscc:0614141.*",
		"urn:epc:idpat:giai:4000001.*", "urn:epc:idpat:gid:95100000.*.*", "urn:epc:idpat:itip:4012345.*.*.*.*", "urn:epc:idpat:upui:0614141.107346.*", "urn:epc:idpat:sgtin:0614141.107346.2017",
	})
	genPlace = rapid.SampledFrom([]string{
		"urn:epc:id:sgln:0614141.07346.0", "https://id.gs1.org/414/0614141073467", "https://id.gs1.org/414/0614141073467/254/1234", "urn:epc:id:sgln:0614141.07346.1234",
		"urn:epc:id:sgln:0614141.07346.5", "urn:acme:hall:7", "urn:epc:id:sgln:broken",
	})
	genParty = rapid.SampledFrom([]string{"urn:epc:id:pgln:4012345.00001", "https://id.gs1.org/417/4012345000016", "urn:acme:party:2"})
	genDoc   = rapid.SampledFrom([]string{"urn:epcglobal:cbv:bt:0614141073467:1152", "urn:epc:id:gdti:0614141.00000.D1", "https://id.gs1.org/253/0614141000005D1"})
	genID    = rapid.SampledFrom([]string{"urn:uuid:b99d9099-2a3c-4d8e-8b5f-2f2b7b2f7b11", "urn:uuid:B99D9099-2A3C-4D8E-8B5F-2F2B7B2F7B11", "ni:///sha-256;00?ver=CBV2.0", "urn:acme:event:1"})
	genHash  = rapid.Just("ni:///sha-256;00?ver=CBV2.0")
	genStep  = rapid.SampledFrom([]string{
		"shipping", "urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping", "packing", "urn:epcglobal:cbv:bizstep:Packing", "urn:acme:bizstep:shipping", "urn:epcglobal:cbv:bizstep:novel",
	})
	genDisp = rapid.SampledFrom([]string{"active", "urn:epcglobal:cbv:disp:active", "https://ref.gs1.org/cbv/Disp-in_transit", "urn:acme:disp:odd"})
	genSDT  = rapid.SampledFrom([]string{"owning_party", "urn:epcglobal:cbv:sdt:owning_party", "https://ref.gs1.org/cbv/SDT-location", "urn:acme:sdt:broker"})
	genBTT  = rapid.SampledFrom([]string{"po", "urn:epcglobal:cbv:btt:po", "https://ref.gs1.org/cbv/BTT-inv", "urn:acme:btt:slip"})
	genTime = rapid.SampledFrom([]string{"2026-11-20T08:00:00Z", "2026-11-20T03:00:00-05:00", "2026-11-20T08:00:00.0004Z", "2026-11-20T08:00:00.0006Z", "2026-11-20T08:00:01Z", "2026-11-21T00:00:00Z"})
	genNum  = rapid.SampledFrom([]string{"1", "1.0", "2", "-3.5", "10", "0012", "12"})
	genText = rapid.SampledFrom([]string{"A1", "0012", "12", "12.0", "2026-11-20T08:00:00Z", "2026-11-20T03:00:00-05:00", "true", " A1 "})
	genType = rapid.SampledFrom([]epcis.ValueType{epcis.Text, epcis.Number, epcis.Empty, epcis.NoValue})
	genNS   = rapid.SampledFrom([]string{mda, mda + ":", mda + "#", ns, acme, epcis.NamespaceHC})
	genName = rapid.SampledFrom([]string{"lotNumber", "line"})
	genUnit = rapid.SampledFrom([]string{"", "KGM", "CEL"})
)

func genExtensions(depth int) *rapid.Generator[[]epcis.Extension] {
	return rapid.Custom(func(t *rapid.T) []epcis.Extension {
		var list []epcis.Extension
		for range rapid.IntRange(0, 2).Draw(t, "extensions") {
			x := epcis.Extension{Namespace: genNS.Draw(t, "ns"), Name: genName.Draw(t, "name"), Type: genType.Draw(t, "type")}
			switch x.Type {
			case epcis.Text:
				x.Text = genText.Draw(t, "text")
			case epcis.Number:
				x.Text = genNum.Draw(t, "number")
			default:
			}
			if depth > 0 {
				x.Children = genExtensions(depth-1).Draw(t, "children")
				if rapid.Bool().Draw(t, "array") {
					x.Attributes = []epcis.Extension{{Name: nameElement, Type: epcis.Empty}}
					for i := range x.Children {
						x.Children[i].Namespace, x.Children[i].Name = "", nameElement
					}
				}
			}
			list = append(list, x)
		}
		return list
	})
}

func some0[T any](t *rapid.T, g *rapid.Generator[T], label string) []T {
	return rapid.SliceOfN(g, 0, 3).Draw(t, label)
}

func maybe(t *rapid.T, g *rapid.Generator[string], label string) string {
	if rapid.Bool().Draw(t, label+"?") {
		return ""
	}
	return g.Draw(t, label)
}

var genEvent = rapid.Custom(func(t *rapid.T) *epcis.Event {
	quantities := func(label string) (list []epcis.Quantity) {
		for range rapid.IntRange(0, 2).Draw(t, label) {
			list = append(list, epcis.Quantity{EPCClass: genClass.Draw(t, "class"), Quantity: maybe(t, genNum, "quantity"), UOM: genUnit.Draw(t, "unit")})
		}
		return list
	}
	typed := func(label string) (list []epcis.SourceDest) {
		for range rapid.IntRange(0, 2).Draw(t, label) {
			list = append(list, epcis.SourceDest{Type: genSDT.Draw(t, "type"), Value: genParty.Draw(t, "party")})
		}
		return list
	}
	place := func(label string) *epcis.Place {
		if rapid.Bool().Draw(t, label+"?") {
			return nil
		}
		return &epcis.Place{ID: genPlace.Draw(t, label), Extensions: genExtensions(1).Draw(t, "extensions")}
	}
	e := &epcis.Event{
		Type:      rapid.SampledFrom(vocEvent.words).Draw(t, "type"),
		Action:    rapid.SampledFrom([]string{"", "ADD", "OBSERVE", "DELETE"}).Draw(t, "action"),
		EventTime: genTime.Draw(t, "time"), EventTimeZoneOffset: "+00:00", EventID: maybe(t, genID, "id"),
		BizStep: maybe(t, genStep, "step"), Disposition: maybe(t, genDisp, "disposition"), TransformationID: maybe(t, genDoc, "transformation"),
		ReadPoint: place("read point"), BizLocation: place("location"),
		EPCList: some0(t, genEPC, "epcs"), ChildEPCs: some0(t, genEPC, "children"), InputEPCList: some0(t, genEPC, "inputs"), OutputEPCList: some0(t, genEPC, "outputs"), ParentID: maybe(t, genEPC, "parent"),
		QuantityList: quantities("quantities"), ChildQuantityList: quantities("child quantities"), InputQuantityList: quantities("input quantities"), OutputQuantityList: quantities("output quantities"),
		SourceList: typed("sources"), DestinationList: typed("destinations"), ILMD: genExtensions(2).Draw(t, "ilmd"), Extensions: genExtensions(2).Draw(t, "extensions"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "documents") {
		e.BizTransactionList = append(e.BizTransactionList, epcis.BizTransaction{Type: genBTT.Draw(t, "type"), Value: genDoc.Draw(t, "document")})
	}
	if rapid.Bool().Draw(t, "error?") {
		e.ErrorDeclaration = &epcis.ErrorDeclaration{DeclarationTime: genTime.Draw(t, "declared"), Reason: "did_not_occur", CorrectiveEventIDs: some0(t, genID, "corrective"), Extensions: genExtensions(1).Draw(t, "extensions")}
	}
	if rapid.Bool().Draw(t, "sensor?") {
		e.SensorElementList = []epcis.SensorElement{{Metadata: &epcis.SensorMetadata{Time: genTime.Draw(t, "sensed")}, Reports: []epcis.SensorReport{{Type: "gs1:Temperature", Value: genNum.Draw(t, "value"), UOM: genUnit.Draw(t, "unit"), BooleanValue: "true"}}}}
	}
	return e
})

// genQuery draws one to three parameters with values of that world.
var genQuery = rapid.Custom(func(t *rapid.T) url.Values {
	v := url.Values{}
	list := func(g *rapid.Generator[string]) string {
		return strings.Join(rapid.SliceOfN(g, 1, 3).Draw(t, "values"), "|")
	}
	epcs := rapid.OneOf(genEPC, genClass, genPattern)
	places := genPlace.Filter(func(s string) bool { return true })
	for range rapid.IntRange(1, 3).Draw(t, "parameters") {
		where := rapid.SampledFrom([]string{"", "ILMD_", "INNER_", "INNER_ILMD_", "ERROR_DECLARATION_", "readPoint_", "INNER_bizLocation_"}).Draw(t, "where")
		field := where + genNS.Draw(t, "ns") + "#" + genName.Draw(t, "name")
		switch name := rapid.SampledFrom([]string{
			"eventType", "GE_eventTime", "LT_eventTime", "EQ_action", "EQ_bizStep", "EQ_disposition", "EQ_readPoint", "WD_readPoint", "EQ_bizLocation", "WD_bizLocation", "EQ_transformationID",
			"MATCH_epc", "MATCH_parentID", "MATCH_inputEPC", "MATCH_outputEPC", "MATCH_anyEPC", "MATCH_epcClass", "MATCH_inputEPCClass", "MATCH_outputEPCClass", "MATCH_anyEPCClass",
			"EQ_eventID", "EXISTS_errorDeclaration", "EQ_correctiveEventID", "GE_errorDeclarationTime", "EXISTS_sensorElementList", "EQ_type", "GE_value_CEL", "GE_time", "EQ_quantity", "LT_quantity_KGM",
			"EQ_bizTransaction_", "EQ_source_", "EQ_destination_", "EQ_", "GE_", "EXISTS_", "LT_recordTime", "EQ_booleanValue",
		}).Draw(t, "parameter"); name {
		case "eventType":
			v.Set(name, list(rapid.SampledFrom(vocEvent.words)))
		case "EQ_action":
			v.Set(name, list(rapid.SampledFrom([]string{"ADD", "OBSERVE", "DELETE"})))
		case "EQ_bizStep":
			v.Set(name, list(genStep))
		case "EQ_disposition":
			v.Set(name, list(genDisp))
		case "EQ_readPoint", "WD_readPoint", "EQ_bizLocation", "WD_bizLocation":
			v.Set(name, list(places))
		case "EQ_transformationID":
			v.Set(name, list(genDoc))
		case "EQ_eventID", "EQ_correctiveEventID":
			v.Set(name, list(genID))
		case "GE_eventTime", "LT_eventTime", "GE_errorDeclarationTime", "GE_time", "LT_recordTime":
			v.Set(name, genTime.Draw(t, "time"))
		case "EXISTS_errorDeclaration", "EXISTS_sensorElementList", "EQ_booleanValue":
			v.Set(name, "true")
		case "EQ_type":
			v.Set(name, "Temperature")
		case "GE_value_CEL", "LT_quantity_KGM":
			v.Set(name, genNum.Draw(t, "number"))
		case "EQ_quantity":
			v.Set(name, list(genNum))
		case "EQ_bizTransaction_":
			v.Set(name+genBTT.Draw(t, "type"), list(genDoc))
		case "EQ_source_", "EQ_destination_":
			v.Set(name+genSDT.Draw(t, "type"), list(genParty))
		case "EQ_":
			v.Set(name+field, list(rapid.OneOf(genText, genNum)))
		case "GE_":
			v.Set(name+field, rapid.OneOf(genTime, genNum).Draw(t, "bound"))
		case "EXISTS_":
			v.Set(name+field, "")
		default:
			v.Set(name, list(epcs))
		}
	}
	return v
})

// What Terms says must be so: an index that looks for them finds whatever matches.
func TestTermsAreNecessary(t *testing.T) {
	matched, withTerms := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		v := genQuery.Draw(t, "query")
		q, err := ParseValues(v, nil)
		if e, ok := errors.AsType[*Error](err); ok && (strings.Contains(e.Message, "same parameter") || strings.Contains(e.Message, "nothing can match")) {
			t.Skip() // the world has one thing in two spellings
		}
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		again, err := ParseJSON(q.JSON(), nil)
		if err != nil || string(again.JSON()) != string(q.JSON()) {
			t.Fatalf("%s is read again as %v, %v", q.JSON(), again, err)
		}
		other, err := ParseValues(genQuery.Draw(t, "other"), nil)
		if err != nil {
			t.Skip()
		}
		both := q.And(other)
		for range 8 {
			r := &Record{Event: genEvent.Draw(t, "event"), Hash: maybe(t, genHash, "hash"), RecordTime: time.Date(2026, 11, 20, 8, 0, 0, 300_000, time.UTC)}
			checkTerms(t, q, r)
			checkTerms(t, both, r)
			is := q.Match(r, masterData{})
			if again.Match(r, masterData{}) != is {
				t.Fatalf("%s read again decides otherwise", q.JSON())
			}
			if both.Match(r, masterData{}) != (is && other.Match(r, masterData{})) {
				t.Fatalf("%s and %s", q.JSON(), other.JSON())
			}
			if is {
				matched++
				if len(q.Terms(nil)) > 0 {
					withTerms++
				}
			}
		}
	})
	if matched == 0 || withTerms == 0 {
		t.Errorf("%d matches, %d with terms: the world is too large", matched, withTerms)
	}
	t.Logf("%d matches, %d with terms", matched, withTerms)
}

// Every pair of TermsOf comes once.
func TestTermsOfOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seen := map[Term0]bool{}
		TermsOf(genEvent.Draw(t, "event"), func(kind TermKind, value string) {
			if pair := (Term0{kind, value}); value == "" || seen[pair] {
				t.Fatalf("%v", pair)
			} else {
				seen[pair] = true
			}
		})
	})
}

// A decimal compares as a big.Rat does, and is written so that it is read as the same.
func TestDecimals(t *testing.T) {
	gen := rapid.StringMatching(`[+-]?(0|00|[0-9]{1,30})(\.[0-9]{0,30})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = a + "0"
		}
		x, okX := parseDecimal(a)
		y, okY := parseDecimal(b)
		if !okX || !okY {
			t.Fatalf("%q %v, %q %v", a, okX, b, okY)
		}
		r, _ := new(big.Rat).SetString(a)
		s, _ := new(big.Rat).SetString(b)
		if x.compare(y) != r.Cmp(s) || y.compare(x) != s.Cmp(r) {
			t.Fatalf("%s and %s: %d, want %d", a, b, x.compare(y), r.Cmp(s))
		}
		again, ok := parseDecimal(x.String())
		if !ok || again.compare(x) != 0 || again.String() != x.String() {
			t.Fatalf("%s is written %s", a, x)
		}
		if (x.compare(y) == 0) != (x.String() == y.String()) {
			t.Fatalf("%s and %s are written %s and %s", a, b, x, y)
		}
		f, ok := parseDouble(a)
		if want, err := strconv.ParseFloat(a, 64); !ok || err == nil && want != f {
			t.Fatalf("%s: %v %v", a, f, ok)
		}
	})
	for _, s := range []string{"", ".", "+", "-", "1e", "1e+", "e1", "1.2.3", "1/3", "0x10", "1_000", "1e100000", "NaN", "INF", " 1", "١"} {
		if d, ok := parseDecimal(s); ok {
			t.Errorf("%q is read as %s", s, d)
		}
	}
	for _, s := range []string{"", "inf", "NaN", "0x1p-2", "1_000", "1/3", "Infinity"} {
		if f, ok := parseDouble(s); ok {
			t.Errorf("%q is read as %v", s, f)
		}
	}
	if a, ok := parseDouble("-INF"); !ok || a >= 0 {
		t.Error("INF")
	}
	if a, ok := parseDouble("1e400"); !ok || a < 1e308 {
		t.Error("beyond the range")
	}
}

// A class or a pattern matches what it is a class or pattern of, in every form.
func TestPatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gcp := rapid.IntRange(6, 12).Draw(t, "company prefix")
		var digits strings.Builder
		for range 13 {
			digits.WriteByte(byte('0' + rapid.IntRange(0, 9).Draw(t, "digit")))
		}
		body := digits.String()
		serial := rapid.StringMatching(`[A-Za-z0-9!"%&'()*+,./:;<=>?_-]{1,20}`).Draw(t, "serial")
		gtin, err := gs1.ParseGTIN(body + string(rune(gs1.CheckDigit(body))))
		if err != nil {
			t.Skip()
		}
		sgtin, err := gs1.NewSGTIN(gtin, serial)
		if err != nil {
			t.Fatal(err)
		}
		urn, err := sgtin.Key().URN(gcp)
		if err != nil {
			t.Fatal(err)
		}
		class, err := gtin.Key().URN(gcp)
		if err != nil {
			t.Fatal(err)
		}
		prefix := body[1 : 1+gcp]
		for _, pattern := range []string{class, gtin.Key().DigitalLink(), "urn:epc:idpat:sgtin:" + prefix + ".*.*", "urn:epc:idpat:sgtin:*.*.*", urn, sgtin.Key().DigitalLink()} {
			var set epcSet
			if strings.HasSuffix(pattern, "*") && strings.HasPrefix(pattern, "urn:epc:id:") {
				continue // a serial that ends in a star: refused as what was probably meant as a pattern
			}
			if err := set.add(pattern); err != nil {
				t.Fatalf("%s: %v", pattern, err)
			}
			for _, epc := range []string{urn, sgtin.Key().DigitalLink(), strings.Replace(sgtin.Key().DigitalLink(), "id.gs1.org", "example.com/x", 1)} {
				if !set.hasAny([]string{epc}) || !set.hasAny([]string{"urn:x:y", epc, epc, epc}) {
					t.Fatalf("%s does not match %s", pattern, epc)
				}
			}
			if set.hasAny([]string{"urn:epc:id:sscc:0614141.1234567890", "urn:acme:x"}) {
				t.Fatalf("%s matches all", pattern)
			}
		}
	})
}

// Times are compared as instants, however they are written.
func TestInstants(t *testing.T) {
	for _, tt := range []struct{ a, zone, want string }{
		{"2026-11-20T13:15:00.000-05:00", "", "2026-11-20T18:15:00Z"},
		{"2026-11-20T13:15:00", "-05:00", "2026-11-20T18:15:00Z"},
		{"2026-11-20T13:15:00.1234567", "+01:00", "2026-11-20T12:15:00.1234567Z"},
		{"2026-11-20T24:00:00Z", "", "2026-11-21T00:00:00Z"},
		{" 2026-11-20T13:15:00Z\n", "", "2026-11-20T13:15:00Z"},
		{"2026-11-20T13:15:00+14:00", "", "2026-11-19T23:15:00Z"},
		{"2026-11-20T13:15:00", "", ""},
		{"2026-11-20", "", ""},
		{"", "", ""},
		{"2026-11-20T25:15:00Z", "", ""},
	} {
		got, ok := instant(tt.a, tt.zone)
		if text := formatTime(got); ok != (tt.want != "") || ok && text != tt.want {
			t.Errorf("%q: %s %v, want %s", tt.a, text, ok, tt.want)
		}
	}
}
