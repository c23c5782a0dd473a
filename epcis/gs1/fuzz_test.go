package gs1_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"verilot.dev/epcis/gs1"
)

// seed adds the captured texts of the golden files.
func seed(f *testing.F) []string {
	f.Helper()
	var all []string
	for _, file := range []string{"epc.json", "epc-invalid.json", "key-invalid.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		var vectors []epcVector
		if err := json.Unmarshal(raw, &vectors); err != nil {
			f.Fatal(err)
		}
		for _, v := range vectors {
			all = append(all, v.Captured)
			if v.Key != "" {
				all = append(all, v.Key)
			}
		}
	}
	return all
}

func FuzzParseEPC(f *testing.F) {
	for _, s := range seed(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		epc, err := gs1.ParseEPC(s)
		if err != nil {
			if code(err) == "?" || !epc.IsZero() {
				t.Fatal(epc, err)
			}
			return
		}
		if again, err := gs1.ParseEPC(epc.String()); err != nil || again != epc || epc.Captured() != s {
			t.Fatalf("%q: %v, %v", s, again, err)
		}
		k := epc.Key()
		if back, err := gs1.ParseKey(k.String()); err != nil || back != k {
			t.Fatalf("%q: ParseKey(%q) = %q, %v", s, k, back, err)
		}
		if link, err := gs1.ParseEPC(k.DigitalLink()); err != nil || link.Key() != k {
			t.Fatalf("%q: ParseEPC(%q) = %q, %v", s, k.DigitalLink(), link.Key(), err)
		}
		if epc.Form() == gs1.FormURN {
			urn, err := epc.URN()
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if back, err := gs1.ParseEPC(urn); err != nil || back.Key() != k || back.GCPLength() != epc.GCPLength() {
				t.Fatalf("%q: ParseEPC(%q) = %q, %v", s, urn, back.Key(), err)
			}
		}
		prefix, tail := gs1.SplitEPC(s)
		if p, err := gs1.ParsePrefix(prefix); err != nil {
			t.Fatalf("ParsePrefix(%q): %v", prefix, err)
		} else if fast, err := p.Key(tail); err != nil || fast != k || prefix+tail != s {
			t.Fatalf("%q by prefix: %q, %v", s, fast, err)
		}
	})
}

func FuzzPrefix(f *testing.F) {
	for _, s := range seed(f) {
		prefix, tail := gs1.SplitEPC(s)
		f.Add(prefix, tail)
		f.Add(s, "")
		f.Add(prefix, "21/"+tail)
	}
	f.Fuzz(samePrefix)
}

// samePrefix checks that reading by prefix is reading the whole, also when it fails.
func samePrefix(t *testing.T, prefix, tail string) {
	whole, err := gs1.ParseEPC(prefix + tail)
	p, prefixErr := gs1.ParsePrefix(prefix)
	if prefixErr != nil {
		if err == nil {
			t.Fatalf("ParsePrefix(%q) refuses what ParseEPC(%q) accepts: %v", prefix, prefix+tail, prefixErr)
		}
		return
	}
	k, tailErr := p.Key(tail)
	if k != whole.Key() || code(tailErr) != code(err) {
		t.Fatalf("%q+%q: %q, %v; whole: %q, %v", prefix, tail, k, tailErr, whole.Key(), err)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, s := range seed(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := gs1.ParseKey(s)
		if err != nil {
			return
		}
		if k.String() != s || k.Kind() == gs1.KindInvalid {
			t.Fatalf("%q: %q is a %s", s, k, k.Kind())
		}
		if link, err := gs1.ParseEPC(k.DigitalLink()); err != nil || link.Key() != k {
			t.Fatalf("%q: ParseEPC(%q) = %q, %v", s, k.DigitalLink(), link.Key(), err)
		}
		for n := 6; n <= 12; n++ {
			urn, err := k.URN(n)
			if err != nil {
				continue
			}
			if back, err := gs1.ParseEPC(urn); err != nil || back.Key() != k {
				t.Fatalf("%q: ParseEPC(%q) = %q, %v", s, urn, back.Key(), err)
			}
		}
	})
}

// roundTrip fuzzes one Parse: what is accepted prints as something that parses to itself.
func roundTrip[T interface {
	comparable
	String() string
}](f *testing.F, parse func(string) (T, error), seeds ...string) {
	f.Helper()
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var zero T
		v, err := parse(s)
		if err != nil {
			if v != zero {
				t.Fatalf("%q: a value beside the error: %v", s, v)
			}
			return
		}
		if again, err := parse(v.String()); err != nil || again != v || v == zero {
			t.Fatalf("%q: %v, then %v, %v", s, v, again, err)
		}
	})
}

func FuzzParseGTIN(f *testing.F) {
	roundTrip(f, gs1.ParseGTIN, "00399990012347", "399990012347", "4012345123456", "95012346", "0", "00000000")
}

func FuzzParseSSCC(f *testing.F) {
	roundTrip(f, gs1.ParseSSCC, "503999900000000011", "50399990000000001")
}
func FuzzParseGLN(f *testing.F) { roundTrip(f, gs1.ParseGLN, "0399990000016", "039999000001") }

func FuzzParseSGTIN(f *testing.F) { roundTrip(f, gs1.ParseSGTIN, seed(f)...) }
func FuzzParseLGTIN(f *testing.F) { roundTrip(f, gs1.ParseLGTIN, seed(f)...) }
func FuzzParseSGLN(f *testing.F)  { roundTrip(f, gs1.ParseSGLN, seed(f)...) }
func FuzzParsePGLN(f *testing.F)  { roundTrip(f, gs1.ParsePGLN, seed(f)...) }

func FuzzParseNDC(f *testing.F) {
	roundTrip(f, gs1.ParseNDC, "0001-0123-45", "65862-402-01", "54868-6376-0", "54868-6376-00", "054868-6376-00", "5486863760", "--")
}

func FuzzParseDate(f *testing.F) {
	roundTrip(f, gs1.ParseDate, "2028-02-29", "2027-02-29", "0001-01-01", "9999-12-31")
}

func FuzzParseExpiry(f *testing.F) {
	for _, s := range []string{"280331", "280300", "281304", "000101", "990101"} {
		f.Add(s, 2026)
	}
	f.Add("770101", 2076)
	f.Fuzz(func(t *testing.T, s string, ref int) {
		d, err := gs1.ParseExpiry(s, ref)
		if err != nil {
			return
		}
		if again, err := gs1.ParseExpiry(d.YYMMDD(), ref); err != nil || again != d {
			t.Fatalf("%q in %d: %v, then %v, %v", s, ref, d, again, err)
		}
		if again, err := gs1.ParseDate(d.String()); err != nil || again != d {
			t.Fatalf("%q in %d: %v, then %v, %v", s, ref, d, again, err)
		}
		if ahead := d.Year() - ref; ahead > 50 || ahead < -49 {
			t.Fatalf("%q in %d is %v, outside the century window", s, ref, d)
		}
	})
}

func FuzzReadScan(f *testing.F) {
	for _, s := range seed(f) {
		f.Add(s)
	}
	for _, s := range []string{
		"]d201003999900123472148NM86<GS>1728032710NRB5W", "(01)00399990012347(21)A(17)280331(10)B", "503999900000000011",
		"010039999001234721CMQTY98L1QF20J45NA0817280204105WPGHPR", "01003999900123471728033110AB21CD<CR><LF>", "0002-3228-30",
		"https://id.gs1.org/01/00399990012347/10/X/21/5F98?17=281112", "0110103010001010012110101010101010101010101010101010",
		"]D201003999900123471728040121aBc1234<GS>10lot9", "]c101003999900123472112", "]E00399990012347", "]y9010039999001234721A", "+d2010039999001234721A",
		"010039999001234721A<GS>725019850630<GS>7099foo<GS>8030abc-_", "(01)00399990012347(7099)x(21)A", "01003999900123471728040121ABC|10LOT",
		"  01 00399990012347 17 280401 21 ABC 10 LOT", "[FNC1]01003999900123471728040121ABC[FNC1]10LOT", "01003999900123471728040121ABC%1D10LOT",
		"01003999900123471728040121ABC;10LOT", "01003999900123477003270401153010L<GS>21A1", "0100399990012347172705007003270401153021A1", "URN:EPC:ID:SGTIN:0399990.001234.a",
	} {
		f.Add(controls(s))
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := gs1.ReadScan(s, year)
		switch got.Verdict {
		case gs1.Valid:
			k := got.Key
			if len(got.Problems) > 0 || k.IsZero() || got.EPC.Key() != k || len(got.Readings) != 1 || got.DigitalLink != k.DigitalLink() {
				t.Fatalf("%q: valid with %+v", s, got)
			}
			if got.Kind == "gtin" || got.Kind == "" {
				t.Fatalf("%q: valid without serial: %+v", s, got)
			}
			if back, err := gs1.ParseKey(k.String()); err != nil || back != k {
				t.Fatalf("%q: key %q: %v", s, k, err)
			}
			if u, ok := k.AsSGTIN(); ok && (u.GTIN().String() != got.GTIN || u.Serial() != got.Serial) {
				t.Fatalf("%q: key %q beside %+v", s, k, got.Reading)
			}
		case gs1.Invalid:
			if len(got.Problems) == 0 || !got.Key.IsZero() || !got.EPC.IsZero() || got.DigitalLink != "" || len(got.Readings) > 0 {
				t.Fatalf("%q: invalid with %+v", s, got)
			}
		case gs1.Ambiguous:
			if len(got.Readings) == 0 || got.Kind != "" || len(got.Problems) == 0 {
				t.Fatalf("%q: ambiguous with %+v", s, got)
			}
			for _, r := range got.Readings {
				spelled := ""
				for _, f := range r.Fields {
					if strings.Contains(f.Value, "(") {
						spelled = "" // brackets in values are as ambiguous as lost separators
						break
					}
					spelled += "(" + f.AI + ")" + f.Value
				}
				if again := gs1.ReadScan(spelled, year); spelled != "" && r.Kind != "gtin" && (again.Verdict != gs1.Valid || again.Key != r.Key || r.Key.IsZero()) {
					t.Fatalf("%q: the reading %q is %s %v", s, spelled, again.Verdict, again.Problems)
				}
			}
		default:
			t.Fatalf("%q: verdict %q", s, got.Verdict)
		}
	})
}
