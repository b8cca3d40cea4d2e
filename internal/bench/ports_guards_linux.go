package main

import (
	"golang.org/x/sys/unix"
)

// pickGuards compares a lease with the system calls that the same guards, one
// for each family, would cost by hand.
func pickGuards(r *report, s scale) error {
	times, err := compare(s.rounds, perOperation(s.operations, toolNamed(oursName).pickOnce), perOperation(s.operations, rawPair))
	if err != nil {
		return err
	}
	r.atMost("ports/pick vs bare sockets for both families", times[0], times[1], 1.5, nanoseconds)
	return nil
}

// rawPair binds a socket of each family and closes both.
func rawPair() error {
	v4, err := rawGuard(unix.AF_INET, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err != nil {
		return err
	}
	defer unix.Close(v4)
	v6, err := rawGuard(unix.AF_INET6, &unix.SockaddrInet6{Addr: [16]byte{15: 1}})
	if err != nil {
		return err
	}
	return unix.Close(v6)
}

func rawGuard(family int, addr unix.Sockaddr) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if err := unix.Bind(fd, addr); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
