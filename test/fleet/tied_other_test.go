//go:build !linux

package fleet_test

import "syscall"

// tied has a process of this system begin like any other.
func tied() *syscall.SysProcAttr { return nil }
