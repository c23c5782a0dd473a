package wire

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"verilot.dev/epcis"
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

// Namespaces whose extensions stay open: the custody rules read lot and expiry there, and the DSCSA data is what the
// ledger is for.
var openNamespaces = map[string]bool{
	"urn:epcglobal:cbv:mda":        true,
	"urn:epcglobal:cbv:mda:":       true,
	"urn:epcglobal:cbv:mda#":       true,
	"http://epcis.gs1us.org/hc/ns": true,
}

// DefaultSealed selects what a trading partner seals unless it decides otherwise: identifiers of business documents,
// and extensions of events in namespaces that the ledger has no use for. A name without a namespace belongs to the
// element around it. Document headers and master data stay open, and so does the number of a return authorisation: the
// custody rules compare it.
func DefaultSealed(it *Item) func(commit.Field) bool {
	var transactions []epcis.BizTransaction
	if ev, ok := it.Message.(*epcis.Event); ok {
		transactions = ev.BizTransactionList
	}
	return func(f commit.Field) bool {
		path, err := commit.ParsePath(f.Path)
		if err != nil {
			return false
		}
		if path[0].N != FieldBizTransactionList {
			return sealedByDefault(path)
		}
		if len(path) != 3 || path[2].Kind != commit.FieldSegment || path[2].N != 2 {
			return false
		}
		i := int(path[1].N)
		return i >= len(transactions) || epcis.TermBizTransaction.Word(transactions[i].Type) != epcis.ReturnAuthorization
	}
}

func sealedByDefault(path []commit.Segment) bool {
	root := path[0].N
	switch root {
	case FieldReadPoint, FieldBizLocation, FieldSensorElementList, FieldILMD, FieldExtensions:
	case FieldErrorDeclaration:
		// Field 6 of a document header is its extensions, which go on with an index.
		if len(path) < 2 || path[1].Kind != commit.FieldSegment {
			return false
		}
	default:
		return false
	}
	inside := false
	for _, s := range path {
		if s.Kind != commit.NameSegment {
			continue
		}
		if !openNamespaces[s.Namespace] && (s.Namespace != "" || !inside) {
			return true
		}
		inside = true
	}
	return false
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
