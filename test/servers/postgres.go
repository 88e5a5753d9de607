package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
)

// postgres starts a Postgres that is quick rather than safe: what it keeps is
// gone a minute later anyway.
func (f *fleet) postgres(ctx context.Context, have programs) (string, error) {
	say("starting Postgres from %s", have.postgres)
	data := filepath.Join(f.dir, "postgres")
	locale := "C" // macOS has no C.UTF-8
	if runtime.GOOS == "linux" {
		locale = "C.UTF-8"
	}
	initdb := exec.CommandContext(ctx, filepath.Join(have.postgres, "initdb"),
		"-D", data, "-U", "postgres", "-A", "trust", "-N", "--locale="+locale, "-E", "UTF8")
	initdb.Dir = f.dir
	initdb.SysProcAttr = detached(f.account)
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initialise Postgres: %w\n%s", err, out)
	}

	port, err := f.launch(ctx, "postgres",
		func(port string) []string {
			return []string{
				filepath.Join(have.postgres, "postgres"), "-D", data, "-p", port,
				"-c", "listen_addresses=127.0.0.1",
				"-c", "unix_socket_directories=",
				"-c", "max_connections=200",
				"-c", "fsync=off",
				"-c", "synchronous_commit=off",
				"-c", "full_page_writes=off",
				"-c", "autovacuum=off",
				// An odd zone, so that code which trusts the server's zone is found out.
				"-c", "timezone=Asia/Kathmandu",
			}
		},
		func(ctx context.Context, port string) bool {
			return exec.CommandContext(ctx, filepath.Join(have.postgres, "pg_isready"),
				"-q", "-h", "127.0.0.1", "-p", port, "-U", "postgres").Run() == nil
		})
	if err != nil {
		return "", err
	}
	return "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable", nil
}
