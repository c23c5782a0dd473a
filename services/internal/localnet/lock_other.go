//go:build !unix

package localnet

import "os"

// lock does nothing where there is no flock: the stores' own locks are all there is.
func lock(string) (*os.File, error) { return nil, nil }
