package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var collection = filepath.Join("..", "..", "..", "shared", "gs1")

// The parity report: every shared example and vector agrees, and whatever does not is known not to be ours.
func TestParity(t *testing.T) {
	if _, err := os.Stat(filepath.Join(collection, "examples", "index.csv")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the shared GS1 examples are needed in CI: %v", err)
		}
		t.Skipf("the shared GS1 examples are not beside the repository: %v", err)
	}
	program := filepath.Join(t.TempDir(), "verilot")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/verilot")
	build.Dir = filepath.Join("..", "..", "services")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build verilot: %v\n%s", err, out)
	}
	r, err := run(verilot{t.Context(), program}, collection)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range r.Unexpected {
		t.Error(u)
	}
	for _, total := range []struct {
		name      string
		got, want Count
	}{
		{"validity", r.Valid, Count{Agree: 233, Total: 233}},
		{"event counts", r.Events, Count{Agree: 244, Total: 244}},
		{"EPC sets", r.EPCs, Count{Agree: 242, Known: 2, Total: 244}},
		{"hash vectors", r.Hashes, Count{Agree: 30, Total: 30}},
		{"hash vectors in another order", r.Reordered, Count{Known: 5, Total: 5}},
	} {
		if total.got != total.want {
			t.Errorf("%s: %s, want %s", total.name, total.got, total.want)
		}
	}
	if len(r.Rows) != 245 {
		t.Errorf("%d documents, want 245", len(r.Rows))
	}
}
