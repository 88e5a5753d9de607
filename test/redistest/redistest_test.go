package redistest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/forge1/forge1/test/redistest"
)

func open(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	db := redis.NewClient(options)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestTestsThatRunAtTheSameTimeDoNotSeeEachOther(t *testing.T) {
	const tests = 20
	databases := make([]*redis.Client, tests)
	var all sync.WaitGroup
	for i := range databases {
		all.Go(func() {
			databases[i] = open(t, redistest.URL(t))
			if err := databases[i].Set(t.Context(), "mine", i, 0).Err(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait() // everybody has written now
	for want, db := range databases {
		if got, err := db.Get(t.Context(), "mine").Int(); err != nil || got != want {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
		if n, err := db.DBSize(t.Context()).Result(); err != nil || n != 1 {
			t.Errorf("the database holds %d keys, %v, want 1", n, err)
		}
	}
}

func TestADatabaseIsEmptiedAndGivenBack(t *testing.T) {
	var url string
	t.Run("a test that leaves a key", func(t *testing.T) {
		url = redistest.URL(t)
		if err := open(t, url).Set(t.Context(), "left", "behind", 0).Err(); err != nil {
			t.Fatal(err)
		}
	})
	if n, err := open(t, url).DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("the database holds %d keys, %v, want none", n, err)
	}
	number := url[strings.LastIndex(url, "/")+1:]
	n, err := open(t, os.Getenv(redistest.Variable)).Exists(context.Background(), "forge_test:loan:"+number).Result()
	if err != nil || n != 0 {
		t.Errorf("the database is still lent (%d, %v)", n, err)
	}
}

func TestWithoutAServerTheTestFails(t *testing.T) {
	if os.Getenv("REDISTEST_CHILD") != "" {
		redistest.URL(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), "REDISTEST_CHILD=1", redistest.Variable+"=")
	out, err := child.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); !failed {
		t.Fatalf("without %s the test must fail, got %v\n%s", redistest.Variable, err, out)
	}
	if want := "task check"; !strings.Contains(string(out), want) {
		t.Errorf("the message does not name %q:\n%s", want, out)
	}
}
