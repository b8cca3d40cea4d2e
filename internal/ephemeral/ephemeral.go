// Package ephemeral tells which ports the kernel hands out by itself, to
// bind(:0) and to outgoing connections, and under which rules. It reads; it
// changes nothing.
package ephemeral

// Facts are the kernel's settings for the ports that it picks.
type Facts struct {
	// Low and High are the first and the last port of the range.
	Low, High uint16
	// Reserved are ports inside the range that the administrator keeps out of
	// the kernel's picks, as pairs of first and last.
	Reserved [][2]uint16
	// AutobindReuse says that the kernel may pick a port that is bound
	// already, if every holder of it has SO_REUSEADDR.
	AutobindReuse bool
}
