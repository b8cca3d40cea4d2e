package portpool_test

const onLinux, onUnix = false, false

// dropReuse has nothing to do: package net sets no SO_REUSEADDR on Windows.
func dropReuse(uintptr) error { return nil }
