// Package redistest gives each test a Redis database of its own, on the server
// that FORGE_TEST_REDIS_URL names. Without a server the test fails; it is never
// skipped.
//
// Databases are numbered, and a number is lent to one test at a time, across
// all processes that use the server. The loans are kept in database 0. What
// Redis does not divide by database a test must not rely on: FLUSHALL empties
// everybody's, and channels are heard by all, so give a channel a random name.
package redistest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Variable names the environment variable that says where Redis is.
const Variable = "FORGE_TEST_REDIS_URL"

const (
	counter  = "forge_test:next"
	loan     = "forge_test:loan:"
	loanTime = 30 * time.Minute // what a killed process leaves behind is lent again after that
	patience = time.Minute      // how long a test waits when every database is lent
)

// URL returns the URL of a database that is empty, belongs to t alone and is
// emptied when t ends.
func URL(t testing.TB) string {
	t.Helper()
	s, err := join()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	number, holder, err := s.borrow(ctx)
	if err != nil {
		t.Fatalf("borrow a Redis database: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.flush(ctx, number), s.giveBack(ctx, number, holder)); err != nil {
			t.Errorf("give the Redis database back: %v", err)
		}
	})
	if err := s.flush(ctx, number); err != nil {
		t.Fatalf("empty the Redis database: %v", err)
	}
	return s.url(number)
}

// server is the Redis that all tests share.
type server struct {
	address   *url.URL
	databases int64
}

// join looks at the server, once per process.
var join = sync.OnceValues(func() (*server, error) {
	raw := os.Getenv(Variable)
	if raw == "" {
		return nil, fmt.Errorf("%s is not set, and this test needs a real Redis. Run all tests with\n"+
			"\tgo tool -modfile=.tools/task/go.mod task check\nor some of them with\n"+
			"\tgo run ./test/servers -- go test ./adapters/redis", Variable)
	}
	address, err := url.Parse(raw)
	if err != nil || !strings.HasPrefix(address.Scheme, "redis") {
		return nil, fmt.Errorf("%s must be a URL that begins with redis://", Variable)
	}
	s := &server{address: address}
	err = s.on(0, func(db *redis.Client) error {
		// A managed Redis may refuse CONFIG; it has 16 databases like any other.
		s.databases = 16
		if all, err := db.ConfigGet(context.Background(), "databases").Result(); err == nil {
			s.databases, err = strconv.ParseInt(all["databases"], 10, 64)
			return err
		}
		return db.Ping(context.Background()).Err()
	})
	if err != nil {
		return nil, fmt.Errorf("ask the Redis of %s: %w", Variable, err)
	}
	return s, nil
})

// borrow finds a database that nobody has, and marks it with a secret of ours.
func (s *server) borrow(ctx context.Context) (number int64, holder string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	holder = rand.Text()
	err = s.on(0, func(db *redis.Client) error {
		for {
			for range s.databases - 1 {
				n, err := db.Incr(ctx, counter).Result()
				if err != nil {
					return err
				}
				number = 1 + n%(s.databases-1) // database 0 is for the loans
				err = db.SetArgs(ctx, loan+strconv.FormatInt(number, 10), holder,
					redis.SetArgs{Mode: "NX", TTL: loanTime}).Err()
				if !errors.Is(err, redis.Nil) { // nil: it is ours
					return err
				}
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("all %d databases are lent to other tests", s.databases-1)
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	return number, holder, err
}

// giveBack ends the loan, unless it ran out and someone else has it now.
func (s *server) giveBack(ctx context.Context, number int64, holder string) error {
	const ours = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`
	return s.on(0, func(db *redis.Client) error {
		return db.Eval(ctx, ours, []string{loan + strconv.FormatInt(number, 10)}, holder).Err()
	})
}

// flush empties one database.
func (s *server) flush(ctx context.Context, number int64) error {
	return s.on(number, func(db *redis.Client) error { return db.FlushDB(ctx).Err() })
}

// on runs do with a client of its own, so that no test inherits a connection or
// a goroutine.
func (s *server) on(number int64, do func(*redis.Client) error) error {
	options, err := redis.ParseURL(s.url(number))
	if err != nil {
		return err
	}
	db := redis.NewClient(options)
	return errors.Join(do(db), db.Close())
}

// url returns the server's URL with another database in it.
func (s *server) url(number int64) string {
	u := *s.address
	u.Path = "/" + strconv.FormatInt(number, 10)
	return u.String()
}
