//go:build !unix || solaris || aix

package backend

import "errors"

// PublicCache is for servers, which do not run here.
func PublicCache(string) (string, error) { return "", errors.ErrUnsupported }
