package fleet_test

import (
	"testing"
	"time"
)

// wait lets time pass in which something must not happen.
func wait(d time.Duration) { <-time.After(d) }

// warm lets calls come in at every replica until all know which vendor they like best, and gives that vendor's provider and the load.
func (w *world) warm(t *testing.T) (*load, string) {
	t.Helper()
	l := w.start(t, w.nodes[:]...)
	eventually(t, "answers", func() bool { return l.answers.Load() > 200 })
	return l, w.best(t, 40)
}

// dies has a vendor fail from now on, waits until a replica shows that, and gives how many attempts it has had by a second later, beside how many the bound allows:
// the threshold for each replica, the calls under way when the first opened, and those that began within the second.
func (w *world) dies(t *testing.T, l *load, provider string) (failed, most int64) {
	t.Helper()
	before := w.stats(t, provider).Failed
	w.behave(t, provider, dead)
	eventually(t, "the first replica to open", func() bool { return w.on(t, provider, "open") > 0 })
	started, flying := l.started.Load(), l.flying.Load()
	wait(time.Second)
	most = threshold*int64(len(w.nodes)) + flying + l.started.Load() - started
	return w.stats(t, provider).Failed - before, most
}

// probes gives how many attempts a vendor has within so many cooldowns.
func (w *world) probes(t *testing.T, provider string, cooldowns int) int64 {
	t.Helper()
	before := w.stats(t, provider).Requests
	wait(time.Duration(cooldowns) * cooldown)
	return w.stats(t, provider).Requests - before
}

func TestAVendorThatDiesIsNoticedOnceByTheWholeFleet(t *testing.T) {
	w := newWorld(t)
	l, provider := w.warm(t)

	failed, most := w.dies(t, l, provider)
	if n := w.on(t, provider, "closed"); n > 0 {
		t.Errorf("a second after the first opened, %d replicas show %s as closed", n, provider)
	}
	if failed < threshold || failed > most {
		t.Errorf("%d attempts failed within a second, want %d to %d", failed, threshold, most)
	}
	const cooldowns = 3
	begun := l.started.Load()
	if n := w.probes(t, provider, cooldowns); n < 1 || n > cooldowns+1 {
		t.Errorf("%d attempts within %d cooldowns, want one each in the whole fleet", n, cooldowns)
	}
	if n := l.started.Load() - begun; n < 100 {
		t.Errorf("only %d calls came in meanwhile, which shows nothing", n)
	}

	w.behave(t, provider, well(40))
	eventually(t, "all replicas to close", func() bool { return w.on(t, provider, "closed") == len(w.nodes) })
	before := w.stats(t, provider).OK
	eventually(t, "the vendor to be used again", func() bool { return w.stats(t, provider).OK > before+20 })
	l.wantOnlyAnswers(t)
	t.Logf("%s: %d attempts failed before all had opened, the bound is %d", provider, failed, most)
}

func TestAReplicaSkipsWhatItHasNotSeenFail(t *testing.T) {
	w := newWorld(t)
	l, provider := w.warm(t)
	l.wantOnlyAnswers(t)
	l = w.start(t, w.nodes[0])
	w.dies(t, l, provider)
	for i := range w.nodes {
		if s := w.breaker(t, i, provider); s == "closed" {
			t.Errorf("a second after the first opened, replica %d shows %s as closed", i, provider)
		}
	}
	l.wantOnlyAnswers(t)

	others := w.start(t, w.nodes[1:]...)
	const cooldowns = 2
	if n := w.probes(t, provider, cooldowns); n < 1 || n > cooldowns+1 {
		t.Errorf("%d attempts within %d cooldowns by replicas that have not seen a failure, want one probe each", n, cooldowns)
	}
	if n := others.answers.Load(); n < 50 {
		t.Errorf("only %d calls were answered meanwhile, which shows nothing", n)
	}
	w.behave(t, provider, well(40))
	eventually(t, "all replicas to close", func() bool { return w.on(t, provider, "closed") == len(w.nodes) })
	others.wantOnlyAnswers(t)
}

func TestWithoutRedisEachReplicaHasItsOwnBreaker(t *testing.T) {
	w := newWorld(t)
	l, first := w.warm(t)
	w.dies(t, l, first)

	w.redis.pause()
	begun := l.answers.Load()
	eventually(t, "every replica to go on without Redis", func() bool { return l.answers.Load() > begun+100 })
	const cooldowns = 2
	replicas := int64(len(w.nodes))
	if n := w.probes(t, first, cooldowns); n < 1 || n > replicas*(cooldowns+1) {
		t.Errorf("%d attempts within %d cooldowns, want one each for each replica", n, cooldowns)
	}

	second := w.best(t, 80, first)
	before := w.stats(t, second).Failed
	w.behave(t, second, dead)
	eventually(t, "each replica to open by itself", func() bool { return w.on(t, second, "open") == len(w.nodes) })
	failed := w.stats(t, second).Failed - before
	if most := replicas * (threshold + callers + 1); failed < replicas*threshold || failed > most { // with a probe each
		t.Errorf("%d attempts failed until each replica had opened by itself, want %d to %d", failed, replicas*threshold, most)
	}
	if n := w.probes(t, second, cooldowns); n > replicas*(cooldowns+1) {
		t.Errorf("%d attempts within %d cooldowns, want one each for each replica", n, cooldowns)
	}

	w.redis.resume()
	wait(2 * cooldown) // in which the replicas hear from each other again
	begins := map[string]int64{first: w.stats(t, first).Requests, second: w.stats(t, second).Requests}
	wait(cooldowns * cooldown)
	for provider, begin := range begins {
		if n := w.stats(t, provider).Requests - begin; n < 1 || n > cooldowns+1 {
			t.Errorf("with Redis back %d attempts at %s within %d cooldowns, want one each in the whole fleet", n, provider, cooldowns)
		}
	}
	w.behave(t, second, well(80)) // first, because nobody asks for it once there is a better one
	eventually(t, "all replicas to close the second", func() bool { return w.on(t, second, "closed") == len(w.nodes) })
	w.behave(t, first, well(40))
	eventually(t, "all replicas to close the first", func() bool { return w.on(t, first, "closed") == len(w.nodes) })
	l.wantOnlyAnswers(t)
}
