package sse_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/llm/internal/sse"
)

// kept is a frame with its own copies.
type kept struct {
	Raw, Event, Data      string
	HasData, Comment, Cut bool
}

func readAll(t testing.TB, src io.Reader, most int) ([]kept, error) {
	t.Helper()
	r := sse.NewReader(src, most)
	defer r.Close()
	var all []kept
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, kept{string(f.Raw), string(f.Event), string(f.Data), f.HasData, f.Comment, f.Cut})
	}
}

func TestNext(t *testing.T) {
	tests := map[string]struct {
		in   string
		want []kept
	}{
		"nothing": {"", nil},
		"two events": {"data: a\n\ndata:b\n\n", []kept{
			{Raw: "data: a\n\n", Data: "a", HasData: true}, {Raw: "data:b\n\n", Data: "b", HasData: true},
		}},
		"CRLF":                  {"event: x\r\ndata: a\r\n\r\n", []kept{{Raw: "event: x\r\ndata: a\r\n\r\n", Event: "x", Data: "a", HasData: true}}},
		"CR":                    {"data: a\r\rdata: b\r\r", []kept{{Raw: "data: a\r\r", Data: "a", HasData: true}, {Raw: "data: b\r\r", Data: "b", HasData: true}}},
		"line ends mixed":       {"data: a\r\ndata: b\rdata: c\n\r\n", []kept{{Raw: "data: a\r\ndata: b\rdata: c\n\r\n", Data: "a\nb\nc", HasData: true}}},
		"a comment":             {": wait\n\ndata: a\n\n", []kept{{Raw: ": wait\n\n", Comment: true}, {Raw: "data: a\n\n", Data: "a", HasData: true}}},
		"a comment in an event": {": wait\ndata: a\n\n", []kept{{Raw: ": wait\ndata: a\n\n", Data: "a", HasData: true}}},
		"only one space goes":   {"data:  a \n\n", []kept{{Raw: "data:  a \n\n", Data: " a ", HasData: true}}},
		"empty data":            {"data\n\n", []kept{{Raw: "data\n\n", HasData: true}}},
		"an event without data": {"event: ping\n\n", []kept{{Raw: "event: ping\n\n", Event: "ping"}}},
		"other fields":          {"id: 7\nretry: 10\ndata: a\n\n", []kept{{Raw: "id: 7\nretry: 10\ndata: a\n\n", Data: "a", HasData: true}}},
		"a byte order mark":     {"\xEF\xBB\xBFdata: a\n\n", []kept{{Raw: "\xEF\xBB\xBFdata: a\n\n", Data: "a", HasData: true}}},
		"a mark and a blank":    {"\xEF\xBB\xBF\ndata: a\n\n", []kept{{Raw: "\xEF\xBB\xBF\n", Comment: true}, {Raw: "data: a\n\n", Data: "a", HasData: true}}},
		"blank lines to spare":  {"\n\ndata: a\n\n\n", []kept{{Raw: "\n", Comment: true}, {Raw: "\n", Comment: true}, {Raw: "data: a\n\n", Data: "a", HasData: true}, {Raw: "\n", Comment: true}}},
		"no blank at the end":   {"data: a\n", []kept{{Raw: "data: a\n", Data: "a", HasData: true, Cut: true}}},
		"cut in a line":         {"data: a\n\ndata: {\"b", []kept{{Raw: "data: a\n\n", Data: "a", HasData: true}, {Raw: "data: {\"b", Data: "{\"b", HasData: true, Cut: true}}},
		"cut in a comment":      {"data: a\n\n: wa", []kept{{Raw: "data: a\n\n", Data: "a", HasData: true}, {Raw: ": wa", Comment: true}}},
		"JSON, not a stream":    {"{\n  \"error\": 1\n}", []kept{{Raw: "{\n  \"error\": 1\n}", Cut: true}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for way, src := range map[string]io.Reader{"whole": strings.NewReader(tt.in), "by byte": iotest.OneByteReader(strings.NewReader(tt.in)), "with the error": iotest.DataErrReader(strings.NewReader(tt.in))} {
				got, err := readAll(t, src, 0)
				if err != nil {
					t.Fatalf("%s: %v", way, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", way, diff)
				}
			}
		})
	}
}

func TestLongLines(t *testing.T) {
	long := "data: " + strings.Repeat("x", 1<<20) + "\n\n"
	got, err := readAll(t, strings.NewReader(long+"data: b\n\n"), 0)
	if err != nil || len(got) != 2 || got[0].Raw != long || got[1].Data != "b" {
		t.Fatalf("got %d frames, %v; want the long one and b", len(got), err)
	}
	if _, err := readAll(t, strings.NewReader(long), 1<<19); !errors.Is(err, sse.ErrTooLong) {
		t.Errorf("a frame over the limit: got %v, want ErrTooLong", err)
	}
}

func TestSourceFails(t *testing.T) {
	broken := errors.New("reset")
	got, err := readAll(t, io.MultiReader(strings.NewReader("data: a\n\ndata: b"), iotest.ErrReader(broken)), 0)
	if !errors.Is(err, broken) || len(got) != 1 || got[0].Data != "a" {
		t.Errorf("got %v, %v; want a, and the source's own error", got, err)
	}
}

func TestClose(t *testing.T) {
	r := sse.NewReader(strings.NewReader("data: a\n\n"), 0)
	r.Close()
	r.Close()
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("Next after Close: got %v, want io.EOF", err)
	}
}

// pieces gives its bytes in pieces of random length.
type pieces struct {
	rest []byte
	rand *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := min(p.rand.IntN(7), len(p.rest), len(b)) // 0 too
	copy(b, p.rest[:n])
	p.rest = p.rest[n:]
	return n, nil
}

func FuzzCutting(f *testing.F) {
	f.Add([]byte("data: a\n\ndata: b\r\n\r\n: c\n\n"), uint64(1))
	f.Add([]byte("\xEF\xBB\xBFdata: a\r\rdata: b\r\r\n\n"), uint64(2))
	f.Add([]byte("event: x\ndata: é😀\ndata: z\n\n{\n}"), uint64(3))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		want, err := readAll(t, bytes.NewReader(in), 0)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(t, &pieces{in, rand.New(rand.NewPCG(seed, 0))}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("cutting changed the frames of %q (-whole +cut):\n%s", in, diff)
		}
		var all strings.Builder
		for _, k := range want {
			all.WriteString(k.Raw)
		}
		if all.String() != string(in) {
			t.Fatalf("got back %q of %q", all.String(), in)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	var in bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&in, "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"finish_reason\":null}],\"obfuscation\":\"abcdefgh\"}\n\n", i)
	}
	b.SetBytes(int64(in.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r := sse.NewReader(bytes.NewReader(in.Bytes()), 0)
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		r.Close()
	}
}
