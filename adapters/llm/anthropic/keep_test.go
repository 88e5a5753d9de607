package anthropic_test

import (
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

func TestWhatTheNeutralFormCannotHoldIsNotKept(t *testing.T) {
	t.Parallel()
	with := func(more string) string { return strings.Replace(okBody, `"id"`, more+`,"id"`, 1) }
	tests := map[string]struct {
		body            string
		kept, completed bool
	}{
		"a plain answer":           {okBody, true, true},
		"members that say nothing": {with(`"container":null,"stop_details":null,"stop_sequence":"x"`), true, true},
		"a container":              {with(`"container":{"id":"c"}`), false, true},
		"cut at the limit":         {strings.Replace(okBody, "end_turn", "max_tokens", 1), true, false},
		"paused":                   {strings.Replace(okBody, "end_turn", "pause_turn", 1), true, false},
		"a call by another tool":   {strings.Replace(okBody, `"type":"text"`, `"type":"tool_use","caller":{"type":"code"}`, 1), false, true},
		"a block that is foreign":  {strings.Replace(okBody, `"type":"text"`, `"type":"news","x":{"y":1}`, 1), true, true},
		"no answer":                {`{"type":"error","error":{"type":"api_error"}}`, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := relayOf(chat.DialectAnthropic, nil).Read([]byte(test.body))
			if (got.Response != nil) != test.kept || got.Complete != test.completed {
				t.Errorf("kept %t, complete %t; want %t, %t", got.Response != nil, got.Complete, test.kept, test.completed)
			}
		})
	}
}

func TestGatheringStopsAtWhatTheNeutralFormCannotHold(t *testing.T) {
	t.Parallel()
	end := func(more string) string {
		return event(`{"type":"message_delta","delta":{"stop_reason":"end_turn"`+more+`},"usage":{"output_tokens":1}}`) + closing
	}
	tests := map[string]struct {
		stream          string
		kept, completed bool
	}{
		"a plain answer": {opening + end(""), true, true},
		"a container":    {opening + end(`,"container":{"id":"c"}`), false, true},
		"a novelty":      {opening + event(`{"type":"novelty","x":1}`) + end(""), false, true},
		"no end":         {opening, false, false},
		"an error":       {opening + event(`{"type":"error","error":{"type":"api_error"}}`), false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			add, read := relayOf(chat.DialectAnthropic, nil).Gather()
			for frame := range strings.SplitAfterSeq(test.stream, "\n\n") {
				add([]byte(frame))
			}
			if got := read(); (got.Response != nil) != test.kept || got.Complete != test.completed {
				t.Errorf("kept %t, complete %t; want %t, %t", got.Response != nil, got.Complete, test.kept, test.completed)
			}
		})
	}
}
