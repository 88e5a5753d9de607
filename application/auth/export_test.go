package auth

// Remembered counts what a gatekeeper remembers.
func Remembered(g *Gatekeeper) (n int) {
	for i := range g.admitted.shards {
		s := &g.admitted.shards[i]
		s.mu.RLock()
		n += len(s.entries)
		s.mu.RUnlock()
	}
	return n
}

// What tests look at from outside.
var (
	NormalRecovery = normalRecovery
	Grouped        = grouped
	Network        = network
)
