package epcis_test

import (
	"fmt"

	"verilot.dev/epcis"
)

// An event is built, and checked as if it had been read from a document.
func Example() {
	at := epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00", ReadPoint: "urn:epc:id:sgln:030001.111111.0"}
	e := epcis.Commission(at, []string{"urn:epc:id:sgtin:030001.0012345.1001"}, "A123", "31 May 2028")
	fmt.Println(e.Step(), e.Lot())
	for _, p := range epcis.Check(&e) {
		fmt.Println(p)
	}
	// Output:
	// commissioning A123
	// ilmd: error expiry_invalid: "31 May 2028" is not an expiration date (write it as 2027-05-31)
}
