package auth

import (
	"context"
	"sync"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
)

// turns has the sign-ins of one user go one at a time. They would wait for one another in the database anyway, where each that waits holds a connection: a row that
// stays locked would then keep everybody out. The zero value is ready.
type turns struct {
	mu    sync.Mutex
	lines map[user.ID]*line
}

// line is where the sign-ins of one user wait.
type line struct {
	turn chan struct{} // holds one while somebody has it
	size int           // who has the turn, or waits for it
}

// take waits for the turn of a user, for crowdWait at most, and must be followed by done. It fails with fault.ErrBusy, or when the context ends.
func (t *turns) take(ctx context.Context, u user.ID) (done func(), err error) {
	l := t.join(u)
	late := time.NewTimer(crowdWait)
	defer late.Stop()
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; t.leave(u, l) }, nil
	case <-late.C:
		err = fault.ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.leave(u, l)
	return nil, err
}

func (t *turns) join(u user.ID) *line {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines == nil {
		t.lines = map[user.ID]*line{}
	}
	l := t.lines[u]
	if l == nil {
		l = &line{turn: make(chan struct{}, 1)}
		t.lines[u] = l
	}
	l.size++
	return l
}

func (t *turns) leave(u user.ID, l *line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l.size--; l.size == 0 {
		delete(t.lines, u)
	}
}
