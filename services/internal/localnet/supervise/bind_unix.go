//go:build unix && !linux

package supervise

import (
	"os/exec"
	"syscall"
)

// bindToSupervisor keeps the terminal's Ctrl-C from a process; the supervisor ends its processes in order. Here nothing ends the processes of a
// supervisor that is killed; they hold the folder's lock until somebody ends them.
func bindToSupervisor(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// ProcessesSurvive reports whether processes outlive a supervisor that is killed.
const ProcessesSurvive = true
