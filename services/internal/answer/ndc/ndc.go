// Package ndc is the FDA's National Drug Code Directory, to find a product by what a person knows of it: an NDC in any writing, a GTIN,
// or words of its names.
//
// Format: the two tab-separated files of the FDA's download, product and package (any extension), joined on PRODUCTNDC. Columns are
// found by name, since their number and order changes; bytes that are no UTF-8 are read as Windows-1252, which the FDA writes. Without
// a folder there is a selection of some fifty packages, for demonstrations.
//
// Trust: the directory is what its publisher said when it was downloaded. It fills in forms; the ledger judges by what the owner of a
// GTIN registers.
package ndc

import (
	"bufio"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"verilot.dev/epcis/gs1"
)

//go:embed selection
var selection embed.FS

// Bounds of what is read: several times the whole directory.
const (
	maxRows = 1_000_000
	maxLine = 256 << 10
)

// Package is a package of a drug.
type Package struct {
	NDC         string `json:"ndc" doc:"With the hyphens of the directory"`
	NDC11       string `json:"ndc11" doc:"In the 11 digits of billing: two packages may share them"`
	GTIN        string `json:"gtin" doc:"That a labeler usually gives to it (GS1 Healthcare US): the package itself says which it is"`
	Name        string `json:"name"`
	GenericName string `json:"genericName,omitempty"`
	DosageForm  string `json:"dosageForm,omitempty"`
	Strength    string `json:"strength,omitempty"`
	Labeler     string `json:"labeler,omitempty"`
	Description string `json:"description,omitempty" doc:"What is in the package"`

	digits string // of the NDC
	words  string // lower case, to search in
	names  string
}

// Source says where a directory is from.
type Source struct {
	Name     string `json:"name"`
	Packages int    `json:"packages"`
	// Skipped are packages whose NDC cannot be read or whose product is not listed.
	Skipped int `json:"skipped"`
}

// Directory answers searches. It does not change.
type Directory struct {
	source   Source
	packages []Package
	text     string // the words of all packages, a line each: one text is searched many times faster than many
	ends     []int  // of the lines, after the line break
}

// Open reads the directory in folder, or the selection if folder is "".
func Open(folder string) (*Directory, error) {
	if folder == "" {
		sub, err := fs.Sub(selection, "selection")
		if err != nil {
			return nil, fmt.Errorf("NDC selection: %w", err)
		}
		return read(sub, "a selection of the FDA's NDC Directory of December 2015")
	}
	d, err := read(os.DirFS(folder), path.Base(folder))
	if err != nil {
		return nil, fmt.Errorf("NDC directory %s: %w", folder, err)
	}
	return d, nil
}

func read(folder fs.FS, name string) (*Directory, error) {
	type product struct{ name, generic, form, strength, labeler string }
	products := map[string]product{}
	if err := table(folder, "product", []string{"PRODUCTNDC", "NONPROPRIETARYNAME", "LABELERNAME"}, func(row func(string) string) {
		products[row("PRODUCTNDC")] = product{
			name: strings.TrimSpace(row("PROPRIETARYNAME") + " " + row("PROPRIETARYNAMESUFFIX")), generic: row("NONPROPRIETARYNAME"),
			form: row("DOSAGEFORMNAME"), strength: strength(row("ACTIVE_NUMERATOR_STRENGTH"), row("ACTIVE_INGRED_UNIT")), labeler: row("LABELERNAME"),
		}
	}); err != nil {
		return nil, err
	}
	d := &Directory{source: Source{Name: name}}
	if err := table(folder, "package", []string{"PRODUCTNDC", "NDCPACKAGECODE"}, func(row func(string) string) {
		p, known := products[row("PRODUCTNDC")]
		n, err := gs1.ParseNDC(row("NDCPACKAGECODE"))
		ten, ok := n.NDC10()
		if !known || err != nil || !ok {
			d.source.Skipped++
			return
		}
		g, err := gs1.GTINFromNDC(0, ten)
		if err != nil {
			d.source.Skipped++
			return
		}
		eleven, _ := n.NDC11()
		pk := Package{
			NDC: n.String(), NDC11: eleven, GTIN: g.String(), Name: cmp.Or(p.name, p.generic), GenericName: p.generic, DosageForm: p.form,
			Strength: p.strength, Labeler: p.labeler, Description: strings.TrimSpace(strings.ReplaceAll(row("PACKAGEDESCRIPTION"), "("+n.String()+")", "")),
			digits: n.Digits(),
		}
		pk.names = strings.ToLower(pk.Name + " " + p.generic)
		pk.words = pk.names + " " + strings.ToLower(p.labeler+" "+p.form+" "+p.strength)
		d.packages = append(d.packages, pk)
	}); err != nil {
		return nil, err
	}
	slices.SortStableFunc(d.packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.names, b.names), cmp.Compare(a.Labeler, b.Labeler), cmp.Compare(a.NDC, b.NDC))
	})
	d.source.Packages = len(d.packages)
	var b strings.Builder
	for i := range d.packages {
		b.WriteString(d.packages[i].words + "\n")
		d.ends = append(d.ends, b.Len())
	}
	d.text = b.String()
	from := 0
	for i, end := range d.ends { // each keeps a piece of the one text
		d.packages[i].words, from = d.text[from:end-1], end
	}
	return d, nil
}

// having calls fn for every package whose words hold a text without white space.
func (d *Directory) having(text string, fn func(i int)) {
	for at := 0; at < len(d.text); {
		found := strings.Index(d.text[at:], text)
		if found < 0 {
			return
		}
		i, _ := slices.BinarySearch(d.ends, at+found+1)
		fn(i)
		at = d.ends[i]
	}
}

// strength joins what the directory keeps apart: "5; 20" and "mg/1; mg/1" are 5 mg; 20 mg.
func strength(numbers, units string) string {
	n, u := strings.Split(numbers, ";"), strings.Split(units, ";")
	var out []string
	for i := range n {
		number := strings.TrimSpace(n[i])
		if number == "" {
			continue
		}
		unit := ""
		if i < len(u) {
			unit = strings.TrimSuffix(strings.TrimSpace(u[i]), "/1") // per one tablet
		}
		out = append(out, strings.TrimSpace(number+" "+unit))
	}
	return strings.Join(out, "; ")
}

// table reads the file called name with any extension; row gives a cell by the name of its column, "" for one that is not there.
func table(folder fs.FS, name string, need []string, fn func(row func(string) string)) error {
	files, err := fs.ReadDir(folder, ".")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(files, func(f fs.DirEntry) bool {
		base := strings.ToLower(f.Name())
		return !f.IsDir() && strings.TrimSuffix(base, path.Ext(base)) == name
	})
	if i < 0 {
		return fmt.Errorf("there is no file %s.txt or %s.tsv; unpack the FDA's ndctext.zip into the folder", name, name)
	}
	f, err := folder.Open(files[i].Name())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := rows(f, need, fn); err != nil {
		return fmt.Errorf("%s: %w", files[i].Name(), err)
	}
	return nil
}

func rows(r io.Reader, need []string, fn func(row func(string) string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	var at map[string]int
	n := 0
	for lines.Scan() {
		text, err := decode(lines.Bytes())
		if err != nil {
			return err
		}
		cells := strings.Split(strings.TrimSuffix(text, "\r"), "\t")
		if at == nil {
			at = map[string]int{}
			for i, c := range cells {
				at[strings.ToUpper(strings.Trim(c, "\ufeff \""))] = i
			}
			for _, c := range need {
				if _, ok := at[c]; !ok {
					return fmt.Errorf("the first line names no column %s; it is no file of the NDC directory", c)
				}
			}
			continue
		}
		if n++; n > maxRows {
			return fmt.Errorf("it has more than %d lines", maxRows)
		}
		fn(func(column string) string {
			i, ok := at[column]
			if !ok || i >= len(cells) {
				return ""
			}
			return strings.TrimSpace(strings.Trim(cells[i], `"`))
		})
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d is longer than %d bytes", n+2, maxLine)
	}
	if at == nil && lines.Err() == nil {
		return errors.New("it is empty")
	}
	return lines.Err()
}

func decode(line []byte) (string, error) {
	if utf8.Valid(line) {
		return string(line), nil
	}
	b, err := charmap.Windows1252.NewDecoder().Bytes(line)
	return string(b), err
}

// Source says where the directory is from and how large it is.
func (d *Directory) Source() Source { return d.source }

// Search finds packages, best first: by NDC (any hyphens, also a part of it), by GTIN, or by words that are all in the names, the
// labeler, form and strength. An empty text lists the first packages by name.
func (d *Directory) Search(text string, limit int) []Package {
	text = strings.ToLower(strings.TrimSpace(text))
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	code := digits != "" && strings.Trim(text, "0123456789-. ") == ""
	words := strings.Fields(text)
	inside := make([]string, len(words))
	for i, w := range words {
		inside[i] = " " + w
	}
	type hit struct{ rank, at int }
	var hits []hit
	consider := func(i int) {
		if r := d.packages[i].rank(code, text, digits, words, inside); r > 0 {
			hits = append(hits, hit{r, i})
		}
	}
	if code || len(words) == 0 {
		for i := range d.packages {
			consider(i)
		}
	} else { // the longest word leaves the fewest
		d.having(slices.MaxFunc(words, func(a, b string) int { return cmp.Compare(len(a), len(b)) }), consider)
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.rank, a.rank) })
	out := make([]Package, 0, min(limit, len(hits)))
	for _, h := range hits[:min(limit, len(hits))] {
		out = append(out, d.packages[h.at])
	}
	return out
}

// rank is 0 for no hit. inside are the words as they begin within a text, made once for all packages.
func (p *Package) rank(code bool, text, digits string, words, inside []string) int {
	if code {
		switch {
		case p.NDC == text:
			return 100
		case p.GTIN == digits, p.digits == digits, p.NDC11 == digits:
			return 90
		case len(digits) >= 3 && strings.HasPrefix(p.NDC, text):
			return 80
		case len(digits) >= 4 && (strings.HasPrefix(p.digits, digits) || strings.HasPrefix(p.NDC11, digits)):
			return 70
		}
	}
	r := 1
	for _, w := range words {
		if !strings.Contains(p.words, w) {
			return 0
		}
	}
	for i, w := range words {
		switch {
		case strings.HasPrefix(p.names, w):
			r += 6
		case strings.Contains(p.names, inside[i]):
			r += 4
		case strings.Contains(p.names, w):
			r += 2
		default:
			r++
		}
	}
	return r
}

// ByNDC finds the package of exactly this NDC, as the directory writes it.
func (d *Directory) ByNDC(ndc string) (Package, bool) {
	for i := range d.packages {
		if d.packages[i].NDC == ndc {
			return d.packages[i], true
		}
	}
	return Package{}, false
}
