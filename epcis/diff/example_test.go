package diff_test

import (
	"fmt"

	"verilot.dev/epcis"
	"verilot.dev/epcis/diff"
)

// The spelling of a step is no difference, a quantity is.
func ExampleDocuments() {
	document := func(step, quantity string) *epcis.Document {
		return &epcis.Document{Events: []epcis.EventAt{{Event: epcis.Event{
			Type: "ObjectEvent", BizStep: step, QuantityList: []epcis.Quantity{{EPCClass: "urn:epc:idpat:sgtin:0614141.107346.*", Quantity: quantity}},
		}}}}
	}
	for _, d := range diff.Documents(document("shipping", "10"), document("urn:epcglobal:cbv:bizstep:shipping", "12")) {
		fmt.Println(d.Path, d.A, d.B)
	}
	// Output: quantityList/quantityElement/quantity 10 12
}
