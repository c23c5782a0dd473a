package epcisdoc_test

import (
	"fmt"
	"os"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
)

const document = `<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-11-20T10:00:00Z">
<EPCISBody><EventList><ObjectEvent>
  <eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
  <epcList><epc>urn:epc:id:sgtin:0614141.107346.2017</epc></epcList>
  <action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>
</ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>`

// A document of any format is read.
func ExampleParse() {
	doc, err := epcisdoc.Parse(strings.NewReader(document), epcis.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc.Summary.Format, len(doc.Problems))
	for _, e := range doc.Events {
		fmt.Println(e.Event.EventTime, e.Event.Step(), e.Event.EPCList)
	}
	// Output:
	// xml-1.2 0
	// 2026-11-20T06:45:16Z shipping [urn:epc:id:sgtin:0614141.107346.2017]
}

// A document in XML 1.2 becomes one in JSON.
func ExampleConvert() {
	_, problems, err := epcisdoc.Convert(strings.NewReader(document), os.Stdout, epcis.Options{}, epcis.WriteOptions{Format: epcis.FormatJSON, EPC: epcis.DigitalLink})
	fmt.Println(problems, err)
	// Output:
	// {"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T10:00:00Z","epcisBody":{"eventList":[{"type":"ObjectEvent","eventTime":"2026-11-20T06:45:16Z","eventTimeZoneOffset":"-05:00","epcList":["https://id.gs1.org/01/10614141073464/21/2017"],"action":"OBSERVE","bizStep":"shipping"}]}}
	// [] <nil>
}
