package epcisxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/sample"
)

// shipments is what a wholesaler gets: packing, then shipping with parties, documents and extensions. version is 1 or 2.
func shipments(version, events int) []byte {
	var b bytes.Buffer
	schema, open, closed := "1.2", "<extension>", "</extension>"
	if version == 2 {
		schema, open, closed = "2.0", "", ""
	}
	fmt.Fprintf(&b, `<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:%d" xmlns:gs1ushc="http://epcis.gs1us.org/hc/ns" schemaVersion="%s" creationDate="2026-11-20T10:00:00Z"><EPCISBody><EventList>
`, version, schema)
	for i := range events {
		fmt.Fprintf(&b, `  <AggregationEvent>
    <eventTime>2026-11-20T06:%02d:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
    <parentID>urn:epc:id:sscc:030001.4%010d</parentID>
    <childEPCs><epc>urn:epc:id:sgtin:030001.0012345.%d</epc><epc>urn:epc:id:sgtin:030001.0012345.%d</epc></childEPCs>
    <action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:packing</bizStep><disposition>urn:epcglobal:cbv:disp:in_progress</disposition>
    <readPoint><id>urn:epc:id:sgln:030001.111111.0</id></readPoint>
  </AggregationEvent>
  <ObjectEvent>
    <eventTime>2026-11-20T07:%02d:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
    <epcList><epc>urn:epc:id:sscc:030001.4%010d</epc></epcList>
    <action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep><disposition>urn:epcglobal:cbv:disp:in_transit</disposition>
    <readPoint><id>urn:epc:id:sgln:030001.111111.0</id></readPoint>
    <bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po">urn:epcglobal:cbv:bt:0399999999991:%d</bizTransaction><bizTransaction type="urn:epcglobal:cbv:btt:desadv">urn:epcglobal:cbv:bt:0300011111116:%d</bizTransaction></bizTransactionList>
    %s<sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:030001.111111</source><source type="urn:epcglobal:cbv:sdt:location">urn:epc:id:sgln:030001.111111.0</source></sourceList>
    <destinationList><destination type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:039999.999999</destination><destination type="urn:epcglobal:cbv:sdt:location">urn:epc:id:sgln:039999.999999.0</destination></destinationList>%s
    <gs1ushc:dropShipment>false</gs1ushc:dropShipment>
  </ObjectEvent>
`, i%60, i, 2*i, 2*i+1, i%60, i, i, i, open, closed)
	}
	b.WriteString("</EventList></EPCISBody></epcis:EPCISDocument>\n")
	return b.Bytes()
}

// The floor is encoding/xml reading raw tokens and dropping them.
func BenchmarkParse(b *testing.B) {
	for _, size := range []struct {
		name   string
		events int
		doc    []byte
	}{
		{"1600events10epcs", 1600, sample.Document(1600, 10)},
		{"8events5000epcs", 8, sample.Document(8, 5000)},
		{"800packed800shipped", 1600, shipments(1, 800)},
		{"800packed800shipped2.0", 1600, shipments(2, 800)},
	} {
		doc := size.doc
		b.Run(size.name+"/floor", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				d := xml.NewDecoder(bytes.NewReader(doc))
				for {
					if _, err := d.RawToken(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(size.name+"/token", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				d := xml.NewDecoder(bytes.NewReader(doc))
				for {
					if _, err := d.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(size.name+"/parse", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				sum, err := Read(bytes.NewReader(doc), epcis.Options{}, epcis.Handler{Event: func(epcis.EventAt) error { n++; return nil }})
				if err != nil || sum.SchemaInvalid {
					b.Fatal(err, sum)
				}
			}
			if n != b.N*size.events {
				b.Fatalf("%d events, want %d", n, b.N*size.events)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
