package redis_test

import (
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/domain/secret"
)

func TestAClockThatIsMovedBackDoesNotMakeTheRestLonger(t *testing.T) {
	w := newWatch()
	client := open(t, redis.Config{URL: secret.New("redis://127.0.0.1:1/0")}, w.read)
	redis.Shut(client)
	if redis.Enter(client) {
		t.Error("nobody rests right after a silence")
	}
	w.pass(-time.Hour)
	if first, second := redis.Enter(client), redis.Enter(client); !first || second {
		t.Errorf("an hour back: the first may go %t, the second %t; want true, false", first, second)
	}
	w.pass(redis.DefaultRest)
	if !redis.Enter(client) {
		t.Error("a rest after that nobody may go")
	}
}
