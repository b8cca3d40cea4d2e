package portpool

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"syscall"
)

const onWindows = runtime.GOOS == "windows"

func isInUse(err error) bool { return isErrno(err, syscall.EADDRINUSE, 10048) }

// exclusively makes sockets that share their port with nobody.
var exclusively = net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = setExclusive(fd) }); e != nil {
		return e
	}
	return err
}}

// tryBind returns nil when nobody has the port on any address on which a
// lease keeps it.
func tryBind(network Network, addr netip.AddrPort, ipv6 bool) error {
	addrs := []netip.AddrPort{addr}
	if a := addr.Addr(); a == localhost && ipv6 {
		addrs = append(addrs, netip.AddrPortFrom(netip.IPv6Loopback(), addr.Port()))
	} else if a.Is6() {
		addrs = append(addrs, netip.AddrPortFrom(localhost, addr.Port()))
	}
	for _, a := range addrs {
		for _, n := range []Network{TCP, UDP} {
			if network&n == 0 {
				continue
			}
			if err := tryBindOne(n, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// tryBindOne returns nil when nobody has the port on this address.
func tryBindOne(network Network, addr netip.AddrPort) error {
	var opened io.Closer
	var err error
	if network == TCP {
		opened, err = exclusively.Listen(context.Background(), "tcp", addr.String())
	} else {
		opened, err = exclusively.ListenPacket(context.Background(), "udp", addr.String())
	}
	if err != nil {
		return err
	}
	return opened.Close()
}

// isErrno reports whether the error is the system's errno, or on Windows the
// error of Winsock with that number, which package syscall does not translate.
func isErrno(err error, errno, winsock syscall.Errno) bool {
	return errors.Is(err, errno) || onWindows && errors.Is(err, winsock)
}

// isForbidden reports whether the system does not let this user do it.
func isForbidden(err error) bool {
	return isErrno(err, syscall.EACCES, 10013) || errors.Is(err, syscall.EPERM)
}
