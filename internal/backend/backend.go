// Package backend finds or starts a server program that all test processes of
// a user share: the first one starts it, under a lock that a dead process
// cannot hold, the others join it, and a reaper ends it after the last one.
//
// It knows no database. What a server is started from, how it is asked whether
// it answers and what its users need to know comes with the Spec.
package backend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/standin-go/standin/internal/reaper"
)

// Spec says which server is wanted, and how to start one.
type Spec struct {
	// Kind is the program: "postgres".
	Kind string
	// Key is all in which two servers of a kind may differ: only processes
	// with the same one share a server.
	Key string
	// User is the user as whom it runs; nil means this process's.
	User *reaper.User
	// Keep is how long the server stays when nobody uses it.
	Keep time.Duration
	// Stop is the signal that ends it at once.
	Stop string
	// Grace is how long after the signal it is killed. Default: 2 s.
	Grace time.Duration
	// Env is added to the environment of the program.
	Env []string
	// Alone starts a server that nobody else can join.
	Alone bool
	// Roots are the folders below which servers live. Default: Roots.
	Roots []string
	// Room is how many bytes have to be free in a root.
	Room uint64

	// Command returns the program and its arguments; it starts in its folder.
	Command func() ([]string, error)
	// Prepare fills the folder before the start.
	Prepare func(ctx context.Context, dir string) error
	// Ready returns when the server answers, with what its users need to know.
	// It gives up when gone says so.
	Ready func(ctx context.Context, dir string, gone func() bool) ([]byte, error)
}

// Server is a use of a server, until Close or the end of the process.
type Server struct {
	member  *reaper.Member
	info    []byte
	started bool
}

// infoFile holds what Ready returned, and its being there says that the server
// is ready.
const infoFile = "info"

// Open joins the server of the spec, or starts it.
func Open(ctx context.Context, spec Spec) (*Server, error) {
	if spec.Roots == nil {
		spec.Roots = Roots()
	}
	if spec.Alone {
		return spec.start(ctx)
	}
	// Those who only join need no lock.
	if s, err := spec.join(); s != nil || err != nil {
		return s, err
	}
	unlock, err := Lock(ctx, spec.name()+".lock")
	if err != nil {
		return nil, fmt.Errorf("wait for another process that starts %s: %w", spec.Kind, err)
	}
	defer unlock()
	if s, err := spec.join(); s != nil || err != nil {
		return s, err
	}
	for _, root := range spec.Roots {
		if err := reaper.Sweep(filepath.Join(root, spec.name())); err != nil {
			return nil, err
		}
	}
	return spec.start(ctx)
}

// name is that of the folder of the spec's servers, in a root that all users
// of the machine may share.
func (s Spec) name() string {
	sum := sha256.Sum256([]byte(s.Key))
	return "standin-" + s.Kind + "-" + strconv.Itoa(s.uid()) + "-" + hex.EncodeToString(sum[:6])
}

func (s Spec) uid() int {
	if s.User != nil {
		return int(s.User.UID)
	}
	return os.Getuid()
}

// join returns nil when there is no server to join.
func (s Spec) join() (*Server, error) {
	for _, root := range s.Roots {
		parent := filepath.Join(root, s.name())
		entries, err := os.ReadDir(parent)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := errors.Join(err, private(parent, s.uid())); err != nil {
			return nil, fmt.Errorf("look for a running %s: %w", s.Kind, err)
		}
		for _, e := range entries {
			dir := filepath.Join(parent, e.Name())
			if _, err := os.Stat(filepath.Join(dir, infoFile)); err != nil {
				continue // not ready yet, or gone
			}
			member, err := reaper.Join(dir)
			if errors.Is(err, reaper.ErrGone) {
				continue
			}
			if err != nil {
				return nil, err
			}
			info, err := os.ReadFile(filepath.Join(dir, infoFile))
			if err != nil {
				return nil, errors.Join(err, member.Leave())
			}
			return &Server{member: member, info: info}, nil
		}
	}
	return nil, nil
}

// start starts a server in the first root that has the room.
func (s Spec) start(ctx context.Context) (*Server, error) {
	root, err := pick(s.Roots, s.Room)
	if err != nil {
		return nil, err
	}
	command, err := s.Command()
	if err != nil {
		return nil, err
	}
	parent := filepath.Join(root, s.name())
	if s.Alone {
		parent += "-alone"
	}
	member, err := reaper.Start(reaper.Config{
		Parent: parent, Keep: s.keep(), User: s.User, Command: command, Stop: s.Stop, Grace: s.Grace,
		Env: append([]string{"LC_ALL=C", "HOME=/"}, s.Env...),
	})
	if err != nil {
		return nil, err
	}
	info, err := s.bringUp(ctx, parent, member)
	if err != nil {
		err = fmt.Errorf("start %s: %w%s", strings.Join(command, " "), err, quoteLog(member.Dir()))
		return nil, errors.Join(err, member.Leave())
	}
	return &Server{member: member, info: info, started: true}, nil
}

func (s Spec) keep() time.Duration {
	if s.Alone {
		return 0
	}
	return s.Keep
}

func (s Spec) bringUp(ctx context.Context, parent string, member *reaper.Member) ([]byte, error) {
	if err := private(parent, s.uid()); err != nil {
		return nil, err
	}
	dir := member.Dir()
	if err := s.Prepare(ctx, dir); err != nil {
		return nil, err
	}
	if err := member.Launch(); err != nil {
		return nil, err
	}
	info, err := s.Ready(ctx, dir, member.Gone)
	if err != nil {
		return nil, err
	}
	whole := filepath.Join(dir, infoFile)
	if err := os.WriteFile(whole+".new", info, 0o600); err != nil {
		return nil, err
	}
	return info, os.Rename(whole+".new", whole)
}

// Info is what Ready returned when the server was started.
func (s *Server) Info() []byte { return s.info }

// Dir is the server's folder.
func (s *Server) Dir() string { return s.member.Dir() }

// Started reports whether this process started the server.
func (s *Server) Started() bool { return s.started }

// Gone reports whether the server has ended, or was retired.
func (s *Server) Gone() bool { return s.member.Gone() }

// Retire makes the next Open start another server. This one ends with its last
// user.
func (s *Server) Retire() { s.member.Retire() }

// Close ends the use of the server. Further calls do nothing.
func (s *Server) Close() error { return s.member.Leave() }

// LogSize is how long the server's log is by now: 0 when there is none.
func (s *Server) LogSize() int64 {
	info, err := os.Stat(filepath.Join(s.Dir(), "log"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// Log returns the server's log from an offset on, at most its last max bytes.
func (s *Server) Log(from int64, max int64) (string, error) {
	return readLog(s.Dir(), from, max)
}

func readLog(dir string, from, max int64) (string, error) {
	f, err := os.Open(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	if end-from > max {
		from = end - max
	}
	text, err := io.ReadAll(io.NewSectionReader(f, from, end-from))
	return string(text), err
}

// quoteLog returns the end of the server's log for an error, or nothing.
func quoteLog(dir string) string {
	log, err := readLog(dir, 0, 4096)
	if log = strings.TrimSpace(log); err != nil || log == "" {
		return ""
	}
	return "\nwhat it printed:\n\t" + strings.ReplaceAll(log, "\n", "\n\t")
}
