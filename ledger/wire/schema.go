package wire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"verilot.dev/epcis"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/registry"
)

// kind is the codec of one kind of item, for any message type.
type kind interface {
	decode(d *decoder, s string) (any, error)
	encode(b []byte, m any) ([]byte, bool) // false: m is of another type
	walk(w *walker, m any)
	set(m any, path []commit.Segment, leaf change) error
}

type kindOf[M any] struct{ *message[M] }

func (k kindOf[M]) decode(d *decoder, s string) (any, error) {
	m := new(M)
	if err := k.message.decode(d, m, s); err != nil {
		return nil, err
	}
	return m, nil
}

func (k kindOf[M]) encode(b []byte, m any) ([]byte, bool) {
	typed, ok := m.(*M)
	if !ok || typed == nil {
		return b, false
	}
	return k.message.encode(b, typed), true
}

func (k kindOf[M]) walk(w *walker, m any) { k.walkFields(w, m.(*M)) }

func (k kindOf[M]) set(m any, path []commit.Segment, leaf change) error {
	return k.message.set(m.(*M), path, leaf)
}

// kinds are the tables by item kind.
var kinds = newKinds()

// checkExtension keeps everything an extension says in its leaf, and one way of saying it (spec section 5.2).
func checkExtension(x *epcis.Extension) error {
	switch {
	case x.Type > epcis.Empty:
		return fmt.Errorf("field 3: extension %q of type %d: %w", x.Name, x.Type, errRange)
	case x.Text != "" && (x.Type == epcis.NoValue || x.Type == epcis.Null || x.Type == epcis.Empty):
		return fmt.Errorf("field 4: extension %q has a text that its type has not", x.Name)
	}
	return nil
}

func newKinds() map[uint8]kind {
	type (
		ext    = epcis.Extension
		event  = epcis.Event
		report = epcis.SensorReport
		header = epcis.Header
	)
	extension := &message[ext]{
		check: checkExtension,
		name:  func(x *ext) (string, string) { return x.Namespace, x.Name },
		own:   func(x *ext) (*epcis.ValueType, *string) { return &x.Type, &x.Text },
	}
	extension.fields = []field[ext]{
		hidden(1, func(x *ext) *string { return &x.Namespace }),
		hidden(2, func(x *ext) *string { return &x.Name }),
		hiddenNumber(3, func(x *ext) *epcis.ValueType { return &x.Type }),
		hidden(4, func(x *ext) *string { return &x.Text }),
		many(5, extension, func(x *ext) *[]ext { return &x.Attributes }),
		many(6, extension, func(x *ext) *[]ext { return &x.Children }),
	}
	errorDeclaration := &message[epcis.ErrorDeclaration]{fields: []field[epcis.ErrorDeclaration]{
		text(1, func(m *epcis.ErrorDeclaration) *string { return &m.DeclarationTime }),
		text(2, func(m *epcis.ErrorDeclaration) *string { return &m.Reason }),
		texts(3, func(m *epcis.ErrorDeclaration) *[]string { return &m.CorrectiveEventIDs }),
		many(4, extension, func(m *epcis.ErrorDeclaration) *[]ext { return &m.Extensions }),
		given(givenCorrectiveIDs, func(m *epcis.ErrorDeclaration, path []commit.Segment, text string) bool {
			if len(path) != 1 || path[0].Kind != commit.IndexSegment || int(path[0].N) >= len(m.CorrectiveEventIDs) {
				return false
			}
			m.CorrectiveEventIDs[path[0].N] = text
			return true
		}),
	}}
	persistent := &message[epcis.PersistentDisposition]{fields: []field[epcis.PersistentDisposition]{
		texts(1, func(m *epcis.PersistentDisposition) *[]string { return &m.Set }),
		texts(2, func(m *epcis.PersistentDisposition) *[]string { return &m.Unset }),
	}}
	place := &message[epcis.Place]{fields: []field[epcis.Place]{
		text(1, func(m *epcis.Place) *string { return &m.ID }),
		many(2, extension, func(m *epcis.Place) *[]ext { return &m.Extensions }),
	}}
	transaction := &message[epcis.BizTransaction]{fields: []field[epcis.BizTransaction]{
		text(1, func(m *epcis.BizTransaction) *string { return &m.Type }),
		text(2, func(m *epcis.BizTransaction) *string { return &m.Value }),
	}}
	quantity := &message[epcis.Quantity]{fields: []field[epcis.Quantity]{
		text(1, func(m *epcis.Quantity) *string { return &m.EPCClass }),
		text(2, func(m *epcis.Quantity) *string { return &m.Quantity }),
		text(3, func(m *epcis.Quantity) *string { return &m.UOM }),
	}}
	sourceDest := &message[epcis.SourceDest]{fields: []field[epcis.SourceDest]{
		text(1, func(m *epcis.SourceDest) *string { return &m.Type }),
		text(2, func(m *epcis.SourceDest) *string { return &m.Value }),
	}}
	metadata := &message[epcis.SensorMetadata]{fields: []field[epcis.SensorMetadata]{
		text(1, func(m *epcis.SensorMetadata) *string { return &m.Time }),
		text(2, func(m *epcis.SensorMetadata) *string { return &m.StartTime }),
		text(3, func(m *epcis.SensorMetadata) *string { return &m.EndTime }),
		text(4, func(m *epcis.SensorMetadata) *string { return &m.DeviceID }),
		text(5, func(m *epcis.SensorMetadata) *string { return &m.DeviceMetadata }),
		text(6, func(m *epcis.SensorMetadata) *string { return &m.RawData }),
		text(7, func(m *epcis.SensorMetadata) *string { return &m.DataProcessingMethod }),
		text(8, func(m *epcis.SensorMetadata) *string { return &m.BizRules }),
		many(9, extension, func(m *epcis.SensorMetadata) *[]ext { return &m.Extensions }),
	}}
	sensorReport := &message[report]{fields: []field[report]{
		text(1, func(m *report) *string { return &m.Type }),
		text(2, func(m *report) *string { return &m.Exception }),
		text(3, func(m *report) *string { return &m.DeviceID }),
		text(4, func(m *report) *string { return &m.DeviceMetadata }),
		text(5, func(m *report) *string { return &m.RawData }),
		text(6, func(m *report) *string { return &m.DataProcessingMethod }),
		text(7, func(m *report) *string { return &m.BizRules }),
		text(8, func(m *report) *string { return &m.Time }),
		text(9, func(m *report) *string { return &m.Microorganism }),
		text(10, func(m *report) *string { return &m.ChemicalSubstance }),
		text(11, func(m *report) *string { return &m.CoordinateReferenceSystem }),
		text(12, func(m *report) *string { return &m.Value }),
		text(13, func(m *report) *string { return &m.Component }),
		text(14, func(m *report) *string { return &m.StringValue }),
		text(15, func(m *report) *string { return &m.BooleanValue }),
		text(16, func(m *report) *string { return &m.HexBinaryValue }),
		text(17, func(m *report) *string { return &m.URIValue }),
		text(18, func(m *report) *string { return &m.MinValue }),
		text(19, func(m *report) *string { return &m.MaxValue }),
		text(20, func(m *report) *string { return &m.MeanValue }),
		text(21, func(m *report) *string { return &m.SDev }),
		text(22, func(m *report) *string { return &m.PercRank }),
		text(23, func(m *report) *string { return &m.PercValue }),
		text(24, func(m *report) *string { return &m.UOM }),
		many(25, extension, func(m *report) *[]ext { return &m.Extensions }),
	}}
	sensorElement := &message[epcis.SensorElement]{fields: []field[epcis.SensorElement]{
		one(1, metadata, func(m *epcis.SensorElement) **epcis.SensorMetadata { return &m.Metadata }),
		many(2, sensorReport, func(m *epcis.SensorElement) *[]report { return &m.Reports }),
		many(3, extension, func(m *epcis.SensorElement) *[]ext { return &m.Extensions }),
	}}
	partner := &message[epcis.SBDHPartner]{fields: []field[epcis.SBDHPartner]{
		text(1, func(m *epcis.SBDHPartner) *string { return &m.Authority }),
		text(2, func(m *epcis.SBDHPartner) *string { return &m.Identifier }),
		many(3, extension, func(m *epcis.SBDHPartner) *[]ext { return &m.Extensions }),
	}}
	sbdh := &message[epcis.SBDH]{fields: []field[epcis.SBDH]{
		many(1, partner, func(m *epcis.SBDH) *[]epcis.SBDHPartner { return &m.Senders }),
		many(2, partner, func(m *epcis.SBDH) *[]epcis.SBDHPartner { return &m.Receivers }),
		text(3, func(m *epcis.SBDH) *string { return &m.Standard }),
		text(4, func(m *epcis.SBDH) *string { return &m.TypeVersion }),
		text(5, func(m *epcis.SBDH) *string { return &m.InstanceIdentifier }),
		text(6, func(m *epcis.SBDH) *string { return &m.Type }),
		text(7, func(m *epcis.SBDH) *string { return &m.CreationDateAndTime }),
		text(8, func(m *epcis.SBDH) *string { return &m.HeaderVersion }),
		many(9, extension, func(m *epcis.SBDH) *[]ext { return &m.Extensions }),
	}}
	attribute := &message[epcis.VocabularyAttribute]{fields: []field[epcis.VocabularyAttribute]{
		text(1, func(m *epcis.VocabularyAttribute) *string { return &m.ID }),
		text(2, func(m *epcis.VocabularyAttribute) *string { return &m.Text }),
		many(3, extension, func(m *epcis.VocabularyAttribute) *[]ext { return &m.Children }),
	}}
	element := &message[epcis.VocabularyElement]{fields: []field[epcis.VocabularyElement]{
		text(1, func(m *epcis.VocabularyElement) *string { return &m.ID }),
		many(2, attribute, func(m *epcis.VocabularyElement) *[]epcis.VocabularyAttribute { return &m.Attributes }),
		texts(3, func(m *epcis.VocabularyElement) *[]string { return &m.Children }),
		many(4, extension, func(m *epcis.VocabularyElement) *[]ext { return &m.Extensions }),
	}}
	vocabulary := &message[epcis.Vocabulary]{fields: []field[epcis.Vocabulary]{
		text(1, func(m *epcis.Vocabulary) *string { return &m.Type }),
		many(2, element, func(m *epcis.Vocabulary) *[]epcis.VocabularyElement { return &m.Elements }),
		many(3, extension, func(m *epcis.Vocabulary) *[]ext { return &m.Extensions }),
	}}
	partyKey := &message[registry.Key]{fields: []field[registry.Key]{
		octets(1, func(m *registry.Key) *[]byte { return &m.PublicKey }),
		text(2, func(m *registry.Key) *string { return &m.Use }),
	}}
	licence := &message[registry.Licence]{fields: []field[registry.Licence]{
		text(1, func(m *registry.Licence) *string { return &m.Number }),
		text(2, func(m *registry.Licence) *string { return &m.Kind }),
		text(3, func(m *registry.Licence) *string { return &m.Jurisdiction }),
		text(4, func(m *registry.Licence) *string { return &m.ValidFrom }),
		text(5, func(m *registry.Licence) *string { return &m.ValidTo }),
	}}
	partyPlace := &message[registry.Place]{fields: []field[registry.Place]{
		text(1, func(m *registry.Place) *string { return &m.ID }),
		text(2, func(m *registry.Place) *string { return &m.Name }),
		text(3, func(m *registry.Place) *string { return &m.StreetOne }),
		text(4, func(m *registry.Place) *string { return &m.StreetTwo }),
		text(5, func(m *registry.Place) *string { return &m.City }),
		text(6, func(m *registry.Place) *string { return &m.State }),
		text(7, func(m *registry.Place) *string { return &m.PostalCode }),
		text(8, func(m *registry.Place) *string { return &m.Country }),
	}}
	signature := &message[registry.GovernanceSignature]{fields: []field[registry.GovernanceSignature]{
		octets(1, func(m *registry.GovernanceSignature) *[]byte { return &m.KeyID }),
		octets(2, func(m *registry.GovernanceSignature) *[]byte { return &m.Signature }),
	}}

	return map[uint8]kind{
		KindDocumentHeader: kindOf[header]{&message[header]{fields: []field[header]{
			text(1, func(m *header) *string { return &m.SchemaVersion }),
			text(2, func(m *header) *string { return &m.CreationDate }),
			text(3, func(m *header) *string { return &m.Format }),
			one(4, sbdh, func(m *header) **epcis.SBDH { return &m.SBDH }),
			many(5, vocabulary, func(m *header) *[]epcis.Vocabulary { return &m.Vocabularies }),
			many(6, extension, func(m *header) *[]ext { return &m.Extensions }),
			text(7, func(m *header) *string { return &m.ID }),
			text(8, func(m *header) *string { return &m.TransactionStatement }),
			text(9, func(m *header) *string { return &m.LegalNotice }),
		}}},
		KindEvent: kindOf[event]{&message[event]{fields: []field[event]{
			text(FieldType, func(m *event) *string { return &m.Type }),
			text(FieldEventTime, func(m *event) *string { return &m.EventTime }),
			text(FieldRecordTime, func(m *event) *string { return &m.RecordTime }),
			text(FieldEventTimeZoneOffset, func(m *event) *string { return &m.EventTimeZoneOffset }),
			text(FieldEventID, func(m *event) *string { return &m.EventID }),
			one(FieldErrorDeclaration, errorDeclaration, func(m *event) **epcis.ErrorDeclaration { return &m.ErrorDeclaration }),
			texts(FieldCertificationInfo, func(m *event) *[]string { return &m.CertificationInfo }),
			text(FieldAction, func(m *event) *string { return &m.Action }),
			text(FieldTransformationID, func(m *event) *string { return &m.TransformationID }),
			text(FieldBizStep, func(m *event) *string { return &m.BizStep }),
			text(FieldDisposition, func(m *event) *string { return &m.Disposition }),
			one(FieldPersistentDisposition, persistent, func(m *event) **epcis.PersistentDisposition { return &m.PersistentDisposition }),
			one(FieldReadPoint, place, func(m *event) **epcis.Place { return &m.ReadPoint }),
			one(FieldBizLocation, place, func(m *event) **epcis.Place { return &m.BizLocation }),
			many(FieldBizTransactionList, transaction, func(m *event) *[]epcis.BizTransaction { return &m.BizTransactionList }),
			many(FieldQuantityList, quantity, func(m *event) *[]epcis.Quantity { return &m.QuantityList }),
			many(FieldChildQuantityList, quantity, func(m *event) *[]epcis.Quantity { return &m.ChildQuantityList }),
			many(FieldInputQuantityList, quantity, func(m *event) *[]epcis.Quantity { return &m.InputQuantityList }),
			many(FieldOutputQuantityList, quantity, func(m *event) *[]epcis.Quantity { return &m.OutputQuantityList }),
			many(FieldSourceList, sourceDest, func(m *event) *[]epcis.SourceDest { return &m.SourceList }),
			many(FieldDestinationList, sourceDest, func(m *event) *[]epcis.SourceDest { return &m.DestinationList }),
			many(FieldSensorElementList, sensorElement, func(m *event) *[]epcis.SensorElement { return &m.SensorElementList }),
			many(FieldILMD, extension, func(m *event) *[]ext { return &m.ILMD }),
			many(FieldExtensions, extension, func(m *event) *[]ext { return &m.Extensions }),
			given(FieldGivenEventID, func(m *event, path []commit.Segment, text string) bool {
				m.EventID = text
				return len(path) == 0
			}),
			epcs(FieldEPCList, func(m *event) *[]string { return &m.EPCList }),
			epc(FieldParentID, func(m *event) *string { return &m.ParentID }),
			epcs(FieldChildEPCs, func(m *event) *[]string { return &m.ChildEPCs }),
			epcs(FieldInputEPCList, func(m *event) *[]string { return &m.InputEPCList }),
			epcs(FieldOutputEPCList, func(m *event) *[]string { return &m.OutputEPCList }),
		}}},
		KindPartyAct: kindOf[registry.Act]{&message[registry.Act]{fields: []field[registry.Act]{
			text(1, func(m *registry.Act) *string { return &m.Party }),
			text(2, func(m *registry.Act) *string { return &m.Name }),
			texts(3, func(m *registry.Act) *[]string { return &m.Roles }),
			many(4, partyKey, func(m *registry.Act) *[]registry.Key { return &m.Keys }),
			texts(5, func(m *registry.Act) *[]string { return &m.GLNs }),
			texts(6, func(m *registry.Act) *[]string { return &m.Prefixes }),
			many(7, licence, func(m *registry.Act) *[]registry.Licence { return &m.Licences }),
			many(8, partyPlace, func(m *registry.Act) *[]registry.Place { return &m.Places }),
			text(9, func(m *registry.Act) *string { return &m.Suspended }),
			octetLists(10, func(m *registry.Act) *[][]byte { return &m.RevokedKeys }),
			text(11, func(m *registry.Act) *string { return &m.Note }),
		}}},
		KindProduct: kindOf[registry.Product]{&message[registry.Product]{fields: []field[registry.Product]{
			text(1, func(m *registry.Product) *string { return &m.GTIN }),
			text(2, func(m *registry.Product) *string { return &m.NDC }),
			text(3, func(m *registry.Product) *string { return &m.NDCFormat }),
			text(4, func(m *registry.Product) *string { return &m.Name }),
			text(5, func(m *registry.Product) *string { return &m.Manufacturer }),
			text(6, func(m *registry.Product) *string { return &m.DosageForm }),
			text(7, func(m *registry.Product) *string { return &m.Strength }),
			text(8, func(m *registry.Product) *string { return &m.NetContent }),
			number(9, func(m *registry.Product) *uint32 { return &m.CompanyPrefixLength }),
			text(10, func(m *registry.Product) *string { return &m.ContainsGTIN }),
			number(11, func(m *registry.Product) *uint32 { return &m.ContainsCount }),
		}}},
		KindLot: kindOf[registry.Lot]{&message[registry.Lot]{fields: []field[registry.Lot]{
			text(1, func(m *registry.Lot) *string { return &m.GTIN }),
			text(2, func(m *registry.Lot) *string { return &m.Lot }),
			text(3, func(m *registry.Lot) *string { return &m.Expiry }),
			number(4, func(m *registry.Lot) *uint64 { return &m.Size }),
			text(5, func(m *registry.Lot) *string { return &m.ManufacturedOn }),
		}}},
		KindRecall: kindOf[registry.Recall]{&message[registry.Recall]{fields: []field[registry.Recall]{
			text(1, func(m *registry.Recall) *string { return &m.RecallNumber }),
			text(2, func(m *registry.Recall) *string { return &m.GTIN }),
			text(3, func(m *registry.Recall) *string { return &m.Lot }),
			text(4, func(m *registry.Recall) *string { return &m.Classification }),
			text(5, func(m *registry.Recall) *string { return &m.Depth }),
			text(6, func(m *registry.Recall) *string { return &m.Reason }),
			text(7, func(m *registry.Recall) *string { return &m.InitiatedOn }),
			text(8, func(m *registry.Recall) *string { return &m.Status }),
			epcs(FieldEPCList, func(m *registry.Recall) *[]string { return &m.Units }),
		}}},
		KindResolution: kindOf[registry.Resolution]{&message[registry.Resolution]{fields: []field[registry.Resolution]{
			number(1, func(m *registry.Resolution) *uint64 { return &m.Height }),
			number(2, func(m *registry.Resolution) *uint32 { return &m.Entry }),
			number(3, func(m *registry.Resolution) *uint32 { return &m.Item }),
			text(4, func(m *registry.Resolution) *string { return &m.Code }),
			text(5, func(m *registry.Resolution) *string { return &m.Outcome }),
			text(6, func(m *registry.Resolution) *string { return &m.Note }),
			epcs(FieldEPCList, func(m *registry.Resolution) *[]string { return &m.Units }),
		}}},
		KindGrant: kindOf[registry.Grant]{&message[registry.Grant]{fields: []field[registry.Grant]{
			text(1, func(m *registry.Grant) *string { return &m.Grantee }),
			text(2, func(m *registry.Grant) *string { return &m.Scope }),
			text(3, func(m *registry.Grant) *string { return &m.Purpose }),
			text(4, func(m *registry.Grant) *string { return &m.ValidFrom }),
			text(5, func(m *registry.Grant) *string { return &m.ValidTo }),
			epcs(FieldEPCList, func(m *registry.Grant) *[]string { return &m.Units }),
		}}},
		KindAnchor: kindOf[registry.Anchor]{&message[registry.Anchor]{fields: []field[registry.Anchor]{
			text(1, func(m *registry.Anchor) *string { return &m.Log }),
			number(2, func(m *registry.Anchor) *uint64 { return &m.Size }),
			octets(3, func(m *registry.Anchor) *[]byte { return &m.Root }),
		}}},
		KindGovernance: kindOf[registry.Governance]{&message[registry.Governance]{fields: []field[registry.Governance]{
			text(1, func(m *registry.Governance) *string { return &m.Act }),
			number(2, func(m *registry.Governance) *uint64 { return &m.EffectiveHeight }),
			octets(3, func(m *registry.Governance) *[]byte { return &m.Payload }),
			many(4, signature, func(m *registry.Governance) *[]registry.GovernanceSignature { return &m.Signatures }),
		}}},
	}
}

// sealedLeaf is the codec of SealedLeaf. Paths are bytes, so they are not held to be text.
func decodeSealed(s string) (leaf commit.Sealed, err error) {
	last := uint32(0)
	for s != "" {
		num, typ, v, rest, err := next(s)
		switch {
		case err != nil:
			return leaf, err
		case num <= last:
			return leaf, errOrder
		case num > 2:
			return leaf, errUnknown
		case typ != protowire.BytesType:
			return leaf, errType
		case num == 1:
			leaf.Path = commit.Path(v.s)
		default:
			if len(v.s) != len(leaf.ValueHash) {
				return leaf, fmt.Errorf("value hash of %d bytes", len(v.s))
			}
			copy(leaf.ValueHash[:], v.s)
		}
		s, last = rest, num
	}
	if last != 2 {
		return leaf, fmt.Errorf("no value hash")
	}
	return leaf, leaf.Path.Check()
}
