package demo_test

import (
	"testing"

	"verilot.dev/services/internal/localnet/demo"
)

func TestPlayed(t *testing.T) {
	dir := t.TempDir()
	if demo.Played(dir) || demo.SerialToTry(dir) != "" {
		t.Error("played in an empty folder")
	}
	if err := demo.MarkPlayed(dir, "urn:epc:id:sgtin:0399990.001234.A"); err != nil {
		t.Fatal(err)
	}
	if !demo.Played(dir) || demo.SerialToTry(dir) != "urn:epc:id:sgtin:0399990.001234.A" {
		t.Errorf("played %v, serial %q", demo.Played(dir), demo.SerialToTry(dir))
	}
}
