// Package cli is the command line of forge1. Every command has --help, writes what it was asked for to stdout and everything else to stderr, and
// exits 0 (done), 1 (failed) or 2 (wrong usage).
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/domain/fault"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

type commands struct {
	JSON bool `help:"Print one JSON object on stdout." name:"json"`

	Serve     serveCmd     `cmd:"" help:"Serve the API. Configuration comes from the environment; see 'forge1 config'."`
	Demo      demoCmd      `cmd:"" help:"Try everything without keys or internet: the API, four simulated vendors and a guided tour."`
	Simulate  simulateCmd  `cmd:"" help:"Serve the four simulated vendors only."`
	Migrate   migrateCmd   `cmd:"" help:"Change the database's schema."`
	User      userCmd      `cmd:"" help:"Manage users."`
	Key       keyCmd       `cmd:"" help:"Manage API keys."`
	Keys      keysCmd      `cmd:"" help:"Manage the keys that sign access tokens."`
	Router    routerCmd    `cmd:"" help:"Ask a running server where calls go, and why."`
	Catalogue catalogueCmd `cmd:"" help:"Make and check tables of models and prices."`
	Provider  providerCmd  `cmd:"" help:"Add a vendor."`
	QR        qrCmd        `cmd:"" name:"qr" help:"Draw the text on standard input, such as an otpauth address, as a QR code in the terminal."`
	Config    configCmd    `cmd:"" help:"Print the effective configuration, secrets masked."`
	Version   versionCmd   `cmd:"" help:"Print what was built, and of what."`
	Health    healthCmd    `cmd:"" help:"Ask a running server whether it is ready; for container health checks."`
}

// session is what every command gets: where to read and write.
type session struct {
	ctx    context.Context
	in     io.Reader
	out    io.Writer
	err    io.Writer
	asJSON bool
	now    func() time.Time // the clock of the stores, once they are open
}

// Run runs one command line and gives the exit code.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	var c commands
	code := exitOK
	done := false
	parser, err := kong.New(&c,
		kong.Name("forge1"),
		kong.Description("Forge 1: one backend between your applications and the model vendors."),
		kong.Writers(out, errOut),
		kong.Exit(func(n int) { code, done = n, true }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		_, _ = fmt.Fprintln(errOut, "forge1:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if done { // --help was served
		return code
	}
	if err != nil {
		_, _ = fmt.Fprintf(errOut, "forge1: %v\nTry 'forge1 --help'.\n", err)
		return exitUsage
	}
	s := &session{ctx: ctx, in: in, out: out, err: errOut, asJSON: c.JSON}
	if err := parsed.Run(s); err != nil {
		_, _ = fmt.Fprintln(errOut, "forge1:", explain(err))
		if errors.Is(err, errUsage) {
			return exitUsage
		}
		return exitFailed
	}
	return exitOK
}

var errUsage = errors.New("wrong usage")

// explain gives the text of an error for a person at a terminal, with the fields that are wrong.
func explain(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString(f.Msg)
	for _, field := range f.Fields {
		fmt.Fprintf(&b, "\n  - %s: %s", strings.TrimPrefix(field.Pointer, "/"), field.Message)
	}
	if f.Err != nil {
		fmt.Fprintf(&b, " (%v)", f.Err)
	}
	return b.String()
}

// print writes v as JSON with --json, else the text.
func (s *session) print(v any, text string) error {
	if s.asJSON {
		return json.NewEncoder(s.out).Encode(v)
	}
	_, err := fmt.Fprintln(s.out, text)
	return err
}

// note writes a line for the person to stderr.
func (s *session) note(format string, args ...any) {
	_, _ = fmt.Fprintf(s.err, format+"\n", args...)
}

// config loads the configuration of this process.
func (s *session) config() (bootstrap.Config, error) {
	vars, err := bootstrap.Environ()
	if err != nil {
		return bootstrap.Config{}, err
	}
	return bootstrap.Load(vars)
}
