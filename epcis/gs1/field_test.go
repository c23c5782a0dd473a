package gs1_test

import (
	"strings"
	"testing"

	"verilot.dev/epcis/gs1"
)

// What real scanners and keyboards send, after public bug reports: each line of ../shared/cases/field,
// and its siblings.
func TestFieldScans(t *testing.T) {
	const (
		item  = "0100354868662413"
		begin = item + "1728040121ABC1234"
		whole = "gtin=00354868662413 serial=ABC1234 lot=LOT9 expiry=2028-04-01"
		none  = "gtin= serial= lot= expiry="
	)
	for _, tt := range []struct{ name, scan, verdict, said, problems, warnings string }{
		// Caps Lock and symbology identifiers.
		{"Caps Lock, DataMatrix", "]D2" + item + "1728040121aBc1234<GS>10lot9", "ambiguous", none, "CAPS_LOCK", ""},
		{"Caps Lock, GS1-128", "]c1" + item + "1728040121abc1234<GS>10lot9", "ambiguous", none, "CAPS_LOCK", ""},
		{"Caps Lock, QR", "]q3" + item + "1728040121abc1234<GS>10lot9", "ambiguous", none, "CAPS_LOCK", ""},
		{"Caps Lock, DotCode", "]j1" + item + "1728040121abc1234<GS>10lot9", "ambiguous", none, "CAPS_LOCK", ""},
		{"Caps Lock, DataBar", "]E0" + item + "1728040121abc1234<GS>10lot9", "ambiguous", none, "CAPS_LOCK", ""},
		{"Caps Lock, Data Matrix without FNC1", "]D1" + item + "1728040121abc1234<GS>10lot9", "ambiguous", none, "CAPS_LOCK", ""},
		{"Caps Lock and digits only", "]D2" + item + "17280401211234<GS>109", "valid", "gtin=00354868662413 serial=1234 lot=9 expiry=2028-04-01", "", "CAPS_LOCK"},
		{"Caps Lock and no serial", "]D2" + item + "1728040110lot9", "invalid", "gtin=00354868662413 serial= lot=LOT9 expiry=2028-04-01", "CAPS_LOCK NO_SERIAL", ""},
		{"Caps Lock and a lost separator", "]D2" + item + "21abc123417280401", "ambiguous", none, "CAPS_LOCK AMBIGUOUS", ""},
		{"Caps Lock and a URN", "URN:EPC:ID:SGTIN:0399990.001234.abc", "ambiguous", none, "CAPS_LOCK", ""},
		{"Caps Lock and a Digital Link", "]q1hTTPS://ID.GS1.ORG/01/00354868662413/21/abc1234", "ambiguous", none, "CAPS_LOCK", ""},
		{"EAN-13 is no Caps Lock", "]E00354868662413", "invalid", "gtin=00354868662413 serial= lot= expiry=", "NO_SERIAL", ""},
		{"unknown symbology identifier", "]y9" + item + "21ABC1234", "invalid", "gtin=00354868662413 serial=ABC1234 lot= expiry=", "SYMBOLOGY", ""},
		{"modifier that is no digit", "]dx" + item + "21ABC1234", "invalid", "gtin=00354868662413 serial=ABC1234 lot= expiry=", "SYMBOLOGY", ""},
		{"symbology identifier alone", "]d", "invalid", none, "SYMBOLOGY", ""},
		{"keyboard of another country", "+d2" + begin + "<GS>10LOT9", "invalid", whole, "SYMBOLOGY", ""},
		{"Data Matrix without FNC1", "]d1" + begin + "<GS>10LOT9", "valid", whole, "", "SYMBOLOGY"},
		{"Digital Link in a plain QR code", "]Q1https://id.gs1.org/01/00354868662413/21/ABC1234?10=LOT9&17=280401", "valid", whole, "", ""},

		// Application identifiers that were not known, and those that nobody knows.
		{"digital signature", "]d2" + item + "1728040110LOT9<GS>21A1<GS>8030abc-_", "valid", "gtin=00354868662413 serial=A1 lot=LOT9 expiry=2028-04-01", "", ""},
		{"date of birth", item + "21A1<GS>725019850630", "valid", "gtin=00354868662413 serial=A1 lot= expiry=", "", "NO_LOT NO_EXPIRY"},
		{"unique identification code", item + "21A1<GS>7040123A", "valid", "gtin=00354868662413 serial=A1 lot= expiry=", "", "NO_LOT NO_EXPIRY"},
		{"test-by date", item + "172804017011280101<GS>21A1", "valid", "gtin=00354868662413 serial=A1 lot= expiry=2028-04-01", "", "NO_LOT"},
		{"test-by date and time", item + "1728040170112801011530<GS>21A1", "valid", "gtin=00354868662413 serial=A1 lot= expiry=2028-04-01", "", "NO_LOT"},
		{"national number of the United States", begin + "<GS>10LOT9<GS>7155486866241", "valid", whole, "", ""},
		{"unknown after a separator", begin + "<GS>10LOT9<GS>7099foo bar", "valid", whole, "", "UNKNOWN_AI"},
		{"unknown between separators", begin + "<GS>7099foo<GS>10LOT9", "valid", whole, "", "UNKNOWN_AI"},
		{"two unknown", begin + "<GS>05x<GS>7099foo<GS>10LOT9", "valid", whole, "", "UNKNOWN_AI UNKNOWN_AI"},
		{"unknown behind a fixed length", item + "05x<GS>1728040110LOT9<GS>21ABC1234", "valid", whole, "", "UNKNOWN_AI"},
		{"unknown in front", "]d205x<GS>" + begin + "<GS>10LOT9", "valid", whole, "", "UNKNOWN_AI"},
		{"unknown and no serial", item + "<GS>7099foo", "invalid", "gtin=00354868662413 serial= lot= expiry=", "UNKNOWN_AI NO_SERIAL", ""},
		{"no application identifier at all", begin + "<GS>10LOT9<GS>foo", "invalid", whole, "UNKNOWN_AI", ""},
		{"unknown in brackets", "(01)00354868662413(7099)foo(17)280401(10)LOT9(21)ABC1234", "valid", whole, "", "UNKNOWN_AI"},
		{"unknown in a Digital Link", "https://id.gs1.org/01/00354868662413/21/ABC1234?10=LOT9&17=280401&7099=foo&utm=1", "valid", whole, "", "UNKNOWN_AI"},
		{"contents beside an item", begin + "<GS>10LOT9<GS>3712", "valid", whole, "", "EXCLUDED_AI"},

		// Separators that were replaced.
		{"bar", begin + "|10LOT9", "valid", whole, "", "SEPARATOR"},
		{"tilde", begin + "~10LOT9", "valid", whole, "", "SEPARATOR"},
		{"caret", begin + "^10LOT9", "valid", whole, "", "SEPARATOR"},
		{"space", begin + " 10LOT9", "valid", whole, "", "SEPARATOR"},
		{"tab", begin + "\t10LOT9", "valid", whole, "", "SEPARATOR"},
		{"[FNC1]", begin + "[FNC1]10LOT9", "valid", whole, "", "SEPARATOR"},
		{"{GS}", begin + "{GS}10LOT9", "valid", whole, "", "SEPARATOR"},
		{`\x1d`, begin + `\x1d10LOT9`, "valid", whole, "", "SEPARATOR"},
		{`\u001D`, begin + `\u001D10LOT9`, "valid", whole, "", "SEPARATOR"},
		{"the picture of the control character", begin + "\u241d10LOT9", "valid", whole, "", ""},
		{"another control character", begin + "\x1e10LOT9", "valid", whole, "", "SEPARATOR"},
		{"the sign of a Code 128 font", begin + "è10LOT9", "valid", whole, "", "SEPARATOR"},
		{"number sign", begin + "#10LOT9", "valid", whole, "", "SEPARATOR"},
		{"in front too", "~" + begin + "~10LOT9", "valid", whole, "", "SEPARATOR"},
		{"[FNC1] in front, nothing lost", "[FNC1]" + item + "1728040110LOT9[FNC1]21ABC1234", "valid", whole, "", "SEPARATOR"},
		{"behind every element", item + "|17280401|10LOT9|21ABC1234|", "valid", whole, "", "SEPARATOR"},
		{"behind a DataMatrix's prefix", "]d2" + begin + "|10LOT9", "valid", whole, "", "SEPARATOR"},
		{"in front only, and the others lost", "|" + item + "21ABC12341728040110LOT9", "ambiguous", none, "SEPARATOR AMBIGUOUS", ""},
		{"replaced, and the GTIN is wrong", "01003548686624141728040121ABC1234|10LOT9", "invalid", "gtin=00354868662414 serial=ABC1234 lot=LOT9 expiry=2028-04-01", "SEPARATOR FMT_GTIN", ""},
		{"white space in front", "   " + begin + "<GS>10LOT9", "valid", whole, "", ""},
		{"white space behind and around separators", begin + " <GS> 10LOT9 \u00a0\r\n", "valid", whole, "", ""},
		{"a mark of the byte order in front", "\ufeff" + begin + "<GS>10LOT9", "valid", whole, "", ""},
		{"brackets with spaces", "(01) 00354868662413 (21) ABC1234 (17) 280401 (10) LOT9", "valid", whole, "", ""},
		{"brackets line by line", "( 01 ) 0 03 54868 66241 3\n(21) ABC1234\n(17) 280401\n(10) LOT9\n", "valid", whole, "", ""},
		{"typed from the label without brackets", "01 00354868662413 17 280401 21 ABC1234 10 LOT9", "valid", whole, "", "SEPARATOR"},
		{"a space inside a serial", item + "21A B", "invalid", "gtin=00354868662413 serial=A B lot= expiry=", "FMT_SERIAL", ""},
		{"<GS> may be a serial's", begin + "&lt;GS&gt;10LOT9", "ambiguous", none, "SEPARATOR AMBIGUOUS", ""},
		{"%1D may be a serial's", begin + "%1D10LOT9", "ambiguous", none, "SEPARATOR AMBIGUOUS", ""},
		{"%1D in what would be too long a serial", item + "1728040121ABC1234ABC1234ABC12%1D10LOT9", "valid", "gtin=00354868662413 serial=ABC1234ABC1234ABC12 lot=LOT9 expiry=2028-04-01", "", "SEPARATOR"},
		{"a sign of serials", begin + ";10LOT9", "ambiguous", none, "SEPARATOR AMBIGUOUS", ""},
		{"a sign of serials in a whole label", item + "172804011" + "0LOT9<GS>21ABC;10X", "valid", "gtin=00354868662413 serial=ABC;10X lot=LOT9 expiry=2028-04-01", "", ""},

		// The expiry with its time.
		{"expiry from 7003", item + "7003270401153010L<GS>21A1", "valid", "gtin=00354868662413 serial=A1 lot=L expiry=2027-04-01", "", ""},
		{"two expiries", item + "172705017003270401153021A1", "valid", "gtin=00354868662413 serial=A1 lot= expiry=2027-04-01", "", "TWO_EXPIRIES NO_LOT"},
		{"two expiries, the other way round", item + "172704017003270501153021A1", "valid", "gtin=00354868662413 serial=A1 lot= expiry=2027-04-01", "", "TWO_EXPIRIES NO_LOT"},
		{"twice the same", item + "172704017003270401153021A1", "valid", "gtin=00354868662413 serial=A1 lot= expiry=2027-04-01", "", "NO_LOT"},
		{"the month, and its day", item + "172704007003270415153021A1", "valid", "gtin=00354868662413 serial=A1 lot= expiry=2027-04-15", "", "NO_LOT"},
		{"expiry cut short", item + "1700<GS>7003270401153010L<GS>21A1", "invalid", "gtin=00354868662413 serial=A1 lot=L expiry=2027-04-01", "FMT_EXPIRY", ""},
		{"no such hour", item + "7003270401253010L<GS>21A1", "invalid", "gtin=00354868662413 serial=A1 lot=L expiry=", "FMT_EXPIRY", ""},
		{"day 00 has no hour", item + "7003270400153010L<GS>21A1", "invalid", "gtin=00354868662413 serial=A1 lot=L expiry=", "FMT_EXPIRY", ""},
		{"expiry time in brackets", "(01)00354868662413(7003)2704011530(10)L(21)A1", "valid", "gtin=00354868662413 serial=A1 lot=L expiry=2027-04-01", "", ""},
		{"expiry time in a Digital Link", "https://id.gs1.org/01/00354868662413/10/L/21/A1?7003=2704011530", "valid", "gtin=00354868662413 serial=A1 lot=L expiry=2027-04-01", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scan := strings.NewReplacer("&lt;", "<", "&gt;", ">").Replace(controls(tt.scan))
			got := gs1.ReadScan(scan, year)
			if string(got.Verdict) != tt.verdict || said(got.Reading) != tt.said || codes(got.Problems) != tt.problems {
				t.Errorf("got  %s %s %v\nwant %s %s %s", got.Verdict, said(got.Reading), got.Problems, tt.verdict, tt.said, tt.problems)
			}
			if codes(got.Warnings) != tt.warnings {
				t.Errorf("warnings %v, want %s", got.Warnings, tt.warnings)
			}
			t.Log(got.Problems, got.Warnings)
			for _, r := range got.Readings {
				t.Log(said(r), r.Fields)
			}
		})
	}
}
