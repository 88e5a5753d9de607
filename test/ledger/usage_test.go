package ledger_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

type callRow struct {
	ID      string   `json:"call_id"`
	Outcome string   `json:"outcome"`
	Key     *string  `json:"key"`
	EndUser *string  `json:"end_user"`
	Tags    []string `json:"tags"`
	Cost    *int64   `json:"cost_nanos"`
	USD     *string  `json:"cost_usd"`
	Input   int      `json:"input_tokens"`
	Output  int      `json:"output_tokens"`
	Source  *string  `json:"usage_source"`
	Cache   *string  `json:"cache"`
	// DecisionID is that of the call that was made for the answer.
	DecisionID *string `json:"decision_id"`
	Attempts   []struct {
		Provider string `json:"provider"`
		Cost     *int64 `json:"cost_nanos"`
	} `json:"attempts"`
}

type sums struct {
	Items []struct {
		Day, Model, Tag, Key string
		Calls                int
		Input                int    `json:"input_tokens"`
		Output               int    `json:"output_tokens"`
		USD                  string `json:"cost_usd"`
		Unpriced             int    `json:"unpriced_calls"`
	}
	Next *string `json:"next_cursor"`
}

// session signs the account of the harness in.
func session(t *testing.T, f *harness.Forge) *harness.Client {
	t.Helper()
	var got struct {
		Token string `json:"access_token"`
	}
	f.As("").JSON(t, http.MethodPost, "/api/v1/auth/login", map[string]string{"email": f.Email, "password": f.Password}, &got)
	return f.As(got.Token)
}

func execute(t *testing.T, as *harness.Client, task string, context map[string]any) map[string]any {
	t.Helper()
	var got struct{ Metadata map[string]any }
	as.JSON(t, http.MethodPost, "/api/v1/ai/execute", map[string]any{"task": task, "context": context}, &got)
	return got.Metadata
}

// list asks until there are so many rows: they are kept within two seconds.
func list(t *testing.T, as *harness.Client, query string, rows int) []callRow {
	t.Helper()
	var page struct{ Items []callRow }
	harness.Eventually(t, "as many rows as calls", func() bool {
		as.JSON(t, http.MethodGet, "/api/v1/usage/calls?limit=200"+query, nil, &page)
		return len(page.Items) >= rows
	})
	if len(page.Items) != rows {
		t.Errorf("%q: %d rows, want %d", query, len(page.Items), rows)
	}
	return page.Items
}

// TestATenantSeesWhatItUsed holds the sums and rows that the program tells against the answers that it gave.
func TestATenantSeesWhatItUsed(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			f := harness.New(t, harness.Options{Stores: stores})
			owner := session(t, f)
			one := execute(t, f.Client, "One. "+canary, map[string]any{"cache": false, "tags": []string{"a", "b"}, "end_user": "carol"})
			execute(t, f.Client, "Two.", map[string]any{"cache": false, "tags": []string{"b"}})
			execute(t, owner, "Three.", map[string]any{"cache": false})
			f.Do(t, http.MethodPost, "/v1/chat/completions", `{"model":"openrouter/no-such-model-anywhere","messages":[{"role":"user","content":"x"}]}`)

			rows := list(t, owner, "", 4)
			list(t, f.Client, "", 3)
			first := list(t, owner, "&end_user=carol", 1)[0]
			if first.Outcome != "ok" || first.Key == nil || strings.Join(first.Tags, " ") != "a b" || len(first.Attempts) != 1 || first.Cost == nil || first.USD == nil ||
				*first.USD != one["cost_usd"] || float64(first.Input) != one["input_tokens"] || float64(first.Output) != one["output_tokens"] || *first.DecisionID != one["decision_id"] ||
				*first.Attempts[0].Cost != *first.Cost {
				t.Errorf("the row is %+v, and the answer said %v", first, one)
			}
			if rows[1].Key != nil || rows[0].Outcome == "ok" && rows[0].Cost != nil {
				t.Errorf("the session's row is %+v, the one of no known model %+v", rows[1], rows[0])
			}
			for query, want := range map[string]int{"&tag=b": 2, "&outcome=ok&tag=a": 1, "&from=2020-01-01&to=2020-12-31": 0, "&member=nobody": 0} {
				list(t, owner, query, want)
			}
			wantSums(t, owner, rows)
			wantPages(t, owner)
		})
	}
}

// wantSums holds the sums against the rows.
func wantSums(t *testing.T, owner *harness.Client, rows []callRow) {
	t.Helper()
	input, output := 0, 0
	for _, r := range rows {
		input, output = input+r.Input, output+r.Output
	}
	var got sums
	owner.JSON(t, http.MethodGet, "/api/v1/usage", nil, &got)
	if len(got.Items) != 1 || got.Items[0].Calls != len(rows) || got.Items[0].Input != input || got.Items[0].Output != output || got.Items[0].Day == "" {
		t.Errorf("the sums of the days are %+v, want %d calls, %d and %d tokens", got.Items, len(rows), input, output)
	}
	owner.JSON(t, http.MethodGet, "/api/v1/usage?group_by=tag", nil, &got)
	tags := map[string]int{}
	for _, g := range got.Items {
		tags[g.Tag] = g.Calls
	}
	if tags[""] != 2 || tags["a"] != 1 || tags["b"] != 2 || len(tags) != 3 {
		t.Errorf("the calls of the tags are %v", tags)
	}
}

// wantPages reads the sums page by page.
func wantPages(t *testing.T, owner *harness.Client) {
	t.Helper()
	calls, pages, next := 0, 0, ""
	for {
		var got sums
		owner.JSON(t, http.MethodGet, "/api/v1/usage?group_by=key,tag,model&limit=1"+next, nil, &got)
		for _, g := range got.Items {
			calls += g.Calls
		}
		if pages++; got.Next == nil || pages > 20 {
			break
		}
		next = "&cursor=" + *got.Next
	}
	if calls != 5 || pages < 3 { // one call has two tags
		t.Errorf("%d calls on %d pages, want 5", calls, pages)
	}
}
