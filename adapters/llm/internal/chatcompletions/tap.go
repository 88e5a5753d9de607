package chatcompletions

import (
	"encoding/json"

	"github.com/tidwall/gjson"

	"github.com/forge1/forge1/domain/chat"
)

// reading is what the tap saw in a body or chunk that is passed on.
type reading struct {
	model   string
	usage   *chat.Usage
	failure json.RawMessage // the error, as it stands: the answer's, or else a choice's; nil: none
	finish  chat.Finish     // of the first choice
	content bool            // the client would see a piece of the answer
	tools   bool
	failed  bool // a choice finished with an error
	choices int
	few     [4]choiceReading // the first choices, without a heap
	more    []choiceReading
}

type choiceReading struct {
	index    int
	finished bool
}

// of gives what was read of each choice.
func (t *reading) of() []choiceReading {
	if t.more != nil {
		return t.more
	}
	return t.few[:t.choices]
}

// tap reads an answer or a chunk that is known to be valid JSON.
func tap(b []byte) reading {
	var t reading
	gjson.ParseBytes(b).ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "model":
			t.model = value.Str
		case "error":
			if value.Type != gjson.Null {
				t.failure = json.RawMessage(value.Raw)
			}
		case "usage":
			t.usage = usageOf(value)
		case "choices":
			value.ForEach(func(_, c gjson.Result) bool { t.choice(c); return true })
		}
		return true
	})
	return t
}

func (t *reading) choice(c gjson.Result) {
	var r choiceReading
	var reason string
	called := false
	c.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "index":
			r.index = int(value.Num)
		case "finish_reason":
			reason = value.Str
		case "error":
			if t.failure == nil && value.Type != gjson.Null {
				t.failure = json.RawMessage(value.Raw)
			}
		case "delta", "message":
			called = t.said(value) || called
		}
		return true
	})
	t.tools = t.tools || called
	r.finished = reason != ""
	t.failed = t.failed || reason == finishError
	if r.index == 0 && r.finished {
		t.finish = finishOf(reason, called)
	}
	switch {
	case t.choices < len(t.few):
		t.few[t.choices] = r
	case t.more == nil:
		t.more = append(append(t.more, t.few[:]...), r)
	default:
		t.more = append(t.more, r)
	}
	t.choices++
}

// said looks for content: any member of the delta that holds something, but the role. It reports whether there are tool calls.
func (t *reading) said(value gjson.Result) (called bool) {
	value.ForEach(func(key, v gjson.Result) bool {
		switch {
		case key.Str == "role" || v.Type == gjson.Null || v.Raw == `""` || v.Raw == "[]":
		case key.Str == "tool_calls" || key.Str == "function_call":
			called, t.content = true, true
		default:
			t.content = true
		}
		return true
	})
	return called
}

// usageOf reads usage without decoding what it does not need.
func usageOf(v gjson.Result) *chat.Usage {
	if !v.IsObject() {
		return nil
	}
	var u usage
	v.ForEach(func(key, n gjson.Result) bool {
		switch key.Str {
		case "prompt_tokens":
			u.Prompt = int(n.Num)
		case "completion_tokens":
			u.Completion = int(n.Num)
		case "cost":
			if n.Type == gjson.Number {
				u.Cost = json.Number(n.Raw)
			}
		case "prompt_tokens_details":
			u.PromptOf.Cached, u.PromptOf.CacheWrite = int(n.Get("cached_tokens").Num), int(n.Get("cache_write_tokens").Num)
		case "completion_tokens_details":
			u.CompletionOf.Reasoning = int(n.Get("reasoning_tokens").Num)
		}
		return true
	})
	return u.neutral()
}
