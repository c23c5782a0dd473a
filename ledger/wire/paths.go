package wire

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"verilot.dev/ledger/commit"
	verilotv1 "verilot.dev/proto/gen/verilot/v1"
)

// Field numbers of an event (item.proto), as they stand in paths.
const (
	FieldType uint32 = 1 + iota
	FieldEventTime
	FieldRecordTime
	FieldEventTimeZoneOffset
	FieldEventID
	FieldErrorDeclaration
	FieldCertificationInfo
	FieldAction
	FieldTransformationID
	FieldBizStep
	FieldDisposition
	FieldPersistentDisposition
	FieldReadPoint
	FieldBizLocation
	FieldBizTransactionList
	FieldQuantityList
	FieldChildQuantityList
	FieldInputQuantityList
	FieldOutputQuantityList
	FieldSourceList
	FieldDestinationList
	FieldSensorElementList
	FieldILMD
	FieldExtensions
	FieldGivenEventID
)

// Field numbers of an error declaration.
const (
	correctiveIDs      uint32 = 3
	givenCorrectiveIDs uint32 = 5
)

// Field numbers of the unit lists: 30 + list.
const (
	FieldEPCList uint32 = 31 + iota
	FieldParentID
	FieldChildEPCs
	FieldInputEPCList
	FieldOutputEPCList
)

// FieldPath is the path of a singular text of a message, such as FieldPath(FieldEventTime).
func FieldPath(n uint32) commit.Path { return commit.Path("").Field(n) }

// BizTransactionValue is the path of the i'th business document's identifier.
func BizTransactionValue(i int) commit.Path {
	return FieldPath(FieldBizTransactionList).Index(uint32(i)).Field(2)
}

// PathName is a path in the words of item.proto, for people: biz_transaction_list[0].value, or
// ilmd[0]{urn:epcglobal:cbv:mda lotNumber}. A path that fits no field comes out as commit.Path.String writes it.
func PathName(kind uint8, p commit.Path) string {
	path, err := commit.ParsePath(p)
	if err != nil {
		return p.String()
	}
	desc := itemDescriptor(kind)
	var b strings.Builder
	for _, s := range path {
		switch s.Kind {
		case commit.FieldSegment:
			if desc == nil {
				return p.String()
			}
			f := desc.Fields().ByNumber(protoreflect.FieldNumber(s.N))
			if f == nil {
				return p.String()
			}
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(string(f.Name()))
			desc = f.Message()
		case commit.IndexSegment:
			b.WriteString("[" + strconv.FormatUint(uint64(s.N), 10) + "]")
		case commit.NameSegment:
			b.WriteString("{" + strings.TrimPrefix(s.Namespace+" "+s.Local, " ") + "}")
		}
	}
	return b.String()
}

// itemDescriptor is the message type of a kind, or nil.
func itemDescriptor(kind uint8) protoreflect.MessageDescriptor {
	f := (*verilotv1.Item)(nil).ProtoReflect().Descriptor().Fields().ByNumber(protoreflect.FieldNumber(kind))
	if f == nil || f.ContainingOneof() == nil {
		return nil
	}
	return f.Message()
}
