package story_test

import (
	"testing"

	"verilot.dev/services/internal/localnet/story"
)

func TestPlayed(t *testing.T) {
	dir := t.TempDir()
	if story.Played(dir) || story.SerialToTry(dir) != "" {
		t.Error("played in an empty folder")
	}
	if err := story.MarkPlayed(dir, "urn:epc:id:sgtin:0399990.001234.A"); err != nil {
		t.Fatal(err)
	}
	if !story.Played(dir) || story.SerialToTry(dir) != "urn:epc:id:sgtin:0399990.001234.A" {
		t.Errorf("played %v, serial %q", story.Played(dir), story.SerialToTry(dir))
	}
}
