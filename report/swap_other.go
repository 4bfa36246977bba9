//go:build !linux

package report

import "errors"

// exchange is not known elsewhere; the caller does it in two steps.
func exchange(_, _ string) error { return errors.ErrUnsupported }
