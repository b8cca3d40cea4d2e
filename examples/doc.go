// Package examples holds programs tested with standin, one per folder. It is a
// module of its own: what an example needs costs nobody else anything.
package examples
