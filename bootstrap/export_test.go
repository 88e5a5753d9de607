package bootstrap

import (
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// ModelOf gives what the catalogue of a configuration knows of a model, for tests.
func ModelOf(c Config, vendor, model string) (outbound.Model, bool, error) {
	table, err := newCatalogue(c, func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) })
	if err != nil {
		return outbound.Model{}, false, err
	}
	m, ok := table.Model(vendor, model)
	return m, ok, nil
}
