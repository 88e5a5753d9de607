package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attempts is how often a server is started before its failure is believed: a
// port that was free can be taken by someone else before the server binds it.
const attempts = 3

// folder begins the name of the temporary folder; the process id follows.
const folder = "forge1-servers-"

// fleet is what this process started and has to stop.
type fleet struct {
	dir     string              // the temporary folder, made when the first server needs it
	account *syscall.Credential // who the servers run as; nil for the caller
	running []*server
}

// start makes sure that both servers are there and returns the variables that
// say where.
func (f *fleet) start(ctx context.Context) (env []string, err error) {
	starts := []struct {
		variable string
		start    func(context.Context, programs) (url string, err error)
	}{
		{postgresVar, f.postgres},
		{redisVar, f.redis},
	}

	var have programs
	for _, s := range starts {
		url := os.Getenv(s.variable)
		if url != "" {
			say("using %s from the environment", s.variable)
		} else {
			if have == (programs{}) {
				if have, err = find(ctx); err != nil {
					return nil, err
				}
				if err := f.settle(); err != nil {
					return nil, err
				}
			}
			if url, err = s.start(ctx, have); err != nil {
				return nil, err
			}
		}
		env = append(env, s.variable+"="+url)
	}
	return env, nil
}

// settle makes the temporary folder and finds the account for the servers:
// Postgres refuses to run as root, and Redis has no need to.
func (f *fleet) settle() error {
	sweep()
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", folder, os.Getpid()))
	if err != nil {
		return fmt.Errorf("make a folder for the servers: %w", err)
	}
	f.dir = dir
	if os.Geteuid() != 0 {
		return nil
	}

	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr != nil || gerr != nil {
			continue
		}
		f.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return os.Chown(dir, int(uid), int(gid))
	}
	return fmt.Errorf("running as root, and there is no user postgres or nobody to run the servers as")
}

// sweep removes the folders of runs that were killed and could not do it.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), folder+"*-*")) // the pattern is well-formed
	for _, dir := range left {
		id, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), folder), "-")
		pid, err := strconv.Atoi(id)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir) // another user's is left to that user
		}
	}
}

// launch starts a server, several times if need be, until ready says that it
// answers.
func (f *fleet) launch(ctx context.Context, name string, args func(port string) []string, ready func(ctx context.Context, port string) bool) (port string, err error) {
	began := time.Now()
	for range attempts {
		if port, err = freePort(); err != nil {
			return "", err
		}
		argv := args(port)
		cmd := exec.Command(argv[0], argv[1:]...)
		if err = f.boot(ctx, name, cmd, func(ctx context.Context) bool { return ready(ctx, port) }); err == nil {
			say("%s is up on 127.0.0.1:%s after %s", name, port, time.Since(began).Round(10*time.Millisecond))
			return port, nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		say("%v", err)
	}
	return "", fmt.Errorf("%s did not come up in %d attempts", name, attempts)
}

// boot starts one server and waits until it answers. When it does not, the
// error shows the end of its log.
func (f *fleet) boot(ctx context.Context, name string, cmd *exec.Cmd, ready func(context.Context) bool) error {
	path := filepath.Join(f.dir, name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = f.dir
	cmd.SysProcAttr = detached(f.account)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}

	s := &server{name: name, process: cmd.Process, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // however it ended, it ended
		close(s.ended)
	}()

	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended at once; its log says:\n%s", name, tail(path))
		case <-ctx.Done():
			s.stop()
			return fmt.Errorf("%s does not answer (%w); its log says:\n%s", name, context.Cause(ctx), tail(path))
		case <-tick.C:
			if ready(ctx) {
				f.running = append(f.running, s)
				return nil
			}
		}
	}
}

// stop ends the servers, newest first, and removes their folder.
func (f *fleet) stop() {
	for i := len(f.running) - 1; i >= 0; i-- {
		f.running[i].stop()
	}
	if len(f.running) > 0 {
		say("servers stopped")
	}
	if f.dir != "" {
		if err := os.RemoveAll(f.dir); err != nil {
			say("remove %s: %v", f.dir, err)
		}
	}
}

// server is one running server.
type server struct {
	name    string
	process *os.Process
	ended   chan struct{}
}

// stop asks the server to end and waits for it; SIGINT is Postgres' fast
// shutdown, which does not wait for clients, and Redis knows it too.
func (s *server) stop() {
	_ = s.process.Signal(os.Interrupt) // it fails when the process is gone, which is what we want
	select {
	case <-s.ended:
	case <-time.After(patience):
		say("%s does not stop, killing it", s.name)
		_ = s.process.Kill()
		<-s.ended
	}
}

// freePort returns a port of 127.0.0.1 that nobody listens on just now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// tail returns the last lines of a file.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return cmp.Or(strings.Join(lines[max(0, len(lines)-15):], "\n"), "(nothing)")
}
