package bootstrap

import (
	"fmt"
	"maps"

	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/ports/outbound"
)

// maxCatalogueFile bounds CATALOGUE_FILE, in bytes.
const maxCatalogueFile = 64 << 20

// newCatalogue makes the catalogue: the bundled table, and over it what the operator says.
func newCatalogue(c Config, clock outbound.Clock) (*catalogue.Catalogue, error) {
	table, err := catalogue.New(clock)
	if err != nil {
		return nil, err
	}
	over, err := c.overrides()
	if err != nil {
		return nil, err
	}
	if err := table.Reload(over); err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	return table, nil
}

// overrides reads what lies over the bundled catalogue, later entries over earlier ones: CATALOGUE_FILE, then the prices of CONFIG_FILE, then the models of
// its providers, whose vendor is the provider.
func (c Config) overrides() ([]catalogue.Entry, error) {
	var out []catalogue.Entry
	if c.CatalogueFile != "" {
		table, err := readBounded(c.CatalogueFile, maxCatalogueFile)
		if err != nil {
			return nil, fmt.Errorf("CATALOGUE_FILE: cannot be read: %s", reasonOf(err))
		}
		entries, err := catalogue.Parse(table)
		if err != nil {
			return nil, fmt.Errorf("CATALOGUE_FILE: %w", err)
		}
		out = append(out, entries...)
	}
	models := append([]FileModel(nil), c.file.Prices...)
	for _, p := range c.file.Providers {
		for _, m := range p.Models {
			own := FileModel{}
			maps.Copy(own, m)
			own["vendor"] = p.Name
			models = append(models, own)
		}
	}
	entries, err := catalogue.Entries(models)
	if err != nil {
		return nil, fmt.Errorf("CONFIG_FILE: prices and models: %s", withoutKeys(err.Error()))
	}
	return append(out, entries...), nil
}
