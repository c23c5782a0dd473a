package supervise

import (
	"os/exec"
	"syscall"
)

// bindToSupervisor ties a process to us: it is killed when we end, however we end, and gets no Ctrl-C; the supervisor ends its processes in order.
func bindToSupervisor(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// ProcessesSurvive reports whether processes outlive a supervisor that is killed.
const ProcessesSurvive = false
