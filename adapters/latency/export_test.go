package latency

import "context"

// Exchange publishes and reads once, for tests.
func (l *Latencies) Exchange(ctx context.Context) error { return l.exchange(ctx) }
