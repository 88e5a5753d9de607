//go:build unix

package gateway_test

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/forge1/forge1/application/record"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/outbound"
)

// quiet counts nothing, and takes every row.
type quiet struct {
	outbound.Meter
	outbound.LoadMeter
	outbound.Calls
}

func (quiet) Decision(string, string)                       {}
func (quiet) Attempt(string, string, string, time.Duration) {}
func (quiet) Call(string, string, int, int, int64)          {}
func (quiet) Queue(string, int, int)                        {}
func (quiet) Cache(string, string)                          {}
func (quiet) Append(context.Context, outbound.Batch) error  { return nil }

// BenchmarkOverhead is a whole call but for its vendor, its surface and the database: the decision and its record, breakers, sketches, usage and the
// queue of rows. cpu-ns/op is what all threads took, the queue's included.
func BenchmarkOverhead(b *testing.B) {
	recorder := record.New(record.Deps{Calls: quiet{}, Meter: quiet{}, Clock: now, Settings: record.Settings{Capacity: 1 << 16}})
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = recorder.Run(ctx)
	}()
	w := benchWorld(b, func(o *options) { o.recorder, o.meter = recorder, quiet{} })
	call := relayed("")
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		for {
			_, err := w.Execute(b.Context(), call)
			if err == nil {
				break
			}
			if !errors.Is(err, fault.ErrBusy) {
				b.Fatal(err)
			}
			runtime.Gosched() // the queue is full
		}
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
	stop()
	<-ended
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
