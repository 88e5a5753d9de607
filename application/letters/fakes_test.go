package letters_test

import (
	"context"
	"errors"

	"github.com/forge1/forge1/ports/outbound"
)

// broken is an outbox that keeps nothing.
type broken struct{ outbound.Outbox }

func (broken) Put(context.Context, outbound.Message) error { return errors.New("no room") }
