//go:build !linux

package ephemeral

// iana is the range of RFC 6335 section 6, which macOS and Windows use.
var iana = Facts{Low: 49152, High: 65535}
