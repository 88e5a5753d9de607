package bootstrap

import (
	"io"
	"sync"
	"time"
)

// Bounds of what the log holds back.
const (
	logPause = 10 * time.Millisecond // between two writes
	logFull  = 32 << 10
)

// batch joins lines that come close together into one write: at a thousand requests a second a system call for each is a tenth of their cost. A
// line that comes alone is written at once; a process that is killed loses what came in the last logPause.
type batch struct {
	out io.Writer

	mu    sync.Mutex
	held  []byte
	armed bool // a write is due soon, so lines are held until then
	timer *time.Timer
}

func newBatch(out io.Writer) *batch {
	b := &batch{out: out}
	b.timer = time.AfterFunc(time.Hour, b.due)
	b.timer.Stop()
	return b
}

// Write implements io.Writer. It takes whole lines.
func (b *batch) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.armed {
		b.held = append(b.held, line...)
		if len(b.held) >= logFull {
			return len(line), b.flush()
		}
		return len(line), nil
	}
	b.armed = true
	b.timer.Reset(logPause)
	return b.out.Write(line)
}

// due writes what was held; when there was something, more is likely to come.
func (b *batch) due() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.held) == 0 {
		b.armed = false
		return
	}
	_ = b.flush() // a log that cannot be written has nowhere to say so
	b.timer.Reset(logPause)
}

// Close writes what is held.
func (b *batch) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timer.Stop()
	b.armed = false
	_ = b.flush()
}

func (b *batch) flush() error {
	if len(b.held) == 0 {
		return nil
	}
	_, err := b.out.Write(b.held)
	b.held = b.held[:0]
	return err
}
