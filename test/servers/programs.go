package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// programs says where the servers are installed.
type programs struct {
	postgres string // the folder of initdb, postgres and pg_isready
	redis    string // redis-server itself
}

// find returns the installed servers, and installs them first when one of them
// is missing.
func find(ctx context.Context) (programs, error) {
	have, missing := installed()
	if len(missing) == 0 {
		return have, nil
	}
	if err := install(ctx, missing); err != nil {
		return programs{}, err
	}
	if have, missing = installed(); len(missing) > 0 {
		return programs{}, fmt.Errorf("%s: installed, and still not found", strings.Join(missing, ", "))
	}
	return have, nil
}

// installed looks where Debian puts Postgres (which is not on the PATH there),
// newest version first, and then on the PATH.
func installed() (have programs, missing []string) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well-formed
	slices.SortFunc(folders, func(a, b string) int { return major(b) - major(a) })
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			folders = append(folders, filepath.Dir(p))
		}
	}
	i := slices.IndexFunc(folders, func(folder string) bool {
		return !slices.ContainsFunc([]string{"initdb", "postgres", "pg_isready"}, func(program string) bool {
			_, err := os.Stat(filepath.Join(folder, program))
			return err != nil
		})
	})
	if i >= 0 {
		have.postgres = folders[i]
	} else {
		missing = append(missing, "postgresql")
	}

	var err error
	if have.redis, err = exec.LookPath("redis-server"); err != nil {
		missing = append(missing, "redis-server")
	}
	return have, missing
}

// major reads the version out of /usr/lib/postgresql/15/bin; zero when there is none.
func major(folder string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	if err != nil {
		return 0
	}
	return n
}

// script installs the packages named by its arguments. Debian's own cluster is
// neither made nor started: it would take memory and a port for nothing. On a
// machine that knows Postgres already, its settings are left alone.
const script = `
set -eu
conf=/etc/postgresql-common/createcluster.d/forge1-test-servers.conf
if [ ! -d /etc/postgresql-common ]; then
	mkdir -p "${conf%/*}"
	echo 'create_main_cluster = false' >"$conf"
	trap 'rm -f "$conf"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
`

// install runs the script as root, or says what a person has to do.
func install(ctx context.Context, packages []string) error {
	byHand := fmt.Errorf("%s missing. Install PostgreSQL (15 or newer) and Redis (7 or newer), on Debian with\n"+
		"\tapt-get install --no-install-recommends postgresql redis-server\n"+
		"or name running ones, as of docker compose up:\n"+
		"\texport %s='postgres://forge:forge@127.0.0.1:5542/forge1_local?sslmode=disable' %s='redis://127.0.0.1:6382/0'",
		strings.Join(packages, ", "), postgresVar, redisVar)

	if _, err := exec.LookPath("apt-get"); err != nil {
		return byHand
	}
	argv := append([]string{"sh", "-c", script, "install"}, packages...)
	if os.Geteuid() != 0 {
		if err := exec.CommandContext(ctx, "sudo", "-n", "true").Run(); err != nil {
			return fmt.Errorf("%w\n(this is not root, and sudo asks for a password)", byHand)
		}
		argv = append([]string{"sudo", "-n"}, argv...)
	}

	say("installing %s with apt-get, which can take a minute", strings.Join(packages, " and "))
	began := time.Now()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return errors.Join(fmt.Errorf("install with apt-get: %w\n%s", err, out), byHand)
	}
	say("installed after %s", time.Since(began).Round(time.Second))
	return nil
}
