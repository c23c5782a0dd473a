package eventhash_test

import (
	"fmt"

	"verilot.dev/epcis"
	"verilot.dev/epcis/eventhash"
)

// Two ways to write one event have one hash.
func ExampleHash() {
	for _, e := range []epcis.Event{
		{Type: "ObjectEvent", EventTime: "2026-11-20T06:45:16Z", EventTimeZoneOffset: "-05:00", Action: "OBSERVE", BizStep: "shipping", EPCList: []string{"urn:epc:id:sgtin:0614141.107346.2017"}},
		{Type: "ObjectEvent", EventTime: "2026-11-20T01:45:16-05:00", EventTimeZoneOffset: "-05:00", Action: "OBSERVE", BizStep: "urn:epcglobal:cbv:bizstep:shipping", EPCList: []string{"https://example.com/01/10614141073464/21/2017"}},
	} {
		id, _, err := eventhash.Hash(&e)
		fmt.Println(id, err)
	}
	// Output:
	// ni:///sha-256;1c71b71573e47787d2bcd67da0fdeacb5be73466330b0b9145f1f665288b2e66?ver=CBV2.0 <nil>
	// ni:///sha-256;1c71b71573e47787d2bcd67da0fdeacb5be73466330b0b9145f1f665288b2e66?ver=CBV2.0 <nil>
}
