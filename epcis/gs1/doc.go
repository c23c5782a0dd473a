// Package gs1 reads and writes the identifiers printed on drug packages and named in EPCIS events: GTIN, SGTIN,
// LGTIN, SSCC, GLN, SGLN, PGLN, NDC, the rarer EPC schemes, expiry dates, and the text a barcode scanner sends.
//
// Its job is identity. One thing may be written as an EPC URN, as a GS1 Digital Link on any host, or as a GS1
// element string; all of them parse to one [Key], and two writings name the same thing exactly when their Keys
// are equal (==). The Key text is hashed on the ledger, so its spelling is final:
//
//	SGTIN  01 gtin14 21 serial        GTIN  01 gtin14             LGTIN 01 gtin14 10 lot
//	UPUI   01 gtin14 235 serial       SSCC  00 sscc18             SGLN  414 gln13 [254 extension]
//	PGLN   417 gln13                  GRAI  8003 0 grai13 serial  GIAI  8004 giai
//	GSRN   8018 gsrn18                GSRNP 8017 gsrn18           GDTI  253 gdti13 serial
//	SGCN   255 gcn13 serial           CPI   8010 cpi 8011 serial  GINC  401 ginc
//	GSIN   402 gsin17                 ITIP  8006 itip18 21 serial other uri: the URI, verbatim
//
// (written above with spaces, stored without). Serials, lots and extensions stand decoded, case kept, leading
// zeros kept. GRAI, GDTI, SGCN, CPI and ITIP without a serial are the class.
//
// The package trusts nothing it is given and guesses nothing. It never derives a company-prefix length, never
// trims or folds case, never repairs a check digit; a scan with two readings is reported as two readings. It has
// no clock: century windows take the reference year as an argument. Every error is an [*Error] with a code from
// the FMT_ list, saying where the input is wrong and what to do about it.
//
// Standards: GS1 General Specifications (check digits 7.9, character set 82 7.11, dates 7.12, application
// identifiers 3), GS1 EPC Tag Data Standard (EPC URIs 6 and 7), GS1 Digital Link Standard: URI Syntax.
package gs1
