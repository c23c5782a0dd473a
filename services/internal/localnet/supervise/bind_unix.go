//go:build unix && !linux

package supervise

import (
	"os/exec"
	"syscall"
)

// bind keeps the terminal's Ctrl-C from a process: it is ours to pass on, in order. Here nothing ends the processes of a
// supervisor that is killed; they hold the folder's lock until somebody ends them.
func bind(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// Lingers reports whether processes outlive a supervisor that is killed.
const Lingers = true
