package store

import (
	"os"
	"syscall"
)

// fdatasync makes data and length durable, without the times.
func fdatasync(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return err
		}
	}
}
