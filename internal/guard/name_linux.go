package guard

import (
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// TakeName holds a name against every process of the network namespace, or
// returns ErrInUse. What holds it is an abstract address of unix(7), which
// does not listen and dies with its process.
func TakeName(name string) (io.Closer, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: "@standin/" + name}); err != nil {
		unix.Close(fd)
		if err == unix.EADDRINUSE {
			return nil, ErrInUse
		}
		return nil, os.NewSyscallError("bind", err)
	}
	return &heldName{fd: fd}, nil
}

type heldName struct {
	once sync.Once
	fd   int
}

func (n *heldName) Close() error {
	n.once.Do(func() { unix.Close(n.fd) })
	return nil
}
