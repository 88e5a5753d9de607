//go:build wireinject

package bootstrap

import (
	"context"

	"github.com/google/wire"
)

// New wires a Forge 1 of a configuration. The cleanup closes what it opened.
func New(ctx context.Context, c Config, log LogWriter) (*App, func(), error) {
	panic(wire.Build(outboundSet, applicationSet, inboundSet))
}
