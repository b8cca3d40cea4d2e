//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// account is the user as whom servers run: PostgreSQL refuses root.
type account struct{ uid, gid int }

// ownerOf returns the user to whom a folder belongs.
func ownerOf(dir string) (account, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return account{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return account{}, fmt.Errorf("the owner of %s is not known", dir)
	}
	return account{int(stat.Uid), int(stat.Gid)}, nil
}

// own gives a file to the user.
func (a account) own(path string) error {
	if a.uid == os.Getuid() {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// run makes a command the user's.
func (a account) run(cmd *exec.Cmd) {
	if a.uid != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
	}
}
