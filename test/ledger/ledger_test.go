package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/forge1/forge1/ports/outbound"
)

// impatient has vendors that stall be given up soon.
var impatient = map[string]string{"FIRST_BYTE_TIMEOUT": "400ms", "STREAM_IDLE_TIMEOUT": "400ms"}

// TestTheLedgerIsWhatTheVendorsDid makes calls of every kind while vendors break in every way and clients leave, ends the program, and holds its rows against
// what the vendors and the clients saw.
func TestTheLedgerIsWhatTheVendorsDid(t *testing.T) {
	for store := range stores {
		t.Run(store, func(t *testing.T) {
			w := start(t, store, impatient)
			n := howMany(t)
			ctx, calm := context.WithCancel(t.Context())
			var moods sync.WaitGroup
			moods.Go(func() { w.meter.moody(ctx, t) })
			all := newLoad(t, w).calls(t.Context(), n, 32)
			calm()
			moods.Wait()
			w.sums(t, all)
			if err := w.end(t, syscall.SIGTERM); err != nil {
				t.Fatalf("the program ended with %v\n%s", err, w.tail)
			}
			rows := w.rows(t)
			missing := reconcile(t, w, all, rows)
			if len(missing) > 0 {
				t.Errorf("%d calls have no row, such as %+v", len(missing), missing[0])
			}
			ok := 0
			for _, r := range rows {
				if r.Outcome == "ok" {
					ok++
				}
			}
			if ok < n/3 || ok > n-n/20 {
				t.Errorf("%d of %d calls went well: that is no storm, or nothing else", ok, n)
			}
			if len(all) != n {
				t.Errorf("%d calls were made, want %d", len(all), n)
			}
			if tables, looked := w.holding(t, "ibis crosses"); len(tables) > 0 || looked < 20 {
				t.Errorf("prompts stand in the tables %v, of %d looked at", tables, looked)
			}
			if tables, _ := w.holding(t, "sha256:"); len(tables) > 0 {
				t.Errorf("answers stand in the tables %v", tables)
			}
			if tables, _ := w.holding(t, "call-0000001"); len(tables) != 1 || tables[0] != "ai_calls" {
				t.Errorf("the end user of a call is found in %v, want in ai_calls: else the search finds nothing", tables)
			}
		})
	}
}

// sums asks the program itself how many calls there were, which it says within two seconds.
func (w *world) sums(t *testing.T, all []sent) {
	t.Helper()
	want := 0
	for _, s := range all {
		if s.admitted(w.meter) {
			want++
		}
	}
	got := 0
	eventually(t, fmt.Sprintf("usage of %d calls", want), func() bool {
		got = 0
		for _, g := range w.usage(t, "?group_by=provider") {
			got += g.Calls
		}
		return got >= want
	})
	if got != want {
		t.Errorf("usage has %d calls, want %d", got, want)
	}
	days := 0
	for _, g := range w.usage(t, "?group_by=tag&limit=200") {
		if g.Tag == "even" {
			days = g.Calls
		}
	}
	if days == 0 || days > want {
		t.Errorf("%d calls have the tag, want most of %d", days, want)
	}
}

func (w *world) usage(t *testing.T, query string) []struct {
	Tag   string
	Calls int
} {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v1/usage"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var page struct {
		Items []struct {
			Tag   string
			Calls int
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("usage: %s, %v", res.Status, err)
	}
	return page.Items
}

// admitted reports whether a call must have a row: a vendor had it, or its answer says that it was decided.
func (s sent) admitted(m *meter) bool {
	return len(m.of(s.name)) > 0 || s.status != 0 && s.code != "busy"
}

// reconcile holds rows against calls, and gives the calls that must have a row and have none.
func reconcile(t *testing.T, w *world, all []sent, rows []outbound.Call) (missing []sent) {
	t.Helper()
	byName := map[string]outbound.Call{}
	for _, r := range rows {
		if _, twice := byName[r.EndUser]; twice {
			t.Errorf("%s has more than one row", r.EndUser)
		}
		byName[r.EndUser] = r
	}
	outcomes := map[string]int{}
	for _, s := range all {
		row, there := byName[s.name]
		delete(byName, s.name)
		switch {
		case !there && s.admitted(w.meter):
			missing = append(missing, s)
		case there && s.code == "busy":
			t.Errorf("%s was refused and has a row", s.name)
		case there:
			outcomes[row.Outcome]++
			check(t, w, s, row)
		}
	}
	for name := range byName {
		t.Errorf("the row of %q is of no call", name)
	}
	t.Logf("%d rows: %v", len(rows), outcomes)
	return missing
}

// check holds a row against what the client and the vendors saw.
func check(t *testing.T, w *world, s sent, row outbound.Call) {
	t.Helper()
	vendors := w.meter.of(s.name)
	if s.status == http.StatusOK && !s.left && row.Outcome != "ok" && !row.Stream {
		t.Errorf("%s was answered, and its row says %s", s.name, row.Outcome)
	}
	if s.status != http.StatusOK && s.status != 0 && row.Outcome == "ok" {
		t.Errorf("%s failed with %d %s, and its row says ok", s.name, s.status, s.code)
	}
	wantAttempts(t, s, row.Attempts, vendors)
	var in, out int
	var nanos int64
	for _, a := range row.Attempts {
		in, out = in+a.InputTokens, out+a.OutputTokens
		if a.CostNanos != nil {
			nanos += *a.CostNanos
		}
		if a.UsageSource == "" && (a.InputTokens != 0 || a.OutputTokens != 0 || a.CostNanos != nil) {
			t.Errorf("%s: an attempt used something by nobody's word: %+v", s.name, a)
		}
	}
	if in != row.InputTokens || out != row.OutputTokens || row.CostNanos != nil && *row.CostNanos != nanos || row.CostNanos == nil && in+out > 0 {
		t.Errorf("%s: the row is not the sum of its attempts: %+v", s.name, row)
	}
	if row.UserID != w.user || row.TenantID != w.tenant || row.KeyID == "" || row.Region != "here" || row.DecisionID == "" || row.TraceID == "" || row.TaskType != "general" {
		t.Errorf("%s: the row is %+v", s.name, row)
	}
}

// unseen are outcomes of attempts that their vendor need not have seen: they may have been given up before they had arrived.
var unseen = map[string]bool{"timeout": true, "canceled": true, "connect_error": true}

// wantAttempts pairs attempts with what vendors were asked, vendor by vendor: on a busy machine a request that was given up may arrive after the next.
func wantAttempts(t *testing.T, s sent, attempts []outbound.CallAttempt, vendors []asked) {
	t.Helper()
	left := map[string][]asked{}
	for _, v := range vendors {
		left[v.vendor] = append(left[v.vendor], v)
	}
	fit := func(vendor string, fits func(v asked) bool) bool {
		i := slices.IndexFunc(left[vendor], fits)
		if i >= 0 {
			left[vendor] = slices.Delete(left[vendor], i, i+1)
		}
		return i >= 0
	}
	var rest []outbound.CallAttempt
	for _, a := range attempts {
		switch {
		case a.UsageSource != "provider":
			rest = append(rest, a)
			if a.Outcome == "ok" && !s.left || a.UsageSource == "" && a.Outcome == "ok" {
				t.Errorf("%s: an attempt went well and has no word of the vendor: %+v", s.name, a)
			}
		case a.CostNanos == nil:
			t.Errorf("%s: an attempt has no price: %+v", s.name, a)
		case !fit(vendorOf[a.Provider], func(v asked) bool { return v.reported && v.input == a.InputTokens && v.output == a.OutputTokens }) &&
			(!s.left || !fit(vendorOf[a.Provider], func(v asked) bool { return v.reported })): // to one that left, the vendor may have said more than was read
			t.Errorf("%s: the vendor reported nothing like %+v: %+v", s.name, a, vendors)
		}
	}
	for _, a := range rest {
		refused := func(v asked) bool { return a.UsageSource == "" || v.status == http.StatusOK }
		if !fit(vendorOf[a.Provider], refused) && !unseen[a.Outcome] {
			t.Errorf("%s: the vendor was not asked what %+v says: %+v", s.name, a, vendors)
		}
	}
	for vendor, more := range left {
		if len(more) > 0 {
			t.Errorf("%s: %s was asked more than the attempts say, %+v: %+v", s.name, vendor, more, attempts)
		}
	}
}

// vendorOf names the simulated vendor of each provider.
var vendorOf = map[string]string{"openai": "openai", "claude": "anthropic", "gemini": "gemini", "openrouter": "openrouter"}

// TestNothingIsMissingWhenTheProgramEndsUnderLoad sends SIGTERM in the middle.
func TestNothingIsMissingWhenTheProgramEndsUnderLoad(t *testing.T) {
	for store := range stores {
		t.Run(store, func(t *testing.T) {
			w := start(t, store, impatient)
			all := w.until(t, syscall.SIGTERM, 300)
			if missing := reconcile(t, w, all, w.rows(t)); len(missing) > 0 {
				t.Errorf("%d calls have no row, such as %+v", len(missing), missing[0])
			}
		})
	}
}

// TestAProgramThatIsKilledLosesNoMoreThanItsQueue kills in the middle, and goes on with the same database after that.
func TestAProgramThatIsKilledLosesNoMoreThanItsQueue(t *testing.T) {
	const queue = 64
	for store := range stores {
		t.Run(store, func(t *testing.T) {
			w := prepare(t, store, map[string]string{"FIRST_BYTE_TIMEOUT": "400ms", "STREAM_IDLE_TIMEOUT": "400ms", "CALLS_QUEUE": "64"})
			w.process = serve(t, w.env)
			all := w.until(t, os.Kill, 600)
			rows := w.rows(t)
			missing := reconcile(t, w, all, rows)
			t.Logf("%d of %d calls were lost", len(missing), len(all))
			if len(missing) > queue {
				t.Errorf("%d calls have no row, want at most the %d of the queue", len(missing), queue)
			}
			if len(rows) < 200 {
				t.Errorf("%d rows are there, want most of %d", len(rows), len(all))
			}
			w.process = serve(t, w.env)
			if got := w.usage(t, "?group_by=model"); len(got) == 0 {
				t.Error("after a new start there is no usage")
			}
		})
	}
}

// until makes calls, sends a signal after some answers, and gives what became of all calls.
func (w *world) until(t *testing.T, how os.Signal, answers int64) []sent {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var moods, calls sync.WaitGroup
	moods.Go(func() { w.meter.moody(ctx, t) })
	l := newLoad(t, w)
	enough, told := context.WithCancel(t.Context())
	var all []sent
	calls.Go(func() { all = l.calls(enough, 1<<20, 24) })
	eventually(t, fmt.Sprintf("%d answers", answers), func() bool { return l.answers.Load() >= answers })
	if err := w.end(t, how); err != nil && how == syscall.SIGTERM {
		t.Errorf("the program ended with %v", err)
	}
	told()
	calls.Wait()
	stop()
	moods.Wait()
	return all
}
