// Package httpfake is an HTTP server that answers as it is told, remembers what
// it was asked, and says what did not go as expected.
//
//	srv, err := httpfake.NewServer(httpfake.Config{})
//	…
//	defer srv.Close()
//	srv.On("POST /orders/{id}").Reply(503).Reply(201).JSON(`{"id": 7}`)
//	… // the program under test talks to srv.URL()
//	err = srv.Check() // nil if all that was expected came, and nothing else
//
// It is a real server on a real loopback socket, so the program under test uses
// the HTTP client that it always uses. It knows no tests: in a test,
// fixture.NewHTTP ties it to one.
//
// # Patterns
//
// Patterns are those of [http.ServeMux], with its precedence, and a ServeMux
// chooses: the cost of a request does not grow with the number of stubs. A
// pattern without a method matches every method, and GET matches HEAD.
//
// As with a ServeMux, a path that is not clean ("//a", "/a/../b"), or that lacks
// the final slash of a pattern, is redirected (307) to the one that matches. A
// path that matches nothing when clean is not redirected: the request is
// unmatched as it came.
//
// # What is expected
//
// A stub, made by [Server.On], has to be called at least once; [Stub.Times],
// [Stub.Once] and [Stub.Maybe] say otherwise. A handler, given to
// [Server.Handle], may be called any number of times. A request that matches
// neither is answered 501 Not Implemented, which clients do not take for a
// passing fault and do not repeat, with a text that says what came and what is
// nearest. [Server.Check] reports all of that, and handlers that panicked, with
// a transcript of the requests.
//
// A request counts as a call when all of its body has come. A body that breaks
// off is answered 400 and is not a call.
//
// # Mistakes in stubs
//
// A malformed pattern or JSON text, a status that does not exist, two patterns
// of which neither takes precedence: each fails at the call that wrote it, with
// the caller's file and line. Config.Fail decides how: without it the call
// panics, as ServeMux does.
//
// # Limits
//
// The server speaks HTTP/1.1 without TLS, and listens on the loopback alone. It
// keeps the latest 10,000 requests, of each the first 64 KiB of the body, and at
// most 16 MiB in all; counts go on beyond that. Request headers may have 64 KiB
// and 30 seconds to come. A body is read to its end however long it is, but only
// its beginning is kept.
//
// It is no simulation of a network: delays, faults and TLS are not there.
package httpfake
