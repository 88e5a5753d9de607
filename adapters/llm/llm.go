// Package llm is what the vendor adapters share: how a vendor is registered and what it lacks, the HTTP client, how a vendor's answer becomes a typed
// failure, and how the fields that a vendor cannot honour are named. Each vendor has one folder below and one line in bootstrap/providers.go; dialects
// that several vendors speak, and the reading of streams and of JSON in place, are in internal.
package llm

import (
	"io/fs"
	"net/http"

	"github.com/forge1/forge1/ports/outbound"
)

// Vendor is one company's dialect, as bootstrap registers it.
type Vendor struct {
	Name string // the catalogue's name, and the simulator's where it plays the vendor: openai, anthropic, gemini, openrouter, bedrock
	// New makes what the vendor's adapter can do, which binds nothing but the client.
	New func(client *http.Client) outbound.Abilities
	// Resold gives the name under which the vendor sells a model of another vendor of the catalogue; nil: it sells none.
	Resold func(vendor, model string) string
	// Example is a model that can do all that the vendor can; the provider kit asks for it.
	Example string
	// Signs is the format of the signatures that the vendor makes and takes back; "": it makes none.
	Signs string
	// Lacks says why the vendor cannot do what others can, by ability, in words for the kit's report. Whoever asks for it is refused or told of the
	// drop: see conformance.Scenarios.
	Lacks map[Ability]string
	// Cases are the vendor's own wire cases, testdata/*.http, which the conformance suite, the simulator and the demo play.
	Cases fs.FS
}
