package main

import "syscall"

// detached gives a server the account it runs as and a process group of its
// own, so that a Ctrl-C meant for the command does not end the server first.
// If this process is killed, the kernel ends the server.
func detached(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: account, Pdeathsig: syscall.SIGINT}
}
