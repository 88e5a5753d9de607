package gateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

func text(s string) piece           { return piece{chunk: chat.Chunk{Text: s}} }
func finish(f chat.Finish) piece    { return piece{chunk: chat.Chunk{Finish: f}} }
func breaks(class chat.Class) piece { return piece{err: chat.Fail(class, errors.New("played"))} }
func pieces(p ...piece) reply       { return reply{pieces: p} }

func content(raw string) piece {
	return piece{raw: raw, frame: outbound.Frame{Content: true}}
}

func TestAStreamBeforeItsContentFailsOver(t *testing.T) {
	role := piece{chunk: chat.Chunk{Model: "m"}}
	tests := map[string]struct {
		first reply
		tried string
	}{
		"an error first":             {pieces(breaks(chat.ClassServer)), "openrouter server_error"},
		"an error after the role":    {pieces(role, breaks(chat.ClassOverloaded)), "openrouter overloaded"},
		"cut off after the role":     {pieces(role, breaks(chat.ClassCutOff)), "openrouter bad_response"},
		"an end without a finish":    {pieces(role), "openrouter bad_response"},
		"nothing at all":             {reply{pieces: []piece{}}, "openrouter bad_response"},
		"too much before content":    {pieces(many(role, 10_000)...), "openrouter bad_response"},
		"rate limited in the stream": {pieces(piece{err: &chat.Failure{Class: chat.ClassRateLimited, RetryAfter: time.Minute}}), "openrouter rate_limited"},
	}
	for name, tt := range tests {
		for how, call := range map[string]inbound.Call{"translated": request(""), "relayed": relayed("")} {
			t.Run(name+", "+how, func(t *testing.T) {
				in(t, options{}, func(t *testing.T, w *world) {
					w.plays("openrouter", tt.first)
					got := w.streamed(t.Context(), call)
					if got.err != nil || got.text != "hello" {
						t.Fatalf("text %q, error %v; want the second provider's, once", got.text, got.err)
					}
					wantTried(t, got.receipt, tt.tried, "openai ok")
					if got.receipt.Provider != "openai" || got.receipt.ServedModel != "gpt-4o-mini-0001" {
						t.Errorf("served by %s %s, want openai", got.receipt.Provider, got.receipt.ServedModel)
					}
				})
			})
		}
	}
}

func many(p piece, n int) []piece {
	var all []piece
	for range n {
		all = append(all, p)
	}
	return all
}

func TestAStreamThatBreaksAfterContentIsNotTriedAgain(t *testing.T) {
	tests := map[string]struct {
		how     piece
		kind    fault.Kind
		code    string
		outcome string
	}{
		"a server error": {breaks(chat.ClassServer), fault.Upstream, "provider_error", "server_error"},
		"cut off":        {breaks(chat.ClassCutOff), fault.Upstream, "provider_error", "bad_response"},
		"rate limited":   {breaks(chat.ClassRateLimited), fault.Upstream, "provider_error", "rate_limited"},
		"silence":        {breaks(chat.ClassTimeout), fault.Timeout, "provider_timeout", "timeout"},
		"unclassified":   {piece{err: errors.New("boom")}, fault.Upstream, "provider_error", "server_error"},
		"refused midway": {breaks(chat.ClassInvalid), fault.Malformed, "invalid_request", "bad_response"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.plays("openrouter", pieces(text("one "), text("two"), tt.how))
				got := w.streamed(t.Context(), request(""))
				wantFault(t, got.err, tt.kind, tt.code)
				if got.text != "one two" {
					t.Errorf("text %q, want what came, once", got.text)
				}
				wantTried(t, got.receipt, "openrouter "+tt.outcome)
				row := w.row()
				if row.Outcome != tt.code || row.UsageSource != "estimated" || row.InputTokens != 100 || row.OutputTokens != 2 {
					t.Errorf("row %s, usage %s %d and %d; want %s, estimated 100 and 2", row.Outcome, row.UsageSource, row.InputTokens, row.OutputTokens, tt.code)
				}
			})
		})
	}
}

func TestWhenAStreamIsComplete(t *testing.T) {
	tests := map[string]struct {
		script []piece
		code   string // "": complete
	}{
		"finish and end":                     {[]piece{text("x"), finish(chat.FinishStop)}, ""},
		"finish, then silence":               {[]piece{text("x"), finish(chat.FinishStop), breaks(chat.ClassTimeout)}, ""},
		"finish, then reset":                 {[]piece{text("x"), finish(chat.FinishLength), breaks(chat.ClassConnect)}, ""},
		"finish, then an error":              {[]piece{text("x"), finish(chat.FinishLength), breaks(chat.ClassServer)}, "provider_error"},
		"a finish that was one of several":   {[]piece{text("x"), finish(chat.FinishStop), breaks(chat.ClassCutOff)}, "provider_error"},
		"a finish without content":           {[]piece{finish(chat.FinishContentFilter)}, ""},
		"an end without finish":              {[]piece{text("x")}, "provider_error"},
		"a tool's call, finished":            {[]piece{{chunk: chat.Chunk{Tool: &chat.ToolDelta{Name: "f", Arguments: "{}"}}}, finish(chat.FinishToolCalls)}, ""},
		"usage after the finish, then reset": {[]piece{text("x"), finish(chat.FinishStop), {chunk: chat.Chunk{Usage: &chat.Usage{Input: 7, Output: 3}}}, breaks(chat.ClassConnect)}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.plays("openai", pieces(tt.script...))
				got := w.streamed(t.Context(), request("gpt-4o-mini"))
				if tt.code == "" && got.err != nil {
					t.Fatal(got.err)
				}
				if tt.code != "" {
					wantFault(t, got.err, fault.Upstream, tt.code)
				}
				row := w.row()
				if want := cmpOr(tt.code, "ok"); row.Outcome != want {
					t.Errorf("outcome %s, want %s", row.Outcome, want)
				}
			})
		})
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func TestWhatCameBeforeTheContentIsReplayed(t *testing.T) {
	usage := &chat.Usage{Input: 9, Output: 4}
	script := pieces(
		piece{raw: ": ping\n\n", frame: outbound.Frame{Comment: true}},
		piece{raw: "data: role\n\n", frame: outbound.Frame{Model: "m-1"}},
		piece{raw: "data: more of the role\n\n"},
		content("data: he\n\n"),
		piece{raw: ": ping again\n\n", frame: outbound.Frame{Comment: true}},
		content("data: llo\n\n"),
		piece{raw: "data: end\n\n", frame: outbound.Frame{Finish: chat.FinishStop}},
		piece{raw: "data: usage\n\n", frame: outbound.Frame{UsageOnly: true, Usage: usage}},
		piece{raw: "data: [DONE]\n\n"},
	)
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", script)
		s, err := w.Stream(t.Context(), relayed("gpt-4o-mini"))
		if err != nil {
			t.Fatal(err)
		}
		if !s.Relayed || s.Head.Provider != "openai" || s.Head.Model != "gpt-4o-mini" || s.Head.ServedModel != "m-1" || s.Head.CallID == "" {
			t.Errorf("relayed %t, head %+v", s.Relayed, s.Head)
		}
		got := collect(s)
		if got.err != nil {
			t.Fatal(got.err)
		}
		want := ": ping\n\ndata: role\n\ndata: more of the role\n\ndata: he\n\n: ping again\n\ndata: llo\n\ndata: end\n\ndata: usage\n\ndata: [DONE]\n\n"
		if got.text != want {
			t.Errorf("bytes\n%q, want\n%q", got.text, want)
		}
		if !got.pieces[4].Comment || !got.pieces[7].UsageOnly || got.pieces[7].Chunk.Usage != usage || got.pieces[6].Chunk.Finish != chat.FinishStop {
			t.Errorf("pieces %+v do not say what they are", got.pieces)
		}
		r := got.receipt
		if r.Finish != chat.FinishStop || r.Usage != *usage || r.UsageSource != chat.UsageProvider {
			t.Errorf("finish %s, usage %+v by %s; want those of the frames", r.Finish, r.Usage, r.UsageSource)
		}
		if string(w.vendors["openai"].bodies[0]) != `{"model":"x"}` || w.vendors["openai"].seen[0] != nil {
			t.Error("the body was not handed over as it is")
		}
	})
}

func TestTheReaderStops(t *testing.T) {
	long := func() reply { return pieces(text("some words of an answer"), piece{after: time.Hour}) }
	tests := map[string]func(t *testing.T, w *world, s inbound.StreamAnswer, leave func()){
		"by leaving the loop": func(_ *testing.T, _ *world, s inbound.StreamAnswer, _ func()) {
			for range s.Pieces {
				break
			}
		},
		"by closing before the first piece": func(_ *testing.T, _ *world, s inbound.StreamAnswer, _ func()) { s.Close() },
		"by closing twice":                  func(_ *testing.T, _ *world, s inbound.StreamAnswer, _ func()) { s.Close(); s.Close() },
		"by closing while it reads": func(t *testing.T, _ *world, s inbound.StreamAnswer, _ func()) {
			time.AfterFunc(time.Second, s.Close)
			wantFault(t, collect(s).err, fault.Canceled, "canceled")
		},
		"by ending the context": func(t *testing.T, _ *world, s inbound.StreamAnswer, leave func()) {
			time.AfterFunc(time.Second, leave)
			wantFault(t, collect(s).err, fault.Canceled, "canceled")
		},
		"by a panic": func(t *testing.T, _ *world, s inbound.StreamAnswer, _ func()) {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			for range s.Pieces {
				panic("the connection is gone")
			}
		},
	}
	for name, stop := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, options{}, func(t *testing.T, w *world) {
				w.plays("openai", long())
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				s, err := w.Stream(ctx, request("gpt-4o-mini"))
				if err != nil {
					t.Fatal(err)
				}
				began := now()
				stop(t, w, s, leave)
				if took := now().Sub(began); took > time.Second+time.Millisecond {
					t.Errorf("the upstream call went on for %v", took)
				}
				synctest.Wait()
				if open := w.vendors["openai"].open; open != 0 {
					t.Errorf("%d upstream calls are open", open)
				}
				wantTried(t, s.Receipt(), "openai canceled")
				row := w.row()
				if row.Outcome != "canceled" || row.UsageSource != "estimated" || row.InputTokens != 100 || row.OutputTokens != 6 || row.CostNanos == nil {
					t.Errorf("row %+v, want the usage so far: 100 and 6 tokens, estimated and priced", row)
				}
				view := w.circuits.View(outbound.Circuit{Provider: "openai", Model: "gpt-4o-mini", Credential: "openai-1"})
				if view != (outbound.CircuitView{}) {
					t.Errorf("the breaker is %+v, want it untouched", view)
				}
				for range s.Pieces {
					t.Error("a stream that has ended yields a piece")
				}
			})
		})
	}
}

func TestAReaderThatStopsAtTheFinishHasTheWholeAnswer(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", pieces(text("x"), finish(chat.FinishStop), piece{after: time.Hour}))
		s, err := w.Stream(t.Context(), request("gpt-4o-mini"))
		if err != nil {
			t.Fatal(err)
		}
		for p := range s.Pieces {
			if p.Chunk.Finish != "" {
				break
			}
		}
		wantTried(t, s.Receipt(), "openai ok")
		if row := w.row(); row.Outcome != "ok" {
			t.Errorf("outcome %s, want ok", row.Outcome)
		}
	})
}

func TestStreamsHaveADeadlineOfTheirOwn(t *testing.T) {
	in(t, options{settings: gateway.Settings{RequestTimeout: time.Second, StreamTimeout: time.Minute}}, func(t *testing.T, w *world) {
		w.plays("openai", pieces(piece{after: 10 * time.Second, chunk: chat.Chunk{Text: "x"}}, piece{after: time.Hour}))
		began := now()
		got := w.streamed(t.Context(), request("gpt-4o-mini"))
		wantFault(t, got.err, fault.Timeout, "provider_timeout")
		if took := now().Sub(began); took < time.Minute || took > time.Minute+time.Millisecond {
			t.Errorf("it took %v, want the streams' minute", took)
		}
		wantTried(t, got.receipt, "openai timeout")
		if row := w.row(); row.FirstByteMs != 10_000 || row.LatencyMs != 60_000 || !row.Stream {
			t.Errorf("first byte after %d ms of %d, stream %t; want 10,000 of 60,000", row.FirstByteMs, row.LatencyMs, row.Stream)
		}
	})
}

func TestASlowReaderIsNotTheVendorsLatency(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openai", reply{after: time.Second, pieces: []piece{text("a"), {after: time.Second, chunk: chat.Chunk{Text: "b"}}, finish(chat.FinishStop)}})
		s, err := w.Stream(t.Context(), request("gpt-4o-mini"))
		if err != nil {
			t.Fatal(err)
		}
		for range s.Pieces {
			time.Sleep(time.Minute)
		}
		got, _ := w.latencies.P95(routing.General, routing.Target{Provider: "openai", Model: "gpt-4o-mini"})
		if got.Samples != 1 || got.P95Ms < 1980 || got.P95Ms > 2020 {
			t.Errorf("latency %+v, want one sample of 2 s", got)
		}
	})
}

func TestUsageOfFramesIsEstimatedByTheirText(t *testing.T) {
	envelope := strings.Repeat("e", 250)
	in(t, options{}, func(t *testing.T, w *world) {
		script := []piece{{raw: envelope + "role"}}
		script = append(script, content(envelope+strings.Repeat("x", 44)))
		for range 10 {
			script = append(script, content(envelope+"abcd"))
		}
		script = append(script, piece{raw: "end", frame: outbound.Frame{Finish: chat.FinishStop}})
		w.plays("openai", pieces(script...))
		got := w.streamed(t.Context(), relayed("gpt-4o-mini"))
		if got.err != nil {
			t.Fatal(got.err)
		}
		// Eleven frames of one token, and forty bytes more in one of them.
		if u := got.receipt.Usage; u.Output != 21 || u.Input != 100 || got.receipt.UsageSource != chat.UsageEstimated {
			t.Errorf("usage %+v by %s, want 100 and 21 estimated", u, got.receipt.UsageSource)
		}
	})
}

func TestAnAttemptThatFailedLeavesItsBillAlone(t *testing.T) {
	in(t, options{}, func(t *testing.T, w *world) {
		w.plays("openrouter", pieces(
			piece{chunk: chat.Chunk{Model: "first", Usage: &chat.Usage{Input: 999}, Dropped: []string{"seed"}}}, breaks(chat.ClassServer),
		))
		w.plays("openai", reply{silent: true})
		got := w.streamed(t.Context(), request(""))
		if got.err != nil {
			t.Fatal(got.err)
		}
		r := got.receipt
		if r.ServedModel != "gpt-4o-mini-0001" || len(r.Dropped) != 0 {
			t.Errorf("receipt says model %s, dropped %v; want nothing of the first attempt", r.ServedModel, r.Dropped)
		}
		if r.Usage.Input != 999+100 || r.UsageSource != chat.UsageEstimated {
			t.Errorf("usage %+v by %s, want what the vendor of the first attempt reported and the estimate of the second", r.Usage, r.UsageSource)
		}
		if first := w.row().Attempts[0]; first.InputTokens != 999 || first.UsageSource != "provider" || first.ServedModel != "first" {
			t.Errorf("first attempt %+v, want its own bill", first)
		}
	})
}
