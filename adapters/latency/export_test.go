package latency

import "context"

// Exchange publishes and reads once, for tests.
func (l *Latencies) Exchange(ctx context.Context) error { return l.exchange(ctx) }

// Heard tells how many sketches of others are kept, and of how many bytes.
func (l *Latencies) Heard() (sketches, bytes int) { return l.sharing.count, l.sharing.bytes }
