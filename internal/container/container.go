// Package container is what the fixtures of databases know of containers: which
// server is to run in one, and that whoever imports fixture/containers has said
// how. It knows neither Docker nor a database, so that fixtures stay light for
// those who need no container.
package container

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/standin-go/standin/internal/backend"
)

// Server is a server in a container that all test processes of a user share,
// as those of package backend.
type Server struct {
	// Kind is the program: "postgres".
	Kind string
	// Image is its image, as docker run takes it: "postgres:17".
	Image string
	// Key is all else in which two servers of a kind may differ.
	Key string
	// Env is added to the image's environment.
	Env map[string]string
	// Args are the arguments of the image's entrypoint.
	Args []string
	// Port is the one on which it answers: "5432/tcp".
	Port string
	// Data is the folder that the image's entrypoint fills at its first start, an
	// absolute path. It is in memory, and what the first start makes of it is
	// kept for each image and Env, so that the next containers begin with it.
	Data string
	// Before is run by the container's sh, as root, when Data is filled and before
	// the entrypoint. A failure ends the container.
	Before string
	// Files are for Before: absolute paths in the container and contents.
	Files map[string]string
	// Keep is how long the server stays when nobody uses it.
	Keep time.Duration
	// Alone starts a server that nobody else can join.
	Alone bool
	// Note is told what takes a while: a pull.
	Note func(string)
	// Answers returns nil when the server at an address, 127.0.0.1:40000, takes
	// connections; it is called until it does.
	Answers func(ctx context.Context, addr string) error
	// Ready is called once, when it answers, with the server's address and a
	// folder on this machine that goes with it. What it returns is the server's
	// Info.
	Ready func(ctx context.Context, addr, dir string) ([]byte, error)
}

// Opener joins or starts a server.
type Opener func(ctx context.Context, s Server) (*backend.Server, error)

// ErrMissing says that the program has no package that runs containers.
var ErrMissing = errors.New(`nothing in this program runs containers; add to a test file of the package: import _ "github.com/standin-go/standin/fixture/containers"`)

var registered atomic.Pointer[Opener]

// Register is called by fixture/containers when it is imported.
func Register(o Opener) { registered.Store(&o) }

// Open joins the server, or starts it in a container. It returns ErrMissing
// when nobody has registered.
func Open(ctx context.Context, s Server) (*backend.Server, error) {
	open := registered.Load()
	if open == nil {
		return nil, ErrMissing
	}
	return (*open)(ctx, s)
}
