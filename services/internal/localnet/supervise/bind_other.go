//go:build !unix

package supervise

import "os/exec"

func bindToSupervisor(*exec.Cmd) {}

// ProcessesSurvive reports whether processes outlive a supervisor that is killed.
const ProcessesSurvive = true
