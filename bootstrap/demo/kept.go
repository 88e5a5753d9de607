package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// cached asks one question twice.
func (t *tour) cached(ctx context.Context) error {
	var first, second executed
	for _, a := range []*executed{&first, &second} {
		if err := t.ask(ctx, http.MethodPost, "/api/v1/ai/execute", `{"task":`+quote(task)+`,"task_type":"review"}`, a); err != nil {
			return err
		}
		t.line("   cache %s: %q", a.Metadata.Cache, shorten(a.Output, 90))
	}
	if first.Metadata.Cache != "miss" || second.Metadata.Cache != "hit" || first.Output != second.Output {
		return fmt.Errorf("a miss and a hit with one answer were due; got %s and %s", first.Metadata.Cache, second.Metadata.Cache)
	}
	if c := second.Metadata.CostUSD; c == nil || *c != "0" {
		return fmt.Errorf("a hit costs nothing")
	}
	t.line("   The second cost nothing, and no vendor was asked.")
	return nil
}

// replayed reads a decision back and has it made again from the facts that were kept.
func (t *tour) replayed(ctx context.Context) error {
	var a executed
	if err := t.execute(ctx, "analysis", &a, nil); err != nil {
		return err
	}
	var kept decision
	path := "/api/v1/router/decisions/" + a.Metadata.DecisionID
	if err := t.ask(ctx, http.MethodGet, path, "", &kept); err != nil {
		return err
	}
	t.showDecision(kept)
	var replay struct {
		Same bool `json:"same"`
	}
	if err := t.ask(ctx, http.MethodGet, path+"/replay", "", &replay); err != nil {
		return err
	}
	if !replay.Same || len(kept.Candidates) == 0 || kept.Candidates[0].Provider != a.Metadata.Provider {
		return fmt.Errorf("the decision of the answer was due, and the same when made again")
	}
	t.line("   GET %s, and …/replay: made again from the kept facts, it is the same.", path)
	return nil
}

// ask sends a request and reads a good answer into out.
func (t *tour) ask(ctx context.Context, method, path, body string, out any) error {
	res, err := t.send(ctx, method, path, body, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s was refused with %s", path, res.Status)
	}
	return json.Unmarshal(raw, out)
}
