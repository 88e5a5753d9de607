//go:build !linux

package attack_test

import "syscall"

// tied has a process of this system begin like any other.
func tied() *syscall.SysProcAttr { return nil }
