package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/ory/dockertest/v3"
	"github.com/ory/dockertest/v3/docker"
	"github.com/testcontainers/testcontainers-go"
	tcpostgres "github.com/testcontainers/testcontainers-go/modules/postgres"
)

// peerContainer is a server in a container as a peer starts it.
type peerContainer struct {
	url   string
	close func() error
}

// startTestcontainers does what testcontainers-go's documentation recommends for
// PostgreSQL, on the loopback alone, and returns when a query was answered.
func (d *containerDatabases) startTestcontainers() (c peerContainer, err error) {
	made, err := tcpostgres.Run(d.ctx, d.image,
		tcpostgres.WithUsername(superuser), tcpostgres.WithPassword(password), tcpostgres.WithDatabase(maintenance),
		tcpostgres.BasicWaitStrategies(), testcontainers.WithLogger(silent{}),
		testcontainers.WithHostConfigModifier(func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{network.MustParsePort("5432/tcp"): {{HostIP: netip.MustParseAddr("127.0.0.1")}}}
		}))
	c.close = func() error { return testcontainers.TerminateContainer(made) }
	if err != nil {
		return c, errors.Join(err, c.close())
	}
	c.url, err = made.ConnectionString(d.ctx, "sslmode=disable")
	if err == nil {
		c.url = strings.Replace(c.url, "localhost", "127.0.0.1", 1)
		err = d.ping(c.url)
	}
	if err != nil {
		return c, errors.Join(err, c.close())
	}
	return c, nil
}

// silent takes what the library tells of each step.
type silent struct{}

func (silent) Printf(string, ...any) {}

// startDockertest does what dockertest's documentation does for PostgreSQL, on
// the loopback alone.
func (d *containerDatabases) startDockertest() (c peerContainer, err error) {
	pool, err := dockertest.NewPool("")
	if err != nil {
		return c, err
	}
	repository, tag, _ := strings.Cut(d.image, ":")
	made, err := pool.RunWithOptions(&dockertest.RunOptions{
		Repository: repository, Tag: tag, Env: []string{"POSTGRES_USER=" + superuser, "POSTGRES_PASSWORD=" + password},
	}, func(h *docker.HostConfig) {
		h.PublishAllPorts = false
		h.PortBindings = map[docker.Port][]docker.PortBinding{"5432/tcp": {{HostIP: "127.0.0.1"}}}
	})
	if err != nil {
		return c, err
	}
	c = peerContainer{
		url:   fmt.Sprintf("postgres://%s:%s@127.0.0.1:%s/%s?sslmode=disable", superuser, password, made.GetPort("5432/tcp"), maintenance),
		close: func() error { return pool.Purge(made) },
	}
	if err := pool.Retry(func() error { return d.ping(c.url) }); err != nil {
		return c, errors.Join(err, c.close())
	}
	return c, nil
}

func (d *containerDatabases) ping(url string) error {
	conn, err := connect(d.ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(context.WithoutCancel(d.ctx))
}
