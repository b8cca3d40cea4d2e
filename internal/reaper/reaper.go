// Package reaper makes sure that a server and its folder go when its users
// have gone, however those ended: a panic, os.Exit, a timeout or SIGKILL.
//
// A reaper is a few waiting shells in a session of their own, so that it needs
// nothing of the program it outlives, which may be any test binary. Each user
// holds the writing end of a named pipe, and the kernel closes that for a
// process that dies, so users are counted by what they hold and not by their
// numbers: there are no stale locks, and a number that is used again fools
// nobody. The reaper is the parent of the server, and it is there before the
// folder is: nothing exists that nobody would remove.
//
// It knows nothing of databases, and it does not wait until a server answers.
// Where there is no POSIX shell (Windows) every call returns
// errors.ErrUnsupported.
package reaper

import (
	"errors"
	"strconv"
	"time"
)

// ErrGone says that the server of a folder is gone or on its way: nobody can
// join it any more.
var ErrGone = errors.New("the server is gone")

// User is the user as whom the reaper and the server run.
type User struct{ UID, GID uint32 }

// Config says what a reaper looks after.
type Config struct {
	// Parent is a folder that is for reapers alone. It is made where it is
	// missing, with a folder in it for this server, and removed when it is empty.
	Parent string
	// Keep is how long the server stays when nobody uses it, in whole seconds;
	// fractions count as a second.
	Keep time.Duration
	// User is the user as whom all runs; nil means this process's.
	User *User
	// Command is the server's program, an absolute path, and its arguments. It
	// starts in the reaper's folder, what it prints goes to the file "log"
	// there, and it must not close descriptors that it inherits.
	Command []string
	// Env is the environment of the server. A PATH is always added.
	Env []string
	// Stop is the signal that ends the server: "QUIT", "TERM".
	Stop string
	// Grace is how long after the signal all its processes are killed, in whole
	// seconds as Keep is. Default: 2 s.
	Grace time.Duration
}

// seconds is a duration as the shell's sleep takes it.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((max(d, 0) + time.Second - 1) / time.Second))
}
