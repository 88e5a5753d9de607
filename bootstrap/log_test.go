package bootstrap

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLogWritesALoneLineAtOnceAndManyTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		b := newBatch(&out)
		write := func(s string) {
			if _, err := b.Write([]byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		write("one\n")
		if got := out.String(); got != "one\n" {
			t.Errorf("a lone line: got %q, want it at once", got)
		}
		write("two\n")
		write("three\n")
		if got := out.String(); got != "one\n" {
			t.Errorf("lines close behind: got %q, want them held", got)
		}
		time.Sleep(2 * logPause)
		synctest.Wait()
		if got := out.String(); got != "one\ntwo\nthree\n" || out.n != 2 {
			t.Errorf("after the pause: got %q in %d writes, want all in 2", got, out.n)
		}
		time.Sleep(2 * logPause)
		synctest.Wait()
		write("four\n")
		if got := out.String(); !strings.HasSuffix(got, "four\n") {
			t.Errorf("after silence: got %q, want the line at once", got)
		}
		write(strings.Repeat("x", logFull) + "\n")
		if got := out.String(); !strings.HasSuffix(got, "x\n") {
			t.Error("a full buffer was not written")
		}
		write("last\n")
		b.Close()
		if got := out.String(); !strings.HasSuffix(got, "last\n") {
			t.Errorf("at the end: got %q, want nothing lost", got[len(got)-20:])
		}
	})
}

// writes counts calls of Write.
type writes struct {
	mu  sync.Mutex
	buf bytes.Buffer
	n   int
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return w.buf.Write(p)
}

func (w *writes) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}
