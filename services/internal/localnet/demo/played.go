package demo

import (
	"os"
	"path/filepath"

	"verilot.dev/services/internal/localnet"
)

// playedFile is in the data folder of a network once a story was played to its end.
const playedFile = "story-told"

// Played reports whether a story was played to its end on the network in dir.
func Played(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, playedFile))
	return err == nil
}

// MarkPlayed records that it was, and a serial to try.
func MarkPlayed(dir, serial string) error {
	return localnet.WriteFile(filepath.Join(dir, playedFile), []byte(serial+"\n"))
}

// SerialToTry returns the serial that [MarkPlayed] recorded, or "".
func SerialToTry(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, playedFile))
	if err != nil {
		return ""
	}
	return string(b[:max(0, len(b)-1)])
}
