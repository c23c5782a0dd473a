//go:build !unix

package network

// lock does nothing where there is no flock: the stores' own locks are all there is.
func lock(string) (release func(), err error) { return func() {}, nil }
