package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/registry"
)

var network = canonical.Network{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// shipping is an event with a bit of everything.
func shipping() *epcis.Event {
	return &epcis.Event{
		Type: "ObjectEvent", EventTime: "2026-03-01T09:00:00.000-05:00", EventTimeZoneOffset: "-05:00",
		Action: "OBSERVE", BizStep: "shipping", Disposition: "in_transit",
		PersistentDisposition: &epcis.PersistentDisposition{Set: []string{"completeness_verified"}},
		CertificationInfo:     []string{"", "https://example.org/cert"},
		ReadPoint:             &epcis.Place{ID: "urn:epc:id:sgln:030001.111111.0"},
		BizLocation:           &epcis.Place{},
		BizTransactionList:    []epcis.BizTransaction{{Type: "po", Value: "urn:epc:id:gdti:0614141.00001.1618034"}, {Value: "urn:uuid:1"}},
		SourceList:            []epcis.SourceDest{{Type: "owning_party", Value: "urn:epc:id:pgln:030001.111111"}},
		SensorElementList: []epcis.SensorElement{{
			Metadata: &epcis.SensorMetadata{Time: "2026-03-01T09:00:00Z"},
			Reports:  []epcis.SensorReport{{Type: "Temperature", Value: "4.50", UOM: "CEL"}},
		}},
		ILMD: []epcis.Extension{{Namespace: "urn:epcglobal:cbv:mda", Name: "lotNumber", Type: epcis.Text, Text: "A1"}},
		Extensions: []epcis.Extension{
			{Namespace: "http://example.org/", Name: "price", Attributes: []epcis.Extension{{Name: "currency", Type: epcis.Text, Text: "USD"}}, Type: epcis.Number, Text: "9.50"},
			{Namespace: "http://example.org/", Name: "nothing", Type: epcis.Null},
			{Namespace: "http://example.org/", Name: "bare"},
			{Namespace: "http://epcis.gs1us.org/hc/ns", Name: "dscsaTransactionStatement", Children: []epcis.Extension{
				{Namespace: "http://epcis.gs1us.org/hc/ns", Name: "affirmTransactionStatement", Type: epcis.Boolean, Text: "true"},
			}},
		},
		EPCList: []string{"urn:epc:id:sgtin:030001.0012345.10000000001", "urn:epc:id:sgtin:030001.0012345.10000000002", "urn:epc:id:sscc:030001.00000000001"},
	}
}

func TestEventThereAndBack(t *testing.T) {
	items := []Item{{Kind: KindEvent, Salt: [32]byte{7}, Message: shipping()}}
	body, err := EncodeBody(items)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeBody(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shipping(), got[0].Message); diff != "" {
		t.Error(diff)
	}
	if !reflect.DeepEqual(got[0].Committed, items[0].Committed) {
		t.Error("encoding and decoding commit to different things")
	}
	var leaves []string
	for _, f := range got[0].Committed.Fields {
		leaves = append(leaves, fmt.Sprintf("%s = %s %q", PathName(KindEvent, f.Path), f.Type, f.Text))
	}
	want := strings.Split(strings.TrimSpace(`
type = text "ObjectEvent"
event_time = text "2026-03-01T09:00:00.000-05:00"
event_time_zone_offset = text "-05:00"
certification_info[0] = text ""
certification_info[1] = text "https://example.org/cert"
action = text "OBSERVE"
biz_step = text "shipping"
disposition = text "in_transit"
persistent_disposition.set[0] = text "completeness_verified"
read_point.id = text "urn:epc:id:sgln:030001.111111.0"
biz_location = empty ""
biz_transaction_list[0].type = text "po"
biz_transaction_list[0].value = text "urn:epc:id:gdti:0614141.00001.1618034"
biz_transaction_list[1].value = text "urn:uuid:1"
source_list[0].type = text "owning_party"
source_list[0].value = text "urn:epc:id:pgln:030001.111111"
sensor_element_list[0].metadata.time = text "2026-03-01T09:00:00Z"
sensor_element_list[0].reports[0].type = text "Temperature"
sensor_element_list[0].reports[0].value = text "4.50"
sensor_element_list[0].reports[0].uom = text "CEL"
ilmd[0]{urn:epcglobal:cbv:mda lotNumber} = text "A1"
extensions[0]{http://example.org/ price} = number "9.50"
extensions[0]{http://example.org/ price}.attributes[0]{currency} = text "USD"
extensions[1]{http://example.org/ nothing} = null ""
extensions[2]{http://example.org/ bare} = empty ""
extensions[3]{http://epcis.gs1us.org/hc/ns dscsaTransactionStatement}.children[0]{http://epcis.gs1us.org/hc/ns affirmTransactionStatement} = boolean "true"
`), "\n")
	if diff := cmp.Diff(want, leaves); diff != "" {
		t.Error(diff)
	}
	var units []string
	for _, u := range got[0].Committed.Units {
		units = append(units, fmt.Sprintf("%s %s", u.List, u.Key))
	}
	wantUnits := []string{"epcList 01003000101234552110000000001", "epcList 01003000101234552110000000002", "epcList 00003000100000000015"}
	if diff := cmp.Diff(wantUnits, units); diff != "" {
		t.Error(diff)
	}
}

// Every way to say the same in other bytes, or to say what cannot be, is refused.
func TestOtherReadingsAreRefused(t *testing.T) {
	salt := strings.Repeat("\x05", 32)
	field := func(n protowire.Number, s string) string {
		return string(protowire.AppendString(protowire.AppendTag(nil, n, protowire.BytesType), s))
	}
	number := func(n protowire.Number, v uint64) string {
		return string(protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v))
	}
	item := func(parts ...string) string { return field(1, strings.Join(parts, "")) }
	event := func(parts ...string) string { return item(field(1, salt), field(11, strings.Join(parts, ""))) }
	lot := func(parts ...string) string { return item(field(1, salt), field(14, strings.Join(parts, ""))) }
	ext := func(parts ...string) string { return event(field(24, strings.Join(parts, ""))) }
	run := func(parts ...string) string { return field(1, strings.Join(parts, "")) }
	sealed := func(path, hash string) string {
		return item(field(1, salt), field(2, field(1, path)+field(2, hash)), field(11, ""))
	}
	nest := func(depth int) string {
		s := field(3, "")[:0]
		for range depth {
			s = field(6, s)
		}
		return ext(s)
	}
	const sgtin = "urn:epc:id:sgtin:030001.0012345."
	path := string(FieldPath(1))
	hash := strings.Repeat("\x09", 32)

	refused := []struct{ name, body string }{
		{"not protobuf", "hello"},
		{"unknown field in the body", field(2, "x")},
		{"items as a number", number(1, 5)},
		{"item longer than the body", "\x0a\x7f"},
		{"group wire type", "\x0b\x0c"},
		{"fixed32", "\x0d\x01\x02\x03\x04"},
		{"field number 0", "\x02\x00"},
		{"field number too great", "\xfa\xff\xff\xff\xff\x01\x00"},
		{"length in too many bytes", "\x0a\x80\x00"},
		{"tag in too many bytes", "\x8a\x00\x00"},
		{"item without salt", item(field(11, ""))},
		{"salt of 31 bytes", item(field(1, salt[1:]), field(11, ""))},
		{"salt twice", item(field(1, salt), field(1, salt), field(11, ""))},
		{"item without kind", item(field(1, salt))},
		{"two kinds", item(field(1, salt), field(11, ""), field(12, ""))},
		{"a kind twice", item(field(1, salt), field(11, ""), field(11, ""))},
		{"an unknown kind and a known", item(field(1, salt), field(11, ""), field(20, "x"))},
		{"unknown field below the kinds", item(field(1, salt), field(9, ""))},
		{"unknown field above the kinds", item(field(1, salt), field(256, ""))},
		{"an unknown kind as a number", item(field(1, salt), number(20, 1))},
		{"sealed leaf behind the kind", item(field(1, salt), field(11, ""), field(2, field(1, path)+field(2, hash)))},
		{"sealed leaf without a path", item(field(1, salt), field(2, field(2, hash)), field(11, ""))},
		{"sealed leaf without a hash", item(field(1, salt), field(2, field(1, path)), field(11, ""))},
		{"sealed hash of 31 bytes", sealed(path, hash[1:])},
		{"sealed path malformed", sealed("\x01\x00", hash)},
		{"sealed path begins with an index", sealed("\x02\x00\x00\x00\x01", hash)},
		{"sealed path empty", sealed("", hash)},
		{"sealed path is the count's", sealed("\x04", hash)},
		{"sealed path name not UTF-8", sealed(path+"\x03\x00\x00\x00\x01\xff", hash)},
		{"sealed twice", item(field(1, salt), field(2, field(1, path)+field(2, hash)), field(2, field(1, path)+field(2, hash)), field(11, ""))},
		{"sealed fields out of order", item(field(1, salt), field(2, field(2, hash)+field(1, path)), field(11, ""))},
		{"unknown field in an event", event(field(25, "x"))},
		{"fields out of order", event(field(2, "t"), field(1, "x"))},
		{"singular text twice", event(field(1, "x"), field(1, "y"))},
		{"singular message twice", event(field(13, ""), field(13, ""))},
		{"empty text written out", event(field(1, ""))},
		{"text not UTF-8", event(field(1, "\xff"))},
		{"repeated text not UTF-8", event(field(7, "\xed\xa0\x80"))},
		{"text as a number", event(number(1, 1))},
		{"zero number written out", lot(number(4, 0))},
		{"number as text", lot(field(4, "x"))},
		{"number over 32 bits", item(field(1, salt), field(13, number(9, 1<<32)))},
		{"empty bytes written out", item(field(1, salt), field(18, field(3, "")))},
		{"extension of type 6", ext(field(2, "n"), number(3, 6))},
		{"extension of type 256", ext(field(2, "n"), number(3, 256))},
		{"extension with a text and no type", ext(field(2, "n"), field(4, "t"))},
		{"null extension with a text", ext(field(2, "n"), number(3, 4), field(4, "t"))},
		{"nested 33 deep", nest(30)},
		{"path too long", ext(field(1, strings.Repeat("n", 40000)), field(2, strings.Repeat("n", 40000)))},
		{"name too long", ext(field(1, strings.Repeat("n", 70000)))},
		{"EPC list without a run", event(field(31, ""))},
		{"EPC run without a tail", event(field(31, run(field(1, sgtin))))},
		{"empty EPC run", event(field(31, run()))},
		{"EPC run cut too early", event(field(31, run(field(1, "urn:epc:id:sgtin:030001."), field(2, "0012345.1"))))},
		{"EPC run not cut", event(field(31, run(field(2, sgtin+"1"))))},
		{"EPC run cut too late", event(field(31, run(field(1, sgtin+"1"), field(2, "2"))))},
		{"EPC run with an empty prefix written out", event(field(31, run(field(1, ""), field(2, "urn:x:1"))))},
		{"EPC runs that are one", event(field(31, run(field(1, sgtin), field(2, "1"))+run(field(1, sgtin), field(2, "2"))))},
		{"EPC run out of order", event(field(31, run(field(2, "1"), field(1, sgtin))))},
		{"EPC run with an unknown field", event(field(31, run(field(1, sgtin), field(2, "1"), field(3, "x"))))},
		{"id as given, in the open", event(field(25, "urn:x:1"))},
		{"corrective id as given, in the open", event(field(6, field(5, "urn:x:1")))},
		{"EPC malformed", event(field(31, run(field(1, sgtin), field(2, "1 2"))))},
		{"EPC empty", event(field(31, run(field(2, ""))))},
		{"EPC tail not UTF-8", event(field(31, run(field(1, sgtin), field(2, "\xff"))))},
		{"EPC list as a number", event(number(31, 1))},
		{"two parents", event(field(32, run(field(1, "urn:epc:id:sscc:030001."), field(2, "00000000001"), field(2, "00000000002"))))},
		{"an EPC list twice", event(field(31, run(field(1, sgtin), field(2, "1"))), field(31, run(field(1, sgtin), field(2, "2"))))},
		{"parent twice", event(field(32, run(field(1, "urn:epc:id:sscc:030001."), field(2, "00000000001"))), field(32, run(field(1, "urn:epc:id:sscc:030001."), field(2, "00000000001"))))},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			items, err := DecodeBody([]byte(tt.body))
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("decoded to %+v, error %v", items, err)
			}
		})
	}
	read := []struct{ name, body string }{
		{"no items", ""},
		{"an event without fields", event()},
		{"an unknown kind", item(field(1, salt), field(20, "anything"))},
		{"an unknown kind without bytes", item(field(1, salt), field(255, ""))},
		{"nested 32 deep", nest(28)},
		{"sealed", sealed(path, hash)},
		{"extension without anything", ext()},
		{"sealed id as given", sealed(string(FieldPath(FieldGivenEventID)), hash)},
		{"sealed corrective id as given", sealed(string(FieldPath(FieldErrorDeclaration).Field(givenCorrectiveIDs).Index(0)), hash)},
	}
	for _, tt := range read {
		t.Run(tt.name, func(t *testing.T) {
			items, err := DecodeBody([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if again, err := EncodeBody(items); err != nil || string(again) != tt.body {
				t.Errorf("again %x (%v), was %x", again, err, tt.body)
			}
		})
	}

	// The same for other languages. Long bodies are left out.
	type vector struct {
		Name  string `json:"name"`
		Body  string `json:"body"`
		Error bool   `json:"error,omitempty"`
	}
	file := struct {
		Spec  string   `json:"spec"`
		About string   `json:"about"`
		Cases []vector `json:"cases"`
	}{Spec: "5.2", About: "Bodies that have one reading, and bodies that are refused. Bytes are hex."}
	for _, tt := range read {
		file.Cases = append(file.Cases, vector{tt.name, hex.EncodeToString([]byte(tt.body)), false})
	}
	for _, tt := range refused {
		if len(tt.body) < 1000 {
			file.Cases = append(file.Cases, vector{tt.name, hex.EncodeToString([]byte(tt.body)), true})
		}
	}
	b, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	vectors := filepath.Join("..", "testdata", "vectors", "submission-body.json")
	if *update {
		if err := os.WriteFile(vectors, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(b), "\n")); diff != "" {
		t.Errorf("a changed old vector is a fork (-file +now)\n%s", diff)
	}
}

var update = flag.Bool("update", false, "rewrite the golden file")

func TestLimits(t *testing.T) {
	items := make([]Item, MaxItems+1)
	for i := range items {
		items[i] = Item{Kind: KindEvent, Message: &epcis.Event{}}
	}
	if _, err := EncodeBody(items[:MaxItems]); err != nil {
		t.Error(err)
	}
	if _, err := EncodeBody(items); !errors.Is(err, ErrItems) {
		t.Error(err)
	}
	epcs := make([]string, MaxUnits+1)
	for i := range epcs {
		epcs[i] = fmt.Sprintf("urn:epc:id:sgtin:030001.0012345.%d", i)
	}
	half := MaxUnits / 2
	two := func(last int) []Item {
		return []Item{
			{Kind: KindEvent, Message: &epcis.Event{EPCList: epcs[:half]}},
			{Kind: KindRecall, Message: &registry.Recall{Units: epcs[half:last]}},
		}
	}
	if _, err := EncodeBody(two(MaxUnits)); err != nil {
		t.Error(err)
	}
	if _, err := EncodeBody(two(MaxUnits + 1)); !errors.Is(err, ErrUnits) {
		t.Error(err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		item Item
	}{
		{"a message of another kind", Item{Kind: KindLot, Message: &epcis.Event{}}},
		{"no message", Item{Kind: KindEvent}},
		{"a nil message", Item{Kind: KindEvent, Message: (*epcis.Event)(nil)}},
		{"a kind that cannot be", Item{Kind: 3}},
		{"text that is not UTF-8", Item{Kind: KindEvent, Message: &epcis.Event{Type: "\xff"}}},
		{"an EPC that is none", Item{Kind: KindEvent, Message: &epcis.Event{EPCList: []string{"hello"}}}},
		{"an uncommitted text", Item{Kind: KindEvent, Message: &epcis.Event{ILMD: []epcis.Extension{{Name: "x", Text: "y"}}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if body, err := EncodeBody([]Item{tt.item}); err == nil {
				t.Errorf("encoded to %x", body)
			}
		})
	}
}

func TestSealing(t *testing.T) {
	open := shipping()
	it := Item{Kind: KindEvent, Salt: [32]byte{7}, Message: open}
	salt := byte(0)
	known, err := Seal(network, &it, DefaultSealed(&it), func() (s [32]byte) {
		salt++
		return [32]byte(bytes.Repeat([]byte{salt}, 32))
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range known {
		names = append(names, PathName(KindEvent, v.Path)+" = "+v.Text)
	}
	want := []string{
		"certification_info[0] = ",
		"certification_info[1] = https://example.org/cert",
		"biz_transaction_list[0].value = urn:epc:id:gdti:0614141.00001.1618034",
		"biz_transaction_list[1].value = urn:uuid:1",
		"sensor_element_list[0].metadata.time = 2026-03-01T09:00:00Z",
		"sensor_element_list[0].reports[0].type = Temperature",
		"sensor_element_list[0].reports[0].value = 4.50",
		"sensor_element_list[0].reports[0].uom = CEL",
		"extensions[0]{http://example.org/ price} = 9.50",
		"extensions[0]{http://example.org/ price}.attributes[0]{currency} = USD",
		"extensions[1]{http://example.org/ nothing} = ",
		"extensions[3]{http://epcis.gs1us.org/hc/ns dscsaTransactionStatement}.children[0]{http://epcis.gs1us.org/hc/ns affirmTransactionStatement} = true",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(shipping(), open); diff != "" {
		t.Error("the message given was changed", diff)
	}
	items := []Item{it}
	body, err := EncodeBody(items)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"1618034", "urn:uuid:1", "9.50", "USD"} {
		if bytes.Contains(body, []byte(secret)) {
			t.Errorf("%q is on the stream", secret)
		}
	}
	got, err := DecodeBody(body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commit.Commit(network, &got[0].Committed); err != nil {
		t.Error(err)
	}
	// As many leaves as before: a sealed leaf stands for its field, and nothing else comes in.
	plain := []Item{{Kind: KindEvent, Message: shipping()}}
	if _, err := EncodeBody(plain); err != nil {
		t.Fatal(err)
	}
	if a, b := len(got[0].Committed.Fields)+len(got[0].Sealed), len(plain[0].Committed.Fields); a != b {
		t.Errorf("%d leaves sealed, %d open", a, b)
	}
	back, err := Unseal(&got[0], known)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shipping(), back); diff != "" {
		t.Error(diff)
	}
	// A value is of use only where it belongs.
	elsewhere := []commit.SealedValue{{Path: known[8].Path.Field(5), Type: commit.Text, Text: "x"}}
	if _, err := Unseal(&got[0], elsewhere); err == nil {
		t.Error("a value without a place was put back")
	}
	renamed := got[0]
	renamed.Message = shipping()
	renamed.Message.(*epcis.Event).Extensions[0].Name = "cost"
	if _, err := Unseal(&renamed, known[8:9]); err == nil {
		t.Error("a value was put under another name")
	}
}

// All kinds of leaf can be sealed and come back.
func TestSealEverything(t *testing.T) {
	for _, m := range []struct {
		kind    uint8
		message any
	}{
		{KindEvent, &epcis.Event{Type: "x", CertificationInfo: []string{"a", "b"}, ErrorDeclaration: &epcis.ErrorDeclaration{Reason: "r", CorrectiveEventIDs: []string{"1"}}}},
		{KindProduct, &registry.Product{GTIN: "1", CompanyPrefixLength: 7, ContainsCount: 12}},
		{KindAnchor, &registry.Anchor{Log: "l", Size: 1 << 40, Root: []byte{1, 2}}},
		{KindPartyAct, &registry.Act{Party: "p", RevokedKeys: [][]byte{{1}, {2}}, Keys: []registry.Key{{PublicKey: []byte{1}, Use: "event"}}}},
		{KindGovernance, &registry.Governance{Act: "a", EffectiveHeight: 9, Payload: []byte{1}, Signatures: []registry.GovernanceSignature{{KeyID: []byte{2}}}}},
		{KindDocumentHeader, &epcis.Header{
			SchemaVersion: "2.0", TransactionStatement: "true",
			SBDH:         &epcis.SBDH{Senders: []epcis.SBDHPartner{{Authority: "SGLN", Identifier: "x"}}},
			Vocabularies: []epcis.Vocabulary{{Type: "t", Elements: []epcis.VocabularyElement{{ID: "i", Children: []string{"c"}, Attributes: []epcis.VocabularyAttribute{{ID: "a", Text: "t"}}}}}},
		}},
	} {
		it := Item{Kind: m.kind, Message: m.message}
		known, err := Seal(network, &it, func(commit.Field) bool { return true }, func() [32]byte { return [32]byte{1} })
		if err != nil {
			t.Fatal(err)
		}
		items := []Item{it}
		if _, err := EncodeBody(items); err != nil {
			t.Fatal(err)
		}
		if left := items[0].Committed.Fields; len(left) != 0 || len(known) == 0 {
			t.Errorf("kind %d: left open: %v", m.kind, left)
		}
		back, err := Unseal(&it, known)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m.message, back); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDefaultSealed(t *testing.T) {
	const mda, own = "urn:epcglobal:cbv:mda", "http://example.org/"
	ev := Item{Kind: KindEvent, Message: &epcis.Event{BizTransactionList: []epcis.BizTransaction{{Type: epcis.BTTPrefix + "po"}, {Type: epcis.BTTPrefix + epcis.ReturnAuthorization}}}}
	attributes := func(ids ...string) (list []epcis.VocabularyAttribute) {
		for _, id := range ids {
			list = append(list, epcis.VocabularyAttribute{ID: id})
		}
		return list
	}
	header := Item{Kind: KindDocumentHeader, Message: &epcis.Header{Vocabularies: []epcis.Vocabulary{
		{Type: "urn:epcglobal:epcis:vtype:Location", Elements: []epcis.VocabularyElement{{Attributes: attributes(mda+"#city", mda+":name", "cbvmda:state", mda+"#contactEmail", own+"#city")}}},
		{Type: "urn:acme:employees", Elements: []epcis.VocabularyElement{{Attributes: attributes(mda + "#name")}}},
	}}}
	attribute := func(vocabulary, k, field uint32) commit.Path {
		return FieldPath(5).Index(vocabulary).Field(2).Index(0).Field(2).Index(k).Field(field)
	}
	for _, tt := range []struct {
		name string
		it   *Item
		path commit.Path
		text string
		want bool
	}{
		{"event time", &ev, FieldPath(FieldEventTime), "", false},
		{"record time as captured", &ev, FieldPath(FieldRecordTime), "", true},
		{"certification", &ev, FieldPath(FieldCertificationInfo).Index(0), "", true},
		{"transformation", &ev, FieldPath(FieldTransformationID), "", true},
		{"purchase order number", &ev, BizTransactionValue(3), "", true},
		{"number of a return authorisation", &ev, BizTransactionValue(1), "", false},
		{"its type", &ev, FieldPath(FieldBizTransactionList).Index(3).Field(1), "", false},
		{"lot", &ev, FieldPath(FieldILMD).Index(0).Name(mda, "lotNumber"), "", false},
		{"expiry, colon", &ev, FieldPath(FieldILMD).Index(0).Name(mda+":", "itemExpirationDate"), "", false},
		{"attribute of a lot", &ev, FieldPath(FieldILMD).Index(0).Name(mda, "lotNumber").Field(5).Index(0).Name("", "y"), "", true},
		{"lot within another element", &ev, FieldPath(FieldILMD).Index(0).Name(mda, "x").Field(6).Index(0).Name(mda, "lotNumber"), "", true},
		{"another element of CBV", &ev, FieldPath(FieldILMD).Index(0).Name(mda, "countryOfOrigin"), "", true},
		{"own master data", &ev, FieldPath(FieldILMD).Index(0).Name(own, "recipe"), "", true},
		{"drop shipment", &ev, FieldPath(FieldExtensions).Index(0).Name(epcis.NamespaceHC, "dropShipment"), "true", false},
		{"free text for a drop shipment", &ev, FieldPath(FieldExtensions).Index(0).Name(epcis.NamespaceHC, "dropShipment"), "for J. Doe", true},
		{"another one's drop shipment", &ev, FieldPath(FieldExtensions).Index(0).Name(own, "dropShipment"), "true", true},
		{"extension of US healthcare", &ev, FieldPath(FieldExtensions).Index(0).Name(epcis.NamespaceHC, "note"), "", true},
		{"extension without namespace", &ev, FieldPath(FieldExtensions).Index(0).Name("", "y"), "", true},
		{"read point", &ev, FieldPath(FieldReadPoint).Field(1), "", false},
		{"at a read point", &ev, FieldPath(FieldReadPoint).Field(2).Index(0).Name(own, "dock"), "", true},
		{"persistent disposition", &ev, FieldPath(FieldPersistentDisposition).Field(1).Index(0), "urn:epcglobal:cbv:disp:damaged", false},
		{"a disposition of one's own", &ev, FieldPath(FieldPersistentDisposition).Field(1).Index(0), "urn:acme:damaged", true},
		{"reason of an error", &ev, FieldPath(FieldErrorDeclaration).Field(2), "https://ref.gs1.org/cbv/ER-did_not_occur", false},
		{"free reason of an error", &ev, FieldPath(FieldErrorDeclaration).Field(2), "J. Doe: did_not_occur", true},
		{"in an error declaration", &ev, FieldPath(FieldErrorDeclaration).Field(4).Index(0).Name(own, "note"), "", true},
		{"sensor value", &ev, FieldPath(FieldSensorElementList).Index(0).Field(2).Index(0).Field(12), "", true},
		{"quantity", &ev, FieldPath(FieldQuantityList).Index(0).Field(2), "", false},
		{"contact of a sender", &header, FieldPath(4).Field(1).Index(0).Field(3).Index(0).Name("urn:sbdh", "EmailAddress"), "", true},
		{"instance identifier", &header, FieldPath(4).Field(5), "", true},
		{"transaction statement", &header, FieldPath(8), "true", false},
		{"another statement", &header, FieldPath(8), "yes, says J. Doe", true},
		{"legal notice", &header, FieldPath(9), "", true},
		{"a header's own element", &header, FieldPath(6).Index(0).Name(own, "note"), "", true},
		{"id of master data", &header, FieldPath(5).Index(0).Field(2).Index(0).Field(1), "", false},
		{"id of other data", &header, FieldPath(5).Index(1).Field(2).Index(0).Field(1), "", true},
		{"city, name of the attribute", &header, attribute(0, 0, 1), "", false},
		{"city", &header, attribute(0, 0, 2), "", false},
		{"name, with a colon", &header, attribute(0, 1, 2), "", false},
		{"state, in JSON", &header, attribute(0, 2, 2), "", false},
		{"contact", &header, attribute(0, 3, 2), "", true},
		{"foreign attribute, its name", &header, attribute(0, 4, 1), "", true},
		{"name in other data", &header, attribute(1, 0, 2), "", true},
		{"registrations", &Item{Kind: KindPartyAct, Message: &registry.Act{}}, FieldPath(2), "", false},
	} {
		if got := DefaultSealed(tt.it)(commit.Field{Path: tt.path, Type: commit.Text, Text: tt.text}); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// A text as captured that another stands in for is nowhere in a message, only sealed.
func TestGivenIsSealed(t *testing.T) {
	for name, path := range map[string][]protowire.Number{"eventID": {25}, "correctiveEventID": {6, 5}} {
		b := []byte("x")
		for _, n := range slices.Backward(path) {
			b = append(protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.BytesType), uint64(len(b))), b...)
		}
		if _, err := kinds[KindEvent].decode(newDecoder(), string(b)); !errors.Is(err, errGiven) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An id that tells something is sealed, and another stands in for it; put back, it is what was given.
func TestSealIDs(t *testing.T) {
	const (
		hash = "ni:///sha-256;6ae96341e0acc6d7a261364751f60e68278a81cdf51da0abb6b4e617014e39d7?ver=CBV2.0"
		v1   = "urn:uuid:5ae96341-e0ac-1367-a261-364751f60e68"
		v4   = "urn:uuid:6ae96341-e0ac-46d7-a261-364751f60e68"
		v5   = "urn:uuid:6ae96341-e0ac-56d7-a261-364751f60e68"
		v7   = "URN:UUID:019AE963-E0AC-76D7-B261-364751F60E68"
	)
	standIn := func(given string) string { return "stands for " + given }
	hashed := []commit.SealedValue{{Path: BizTransactionValue(0)}}
	notHashed := []commit.SealedValue{{Path: FieldPath(FieldCertificationInfo).Index(0)}, {Path: FieldPath(FieldErrorDeclaration).Field(2)}, {Path: FieldPath(FieldRecordTime)}}
	for _, tt := range []struct {
		name, id string
		sealed   []commit.SealedValue
		stays    bool
	}{
		{"hash, nothing sealed", hash, nil, true},
		{"hash, sealed what it leaves out", hash, notHashed, true},
		{"hash, an order number sealed", hash, hashed, false},
		{"no hash of CBV", "ni:///sha-256;6ae9?ver=CBV2.0", nil, false},
		{"hash with a text behind it", hash + "&order=4711", nil, false},
		{"random", v4, hashed, true},
		{"made of a time", v1, hashed, true},
		{"made of a time, in capitals", v7, hashed, true},
		{"UUID that is a hash", v5, nil, false},
		{"name with an order number", "urn:acme:order:4711:1", nil, false},
		{"none", "", hashed, true},
	} {
		ev := &epcis.Event{Type: "ObjectEvent", EventID: tt.id, ErrorDeclaration: &epcis.ErrorDeclaration{CorrectiveEventIDs: []string{v4, hash, ""}}}
		it := Item{Kind: KindEvent, Message: ev}
		known := SealIDs(network, &it, tt.sealed, standIn, func() [32]byte { return [32]byte{1} })
		got, _ := it.Message.(*epcis.Event)
		if stays := got.EventID == tt.id; stays != tt.stays || !stays && got.EventID != standIn(tt.id) {
			t.Errorf("%s: %s", tt.name, got.EventID)
		}
		if diff := cmp.Diff([]string{v4, standIn(hash), ""}, got.ErrorDeclaration.CorrectiveEventIDs); diff != "" {
			t.Errorf("%s: corrective ids: %s", tt.name, diff)
		}
		if ev.EventID != tt.id || ev.ErrorDeclaration.CorrectiveEventIDs[1] != hash {
			t.Errorf("%s: the message given was changed", tt.name)
		}
		items := []Item{it}
		body, err := EncodeBody(items)
		if err != nil {
			t.Fatal(err)
		}
		read, err := DecodeBody(body)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Unseal(&read[0], known)
		if diff := cmp.Diff(any(ev), back); diff != "" || err != nil {
			t.Errorf("%s: put back: %v %s", tt.name, err, diff)
		}
	}
	if id := StandIn([16]byte{0xff, 1, 2, 3, 4, 5, 0xff, 7, 0xff, 9, 10, 11, 12, 13, 14, 15}); id != "urn:uuid:ff010203-0405-4f07-bf09-0a0b0c0d0e0f" || !SaysNothing(id) {
		t.Error(id)
	}
}

func FuzzDecodeBody(f *testing.F) {
	for i := range kinds {
		if body, err := EncodeBody([]Item{{Kind: i, Message: reflect.New(typeOf(i)).Interface()}}); err == nil {
			f.Add(body)
		}
	}
	it := Item{Kind: KindEvent, Message: shipping()}
	if _, err := Seal(network, &it, DefaultSealed(&it), func() [32]byte { return [32]byte{1} }); err != nil {
		f.Fatal(err)
	}
	body, err := EncodeBody([]Item{it, {Kind: 77, Opaque: []byte("later")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := DecodeBody(body)
		if err != nil {
			return
		}
		again, err := EncodeBody(slices.Clone(items))
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("was   %s\nagain %s (%v)", hex.EncodeToString(body), hex.EncodeToString(again), err)
		}
		for i := range items {
			roots, err := commit.Commit(network, &items[i].Committed)
			if err != nil {
				continue // something occurs twice
			}
			o, err := commit.Open(network, &items[i].Committed, func(*commit.Field) bool { return true }, func(*commit.Unit) bool { return true }, true, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := o.Roots(network); err != nil || got != roots {
				t.Fatalf("opens to %v (%v), want %v", got, err, roots)
			}
		}
	})
}

// typeOf is the message type of a kind.
func typeOf(k uint8) reflect.Type {
	m, err := kinds[k].decode(&decoder{}, "")
	if err != nil {
		panic(err)
	}
	return reflect.TypeOf(m).Elem()
}

func bodies(tb testing.TB) map[string][]byte {
	tb.Helper()
	out := map[string][]byte{}
	for _, n := range []int{1, 48, 10_000} {
		e := shipping()
		e.SensorElementList, e.Extensions, e.EPCList = nil, nil, nil
		for i := range n {
			e.EPCList = append(e.EPCList, fmt.Sprintf("urn:epc:id:sgtin:030001.0012345.%012d", i))
		}
		body, err := EncodeBody([]Item{{Kind: KindEvent, Message: e}})
		if err != nil {
			tb.Fatal(err)
		}
		out[fmt.Sprintf("units=%d", n)] = body
	}
	return out
}

func BenchmarkDecodeBody(b *testing.B) {
	for name, body := range bodies(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := DecodeBody(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeBody(b *testing.B) {
	for name, body := range bodies(b) {
		items, err := DecodeBody(body)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := EncodeBody(items); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A list of empty elements is two bytes each on the stream and a leaf each to hash, so leaves have a limit of their own.
func TestTooManyLeaves(t *testing.T) {
	event := func(empty int) []Item {
		return []Item{{Kind: KindEvent, Message: &epcis.Event{Type: "ObjectEvent", CertificationInfo: make([]string, empty)}}}
	}
	body, err := EncodeBody(event(MaxLeaves - 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeBody(body); err != nil {
		t.Errorf("as many leaves as are allowed: %v", err)
	}
	if _, err := EncodeBody(event(MaxLeaves)); !errors.Is(err, ErrMalformed) {
		t.Errorf("one more: %v, want %v", err, ErrMalformed)
	}
}

// A short body must not make every validator hold and hash gigabytes: long names stand in the path of every leaf inside,
// and empty elements are two bytes on the wire.
func TestShortBodiesStayCheap(t *testing.T) {
	named := func(n int) []Item {
		x := epcis.Extension{Namespace: "u", Name: strings.Repeat("n", 60_000)}
		for range n {
			x.Children = append(x.Children, epcis.Extension{Type: epcis.Empty})
		}
		return []Item{{Kind: KindEvent, Message: &epcis.Event{Extensions: []epcis.Extension{x}}}}
	}
	if _, err := EncodeBody(named(270)); err != nil {
		t.Errorf("16 MB of paths: %v", err)
	}
	for _, n := range []int{280, 100_000} {
		if _, err := EncodeBody(named(n)); !errors.Is(err, commit.ErrPath) {
			t.Errorf("%d MB of paths: %v", n*60_000>>20, err)
		}
	}
	// Two items share the bound.
	if _, err := EncodeBody(append(named(150), named(150)...)); !errors.Is(err, commit.ErrPath) {
		t.Errorf("two items: %v", err)
	}
	var reports []byte
	for range MaxLeaves + 1 {
		reports = append(reports, 0x12, 0) // an empty SensorReport
	}
	element := protowire.AppendBytes(protowire.AppendTag(nil, protowire.Number(FieldSensorElementList), protowire.BytesType), reports)
	item := append(append([]byte{0x0a, 32}, make([]byte, 32)...), protowire.AppendBytes(protowire.AppendTag(nil, protowire.Number(KindEvent), protowire.BytesType), element)...)
	if _, err := DecodeBody(protowire.AppendBytes([]byte{0x0a}, item)); !errors.Is(err, errElements) {
		t.Errorf("empty elements: %v", err)
	}
	for n, ok := range map[int]bool{MaxUnitKey - 6: true, MaxUnitKey - 5: false} {
		_, err := EncodeBody([]Item{{Kind: KindEvent, Message: &epcis.Event{EPCList: []string{"x:" + strings.Repeat("y", n)}}}})
		if ok != (err == nil) || !ok && !errors.Is(err, errUnitKey) {
			t.Errorf("a key of %d bytes: %v", n+6, err)
		}
	}
}

// The names of kinds stand in answers of the api and of partner services.
func TestKindName(t *testing.T) {
	for kind, want := range map[uint8]string{KindDocumentHeader: "document_header", KindPartyAct: "party_act", KindGovernance: "governance", 9: "kind_9", 20: "kind_20"} {
		if got := KindName(kind); got != want {
			t.Errorf("kind %d is called %s, want %s", kind, got, want)
		}
	}
	for kind := KindDocumentHeader; kind <= KindGovernance; kind++ {
		if strings.HasPrefix(KindName(kind), "kind_") {
			t.Errorf("kind %d has no name", kind)
		}
	}
}
