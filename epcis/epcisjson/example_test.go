package epcisjson_test

import (
	"fmt"
	"os"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisjson"
)

func ExampleParse() {
	doc, err := epcisjson.Parse(strings.NewReader(`{
  "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"acme": "https://acme.example/"}],
  "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-11-20T10:00:00Z",
  "epcisBody": {"eventList": [{
    "type": "ObjectEvent", "eventTime": "2026-11-20T06:45:16Z", "eventTimeZoneOffset": "-05:00",
    "epcList": ["https://id.gs1.org/01/10614141073464/21/2017"], "action": "OBSERVE", "bizStep": "shipping", "acme:gate": 7
  }]}
}`), epcis.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range doc.Events {
		x := e.Event.Extensions[0]
		fmt.Println(e.Pointer, e.Event.Step(), x.Namespace, x.Name, x.Text)
	}
	// Output: /epcisBody/eventList/0 shipping https://acme.example/ gate 7
}

func ExampleNewEncoder() {
	enc, err := epcisjson.NewEncoder(os.Stdout, epcis.Head{CreationDate: "2026-11-20T10:00:00Z"}, epcis.WriteOptions{Format: epcis.FormatJSON, Indent: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	at := epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00"}
	e := epcis.Dispense(at, []string{"urn:epc:id:sgtin:030001.0012345.1001"}, false)
	if err := enc.Event(&e, ""); err != nil {
		fmt.Println(err)
	}
	losses, err := enc.Close()
	fmt.Println(losses, err)
	// Output:
	// {
	//   "@context": [
	//     "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
	//   ],
	//   "type": "EPCISDocument",
	//   "schemaVersion": "2.0",
	//   "creationDate": "2026-11-20T10:00:00Z",
	//   "epcisBody": {
	//     "eventList": [
	//       {
	//         "type": "ObjectEvent",
	//         "eventTime": "2026-11-20T06:45:16Z",
	//         "eventTimeZoneOffset": "-05:00",
	//         "epcList": [
	//           "urn:epc:id:sgtin:030001.0012345.1001"
	//         ],
	//         "action": "OBSERVE",
	//         "bizStep": "dispensing",
	//         "disposition": "dispensed"
	//       }
	//     ]
	//   }
	// }
	// [] <nil>
}
