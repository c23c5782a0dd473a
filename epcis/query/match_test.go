package query

import (
	"net/url"
	"testing"
)

const everything = "commission pack ship withdraw transform sensor"

// Every row is a query as in a URL, not escaped, with one parameter per line; and the events of events_test.go that it finds.
func TestMatch(t *testing.T) {
	for _, family := range []struct {
		name string
		rows [][2]string
	}{
		{"type, time and action", [][2]string{
			{"", everything},
			{"eventType=ObjectEvent", "commission withdraw"},
			{"eventType=TransformationEvent|AssociationEvent", "transform sensor"},
			{"eventType=https://ref.gs1.org/epcis/AggregationEvent", "pack"},
			{"eventType=epcis:TransactionEvent", "ship"},
			{"eventType=urn:acme:VisitEvent", ""},
			{"GE_eventTime=2026-11-20T14:30:00.500Z\nLT_eventTime=2026-11-21T09:00:00Z", "ship withdraw transform"},
			{"LT_eventTime=2026-11-20T09:30:00.500-05:00", "commission pack"},
			{"LT_eventTime=2026-11-20T09:30:00.5000001-05:00", "commission pack ship withdraw"},
			{"GE_eventTime=2026-11-21T09:30:00 01:00", "sensor"}, // a + that was not escaped in the URL
			{"GE_recordTime=2026-11-22T00:00:04Z", "transform sensor"},
			{"LT_recordTime=2026-11-22T00:00:01Z", "commission"},
			{"GE_recordTime=2026-11-22T00:00:01Z\nLT_recordTime=2026-11-22T00:00:01Z", ""},
			{"EQ_action=ADD", "commission pack"},
			{"EQ_action=ADD|OBSERVE\neventType=TransformationEvent", ""},
		}},
		{"values of CBV in any spelling", [][2]string{
			{"EQ_bizStep=commissioning", "commission"},
			{"EQ_bizStep=urn:epcglobal:cbv:bizstep:packing|https://ref.gs1.org/cbv/BizStep-shipping", "pack ship"},
			{"EQ_bizStep=urn:acme:bizstep:shipping", "withdraw"},
			{"EQ_bizStep=x:bizstep:shipping", "withdraw"}, // x: is declared
			{"EQ_bizStep=cbv:BizStep-commissioning", "commission"},
			{"EQ_bizStep=http://ns.gs1.org/cbv/BizStep-commissioning", "commission"},
			{"EQ_bizStep=urn:epcglobal:cbv:disp:commissioning", ""},
			{"EQ_bizStep=holding", ""},
			{"EQ_disposition=active", "commission"},
			{"EQ_disposition=https://example.com/disp#almost_done", "transform"},
			{"EQ_persistentDisposition_set=completeness_verified", "pack"},
			{"EQ_persistentDisposition_unset=urn:epcglobal:cbv:disp:completeness_inferred", "pack"},
			{"EQ_persistentDisposition_set=completeness_inferred", ""},
		}},
		{"places", [][2]string{
			{"EQ_readPoint=urn:epc:id:sgln:0614141.07346.1234", "commission"},
			{"EQ_readPoint=https://example.com/414/0614141073467/254/1234", "commission"},
			{"EQ_readPoint=urn:epc:id:sgln:0614141.07346.0", ""},
			{"WD_readPoint=urn:epc:id:sgln:0614141.07346.0", "commission"},
			{"EQ_bizLocation=urn:epc:id:sgln:0614141.07346.0", "commission pack"},
			{"WD_bizLocation=https://id.gs1.org/414/0614141073467", "commission pack"},
			{"WD_bizLocation=https://example.com/elsewhere", ""},
			{"EQ_readPoint_acme:gate=7", "commission"},
			{"GE_readPoint_acme:gate=7.0", "commission"},
			{"EXISTS_readPoint_acme:gate", "commission"},
			{"EQ_bizLocation_acme:floor=12", ""},
			{"EQ_INNER_bizLocation_acme:room=12", "commission"},
			{"EXISTS_bizLocation_acme:floor=true", "commission"},
			{"EXISTS_bizLocation_acme:room=true", ""},
		}},
		{"business transactions, sources and destinations", [][2]string{
			{"EQ_bizTransaction_po=urn:epcglobal:cbv:bt:0614141073467:1152", "ship"},
			{"EQ_bizTransaction_urn:epcglobal:cbv:btt:po=urn:epcglobal:cbv:bt:0614141073467:1152", "ship"},
			{"EQ_bizTransaction_inv=urn:epcglobal:cbv:bt:0614141073467:1152", ""},
			{"EQ_bizTransaction_waybill=urn:epcglobal:cbv:bt:0614141073467:1152", ""}, // CBV has no such type, the schema has
			{"EQ_bizTransaction_desadv=urn:epc:id:gdti:0614141.00000.D1", "ship"},
			{"EQ_bizTransaction_po=urn:epcglobal:cbv:bt:0614141073467:untyped", ""},
			{"EQ_source_owning_party=https://id.gs1.org/417/4012345000016", "ship"},
			{"EQ_source_possessing_party=https://id.gs1.org/417/4012345000016", ""},
			{"EQ_source_x:sdt:broker=urn:epc:id:pgln:4012345.00003", "ship"},
			{"EQ_source_urn:acme:sdt:broker=urn:epc:id:pgln:4012345.00003", "ship"},
			{"EQ_destination_location=urn:epc:id:sgln:4012345.00002.0", "ship"},
			{"EQ_destination_owning_party=urn:epc:id:sgln:4012345.00002.0", ""},
			{"EQ_transformationID=https://id.gs1.org/253/0614141123452400", "transform"},
		}},
		{"EPCs", [][2]string{
			{"MATCH_epc=urn:epc:id:sgtin:0614141.107346.2017", "commission pack"},
			{"MATCH_epc=https://acme.example/gtin/10614141073464/ser/2017", "commission pack"},
			{"MATCH_epc=https://id.gs1.org/01/10614141073464/21/20%2F19", "commission"},
			{"MATCH_epc=urn:epc:id:sscc:0614141.1234567890", "ship"},
			{"MATCH_parentID=urn:epc:id:sscc:0614141.1234567890", "pack"},
			{"MATCH_anyEPC=urn:epc:id:sscc:0614141.1234567890", "pack ship"},
			{"MATCH_epc=urn:epc:id:sgtin:0614141.107346.2018|urn:epc:id:sscc:0614141.1234567890", "commission pack ship"},
			{"MATCH_inputEPC=urn:epc:id:sgtin:4012345.011122.25", "transform"},
			{"MATCH_outputEPC=urn:epc:id:sgtin:4012345.011122.25", ""},
			{"MATCH_outputEPC=urn:epc:id:sgtin:4012345.077889.26", "transform"},
			{"MATCH_anyEPC=urn:epc:id:sgtin:4012345.077889.26", "transform"},
			{"MATCH_epc=urn:epc:id:sgtin:4012345.077889.26", ""},
			{"MATCH_epc=urn:epc:id:gid:95100000.12345.400", "withdraw"},
			{"MATCH_epc=urn:epc:id:sgtin:0614141.107346.1", ""},
		}},
		{"patterns and classes", [][2]string{
			{"MATCH_epc=urn:epc:idpat:sgtin:0614141.107346.*", "commission pack"},
			{"MATCH_epc=https://id.gs1.org/01/10614141073464", "commission pack"},
			{"MATCH_epc=urn:epc:idpat:sgtin:0614141.*.*", "commission pack"},
			{"MATCH_anyEPC=urn:epc:idpat:sgtin:*.*.*", "commission pack transform"},
			{"MATCH_anyEPC=urn:epc:idpat:sgtin:4012345.*.*", "transform"},
			{"MATCH_epc=urn:epc:idpat:sgtin:0614141.107346.2018", "commission pack"},
			{"MATCH_anyEPC=urn:epc:idpat:sscc:0614141.*", "pack ship"},
			{"MATCH_anyEPC=urn:epc:idpat:sscc:061414.*", "pack ship"}, // digits are all there is in a Digital Link
			{"MATCH_anyEPC=urn:epc:idpat:sscc:061415.*", ""},
			{"MATCH_epc=urn:epc:idpat:gid:95100000.*.*", "withdraw"},
			{"MATCH_epc=urn:epc:idpat:gid:95100000.12345.*", "withdraw"},
			{"MATCH_epc=urn:epc:idpat:gid:95100000.1234.*", ""},
			{"MATCH_anyEPC=urn:epc:idpat:grai:*.*.*", "withdraw sensor"},
			{"MATCH_anyEPC=urn:epc:idpat:grai:0614141.*.*", "withdraw"},
			{"MATCH_anyEPC=urn:epc:idpat:grai:4012345.55555.*", "sensor"},
			{"MATCH_anyEPC=https://id.gs1.org/8003/04012345555554", "sensor"},
			{"MATCH_epc=urn:epc:idpat:giai:4000001.*", "sensor"},
			{"MATCH_epc=urn:epc:idpat:lgtin:*.*.*", ""},
			{"MATCH_epcClass=urn:epc:class:lgtin:4012345.012345.998877", "commission"},
			{"MATCH_epcClass=https://id.gs1.org/01/04012345123456/10/998877", "commission"},
			{"MATCH_epcClass=urn:epc:class:lgtin:4012345.012345.*", "commission"},
			{"MATCH_epcClass=urn:epc:class:lgtin:*.*.*", "commission"},
			{"MATCH_epcClass=urn:epc:idpat:sgtin:4012345.012345.*", "commission pack"}, // the GTIN and its lots
			{"MATCH_epcClass=urn:epc:idpat:sgtin:4012345.*.*", "commission pack"},
			{"MATCH_inputEPCClass=urn:epc:class:lgtin:4012345.011111.4444", "transform"},
			{"MATCH_outputEPCClass=https://id.gs1.org/8003/00614141123452", "transform"},
			{"MATCH_outputEPCClass=urn:epc:idpat:grai:0614141.12345.*", "transform"},
			{"MATCH_anyEPCClass=https://id.gs1.org/01/04012345123456|https://id.gs1.org/01/04012345111118", "commission pack transform"},
			{"MATCH_epcClass=urn:epc:class:lgtin:4012345.011111.4444", ""},
		}},
		{"quantities", [][2]string{
			{"EQ_quantity=200.5", "commission"},
			{"EQ_quantity=1e1|200.500", "commission pack transform"},
			{"GT_quantity=10", "commission"},
			{"GE_quantity=10", "commission pack transform"},
			{"LT_quantity=3.0000000000000000000000000000000001", "transform"},
			{"LT_quantity=3", ""},
			{"LE_quantity=3.", "transform"},
			{"GE_quantity_KGM=200", "commission"},
			{"EQ_quantity_KGM=10", "transform"},
			{"EQ_quantity_GRM=10000", ""},
			{"GE_quantity=-1\nLE_quantity_KGM=10", "transform"},
		}},
		{"events by their ID, and error declarations", [][2]string{
			{"EQ_eventID=urn:uuid:b99d9099-2a3c-4d8e-8b5f-2f2b7b2f7b11", "commission"},
			{"EQ_eventID=ni:///sha-256;abababababababababababababababababababababababababababababababab?ver=CBV2.0", "pack"},
			{"EXISTS_errorDeclaration=true", "withdraw"},
			{"EXISTS_errorDeclaration=", "withdraw"},
			{"EXISTS_errorDeclaration=false", everything},
			{"GE_errorDeclarationTime=2026-11-21T08:00:00Z", "withdraw"},
			{"GE_errorDeclaration_Time=2026-11-21T08:00:00.001Z", ""},
			{"LT_errorDeclaration_Time=2026-11-21T08:00:00.001Z", "withdraw"},
			{"EQ_errorReason=incorrect_data", "withdraw"},
			{"EQ_errorReason=did_not_occur", ""},
			{"EQ_correctiveEventID=urn:uuid:404D95FC-9457-4a51-bd6a-0bba133845a8", "withdraw"},
			{"EQ_ERROR_DECLARATION_acme:ticket=T1", "withdraw"},
			{"EXISTS_ERROR_DECLARATION_acme:ticket=true", "withdraw"},
			{"EQ_INNER_ERROR_DECLARATION_acme:line=3", "withdraw"},
			{"LT_INNER_ERROR_DECLARATION_acme:line=3", ""},
		}},
		{"extension fields", [][2]string{
			{"EQ_acme:line=L-7", "commission"},
			{"EQ_https://ns.acme.example/epcis/#line=L-7|L-8", "commission"},
			{"EQ_https://ns.acme.example/epcis#line=L-7", "commission"}, // as XML would name the namespace
			{"EQ_https://ns.acme.example/epcis/line=L-7", "commission"}, // written as one URI
			{"EQ_gs1ushc:dropShipment=true", "ship"},
			{"EQ_acme:humidity=45", "commission"}, // a JSON number
			{"EQ_acme:humidity=45.00", "commission"},
			{"GE_acme:humidity=45\nLE_acme:humidity=45", "commission"},
			{"GT_acme:humidity=45", ""},
			{"LT_acme:humidity=4.6e1", "commission"},
			{"EQ_acme:checks=weight", "commission"}, // in an array
			{"EQ_acme:leader=R. Roe", ""},
			{"EQ_INNER_#leader=R. Roe", "commission"},
			{"EQ_INNER_acme:deeper=5", "commission"},
			{"EQ_INNER_acme:from=2026-11-20T11:00:00Z", "commission"}, // the same instant
			{"GE_INNER_acme:from=2026-11-20", "commission"},
			{"LT_INNER_acme:from=2026-11-20", ""},
			{"EQ_INNER_#unit=cm", "commission"}, // an attribute
			{"EQ_acme:box=12", "commission"},
			{"EQ_acme:box=12.0", ""}, // a text is a text
			{"LE_acme:box=12.0", "commission"},
			{"EXISTS_acme:shift=true", "commission"},
			{"EXISTS_acme:nothing=true", ""},
			{"EXISTS_INNER_acme:deep=true", "commission"},
			{"EXISTS_INNER_acme:shift=true", ""}, // only what is inside
		}},
		{"master data of instances and lots", [][2]string{
			{"EQ_ILMD_cbvmda:lotNumber=0012", "commission"},
			{"EQ_ILMD_cbvmda:lotNumber=12", ""},
			{"EQ_ILMD_cbvmda:lotNumber=77.0", "transform"},
			{"EQ_ILMD_urn:epcglobal:cbv:mda#lotNumber=77|0012", "commission transform"},
			{"EQ_ILMD_urn:epcglobal:cbv:mda:#lotNumber=77", "transform"},
			{"EQ_ILMD_urn:epcglobal:cbv:mda:lotNumber=77", "transform"},
			{"LT_ILMD_cbvmda:itemExpirationDate=2028-06-01", "commission"},
			{"LT_ILMD_cbvmda:itemExpirationDate=2028-05-31T00:00:00Z", ""},
			{"GE_ILMD_cbvmda:itemExpirationDate=2028-05-31T00:00:00Z", "commission"},
			{"EXISTS_ILMD_cbvmda:itemExpirationDate=true", "commission"},
			{"GE_INNER_ILMD_acme:percent=99.9", "commission"},
			{"EQ_INNER_ILMD_acme:percent=99.9", "commission"},
			{"EQ_INNER_ILMD_cbvmda:lotNumber=0012", ""},
		}},
		{"sensors", [][2]string{
			{"EXISTS_sensorElementList=true", "sensor"},
			{"GE_time=2026-11-21T08:55:00Z", "sensor"},
			{"LT_time=2026-11-21T07:30:00.001Z", "sensor"}, // of a report
			{"LT_time=2026-11-21T07:30:00Z", ""},
			{"GE_startTime=2026-11-21T08:00:00Z\nLT_startTime=2026-11-21T08:00:01Z", "sensor"},
			{"GE_endTime=2026-11-21T08:55:00Z\nLT_endTime=2026-11-21T08:56:00Z", "sensor"},
			{"LT_endTime=2026-11-21T08:55:00Z", ""},
			{"EQ_type=Temperature", "sensor"},
			{"EQ_type=RelativeHumidity", "sensor"},
			{"EQ_type=gs1:MolarMass", "sensor"},
			{"EQ_type=urn:acme:measured|x:measured", "sensor"},
			{"EQ_type=Speed", ""},
			{"EQ_deviceID=https://id.gs1.org/8004/4000001111", "sensor"},
			{"EQ_deviceID=urn:epc:id:giai:4000001.222", "sensor"},
			{"EQ_dataProcessingMethod=urn:epc:id:gdti:4012345.00005.4987", ""},
			{"EQ_dataProcessingMethod=https://id.gs1.org/253/4012345000054987", "sensor"},
			{"EQ_bizRules=https://example.com/253/4012345000054987", "sensor"},
			{"EQ_microorganism=https://www.ncbi.nlm.nih.gov/taxonomy/1126011", "sensor"},
			{"EQ_chemicalSubstance=https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N", "sensor"},
			{"EQ_stringValue=OK|KO", "sensor"},
			{"EQ_stringValue=ok", ""},
			{"EQ_booleanValue=true", "sensor"},
			{"EQ_booleanValue=false", ""},
			{"EQ_hexBinaryValue=f0F0", "sensor"},
			{"EQ_uriValue=https://id.gs1.org/01/04012345111224/21/25|https://example.com/x", "sensor"},
			{"EQ_uriValue=https://id.gs1.org/01/04012345111224/21/26", ""},
			{"EQ_uriValue=urn:epc:id:sgtin:4012345.011122.25", "sensor"},
			{"EQ_value_CEL=26", "sensor"},
			{"EQ_value_CEL=12.1|13", ""},
			{"EQ_value_A93=12.1|13", "sensor"},
			{"GE_value_CEL=26.0", "sensor"},
			{"GT_value_CEL=26.0", ""},
			{"LT_minValue_CEL=2.5", "sensor"},
			{"GE_maxValue_CEL=26.5", "sensor"},
			{"LE_meanValue_CEL=8.25", "sensor"},
			{"GT_sDev_CEL=0.1", ""},
			{"GE_percValue_CEL=8.1", "sensor"},
			{"LT_percRank=51", "sensor"},
			{"GE_percRank=51", ""},
			{"GE_value_FAH=0", ""},
			{"EQ_SENSORELEMENT_acme:calibration=us", ""},
			{"EXISTS_SENSORELEMENT_acme:calibration=true", "sensor"},
			{"EQ_INNER_SENSORELEMENT_acme:by=us", "sensor"},
			{"EQ_SENSORMETADATA_acme:mode=slow", "sensor"},
			{"EXISTS_SENSORMETADATA_acme:note", ""},
			{"EQ_SENSORREPORT_acme:note=hot", "sensor"},
			{"EXISTS_SENSORREPORT_acme:note=1", "sensor"},
			{"EQ_INNER_SENSORREPORT_acme:note=hot", ""},
		}},
		{"attributes of master data", [][2]string{
			{"HASATTR_bizLocation=cbvmda:countryCode", "commission pack"},
			{"HASATTR_bizLocation=urn:epcglobal:cbv:mda#countryCode", "commission pack"},
			{"HASATTR_readPoint=cbvmda:countryCode", ""},
			{"HASATTR_bizLocation=cbvmda:city", ""},
			{"EQATTR_bizLocation_cbvmda:countryCode=US|CA", "commission pack"},
			{"EQ_ATTR_bizLocation_urn:epcglobal:cbv:mda#countryCode=CA", ""},
			{"EQATTR_acme:line_colour=blue", "commission"},
			{"EQATTR_https://ns.acme.example/epcis#line_colour=blue", "commission"},
			{"HASATTR_acme:line=colour", "commission"},
		}},
		{"several parameters must all hold", [][2]string{
			{"EQ_action=ADD\nEQ_bizStep=packing|shipping", "pack"},
			{"eventType=ObjectEvent\nMATCH_epc=urn:epc:id:sgtin:0614141.107346.2017\nEQ_ILMD_cbvmda:lotNumber=0012\nGE_eventTime=2026-01-01T00:00:00Z", "commission"},
			{"GE_quantity_KGM=200\nLT_quantity_KGM=11", ""},
			{"perPage=3\nnextPageToken=abc\nEQ_action=ADD", "commission pack"},
		}},
	} {
		t.Run(family.name, func(t *testing.T) {
			for _, row := range family.rows {
				q, err := ParseValues(parameters(t, row[0]), declared2)
				if err != nil {
					t.Errorf("%s: %v", row[0], err)
					continue
				}
				if got := found(q); got != row[1] {
					t.Errorf("%s finds %q, want %q", row[0], got, row[1])
				}
				for _, r := range records() {
					checkTerms(t, q, r)
				}
				// The query says the same when it is written as JSON and read again, without the prefixes.
				again, err := ParseJSON(q.JSON(), nil)
				if err != nil {
					t.Errorf("%s: %s: %v", row[0], q.JSON(), err)
				} else if string(again.JSON()) != string(q.JSON()) || found(again) != row[1] {
					t.Errorf("%s is read again as %s and finds %q", q.JSON(), again.JSON(), found(again))
				}
			}
		})
	}
}

// parameters reads name=value lines; the value may hold = signs.
func parameters(tb testing.TB, lines string) url.Values {
	tb.Helper()
	v := url.Values{}
	for line := range splitLines(lines) {
		name, value := cut(line)
		v.Add(name, value)
	}
	return v
}
