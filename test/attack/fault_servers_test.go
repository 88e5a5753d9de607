package attack_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

// service is a Redis or a Postgres that a row has for itself, so that it may stop it. Its address stays the same.
type service struct {
	port  string
	args  func(port string) []string
	ready func(port string) bool
	end   syscall.Signal
	dir   string
	as    *syscall.Credential // nil: whoever runs the tests
	cmd   *exec.Cmd
	gone  chan struct{}
}

// attributes has a process run as the one that services run as, and end with this one.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	a := tied()
	if a == nil {
		a = &syscall.SysProcAttr{}
	}
	a.Credential = as
	return a
}

// ownRedis and ownPostgres hold the services of rows by their worlds.
var ownRedis, ownPostgres sync.Map

func redisOf(w *world) *service    { return own(&ownRedis, w) }
func postgresOf(w *world) *service { return own(&ownPostgres, w) }

func own(all *sync.Map, w *world) *service {
	s, _ := all.Load(w)
	return s.(*service)
}

// withRedis gives a row's process a Redis that it shares with nobody.
func withRedis(t *testing.T, w *world) {
	t.Helper()
	s := openRedis(t)
	ownRedis.Store(w, s)
	t.Cleanup(func() { ownRedis.Delete(w) })
	w.redis = "redis://127.0.0.1:" + s.port + "/0"
	w.env["REDIS_URL"] = w.redis
}

// openRedis starts a Redis with more settings.
func openRedis(t *testing.T, more ...string) *service {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("find Redis: %v", err)
	}
	dir := serviceDir(t)
	s := &service{dir: dir, as: servant(t), end: syscall.SIGINT, ready: answersPing}
	s.args = func(port string) []string {
		return append([]string{program, "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no", "--daemonize", "no"}, more...)
	}
	s.open(t)
	return s
}

func answersPing(port string) bool {
	db := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, MaxRetries: -1})
	defer func() { _ = db.Close() }()
	err := db.Ping(background).Err()
	return err == nil || redis.HasErrorPrefix(err, "NOAUTH")
}

// withPostgres gives a row's process a Postgres that it shares with nobody.
func withPostgres(t *testing.T, w *world) {
	t.Helper()
	bin := postgresPrograms(t)
	dir := serviceDir(t)
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(t.Context(), filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-N", "--locale=C", "-E", "UTF8") //nolint:gosec // ours
	as := servant(t)
	initdb.Dir, initdb.SysProcAttr = dir, attributes(as)
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initialise Postgres: %v\n%s", err, out)
	}
	address := func(port string) string { return "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable" }
	s := &service{dir: dir, as: as, end: syscall.SIGINT}
	s.args = func(port string) []string {
		return []string{
			filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off",
		}
	}
	s.ready = func(port string) bool {
		ctx, cancel := context.WithTimeout(background, time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, address(port))
		if err == nil {
			_ = conn.Close(ctx)
		}
		return err == nil
	}
	s.open(t)
	ownPostgres.Store(w, s)
	t.Cleanup(func() { ownPostgres.Delete(w) })
	w.database = address(s.port)
	w.env["DATABASE_URL"] = w.database
}

// postgresPrograms finds where Postgres is installed, as test/servers does.
func postgresPrograms(t *testing.T) string {
	t.Helper()
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Sort(folders)
	if p, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(p))
	}
	if len(folders) == 0 {
		t.Fatal("Postgres is not installed; run the tests with: go run ./test/servers -- go test ./test/attack")
	}
	return folders[len(folders)-1]
}

// serviceDir makes a folder that a service may write to.
func serviceDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "forge1-attack-service-") // not t.TempDir, which others may not enter
	if err != nil {
		t.Fatalf("make a folder: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if a := servant(t); a != nil {
		if err := os.Chown(dir, int(a.Uid), int(a.Gid)); err != nil {
			t.Fatalf("give a folder away: %v", err)
		}
	}
	return dir
}

// servant is who services run as: Postgres refuses to run as root.
func servant(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Fatal("this is root, and there is no user postgres or nobody to run services as")
	return nil
}

// open starts the service on a free port for the first time, and ends it with the test.
func (s *service) open(t *testing.T) {
	t.Helper()
	for range 3 { // the port may be taken between the look and the start
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		_, s.port, _ = net.SplitHostPort(l.Addr().String())
		_ = l.Close()
		if err = s.try(); err == nil {
			t.Cleanup(s.stop)
			return
		}
		t.Logf("start a service: %v", err)
	}
	t.Fatal("a service did not start")
}

// start starts the service again.
func (s *service) start(t *testing.T) {
	t.Helper()
	if err := s.try(); err != nil {
		t.Fatalf("start a service again: %v", err)
	}
}

func (s *service) try() error {
	argv := s.args(s.port)
	cmd := exec.CommandContext(background, argv[0], argv[1:]...) //nolint:gosec // ours
	cmd.Dir, cmd.SysProcAttr = s.dir, attributes(s.as)
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.gone = cmd, make(chan struct{})
	go func(gone chan struct{}) {
		_ = cmd.Wait() // however it ended, it ended
		close(gone)
	}(s.gone)
	deadline := time.Now().Add(patience)
	for !s.ready(s.port) {
		select {
		case <-s.gone:
			s.cmd = nil
			return fmt.Errorf("%s ended at once", filepath.Base(argv[0]))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.stop()
			return fmt.Errorf("%s does not answer", filepath.Base(argv[0]))
		}
	}
	return nil
}

// stop ends the service, if it runs.
func (s *service) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Signal(s.end)
	select {
	case <-s.gone:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.gone
	}
	s.cmd = nil
}

// pause has the service hold still, connections open and silent; resume lets it go on.
func (s *service) pause()  { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }
func (s *service) resume() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }
