package gs1_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared opens a file of the shared folder that lies beside the repository. On a developer's machine without it
// the test is skipped; in CI its absence is a failure.
func shared(t *testing.T, path string) string {
	t.Helper()
	name := filepath.Join("..", "..", "..", "shared", filepath.FromSlash(path))
	b, err := os.ReadFile(name)
	switch {
	case err == nil:
		return string(b)
	case os.IsNotExist(err) && os.Getenv("CI") != "true":
		t.Skipf("the shared data folder is not beside the repository (%s), so this check against real data is left out", name)
	}
	t.Fatal(err)
	return ""
}

// table reads tab-separated rows by column name.
func table(text string) []map[string]string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	names := strings.Split(lines[0], "\t")
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, v := range strings.Split(strings.TrimRight(line, "\r"), "\t") {
			row[names[i]] = v
		}
		rows = append(rows, row)
	}
	return rows
}
