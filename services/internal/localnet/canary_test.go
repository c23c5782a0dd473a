package localnet_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/eventhash"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	verilotv1 "verilot.dev/proto/gen/verilot/v1"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/store"
)

// Documents with a marker in every field are captured. Afterwards everybody else has exactly those markers that the
// table of docs/private.md says: the broker, each validator and the api in what they store, decoded and as bytes, and
// the api in what it answers; logs and metrics have none that is sealed. What was refused or rejected is looked for too.
func TestCanary(t *testing.T) {
	var log lockedBuffer
	dir := t.TempDir()
	n, err := localnet.Start(t.Context(), localnet.Options{Dir: dir, Log: &log, LogLevel: "debug"})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	t.Cleanup(func() {
		if !stopped {
			_ = n.Stop()
		}
	})
	table := openFields(t)

	// Capture.
	var all []leaf
	var items []*wire.Item // as read from what is sent, in order
	missing := leafFields()
	for _, format := range []epcis.Format{epcis.FormatXML2, epcis.FormatJSON} {
		doc := canary(t, format)
		for _, it := range itemsOf(t, doc) {
			items = append(items, it)
			for _, l := range leavesOf(it) {
				all = append(all, l)
				delete(missing, l.kind+" "+l.field)
			}
		}
		job := captured(t, n.URLs["manufacturer"], format, doc, http.StatusAccepted)
		if job.Counts.Accepted+job.Counts.Flagged != job.Events || job.State != "indexed" {
			t.Fatalf("%s: %+v", format, job)
		}
		for _, v := range job.Verdicts {
			if v.Kind == "event" && (v.EventID == "" || v.LedgerID == v.EventID) {
				t.Errorf("%s: %+v", format, v)
			}
		}
		// The same given id is the same on the ledger: of the event, and of what takes it back.
		if v := job.Verdicts; v[1].LedgerID == "" || v[1].LedgerID != v[2].LedgerID || v[3].EventID != openID && v[3].EventID != otherOpenID || v[3].LedgerID != "" {
			t.Errorf("%s: %+v", format, v)
		}
	}
	if len(missing) > 0 {
		t.Errorf("no document has %v", slices.Sorted(maps.Keys(missing)))
	}

	made := items[len(items)-1].Message.(*epcis.Event)
	hash, _, err := eventhash.Hash(made)
	if err != nil {
		t.Fatal(err)
	}

	// What fails: refused by the rules of the document, unreadable, and refused because the ledger would reject it.
	secrets := map[string]string{}
	for name, d := range failing(t, hash) {
		captured(t, n.URLs["manufacturer"], d.format, d.text, d.status)
		secrets[d.secret] = name
	}

	// An event is taken back by its given id, which only this partner has. What is sealed in it is not made up anew.
	if back := sent(t, n.URLs["manufacturer"], "/v1/take-back", "application/json", `{"event": "`+hash+`"}`, http.StatusAccepted); back.Counts.Accepted != 1 {
		t.Errorf("%+v", back)
	}

	// What everybody else is answered.
	answers := map[string]string{}
	ask := func(service, path string) {
		if b := get(t, n.URLs[service]+path); b != "" {
			answers[service+path] = b
		}
	}
	for name := range n.URLs {
		ask(name, "/metrics")
	}
	for _, service := range []string{"api", "distributor"} {
		ask(service, "/events?perPage=100")
		ask(service, "/v1/trace?id="+url.QueryEscape(canaryUnit))
		ask(service, "/v1/proof?id="+url.QueryEscape(canaryUnit))
		ask(service, "/v1/search?q=shut")
		ask(service, "/capture")
	}
	for h := 1; h < 40; h++ {
		ask("api", fmt.Sprintf("/v1/blocks/%d", h))
		ask("api", fmt.Sprintf("/v1/blocks/%d/raw", h))
	}
	for _, path := range []string{"/events?perPage=100", "/v1/trace?id=" + url.QueryEscape(canaryUnit)} {
		if !strings.Contains(answers["api"+path], "bizStep") {
			t.Errorf("%s: %.500s", path, answers["api"+path])
		}
	}
	// An answer with stand-ins is as the schema of its format wants it.
	for _, format := range []string{"application/json", "application/xml"} {
		text := get(t, n.URLs["api"]+"/events?perPage=100", format)
		doc, err := epcisdoc.Parse(strings.NewReader(text), epcis.Options{})
		if err != nil || len(doc.Events) < len(items)-2 || !strings.Contains(text, "urn:verilot:sealed:") || !strings.Contains(text, ">sensorElementList<") && !strings.Contains(text, `:"sensorElementList"`) {
			t.Errorf("%s: %d events, %v\n%s", format, len(doc.Events), err, text)
			continue
		}
		for _, p := range doc.Problems {
			if p.Severity == epcis.SeverityError || p.Schema {
				t.Errorf("%s: %s: %s", format, p.Path, p.Message)
			}
		}
	}
	stopped = true
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}

	// What is sealed is where nobody else can see it.
	for _, l := range all {
		if !l.open(table) && l.distinct() {
			secrets[l.text] = l.kind + " " + l.name
		}
	}
	for _, it := range items {
		if ev, ok := it.Message.(*epcis.Event); ok && ev.EventID == "" {
			id, _, err := eventhash.Hash(ev)
			if err != nil {
				t.Fatal(err)
			}
			secrets[id] = "the hash of an event"
		}
	}
	if len(secrets) < 150 {
		t.Errorf("only %d markers are sealed", len(secrets))
	}
	never := func(where, text string) {
		for secret, name := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s: shows %s, %q", where, name, secret)
			}
		}
	}
	never("logs", log.String())
	for where, text := range answers {
		never(where, text)
	}

	// Everybody who keeps bodies has the same: what is open, and nothing else.
	keepers := map[string][][]byte{"broker": ofBroker(t, filepath.Join(dir, "nats"))}
	for _, name := range []string{"validator-1", "validator-2", "validator-3", "validator-4", "api"} {
		keepers[name] = ofChain(t, filepath.Join(dir, name, "chain"))
	}
	for name, payloads := range keepers {
		var got []wire.Item
		for _, payload := range payloads {
			for _, it := range bodyOf(t, n.Genesis.Network[:], payload) {
				if it.Kind == wire.KindDocumentHeader || it.Kind == wire.KindEvent {
					got = append(got, it)
				}
			}
			never(name+", messages", stringsOf(payload, n.Genesis.Network[:]))
		}
		if len(got) < len(items) {
			t.Fatalf("%s keeps %d items of %d", name, len(got), len(items))
		}
		for i, it := range items { // those of the failing documents come after
			same(t, name, table, it, &got[i])
		}
	}
	never("state of a validator", ofStates(t, filepath.Join(dir, "validator-1")))
	never("state of the api", ofStates(t, filepath.Join(dir, "api")))
	for _, name := range []string{"nats", "validator-1", "validator-2", "validator-3", "validator-4", "api", "distributor", "pharmacy"} {
		never("files of "+name, files(t, filepath.Join(dir, name)))
	}
}

// same compares an item that was sent with the one that somebody keeps.
func same(t *testing.T, who string, table map[string]string, sent, kept *wire.Item) {
	t.Helper()
	open := map[commit.Path]string{}
	for _, f := range kept.Committed.Fields {
		open[f.Path] = f.Text
	}
	sealed := map[commit.Path]bool{}
	for _, s := range kept.Sealed {
		sealed[s.Path] = true
	}
	for _, l := range leavesOf(sent) {
		text, is := open[l.path]
		switch want := l.open(table); {
		case want && (!is || text != l.text):
			t.Errorf("%s: %s %s = %q must be open and is %q", who, l.kind, l.name, l.text, text)
		case !want && l.field == "event_id" && text != "" && text != l.text: // another one stands in
			if !sealed[wire.FieldPath(wire.FieldGivenEventID)] {
				t.Errorf("%s: the given id is nowhere", who)
			}
		case !want && strings.HasSuffix(l.field, "corrective_event_ids") && text != l.text:
		case !want && (is || !sealed[l.path]):
			t.Errorf("%s: %s %s = %q must be sealed", who, l.kind, l.name, l.text)
		}
	}
	if !slices.EqualFunc(sent.Committed.Units, kept.Committed.Units, func(a, b commit.Unit) bool { return a.List == b.List && a.Form == b.Form }) {
		t.Errorf("%s: other units than were sent", who)
	}
}

// leaf is a field of a document with its value.
type leaf struct {
	kind, field, name string // field without indexes, as in item.proto; name with them
	path              commit.Path
	typ               commit.Type
	text              string
}

var index = regexp.MustCompile(`\[[0-9]+\]`)

func leavesOf(it *wire.Item) (list []leaf) {
	for _, f := range it.Committed.Fields {
		name := wire.PathName(it.Kind, f.Path)
		field, _, _ := strings.Cut(index.ReplaceAllString(name, ""), "{")
		list = append(list, leaf{wire.KindName(it.Kind), field, name, f.Path, f.Type, f.Text})
	}
	return list
}

// wordsInTheOpen are values of the documents that their places keep open although they are no markers.
var wordsInTheOpen = []string{
	openID, otherOpenID, "true", "urn:epcglobal:cbv:er:did_not_occur", "did_not_occur", "urn:epcglobal:cbv:disp:damaged", "damaged", "urn:epcglobal:cbv:mda#city",
}

// open says whether the page keeps the leaf open. Where that depends on the value, the value of the documents says itself
// whether it is "open" or "shut".
func (l *leaf) open(table map[string]string) bool {
	when, ok := table[l.kind+" "+l.field]
	switch {
	case l.typ == commit.Empty:
		return true // there is no value
	case !ok:
		return false
	case when == "all":
		return !strings.Contains(l.name, "{")
	}
	if strings.Contains(l.text, "shut") {
		return false
	}
	return strings.Contains(l.text, "open") || slices.Contains(wordsInTheOpen, l.text)
}

// distinct: the text can be looked for in bytes.
func (l *leaf) distinct() bool {
	return strings.Contains(l.text, "shut") || strings.Contains(l.text, "7130")
}

// openFields reads the table of docs/private.md.
func openFields(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/private.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| (document_header|event) \\| `([a-z_.]+)` \\| (.*?) \\| ").FindAllStringSubmatch(string(page), -1) {
		table[m[1]+" "+m[2]] = m[3]
	}
	if len(table) < 40 {
		t.Fatalf("the page has %d open fields", len(table))
	}
	return table
}

// leafFields are all fields of headers and events that can hold a value.
func leafFields() map[string]bool {
	out := map[string]bool{}
	var walk func(kind, prefix string, m protoreflect.MessageDescriptor)
	walk = func(kind, prefix string, m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			name := prefix + string(f.Name())
			switch {
			case strings.HasPrefix(string(f.Name()), "given_"), f.Message() != nil && f.Message().Name() == "EPCList":
			case f.Message() == nil || f.Message().Name() == "Extension":
				out[kind+" "+name] = true
			default:
				walk(kind, name+".", f.Message())
			}
		}
	}
	walk("event", "", (&verilotv1.Event{}).ProtoReflect().Descriptor())
	walk("document_header", "", (&verilotv1.DocumentHeader{}).ProtoReflect().Descriptor())
	return out
}

// The documents. A text with "shut" in it is to be sealed, one with "open" stays open; a number or time with 7130 in it is
// to be sealed.

const (
	openID      = "urn:uuid:6ae96341-e0ac-46d7-a261-364751f60e68"
	otherOpenID = "urn:uuid:7ae96341-e0ac-46d7-a261-364751f60e68"
	canaryUnit  = "urn:epc:id:sgtin:0399990.010001.open1"
	private     = "urn:canary:ns"
)

// marks makes markers.
type marks struct {
	format string
	n      int
}

func (m *marks) text() string { m.n++; return fmt.Sprintf("urn:canary:shut:%s%03d", m.format, m.n) }
func (m *marks) time() string { m.n++; return fmt.Sprintf("2024-03-01T01:02:03.7130%03dZ", m.n) }
func (m *marks) number() string {
	m.n++
	return fmt.Sprintf("71304%03d", m.n)
}

// fill puts a marker into every text of v, and one element into every list.
func (m *marks) fill(v reflect.Value) {
	if v.Type() == reflect.TypeFor[epcis.Extension]() {
		return // extensions are made by extensions
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i).Name
			if f.Kind() != reflect.String {
				m.fill(f)
				continue
			}
			switch name {
			case "Time", "StartTime", "EndTime", "CreationDateAndTime", "CreationDate":
				f.SetString(m.time())
			case "Value", "MinValue", "MaxValue", "MeanValue", "SDev", "PercRank", "PercValue":
				f.SetString(m.number())
			case "StringValue":
				f.SetString(m.text() + " with blanks")
			case "HexBinaryValue":
				f.SetString(fmt.Sprintf("7130%04X", m.n))
			case "BooleanValue":
				f.SetString("true")
			default:
				f.SetString(m.text())
			}
		}
	case reflect.Slice:
		if v.Type().Elem() == reflect.TypeFor[epcis.Extension]() {
			v.Set(reflect.ValueOf(m.extensions()))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		m.fill(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		m.fill(v.Elem())
	case reflect.String:
		v.SetString(m.text())
	default:
	}
}

// extensions are a text and a number, and one within another.
func (m *marks) extensions() []epcis.Extension {
	ext := func(typ epcis.ValueType, text string, children ...epcis.Extension) epcis.Extension {
		m.n++
		return epcis.Extension{Namespace: private, Name: fmt.Sprintf("e%03d", m.n), Type: typ, Text: text, Children: children}
	}
	return []epcis.Extension{ext(epcis.Text, m.text()), ext(epcis.Text, m.number()), ext(epcis.NoValue, "", ext(epcis.Text, m.text()))}
}

func (m *marks) event(kind string) epcis.Event {
	e := epcis.Event{
		Type: kind, EventTime: fmt.Sprintf("2024-03-01T00:00:%02d.%03dZ", m.format[0]%60, m.n), EventTimeZoneOffset: "+00:00", Action: "OBSERVE",
		BizStep: "urn:epcglobal:cbv:bizstep:sensor_reporting", Disposition: "urn:epcglobal:cbv:disp:in_progress",
		ReadPoint: &epcis.Place{ID: localnet.DemoMakerSGLN, Extensions: m.extensions()}, BizLocation: &epcis.Place{ID: localnet.DemoMakerSGLN, Extensions: m.extensions()},
		BizTransactionList: []epcis.BizTransaction{{Type: "urn:epcglobal:cbv:btt:po", Value: m.text()}, {Type: "urn:epcglobal:cbv:btt:rma", Value: "urn:canary:open:rma"}},
		SourceList:         []epcis.SourceDest{{Type: "urn:epcglobal:cbv:sdt:owning_party", Value: localnet.DemoMakerSGLN}},
		DestinationList:    []epcis.SourceDest{{Type: "urn:epcglobal:cbv:sdt:owning_party", Value: localnet.DemoDistributorSGLN}},
		Extensions:         m.extensions(), RecordTime: m.time(), CertificationInfo: []string{m.text()},
		PersistentDisposition: &epcis.PersistentDisposition{Set: []string{"urn:epcglobal:cbv:disp:damaged", m.text()}, Unset: []string{m.text()}},
	}
	m.fill(reflect.ValueOf(&e.SensorElementList).Elem())
	return e
}

var quantity = []epcis.Quantity{{EPCClass: "urn:epc:class:lgtin:0399990.010001.open", Quantity: "12", UOM: "KGM"}}

// canary writes the document of a format.
func canary(t *testing.T, format epcis.Format) string {
	t.Helper()
	m := &marks{format: "x"}
	if format == epcis.FormatJSON {
		m.format = "j"
	}
	var h epcis.Header
	m.fill(reflect.ValueOf(&h).Elem())
	h.Prefixes, h.Format, h.SchemaVersion, h.TransactionStatement = nil, "", "2.0", "true"
	h.Vocabularies = []epcis.Vocabulary{
		{Type: "urn:epcglobal:epcis:vtype:Location", Elements: []epcis.VocabularyElement{{
			ID: "urn:canary:open:place", Children: []string{"urn:canary:open:child"},
			Attributes: []epcis.VocabularyAttribute{
				{ID: "urn:epcglobal:cbv:mda#city", Text: "opentown"}, {ID: "urn:epcglobal:cbv:mda#contactEmail", Text: m.text()}, {ID: m.text(), Text: m.text()},
			},
		}}},
		{Type: "urn:canary:shut:vtype", Extensions: m.extensions(), Elements: []epcis.VocabularyElement{{
			ID: m.text(), Extensions: m.extensions(), Children: []string{m.text()}, Attributes: []epcis.VocabularyAttribute{{ID: m.text(), Text: m.text()}, {ID: m.text(), Children: m.extensions()}},
		}}},
	}
	object := m.event("ObjectEvent")
	object.Action, object.EventID = "ADD", m.text()
	object.EPCList, object.QuantityList = []string{canaryUnit}, quantity
	object.ILMD = append([]epcis.Extension{{Namespace: epcis.NamespaceMDA, Name: "lotNumber", Type: epcis.Text, Text: "open" + m.format}}, m.extensions()...)
	withdrawn := epcis.Withdraw(object, "2024-03-02T00:00:00Z", epcis.DidNotOccur, m.text(), openID)
	withdrawn.ErrorDeclaration.Extensions = m.extensions()
	pack := m.event("AggregationEvent")
	pack.EventID, pack.PersistentDisposition = openID, nil // which the JSON schema does not have here
	if m.format == "j" {
		pack.EventID = otherOpenID
	}
	pack.ParentID, pack.ChildEPCs, pack.ChildQuantityList = "urn:epc:id:sscc:0399990.0000000001", []string{canaryUnit}, quantity
	made := m.event("TransformationEvent") // gets its hash as its id
	made.Action, made.TransformationID = "", m.text()
	made.InputEPCList, made.InputQuantityList = []string{canaryUnit}, quantity
	made.OutputEPCList, made.OutputQuantityList = []string{canaryUnit + "2"}, quantity
	made.ILMD = m.extensions()

	var b bytes.Buffer
	e, err := epcisdoc.NewEncoder(&b, epcis.Head{Header: &h}, epcis.WriteOptions{Format: format})
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range []*epcis.Event{&object, &withdrawn, &pack, &made} {
		if err := e.Event(ev, ev.RecordTime); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Close(); err != nil { // what the format has no place for is in the other
		t.Fatal(err)
	}
	return b.String()
}

// itemsOf reads a document into the items that its sender wants recorded.
func itemsOf(t *testing.T, text string) (list []*wire.Item) {
	t.Helper()
	doc, err := epcisdoc.Parse(strings.NewReader(text), epcis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range doc.Problems {
		if p.Severity == epcis.SeverityError {
			t.Fatalf("%s\n%s", p.Message, text)
		}
	}
	items := []wire.Item{{Kind: wire.KindDocumentHeader, Message: &doc.Header}}
	for i := range doc.Events {
		items = append(items, wire.Item{Kind: wire.KindEvent, Message: &doc.Events[i].Event})
	}
	if _, err := wire.EncodeBody(items); err != nil {
		t.Fatal(err)
	}
	for i := range items {
		list = append(list, &items[i])
	}
	return list
}

type failed struct {
	format epcis.Format
	text   string
	status int
	secret string
}

// failing are documents that come to nothing, each with one sealed value. One has the id of another event.
func failing(t *testing.T, id string) map[string]failed {
	t.Helper()
	document := func(m *marks, change func(*epcis.Event)) string {
		ev := m.event("ObjectEvent")
		ev.EPCList = []string{canaryUnit}
		change(&ev)
		var b bytes.Buffer
		if _, err := epcisdoc.EncodeEvent(&b, &ev, "", epcis.WriteOptions{Format: epcis.FormatJSON}); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument", "schemaVersion": "2.0",
			"creationDate": "2024-03-01T00:00:00Z", "epcisBody": {"eventList": [%s]}}`, b.String())
	}
	secret := func(name string) (string, func(*epcis.Event)) {
		s := "urn:canary:shut:" + name
		return s, func(e *epcis.Event) { e.BizTransactionList[0].Value = s }
	}
	refused, put1 := secret("refused")
	rejected, put2 := secret("rejected")
	return map[string]failed{
		"refused":    {epcis.FormatJSON, document(&marks{format: "r"}, func(e *epcis.Event) { put1(e); e.EventTime = refused }), http.StatusBadRequest, refused},
		"rejected":   {epcis.FormatJSON, document(&marks{format: "q"}, func(e *epcis.Event) { put2(e); e.EventID = id }), http.StatusConflict, rejected},
		"unreadable": {epcis.FormatXML2, "<epcis:EPCISDocument><note>urn:canary:shut:unreadable</note>", http.StatusBadRequest, "urn:canary:shut:unreadable"},
	}
}

// job is what of a capture job is looked at.
type job struct {
	State    string
	Events   int
	Counts   struct{ Accepted, Flagged, Duplicate, Rejected int }
	Verdicts []struct {
		Kind, Verdict, Code, EventID string
		LedgerID                     string `json:"ledgerEventID"`
	}
}

// captured sends a document and waits for its verdicts.
func captured(t *testing.T, service string, format epcis.Format, text string, status int) (out job) {
	t.Helper()
	kind := "application/xml"
	if format == epcis.FormatJSON {
		kind = "application/json"
	}
	return sent(t, service, "/capture", kind, text, status)
}

func sent(t *testing.T, service, path, kind, text string, status int) (out job) {
	t.Helper()
	resp := request(t, http.MethodPost, service+path, kind, text)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%d %v %s\n%s", resp.StatusCode, err, b, text)
	}
	if status != http.StatusAccepted {
		return out
	}
	b = []byte(get(t, service+resp.Header.Get("Location")+"?wait=indexed&timeout=60s"))
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return out
}

func request(t *testing.T, method, address, kind, body string, accept ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for _, a := range accept {
		req.Header.Set("Accept", a)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func get(t *testing.T, address string, accept ...string) string {
	t.Helper()
	resp := request(t, http.MethodGet, address, "", "", accept...)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// bodyOf decodes the body of a submission; nil for any other message.
func bodyOf(t *testing.T, network, payload []byte) []wire.Item {
	t.Helper()
	body := rawBody(network, payload)
	if body == nil {
		return nil
	}
	items, err := wire.DecodeBody(body)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func rawBody(network, payload []byte) []byte {
	_, raw, err := submission.DecodeHeader([16]byte(network), payload)
	if err != nil {
		return nil
	}
	return payload[len(raw)+ed25519.SignatureSize:]
}

// stringsOf are the bytes of a message and every text in its body, as the protobuf library reads it, which knows nothing
// of our tables. Identifiers are put together.
func stringsOf(payload, network []byte) string {
	var b strings.Builder
	b.Write(payload)
	var body verilotv1.SubmissionBody
	if raw := rawBody(network, payload); raw == nil || proto.Unmarshal(raw, &body) != nil {
		return b.String()
	}
	var walk func(m protoreflect.Message)
	walk = func(m protoreflect.Message) {
		if run, ok := m.Interface().(*verilotv1.EPCRun); ok {
			for _, tail := range run.GetTails() {
				b.WriteString("\n" + run.GetPrefix() + tail)
			}
		}
		m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			one := func(v protoreflect.Value) {
				if f.Message() != nil {
					walk(v.Message())
				} else {
					b.WriteString("\n" + v.String())
				}
			}
			if !f.IsList() {
				one(v)
				return true
			}
			for i := range v.List().Len() {
				one(v.List().Get(i))
			}
			return true
		})
	}
	walk(body.ProtoReflect())
	return b.String()
}

// ofBroker reads the stream again, from a broker over the same folder.
func ofBroker(t *testing.T, dir string) (payloads [][]byte) {
	t.Helper()
	s, err := bus.Embed(bus.EmbedOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	b, err := bus.Connect(t.Context(), bus.Options{Server: s, Name: "canary"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	last, err := b.LastSeq(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Read(t.Context(), 1, last, func(m bus.Message) error {
		payloads = append(payloads, slices.Clone(m.Data))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return payloads
}

// ofChain reads the blocks that somebody keeps.
func ofChain(t *testing.T, dir string) (payloads [][]byte) {
	t.Helper()
	blocks, err := store.OpenBlocks(filepath.Join(dir, "blocks"), store.LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocks.Close() }()
	for h := uint64(1); h <= blocks.Head(); h++ {
		b, err := blocks.Read(h)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, b.Payloads...)
		for _, list := range [][][]byte{b.Verdicts, b.Leaves} { // of messages there are only hashes in them
			payloads = append(payloads, list...)
		}
	}
	return payloads
}

// ofStates reads everything in the key/value stores of a service, and in its log of writes.
func ofStates(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	stores := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != badger.ManifestFilename {
			return err
		}
		managed := filepath.Base(filepath.Dir(path)) == "state"
		open := badger.Open
		if managed {
			open = badger.OpenManaged
		}
		db, err := open(badger.DefaultOptions(filepath.Dir(path)).WithLogger(nil))
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		stores++
		var txn *badger.Txn
		if managed {
			txn = db.NewTransactionAt(math.MaxUint64, false)
		} else {
			txn = db.NewTransaction(false)
		}
		defer txn.Discard()
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			v, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			out.Write(it.Item().Key())
			out.Write(v)
		}
		return nil
	})
	if err != nil || stores == 0 {
		t.Fatalf("%d stores in %s: %v", stores, dir, err)
	}
	log, err := store.OpenLog(filepath.Join(dir, "chain", "writes"), store.LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	if err := log.Iterate(log.First(), func(_ uint64, r store.Record) error { out.Write(r.Data); return nil }); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// files are the bytes of everything in a folder.
func files(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// lockedBuffer is a log that several services write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
