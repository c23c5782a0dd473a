package epcisxml_test

import (
	"bytes"
	"fmt"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisxml"
)

const shipping = `<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="2026-11-20T10:00:00Z">
<EPCISBody><EventList><ObjectEvent>
  <eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
  <epcList><epc>urn:epc:id:sscc:030001.41234567890</epc></epcList>
  <action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:teleporting</bizStep>
</ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>`

func ExampleRead() {
	_, err := epcisxml.Read(strings.NewReader(shipping), epcis.Options{}, epcis.Handler{
		Event: func(e epcis.EventAt) error {
			fmt.Println(e.Line, e.Event.Type, e.Event.EPCList)
			return nil
		},
		Problem: func(p epcis.Problem) error {
			fmt.Println(p.Line, p.Code, p.Hint)
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 5 CBV_UNKNOWN was transporting meant?
	// 2 ObjectEvent [urn:epc:id:sscc:030001.41234567890]
}

func ExampleEncodeEvent() {
	e := epcis.Event{
		Type: "ObjectEvent", EventTime: "2026-11-20T06:45:16Z", EventTimeZoneOffset: "-05:00",
		EPCList: []string{"urn:epc:id:sscc:030001.41234567890"}, Action: "OBSERVE", BizStep: "shipping",
	}
	var b bytes.Buffer
	losses, err := epcisxml.EncodeEvent(&b, &e, "", epcis.WriteOptions{Format: epcis.FormatXML12})
	fmt.Println(b.String(), losses, err)
	// Output:
	// <ObjectEvent><eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sscc:030001.41234567890</epc></epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep></ObjectEvent> [] <nil>
}
