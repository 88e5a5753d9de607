package secret_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/secret"
)

func TestNothingThatPrintsGivesASecretAway(t *testing.T) {
	s := secret.New("hunter2")
	type holder struct {
		Key  secret.Text
		List []secret.Text
	}
	h := holder{Key: s, List: []secret.Text{s}}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", s, "holder", h)
	asJSON, err := json.Marshal(map[string]any{"key": s, "holder": h})
	if err != nil {
		t.Fatal(err)
	}
	prints := map[string]string{
		"%v": fmt.Sprintf("%v %v", s, h), "%+v": fmt.Sprintf("%+v %+v", s, h), "%#v": fmt.Sprintf("%#v %#v", s, h), "%s": fmt.Sprintf("%s", s),
		"%q": fmt.Sprintf("%q", s), "a pointer": fmt.Sprintf("%v", &h), "an error": fmt.Errorf("key %v", s).Error(), "slog": log.String(), "JSON": string(asJSON),
	}
	for how, text := range prints {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "***") {
			t.Errorf("%s prints %s, want a mask", how, text)
		}
	}
	if got := s.Reveal(); got != "hunter2" {
		t.Errorf("revealed %q", got)
	}
}

func TestAnEmptySecretShowsThatItIsEmpty(t *testing.T) {
	var s secret.Text
	if !s.Empty() || s.String() != "" || secret.New("x").Empty() {
		t.Errorf("empty %t, prints %q", s.Empty(), s)
	}
}
