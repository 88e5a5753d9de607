package gateway

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

var sample = inbound.Receipt{
	Provider: "openai", Model: "gpt-4o-mini", ServedModel: "gpt-4o-mini-2024-07-18", Finish: chat.FinishStop, Dropped: []string{"seed"},
	Usage: chat.Usage{Input: 12, Output: 34, CacheRead: 5, CacheWrite: 6, Reasoning: 7},
	Decision: routing.Decision{
		ID: "d1", At: time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC), Task: routing.Review, PolicyVersion: 3, SnapshotID: "s1",
		Candidates: []routing.Candidate{{Target: routing.Target{Provider: "openai", Model: "gpt-4o-mini"}, Rank: 1, Score: 1.5}},
		Excluded:   []routing.Exclusion{{Target: routing.Target{Provider: "claude", Model: "m"}, Reason: routing.NotConfigured}},
	},
}

// drawn draws an entry of any kind.
func drawn(t *rapid.T) *entry {
	e := &entry{facts: sample, created: time.UnixMicro(rapid.Int64Range(1, 1<<50).Draw(t, "created")).UTC()}
	raw := rapid.SliceOfN(rapid.Byte(), 1, 300)
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 0:
		e.body = raw.Draw(t, "body")
	case 1:
		for range rapid.IntRange(1, 20).Draw(t, "frames") {
			e.frames = append(e.frames, frame{raw: raw.Draw(t, "frame"), usage: rapid.Bool().Draw(t, "usage")})
		}
	default:
		c := chat.Choice{Finish: chat.FinishStop, Parts: []chat.Part{
			{Text: rapid.String().Draw(t, "text")},
			{Kind: chat.PartRefusal, Text: rapid.String().Draw(t, "refusal")},
			{Kind: chat.PartThinking, Signature: &chat.Signature{Format: "f", Data: rapid.String().Draw(t, "signature")}},
		}}
		for range rapid.IntRange(0, 3).Draw(t, "calls") {
			c.Parts = append(c.Parts, chat.Part{Kind: chat.PartToolCall, Call: &chat.ToolCall{
				ID: rapid.String().Draw(t, "id"), Name: "f", Arguments: rapid.String().Draw(t, "arguments"),
			}})
		}
		e.response = &chat.Response{ID: "id", Model: sample.ServedModel, Choices: []chat.Choice{c}}
	}
	return e
}

var plain = []cmp.Option{cmp.AllowUnexported(entry{}, frame{}), cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(routing.Decision{})}

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawn(t)
		b, ok := want.encode()
		if !ok {
			t.Fatal("it was not written")
		}
		got, ok := decodeEntry(b)
		if !ok {
			t.Fatal("it was not read")
		}
		if diff := cmp.Diff(want, got, plain...); diff != "" {
			t.Fatalf("read (-want +got):\n%s", diff)
		}
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if got, ok := decodeEntry(b[:cut]); ok {
			t.Fatalf("cut at %d of %d it was read as %+v", cut, len(b), got)
		}
	})
}

func TestWhatIsNoEntry(t *testing.T) {
	good, _ := (&entry{facts: sample, created: time.Unix(1, 0), body: []byte("body")}).encode()
	tests := map[string][]byte{
		"nothing": nil, "empty": {}, "a version of tomorrow": append([]byte{entryVersion + 1}, good[1:]...), "a kind of tomorrow": append([]byte{entryVersion, 'z'}, good[2:]...),
		"a head longer than all": {entryVersion, 'b', 0xff, 0xff, 0x7f}, "a head of endless length": append([]byte{entryVersion, 'b'}, bytes.Repeat([]byte{0xff}, 11)...),
		"too large": append(good, make([]byte, maxEntry)...),
		"no JSON":   {entryVersion, 'b', 2, '{', '{', 'x'}, "another finish": head(`{"provider":"p","finish":"length"}`), "no provider": head(`{"finish":"stop"}`),
		"no body": head(`{"provider":"p","finish":"stop"}`), "no answer": append([]byte{entryVersion, 'r'}, head(`{"provider":"p","finish":"stop"}`)[2:]...),
	}
	for name, b := range tests {
		if e, ok := decodeEntry(b); ok {
			t.Errorf("%s was read as %+v", name, e)
		}
	}
	for name, e := range map[string]*entry{"nothing": {facts: sample}, "too much": {facts: sample, body: make([]byte, maxEntry)}} {
		if _, ok := e.encode(); ok {
			t.Errorf("%s was written", name)
		}
	}
}

// head is an entry of a body whose head is this, and which has no body.
func head(json string) []byte {
	return append(binary.AppendUvarint([]byte{entryVersion, entryBody}, uint64(len(json))), json...)
}

// FuzzEntry holds that no bytes do harm, and that what is read of them is read the same when it is written again.
func FuzzEntry(f *testing.F) {
	for _, e := range []*entry{
		{facts: sample, created: time.Unix(1, 0), body: []byte(`{"choices":[]}`)},
		{facts: sample, created: time.Unix(2, 0), frames: []frame{{raw: []byte("data: {}\n\n")}, {raw: []byte("data: [DONE]\n\n"), usage: true}}},
		{facts: sample, created: time.Unix(3, 0), response: &chat.Response{Choices: []chat.Choice{{Parts: []chat.Part{
			{Text: "ä"}, {Kind: chat.PartToolCall, Call: &chat.ToolCall{ID: "c", Name: "f", Arguments: "{}"}},
		}}}}},
	} {
		b, ok := e.encode()
		if !ok {
			f.Fatal("a seed was not written")
		}
		f.Add(b)
	}
	f.Add(head(`{"provider":"p","finish":"stop"}`))
	f.Add([]byte{1, 'f', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, ok := decodeEntry(b)
		if !ok {
			return
		}
		again, ok := e.encode()
		if !ok {
			return // it grew: a decision without members, for instance
		}
		got, ok := decodeEntry(again)
		if !ok {
			t.Fatalf("%q was read, and not when it was written again, %q", b, again)
		}
		if diff := cmp.Diff(e, got, plain...); diff != "" {
			t.Fatalf("read again (-first +second):\n%s", diff)
		}
	})
}

func TestNoTwoCallsShareAKey(t *testing.T) {
	type parts struct {
		Tenant, Surface, Dialect, Model, Paper string
		Task                                   routing.TaskType
		SLO                                    int
		Strict                                 bool
		Body                                   byte
	}
	few := rapid.SampledFrom([]string{"", "a", "aa", "a\x00", "1", "11", "true", "auto", "\x00\x00\x00\x01a"})
	draw := rapid.Custom(func(t *rapid.T) parts {
		return parts{
			few.Draw(t, "tenant"), few.Draw(t, "surface"), few.Draw(t, "dialect"), few.Draw(t, "model"), few.Draw(t, "paper"),
			rapid.SampledFrom(routing.TaskTypes()).Draw(t, "task"), rapid.IntRange(0, 11).Draw(t, "slo"), rapid.Bool().Draw(t, "strict"), rapid.ByteRange(0, 2).Draw(t, "body"),
		}
	})
	key := func(p parts) outbound.PromptKey {
		l := &loadedPolicy{}
		l.once.Do(func() { l.sheet = &paper{id: p.Paper} })
		c := &call{
			policy: routing.NewPolicy("t", routing.Defaults{}), loaded: l, wish: wish{task: p.Task},
			in: inbound.Call{
				Caller: inbound.Caller{TenantID: tenant.ID(p.Tenant)}, Surface: inbound.Surface(p.Surface), Dialect: chat.Dialect(p.Dialect), Model: p.Model,
				SLOMs: p.SLO, Strict: p.Strict,
			},
		}
		return c.promptKey([32]byte{p.Body})
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		if (key(a) == key(b)) != (a == b) {
			t.Fatalf("%+v and %+v: one key: %t", a, b, key(a) == key(b))
		}
	})
}
