package sockets

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// From the kernel's include/uapi/linux/inet_diag.h and sock_diag.h.
const (
	sockDiagByFamily = 20
	tcpClose         = 7  // TCP_CLOSE
	boundInactive    = 13 // TCP_BOUND_INACTIVE, whose bit in the mask asks for them
	diagRequestSize  = 56 // struct inet_diag_req_v2
	diagMessageSize  = 72 // struct inet_diag_msg
)

// listBound asks sock_diag(7) for the TCP sockets that are bound and nothing
// else, such as held guards: the text tables leave them out.
func listBound() ([]Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("sockets: open sock_diag: %w", err)
	}
	defer unix.Close(fd)
	var rows []Socket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if err := unix.Sendto(fd, diagRequest(family), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return nil, fmt.Errorf("sockets: ask sock_diag: %w", err)
		}
		found, err := readDump(fd)
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

func diagRequest(family byte) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+diagRequestSize)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b[unix.NLMSG_HDRLEN] = family
	b[unix.NLMSG_HDRLEN+1] = unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(b[unix.NLMSG_HDRLEN+4:], 1<<boundInactive)
	return b
}

func readDump(fd int) ([]Socket, error) {
	var rows []Socket
	buf := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return nil, fmt.Errorf("sockets: read sock_diag: %w", err)
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, fmt.Errorf("sockets: read sock_diag: %w", err)
		}
		for _, m := range messages {
			switch m.Header.Type {
			case unix.NLMSG_DONE:
				return rows, nil
			case unix.NLMSG_ERROR:
				return nil, fmt.Errorf("sockets: sock_diag refused the question")
			}
			if s, ok := parseDiag(m.Data); ok {
				rows = append(rows, s)
			}
		}
	}
}

// parseDiag reads one struct inet_diag_msg of a socket that is only bound: the
// kernel gives it the state of a closed one.
func parseDiag(b []byte) (Socket, bool) {
	if len(b) < diagMessageSize || b[1] != tcpClose && b[1] != boundInactive {
		return Socket{}, false
	}
	size := 4
	if b[0] == unix.AF_INET6 {
		size = 16
	}
	local, _ := netip.AddrFromSlice(b[8 : 8+size])
	return Socket{
		Transport: TCP, State: StateBound,
		Local: netip.AddrPortFrom(local, binary.BigEndian.Uint16(b[4:])),
		UID:   int(binary.NativeEndian.Uint32(b[64:])),
		Inode: uint64(binary.NativeEndian.Uint32(b[68:])),
	}, true
}
