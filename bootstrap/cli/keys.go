package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/domain/signing"
	"github.com/forge1/forge1/ports/inbound"
)

// followed is how long running nodes take to follow at most.
const followed = time.Minute

type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"List the keys that sign and verify access tokens, by number."`
	Rotate keysRotateCmd `cmd:"" help:"Have the next key sign from now on. What the one until now signed stays good until it expires."`
	Drop   keysDropCmd   `cmd:"" help:"Take a key away: every access token that it signed ends within a minute, on every node. Sessions go on."`
}

type keysListCmd struct{}

// Run lists the keys.
func (keysListCmd) Run(s *session) error {
	return withSigningKeys(s, func(ctx context.Context, keys inbound.SigningKeys) error {
		list, err := keys.List(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			s.note("there are none yet; the first start of a server makes them")
		}
		return s.printKeys(list)
	})
}

type keysRotateCmd struct{}

// Run rotates the keys.
func (keysRotateCmd) Run(s *session) error {
	return withSigningKeys(s, func(ctx context.Context, keys inbound.SigningKeys) error {
		before, err := keys.List(ctx)
		if err != nil {
			return err
		}
		list, err := keys.Rotate(ctx)
		if err != nil {
			return err
		}
		s.note("running servers follow within a minute")
		for _, k := range before {
			if age := s.now().Sub(k.Since); k.State == string(signing.Next) && age < followed {
				s.note("key %d was published %s ago: a server that has not seen it yet refuses its tokens until it does, within a minute", k.Number, age.Round(time.Second))
			}
		}
		return s.printKeys(list)
	})
}

type keysDropCmd struct {
	Number int `arg:"" help:"Number of the key."`
}

// Run drops a key.
func (c *keysDropCmd) Run(s *session) error {
	return withSigningKeys(s, func(ctx context.Context, keys inbound.SigningKeys) error {
		list, err := keys.Drop(ctx, c.Number)
		if err != nil {
			return err
		}
		s.note("running servers follow within a minute; whoever held a token of key %d gets another by refreshing", c.Number)
		return s.printKeys(list)
	})
}

// printKeys writes the keys, one a line, or as JSON.
func (s *session) printKeys(list []inbound.SigningKey) error {
	if s.asJSON {
		return s.print(map[string][]inbound.SigningKey{"keys": list}, "")
	}
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, k := range list {
		_, _ = fmt.Fprintf(table, "%d\t%s\tsince %s\n", k.Number, k.State, k.Since.UTC().Format(time.RFC3339))
	}
	_ = table.Flush() // neither fails into a builder
	_, err := io.WriteString(s.out, b.String())
	return err
}

// withSigningKeys opens the stores of this environment for one command. The embedded database is migrated first.
func withSigningKeys(s *session, do func(context.Context, inbound.SigningKeys) error) error {
	return withApp(s, func(ctx context.Context, app *bootstrap.App) error { return do(ctx, app.SigningKeys()) })
}
