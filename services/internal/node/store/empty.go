package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// DropEmpty removes the empty log files of a Badger folder. Badger makes a memtable's or value log's file and then gives it its
// size; killed in between it leaves one of no bytes, and the next start fails with "Create a new file". There is nothing in it.
func DropEmpty(dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); ext != ".mem" && ext != ".vlog" {
			continue
		}
		if i, err := f.Info(); err != nil || i.Size() > 0 {
			continue // Badger will say what is wrong
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return err
		}
	}
	return nil
}
