// Package servers shows, as tests, how programs of all kinds are started for a
// test and end with it: web servers, frameworks of other languages, a database by
// hand, a worker and a debugger. The programs are the real ones; .ci/setup
// installs them.
package servers
