//go:build unix

package localnet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockWait is how long processes of a network that was killed may take to be gone.
const lockWait = 3 * time.Second

// lock keeps a second network off the folder until the file is closed, by us and by every process that inherited it, however they
// end. It comes before the broker, which would open another's files without asking.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the folder cannot be written: %w", err)
	}
	for end := time.Now().Add(lockWait); ; time.Sleep(50 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if errors.Is(err, syscall.EWOULDBLOCK) && time.Now().Before(end) {
			continue
		}
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another network is running in this folder; stop it, or choose another --data folder")
		}
		return nil, fmt.Errorf("lock the folder: %w", err)
	}
}
