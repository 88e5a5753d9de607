package bootstrap

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/ports/outbound"
)

// Discovery asks servers that are configured with discover, at the start, after each reload and every ten minutes, which models they have. What they
// say lies under what the configuration says: it adds names, of which nothing is known but that they can be asked for. A server that does not answer
// keeps the models that it had.
const discoverEvery = 10 * time.Minute

// discoverTimeout bounds one question.
const discoverTimeout = 10 * time.Second

// maxDiscovered bounds the models that are taken from one server.
const maxDiscovered = 2000

// discovery is what servers said, and what they are asked for.
type discovery struct {
	mu    sync.Mutex
	conns []outbound.Connection
	found map[string][]string // by provider, sorted
	again chan struct{}
}

// watch has these connections asked from now on, soon.
func (d *discovery) watch(c Config, conns []outbound.Connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = nil
	for _, p := range c.Providers() {
		i := slices.IndexFunc(conns, func(o outbound.Connection) bool { return o.Name == p.Name })
		if p.Discover && i >= 0 && conns[i].Lister != nil && len(conns[i].Credentials) > 0 {
			d.conns = append(d.conns, conns[i])
		}
	}
	select {
	case d.again <- struct{}{}:
	default:
	}
}

// entries are what was found, for the bottom of the overrides.
func (d *discovery) entries() []catalogue.Entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []catalogue.Entry
	for _, c := range d.conns {
		for _, name := range d.found[c.Name] {
			out = append(out, catalogue.Entry{Vendor: c.Vendor, Name: name})
		}
	}
	return out
}

// ask asks every server once, and reports whether anything has changed.
func (d *discovery) ask(ctx context.Context) bool {
	d.mu.Lock()
	conns := d.conns
	d.mu.Unlock()
	changed := false
	for _, c := range conns {
		names, err := list(ctx, c)
		if err != nil {
			continue // the breaker and the health page speak of servers that are away
		}
		d.mu.Lock()
		if !slices.Equal(names, d.found[c.Name]) {
			d.found[c.Name], changed = names, true
		}
		d.mu.Unlock()
	}
	return changed
}

func list(ctx context.Context, c outbound.Connection) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	names, err := c.Lister.List(ctx, outbound.Target{
		Provider: c.Name, Credential: c.Credentials[0].ID, Secret: c.Credentials[0].Secret, BaseURL: c.BaseURL,
	})
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), maxDiscovered)], err
}

// discover runs until ctx ends.
func (a *App) discover(ctx context.Context) error {
	tick := time.NewTicker(discoverEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-a.discovery.again:
		}
		if !a.discovery.ask(ctx) {
			continue
		}
		if err := a.price(a.current()); err != nil {
			a.Log.Error("models that servers say they have cannot be listed", "logger", "bootstrap", "error", err)
		}
	}
}

// price puts the catalogue's overrides in force: what servers said, and over it what the configuration says.
func (a *App) price(c Config) error {
	over, err := c.overrides()
	if err != nil {
		return err
	}
	return a.Catalogue.Reload(append(a.discovery.entries(), over...))
}
