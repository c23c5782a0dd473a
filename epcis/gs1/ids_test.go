package gs1_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"verilot.dev/epcis/gs1"
)

// code returns the code of an *Error, "" for nil and "?" for anything else.
func code(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*gs1.Error](err); ok {
		return e.Code
	}
	return "?"
}

func TestParseGTIN(t *testing.T) {
	for _, tt := range []struct{ name, in, want, code string }{
		{"the package", "00399990012347", "00399990012347", ""},
		{"the case of the same drug", "50399990012342", "50399990012342", ""},
		{"UPC on the carton", "399990012347", "00399990012347", ""},
		{"EAN", "4012345123456", "04012345123456", ""},
		{"EAN-8", "95012346", "00000095012346", ""},
		{"one digit mistyped", "00399990012357", "", "FMT_GTIN"},
		{"two digits swapped", "00399990021347", "", "FMT_GTIN"},
		{"eleven digits", "03999900123", "", "FMT_GTIN"},
		{"a letter O for a zero", "O0399990012347", "", "FMT_GTIN"},
		{"a blank in front is not trimmed", " 0399990012347", "", "FMT_GTIN"},
		{"all zeros", "00000000000000", "", "FMT_GTIN"},
		{"nothing", "", "", "FMT_GTIN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, err := gs1.ParseGTIN(tt.in)
			if g.String() != tt.want || code(err) != tt.code {
				t.Errorf("got %q, %v", g, err)
			}
		})
	}
}

func TestCheckDigit(t *testing.T) {
	for in, want := range map[string]byte{
		"0039999001234": '7', "5039999001234": '2', "50399990000000001": '1', "039999000001": '6', "": 0, "12a": 0,
	} {
		if got := gs1.CheckDigit(in); got != want {
			t.Errorf("CheckDigit(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSerialsAreNotNumbers(t *testing.T) {
	g, err := gs1.ParseGTIN("00399990012347")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[gs1.Key]string{}
	for _, serial := range []string{"7", "007", "a", "A", "A.B", `!"%&'()*+,-./:;<=>?_`} {
		u, err := gs1.NewSGTIN(g, serial)
		if err != nil {
			t.Fatal(err)
		}
		if had, dup := seen[u.Key()]; dup {
			t.Errorf("serials %q and %q are one key", had, serial)
		}
		seen[u.Key()] = serial
		back, err := gs1.ParseSGTIN(u.String())
		if err != nil || back != u || back.Serial() != serial || back.GTIN() != g || !back.Key().IsUnit() {
			t.Errorf("ParseSGTIN(%q) = %v, %v", u, back, err)
		}
		if viaLink, err := gs1.ParseSGTIN(u.Key().DigitalLink()); err != nil || viaLink != u {
			t.Errorf("by Digital Link: %v, %v", viaLink, err)
		}
	}
	for serial, want := range map[string]string{"": "FMT_SERIAL", "123456789012345678901": "FMT_SERIAL", "A B": "FMT_SERIAL", "Ä": "FMT_SERIAL", "A#": "FMT_SERIAL"} {
		if u, err := gs1.NewSGTIN(g, serial); code(err) != want || !u.IsZero() {
			t.Errorf("NewSGTIN(%q) = %v, %v", serial, u, err)
		}
	}
}

func TestZeroValuesAreInvalid(t *testing.T) {
	if _, err := gs1.NewSGTIN(gs1.GTIN{}, "1"); code(err) != "FMT_GTIN" {
		t.Error(err)
	}
	if _, err := gs1.NewLGTIN(gs1.GTIN{}, "1"); code(err) != "FMT_GTIN" {
		t.Error(err)
	}
	if _, err := gs1.NewSGLN(gs1.GLN{}, ""); code(err) != "FMT_GLN" {
		t.Error(err)
	}
	if _, err := gs1.NewPGLN(gs1.GLN{}); code(err) != "FMT_GLN" {
		t.Error(err)
	}
	for _, k := range []gs1.Key{{}, gs1.GTIN{}.Key(), gs1.SGTIN{}.Key(), gs1.LGTIN{}.Key(), gs1.SSCC{}.Key(), gs1.SGLN{}.Key(), gs1.PGLN{}.Key()} {
		if !k.IsZero() || k.Kind() != gs1.KindInvalid || k.DigitalLink() != "" {
			t.Errorf("key %q of a zero value", k)
		}
		if _, err := k.URN(7); err == nil {
			t.Error("the zero key has a URN")
		}
	}
	if (gs1.GTIN{}).Indicator() != -1 || (gs1.Date{}).String() != "" {
		t.Error("zero values print something")
	}
}

func TestPlacesAndParties(t *testing.T) {
	gln, err := gs1.ParseGLN("0399990000016")
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := gs1.NewSGLN(gln, "0")
	if same, err := gs1.ParseSGLN("urn:epc:id:sgln:0399990.00001.0"); err != nil || same != whole || whole.String() != "4140399990000016" {
		t.Errorf("%v, %v", same, err)
	}
	shelf, _ := gs1.NewSGLN(gln, "A1")
	if back, err := gs1.ParseSGLN(shelf.String()); err != nil || back != shelf || back.Extension() != "A1" || back.GLN() != gln {
		t.Errorf("%v, %v", back, err)
	}
	party, _ := gs1.NewPGLN(gln)
	if party.Key() == whole.Key() {
		t.Error("a party and a place with one GLN are one key")
	}
	if back, err := gs1.ParsePGLN(party.String()); err != nil || back != party || back.GLN() != gln {
		t.Errorf("%v, %v", back, err)
	}
	if _, err := gs1.ParsePGLN(whole.String()); code(err) != "FMT_EPC" {
		t.Errorf("a place was read as a party: %v", err)
	}
	if g, ok := party.Key().GLN(); !ok || g != gln {
		t.Error("GLN of a party key")
	}
	box, err := gs1.NewSSCC("50399990000000001")
	if checked, err2 := gs1.ParseSSCC("503999900000000011"); err != nil || err2 != nil || box != checked {
		t.Errorf("%v %v, %v %v", box, err, checked, err2)
	}
	if s, ok := box.Key().AsSSCC(); !ok || s != box {
		t.Error("AsSSCC")
	}
	if _, ok := box.Key().AsSGTIN(); ok {
		t.Error("a pallet was read as a unit")
	}
	if _, ok := box.Key().GTIN(); ok {
		t.Error("a pallet has a GTIN")
	}
}

// The company-prefix length is not in a key: every legal one gives a URN that means the same, and no other is taken.
func TestURNNeedsThePrefixLength(t *testing.T) {
	k, err := gs1.ParseKey("010039999001234721A/1")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		urn, err := k.URN(n)
		if n < 6 || n > 12 {
			if code(err) != "FMT_EPC" {
				t.Errorf("prefix length %d: %q, %v", n, urn, err)
			}
			continue
		}
		epc, err2 := gs1.ParseEPC(urn)
		if err != nil || err2 != nil || epc.Key() != k || epc.GCPLength() != n {
			t.Errorf("prefix length %d: %q, %v, %v", n, urn, err, err2)
		}
	}
	giai, err := gs1.ParseKey("80041234567ABC")
	if err != nil {
		t.Fatal(err)
	}
	if urn, err := giai.URN(8); code(err) != "FMT_EPC" {
		t.Errorf("the prefix would hold a letter: %q, %v", urn, err)
	}
}

func TestCompareOrdersKeys(t *testing.T) {
	var keys []gs1.Key
	for _, s := range []string{"uri:x:y", "0100399990012347217", "00503999900000000011", "0100399990012347"} {
		k, err := gs1.ParseKey(s)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, gs1.Compare)
	var got []string
	for _, k := range keys {
		got = append(got, k.Kind().String())
	}
	if strings.Join(got, " ") != "sscc gtin sgtin uri" {
		t.Error(got)
	}
}

func TestDates(t *testing.T) {
	a, err := gs1.ParseDate("2028-02-29")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := gs1.NewDate(2028, 3, 1)
	if !a.Before(b) || b.Before(a) || !b.After(a) || a.Compare(b) != -1 || a.YYMMDD() != "280229" {
		t.Error("order of dates")
	}
	if a.Year() != 2028 || a.Month() != 2 || a.Day() != 29 {
		t.Error("parts of a date")
	}
	for _, s := range []string{"", "2027-02-29", "2028-13-01", "2028-00-01", "2028-01-00", "0000-01-01", "2028-1-1", "28-01-01", "2028/01/01", "2028-01-011", "+028-01-01"} {
		if d, err := gs1.ParseDate(s); code(err) != "FMT_EXPIRY" || !d.IsZero() {
			t.Errorf("ParseDate(%q) = %v, %v", s, d, err)
		}
	}
	if _, err := gs1.ParseExpiry("280101", 0); code(err) != "FMT_EXPIRY" {
		t.Error("no reference year")
	}
}

func TestSplitEPC(t *testing.T) {
	for in, want := range map[string]string{
		"urn:epc:id:sgtin:0399990.001234.7QX":            "7QX",
		"urn:epc:id:sgtin:0399990.001234.7.X":            "X",
		"https://id.gs1.org/01/00399990012347/21/7Q%2FX": "7Q%2FX",
		"urn:uuid:11b4": "urn:uuid:11b4",
		"geo:47.5,11.1": "geo:47.5,11.1",
		"":              "",
	} {
		prefix, tail := gs1.SplitEPC(in)
		if tail != want || prefix+tail != in {
			t.Errorf("SplitEPC(%q) = %q, %q", in, prefix, tail)
		}
	}
}

func TestParsePrefixRefusesAnImpossibleBeginning(t *testing.T) {
	p, err := gs1.ParsePrefix("urn:epc:id:sgtin:0399990.01234.")
	if code(err) != "FMT_EPC" || p != (gs1.Prefix{}) {
		t.Errorf("%v, %v", p, err)
	}
	if p, err := gs1.ParsePrefix("urn:epc:id:sgtin:0399990.001234."); err != nil || p.String() != "urn:epc:id:sgtin:0399990.001234." {
		t.Errorf("%v, %v", p, err)
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	_, err := gs1.ParseEPC("urn:epc:id:sgtin:0399990.01234.1")
	if want := `FMT_EPC: "urn:epc:id:sgtin:0399990.01234.1": at character 26: the reference is "01234", want exactly 6 digits: company prefix and reference total 13 digits`; err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := gs1.ParseEPC(strings.Repeat("x", 5000)); len(err.Error()) > 300 {
		t.Errorf("an error of %d characters", len(err.Error()))
	}
}

func TestWhatAKeyTells(t *testing.T) {
	for _, tt := range []struct{ key, kind, gtin, serial, lot string }{
		{"0100399990012347217QX", "sgtin", "00399990012347", "7QX", ""},
		{"010039999001234710AB4471", "lgtin", "00399990012347", "", "AB4471"},
		{"0100399990012347", "gtin", "00399990012347", "", ""},
		{"0104012345123456235AB12", "upui", "04012345123456", "AB12", ""},
		{"800604012345123456010221999", "itip", "04012345123456", "999", ""},
		{"800304012345555554987", "grai", "", "987", ""},
		{"80104012345ABC8011123", "cpi", "", "123", ""},
		{"4140399990000016254400", "sgln", "", "", ""},
		{"4170399990000016", "pgln", "", "", ""},
		{"00503999900000000011", "sscc", "", "", ""},
		{"uri:urn:example:7", "uri", "", "", ""},
	} {
		k, err := gs1.ParseKey(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		gtin, _ := k.GTIN()
		if k.Kind().String() != tt.kind || gtin.String() != tt.gtin || k.Serial() != tt.serial || k.Lot() != tt.lot || k.IsUnit() != (tt.kind == "sgtin") {
			t.Errorf("%s: %s %s %q %q", k, k.Kind(), gtin, k.Serial(), k.Lot())
		}
		// whatever typed view there is leads back to the key
		if v, ok := k.AsSGTIN(); ok != (tt.kind == "sgtin") || ok && v.Key() != k {
			t.Errorf("%s as SGTIN: %v", k, v)
		}
		if v, ok := k.AsLGTIN(); ok != (tt.kind == "lgtin") || ok && (v.Key() != k || v.Lot() != tt.lot || v.GTIN() != gtin) {
			t.Errorf("%s as LGTIN: %v", k, v)
		}
		if v, ok := k.AsSGLN(); ok != (tt.kind == "sgln") || ok && v.Key() != k {
			t.Errorf("%s as SGLN: %v", k, v)
		}
		if v, ok := k.AsPGLN(); ok != (tt.kind == "pgln") || ok && v.Key() != k {
			t.Errorf("%s as PGLN: %v", k, v)
		}
	}
}
