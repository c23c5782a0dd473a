package epcis

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
	"strconv"
	"strings"

	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// eventIDs knows what each event id of a document stands for. Ids and contents are hashed: a document of 100,000 events
// takes a few megabytes.
type eventIDs struct {
	seed maphash.Seed
	seen map[[16]byte]uint64
}

// eventID reports an event that has the id of another event of the document. The same event twice is none, and what
// declares an event wrong carries its id.
func (c *Checker) eventID(e *Event, fault tell) {
	text := strings.Trim(e.EventID, xsd.Blank)
	if text == "" || e.ErrorDeclaration != nil {
		return
	}
	if c.events.seen == nil {
		c.events = eventIDs{maphash.MakeSeed(), map[[16]byte]uint64{}}
	}
	if len(text) > len(uuid) && strings.EqualFold(text[:len(uuid)], uuid) {
		text = vocabulary.Lower(text) // a UUID has no case (RFC 9562 section 4)
	}
	sum := sha256.Sum256([]byte(text))
	id, content := [16]byte(sum[:16]), c.events.content(e)
	before, ok := c.events.seen[id]
	switch {
	case !ok:
		c.events.seen[id] = content
	case before != content:
		fault(CodeEventIDRepeated, field.EventID, "another event of the document has the id "+excerpt.Quote(e.EventID), "give every event an id of its own")
	}
}

const uuid = "urn:uuid:"

// content sums up what an event says, however it is written: the order of a list says nothing, nor the spelling of a
// standard value or of the time. When the event was recorded is not part of it.
func (ids *eventIDs) content(e *Event) uint64 {
	s := newSummer(ids.seed)
	s.texts(e.Type, e.Action, e.EventTimeZoneOffset, e.TransformationID, TermBizStep.Word(e.BizStep), TermDisposition.Word(e.Disposition), e.ParentID)
	if millis, err := EventTimeMillis(e); err == nil {
		s.texts(strconv.FormatInt(millis, 10))
	} else {
		s.texts(e.EventTime)
	}
	for _, p := range [...]*Place{e.ReadPoint, e.BizLocation} {
		if p == nil {
			p = &Place{}
		}
		s.texts(p.ID)
		s.extensions(p.Extensions)
	}
	if p := e.PersistentDisposition; p != nil {
		each(s, p.Set, func(s *summer, t *string) { s.texts(TermDisposition.Word(*t)) })
		each(s, p.Unset, func(s *summer, t *string) { s.texts(TermDisposition.Word(*t)) })
	}
	for _, list := range [...][]string{e.EPCList, e.ChildEPCs, e.InputEPCList, e.OutputEPCList, e.CertificationInfo} {
		each(s, list, func(s *summer, t *string) { s.texts(*t) })
	}
	each(s, e.BizTransactionList, func(s *summer, t *BizTransaction) { s.texts(TermBizTransaction.Word(t.Type), t.Value) })
	for _, list := range [...][]SourceDest{e.SourceList, e.DestinationList} {
		each(s, list, func(s *summer, t *SourceDest) { s.texts(TermSourceDest.Word(t.Type), t.Value) })
	}
	for _, list := range [...][]Quantity{e.QuantityList, e.ChildQuantityList, e.InputQuantityList, e.OutputQuantityList} {
		each(s, list, func(s *summer, q *Quantity) { s.texts(q.EPCClass, q.Quantity, q.UOM) })
	}
	each(s, e.SensorElementList, func(s *summer, x *SensorElement) {
		if m := x.Metadata; m != nil {
			s.texts(m.Time, m.StartTime, m.EndTime, m.DeviceID, m.DeviceMetadata, m.RawData, m.DataProcessingMethod, m.BizRules)
			s.extensions(m.Extensions)
		}
		each(s, x.Reports, func(s *summer, r *SensorReport) {
			s.texts(r.Type, r.Exception, r.DeviceID, r.DeviceMetadata, r.RawData, r.DataProcessingMethod, r.BizRules, r.Time, r.Microorganism, r.ChemicalSubstance,
				r.CoordinateReferenceSystem, r.Value, r.Component, r.StringValue, r.BooleanValue, r.HexBinaryValue, r.URIValue, r.MinValue, r.MaxValue, r.MeanValue, r.SDev,
				r.PercRank, r.PercValue, r.UOM)
			s.extensions(r.Extensions)
		})
		s.extensions(x.Extensions)
	})
	s.extensions(e.ILMD)
	s.extensions(e.Extensions)
	return s.h.Sum64()
}

// summer hashes texts and lists of them.
type summer struct {
	seed maphash.Seed
	h    maphash.Hash
}

func newSummer(seed maphash.Seed) *summer {
	s := &summer{seed: seed}
	s.h.SetSeed(seed)
	return s
}

func (s *summer) texts(list ...string) {
	for _, t := range list {
		_, _ = s.h.WriteString(strings.Trim(t, xsd.Blank))
		_ = s.h.WriteByte(0xff) // in no UTF-8 text
	}
	_ = s.h.WriteByte(0xfe)
}

// each adds the sum of a list, in which order does not count.
func each[T any](s *summer, list []T, add func(*summer, *T)) {
	var total uint64
	if len(list) > 0 {
		item := newSummer(s.seed)
		for i := range list {
			item.h.Reset()
			add(item, &list[i])
			total += item.h.Sum64()
		}
	}
	_ = s.h.WriteByte(0xfd)
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], total)
	_, _ = s.h.Write(b[:])
}

func (s *summer) extensions(list []Extension) {
	each(s, list, func(s *summer, x *Extension) {
		namespace := x.Namespace
		if IsMDA(namespace) {
			namespace = NamespaceMDA
		}
		s.texts(namespace, x.Name, x.Text)
		_ = s.h.WriteByte(byte(x.Type))
		s.extensions(x.Attributes)
		s.extensions(x.Children)
	})
}
