package portpool_test

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel end the child when the test is killed.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
