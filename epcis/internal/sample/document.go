// Package sample has the documents and events that tests read. Only tests import it.
package sample

import (
	"bytes"
	"fmt"
)

// Document is the size partners send: events of one lot, packed by tens, indented as they indent.
func Document(events, epcs int) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" xmlns:gs1ushc="http://epcis.gs1us.org/hc/ns" schemaVersion="1.2" creationDate="2026-11-20T10:00:00Z">
    <EPCISBody>
        <EventList>
`)
	for i := range events {
		fmt.Fprintf(&b, `            <ObjectEvent>
                <eventTime>2026-11-20T06:%02d:%02d.%03dZ</eventTime>
                <eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
                <epcList>
`, i/60%60, i%60, i%1000)
		for j := range epcs {
			fmt.Fprintf(&b, "                    <epc>urn:epc:id:sgtin:030001.0012345.%d</epc>\n", 10_000_000+i*epcs+j)
		}
		fmt.Fprintf(&b, `                </epcList>
                <action>ADD</action>
                <bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep>
                <disposition>urn:epcglobal:cbv:disp:active</disposition>
                <readPoint>
                    <id>urn:epc:id:sgln:030001.111111.0</id>
                </readPoint>
                <bizLocation>
                    <id>urn:epc:id:sgln:030001.111111.0</id>
                </bizLocation>
                <extension>
                    <ilmd>
                        <cbvmda:lotNumber>A%d</cbvmda:lotNumber>
                        <cbvmda:itemExpirationDate>2028-03-27</cbvmda:itemExpirationDate>
                    </ilmd>
                </extension>
            </ObjectEvent>
`, i)
	}
	b.WriteString("        </EventList>\n    </EPCISBody>\n</epcis:EPCISDocument>\n")
	return b.Bytes()
}
