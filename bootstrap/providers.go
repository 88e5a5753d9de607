package bootstrap

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"slices"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/anthropic"
	"github.com/forge1/forge1/adapters/llm/bedrock"
	"github.com/forge1/forge1/adapters/llm/gemini"
	"github.com/forge1/forge1/adapters/llm/openai"
	"github.com/forge1/forge1/adapters/llm/openrouter"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// vendors are the dialects that are linked in: one line each.
var vendors = []llm.Vendor{
	anthropic.Vendor,
	bedrock.Vendor,
	gemini.Vendor,
	openai.Vendor,
	openai.Compatible,
	openrouter.Vendor,
}

// vendorNames lists the kinds that a provider can be of.
func vendorNames() []string {
	var names []string
	for _, v := range vendors {
		names = append(names, v.Name)
	}
	return names
}

// newConnections makes a connection of every configured provider; those without a key are there too, so that a refusal can name them.
func newConnections(c Config, client *http.Client) ([]outbound.Connection, error) {
	byName := make(map[string]llm.Vendor, len(vendors))
	for _, v := range vendors {
		byName[v.Name] = v
	}
	var out []outbound.Connection
	for _, p := range c.Providers() {
		v, ok := byName[p.Vendor]
		if !ok {
			return nil, fmt.Errorf("provider %s: vendor %q is not linked in", p.Name, p.Vendor)
		}
		conn := outbound.Connection{
			Name: p.Name, Vendor: p.Catalogue, BaseURL: p.BaseURL, DefaultModel: p.Model, Abilities: v.New(client), Resold: v.Resold,
			CostCents: p.CostCents, TableCents: p.TableCents,
		}
		for _, key := range p.Keys {
			cred := outbound.Credential{ID: p.Name + "-" + credentialID(key), Secret: key}
			if !slices.ContainsFunc(conn.Credentials, func(o outbound.Credential) bool { return o.ID == cred.ID }) {
				conn.Credentials = append(conn.Credentials, cred)
			}
		}
		out = append(out, conn)
	}
	return out, nil
}

// credentialID names a key without telling it. It is the same on every node and whatever the order of the keys, so that what is known of a key, such as
// that it rests, stays with it.
func credentialID(key secret.Text) string {
	h := sha256.Sum256([]byte("forge1 credential id\x00" + key.Reveal()))
	return hex.EncodeToString(h[:4])
}

// Vendors lists the dialects that are linked in, for the provider kit.
func Vendors() []llm.Vendor { return slices.Clone(vendors) }

// wireCases gives the own wire cases of the vendors that the simulator plays: those of the four providers.
func wireCases() map[string]fs.FS {
	cases := make(map[string]fs.FS, len(vendors))
	for _, v := range vendors {
		if slices.ContainsFunc(Config{}.builtin(), func(p ProviderConfig) bool { return p.Vendor == v.Name }) {
			cases[v.Name] = v.Cases
		}
	}
	return cases
}
