package custody

import (
	"strings"
	"testing"

	"verilot.dev/epcis"
)

// The check of an event says what the rules refuse by its form: a class, or a place, in a list of things, for every step
// of the table and for no other.
func TestClassesAreToldByTheCheck(t *testing.T) {
	judged := map[string]string{}
	for _, r := range rules {
		for _, step := range r.steps {
			judged[step] = r.event
		}
	}
	for _, step := range epcis.Steps() {
		for _, id := range []string{"urn:epc:class:lgtin:0390777.012345.L1", "urn:epc:id:sgln:0390777.00001.0"} {
			e := epcis.Event{Type: objectEvent, Action: "OBSERVE", BizStep: step, EPCList: []string{id}}
			if judged[step] == aggregationEvent {
				e = epcis.Event{Type: aggregationEvent, Action: "ADD", BizStep: step, ParentID: "urn:epc:id:sscc:0390777.0000000001", ChildEPCs: []string{id}}
			}
			refused := false
			for _, p := range epcis.Check(&e) {
				refused = refused || p.Code == epcis.CodeEPCClass && p.Severity == epcis.SeverityError
			}
			if refused != (judged[step] != "") {
				t.Errorf("%s of %s: the check refuses: %v; the rules judge: %q", step, strings.SplitN(id, ":", 5)[3], refused, judged[step])
			}
		}
	}
}
