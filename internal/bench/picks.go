package main

import (
	consul "github.com/hashicorp/consul/sdk/freeport"
	phayes "github.com/phayes/freeport"

	"github.com/standin-go/standin/portpool"
)

// tool is a way to come by a port.
type tool struct {
	name string
	// pick returns a port and what ends its hold.
	pick func() (port int, done func(), err error)
}

const (
	oursName   = "portpool"
	phayesName = "phayes/freeport"
	consulName = "consul/freeport"
)

var tools = []tool{
	{oursName, func() (int, func(), error) {
		lease, err := portpool.Reserve()
		if err != nil {
			return 0, nil, err
		}
		return lease.Port(), func() { lease.Release() }, nil
	}},
	{phayesName, func() (int, func(), error) {
		port, err := phayes.GetFreePort()
		return port, func() {}, err
	}},
	{consulName, func() (int, func(), error) {
		ports, err := consul.Take(1)
		if err != nil {
			return 0, nil, err
		}
		return ports[0], func() { consul.Return(ports) }, nil
	}},
}

func toolNamed(name string) tool {
	for _, t := range tools {
		if t.name == name {
			return t
		}
	}
	panic("no tool " + name)
}

// pickOnce is a pick that is given back at once.
func (t tool) pickOnce() error {
	_, done, err := t.pick()
	if err == nil {
		done()
	}
	return err
}
