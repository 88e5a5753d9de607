// Command servers runs a command with a real Postgres and a real Redis beside
// it, so that no test is ever skipped for want of one:
//
//	go run ./test/servers -- go test ./...
//
// The command finds them in FORGE_TEST_POSTGRES_URL and FORGE_TEST_REDIS_URL.
// A variable that is already set is passed on and its server left alone; for
// the others a server is started on a free port of 127.0.0.1, in a temporary
// folder, never as root, and stopped when the command ends, fails or is
// interrupted. Servers that are not installed are installed with apt-get.
// The exit code is the command's.
//
// Without a command it prints the two variables and keeps the servers up until
// it is interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// The two variables, and what a command that cannot be started exits with.
const (
	postgresVar = "FORGE_TEST_POSTGRES_URL"
	redisVar    = "FORGE_TEST_REDIS_URL"

	exitUnusable = 125
)

// patience is how long an interrupted command, or a server told to stop, may
// take before it is killed.
const patience = 10 * time.Second

func init() {
	// The servers are told to end when the thread that started them does
	// (see detached), so main must stay on the thread that lives longest.
	runtime.LockOSThread()
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, orphaned := context.WithCancel(ctx)
	go watchParent(ctx, orphaned)

	code, err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		say("%v", err)
	}
	os.Exit(code)
}

// run starts what is missing, runs the command and stops what it started.
func run(ctx context.Context, args []string) (code int, err error) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		return exitUnusable, fmt.Errorf("unknown flag %s; usage: go run ./test/servers -- CMD [ARGS...]", args[0])
	}

	fleet := &fleet{}
	defer fleet.stop()
	env, err := fleet.start(ctx)
	switch {
	case ctx.Err() != nil:
		return exitUnusable, errors.New("interrupted before the servers were up")
	case err != nil:
		return exitUnusable, err
	}

	if len(args) == 0 {
		for _, v := range env {
			fmt.Printf("export %s='%s'\n", strings.SplitN(v, "=", 2)[0], strings.SplitN(v, "=", 2)[1])
		}
		say("up until Ctrl-C")
		<-ctx.Done()
		return 0, nil
	}
	return command(ctx, args, env)
}

// command runs args and returns its exit code. An interruption is passed on,
// and the command killed when it does not heed it.
func command(ctx context.Context, args, env []string) (int, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = patience
	if atTerminal() {
		// The command shares our terminal and so has heard the Ctrl-C itself.
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	} else {
		// A go test that is told to end leaves its test binaries behind, so
		// everything that the command started is told.
		cmd.SysProcAttr = detached(nil)
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
		defer func() {
			if ctx.Err() != nil && cmd.Process != nil {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // most often nobody is left to hear it
			}
		}()
	}

	err := cmd.Run()
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0, nil
	case exited && exit.ExitCode() >= 0:
		return exit.ExitCode(), nil
	case exited: // ended by a signal: say which, the way a shell does
		return 128 + int(exit.Sys().(syscall.WaitStatus).Signal()), nil
	case ctx.Err() != nil:
		return 128 + int(syscall.SIGTERM), nil
	default:
		return exitUnusable, fmt.Errorf("run %s: %w", args[0], err)
	}
}

// atTerminal tells whether a terminal can send us signals of its own.
func atTerminal() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	_ = tty.Close()
	return true
}

// watchParent calls orphaned when the process that started this one is gone:
// go run dies of a SIGTERM without passing it on, and its child must not stay
// behind with two servers.
func watchParent(ctx context.Context, orphaned func()) {
	parent := os.Getppid()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if os.Getppid() != parent {
				orphaned()
				return
			}
		}
	}
}

// say prints one line of progress; standard output is the command's.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "servers: "+format+"\n", args...)
}
