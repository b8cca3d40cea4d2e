package portpool

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// Start starts cmd with the sockets of the leases open in it, listening
// already, in the way of systemd's sd_listen_fds(3): descriptors 3, 4, … in
// the order of the leases, LISTEN_FDS with their number, LISTEN_FDNAMES with
// their networks, and LISTEN_PID with the process. A lease of TCP|UDP passes
// its listener and then its datagram socket. There is no moment at which the
// port is free, and a connection that comes before the program is ready
// waits.
//
// The parent keeps no copy: when the program has ended, nobody listens. Start
// calls cmd.Start and leaves Wait to the caller. cmd.ExtraFiles must be
// empty. On Windows, which has no such convention, it returns an *Error of
// kind ErrUnsupported.
func Start(cmd *exec.Cmd, leases ...*Lease) error {
	op := "start " + cmd.Path + " with inherited sockets"
	switch {
	case runtime.GOOS == "windows":
		return &Error{Op: op, Kind: ErrUnsupported, Remedy: "give the program the number of the port"}
	case len(leases) == 0:
		return &Error{Op: op, Kind: ErrInvalid, Detail: "no lease is given"}
	case len(cmd.ExtraFiles) > 0:
		return &Error{Op: op, Kind: ErrInvalid, Detail: "cmd.ExtraFiles is not empty, and the sockets must come first"}
	case cmd.Err != nil:
		return cmd.Err // the program was not found
	}
	files, names, err := openFiles(leases)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return err
	}
	cmd.ExtraFiles = files
	cmd.Env = append(cmd.Environ(),
		"LISTEN_FDS="+strconv.Itoa(len(files)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
	// LISTEN_PID must be the program's own number, which exists only after
	// the fork: a shell sets it and then becomes the program.
	cmd.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	err = cmd.Start()
	cmd.ExtraFiles = nil // closed, and not to be passed by mistake again
	return err
}

func openFiles(leases []*Lease) (files []*os.File, names []string, err error) {
	for _, l := range leases {
		for _, socket := range []struct {
			network Network
			open    func() (*os.File, error)
		}{{TCP, l.File}, {UDP, l.PacketFile}} {
			if l.network&socket.network == 0 {
				continue
			}
			f, err := socket.open()
			if err != nil {
				return files, nil, err
			}
			files, names = append(files, f), append(names, socket.network.String())
		}
	}
	return files, names, nil
}
