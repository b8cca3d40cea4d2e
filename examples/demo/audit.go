package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/standin-go/standin/internal/sockets"
)

// listening are the sockets that listen or are held, by inode. It is nil
// where the system has no table of them.
func listening() (map[uint64]sockets.Socket, error) {
	all, err := sockets.List(sockets.TCP)
	if errors.Is(err, sockets.ErrUnsupported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := make(map[uint64]sockets.Socket)
	for _, s := range all {
		if s.State == sockets.StateListen || s.State == sockets.StateBound {
			found[s.Inode] = s
		}
	}
	return found, nil
}

// leftovers are the processes of the tests and the sockets that they hold.
func (d *demo) leftovers(before map[uint64]sockets.Socket) (processes, ports []string, err error) {
	pids := d.processes()
	for _, pid := range pids {
		processes = append(processes, "process "+strconv.Itoa(pid))
	}
	now, err := listening()
	if err != nil {
		return nil, nil, err
	}
	for inode, s := range now {
		if _, old := before[inode]; old {
			continue
		}
		holders, err := sockets.Holders(s)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range holders[inode] {
			if strings.Contains(p.Command, d.folder) || slices.Contains(pids, p.PID) {
				ports = append(ports, fmt.Sprintf("%s, %s, of process %d", s.Local, s.State, p.PID))
			}
		}
	}
	return processes, ports, nil
}

// patience is how long a process may take to notice that its parent is gone. A
// database server stays a second for another test to come.
const patience = 3 * time.Second

// audit looks for what the tests have left behind.
func (d *demo) audit(before map[uint64]sockets.Socket) error {
	d.heading("What is left of all that")
	if before == nil {
		d.say("ports and processes: not looked for, this system has no table that the demo reads")
	} else if err := d.auditProcesses(before); err != nil {
		return err
	}
	// A database server's folder is removed after its last process has ended.
	var files []os.DirEntry
	err := within(patience, func() (done bool, err error) {
		files, err = d.files()
		return len(files) == 0, err
	})
	if err != nil {
		return err
	}
	d.say("files and folders: %s", listed(names(files)))
	if len(files) > 0 {
		return fmt.Errorf("files and folders are left")
	}
	return nil
}

// files are what is in the folders of the tests.
func (d *demo) files() (files []os.DirEntry, err error) {
	for _, folder := range []string{d.folder, d.servers} {
		found, err := os.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

func (d *demo) auditProcesses(before map[uint64]sockets.Socket) error {
	var processes, ports []string
	err := within(patience, func() (done bool, err error) {
		processes, ports, err = d.leftovers(before)
		return len(processes)+len(ports) == 0, err
	})
	if err != nil {
		return err
	}
	d.say("ports: %s\nprocesses: %s", listed(ports), listed(processes))
	if len(processes)+len(ports) > 0 {
		return fmt.Errorf("ports or processes are left")
	}
	return nil
}

// within asks until done, but not for longer than d.
func within(d time.Duration, ask func() (done bool, err error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(d); ; <-tick.C {
		if done, err := ask(); done || err != nil || time.Now().After(deadline) {
			return err
		}
	}
}

func listed(what []string) string {
	if len(what) == 0 {
		return "none"
	}
	return strings.Join(what, "; ")
}

func names(entries []os.DirEntry) []string {
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// processes are those whose environment bears the mark, or that work in the
// folder of the database servers, as /proc shows it.
func (d *demo) processes() []int {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	var pids []int
	for _, folder := range folders {
		environ, err := os.ReadFile(filepath.Join(folder, "environ"))
		ours := err == nil && bytes.Contains(environ, []byte(d.mark+"\x00"))
		if dir, err := os.Readlink(filepath.Join(folder, "cwd")); err == nil && d.servers != "" && strings.HasPrefix(dir, d.servers) {
			ours = true
		}
		if pid, err := strconv.Atoi(filepath.Base(folder)); ours && err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
