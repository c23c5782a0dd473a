//go:build unix

package network

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps a second network off the folder until release is called or the process ends, however it ends. It comes before the
// broker, which would open another's files without asking.
func lock(dir string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the folder cannot be written: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another network is running in this folder; stop it, or choose another --data folder")
		}
		return nil, fmt.Errorf("lock the folder: %w", err)
	}
	return func() { _ = f.Close() }, nil
}
