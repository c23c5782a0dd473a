package custody

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/wire"
)

// golden compares got with a vector file; the canonical bytes stand in it, so that a difference says what moved.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	b, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	file := filepath.Join("..", "testdata", "vectors", name)
	if *update {
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(b)); d != "" {
		t.Errorf("%s differs; a changed old vector is a fork:\n%s", name, d)
	}
}

func examples() []Effect {
	unit, other, pallet, site := key("u1").String(), key("u2").String(), key("c1").String(), "414"+gln("W")
	return []Effect{
		Commissioned{GTIN: gtin('u'), Lot: "A1", Expiry: "2028-03-31", Holder: "m", Place: site, Serials: []string{"1", "00Z%/"}},
		Commissioned{Holder: "m", Serials: []string{pallet}},
		Commissioned{GTIN: gtin('u'), Provisional: true, Serials: []string{"X"}},
		Moved{Phase: InTransit, Holder: "m", Owner: "m", Place: site, To: "w", Shipment: canonical.Position{Height: 7, Entry: 8, Item: 9}, Keys: []string{pallet, unit}},
		Moved{Phase: Held, Holder: "l", Owner: "w", Place: site, Keys: []string{pallet}},
		Packed{Parent: pallet, Keys: []string{unit, other}},
		Unpacked{Parent: pallet, Keys: []string{unit}},
		StateSet{State: Dispensed, Keys: []string{unit}},
		StateSet{State: Stolen, Keys: []string{pallet}},
		OverlaySet{Set: true, Overlay: "hold", Keys: []string{unit}},
		OverlaySet{Overlay: "quarantined", Keys: []string{unit, other}},
		Registered{What: RegistryGenesis, ID: "genesis", Hash: canonical.Hash{1, 2, 3}},
		Registered{What: RegistryRecall, ID: "D-1-2026", Hash: canonical.Hash{31: 9}},
	}
}

func TestEffectVectors(t *testing.T) {
	type vector struct {
		Effect string `json:"effect"`
		Fields Effect `json:"fields"`
		Hex    string `json:"hex"`
	}
	names := map[uint8]string{
		EffectCommissioned: "commissioned", EffectMoved: "moved", EffectPacked: "packed", EffectUnpacked: "unpacked",
		EffectState: "state", EffectOverlay: "overlay", EffectRegistry: "registry",
	}
	var list []vector
	for _, e := range examples() {
		b := e.Encode()
		list = append(list, vector{names[b[0]], e, hex.EncodeToString(b)})
		back, err := DecodeEffect(b)
		if err != nil || !bytes.Equal(back.Encode(), b) {
			t.Errorf("%#v does not come back: %v", e, err)
		}
		for cut := range b {
			if _, err := DecodeEffect(b[:cut]); err == nil {
				t.Errorf("%x decodes without its last %d bytes", b, len(b)-cut)
			}
		}
		if _, err := DecodeEffect(append(bytes.Clone(b), 0)); err == nil {
			t.Errorf("%x decodes with a byte too many", b)
		}
	}
	golden(t, "custody-effects.json", struct {
		Comment string   `json:"comment"`
		Effects []vector `json:"effects"`
	}{"docs/spec.md section 9: effect leaf data.", list})
}

func FuzzDecodeEffect(f *testing.F) {
	for _, e := range examples() {
		f.Add(e.Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := DecodeEffect(b); err == nil && !bytes.Equal(e.Encode(), b) {
			t.Errorf("%x has a second reading", b)
		}
	})
}

// an EPC as somebody wrote it.
func named(list commit.List, forms ...string) []commit.Unit {
	var out []commit.Unit
	for _, s := range forms {
		epc, err := gs1.ParseEPC(s)
		if err != nil {
			panic(err)
		}
		out = append(out, commit.Unit{List: list, Key: epc.Key(), Form: s})
	}
	return out
}

func TestMatchVectors(t *testing.T) {
	network := canonical.Network{0xa1, 0x22}
	mda := func(name, text string) epcis.Extension {
		return epcis.Extension{Namespace: epcis.NamespaceMDA, Name: name, Type: epcis.Text, Text: text}
	}
	shipped := func() *epcis.Event {
		return &epcis.Event{
			Type: "ObjectEvent", Action: "OBSERVE", EventTime: "2026-03-02T09:30:00.1239-05:00", EventTimeZoneOffset: "-05:00",
			BizStep: "urn:epcglobal:cbv:bizstep:shipping", Disposition: "urn:epcglobal:cbv:disp:in_transit",
			ReadPoint: &epcis.Place{ID: "urn:epc:id:sgln:0399990.00001.0"},
			SourceList: []epcis.SourceDest{
				{Type: "urn:epcglobal:cbv:sdt:owning_party", Value: "urn:epc:id:pgln:0399990.00001"},
				{Type: "urn:epcglobal:cbv:sdt:location", Value: "urn:epc:id:sgln:0399990.00001.0"},
			},
			DestinationList: []epcis.SourceDest{{Type: "urn:epcglobal:cbv:sdt:owning_party", Value: "urn:epc:id:pgln:0377777.00001"}},
		}
	}
	same := shipped()
	same.EventTime, same.RecordTime, same.EventID = "2026-03-02T14:30:00.123Z", "2026-03-03T00:00:00Z", "ni:///sha-256;00?ver=CBV2.0"
	same.BizStep, same.Disposition = "https://ref.gs1.org/cbv/BizStep-shipping", "in_transit"
	same.ReadPoint = &epcis.Place{ID: "https://id.gs1.org/414/0399990000016"}
	same.SourceList[0], same.SourceList[1] = same.SourceList[1], same.SourceList[0]
	later := shipped()
	later.EventTime = "2026-03-02T09:30:00.124-05:00"
	withdrawn := shipped()
	withdrawn.ErrorDeclaration = &epcis.ErrorDeclaration{DeclarationTime: "2026-03-04T00:00:00Z"}
	born := &epcis.Event{
		Type: "ObjectEvent", Action: "ADD", EventTime: "2026-03-01T00:00:00Z", EventTimeZoneOffset: "+00:00",
		BizStep: "urn:epcglobal:cbv:bizstep:commissioning", Disposition: "urn:epcglobal:cbv:disp:active",
		BizLocation: &epcis.Place{ID: "urn:epc:id:sgln:0399990.00001.0"},
		ILMD:        []epcis.Extension{mda("lotNumber", "AB4471"), mda("itemExpirationDate", "2028-03-31")},
	}
	packed := &epcis.Event{
		Type: "AggregationEvent", Action: "ADD", EventTime: "2026-03-01T01:00:00Z", EventTimeZoneOffset: "+00:00",
		BizStep: "urn:epcglobal:cbv:bizstep:packing", Disposition: "urn:epcglobal:cbv:disp:in_progress",
		BizLocation: &epcis.Place{ID: "urn:epc:id:sgln:0399990.00001.0"},
	}
	const urn, link = "urn:epc:id:sgtin:0399990.001234.", "https://id.gs1.org/01/00399990012347/21/"
	type vector struct {
		Name  string     `json:"name"`
		Event string     `json:"event"`
		Units [][]string `json:"units"` // list, key, form as captured
		Bytes string     `json:"preImageHex"`
		Hash  string     `json:"hash"`
	}
	var list []vector
	hashes := map[string]string{}
	for _, c := range []struct {
		name  string
		ev    *epcis.Event
		units []commit.Unit
	}{
		{"shipped", shipped(), named(commit.EPCList, urn+"B", urn+"A%2F")},
		{"shipped, written otherwise", same, named(commit.EPCList, link+"A%2F", link+"B")},
		{"a millisecond later", later, named(commit.EPCList, urn+"B", urn+"A%2F")},
		{"declared to be wrong", withdrawn, named(commit.EPCList, urn+"B", urn+"A%2F")},
		{"born", born, named(commit.EPCList, urn+"B", urn+"A%2F")},
		{"packed", packed, append(named(commit.ParentID, "urn:epc:id:sscc:0399990.5000000001"), named(commit.ChildEPCs, urn+"B", urn+"A%2F")...)},
	} {
		it := &wire.Item{Kind: wire.KindEvent, Message: c.ev}
		it.Committed.Units = c.units
		h := MatchHash(network, it)
		raw, err := json.Marshal(c.ev)
		if err != nil {
			t.Fatal(err)
		}
		ms, _ := epcis.EventTimeMillis(c.ev)
		v := vector{Name: c.name, Event: string(raw), Bytes: hex.EncodeToString(matched(nil, it, c.ev, ms, &names{})), Hash: hex.EncodeToString(h[:])}
		for _, u := range c.units {
			v.Units = append(v.Units, []string{string('0' + rune(u.List)), u.Key.String(), u.Form})
		}
		list = append(list, v)
		hashes[c.name] = v.Hash
	}
	if hashes["shipped"] != hashes["shipped, written otherwise"] {
		t.Error("the way of writing an event shows in its match hash")
	}
	for _, other := range []string{"a millisecond later", "declared to be wrong"} {
		if hashes["shipped"] == hashes[other] {
			t.Errorf("%s: same match hash", other)
		}
	}
	golden(t, "match.json", struct {
		Comment string   `json:"comment"`
		Network string   `json:"network"`
		Events  []vector `json:"events"`
	}{"docs/spec.md section 10. preImageHex follows tag(\"match\"). event is the fields of epcis.Event as Go names them.", hex.EncodeToString(network[:]), list})
}

// FuzzJudge feeds the rules events whose texts are anything.
func FuzzJudge(f *testing.F) {
	f.Add("urn:epcglobal:cbv:bizstep:commissioning", "ADD", "ObjectEvent", "2028-03-31", "A", "urn:epc:id:sgln:0399990.00001.0", "2026-03-01T00:00:00Z", uint16(7))
	f.Add("shipping", "OBSERVE", "ObjectEvent", "", "", "https://id.gs1.org/414/0399990000016", "2026-03-01T00:00:00Z", uint16(1))
	f.Add("packing", "ADD", "AggregationEvent", "", "", "uri:x", "2026-03-01T00:00:00", uint16(0xFFFF))
	f.Fuzz(func(t *testing.T, step, action, kind, expiry, lot, where, when string, pick uint16) {
		w := newWorld(t)
		w.now = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
		owner := []epcis.SourceDest{{Type: "owning_party", Value: where}}
		it := &wire.Item{Kind: wire.KindEvent, Message: &epcis.Event{
			Type: kind, Action: action, BizStep: step, Disposition: action, EventTime: when, EventTimeZoneOffset: lot,
			ReadPoint: &epcis.Place{ID: where}, SourceList: owner, DestinationList: owner,
			ILMD: []epcis.Extension{
				{Namespace: epcis.NamespaceMDA, Name: "lotNumber", Text: lot}, {Namespace: epcis.NamespaceMDA, Name: "itemExpirationDate", Text: expiry},
			},
		}}
		for i, nick := range []string{"u1", "v1", "c1", "k1"} {
			for list := commit.EPCList; list <= commit.ChildEPCs; list++ {
				if pick&(1<<(i*3+int(list)-1)) != 0 {
					it.Committed.Units = append(it.Committed.Units, units(list, keysOf(nick))...)
				}
			}
		}
		for _, who := range []string{"M", "W", "D"} {
			w.judge(who, it)
		}
	})
}
