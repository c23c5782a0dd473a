//go:build !unix

package supervise

import "os/exec"

func bind(*exec.Cmd) {}

// Lingers reports whether processes outlive a supervisor that is killed.
const Lingers = true
