package sample

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Path is the path of a file of the shared GS1 collection, which lies beside the repository.
func Path(name string) string {
	dir, _ := os.Getwd()
	for !exists(filepath.Join(dir, "go.mod")) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir) // up to the root of the module
	}
	return filepath.Join(dir, "..", "..", "shared", "gs1", filepath.FromSlash(name))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// File reads a file of the shared GS1 collection, which is not part of the repository. Without it a test says so
// and stops; where the tests count (CI=true) it fails.
func File(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(Path(name))
	if err == nil {
		return b
	}
	if os.Getenv("CI") == "true" {
		tb.Fatalf("the shared GS1 examples are needed in CI: %v", err)
	}
	tb.Skipf("the shared GS1 examples are not beside the repository: %v", err)
	return nil
}

// NeedXMLLint keeps a test for make test-long, and says what it lacks; where the tests count
// (CI=true) that is a failure.
func NeedXMLLint(t *testing.T) {
	t.Helper()
	if os.Getenv("VERILOT_LONG") == "" {
		t.Skip("this compares with xmllint, in make test-long")
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("test-long needs xmllint (Debian and Ubuntu: apt-get install libxml2-utils): %v", err)
		}
		t.Skipf("test-long needs xmllint (Debian and Ubuntu: apt-get install libxml2-utils): %v", err)
	}
}
