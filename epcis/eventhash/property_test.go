package eventhash

import (
	"bytes"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/gs1"
	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

func prehashOf(tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}, e *epcis.Event,
) string {
	tb.Helper()
	id, prehash, err := Hash(e)
	if err != nil {
		tb.Fatal(err)
	}
	if !strings.HasPrefix(id, "ni:///sha-256;") || !strings.HasSuffix(id, "?ver=CBV2.0") || len(id) != 14+64+11 {
		tb.Fatalf("hash ID %q", id)
	}
	return prehash
}

// minimal is an event that says only what every event must.
func minimal() epcis.Event {
	return epcis.Event{Type: "ObjectEvent", EventTime: "2026-11-20T06:00:00Z", EventTimeZoneOffset: "-05:00", Action: "OBSERVE"}
}

const minimalPrehash = "eventType=ObjectEventeventTime=2026-11-20T06:00:00.000ZeventTimeZoneOffset=-05:00action=OBSERVE"

// Each rule of docs/event-hash.md, by an event that differs from the minimal one in what the rule is about.
func TestHashRules(t *testing.T) {
	ext := func(x ...epcis.Extension) func(*epcis.Event) { return func(e *epcis.Event) { e.Extensions = x } }
	leaf := func(name, text string) epcis.Extension {
		return epcis.Extension{Namespace: "http://x/", Name: name, Type: epcis.Text, Text: text}
	}
	for _, tt := range []struct {
		name   string
		change func(e *epcis.Event)
		want   string // behind minimalPrehash
	}{
		{"what is not hashed", func(e *epcis.Event) {
			e.RecordTime, e.EventID, e.CertificationInfo = "2026-11-21T00:00:00Z", "urn:uuid:1", []string{"https://x/c"}
			e.ErrorDeclaration = &epcis.ErrorDeclaration{DeclarationTime: "2026-11-21T00:00:00Z", Reason: epcis.DidNotOccur}
		}, ""},
		{"empty lists and objects", func(e *epcis.Event) {
			e.EPCList, e.ReadPoint, e.PersistentDisposition = []string{}, &epcis.Place{}, &epcis.PersistentDisposition{}
			e.SensorElementList = []epcis.SensorElement{{Metadata: &epcis.SensorMetadata{}, Reports: []epcis.SensorReport{{}}}}
			e.QuantityList = []epcis.Quantity{{}}
		}, ""},
		{"a bare word is of its field", func(e *epcis.Event) { e.BizStep = "other" }, "bizStep=https://ref.gs1.org/cbv/BizStep-other"},
		{"a URN", func(e *epcis.Event) { e.Disposition = " urn:epcglobal:cbv:disp:in_transit\n" }, "disposition=https://ref.gs1.org/cbv/Disp-in_transit"},
		{"a compact URI", func(e *epcis.Event) { e.BizStep = "cbv:BizStep-packing" }, "bizStep=https://ref.gs1.org/cbv/BizStep-packing"},
		{"a term of our own", func(e *epcis.Event) { e.BizStep = "https://example.com/steps/washing" }, "bizStep=https://example.com/steps/washing"},
		{"unset behind set", func(e *epcis.Event) {
			e.PersistentDisposition = &epcis.PersistentDisposition{Unset: []string{"recalled"}, Set: []string{"expired", "damaged"}}
		}, "persistentDispositionset=https://ref.gs1.org/cbv/Disp-damagedset=https://ref.gs1.org/cbv/Disp-expiredunset=https://ref.gs1.org/cbv/Disp-recalled"},
		{
			"the finest level of a Digital Link", func(e *epcis.Event) {
				e.TransformationID = "https://example.com/a/gtin/10614141073464/lot/L1/ser/2017?exp=271231"
			},
			"transformationID=https://id.gs1.org/01/10614141073464/21/2017",
		},
		{
			"an identifier that is wrong stays as it is", func(e *epcis.Event) { e.TransformationID = "https://id.gs1.org/01/10614141073465" },
			"transformationID=https://id.gs1.org/01/10614141073465",
		},
		{"what is not GS1's stays as it is", func(e *epcis.Event) { e.TransformationID = "urn:epc:id:gid:952056.2718.1414" }, "transformationID=urn:epc:id:gid:952056.2718.1414"},
		{"type before value, then by bytes", func(e *epcis.Event) {
			e.SourceList = []epcis.SourceDest{{Type: "possessing_party", Value: "urn:a:1"}, {Type: "owning_party", Value: "urn:a:2"}}
			e.DestinationList = []epcis.SourceDest{{Type: "", Value: "urn:b"}}
		}, "sourceListtype=https://ref.gs1.org/cbv/SDT-owning_partysource=urn:a:2type=https://ref.gs1.org/cbv/SDT-possessing_partysource=urn:a:1destinationListdestination=urn:b"},
		{"numbers have no idle zeros", func(e *epcis.Event) {
			e.SensorElementList = []epcis.SensorElement{{Reports: []epcis.SensorReport{{
				Value: "-00.50", MinValue: "-0.0", MaxValue: "1e5", MeanValue: "+1.0", SDev: "007", PercRank: ".5", PercValue: "123456789012345678901.10",
			}}}}
		}, "sensorElementListsensorElementsensorReportvalue=-0.5minValue=0maxValue=1e5meanValue=+1.0sDev=7percRank=.5percValue=123456789012345678901.1"},
		{"extensions by bytes, their children too", ext(
			epcis.Extension{Namespace: "http://x/", Name: "b", Children: []epcis.Extension{leaf("d", "2"), leaf("c", "1")}}, leaf("a", " t \n"), epcis.Extension{Name: "z", Type: epcis.Empty},
		), "z{http://x/}a=t{http://x/}b{http://x/}c=1{http://x/}d=2"},
		{"attributes among the children", ext(epcis.Extension{
			Namespace: "http://x/", Name: "a", Type: epcis.Text, Text: "v",
			Attributes: []epcis.Extension{{Name: "unit", Type: epcis.Text, Text: "mm"}, {Namespace: "http://y/", Name: "q", Type: epcis.Text, Text: "1.0"}, {Namespace: xmlns.XSI, Name: "type", Type: epcis.Text, Text: "xsd:string"}},
		}), "{http://x/}a=vunit=mm{http://y/}q=1"},
		{"an array is its elements", ext(epcis.Extension{
			Namespace: "http://x/", Name: "a", Attributes: []epcis.Extension{{Name: "[]", Type: epcis.Empty}},
			Children: []epcis.Extension{{Name: "[]", Type: epcis.Number, Text: "2.0"}, {Name: "[]", Type: epcis.Boolean, Text: "true"}, {
				Name: "[]", Attributes: []epcis.Extension{{Name: "[]", Type: epcis.Empty}}, Children: []epcis.Extension{{Name: "[]", Type: epcis.Text, Text: "in"}},
			}},
		}), "{http://x/}a=2{http://x/}a=in{http://x/}a=true"},
		{"null is a name without a value", ext(epcis.Extension{Namespace: "http://x/", Name: "a", Type: epcis.Null, Text: "null"}), "{http://x/}a"},
		{
			"text among elements", ext(epcis.Extension{Namespace: "http://x/", Name: "a", Children: []epcis.Extension{leaf("b", "1"), {Name: "#text", Type: epcis.Text, Text: "t"}}}),
			"{http://x/}a=t{http://x/}b=1",
		},
		{
			"a text of zeros is no number", ext(leaf("a", "0012"), leaf("b", "12.50"), leaf("c", "1_000"), leaf("d", "0.0"), leaf("e", "-3.0")),
			"{http://x/}a=0012{http://x/}b=12.5{http://x/}c=1_000{http://x/}d=0{http://x/}e=-3",
		},
		{"a lot is no number", func(e *epcis.Event) {
			e.ILMD = []epcis.Extension{{Namespace: epcis.NamespaceMDA, Name: vocabulary.LotNumber, Type: epcis.Text, Text: "12.50"}, {Namespace: epcis.NamespaceMDA, Name: vocabulary.ExpirationDate, Type: epcis.Text, Text: "2027-05-31"}}
		}, "ilmd{urn:epcglobal:cbv:mda}itemExpirationDate=2027-05-31{urn:epcglobal:cbv:mda}lotNumber=12.50"},
		{"one namespace of CBV master data", func(e *epcis.Event) {
			e.ILMD = []epcis.Extension{{Namespace: "urn:epcglobal:cbv:mda:", Name: "a", Type: epcis.Text, Text: "1"}, {Namespace: "urn:epcglobal:cbv:mda#", Name: "b", Type: epcis.Text, Text: "2"}}
		}, "ilmd{urn:epcglobal:cbv:mda}a=1{urn:epcglobal:cbv:mda}b=2"},
		{"comments", ext(epcis.Extension{Namespace: nsRDFS, Name: "comment", Type: epcis.Text, Text: "for people"}, leaf("comment", "counts")), "{http://x/}comment=counts"},
		{
			"identifiers and terms in extensions", ext(leaf("a", "urn:epc:id:sscc:4012345.0000000333"), leaf("b", "gs1:Temperature"), leaf("c", "gs1: see there")),
			"{http://x/}a=https://id.gs1.org/00/040123450000003338{http://x/}b=https://gs1.org/voc/Temperature{http://x/}c=gs1: see there",
		},
		{"a boolean is true or false", func(e *epcis.Event) {
			e.SensorElementList = []epcis.SensorElement{{Reports: []epcis.SensorReport{{BooleanValue: "1", Time: "2026-11-20T07:00:00+01:00", Type: "Temperature", Exception: "ALARM_CONDITION", Component: "x"}}}}
		}, "sensorElementListsensorElementsensorReporttype=https://gs1.org/voc/Temperatureexception=https://gs1.org/voc/ALARM_CONDITIONtime=2026-11-20T06:00:00.000Z" +
			"component=https://ref.gs1.org/cbv/Comp-xbooleanValue=true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := minimal()
			tt.change(&e)
			if got := prehashOf(t, &e); got != minimalPrehash+tt.want {
				t.Errorf("\n got %s\nwant %s", got, minimalPrehash+tt.want)
			}
		})
	}
}

func TestHashTimes(t *testing.T) {
	for _, tt := range []struct{ time, offset, want string }{
		{"2026-11-20T06:00:00Z", "-05:00", "2026-11-20T06:00:00.000Z"},
		{"2023-01-18T11:04:03.1415Z", "", "2023-01-18T11:04:03.142Z"}, // the standard's example
		{"2023-01-18T11:04:03.1414999Z", "", "2023-01-18T11:04:03.141Z"},
		{"2023-12-31T23:59:59.9996Z", "", "2024-01-01T00:00:00.000Z"},
		{"2023-12-31T23:59:59.9995+01:00", "", "2023-12-31T23:00:00.000Z"},
		{"1969-12-31T23:59:59.9985Z", "", "1969-12-31T23:59:59.999Z"},
		{"2026-11-20T06:00:00", "-05:00", "2026-11-20T11:00:00.000Z"},
		{"2026-11-20T24:00:00-05:00", "-05:00", "2026-11-21T05:00:00.000Z"},
		{" 2026-11-20T06:00:00.5Z\n", "", "2026-11-20T06:00:00.500Z"},
		{"2026-11-20T06:00:00.12-05:05", "", "2026-11-20T11:05:00.120Z"}, // the 5 of the zone is no decimal
	} {
		e := minimal()
		e.EventTime, e.EventTimeZoneOffset = tt.time, tt.offset
		if got := prehashOf(t, &e); !strings.HasPrefix(got, "eventType=ObjectEventeventTime="+tt.want+"e") && !strings.HasPrefix(got, "eventType=ObjectEventeventTime="+tt.want+"action") {
			t.Errorf("%s: %s, want %s", tt.time, got, tt.want)
		}
	}
	for _, e := range []epcis.Event{{EventTime: "2026-11-20T06:00:00Z"}, {Type: "ObjectEvent"}, {Type: "ObjectEvent", EventTime: "yesterday"}, {Type: "ObjectEvent", EventTime: "2026-11-20T06:00:00"}} {
		if id, prehash, err := Hash(&e); err == nil || id != "" || prehash != "" {
			t.Errorf("%+v has the hash %s of %s", e, id, prehash)
		}
	}
}

// Fields that a document asks to leave out do not count; the plain hash knows nothing of that.
func TestHashIgnoredFields(t *testing.T) {
	ignore := IgnoredFields(&epcis.Header{Extensions: []epcis.Extension{{Namespace: "https://r/", Name: "ignoreFields", Children: []epcis.Extension{
		{Namespace: "https://r/", Name: "hash", Type: epcis.Empty}, {Name: "[]", Type: epcis.Text, Text: "https://ns.example.com/captureID"},
	}}}})
	if want := []QName{{"https://r/", "hash"}, {"https://ns.example.com/", "captureID"}}; !slices.Equal(ignore, want) {
		t.Fatalf("%v, want %v", ignore, want)
	}
	e := minimal()
	e.Extensions = []epcis.Extension{{Namespace: "https://r/", Name: "hash", Type: epcis.Text, Text: "x"}, {Namespace: "https://s/", Name: "hash", Type: epcis.Text, Text: "y"}}
	h := Hasher{Ignore: ignore}
	if _, got, err := h.Hash(&e); err != nil || string(got) != minimalPrehash+"{https://s/}hash=y" {
		t.Errorf("%s, %v", got, err)
	}
	if got := prehashOf(t, &e); got != minimalPrehash+"{https://r/}hash=x{https://s/}hash=y" {
		t.Errorf("%s", got)
	}
}

// examplesToHash are all events of the shared examples that can be read.
func examplesToHash(tb testing.TB) []epcis.Event {
	tb.Helper()
	var events []epcis.Event
	for _, path := range examplePaths(tb) {
		_, _ = epcisdoc.Read(bytes.NewReader(sample.File(tb, path)), epcis.Options{KeepFaulty: true}, epcis.Handler{
			Event: func(e epcis.EventAt) error { events = append(events, e.Event); return nil },
		})
	}
	if len(events) < 100 {
		tb.Fatalf("only %d events", len(events))
	}
	return events
}

// The order of lists means nothing, in whatever way it is changed, and neither does the form of an identifier or a term.
func TestHashIgnoresOrderAndForm(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	hashed, forms := 0, 0
	for _, e := range examplesToHash(t) {
		_, want, err := Hash(&e)
		if err != nil {
			continue
		}
		hashed++
		shuffled := e
		shuffleEvent(random, &shuffled)
		if got := prehashOf(t, &shuffled); got != want {
			t.Errorf("in another order\n got %s\nwant %s", got, want)
		}
		other := e
		forms += otherForm(&other)
		if got := prehashOf(t, &other); got != want {
			t.Errorf("in another form\n got %s\nwant %s", got, want)
		}
	}
	if hashed < 100 || forms < 200 {
		t.Errorf("only %d events and %d identifiers and terms", hashed, forms)
	}
}

func shuffled[T any](r *rand.Rand, list []T) []T {
	list = slices.Clone(list)
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func shuffleExtensions(r *rand.Rand, list []epcis.Extension) []epcis.Extension {
	list = shuffled(r, list)
	for i := range list {
		list[i].Children = shuffleExtensions(r, list[i].Children)
		list[i].Attributes = shuffled(r, list[i].Attributes)
	}
	return list
}

func shuffleEvent(r *rand.Rand, e *epcis.Event) {
	for _, l := range []*[]string{&e.EPCList, &e.ChildEPCs, &e.InputEPCList, &e.OutputEPCList} {
		*l = shuffled(r, *l)
	}
	for _, l := range []*[]epcis.Quantity{&e.QuantityList, &e.ChildQuantityList, &e.InputQuantityList, &e.OutputQuantityList} {
		*l = shuffled(r, *l)
	}
	e.BizTransactionList = shuffled(r, e.BizTransactionList)
	e.SourceList, e.DestinationList = shuffled(r, e.SourceList), shuffled(r, e.DestinationList)
	e.ILMD, e.Extensions = shuffleExtensions(r, e.ILMD), shuffleExtensions(r, e.Extensions)
	e.SensorElementList = shuffled(r, e.SensorElementList)
	for i := range e.SensorElementList {
		s := &e.SensorElementList[i]
		s.Reports, s.Extensions = shuffled(r, s.Reports), shuffleExtensions(r, s.Extensions)
	}
	if p := e.PersistentDisposition; p != nil {
		e.PersistentDisposition = &epcis.PersistentDisposition{Set: shuffled(r, p.Set), Unset: shuffled(r, p.Unset)}
	}
	if p := e.ReadPoint; p != nil {
		e.ReadPoint = &epcis.Place{ID: p.ID, Extensions: shuffleExtensions(r, p.Extensions)}
	}
}

// otherForm writes GS1 identifiers as Digital Links on another host, and terms as the word or the URN they were not.
func otherForm(e *epcis.Event) (changed int) {
	id := func(s string) string {
		epc, err := gs1.ParseEPC(strings.Trim(s, xsd.Blank))
		if err != nil || epc.Key().Kind() == gs1.KindURI {
			return s
		}
		changed++
		return strings.Replace(epc.Key().DigitalLink(), "https://id.gs1.org/", "https://example.com/some/path/", 1) + "?x=y"
	}
	ids := func(list []string) []string {
		list = slices.Clone(list)
		for i := range list {
			list[i] = id(list[i])
		}
		return list
	}
	term := func(s, urn string) string {
		if word, ok := strings.CutPrefix(s, urn); ok {
			changed++
			return word
		}
		if vocabulary.IsWord(s) {
			changed++
			return urn + s
		}
		return s
	}
	e.EPCList, e.ChildEPCs, e.InputEPCList, e.OutputEPCList = ids(e.EPCList), ids(e.ChildEPCs), ids(e.InputEPCList), ids(e.OutputEPCList)
	if e.ParentID != "" {
		e.ParentID = id(e.ParentID)
	}
	e.BizStep, e.Disposition = term(e.BizStep, epcis.StepPrefix), term(e.Disposition, epcis.DispositionPrefix)
	e.SourceList = slices.Clone(e.SourceList)
	for i := range e.SourceList {
		e.SourceList[i] = epcis.SourceDest{Type: term(e.SourceList[i].Type, epcis.SDTPrefix), Value: id(e.SourceList[i].Value)}
	}
	e.BizTransactionList = slices.Clone(e.BizTransactionList)
	for i := range e.BizTransactionList {
		e.BizTransactionList[i].Type = term(e.BizTransactionList[i].Type, epcis.BTTPrefix)
	}
	return changed
}

// What counts, counts: a change of any one field is a change of the hash.
func TestHashSeesEveryField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := minimal()
		before := prehashOf(t, &e)
		text := rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "text")
		fields := map[string]*string{"parentID": &e.ParentID, "bizStep": &e.BizStep, "disposition": &e.Disposition, "transformationID": &e.TransformationID}
		name := rapid.SampledFrom([]string{"parentID", "bizStep", "disposition", "transformationID"}).Draw(t, "field")
		*fields[name] = text
		after := prehashOf(t, &e)
		if after == before || !strings.Contains(after, name+"=") {
			t.Fatalf("%s = %q is not in %s", name, text, after)
		}
	})
}

// A number keeps its value, and its form is the only one.
func TestHashNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.StringMatching(`(0|[1-9][0-9]{0,20})`).Draw(t, "whole")
		fraction := rapid.StringMatching(`([0-9]{0,9}[1-9])?`).Draw(t, "fraction")
		want := whole
		if fraction != "" {
			want += "." + fraction
		}
		padded := whole + "." + fraction + "0" + strings.Repeat("0", rapid.IntRange(0, 5).Draw(t, "behind"))
		standard := rapid.Bool().Draw(t, "standard")
		if standard {
			padded = strings.Repeat("0", rapid.IntRange(0, 5).Draw(t, "before")) + padded
		}
		if got := string(appendNumber(nil, padded, standard)); got != want {
			t.Fatalf("%s: %s, want %s", padded, got, want)
		}
		if got := string(appendNumber(nil, want, standard)); got != want {
			t.Fatalf("%s: %s the second time", want, got)
		}
	})
}

// Whatever can be read can be hashed without a panic, twice the same, and a Hasher that was used before gives the same.
func FuzzHash(f *testing.F) {
	f.Add(sample.Document(2, 3))
	for _, doc := range exampleDocuments() {
		f.Add(doc)
	}
	var used Hasher
	f.Fuzz(func(t *testing.T, doc []byte) {
		_, _ = epcisdoc.Read(bytes.NewReader(doc), epcis.Options{KeepFaulty: true, MaxBytes: 1 << 20}, epcis.Handler{Event: func(e epcis.EventAt) error {
			id, prehash, err := Hash(&e.Event)
			again, text, err2 := used.Hash(&e.Event)
			if (err == nil) != (err2 == nil) || id != again || err == nil && prehash != string(text) {
				t.Fatalf("%s of %s, then %s of %s (%v, %v)", id, prehash, again, text, err, err2)
			}
			if err == nil && (len(used.spans) != 0 || !strings.HasPrefix(prehash, "eventType=")) {
				t.Fatalf("%d spans left; %s", len(used.spans), prehash)
			}
			return nil
		}})
	})
}

func BenchmarkHash(b *testing.B) {
	for _, size := range []struct {
		name         string
		events, epcs int
	}{{"10epcs", 1600, 10}, {"5000epcs", 8, 5000}} {
		doc, err := epcisdoc.Parse(bytes.NewReader(sample.Document(size.events, size.epcs)), epcis.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(size.name, func(b *testing.B) {
			b.ReportAllocs()
			var h Hasher
			n, bytes := 0, 0
			for b.Loop() {
				_, prehash, err := h.Hash(&doc.Events[n%len(doc.Events)].Event)
				if err != nil {
					b.Fatal(err)
				}
				n++
				bytes += len(prehash)
			}
			b.SetBytes(int64(bytes / n))
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
