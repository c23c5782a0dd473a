//go:build linux || darwin

package capture

import (
	"fmt"
	"syscall"
)

// freeSpace is how many bytes a file in dir may still take.
func freeSpace(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
