package verdict_test

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/verdict"
)

var update = flag.Bool("update", false, "rewrite ledger/testdata/codes.json")

// codesFile is the one file with the text of a code in it, seen from the root of the repository.
const codesFile = "ledger/verdict/codes.go"

// codeLike is what a code looks like.
var codeLike = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// noCodes are texts in ledger/ that look like codes and are none.
var noCodes = map[string]string{
	"US":           "a jurisdiction, in the licences of tests",
	"OTHER_STREAM": "an alarm of a validator", "OTHER_BLOCK": "an alarm of a validator", "BAD_COSIGNATURE": "an alarm of a validator",
	"EQUIVOCATION": "an alarm of a validator", "UNDECIDED": "an alarm of a validator",
	"ADD": "an action of an event", "DELETE": "an action of an event", "OBSERVE": "an action of an event",
	"VLTP": "how a proof bundle begins",
}

// sources calls fn for every Go file below the folders that is neither a test nor generated.
func sources(t *testing.T, fn func(name string, file *ast.File, set *token.FileSet), folders ...string) {
	t.Helper()
	n := 0
	for _, folder := range folders {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			n++
			fn(strings.TrimPrefix(filepath.ToSlash(path), "../../"), file, set)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 20 {
		t.Fatalf("only %d sources below %v", n, folders)
	}
}

// constants reads the codes and the names of their constants from codes.go.
func constants(t *testing.T) map[verdict.Code]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	list := map[verdict.Code]string{}
	for _, d := range file.Decls {
		d, ok := d.(*ast.GenDecl)
		if !ok || d.Tok != token.CONST {
			continue
		}
		for _, s := range d.Specs {
			s := s.(*ast.ValueSpec)
			if typ, ok := s.Type.(*ast.Ident); !ok || typ.Name != "Code" {
				continue
			}
			text, err := strconv.Unquote(s.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if list[verdict.Code(text)] != "" {
				t.Errorf("%s has two constants", text)
			}
			list[verdict.Code(text)] = s.Names[0].Name
		}
	}
	return list
}

// isVerdict reports whether an expression is a name of package verdict.
func isVerdict(e ast.Expr, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "verdict" && sel.Sel.Name == name
}

// isListOfCodes reports whether a composite literal of this type lists codes, as the tables behind docs/custody.md do. To
// stand in one is not to be given by a rule.
func isListOfCodes(typ ast.Expr) bool {
	switch typ := typ.(type) {
	case *ast.ArrayType:
		return isVerdict(typ.Elt, "Code")
	case *ast.MapType:
		return isVerdict(typ.Key, "Code")
	}
	return false
}

// A code is written once. A literal elsewhere could be mistyped, and its text goes into blocks.
func TestCodesAreWrittenOnce(t *testing.T) {
	codes := constants(t)
	given := map[string]bool{}
	look := func(name string, file *ast.File, set *token.FileSet) {
		listed := map[ast.Node]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if isListOfCodes(n.Type) {
					ast.Inspect(n, func(n ast.Node) bool { listed[n] = true; return true })
				}
			case *ast.SelectorExpr:
				if isVerdict(n, n.Sel.Name) && !listed[n] && strings.HasPrefix(name, "ledger/") {
					given[n.Sel.Name] = true
				}
			case *ast.BasicLit:
				if n.Kind != token.STRING || name == codesFile {
					return true
				}
				text, err := strconv.Unquote(n.Value)
				if err != nil {
					t.Fatal(err)
				}
				// In ledger/ a code that no constant has is found too.
				looks := strings.HasPrefix(name, "ledger/") && codeLike.MatchString(text) && noCodes[text] == ""
				if codes[verdict.Code(text)] != "" || looks {
					t.Errorf("%s:%d: %q: use a constant of package verdict", name, set.Position(n.Pos()).Line, text)
				}
			}
			return true
		})
	}
	sources(t, look, "ledger", "services", "loadtest")
	for _, code := range gs1Codes {
		given[codes[verdict.Code(code)]] = true
	}
	for code, name := range codes {
		if !given[name] {
			t.Errorf("no rule gives %s: remove it from codes.go", code)
		}
	}
}

// gs1Codes are what package gs1 finds wrong with an identifier that the rules read. The rules never read an NDC.
var gs1Codes = []string{gs1.CodeGTIN, gs1.CodeSSCC, gs1.CodeGLN, gs1.CodeSerial, gs1.CodeLot, gs1.CodeExpiry, gs1.CodeEPC}

// Module epcis imports nothing of the ledger, so it writes its codes itself.
func TestCodesOfIdentifiers(t *testing.T) {
	var ours []string
	for code := range constants(t) {
		if strings.HasPrefix(string(code), "FMT_") {
			ours = append(ours, string(code))
		}
	}
	slices.Sort(ours)
	if theirs := slices.Sorted(slices.Values(gs1Codes)); !slices.Equal(ours, theirs) {
		t.Errorf("the rules know %v, package gs1 gives %v", ours, theirs)
	}
	_, err := gs1.ParseGTIN("1")
	if got := verdict.OfIdentifier(err); got != verdict.FmtGTIN {
		t.Errorf("a bad GTIN is %s", got)
	}
	if got := verdict.OfIdentifier(os.ErrNotExist); got != verdict.BadValue {
		t.Errorf("any other error is %s", got)
	}
}

// A code without an explanation leaves somebody with a package in hand and no idea; an explanation without a code is stale.
func TestEveryCodeIsExplained(t *testing.T) {
	list := verdict.List()
	codes := constants(t)
	for code, name := range codes {
		if _, ok := verdict.Explain(code); !ok {
			t.Errorf("%s has no explanation", code)
		}
		if !strings.EqualFold(name, strings.ReplaceAll(string(code), "_", "")) {
			t.Errorf("%s is called %s: a constant is named after its text", code, name)
		}
	}
	if len(list) != len(codes) {
		t.Errorf("%d codes, %d explanations", len(codes), len(list))
	}
	if !slices.IsSortedFunc(list, func(a, b verdict.Explanation) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Error("the explanations are not sorted by code")
	}
	for _, e := range list {
		for _, s := range []string{e.Meaning, e.Todo} {
			if !strings.HasSuffix(s, ".") || strings.ContainsAny(s, "|\n") {
				t.Errorf("%s: %q is no sentence for a cell of a table", e.Code, s)
			}
		}
		if !slices.Contains([]string{"", "reject", "hold", "flag", "duplicate"}, e.Severity) {
			t.Errorf("%s: severity %q", e.Code, e.Severity)
		}
	}
	if _, ok := verdict.Explain("NO_SUCH_CODE"); ok {
		t.Error("a code that does not exist is explained")
	}
}

// The web interface holds its texts against this list (web/test/codes.test.ts).
func TestListForTheWeb(t *testing.T) {
	type row struct {
		Code     verdict.Code `json:"code"`
		Severity string       `json:"severity"`
	}
	var rows []row
	for _, e := range verdict.List() {
		rows = append(rows, row{e.Code, e.Severity})
	}
	b, err := json.MarshalIndent(struct {
		Comment string `json:"comment"`
		Codes   []row  `json:"codes"`
	}{"The codes of ledger/verdict/codes.go. Severity is empty where it depends on the case.", rows}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, '\n')
	const file = "../testdata/codes.json"
	if *update {
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), string(b)); d != "" {
		t.Errorf("codes.json is not the list of codes: run make golden and look at the difference:\n%s", d)
	}
}
