package gs1_test

import (
	"fmt"

	"verilot.dev/epcis/gs1"
)

// An EPC URN and a Digital Link on any host name the same thing.
func ExampleParseEPC() {
	for _, s := range []string{"urn:epc:id:sgtin:0614141.107346.2017", "https://example.com/01/10614141073464/21/2017"} {
		epc, err := gs1.ParseEPC(s)
		fmt.Println(epc.Key(), err)
	}
	// Output:
	// 0110614141073464212017 <nil>
	// 0110614141073464212017 <nil>
}
