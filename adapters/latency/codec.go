package latency

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/DataDog/sketches-go/ddsketch/mapping"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

// What a replica publishes of a part is, after a byte for the version, its keys one after the other: task type, provider, model and sketch, each as length and
// bytes. A sketch is the weight of its zeros, tokens, lengths, shortest and longest latency in nanoseconds, and then its bins as differences of their
// indexes and counts. All numbers are varints (encoding/binary). The library's own form is not used, because its reader reserves memory by what the bytes
// say, not by how many they are.
const codecVersion = 1

// Bounds of what is believed of another replica. With a thousand replicas the weighted sums of all are still whole numbers that a float holds.
const (
	mostName    = 300
	mostSamples = 1_000_000_000
	mostLength  = 1_000_000_000_000 // tokens of all answers of a sketch together
	mostStep    = 1 << 12           // between the indexes of two bins
)

// errBody is what is wrong with a body; what exactly, nobody needs to know.
var errBody = errors.New("latency: not a sketch")

// encode writes a part of the window. If not all keys have room, those with the most samples have.
func (l *Latencies) encode(number int64) []byte {
	type entry struct {
		body    []byte
		samples int
	}
	var entries []entry
	for k, s := range l.all() {
		body, samples := s.body(number)
		if samples == 0 || max(len(k.target.Provider), len(k.target.Model)) > mostName {
			continue
		}
		var b []byte
		for _, text := range [][]byte{[]byte(k.task), []byte(k.target.Provider), []byte(k.target.Model), body} {
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		}
		entries = append(entries, entry{b, samples})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.samples, a.samples), bytes.Compare(a.body, b.body))
	})
	out := []byte{codecVersion}
	for _, e := range entries {
		if len(out)+len(e.body) <= outbound.MaxSketchBytes {
			out = append(out, e.body...)
		}
	}
	return out
}

// each gives every key of a body and its sketch, which is not looked into. It fails when the body is not of this form; what was given until then is not to be
// believed.
func each(body []byte, do func(k key, sketch []byte)) error {
	if len(body) == 0 || len(body) > outbound.MaxSketchBytes || body[0] != codecVersion {
		return errBody
	}
	r := reader{rest: body[1:]}
	for len(r.rest) > 0 && !r.bad {
		task, provider, model, sketch := r.text(mostName), r.text(mostName), r.text(mostName), r.text(outbound.MaxSketchBytes)
		if !r.bad {
			do(key{routing.TaskType(task), routing.Target{Provider: string(provider), Model: string(model)}}, sketch)
		}
	}
	if r.bad {
		return errBody
	}
	return nil
}

func encode(k *sketch) []byte {
	b := make([]byte, 0, 128)
	for _, n := range []int64{k.zeros, k.tokens, k.lengths, int64(k.low), int64(k.high)} {
		b = binary.AppendUvarint(b, uint64(n)) //nolint:gosec // none is negative
	}
	if k.bins == nil {
		return b
	}
	before := 0
	k.bins.ForEach(func(index int, n float64) bool {
		b = binary.AppendVarint(b, int64(index-before))
		b = binary.AppendUvarint(b, uint64(n))
		before = index
		return false
	})
	return b
}

// mergeBody puts in what a body holds. It fails, and may have put in some, when the body is no sketch.
func (k *sketch) mergeBody(m mapping.IndexMapping, body []byte) error {
	r := reader{rest: body}
	o := sketch{zeros: r.number(mostSamples), tokens: r.number(mostLength), lengths: r.number(mostSamples)}
	o.low, o.high = time.Duration(r.number(int64(longest))), time.Duration(r.number(int64(longest)))
	o.weight = o.zeros
	index := 0
	first, last := int64(m.Index(ms(shortest))), int64(m.Index(ms(longest)))
	for len(r.rest) > 0 && !r.bad {
		step := r.step()
		n := r.number(mostSamples)
		if i := int64(index) + step; r.bad || n == 0 || i < first || i > last {
			return errBody
		}
		index += int(step)
		k.put(index, n)
		if o.weight += n; o.weight > mostSamples {
			return errBody
		}
	}
	if r.bad || o.weight == 0 || o.lengths > o.weight || o.low > o.high {
		return errBody
	}
	o.samples = int(o.weight)
	k.merge(&o, 1)
	return nil
}

// reader reads numbers, and is bad from the first on that is none or too large.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number(most int64) int64 {
	n, size := binary.Uvarint(r.rest)
	if r.bad = r.bad || size <= 0 || n > uint64(most); r.bad { //nolint:gosec // none is negative
		return 0
	}
	r.rest = r.rest[size:]
	return int64(n) //nolint:gosec // at most most
}

// step reads a number with a sign, of the size of an index.
func (r *reader) step() int64 {
	n, size := binary.Varint(r.rest)
	if r.bad = r.bad || size <= 0 || n < -mostStep || n > mostStep; r.bad {
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// text reads a length and as many bytes.
func (r *reader) text(most int64) []byte {
	n := r.number(most)
	if r.bad = r.bad || n > int64(len(r.rest)); r.bad {
		return nil
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}
