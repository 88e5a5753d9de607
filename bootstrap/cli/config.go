package cli

import (
	"fmt"
	"strings"

	"github.com/forge1/forge1/bootstrap"
)

type configCmd struct {
	Table bool `help:"Print the table of all variables in Markdown instead." hidden:""`
}

// Run prints the configuration.
func (c *configCmd) Run(s *session) error {
	if c.Table {
		_, err := fmt.Fprint(s.out, bootstrap.ConfigTable())
		return err
	}
	cfg, err := s.config()
	if err != nil {
		return err
	}
	settings := cfg.Settings()
	if s.asJSON {
		values := make(map[string]string, len(settings))
		for _, v := range settings {
			values[v.Name] = v.Value
		}
		return s.print(values, "")
	}
	var b strings.Builder
	for _, v := range settings {
		fmt.Fprintf(&b, "%s=%s\n", v.Name, v.Value)
	}
	_, err = fmt.Fprint(s.out, b.String())
	return err
}

type versionCmd struct{}

// Run prints the build's facts.
func (versionCmd) Run(s *session) error {
	b := bootstrap.BuildFacts()
	return s.print(b, fmt.Sprintf("forge1 %s (%s, commit %s)", b.Version, b.Go, b.Commit))
}
