package bootstrap

import (
	"errors"
	"fmt"
)

// Reload puts another configuration in the place of the one in force, as far as that goes while serving: providers with their keys and models, prices,
// aliases and routing defaults. Calls under way end under the old one. What else is in c waits for a restart. When it fails, nothing has changed.
func (a *App) Reload(c Config) error {
	conns, err := newConnections(c, a.Client)
	if err != nil {
		return err
	}
	if err := a.price(c); err != nil {
		return fmt.Errorf("prices: %w", err)
	}
	a.inForce.Store(&c)
	a.discovery.watch(c, conns)
	a.Policies.Adopt(c.Defaults())
	a.Gateway.Reconfigure(conns)
	return nil
}

// Reread reloads what read gives, and says in the log what became of it: the last good configuration is kept when the new one has mistakes.
func (a *App) Reread(read func() (Config, error)) {
	c, err := read()
	if err == nil {
		err = a.Reload(c)
	}
	if err != nil {
		var mistakes []string
		if wrong, ok := errors.AsType[*ConfigError](err); ok {
			mistakes = wrong.Mistakes
		} else {
			mistakes = []string{fmt.Sprint(err)}
		}
		a.Log.Error("the configuration was not reloaded; the last good one is kept", "logger", "bootstrap", "mistakes", mistakes)
		return
	}
	configured, missing := c.configured()
	a.Log.Info("the configuration was reloaded", "logger", "bootstrap", "providers", configured, "not_configured", missing)
}

// configured lists the providers that have a key, and those that have none.
func (c Config) configured() (with, without []string) {
	for _, p := range c.Providers() {
		if len(p.Keys) > 0 {
			with = append(with, p.Name)
		} else {
			without = append(without, p.Name)
		}
	}
	return with, without
}
