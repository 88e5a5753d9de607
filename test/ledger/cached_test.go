package ledger_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/forge1/forge1/test/harness"
)

// TestAnswersFromTheCacheHaveRowsAndCostNothing asks the same at once and again, whole and as streams, each time on behalf of somebody else.
func TestAnswersFromTheCacheHaveRowsAndCostNothing(t *testing.T) {
	for _, stores := range harness.AllStores() {
		t.Run(string(stores), func(t *testing.T) {
			f := harness.New(t, harness.Options{Stores: stores, Env: map[string]string{"PROMPT_CACHE_TTL_SECS": "300"}})
			const calls = 40
			ask := func(i int) {
				body := map[string]any{"task": "The same. " + canary, "stream": i%3 == 0, "context": map[string]any{"end_user": fmt.Sprint("user-", i)}}
				if got := f.Do(t, http.MethodPost, "/api/v1/ai/execute", body); got.Status != http.StatusOK {
					t.Errorf("call %d: got %d %s", i, got.Status, got.Body)
				}
			}
			var all sync.WaitGroup
			for i := range calls / 2 {
				all.Go(func() { ask(i) })
			}
			all.Wait()
			for i := calls / 2; i < calls; i++ {
				ask(i)
			}
			var asked int64
			for _, vendor := range vendorOf {
				asked += f.VendorStats(t, vendor).Requests
			}
			rows := list(t, session(t, f), "", calls)
			most := 2 // a whole answer, and a stream beside it
			if stores == harness.Servers {
				most = calls - 1 // a Redis that a busy machine keeps waiting is done without
			}
			wantCached(t, rows, int(asked), most)
		})
	}
}

// wantCached holds rows of one question against how often a vendor was asked.
func wantCached(t *testing.T, rows []callRow, asked, most int) {
	t.Helper()
	users, made, decisions := map[string]bool{}, 0, map[string]bool{}
	for _, r := range rows {
		users[*r.EndUser] = true
		if len(r.Attempts) > 0 {
			made++
			decisions[*r.DecisionID] = true
		}
	}
	for _, r := range rows {
		cached := len(r.Attempts) == 0
		switch {
		case cached && (r.Cache == nil || *r.Cache != "hit" || r.Cost == nil || *r.Cost != 0 || r.Source == nil || *r.Source != "cache"):
			t.Errorf("a row without attempts is %+v, want a hit that cost nothing", r)
		case cached && !decisions[*r.DecisionID]:
			t.Errorf("a hit names the decision %s, want that of the call which filled the cache: %v", *r.DecisionID, decisions)
		case !cached && (r.Cost == nil || *r.Cost == 0 || *r.Cache != "miss"):
			t.Errorf("the row of a call that was made is %+v, want a miss with a price", r)
		}
	}
	if made != asked || made < 1 || made > most || len(users) != len(rows) {
		t.Errorf("%d rows have attempts, the vendors were asked %d times, and there are %d users in %d rows", made, asked, len(users), len(rows))
	}
}
