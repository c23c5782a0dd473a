package gs1_test

import (
	"slices"
	"testing"

	"verilot.dev/epcis/gs1"
)

func TestParseNDC(t *testing.T) {
	for _, tt := range []struct{ name, in, format, ndc10, ndc11, code string }{
		{"old labeler", "0001-0123-45", "4-4-2", "0001012345", "00001012345", ""},
		{"five-digit labeler", "65862-402-01", "5-3-2", "6586240201", "65862040201", ""},
		{"one-digit package", "54868-6376-0", "5-4-1", "5486863760", "54868637600", ""},
		{"billing form", "54868-6376-00", "5-4-2", "", "54868637600", ""},
		{"from 2033", "054868-6376-00", "6-4-2", "", "", ""},
		{"ten digits", "5486863760", "10", "5486863760", "", ""},
		{"eleven digits", "54868637600", "11", "", "54868637600", ""},
		{"twelve digits", "054868637600", "12", "", "", ""},
		{"product level", "52099-8005", "", "", "", "FMT_NDC"},
		{"lost hyphen", "14060-01105", "", "", "", "FMT_NDC"},
		{"blanks", "0067 2030 02", "", "", "", "FMT_NDC"},
		{"a slip", "0067-203-02", "", "", "", "FMT_NDC"},
		{"nine digits", "067203002", "", "", "", "FMT_NDC"},
		{"nothing", "", "", "", "", "FMT_NDC"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := gs1.ParseNDC(tt.in)
			if code(err) != tt.code {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			ndc10, _ := n.NDC10()
			ndc11, _ := n.NDC11()
			if n.Format().String() != tt.format || ndc10 != tt.ndc10 || ndc11 != tt.ndc11 || n.String() != tt.in {
				t.Errorf("got %s %q %q %q", n.Format(), ndc10, ndc11, n)
			}
		})
	}
}

// The NDC of a product is the one in its GTIN, however it is written (docs/dscsa.md section 3).
func TestNDCInGTIN(t *testing.T) {
	for _, tt := range []struct {
		name, gtin, ndc string
		in              bool
	}{
		{"5-3-2", "00399990012347", "99990-012-34", true},
		{"a case of it", "50399990012342", "99990-012-34", true},
		{"bare", "00399990012347", "9999001234", true},
		{"another cut of the same digits", "00399990012347", "9999-0012-34", true},
		{"billing form, zero in the product", "00399990012347", "99990-0012-34", true},
		{"billing form, bare", "00399990012347", "99990001234", true},
		{"billing form, zero in the labeler", "00300010123455", "00001-0123-45", true},
		{"billing form, zero in the package", "00354868637602", "54868-6376-00", true},
		{"billing form without a zero to spare", "00354868637602", "54868-6376-10", false},
		{"billing form of another package", "00399990012347", "99990-0012-35", false},
		{"2033, 4-4-2", "00307812020012", "000781-2020-01", true},
		{"2033, 5-3-2", "00399990012347", "099990-0012-34", true},
		{"2033, 5-4-1", "00354868637602", "054868-6376-00", true},
		{"2033, bare", "00399990012347", "099990001234", true},
		{"2033, a labeler of six digits", "00399990012347", "199990-0012-34", false},
		{"2033, another product", "00399990012347", "099990-0013-34", false},
		{"another package", "00399990012347", "99990-012-35", false},
		{"a GTIN from abroad", "09506000134352", "50600-013-43", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, err := gs1.ParseGTIN(tt.gtin)
			if err != nil {
				t.Fatal(err)
			}
			n, err := gs1.ParseNDC(tt.ndc)
			if err != nil {
				t.Fatal(err)
			}
			if n.InGTIN(g) != tt.in {
				t.Errorf("NDC %s in GTIN %s: %v", n, g, !tt.in)
			}
			if (gs1.NDC{}).InGTIN(g) || n.InGTIN(gs1.GTIN{}) {
				t.Error("nothing is in something, or something in nothing")
			}
		})
	}
}

// Every package of the FDA directory has a GTIN, and master data leads back from it.
func TestSharedNDCs(t *testing.T) {
	rows := table(shared(t, "data/ndc/package.tsv"))
	var entries []gs1.DirectoryEntry
	for _, row := range rows {
		n, err := gs1.ParseNDC(row["NDCPACKAGECODE"])
		if err != nil {
			t.Fatal(err)
		}
		ndc10, ok := n.NDC10()
		if !ok {
			t.Fatalf("%s is not a ten-digit form", n)
		}
		g, err := gs1.GTINFromNDC(0, ndc10)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := gs1.ParseGTIN(g.String()); err != nil || again != g {
			t.Fatalf("%s: %v", g, err)
		}
		if back, ok := g.NDC10(); !ok || back != ndc10 {
			t.Fatalf("%s gives %s", g, back)
		}
		entries = append(entries, gs1.DirectoryEntry{GTIN: g, NDC: n})
	}
	if len(entries) != 19409 {
		t.Errorf("%d packages, want 19409", len(entries))
	}
	dir, err := gs1.NewDirectory(entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if n, derived, ok := dir.NDC(e.GTIN); !ok || derived || n != e.NDC {
			t.Fatalf("NDC(%s) = %s, want %s", e.GTIN, n, e.NDC)
		}
		if gtins, derived := dir.GTINs(e.NDC); derived || !slices.Contains(gtins, e.GTIN) {
			t.Fatalf("GTINs(%s) = %s", e.NDC, gtins)
		}
	}
	// two labelers, one billing form: a lookup by eleven digits must show both
	n11, _ := gs1.ParseNDC("49799000101")
	if gtins, derived := dir.GTINs(n11); len(gtins) != 2 || derived {
		t.Errorf("GTINs(%s) = %s, want both packages", n11, gtins)
	}
}

func TestDirectory(t *testing.T) {
	gtin := func(s string) gs1.GTIN {
		g, err := gs1.ParseGTIN(s)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	ndc := func(s string) gs1.NDC {
		n, err := gs1.ParseNDC(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	each, case5, long := gtin("00399990012347"), gtin("50399990012342"), gtin("09506000134352")
	dir, err := gs1.NewDirectory([]gs1.DirectoryEntry{
		{case5, ndc("99990-012-34")}, {each, ndc("99990-012-34")}, {long, ndc("099990-0012-34")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, derived := dir.GTINs(ndc("99990-012-34")); !slices.Equal(got, []gs1.GTIN{each, case5}) || derived {
		t.Errorf("all levels of a drug: %s %v", got, derived)
	}
	if got, _ := dir.GTINs(ndc("9999001234")); len(got) != 2 {
		t.Errorf("by bare digits: %s", got)
	}
	if got, _ := dir.GTINs(ndc("99990-0012-34")); len(got) != 2 {
		t.Errorf("by billing form: %s", got)
	}
	if n, derived, ok := dir.NDC(long); !ok || derived || n.Format() != gs1.NDC642 {
		t.Errorf("a twelve-digit NDC is found by lookup only: %s %v %v", n, derived, ok)
	}
	if n, derived, ok := dir.NDC(gtin("00363629153275")); !ok || !derived || n.String() != "6362915327" {
		t.Errorf("unknown drug: %s %v %v", n, derived, ok)
	}
	if got, derived := dir.GTINs(ndc("63629-1532-7")); len(got) != 1 || !derived || got[0] != gtin("00363629153275") {
		t.Errorf("unknown NDC: %s %v", got, derived)
	}
	if _, _, ok := dir.NDC(gtin("04012345123456")); ok {
		t.Error("a foreign GTIN has an NDC")
	}
	if got, _ := dir.GTINs(ndc("63629153207")); got != nil {
		t.Errorf("a GTIN was built from the billing form: %s", got)
	}
	if _, err := gs1.NewDirectory([]gs1.DirectoryEntry{{each, ndc("99990-012-34")}, {each, ndc("9999-0012-34")}}); code(err) != "FMT_NDC" {
		t.Errorf("one GTIN with two NDCs: %v", err)
	}
	for _, indicator := range []int{-1, 9, 10} {
		if _, err := gs1.GTINFromNDC(indicator, "9999001234"); code(err) != "FMT_GTIN" {
			t.Errorf("indicator %d: %v", indicator, err)
		}
	}
	if _, err := gs1.GTINFromNDC(0, "99990001234"); code(err) != "FMT_NDC" {
		t.Error(err)
	}
}
