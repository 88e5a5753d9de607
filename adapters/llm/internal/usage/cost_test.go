package usage_test

import (
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/llm/internal/usage"
)

func TestNanosReadsDollarsExactly(t *testing.T) {
	tests := map[string]struct {
		dollars string
		want    int64
	}{
		"plain": {"0.00014", 140_000}, "an exponent": {"6e-8", 60}, "half a nano goes up": {"0.0000000005", 1},
		"less than half goes down": {"0.00000000049", 0}, "whole dollars": {"2", 2_000_000_000}, "nothing": {"0", 0},
	}
	for name, tc := range tests {
		if got := usage.Nanos(tc.dollars); got == nil || *got != tc.want {
			t.Errorf("%s: got %v, want %d", name, got, tc.want)
		}
	}
	for _, bad := range []string{"", "-1", "NaN", "1e999999999", "1e9999", "1E+99999", "abc", strings.Repeat("9", 41)} {
		if got := usage.Nanos(bad); got != nil {
			t.Errorf("%q: got %d, want none", bad, *got)
		}
	}
}
