//go:build unix && !linux

package main

import "syscall"

// detached gives a process the account it runs as and a process group of its
// own: a Ctrl-C meant for the command then does not end a server first.
func detached(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: account}
}
