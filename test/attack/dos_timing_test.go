//go:build timing

package attack_test

import (
	"testing"
	"time"
)

func init() {
	timed("DOS-1", "probes are answered within 200 ms while two hundred logins are under way for a minute", floodTimed)
}

func floodTimed(t *testing.T, w *world) {
	for what, answers := range w.flood(t, time.Minute) {
		var took samples
		for _, a := range answers {
			took = append(took, a.took)
		}
		t.Logf("%s: %d answers, p50 %v, p99 %v", what, len(took), took.median(), took.quantile(0.99))
		if p99 := took.quantile(0.99); p99 >= 200*time.Millisecond {
			t.Errorf("%s: p99 %v, want less than 200 ms", what, p99)
		}
	}
}
