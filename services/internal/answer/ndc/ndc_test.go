package ndc

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSelection(t *testing.T) {
	d, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if s := d.Source(); s.Packages < 40 || s.Skipped != 0 {
		t.Errorf("%+v", s)
	}
	for _, p := range d.packages {
		if p.Name == "" || p.Labeler == "" || p.GTIN == "" || p.Strength == "" || len(p.NDC11) != 11 || strings.Contains(p.Description, "(") {
			t.Errorf("%+v", p)
		}
	}
}

func TestSearch(t *testing.T) {
	d, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, text, first string }{
		{"an NDC", "0781-2020-01", "0781-2020-01"},
		{"its digits", "0781202001", "0781-2020-01"},
		{"eleven digits", "00781202001", "0781-2020-01"},
		{"its GTIN", "00307812020012", "0781-2020-01"},
		{"its beginning", "68180-212", "68180-212-01"},
		{"a labeler code", "51672-41", "51672-4137-4"},
		{"a name", "losartan", "68180-212-01"},
		{"a part of it", "Escital", "0378-3856-10"},
		{"name and labeler, any order", "aurobindo simvastatin", "65862-050-00"},
		{"name and strength", "metformin 850", "65862-009-01"},
		{"nothing like it", "unobtainium", ""},
		{"digits of nothing", "9999-9999-99", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if hits := d.Search(tt.text, 5); len(hits) > 0 {
				got = hits[0].NDC
			}
			if got != tt.first {
				t.Errorf("first %q, want %q", got, tt.first)
			}
		})
	}
	if n := len(d.Search("", 7)); n != 7 {
		t.Errorf("an empty text lists %d, want 7", n)
	}
}

// The FDA's files as they are: other columns, Windows-1252, quotes, an NDC that cannot be read.
func TestReadsWhatTheFDAWrites(t *testing.T) {
	d, err := read(fstest.MapFS{
		"product.txt": {Data: []byte("PRODUCTID\tPRODUCTNDC\tPROPRIETARYNAME\tNONPROPRIETARYNAME\tLABELERNAME\tNEWCOLUMN\r\n" +
			"1\t0001-0123\tM\xfcsli\xae\tgeneric\t\"Lab, Inc.\"\tx\r\n")},
		"package.txt": {Data: []byte("PRODUCTNDC\tNDCPACKAGECODE\tPACKAGEDESCRIPTION\n0001-0123\t0001-0123-45\t10 TABLET in 1 BOTTLE (0001-0123-45) \n" +
			"0001-0123\tnone\tx\n0009-0009\t0009-0009-09\tof no product\n")},
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if s := d.Source(); s.Packages != 1 || s.Skipped != 2 {
		t.Errorf("%+v", s)
	}
	if p := d.packages[0]; p.Name != "Müsli®" || p.Labeler != "Lab, Inc." || p.Description != "10 TABLET in 1 BOTTLE" {
		t.Errorf("%+v", p)
	}
}

func TestRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"an empty folder":  {fstest.MapFS{}, "there is no file product.txt"},
		"another table":    {fstest.MapFS{"product.tsv": {Data: []byte("A\tB\n")}}, "no column PRODUCTNDC"},
		"an empty file":    {fstest.MapFS{"product.tsv": {}}, "empty"},
		"an endless line":  {fstest.MapFS{"product.tsv": {Data: []byte("PRODUCTNDC\tNONPROPRIETARYNAME\tLABELERNAME\n" + strings.Repeat("x", maxLine+1))}}, "longer than"},
		"half a directory": {fstest.MapFS{"product.tsv": {Data: []byte("PRODUCTNDC\tNONPROPRIETARYNAME\tLABELERNAME\n")}}, "no file package.txt"},
	} {
		if _, err := read(tt.files, "test"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestSharedDirectory(t *testing.T) {
	const folder = "../../../../../shared/data/ndc"
	if _, err := os.Stat(folder); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("../shared is not there, and CI must have it")
		}
		t.Skip("../shared is not there: the whole directory is not read")
	}
	d, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if s := d.Source(); s.Packages != 19409 || s.Skipped != 0 {
		t.Errorf("%+v, want all 19,409", s)
	}
	// Two NDCs that share their eleven digits are both found by them, and each by its own.
	var both []string
	for _, p := range d.Search("49799000101", 10) {
		both = append(both, p.NDC)
	}
	if len(both) != 2 {
		t.Errorf("49799000101 finds %v, want two packages", both)
	}
	for _, ndc := range []string{"49799-0001-1", "49799-001-01"} {
		if hits := d.Search(ndc, 1); len(hits) != 1 || hits[0].NDC != ndc {
			t.Errorf("%s finds %+v", ndc, hits)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("PRODUCTNDC\tNDCPACKAGECODE\tPACKAGEDESCRIPTION\n0001-0123\t0001-0123-45\tx\n"))
	f.Add([]byte("\xff\t\n\t\t\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := read(fstest.MapFS{"product.tsv": {Data: []byte("PRODUCTNDC\tNONPROPRIETARYNAME\tLABELERNAME\n0001-0123\tx\ty\n")}, "package.tsv": {Data: b}}, "fuzz")
		if err != nil {
			return
		}
		for _, p := range d.packages {
			if hits := d.Search(p.NDC, 1); len(hits) != 1 {
				t.Errorf("%q is not found by itself", p.NDC)
			}
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	d, err := Open("../../../../../shared/data/ndc")
	if err != nil {
		b.Skip(err)
	}
	for b.Loop() {
		d.Search("metformin 500", 20)
	}
}
