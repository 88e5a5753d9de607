package llm_test

import (
	"testing"

	"github.com/forge1/forge1/adapters/llm"
)

func TestAnEffortThatIsNearIsHonouredUpwardsAlone(t *testing.T) {
	tests := map[string]struct {
		asked, least, most string
		sent               string
		honoured           bool
	}{
		"one that the model has":       {"medium", "low", "high", "medium", true},
		"less than it can":             {"minimal", "low", "high", "low", true},
		"more than it can":             {"max", "low", "high", "high", false},
		"a little more than it can":    {"xhigh", "minimal", "high", "high", false},
		"as much as it can":            {"max", "low", "max", "max", true},
		"none of one that must think":  {"none", "minimal", "high", "minimal", false},
		"none of one that need not":    {"none", "none", "xhigh", "none", true},
		"a word that the vendor knows": {"heroic", "low", "high", "heroic", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sent := llm.NearestEffort(tt.asked, tt.least, tt.most)
			if honoured := llm.HonoursEffort(tt.asked, sent); sent != tt.sent || honoured != tt.honoured {
				t.Errorf("got %q, honoured: %t, want %q, %t", sent, honoured, tt.sent, tt.honoured)
			}
		})
	}
	if llm.HonoursEffort("low", "") || llm.HonoursEffort("heroic", "high") || !llm.HonoursEffort("", "") {
		t.Error("nothing is taken for an effort, or a word that is none for less than another")
	}
}

func TestCommonEfforts(t *testing.T) {
	for asked, want := range map[string]string{"none": "none", "minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"} {
		if got := llm.CommonEffort(asked); got != want {
			t.Errorf("%s becomes %q, want %q", asked, got, want)
		}
	}
}
