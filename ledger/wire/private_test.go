package wire

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = "../../docs/private.md"

// The table of docs/private.md is the one of the code.
func TestOpeningsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const head, end = "| --- | --- | --- | --- |\n", "<!-- end of the table -->"
	before, rest, ok := strings.Cut(string(raw), head)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("the page has no table")
	}
	var b strings.Builder
	seen := map[string]bool{}
	for _, o := range Openings() {
		if o.Why == "" || o.Field == "" || seen[KindName(o.Kind)+o.Field] {
			t.Errorf("%+v", o)
		}
		seen[KindName(o.Kind)+o.Field] = true
		when := o.When
		if when == "" {
			when = "all"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", KindName(o.Kind), o.Field, when, o.Why)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+head+b.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(b.String(), "\n"), strings.Split(table, "\n")); diff != "" {
		t.Errorf("docs/private.md (-code +page); go test ./ledger/wire -args -update\n%s", diff)
	}
}
