package consensus_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// hostileTexts are what a registered party with a grudge may write into any text.
func hostileTexts() []string {
	long := strings.Repeat("7", 70_000)
	return []string{
		"", "", "\x00", "a\x00b", "é", "0", "-1", "true", "2026-01-02", "2026-01-02T03:04:05Z", "9999-12-31T24:00:00-14:00",
		"0001-01-01T00:00:00+14:00", "-05:00", "ObjectEvent", "AggregationEvent", "TransformationEvent", "ADD", "OBSERVE", "DELETE",
		"commissioning", "packing", "unpacking", "shipping", "void_shipping", "receiving", "dispensing", "destroying",
		"decommissioning", "holding", "stock_taking", "returned", "stolen", "unknown", "active", "open", "ended",
		"urn:epcglobal:cbv:sdt:owning_party", "possessing_party", "rma", "urn:epcglobal:cbv:mda", "lotNumber", "itemExpirationDate",
		"event", "authority", "vote", "manufacturer", "dispenser", "regulator",
		"acme", "dist", "pharm", "board", strings.Repeat("p", 300), "v1",
		"0614141", "0614142000012", gln("acme"), gln("pharm"), gtinOf("acme"), gtinOf("dist"), "00000000000000",
		site("acme"), site("dist"), site("pharm"), "urn:epc:id:sgln:0614141.00001." + long, "urn:epc:id:sgln:0614141.00001.12345678901234567890",
		"urn:epc:id:pgln:0614141.00001", "https://id.gs1.org/414/" + gln("acme") + "/254/" + long, "https://id.gs1.org/414/" + gln("dist"),
		"urn:x:" + strings.Repeat("y", 2042), "urn:x:" + strings.Repeat("y", 2043), "urn:x:" + long, "http://a/?", "x:y",
		epcOf("1"), epcOf("2"), epcOf("3"), epcOf("c1"), epcOf("c2"), "urn:epc:class:lgtin:0614141.107346.L", "urn:epc:idpat:sgtin:0614141.107346.*",
		"urn:epc:id:giai:0614141.a%2F8011b", "urn:epc:id:cpi:0614141.A80111.1", "urn:epc:id:grai:0614141.12345.x", "urn:epc:id:itip:0614141.107346.01.02.s",
		"urn:epc:id:upui:0614141.107346.u", "urn:epc:idpat:cpi:0614141.A.*", "urn:epc:id:gdti:0614141.12345.1", "urn:epc:id:gsrn:0614141.1234567890",
		"urn:epc:id:ginc:0614141.xyz", "urn:epc:id:gsin:0614141.123456789", "urn:epc:id:sgcn:0614141.12345.1", "urn:epc:id:gid:1.2.3",
		long, strings.Repeat("\x00", 70_000), strings.Repeat("é", 35_000), strings.Repeat("L", 20), strings.Repeat("L", 21),
	}
}

// hostile fills a message at random.
type hostile struct {
	r     *rand.Rand
	texts []string
	room  int // bytes of long texts left
}

func (h *hostile) text() string {
	for {
		s := h.texts[h.r.IntN(len(h.texts))]
		if h.r.IntN(2) == 0 && len(s) > 1000 {
			continue
		}
		if len(s) <= h.room {
			h.room -= len(s)
			return s
		}
	}
}

func (h *hostile) fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		if h.r.IntN(3) > 0 {
			v.SetString(h.text())
		}
	case reflect.Uint8:
		v.SetUint(uint64(h.r.IntN(6)))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint([]uint64{0, 1, 1<<32 - 1}[h.r.IntN(3)])
	case reflect.Pointer:
		if h.r.IntN(2) == 0 && depth < 12 {
			v.Set(reflect.New(v.Type().Elem()))
			h.fill(v.Elem(), depth+1)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			h.fill(field, depth+1)
		}
		if x, ok := reflect.TypeAssert[*epcis.Extension](v.Addr()); ok && (x.Type == epcis.NoValue || x.Type >= epcis.Null) {
			x.Text = ""
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, []int{0, 1, 31, 32, 33}[h.r.IntN(5)])
			for i := range b {
				b[i] = byte(h.r.Uint32())
			}
			if h.r.IntN(2) == 0 {
				b = []byte(testPub([]string{"acme/event", "new", "v1/vote"}[h.r.IntN(3)]))
			}
			v.SetBytes(b)
			return
		}
		if depth > 8 {
			return
		}
		n := h.r.IntN(4)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			h.fill(v.Index(i), depth+1)
		}
	default:
	}
}

// plausible makes an event of what is left of it: without that, few get past the first rule.
func (h *hostile) plausible(e *epcis.Event) {
	if h.r.IntN(8) == 0 {
		return
	}
	e.ErrorDeclaration = nil
	e.EventTime = rfc3339(created - int64(h.r.IntN(1e6)))
	parties := []string{"acme", "dist", "pharm"}
	e.ReadPoint, e.BizLocation = &epcis.Place{ID: site(parties[h.r.IntN(3)])}, nil
	steps := []string{"commissioning", "packing", "unpacking", "shipping", "void_shipping", "receiving", "dispensing", "destroying", "holding", "stock_taking"}
	e.BizStep = steps[h.r.IntN(len(steps))]
	e.Type, e.Action = "ObjectEvent", "OBSERVE"
	switch e.BizStep {
	case "commissioning":
		e.Action = "ADD"
		e.ILMD = append([]epcis.Extension{
			{Namespace: "urn:epcglobal:cbv:mda", Name: "lotNumber", Type: epcis.Text, Text: []string{"L1", h.text()}[h.r.IntN(2)]},
			{Namespace: "urn:epcglobal:cbv:mda", Name: "itemExpirationDate", Type: epcis.Text, Text: "2030-01-01"},
		}, e.ILMD...)
	case "packing":
		e.Type, e.Action = "AggregationEvent", "ADD"
	case "unpacking":
		e.Type, e.Action = "AggregationEvent", "DELETE"
	}
	e.SourceList, e.DestinationList = nil, nil
	if h.r.IntN(2) == 0 {
		e.SourceList = []epcis.SourceDest{{Type: "owning_party", Value: site(parties[h.r.IntN(3)])}}
		e.DestinationList = []epcis.SourceDest{{Type: "owning_party", Value: site(parties[h.r.IntN(3)])}}
	}
	some := func() (list []string) {
		for range h.r.IntN(5) {
			n := []string{"", "c"}[h.r.IntN(2)] + fmt.Sprint(1+h.r.IntN(60))
			list = append(list, epcOf(n))
		}
		if h.r.IntN(6) == 0 {
			list = append(list, "urn:x:"+strings.Repeat("y", wire.MaxUnitKey-10))
		}
		return list
	}
	e.EPCList, e.ChildEPCs, e.InputEPCList, e.OutputEPCList = some(), some(), nil, nil
	e.ParentID = epcOf([]string{"c1", "c2", "c3", "1"}[h.r.IntN(4)])
}

// believable makes of an act or a recall what has a chance.
func (h *hostile) believable(m any) {
	switch m := m.(type) {
	case *registry.Act:
		m.Party = []string{"acme", "newco", "a", m.Party}[h.r.IntN(4)]
		m.Suspended = []string{"", "", "", "true", "false"}[h.r.IntN(5)]
		for _, drop := range []func(){
			func() { m.Roles = nil }, func() { m.Keys = nil }, func() { m.GLNs = nil }, func() { m.Prefixes = nil },
			func() { m.Licences = nil }, func() { m.Places = nil }, func() { m.RevokedKeys = nil }, func() { m.Name = "" },
		} {
			if h.r.IntN(4) > 0 {
				drop()
			}
		}
	case *registry.Recall:
		m.GTIN, m.Status, m.InitiatedOn = gtinOf("acme"), "open", ""
		m.Units = [][]string{nil, {epcOf("1"), epcOf("2")}}[h.r.IntN(2)]
	case *registry.Product:
		m.GTIN, m.ContainsGTIN = gtinOf("acme"), ""
	case *registry.Lot:
		m.GTIN, m.Expiry = gtinOf("acme"), "2030-01-01"
	}
}

func (h *hostile) item(authority bool) wire.Item {
	it := wire.Item{Kind: wire.KindEvent}
	if h.r.IntN(3) == 0 {
		it.Kind = wire.KindDocumentHeader + uint8(h.r.IntN(10))
	}
	if authority && h.r.IntN(2) == 0 {
		it.Kind = wire.KindPartyAct
	}
	switch it.Kind {
	case wire.KindDocumentHeader:
		it.Message = &epcis.Header{}
	case wire.KindEvent:
		it.Message = &epcis.Event{}
	case wire.KindPartyAct:
		it.Message = &registry.Act{}
	case wire.KindProduct:
		it.Message = &registry.Product{}
	case wire.KindLot:
		it.Message = &registry.Lot{}
	case wire.KindRecall:
		it.Message = &registry.Recall{}
	case wire.KindResolution:
		it.Message = &registry.Resolution{}
	case wire.KindGrant:
		it.Message = &registry.Grant{}
	case wire.KindAnchor:
		it.Message = &registry.Anchor{}
	default:
		it.Kind, it.Message = wire.KindGovernance, &registry.Governance{}
	}
	h.fill(reflect.ValueOf(it.Message).Elem(), 0)
	if e, ok := it.Message.(*epcis.Event); ok {
		h.plausible(e)
	} else if h.r.IntN(4) > 0 {
		h.believable(it.Message)
	}
	if h.r.IntN(4) == 0 {
		it.Sealed = []commit.Sealed{{Path: wire.FieldPath(uint32(1 + h.r.IntN(36)))}}
	}
	return it
}

// Whatever a registered party signs, and be every text in it absurd, a validator gives a verdict and stays on its feet.
func TestHostileSubmissions(t *testing.T) {
	g := testGenesis(t, 1)
	st := zeroStore(t, g)
	r := rand.New(rand.NewPCG(1, 2))
	texts := hostileTexts()
	messages := []consensus.Message{{Seq: 1, Payload: epochRecord(t, g)}}
	codes := map[string]int{}
	rounds := 400
	if testing.Short() {
		rounds = 100
	}
	for i := range rounds {
		h := &hostile{r: r, texts: texts, room: 600_000}
		party := []string{"acme", "dist", "pharm", "board"}[r.IntN(4)]
		key, id := party+"/event", keys.ID(keys.Event, testPub(party+"/event"))
		if party == "board" {
			key, id = "board/authority", keys.ID(keys.Authority, testPub("board/authority"))
		}
		var items []wire.Item
		for range 1 + r.IntN(8) {
			items = append(items, h.item(party == "board"))
		}
		sum := sha256.Sum256(fmt.Append(nil, i))
		head := submission.Header{Epoch: 1, Party: party, KeyID: id, Counter: uint64(i + 1), ID: [16]byte(sum[:16]), OnError: submission.OnError(1 + r.IntN(2))}
		head.ID[6], head.ID[8] = 0x70, 0x80
		var payload []byte
		for len(items) > 0 { // leave out what no body can hold: that has its own tests
			var err error
			if payload, err = submission.Sign(g.Network, head, salted(items, fmt.Sprint(i)), testKey(key)); err == nil {
				break
			}
			items = items[1:]
		}
		if payload == nil {
			continue
		}
		messages = append(messages, consensus.Message{Seq: messages[0].Seq + uint64(len(messages)), Payload: payload})
		if len(messages) < 20 {
			continue
		}
		res, err := consensus.Execute(g, st, messages)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range res.Entries {
			codes[e.Kind.String()+" "+string(e.Code)]++
			for _, j := range e.Items {
				codes[j.Verdict.String()+" "+string(j.Code)]++
				for _, f := range j.Findings {
					codes["finding "+string(f.Code)]++
				}
			}
		}
		// What a node stores of it can be read back.
		if _, err := state.DecodeWriteSet(res.Writes.Encode()); err != nil {
			t.Fatal(err)
		}
		if _, err := consensus.DecodeBlockRecord(res.Record(nil).Encode()); err != nil {
			t.Fatal(err)
		}
		if _, err := res.Record(nil).Check(g); err != nil {
			t.Fatal(err)
		}
		st.Apply(res.Writes)
		messages = []consensus.Message{}
		next := res.Header.LastSeq + 1
		messages = append(messages, consensus.Message{Seq: next, Payload: []byte("no submission at all")})
	}
	t.Log(codes)
}

// Pulses and epoch records of another network are none of ours, whoever signed them.
func TestOtherNetworksPulses(t *testing.T) {
	g := testGenesis(t, 1)
	other := *g
	other.Network[0] ^= 1
	messages := []consensus.Message{
		{Seq: 1, Payload: epochRecord(t, g)},
		{Seq: 2, Payload: pulse(t, &other, "v1", block.Pulse{What: block.Cut, Height: 1, Clock: created + 1e9, Counter: 1})},
		{Seq: 3, Payload: epochRecord(t, &other)},
	}
	res, err := consensus.Execute(g, zeroStore(t, g), messages)
	if err != nil {
		t.Fatal(err)
	}
	if res.Header.Time != created {
		t.Error("a clock of another network counts")
	}
	for _, e := range res.Entries[1:] {
		if e.Kind != block.NotOpened || e.Code != verdict.UnknownPurpose {
			t.Errorf("message %d: %s %s", e.Seq, e.Kind, e.Code)
		}
	}
}
