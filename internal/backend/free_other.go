//go:build !linux

package backend

import "errors"

func memoryFolder() string { return "" }

// Free is not known here.
func Free(string) (uint64, error) { return 0, errors.ErrUnsupported }
