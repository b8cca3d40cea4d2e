// Package standin is the front page of a toolkit of stand-in servers for Go
// tests. It has no code of its own; what a test needs is in:
//
//   - [github.com/standin-go/standin/fixture]: what a test calls; servers,
//     ports and addresses that are gone when the test ends;
//   - [github.com/standin-go/standin/fakes/httpfake]: the HTTP server behind
//     fixture.NewHTTP, for programs that are not tests;
//   - [github.com/standin-go/standin/portpool]: leases of loopback ports and
//     addresses, for anything that has to know a port before it binds it.
package standin
