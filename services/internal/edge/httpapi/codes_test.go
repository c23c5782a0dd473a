package httpapi

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/problems.md")

const problemsPage = "../../../../docs/problems.md"

// tables are the tests that exercise codes, with what they run against.
var tables = []struct{ file, name string }{
	{"../../edge/httpapi/httpapi_test.go", "httpapi"},
	{"../../partner/badinput_test.go", "capture"},
	{"../../partner/capture/limits_test.go", "limits"},
	{"../../partner/capture/events_test.go", "events"},
	{"../../partner/gateway/gateway_test.go", "reads"},
	{"../../answer/ledgerrest/badinput_test.go", "query"},
	{"../../answer/ledgerrest/guard_test.go", "goods"},
	{"../../edge/signin/signin_test.go", "signin"},
	{"../../answer/subscription/badinput_test.go", "standing"},
	{"../../answer/epcisrest/rest_test.go", "epcis"},
}

// services are the packages that answer with codes of their own, and whose answers those are.
var services = map[string]string{"httpapi": "every service", "capture": "partner services", "command": "partner services", "directory": "partner services", "foresee": "partner services", "gateway": "partner services", "onboard": "partner services", "ledgerrest": "api", "signin": "every service", "subscription": "api", "epcisrest": "api"}

// sources reads which code constants each package of services/internal names outside its tests, and which each table names.
type sources struct {
	constants map[string]Code // by the constant's name
	answered  map[Code][]string
	tested    map[Code][]string
}

func readSources(t *testing.T) *sources {
	t.Helper()
	s := &sources{constants: map[string]Code{}, answered: map[Code][]string{}, tested: map[Code][]string{}}
	ast.Inspect(parse(t, "codes.go"), func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "Code" {
				text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				s.constants[v.Names[0].Name] = Code(text)
			}
		}
		return true
	})
	err := filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || path.Base(file) == "codes.go" {
			return err
		}
		pkg := path.Base(path.Dir(filepath.ToSlash(file)))
		for _, c := range s.named(t, file) {
			if services[pkg] == "" {
				t.Errorf("%s answers with problems; say in this test which service that is", file)
			}
			s.answered[c] = append(s.answered[c], services[pkg])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := os.ReadFile("../../answer/ledgerrest/testdata/guard.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.constants {
		if strings.Contains(string(rows), `"code": "`+string(c)+`"`) {
			s.tested[c] = append(s.tested[c], "goods") // a table of its own, which guard_test.go reads
		}
	}
	for _, table := range tables {
		for _, c := range s.named(t, table.file) {
			s.tested[c] = append(s.tested[c], table.name)
		}
	}
	return s
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// named lists the codes that a file names: as httpapi.X, or as X within this package.
func (s *sources) named(t *testing.T, file string) []Code {
	t.Helper()
	f := parse(t, file)
	var out []Code
	add := func(name string) {
		if c, ok := s.constants[name]; ok && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, plain := n.X.(*ast.Ident)
			if plain && x.Name == "httpapi" {
				add(n.Sel.Name)
				return false
			}
			return !plain // what a method is called on may name one
		case *ast.Ident:
			if f.Name.Name == "httpapi" {
				add(n.Name)
			}
		}
		return true
	})
	return out
}

// A code that nothing answers with is a promise that nobody keeps; one that no table exercises may be broken.
func TestEveryCodeIsAnsweredAndTested(t *testing.T) {
	s := readSources(t)
	if len(s.constants) != len(allCodes()) {
		t.Errorf("%d constants, %d codes in the table", len(s.constants), len(allCodes()))
	}
	for _, c := range allCodes() {
		if len(s.answered[c]) == 0 {
			t.Errorf("nothing answers with %s; remove it", c)
		}
		if len(s.tested[c]) == 0 {
			t.Errorf("no table of bad input has a row for %s", c)
		}
	}
}

// docs/problems.md is written from the table of codes; `make golden` rewrites it.
func TestProblemsPage(t *testing.T) {
	s := readSources(t)
	var b strings.Builder
	b.WriteString(`# Problems

<!-- Written by a test from services/internal/edge/httpapi/codes.go: do not edit, run ` + "`make golden`" + `. -->

Every answer that is not a success is a problem object (RFC 9457, ` + "`application/problem+json`" + `). Branch on ` + "`code`" + `: a code never
changes its name, its status or its title. ` + "`detail`" + ` is for people: it says what is wrong, where, and what to do. ` + "`errors`" + ` lists single
faults with their place, ` + "`readings`" + ` the possible readings of an ambiguous scan, and ` + "`instance`" + ` is the request id as it stands in the logs.
On EPCIS endpoints ` + "`type`" + ` is ` + "`epcisException:`" + ` and the exception's name, elsewhere ` + "`urn:verilot:problem:`" + ` and the code.

| Code | Status | Title | EPCIS exception | Answered by | In the table of |
| --- | --- | --- | --- | --- | --- |
`)
	codes := allCodes()
	slices.SortStableFunc(codes, func(a, b Code) int { return Lookup(a).Status - Lookup(b).Status })
	for _, c := range codes {
		spec := Lookup(c)
		fmt.Fprintf(&b, "| `%s` | %d %s | %s | %s | %s | %s |\n", c, spec.Status, http.StatusText(spec.Status), spec.Title, spec.EPCIS,
			strings.Join(unique(s.answered[c]), ", "), strings.Join(s.tested[c], ", "))
	}
	b.WriteString("\nThe tables of bad input, with a request for each row:")
	for _, table := range tables {
		fmt.Fprintf(&b, "\n[%s](../services/internal/%s)%s", table.name, strings.TrimPrefix(table.file, "../../"), map[bool]string{true: ".\n", false: ","}[table == tables[len(tables)-1]])
	}
	if *update {
		if err := os.WriteFile(problemsPage, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(problemsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Error("docs/problems.md is not what the code says: run make golden and look at the difference")
	}
}

// unique is the list without repeats; what every service does needs no other names beside it.
func unique(list []string) []string {
	if slices.Contains(list, "every service") {
		return []string{"every service"}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// allCodes lists every code of the table, sorted.
func allCodes() []Code { return slices.Sorted(maps.Keys(table)) }
