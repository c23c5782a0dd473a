package verdict

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"verilot.dev/epcis/gs1"
)

var update = flag.Bool("update", false, "rewrite docs/findings.md")

const findingsPage = "../../docs/findings.md"

// upper is what a code looks like.
var upper = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)

// noCodes are upper-case words in the sources that never become a verdict.
var noCodes = map[string]string{
	"ADD": "an action of EPCIS", "DELETE": "an action of EPCIS", "OBSERVE": "an action of EPCIS",
	"OTHER_STREAM": "an alarm of a validator", "UNDECIDED": "an alarm of a validator",
	"EQUIVOCATION": "an alarm of a validator", "OTHER_BLOCK": "an alarm of a validator", "BAD_COSIGNATURE": "an alarm of a validator",
}

// severities is what the functions that take a code as an argument make of it; find and believed say it themselves.
var severities = map[string]string{"reject": rejects, "refuse": rejects, "living": rejects, "hold": holds}

// sourceCodes reads every code that a verdict can have out of the sources, with the severities seen there.
func sourceCodes(t *testing.T) map[string][]string {
	t.Helper()
	codes := map[string][]string{}
	for _, dir := range []string{"../custody", "../registry", "../consensus", "../submission"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources in %s: %v", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if code, ok := codeOf(n); ok {
						codes[code] = append(codes[code], "")
					}
				case *ast.CallExpr:
					if sev := severityOf(n); sev != "" {
						for _, arg := range n.Args {
							if code, ok := codeOf(arg); ok {
								codes[code] = append(codes[code], sev)
							}
						}
					}
				}
				return true
			})
		}
	}
	// What gs1 finds wrong with an identifier becomes the verdict. An NDC is never read by the rules.
	for _, code := range []string{gs1.CodeGTIN, gs1.CodeSSCC, gs1.CodeGLN, gs1.CodeSerial, gs1.CodeLot, gs1.CodeExpiry, gs1.CodeEPC} {
		codes[code] = append(codes[code], rejects)
	}
	return codes
}

func codeOf(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil && upper.MatchString(s) && len(s) > 2 && noCodes[s] == ""
}

func severityOf(call *ast.CallExpr) string {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	if name != "find" && name != "believed" {
		return severities[name]
	}
	for _, arg := range call.Args {
		if s, ok := arg.(*ast.SelectorExpr); ok && (s.Sel.Name == "Flag" || s.Sel.Name == "Hold") {
			return strings.ToLower(s.Sel.Name)
		}
	}
	return ""
}

// A code without an explanation leaves somebody with a package in hand and no idea; an explanation without a code is stale.
func TestEveryCodeIsExplained(t *testing.T) {
	codes := sourceCodes(t)
	for code, seen := range codes {
		e, ok := Explain(code)
		if !ok {
			t.Errorf("%s is not in the table of codes.go", code)
			continue
		}
		for _, sev := range seen {
			if sev != "" && e.Severity != "" && sev != e.Severity {
				t.Errorf("%s: the table says %s, the sources %s", code, e.Severity, sev)
			}
		}
	}
	if !slices.IsSortedFunc(explanations, func(a, b Explanation) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the table is not sorted by code")
	}
	for _, e := range List() {
		if codes[e.Code] == nil {
			t.Errorf("no rule gives %s: remove it from codes.go", e.Code)
		}
		for _, s := range []string{e.Meaning, e.Todo} {
			if !strings.HasSuffix(s, ".") || strings.ContainsAny(s, "|\n") {
				t.Errorf("%s: %q is no sentence for a cell of a table", e.Code, s)
			}
		}
	}
	if _, ok := Explain("NO_SUCH_CODE"); ok {
		t.Error("a code that does not exist is explained")
	}
}

// docs/findings.md is written from the table of codes; `make golden` rewrites it.
func TestFindingsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Verdicts and findings

<!-- Written by a test from ledger/verdict/codes.go: do not edit, run ` + "`make golden`" + `. -->

What the ledger's rules (version 1) say of an event, a registration or a whole message. Requests that a service refuses before
they reach the ledger have other codes: [problems.md](problems.md).

| Severity | What happens |
| --- | --- |
| reject | It is not recorded and changes nothing. |
| hold | It is recorded, but what it claims may not be believed, and the goods it is about are put on hold: quarantined. Rules version 1 has no record that lifts such a hold. |
| flag | It is recorded and takes effect, with a remark. |
| duplicate | It is on the ledger already; the first record counts. |

| Code | Severity | What it means | What to do |
| --- | --- | --- | --- |
`)
	for _, e := range List() {
		sev := e.Severity
		if sev == "" {
			sev = "depends"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.Code, sev, e.Meaning, e.Todo)
	}
	if *update {
		if err := os.WriteFile(findingsPage, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(findingsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Error("docs/findings.md is not what the code says: run make golden and look at the difference")
	}
}
