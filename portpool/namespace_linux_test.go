package portpool_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inNamespace makes the command run in a network namespace of its own, as its
// root, so that it may change the kernel's settings and use up whole ranges.
func inNamespace(t testing.TB, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	attr := cmd.SysProcAttr
	attr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	probe := exec.Command("/bin/true")
	probe.SysProcAttr = attr
	if err := probe.Run(); err != nil {
		text := fmt.Sprintf("this system makes no network namespaces for this user (%v): allow them (kernel.unprivileged_userns_clone=1), or run as root", err)
		if os.Getenv("CI") == "true" || !errors.Is(err, os.ErrPermission) {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	return cmd
}

// enterNamespace brings the loopback interface of a new namespace up and
// changes settings of net.*, such as "ipv4/ip_autobind_reuse=1".
func enterNamespace(settings ...string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(lo))); errno != 0 {
		return fmt.Errorf("bring lo up: %w", errno)
	}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		if err := os.WriteFile("/proc/sys/net/"+name, []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}

// listenLocal listens on 127.0.0.1 outside the ranges of the tests.
func listenLocal() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:9") }

// becomeUnprivileged replaces the process by one that runs the child with that
// name and may not bind ports below 1024. It returns only when it failed.
func becomeUnprivileged(name, input string) error {
	runtime.LockOSThread() // what is dropped is this thread's
	if err := unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_NET_BIND_SERVICE, 0, 0, 0); err != nil {
		return err
	}
	os.Setenv(childVariable, name)
	os.Setenv(childInput, input)
	return syscall.Exec(os.Args[0], os.Args[:1], os.Environ())
}
