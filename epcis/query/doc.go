// Package query is the query language of EPCIS 2.0: SimpleEventQuery with every parameter of the standard
// (section 8.2.7.1 of the standard, and the parameters of its REST interface). It reads a query from a URL or from JSON,
// decides whether an event answers it, orders what was found, and names the index terms that such an event must have. It
// does no I/O, and it trusts nothing: every list, text and number of a query is bounded.
//
// A query is a conjunction: every parameter must hold, and a parameter with a list holds when one value does. Parameters
// are judged one by one, as the standard has it: GE_quantity_KGM=5 and LT_quantity_KGM=10 may be satisfied by two
// different quantities of one event.
//
// What equal means, where the standard leaves it to the implementation or events are written in more than one way:
//
//   - A CBV value is one value as bare word, URN and Web URI: shipping, urn:epcglobal:cbv:bizstep:shipping,
//     https://ref.gs1.org/cbv/BizStep-shipping. Anything else is compared as text: urn:acme:bizstep:shipping is another step.
//   - Identifiers are compared by what they name (gs1.Key): EPC URN and GS1 Digital Link on any host are equal.
//   - A class names its instances in the MATCH_ parameters: urn:epc:idpat:sgtin:0614141.107346.* and
//     https://id.gs1.org/01/10614141073464 match every SGTIN of that GTIN, and in quantity lists the GTIN and its lots.
//   - Quantities are decimals and compared exactly; sensor values are doubles; times are instants. Units are compared as
//     codes: 1000 GRM is not 1 KGM.
//   - Namespaces of extension fields are compared without a trailing #, / or colon. That makes the three spellings of CBV
//     master data one, and finds a field again whether it was captured as XML or as JSON.
//   - EQ_ with a text compares texts: lot 0012 is not lot 12. With a JSON number it compares numbers, and a text that is a
//     time equals the same instant written in another zone.
package query
