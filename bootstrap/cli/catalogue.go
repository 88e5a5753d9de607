package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/forge1/forge1/adapters/catalogue"
)

type catalogueCmd struct {
	Make  catalogueMakeCmd  `cmd:"" help:"Make a table of models and prices from public price lists."`
	Check catalogueCheckCmd `cmd:"" help:"Check a table that is to be laid over the built-in one."`
}

type catalogueMakeCmd struct {
	Genai      string `help:"File: genai-prices' prices/data_slim.json." name:"genai" required:"" type:"path"`
	LiteLLM    string `help:"File: LiteLLM's model_prices_and_context_window.json." name:"litellm" required:"" type:"path"`
	OpenRouter string `help:"File: the answer of https://openrouter.ai/api/v1/models, for what its models can do." name:"openrouter" type:"path"`
	Out        string `help:"File to write; stdout when left out." type:"path"`
}

// Run makes a table.
func (c *catalogueMakeCmd) Run(s *session) error {
	var lists [3][]byte
	for i, path := range []string{c.Genai, c.LiteLLM, c.OpenRouter} {
		if path == "" {
			continue
		}
		b, err := os.ReadFile(path) //nolint:gosec // the operator names it
		if err != nil {
			return fmt.Errorf("read a price list: %w", err)
		}
		lists[i] = b
	}
	table, err := catalogue.Generate(lists[0], lists[1], lists[2])
	if err != nil {
		return fmt.Errorf("make the catalogue: %w", err)
	}
	n, err := catalogue.Check(table)
	if err != nil {
		return fmt.Errorf("check the catalogue: %w", err)
	}
	if c.Out == "" {
		return s.print(map[string]any{"models": n, "table": json.RawMessage(table)}, strings.TrimSuffix(string(table), "\n"))
	}
	if err := replace(c.Out, table); err != nil {
		return fmt.Errorf("write the catalogue: %w", err)
	}
	return s.print(map[string]any{"models": n, "file": c.Out}, fmt.Sprintf("%d models in %s", n, c.Out))
}

// replace writes a file whole or not at all.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".catalogue-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644) //nolint:gosec // prices are no secret
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

type catalogueCheckCmd struct {
	File string `arg:"" help:"The table; - is standard input."`
}

// Run checks a table.
func (c *catalogueCheckCmd) Run(s *session) error {
	var table []byte
	var err error
	if c.File == "-" {
		table, err = io.ReadAll(s.in)
	} else {
		table, err = os.ReadFile(c.File)
	}
	if err != nil {
		return fmt.Errorf("read the catalogue: %w", err)
	}
	n, err := catalogue.Check(table)
	if err != nil {
		return err
	}
	return s.print(map[string]any{"models": n, "ok": true}, fmt.Sprintf("%d models: good", n))
}
