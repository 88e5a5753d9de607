package latency

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// What a replica publishes of a part is, after a byte for the version, its keys one after the other: task type, provider and model, each as length and
// bytes, then counts, then the bins as differences of their indexes and counts. All numbers are varints (encoding/binary).
const codecVersion = 1

// Bounds of what is believed of another replica.
const (
	maxName  = 300
	maxBins  = 4000
	maxCount = 1 << 40
	maxIndex = 1 << 16
	maxMs    = 1e9
)

// encode writes a part. Keys that no longer fit are left out: those are the busiest fleet's rarest.
func (l *Latencies) encode(part, now int64) []byte {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := []byte{codecVersion}
	for k, s := range l.keys {
		before := len(b)
		if b = s.encode(b, k, part, now); len(b) > outbound.MaxSketchBytes {
			return b[:before]
		}
	}
	return b
}

func (s *series) encode(b []byte, k key, part, now int64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slide(now)
	sk := &s.ring[part%parts]
	if part < 0 || part > s.newest || s.newest-part >= parts || sk.count == 0 {
		return b
	}
	for _, name := range []string{string(k.task), k.target.Provider, k.target.Model} {
		b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
	}
	for _, n := range []int{sk.count, sk.tokens, sk.lengths} {
		b = binary.AppendUvarint(b, uint64(n)) //nolint:gosec // counts
	}
	for _, f := range []float64{sk.low, sk.high} {
		b = binary.AppendUvarint(b, math.Float64bits(f))
	}
	b = binary.AppendUvarint(b, uint64(sk.latencies.GetZeroCount()))
	bins := 0
	sk.latencies.GetPositiveValueStore().ForEach(func(int, float64) bool { bins++; return false })
	b = binary.AppendUvarint(b, uint64(bins)) //nolint:gosec // counts
	last := 0
	sk.latencies.GetPositiveValueStore().ForEach(func(index int, count float64) bool {
		b = binary.AppendUvarint(binary.AppendVarint(b, int64(index-last)), uint64(count))
		last = index
		return false
	})
	return b
}

// decode reads what another replica published. ok is false for what is not of this form; then nothing of it is believed.
func (l *Latencies) decode(b []byte) (out map[key]*sketch, ok bool) {
	r := reader{b: b, ok: len(b) > 0 && b[0] == codecVersion}
	if !r.ok {
		return nil, false
	}
	r.b = r.b[1:]
	out = map[key]*sketch{}
	for len(r.b) > 0 && r.ok {
		task, err := routing.ParseTaskType(r.name())
		k := key{task, routing.Target{Provider: r.name(), Model: r.name()}}
		sk := r.sketch(l)
		if err == nil && r.ok && len(out) < l.maxKeys {
			out[k] = sk
		}
	}
	return out, r.ok
}

// reader reads numbers and names, until one is not as it should be.
type reader struct {
	b  []byte
	ok bool
}

func (r *reader) number(most uint64) uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > most {
		r.ok, r.b = false, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) name() string {
	n := r.number(maxName)
	if uint64(len(r.b)) < n {
		r.ok, r.b = false, nil
		return ""
	}
	name := string(r.b[:n])
	r.b = r.b[n:]
	if strings.ToValidUTF8(name, "") != name {
		r.ok = false
	}
	return name
}

func (r *reader) ms() float64 {
	f := math.Float64frombits(r.number(math.MaxUint64))
	if !(f >= 0 && f <= maxMs) { // NaN is neither
		r.ok = false
	}
	return f
}

func (r *reader) sketch(l *Latencies) *sketch {
	sk := &sketch{latencies: newSketch(l.mapping)}
	sk.count, sk.tokens, sk.lengths = int(r.number(maxCount)), int(r.number(maxCount)), int(r.number(maxCount)) //nolint:gosec // bounded
	sk.low, sk.high = r.ms(), r.ms()
	zero := r.number(maxCount)
	if zero > 0 && r.ok {
		_ = sk.latencies.AddWithCount(0, float64(zero)) // zero is in the range of every sketch
	}
	total, index := zero, int64(0)
	for bins := r.number(maxBins); bins > 0 && r.ok; bins-- {
		step, size := binary.Varint(r.b)
		if size <= 0 {
			r.ok, r.b = false, nil
			break
		}
		r.b = r.b[size:]
		index += step
		n := r.number(maxCount)
		if index < -maxIndex || index > maxIndex || !r.ok || sk.latencies.AddWithCount(l.mapping.Value(int(index)), float64(n)) != nil {
			r.ok = false
			break
		}
		total += n
	}
	if total != uint64(sk.count) || sk.count == 0 || sk.low > sk.high || sk.lengths > sk.count { //nolint:gosec // bounded
		r.ok = false
	}
	return sk
}
