package bootstrap

import (
	"os"
	"strings"
	"sync"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// offsetEvery is how often the file of an offset is read, at most.
const offsetEvery = 50 * time.Millisecond

// hostNow tells the time of this host as all of Forge 1 keeps it: UTC, to the microsecond.
func hostNow() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// newClock gives the one clock of a process: the host's, moved in dev by what FORGE_CLOCK_OFFSET_FILE holds. Prod refuses that variable, and is
// not moved by it either.
func newClock(c Config) outbound.Clock {
	if c.ClockOffsetFile == "" || c.Env != Dev {
		return hostNow
	}
	return (&movedClock{file: c.ClockOffsetFile}).now
}

// movedClock is a clock that a file moves: it holds a Go duration such as 36h or -90s. Whoever asks for the time waits while another caller reads the
// file, so that nobody is told an hour that has been moved for longer than offsetEvery.
type movedClock struct {
	file string

	mu   sync.Mutex
	read time.Time // on the monotonic clock, which nothing moves
	by   time.Duration
}

func (c *movedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read.IsZero() || time.Since(c.read) >= offsetEvery {
		c.read = time.Now()
		c.reread()
	}
	return hostNow().Add(c.by)
}

// reread takes the offset over. A file that is not there, or is just being written, leaves it as it was: none at first.
func (c *movedClock) reread() {
	b, err := os.ReadFile(c.file)
	if err != nil {
		return
	}
	if d, err := time.ParseDuration(strings.TrimSpace(string(b))); err == nil {
		c.by = d.Truncate(time.Microsecond)
	}
}
