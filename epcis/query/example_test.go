package query_test

import (
	"fmt"
	"net/url"

	"verilot.dev/epcis"
	"verilot.dev/epcis/query"
)

func ExampleParseValues() {
	q, err := query.ParseValues(url.Values{"EQ_bizStep": {"shipping"}, "MATCH_epc": {"https://id.gs1.org/01/10614141073464"}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := epcis.Event{
		Type: "ObjectEvent", EventTime: "2026-11-20T06:45:16Z", EventTimeZoneOffset: "-05:00", Action: "OBSERVE",
		BizStep: "urn:epcglobal:cbv:bizstep:shipping", EPCList: []string{"urn:epc:id:sgtin:0614141.107346.2017"},
	}
	fmt.Println(q.Match(&query.Record{Event: &e}, nil))
	// Output: true
}
