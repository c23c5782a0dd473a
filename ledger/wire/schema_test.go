package wire

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/registry"
	verilotv1 "verilot.dev/proto/gen/verilot/v1"
)

// The tables and item.proto are written apart. Here a message of every kind, with every field of the descriptor
// filled, goes through both: the protobuf library writes it, the tables read it and write it again.
func TestTablesAreTheDescriptors(t *testing.T) {
	fields := (*verilotv1.Item)(nil).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
	if fields.Len() != len(kinds) {
		t.Errorf("%d kinds in item.proto, %d tables", fields.Len(), len(kinds))
	}
	for i := range fields.Len() {
		f := fields.Get(i)
		t.Run(string(f.Name()), func(t *testing.T) {
			k, ok := kinds[uint8(f.Number())]
			if !ok {
				t.Fatal("no table")
			}
			m := (&verilotv1.Item{}).ProtoReflect().NewField(f).Message()
			fill(m, 3)
			want, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.Interface())
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.decode(newDecoder(), string(want))
			if err != nil {
				t.Fatalf("%v\n%v", err, m.Interface())
			}
			again, ok := k.encode(nil, got)
			if !ok || string(again) != string(want) {
				t.Errorf("written again:\n%x\nwant:\n%x", again, want)
			}

			// Every leaf of the walk is a scalar of the descriptor, and the other way round.
			w := walker{room: MaxPathBytes}
			k.walk(&w, got)
			leaves := map[string]bool{}
			for _, leaf := range w.finish() {
				leaves[leaf.Path.String()] = true
			}
			wantLeaves := 0
			countLeaves(m, &wantLeaves)
			if len(leaves) != wantLeaves {
				t.Errorf("%d leaves, the message has %d:\n%v", len(leaves), wantLeaves, leaves)
			}
		})
	}
}

// fill sets every field of m, messages down to a depth.
func fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		switch {
		case strings.HasPrefix(string(f.Name()), "given_"): // only ever sealed: TestGivenIsSealed
		case f.Message() != nil && f.Message().Name() == "EPCList":
			list := &verilotv1.EPCList{Runs: []*verilotv1.EPCRun{{Prefix: "urn:epc:id:sgtin:0614141.107346.", Tails: []string{string(f.Name()), "2"}}}}
			if f.Name() == "parent_id" {
				list.GetRuns()[0].Tails = list.GetRuns()[0].GetTails()[:1]
			}
			m.Set(f, protoreflect.ValueOfMessage(list.ProtoReflect()))
		case f.Message() != nil && depth == 0:
		case f.Message() != nil && f.IsList():
			list := m.Mutable(f).List()
			for range 2 {
				e := list.NewElement()
				fill(e.Message(), depth-1)
				list.Append(e)
			}
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), depth-1)
		case m.Descriptor().Name() == "Extension" && f.Name() == "type":
			m.Set(f, protoreflect.ValueOfUint32(uint32(epcis.Text)))
		case f.IsList():
			list := m.Mutable(f).List()
			list.Append(scalar(f))
			list.Append(scalar(f))
		default:
			m.Set(f, scalar(f))
		}
	}
}

func scalar(f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(string(f.FullName()))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(f.FullName()))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(^uint32(f.Number()))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(^uint64(f.Number()))
	default:
		panic("the tables know no " + f.Kind().String())
	}
}

// countLeaves counts by the words of spec section 4.2, over the protobuf message.
func countLeaves(m protoreflect.Message, n *int) {
	if m.Descriptor().Name() == "Extension" {
		*n++ // its own value
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() != nil && f.Message().Name() == "EPCList":
		case f.Message() != nil && f.IsList():
			for i := range v.List().Len() {
				countLeaves(v.List().Get(i).Message(), n)
			}
		case f.Message() != nil:
			countLeaves(v.Message(), n)
		case m.Descriptor().Name() == "Extension":
		case f.IsList():
			*n += v.List().Len()
		default:
			*n++
		}
		return true
	})
}

// Whoever reads a body with the protobuf library sees what the tables see.
func TestBodyIsProtobuf(t *testing.T) {
	items := []Item{
		{Kind: KindEvent, Salt: [32]byte{1}, Message: &epcis.Event{
			Type: "ObjectEvent", Action: "ADD",
			EPCList: []string{
				"urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.2",
				"urn:epc:id:sscc:0614141.1234567890", "https://id.gs1.org/01/10614141073464/21/3",
			},
			ParentID: "urn:epc:id:sscc:0614141.1234567890",
		}},
		{Kind: KindLot, Salt: [32]byte{2}, Message: &registry.Lot{GTIN: "10614141073464", Lot: "A1", Size: 1 << 40}},
	}
	body, err := EncodeBody(items)
	if err != nil {
		t.Fatal(err)
	}
	var pb verilotv1.SubmissionBody
	if err := proto.Unmarshal(body, &pb); err != nil {
		t.Fatal(err)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&pb)
	if err != nil || string(again) != string(body) {
		t.Errorf("the library writes %x (%v)\nwe write %x", again, err, body)
	}
	runs := pb.GetItems()[0].GetEvent().GetEpcList().GetRuns()
	if len(runs) != 3 || runs[0].GetPrefix() != "urn:epc:id:sgtin:0614141.107346." || len(runs[0].GetTails()) != 2 {
		t.Errorf("runs: %v", runs)
	}
	if n := len(items[0].Committed.Units); n != 5 {
		t.Errorf("%d units", n)
	}
	for _, u := range items[0].Committed.Units {
		epc, err := gs1.ParseEPC(u.Form)
		if err != nil || epc.Key() != u.Key {
			t.Errorf("unit %q has the key %v, want %v (%v)", u.Form, u.Key, epc.Key(), err)
		}
	}
	if got := pb.GetItems()[1].GetLot().GetSize(); got != 1<<40 {
		t.Errorf("size %d", got)
	}
}

func TestUvarintIsProtowire(t *testing.T) {
	for _, n := range []uint64{0, 1, 127, 128, 1<<14 - 1, 1 << 14, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		b := protowire.AppendVarint(nil, n)
		if got, rest, err := uvarint(string(b)); got != n || rest != "" || err != nil {
			t.Errorf("uvarint(%x) = %d, %q, %v", b, got, rest, err)
		}
	}
	for _, bad := range []string{"", "\x80", "\x80\x00", "\xff\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if n, _, err := uvarint(bad); err == nil {
			t.Errorf("uvarint(%x) = %d", bad, n)
		}
	}
}
