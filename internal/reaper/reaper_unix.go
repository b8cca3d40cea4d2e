//go:build unix

package reaper

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed reaper.sh
var script string

// shell is where POSIX systems have theirs.
const shell = "/bin/sh"

// basicPath is where the reaper's mkfifo, mv, rm and sleep are.
const basicPath = "/usr/bin:/bin:/usr/sbin:/sbin"

// Member is a use of a server, from Start or Join until Leave or the end of
// the process. It is safe for concurrent use.
type Member struct {
	dir string
	end *os.File // of the named pipe
}

// Start starts a reaper that has made a folder, Dir, and has this process as
// its user. The server itself waits for Launch.
func Start(c Config) (*Member, error) {
	name, err := randomName()
	if err != nil {
		return nil, err
	}
	grace := cmp.Or(c.Grace, 2*time.Second)
	args := append([]string{"-c", script, "standin-reaper", "start", c.Parent, name, seconds(c.Keep), c.Stop, seconds(grace)}, c.Command...)
	cmd := exec.Command(shell, args...)
	cmd.Dir = "/"
	cmd.Env = append(withoutPath(c.Env), "PATH="+basicPath+":"+os.Getenv("PATH"))
	// A session of its own: Ctrl-C and a closed terminal do not reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if c.User != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID}
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the reaper: %w", err)
	}
	failed := func(err error) error {
		stdin.Close() // the shell then removes the folder and ends
		return errors.Join(fmt.Errorf("the reaper of %s: %w", filepath.Join(c.Parent, name), err),
			cmd.Wait(), complaint(stderr.String()))
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "made\n" {
		return nil, failed(fmt.Errorf("it did not make the folder: %w", err))
	}
	dir := filepath.Join(c.Parent, name)
	end, err := os.OpenFile(filepath.Join(dir, "users"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, failed(err)
	}
	if _, err := stdin.Write([]byte("joined\n")); err != nil {
		end.Close()
		return nil, failed(err)
	}
	// The shell that we started leaves its children to themselves and ends.
	if err := cmd.Wait(); err != nil {
		end.Close()
		return nil, failed(err)
	}
	return &Member{dir: dir, end: end}, nil
}

func complaint(stderr string) error {
	if stderr = strings.TrimSpace(stderr); stderr == "" {
		return nil
	}
	return errors.New(stderr)
}

// Join makes this process a user of the server whose folder is dir. It returns
// ErrGone when there is none any more.
func Join(dir string) (*Member, error) {
	path := filepath.Join(dir, "users")
	end, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENXIO) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("join the users of %s: %w", dir, err)
	}
	m := &Member{dir: dir, end: end}
	// The name is taken away before the last look at who is there: while it is
	// still ours we are counted.
	if _, err := end.WriteString("joined\n"); err != nil || m.Gone() {
		end.Close()
		return nil, ErrGone
	}
	return m, nil
}

// Dir is the folder: the server's, with the file "log", and for its users.
func (m *Member) Dir() string { return m.dir }

// Launch starts the server.
func (m *Member) Launch() error {
	_, err := m.end.WriteString("start\n")
	return err
}

// Gone reports whether the server has ended, or nobody can join it any more.
// The folder stays for as long as it has users.
func (m *Member) Gone() bool {
	opened, err1 := m.end.Stat()
	named, err2 := os.Stat(filepath.Join(m.dir, "users"))
	return err1 != nil || err2 != nil || named.Mode()&os.ModeNamedPipe == 0 || !os.SameFile(opened, named)
}

// Retire lets nobody join any more. The server ends with its last user.
func (m *Member) Retire() {
	_ = os.Rename(filepath.Join(m.dir, "users"), filepath.Join(m.dir, "retired")) // somebody else did
}

// Leave ends the use. Further calls do nothing.
func (m *Member) Leave() error {
	if err := m.end.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Sweep ends the servers below parent whose reaper was killed, with their
// folders. The caller makes sure that no server is being started there.
func Sweep(parent string) error {
	entries, err := os.ReadDir(parent)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) || Watched(filepath.Join(parent, e.Name())) {
			continue
		}
		cmd := exec.Command(shell, "-c", script, "standin-reaper", "sweep", parent, e.Name())
		cmd.Dir = "/"
		cmd.Env = []string{"PATH=" + basicPath + ":" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil {
			errs = append(errs, fmt.Errorf("sweep %s: %w: %s", e.Name(), err, out))
		}
	}
	_ = os.Remove(parent) // empty where a reaper died between the two folders
	return errors.Join(errs...)
}

// Watched reports whether a reaper is behind the pipe of dir.
func Watched(dir string) bool {
	for _, name := range []string{"users", "retired"} {
		end, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			end.Close()
			return true
		}
	}
	return false
}

// prefix is that of the folders that reapers make.
const prefix = "server-"

func randomName() (string, error) {
	random := make([]byte, 8)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	return prefix + hex.EncodeToString(random), nil
}

func withoutPath(env []string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, "PATH=") {
			kept = append(kept, e)
		}
	}
	return kept
}
