// Package eventhash is the event hash of CBV 2.0 section 8.9: a name for an event that everybody
// who has the event can compute, however it was written. docs/event-hash.md describes the canonical
// form, and where public implementations differ from it.
//
// The pre-hash is a concatenation without separators, so somebody who chooses the texts of an event can make two
// different events with one hash. It is a name among honest parties. Nothing on the ledger is bound by it: the ledger
// commits to events as docs/spec.md section 4 says.
package eventhash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/epckey"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// Hash returns the hash ID of an event, ni:///sha-256;…?ver=CBV2.0, and the text that was hashed. It fails only for
// an event without a type or without a time that can be read.
func Hash(e *epcis.Event) (id, prehash string, err error) {
	var h Hasher
	id, text, err := h.Hash(e)
	return id, string(text), err
}

// QName is the name of an extension.
type QName struct{ Namespace, Name string }

// Hasher computes the hash IDs of many events. It keeps its buffers, so it must not be used by two goroutines at once.
// The zero value is ready.
type Hasher struct {
	// Ignore names extensions of events that do not count, see IgnoredFields. The standard knows nothing like it.
	Ignore []QName

	buf   []byte
	tmp   []byte
	spans []span // the items of the lists being written, innermost last
	ids   epckey.Reader
}

type span struct{ from, to int }

// Hash is the function Hash. The pre-hash is valid until the next call.
func (h *Hasher) Hash(e *epcis.Event) (id string, prehash []byte, err error) {
	h.buf, h.spans = h.buf[:0], h.spans[:0]
	if err := h.event(e); err != nil {
		return "", nil, err
	}
	const scheme, version = "ni:///sha-256;", "?ver=CBV2.0"
	sum := sha256.Sum256(h.buf)
	b := make([]byte, 0, len(scheme)+2*sha256.Size+len(version))
	b = append(b, scheme...)
	b = hex.AppendEncode(b, sum[:])
	b = append(b, version...)
	return string(b), h.buf, nil
}

// event writes the fields in the order of the standard's table.
func (h *Hasher) event(e *epcis.Event) error {
	kind := strings.Trim(e.Type, xsd.Blank)
	if kind == "" {
		return errors.New("an event without a type has no hash")
	}
	at, err := hashTime(e.EventTime, e.EventTimeZoneOffset)
	if err != nil {
		return fmt.Errorf("eventTime: %w", err)
	}
	h.raw("eventType", kind)
	h.key("eventTime")
	h.buf = at.AppendFormat(h.buf, hashTimeLayout)
	h.raw("eventTimeZoneOffset", e.EventTimeZoneOffset)
	h.epcs("epcList", e.EPCList)
	h.uri("parentID", e.ParentID)
	h.epcs("inputEPCList", e.InputEPCList)
	h.epcs("childEPCs", e.ChildEPCs)
	h.quantities("quantityList", e.QuantityList)
	h.quantities("childQuantityList", e.ChildQuantityList)
	h.quantities("inputQuantityList", e.InputQuantityList)
	h.epcs("outputEPCList", e.OutputEPCList)
	h.quantities("outputQuantityList", e.OutputQuantityList)
	h.raw("action", e.Action)
	h.uri("transformationID", e.TransformationID)
	h.term("bizStep", e.BizStep, epcis.TermBizStep)
	h.term("disposition", e.Disposition, epcis.TermDisposition)
	h.persistent(e.PersistentDisposition)
	h.place("readPoint", e.ReadPoint)
	h.place("bizLocation", e.BizLocation)

	mark := h.open("bizTransactionList")
	for _, t := range e.BizTransactionList {
		start := len(h.buf)
		h.term("type", t.Type, epcis.TermBizTransaction)
		h.uri("bizTransaction", t.Value)
		h.item(start)
	}
	h.close(mark)
	h.parties("sourceList", "source", e.SourceList)
	h.parties("destinationList", "destination", e.DestinationList)

	mark = h.open("sensorElementList")
	for i := range e.SensorElementList {
		h.sensor(e, &e.SensorElementList[i])
	}
	h.close(mark)

	mark = h.open("ilmd")
	h.extensions(e.ILMD)
	h.close(mark)

	mark = h.open("")
	for i := range e.Extensions {
		x := &e.Extensions[i]
		if !extension.IsAttribute(x) && (len(h.Ignore) == 0 || !slices.Contains(h.Ignore, QName{x.Namespace, x.Name})) {
			h.extension(x, x.Namespace, x.Name)
		}
	}
	h.close(mark)
	return nil
}

// A list is written item by item behind its name and then sorted by the bytes of the items. Names of lists, and of
// anything else that turns out to hold nothing, are taken back.

type mark struct{ name, from, base int }

func (h *Hasher) open(name string) mark {
	m := mark{name: len(h.buf), base: len(h.spans)}
	h.buf = append(h.buf, name...)
	m.from = len(h.buf)
	return m
}

// item ends an item that began at start.
func (h *Hasher) item(start int) {
	if len(h.buf) > start {
		h.spans = append(h.spans, span{start, len(h.buf)})
	}
}

func (h *Hasher) close(m mark) {
	spans := h.spans[m.base:]
	h.spans = h.spans[:m.base]
	if len(spans) == 0 {
		h.buf = h.buf[:m.name]
		return
	}
	order := func(a, b span) int { return bytes.Compare(h.buf[a.from:a.to], h.buf[b.from:b.to]) }
	if slices.IsSortedFunc(spans, order) {
		return
	}
	slices.SortFunc(spans, order)
	h.tmp = append(h.tmp[:0], h.buf[m.from:]...)
	h.buf = h.buf[:m.from]
	for _, s := range spans {
		h.buf = append(h.buf, h.tmp[s.from-m.from:s.to-m.from]...)
	}
}

// unless takes back what was written since name when nothing followed it.
func (h *Hasher) unless(name, from int) {
	if len(h.buf) == from {
		h.buf = h.buf[:name]
	}
}

func (h *Hasher) key(name string) {
	h.buf = append(h.buf, name...)
	h.buf = append(h.buf, '=')
}

// The fields. One that is absent or empty is left out.

// raw writes a text as it is, without the white space around it.
func (h *Hasher) raw(name, s string) {
	if s = strings.TrimSpace(s); s != "" {
		h.key(name)
		h.buf = append(h.buf, s...)
	}
}

// uri writes a text that may be an identifier or a term.
func (h *Hasher) uri(name, s string) {
	if s = strings.TrimSpace(s); s != "" {
		h.key(name)
		h.value(s)
	}
}

// term writes a value of a code list, in any of its spellings. A bare word counts as one of the list, whether or not this
// version of the vocabulary has it: the hash of an event must not change when the vocabulary grows.
func (h *Hasher) term(name, s string, kind epcis.TermKind) {
	if s = strings.TrimSpace(s); s == "" {
		return
	}
	h.key(name)
	if word, spelled := vocabulary.Lists[kind].Cut(s); spelled != "" || vocabulary.IsWord(s) {
		h.buf = append(h.buf, vocabulary.Lists[kind].Web...)
		h.buf = append(h.buf, word...)
		return
	}
	h.value(s)
}

// number writes a quantity.
func (h *Hasher) number(name, s string) {
	if s = strings.TrimSpace(s); s != "" {
		h.key(name)
		h.buf = appendNumber(h.buf, s, true)
	}
}

// time writes a time of a sensor. One that cannot be read stays as it is: no check keeps such an event out.
func (h *Hasher) time(name, s, offset string) {
	at, err := hashTime(s, offset)
	if err != nil {
		h.raw(name, s)
		return
	}
	h.key(name)
	h.buf = at.AppendFormat(h.buf, hashTimeLayout)
}

func (h *Hasher) epcs(list string, epcs []string) {
	m := h.open(list)
	for _, s := range epcs {
		start := len(h.buf)
		h.uri("epc", s)
		h.item(start)
	}
	h.close(m)
}

func (h *Hasher) quantities(list string, quantities []epcis.Quantity) {
	m := h.open(list)
	for _, q := range quantities {
		start := len(h.buf)
		h.buf = append(h.buf, "quantityElement"...)
		from := len(h.buf)
		h.uri("epcClass", q.EPCClass)
		h.number("quantity", q.Quantity)
		h.raw("uom", q.UOM)
		h.unless(start, from)
		h.item(start)
	}
	h.close(m)
}

func (h *Hasher) parties(list, name string, parties []epcis.SourceDest) {
	m := h.open(list)
	for _, p := range parties {
		start := len(h.buf)
		h.term("type", p.Type, epcis.TermSourceDest)
		h.uri(name, p.Value)
		h.item(start)
	}
	h.close(m)
}

func (h *Hasher) persistent(p *epcis.PersistentDisposition) {
	if p == nil {
		return
	}
	name := len(h.buf)
	h.buf = append(h.buf, "persistentDisposition"...)
	from := len(h.buf)
	for _, l := range [...]struct {
		name string
		list []string
	}{{"set", p.Set}, {"unset", p.Unset}} {
		m := h.open("")
		for _, s := range l.list {
			start := len(h.buf)
			h.term(l.name, s, epcis.TermDisposition)
			h.item(start)
		}
		h.close(m)
	}
	h.unless(name, from)
}

func (h *Hasher) place(name string, p *epcis.Place) {
	if p == nil {
		return
	}
	start := len(h.buf)
	h.buf = append(h.buf, name...)
	from := len(h.buf)
	h.uri("id", p.ID)
	h.nested(p.Extensions)
	h.unless(start, from)
}

// nested writes the extensions of a standard field behind its own fields.
func (h *Hasher) nested(list []epcis.Extension) {
	m := h.open("")
	h.extensions(list)
	h.close(m)
}

func (h *Hasher) sensor(e *epcis.Event, s *epcis.SensorElement) {
	start := len(h.buf)
	h.buf = append(h.buf, "sensorElement"...)
	from := len(h.buf)
	if d := s.Metadata; d != nil {
		name := len(h.buf)
		h.buf = append(h.buf, "sensorMetadata"...)
		from := len(h.buf)
		h.time("time", d.Time, e.EventTimeZoneOffset)
		h.time("startTime", d.StartTime, e.EventTimeZoneOffset)
		h.time("endTime", d.EndTime, e.EventTimeZoneOffset)
		h.uri("deviceID", d.DeviceID)
		h.uri("deviceMetadata", d.DeviceMetadata)
		h.uri("rawData", d.RawData)
		h.uri("dataProcessingMethod", d.DataProcessingMethod)
		h.uri("bizRules", d.BizRules)
		h.nested(d.Extensions)
		h.unless(name, from)
	}
	m := h.open("")
	for i := range s.Reports {
		h.report(e, &s.Reports[i])
	}
	h.close(m)
	h.nested(s.Extensions)
	h.unless(start, from)
	h.item(start)
}

func (h *Hasher) report(e *epcis.Event, r *epcis.SensorReport) {
	start := len(h.buf)
	h.buf = append(h.buf, "sensorReport"...)
	from := len(h.buf)
	h.term("type", r.Type, epcis.TermMeasurement)
	h.term("exception", r.Exception, epcis.TermSensorAlert)
	h.uri("deviceID", r.DeviceID)
	h.uri("deviceMetadata", r.DeviceMetadata)
	h.uri("rawData", r.RawData)
	h.uri("dataProcessingMethod", r.DataProcessingMethod)
	h.uri("bizRules", r.BizRules) // not in the standard's table; stands where it stands in the metadata
	h.time("time", r.Time, e.EventTimeZoneOffset)
	h.uri("microorganism", r.Microorganism)
	h.uri("chemicalSubstance", r.ChemicalSubstance)
	h.number("value", r.Value)
	h.term("component", r.Component, epcis.TermComponent)
	h.uri("stringValue", r.StringValue)
	h.raw("booleanValue", canonicalBoolean(r.BooleanValue))
	h.raw("hexBinaryValue", r.HexBinaryValue)
	h.uri("uriValue", r.URIValue)
	h.number("minValue", r.MinValue)
	h.number("maxValue", r.MaxValue)
	h.number("meanValue", r.MeanValue)
	h.number("sDev", r.SDev)
	h.number("percRank", r.PercRank)
	h.number("percValue", r.PercValue)
	h.raw("uom", r.UOM)
	h.uri("coordinateReferenceSystem", r.CoordinateReferenceSystem)
	h.nested(r.Extensions)
	h.unless(start, from)
	h.item(start)
}

// hashTimeLayout is UTC with exactly three decimals.
const hashTimeLayout = "2006-01-02T15:04:05.000Z"

// hashTime reads a time to the millisecond; a fourth decimal of 5 or more rounds up. A time without a zone is taken to
// be local, as EventTimeMillis does.
func hashTime(s, offset string) (time.Time, error) {
	s = strings.Trim(s, xsd.Blank)
	t, err := xsd.ParseTime(s)
	if err != nil {
		return time.Time{}, err
	}
	const fourth = len("2006-01-02T15:04:05.0003") - 1
	if len(s) > fourth && s[fourth-4] == '.' && '5' <= s[fourth] && s[fourth] <= '9' && allDigits(s[fourth-3:fourth]) {
		t.Millis++
	}
	if !t.Zoned {
		minutes, err := xsd.ParseOffset(strings.Trim(offset, xsd.Blank))
		if err != nil {
			return time.Time{}, fmt.Errorf("%s has no zone and eventTimeZoneOffset %s is %w", excerpt.Quote(s), excerpt.Quote(offset), err)
		}
		t.Millis -= int64(minutes) * 60_000
	}
	return time.UnixMilli(t.Millis).UTC(), nil
}

func allDigits(s string) bool {
	_, ok := xsd.Digits(s)
	return ok
}
