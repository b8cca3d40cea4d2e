package reaper_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/standin-go/standin/internal/reaper"
)

// The shared memory of a server is known by its key and its number. After a
// restart of the machine the number may be that of another program's.
func TestSweepGivesBackTheServersMemoryAndNoOther(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]bool{"the server's": true, "another's": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := newParent(t)
			m := start(t, config(parent, patient))
			waitForLog(t, m.Dir(), "ready")
			var stat unix.Stat_t
			if err := unix.Stat(m.Dir(), &stat); err != nil {
				t.Fatal(err)
			}
			key := uint32(stat.Ino) | 1<<31 // half of all keys are negative to the kernel
			id, err := unix.SysvShmGet(int(int32(key)), 4096, unix.IPC_CREAT|unix.IPC_EXCL|0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.SysvShmCtl(id, unix.IPC_RMID, nil)
			if !own {
				key++
			}
			data := filepath.Join(m.Dir(), "data")
			pidFile := fmt.Sprintf("1\n%s\n0\n5432\n\n127.0.0.1\n%9d %9d\nready\n", data, key, id)
			err = errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, "postmaster.pid"), []byte(pidFile), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			for _, pid := range processes(t, filepath.Base(m.Dir())) {
				syscall.Kill(pid, syscall.SIGKILL) // the reaper's shells
			}
			waitFor(t, "the reaper to die", func() bool { return len(processes(t, filepath.Base(m.Dir()))) == 0 })
			if err := reaper.Sweep(parent); err != nil {
				t.Fatal(err)
			}
			_, err = unix.SysvShmCtl(id, unix.IPC_STAT, new(unix.SysvShmDesc))
			if gone := errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EIDRM); gone != own {
				t.Errorf("the memory is gone: %t (%v); want %t", gone, err, own)
			}
			waitForNothing(t, parent)
		})
	}
}
