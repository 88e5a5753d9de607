package gateway_test

import (
	"slices"
	"testing"
	"time"

	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// latencies are real ones, of which a test can say that others added to them.
type latencies struct {
	*latency.Latencies
	changed func()
}

func (l *latencies) OnChange(f func()) { l.changed = f }

// connection is the connection of a played vendor, as the world makes it.
func (w *world) connection(name string, credentials ...string) outbound.Connection {
	price := 1.0
	c := outbound.Connection{
		Name: name, Vendor: vendorOf[name], BaseURL: "http://" + name, DefaultModel: defaults[name], CostCents: &price, Abilities: outbound.Abilities{Provider: w.vendors[name]},
	}
	for _, id := range credentials {
		c.Credentials = append(c.Credentials, outbound.Credential{ID: id, Secret: secret.New("s-" + id)})
	}
	return c
}

func TestAnotherConfigurationActsAtOnce(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		if _, err := w.Execute(t.Context(), request("gpt-4o")); err != nil {
			t.Fatal(err)
		}
		w.Reconfigure([]outbound.Connection{w.connection("claude", "new"), w.connection("gemini")})
		a, err := w.Execute(t.Context(), request(""))
		if err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "claude ok")
		if got := w.vendors["claude"].asked[0].Credential; got != "new" {
			t.Errorf("asked with %s, want the new credential", got)
		}
		_, err = w.Execute(t.Context(), request("openai/gpt-4o"))
		wantFault(t, err, fault.NotFound, "model_not_found")
		if w.shelf.finds != 2 {
			t.Errorf("policies were read %d times, want again after the change", w.shelf.finds)
		}
		if got := w.Health(t.Context()); len(got) != 2 || got[0].Name != "claude" || got[1].Configured {
			t.Errorf("health %+v, want that of the new connections", got)
		}
	})
}

func TestACallUnderWayKeepsItsConfiguration(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openrouter", reply{after: time.Second, err: chat.Fail(chat.ClassServer, nil)})
		time.AfterFunc(500*time.Millisecond, func() { w.Reconfigure([]outbound.Connection{w.connection("claude", "new")}) })
		a, err := w.Execute(t.Context(), request(""))
		if err != nil {
			t.Fatal(err)
		}
		wantTried(t, a.Receipt, "openrouter server_error", "openai ok")
	})
}

func TestWhatIsRememberedOutlivesAConfiguration(t *testing.T) {
	in(t, pool("a", "b"), func(t *testing.T, w *world) {
		s, err := w.Stream(t.Context(), request("gpt-4o-mini"))
		if err != nil {
			t.Fatal(err)
		}
		busy := w.vendors["openai"].asked[0].Credential
		w.Reconfigure([]outbound.Connection{w.connection("openai", "b", "a")})
		for range 4 {
			if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
				t.Fatal(err)
			}
		}
		if n := used(w)[busy]; n != 1 {
			t.Errorf("the credential that was streaming was asked %d times, want its load to be known", n)
		}
		collect(s)
		if got := w.Health(t.Context())[0]; got.Attempts != 5 {
			t.Errorf("health stands on %d attempts, want all 5", got.Attempts)
		}
		for range 2 {
			if _, err := w.Execute(t.Context(), request("gpt-4o-mini")); err != nil {
				t.Fatal(err)
			}
		}
		if n := used(w)[busy]; n != 2 {
			t.Errorf("it was asked %d times once its stream had ended, want its load to be gone", n)
		}
	})
}

// prices is the catalogue with another price for one model.
type prices struct {
	outbound.Catalogue
	price int64
}

func (p *prices) Model(vendor, name string) (outbound.Model, bool) {
	m, ok := p.Catalogue.Model(vendor, name)
	if name == "gpt-4o" && p.price > 0 {
		m.Price = routing.Price{Input: p.price, Output: p.price}
	}
	return m, ok
}

func TestANewCatalogueIsReadAnew(t *testing.T) {
	table, err := catalogue.New(now)
	if err != nil {
		t.Fatal(err)
	}
	list := &prices{Catalogue: table}
	o := options{catalogue: list, connections: func(c map[string]*outbound.Connection) { c["openai"].CostCents = nil }}
	in(t, o, func(t *testing.T, w *world) {
		cost := func() (float64, string) {
			d, err := w.Explain(t.Context(), request("gpt-4o"))
			if err != nil {
				t.Fatal(err)
			}
			return d.Candidates[0].CostCents, d.SnapshotID
		}
		_, _ = cost()
		time.Sleep(time.Second)
		before, _ := cost() // it stands on the board now
		list.price = 1_000_000_000_000_000
		if now, _ := cost(); now != before {
			t.Errorf("%v cents after %v, though nobody said that the catalogue changed", now, before)
		}
		_, old := cost()
		w.CatalogueChanged()
		if now, id := cost(); now != 20 || id == old {
			t.Errorf("%v cents in snapshot %s after %v in %s, want 20 in another", now, id, before, old)
		}
	})
}

func TestPricesFollowTheDate(t *testing.T) {
	table, err := catalogue.New(now)
	if err != nil {
		t.Fatal(err)
	}
	list := &prices{Catalogue: table}
	o := options{catalogue: list, connections: func(c map[string]*outbound.Connection) {
		c["openai"].CostCents, c["openai"].DefaultModel = nil, "gpt-4o"
	}}
	in(t, o, func(t *testing.T, w *world) {
		first, err := w.Explain(t.Context(), request("gpt-4o"))
		if err != nil {
			t.Fatal(err)
		}
		list.price = 1_000_000_000_000_000
		time.Sleep(time.Minute)
		later, err := w.Explain(t.Context(), request("gpt-4o"))
		if err != nil || later.Candidates[0].CostCents != 20 || later.SnapshotID == first.SnapshotID {
			t.Errorf("%v cents in snapshot %s a minute later, error %v; want the new price in another snapshot", later.Candidates[0].CostCents, later.SnapshotID, err)
		}
	})
}

func TestLatenciesOfOthersAreReadWhenSomebodySaysSo(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		ask := func() string { return explain(t, w, request("gpt-4o-mini"))[0] }
		first := ask()
		for range 5 {
			w.latencies.Observe(routing.General, routing.Target{Provider: "openai", Model: "gpt-4o-mini"}, 3*time.Second, 0)
		}
		if again := ask(); again != first {
			t.Errorf("%q after %q, though nobody said so", again, first)
		}
		w.latencies.changed()
		if got, want := ask(), "openai 3000 100"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestReconfiguringWhileCallsRun(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 50 {
				switch i % 3 {
				case 0:
					w.Reconfigure([]outbound.Connection{w.connection("openai", "a", "b"), w.connection("claude", "c")})
				case 1:
					w.CatalogueChanged()
				default:
					w.latencies.changed()
				}
				time.Sleep(time.Millisecond)
			}
		}()
		for i := range 50 {
			w.plays("openai", reply{after: time.Duration(i%5) * time.Millisecond})
			if got := ways(w)[[]string{"whole", "stream"}[i%2]](t.Context(), request("openai/gpt-4o")); got.err != nil {
				t.Error(got.err)
			}
		}
		<-done
		var attempts []string
		for _, row := range w.book.rows {
			for _, a := range row.Attempts {
				attempts = append(attempts, a.Outcome)
			}
		}
		if slices.Sort(attempts); len(attempts) != 50 || attempts[0] != "ok" || attempts[49] != "ok" {
			t.Errorf("attempts %q, want fifty that were ok", attempts)
		}
	})
}
