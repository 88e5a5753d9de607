package openai

import (
	"context"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/outbound"
)

// either asks chat completions, or responses where that keeps more of a request. Responses are asked when
//
//   - the conversation carries what they made: signed thoughts, or what their own tools did,
//   - a tool is asked for that OpenAI itself runs, or
//   - a model that thinks is to think while tools are at work, whose thoughts chat completions forget from call to call, or is to show its thoughts.
//
// Chat completions are asked for everything else, and whenever a request holds what responses have no field for and that cannot be dropped: sounds, and,
// in a strict request, stop sequences, several answers, seeds and penalties.
type either struct{ chat, responses outbound.Provider }

// Complete implements outbound.Provider.
func (e *either) Complete(ctx context.Context, to outbound.Target, r *chat.Request) (*chat.Response, error) {
	return e.of(to.Model, r).Complete(ctx, to, r)
}

// Stream implements outbound.Provider.
func (e *either) Stream(ctx context.Context, to outbound.Target, r *chat.Request) (chat.Stream, error) {
	return e.of(to.Model, r).Stream(ctx, to, r)
}

func (e *either) of(model string, r *chat.Request) outbound.Provider {
	if needsChat(r) || !needsResponses(model, r) {
		return e.chat
	}
	return e.responses
}

func needsResponses(model string, r *chat.Request) bool {
	for i := range r.Tools {
		if t := &r.Tools[i]; t.Server != "" && (t.Foreign == nil || t.Foreign.Dialect != chat.DialectOpenAIChat) {
			return true
		}
	}
	for i := range r.Messages {
		if r.Strict && r.Messages[i].Name != "" {
			return true
		}
		for j := range r.Messages[i].Parts {
			switch p := &r.Messages[i].Parts[j]; {
			case p.Signature != nil && p.Signature.Format == chat.FormatOpenAI:
				return true
			case p.Foreign != nil && p.Foreign.Dialect == chat.DialectResponses:
				return true
			}
		}
	}
	return canThink(model) && toThink(r.Thinking) && (r.Thinking.Show || len(r.Tools) > 0)
}

// toThink reports whether a caller asks for thinking.
func toThink(t chat.Thinking) bool {
	effort := t.EffortOr("")
	return effort != "none" && (effort != "" || t.Mode == chat.ThinkingOn || t.Mode == chat.ThinkingAdaptive)
}

// needsChat knows what responses have no field for.
func needsChat(r *chat.Request) bool {
	if r.Strict && (len(r.Stop) > 0 || r.Choices > 1 || r.Seed != nil || r.FrequencyPenalty != nil || r.PresencePenalty != nil) {
		return true
	}
	for i := range r.Messages {
		for j := range r.Messages[i].Parts {
			p := &r.Messages[i].Parts[j]
			if p.Kind == chat.PartAudio || p.Foreign != nil && p.Foreign.Dialect == chat.DialectOpenAIChat {
				return true
			}
		}
	}
	return false
}

// canThink knows the models that think, though some only when they are told to.
func canThink(model string) bool {
	model = base(model)
	return thinks(model) || later(model)
}
