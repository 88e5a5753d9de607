package outbound

import "github.com/forge1/forge1/domain/routing"

// Model is what the catalogue knows of a model.
type Model struct {
	Vendor    string // openai, anthropic, gemini, openrouter
	Name      string
	Vision    bool
	Tools     bool
	Schema    bool
	Embedding bool          // it makes vectors of text and answers nothing
	Unsure    bool          // nobody says what it can do: nothing is denied
	Context   int           // tokens; 0: unknown
	Output    int           // most output tokens; 0: unknown
	Price     routing.Price // in force now; all of it 0: free
	Priced    bool
}

// Catalogue is the table of models with prices and abilities. Implementations pass conformance.Catalogue.
type Catalogue interface {
	// Model finds a vendor's model by its name, or by a dated snapshot's name.
	Model(vendor, name string) (Model, bool)
	// Vendors lists the vendors that know a bare model name, the one whose own model it is first.
	Vendors(name string) []string
	// Models lists a vendor's models, sorted by name.
	Models(vendor string) []Model
}
