package supervise

import (
	"os/exec"
	"syscall"
)

// bind ties a process to us: it is killed when we end, however we end, and hears no Ctrl-C that is ours to pass on, in order.
func bind(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// Lingers reports whether processes outlive a supervisor that is killed.
const Lingers = false
