//go:build timing

package attack_test

import (
	"net/http"
	"testing"
	"time"
)

func init() {
	timed("BRU-11", "a thousand random tokens of both kinds are answered within 200 ms", randomTokensTimed)
}

func randomTokensTimed(t *testing.T, w *world) {
	s := w.signIn(t, w.user(t))
	var resets, refreshes samples
	for i := range 1000 {
		a := w.post(t, "reset-password", fields{"token": randomToken(), "new_password": "Velvet teapot of nobody"}, plain)
		a.want(t, http.StatusBadRequest, "token_invalid")
		resets = append(resets, a.took)
		a = w.post(t, "refresh", fields{"refresh_token": randomRefresh(i, s.refresh)}, plain)
		a.want(t, http.StatusUnauthorized, "refresh_invalid")
		refreshes = append(refreshes, a.took)
	}
	for what, took := range map[string]samples{"reset": resets, "refresh": refreshes} {
		t.Logf("%s: p50 %v, p99 %v", what, took.median(), took.quantile(0.99))
		if p99 := took.quantile(0.99); p99 >= 200*time.Millisecond {
			t.Errorf("%s: p99 %v, want less than 200 ms", what, p99)
		}
	}
}
