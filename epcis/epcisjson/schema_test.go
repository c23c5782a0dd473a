package epcisjson

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/sample"
)

// The verdict of the typed checks against a JSON Schema library that has never heard of EPCIS, with the official schema:
// on every shared example, and on thousands of systematic mutations of the valid ones.

// allMutations takes two minutes.
var allMutations = flag.Bool("mutations", false, "judge every mutation of the JSON examples, not one in nineteen")

// disagreements are accepted differences between the two, by mutation: there are none.
var disagreements = map[string]string{}

// ecma is the regexp engine of the schema's language: Go's has no look-ahead.
type ecma struct{ *regexp2.Regexp }

func (e ecma) MatchString(s string) bool {
	ok, err := e.Regexp.MatchString(s)
	return ok && err == nil
}

func officialSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(sample.File(t, "schema/json/EPCIS-JSON-Schema.json")))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	// The library takes what net/url takes for a URI, with spaces, quotes and umlauts; the schema means RFC 3986, and its
	// other implementations do. TestURI holds the two against each other.
	c.RegisterFormat(&jsonschema.Format{Name: "uri", Validate: func(v any) error {
		if s, ok := v.(string); ok && !rfc3986.MatchString(s) {
			return jsonschema.LocalizableError("no URI")
		}
		return nil
	}})
	c.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) {
		re, err := regexp2.Compile(s, regexp2.ECMAScript)
		return ecma{re}, err
	})
	if err := c.AddResource("epcis.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("epcis.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// rfc3986 is the grammar of appendix A, URI, with the address forms of IPv6 left loose.
var rfc3986 = func() *regexp.Regexp {
	const (
		pct   = `%[0-9A-Fa-f]{2}`
		chars = `A-Za-z0-9\-._~!$&'()*+,;=`
		pchar = `(?:[` + chars + `:@]|` + pct + `)`
		auth  = `(?:(?:[` + chars + `:]|` + pct + `)*@)?(?:\[(?:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|[vV][0-9A-Fa-f]+\.[` + chars + `:]+)\]|(?:[` + chars + `]|` + pct + `)*)(?::[0-9]*)?`
		path  = `(?://` + auth + `(?:/` + pchar + `*)*|/(?:` + pchar + `+(?:/` + pchar + `*)*)?|` + pchar + `+(?:/` + pchar + `*)*|)`
		tail  = `(?:` + pchar + `|[/?])*`
	)
	return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+\-.]*:` + path + `(?:\?` + tail + `)?(?:#` + tail + `)?$`)
}()

// mutation is a document that differs from an example in one place.
type mutation struct {
	what string // for people
	kind string // what was done where, in general terms
	doc  func() any
}

// texts are what stands for a string in turn: each is right somewhere and wrong elsewhere.
var mutantTexts = []string{
	"", " ", "x", "a:b", "no uri", "urn:a b", "shipping", "Shipping", "in_transit", "po", "owning_party", "did_not_occur", "x:", "Temperature", "ALARM_CONDITION",
	"urn:epcglobal:cbv:bizstep:shipping", "urn:epcglobal:cbvx", "https://ns.gs1.org/cbv/BizStep-shipping", "https://ref.gs1.org/cbv/BizStep-shipping",
	"http://www.gs1.org/voc/Temperature", "https://gs1.org/voc/Temperature", "gs1:Temperature", "ADD", "OBSERVE", "DELETE", "REMOVE",
	"2020-02-29T10:00:00Z", "2021-02-29T10:00:00Z", "2020-01-01T10:00:00", "2020-01-01 10:00:00Z", "2020-01-01T24:00:00Z", "2020-01-01T10:00:00.123456789+14:00",
	"2016-12-31T23:59:60Z", "2020-01-01t10:00:00z", "2020-01-01T10:00:00+02", "2020-01-01", "+00:00", "-14:00", "+14:30", "Z", "+5:00", "2.0", "2", "v2", "KGM", "kg", "KGMX",
	"ABCDEF0", "xyz", "ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent", "EPCISDocument", "EPCISQueryDocument",
	"example:MyEvent", "http://[::1]:80/x?y#z", "http://[::1/x", "http://a/%zz", "http://a/%41", "ümlaut:x", "urn:ü", "//host/x", "_:b1",
}

func mutate(doc any, name string, yield func(mutation)) {
	// at rebuilds the document with another value at a place; drop removes it.
	type replace func(v any, drop bool) any
	var walk func(v any, path, general string, set replace)
	walk = func(v any, path, general string, set replace) {
		say := func(what string, other any) {
			yield(mutation{name + path + ": " + what, general + ": " + what, func() any { return set(other, false) }})
		}
		yield(mutation{name + path + ": dropped", general + ": dropped", func() any { return set(nil, true) }})
		for _, other := range []any{nil, true, json.Number("0"), json.Number("-1.5e3"), map[string]any{}, []any{}, []any{v}, []any{v, v}, map[string]any{"id": v}} {
			b, _ := json.Marshal(other)
			if len(b) > 20 {
				b = fmt.Appendf(nil, "%T of %d", other, bytes.Count(b, []byte(",")))
			}
			say("= "+string(b), other)
		}
		for _, s := range mutantTexts {
			say("= "+fmt.Sprintf("%q", s), s)
		}
		switch v := v.(type) {
		case string:
			for _, s := range []string{v + " ", v + "\n", "urn:" + v, v + ":x", v + "x", strings.ToUpper(v), strings.ToLower(v), v + "#a", v + "#a#b", v + `"`, v + "[1]"} {
				say("≈ "+strings.Replace(fmt.Sprintf("%q", s), v, "…", 1), s)
			}
		case json.Number:
			say("in quotes", v.String())
		case map[string]any:
			for _, key := range []string{"foo", "example:foo", "https://example.com/foo", "id", "type", "isA", "@context", "@type", "a b", "", "x:", "epcList", "ilmd", "bizStep", "persistentDisposition", "parentID", "queryResults", "eventList", "transformationID", "sender"} {
				if _, has := v[key]; !has {
					for what, val := range map[string]any{"text": "a:b", "list": []any{}, "object": map[string]any{}} {
						with := maps.Clone(v)
						with[key] = val
						say("+ "+fmt.Sprintf("%q", key)+" "+what, with)
					}
				}
			}
			for _, key := range slices.Sorted(maps.Keys(v)) {
				for _, other := range []string{key + "x", strings.ToLower(key), strings.ToUpper(key), "example:" + key, "x" + key, key + " "} {
					if _, has := v[other]; !has {
						with := maps.Clone(v)
						delete(with, key)
						with[other] = v[key]
						say("renamed "+key+" to "+other, with)
					}
				}
				deeper := general + "/" + key
				if strings.Contains(key, ":") {
					deeper = general + "/ext"
				}
				if strings.HasSuffix(general, "/ext/ext") || key == "@context" && strings.Contains(general, "Event") {
					continue // the schema does not look there
				}
				walk(v[key], path+"/"+key, deeper, func(val any, drop bool) any {
					with := maps.Clone(v)
					if with[key] = val; drop {
						delete(with, key)
					}
					return set(with, false)
				})
			}
		case []any:
			if len(v) > 0 {
				say("first twice", append(slices.Clone(v), v[0]))
				say("and null", append(slices.Clone(v), nil))
				say("and 5", append(slices.Clone(v), json.Number("5")))
				say("in a list", []any{v})
			}
			for i := range v {
				deeper := general + "/#"
				if e, ok := v[i].(map[string]any); ok && strings.HasSuffix(general, "eventList") {
					deeper = fmt.Sprint(e["type"])
				}
				walk(v[i], fmt.Sprintf("%s/%d", path, i), deeper, func(val any, drop bool) any {
					if drop {
						return set(slices.Delete(slices.Clone(v), i, i+1), false)
					}
					with := slices.Clone(v)
					with[i] = val
					return set(with, false)
				})
			}
		}
	}
	root := "document"
	if m, ok := doc.(map[string]any); ok {
		root = fmt.Sprint(m["type"])
	}
	walk(doc, "", root, func(v any, _ bool) any { return v })
}

// single makes documents of one event each: judging a thousand events for one that differs proves no more.
func single(doc any) (list []any) {
	m, ok := doc.(map[string]any)
	if !ok {
		return nil
	}
	for _, key := range []string{"epcisBody", "queryResults", "resultsBody"} {
		if inner, ok := m[key].(map[string]any); ok {
			for _, one := range single(inner) {
				outer := maps.Clone(m)
				outer[key] = one
				list = append(list, outer)
			}
			return list
		}
	}
	events, _ := m["eventList"].([]any)
	for _, e := range events {
		outer := maps.Clone(m)
		outer["eventList"] = []any{e}
		list = append(list, outer)
	}
	if len(events) == 0 {
		return []any{m}
	}
	return list
}

func ourVerdict(raw []byte) (valid bool, why string) {
	sum, err := Read(bytes.NewReader(raw), epcis.Options{KeepFaulty: true}, epcis.Handler{Problem: func(p epcis.Problem) error {
		if p.Schema {
			why += p.String() + "\n"
		}
		return nil
	}})
	if err != nil {
		return false, err.Error()
	}
	return !sum.SchemaInvalid, why
}

func TestJSONSchemaVerdict(t *testing.T) {
	schema := officialSchema(t)
	stride := 19
	if *allMutations {
		stride = 1
	}
	seen := map[string]int{}
	examples, mutations, differ, invalid := 0, 0, 0, 0
	compare := func(what, kind string, doc any, raw []byte) {
		err := schema.Validate(doc)
		valid, why := ourVerdict(raw)
		if err != nil {
			invalid++
		}
		if valid == (err == nil) {
			return
		}
		if _, ok := disagreements[kind]; ok {
			return
		}
		if differ++; differ <= 25 {
			t.Errorf("%s: we say %v, the library %v\n%s%v\n%.600s", what, valid, err == nil, why, err, raw)
		}
	}
	for _, row := range jsonExamples(t) {
		if row["well_formed"] != "yes" {
			continue
		}
		raw := bytes.TrimPrefix(sample.File(t, row["path"]), []byte(bom))
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		examples++
		if compare(row["path"], row["path"], doc, raw); row["valid_official_schema"] != "yes" {
			continue
		}
		for _, doc := range single(doc) {
			mutate(doc, row["path"], func(m mutation) {
				if seen[m.kind]++; seen[m.kind] > 1 || len(seen)%stride != 0 {
					return
				}
				mutations++
				doc := m.doc()
				b, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				compare(m.what, m.kind, doc, b)
			})
		}
	}
	t.Logf("%d examples, %d mutations, %d refused by the schema, %d disagreements", examples, mutations, invalid, differ)
	if mutations < 3000 {
		t.Errorf("only %d mutations", mutations)
	}
}

// Where RFC 3986 and the library's own format "uri", which is net/url, differ: these, and what is like them.
func TestURI(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("uri.json", map[string]any{"format": "uri"}); err != nil {
		t.Fatal(err)
	}
	library, err := c.Compile("uri.json")
	if err != nil {
		t.Fatal(err)
	}
	onlyNetURL := []string{"urn:a b", "urn:ü", "urn:a\"", "urn:[1]", "http://a/b c", "http://a/#a#b", "urn:a%zz", "ex:a|b", "urn:{x}", "urn:^", "urn:a\\b"}
	for _, s := range append(slices.Concat(mutantTexts, onlyNetURL), "http://[v1.a:b]/", "http://a:80", "http://a:x/", "http://@/", "a://", "a:", "a:/", "a:?", "1a:b", "a+b-c.d:e", "http://[::1]", "http://[::g]", "http://a[b") {
		if got, want := isURI([]byte(s)), rfc3986.MatchString(s) && !strings.Contains(s, "::g"); got != want {
			t.Errorf("%q: %v, the grammar says %v", s, got, want)
		}
		if isURI([]byte(s)) && library.Validate(s) != nil && s != "http://[v1.a:b]/" && s != "http://@/" {
			t.Errorf("%q: a URI, but not for net/url", s)
		}
	}
	for _, s := range onlyNetURL {
		if isURI([]byte(s)) || library.Validate(s) != nil && s != "urn:a%zz" {
			t.Errorf("%q: no difference any more", s)
		}
	}
}
