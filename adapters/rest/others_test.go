package rest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// TestModelsInPlaceOfTheModelAreSeen holds it of every field in which a vendor takes them.
func TestModelsInPlaceOfTheModelAreSeen(t *testing.T) {
	tests := map[string]struct {
		path, body string
		want       []string
	}{
		"none":                   {chatPath, openAIBody(`,"models":null,"preset":null`), nil},
		"OpenRouter's list":      {chatPath, openAIBody(`,"models":["a/b","\u0063/d"]`), []string{"a/b", "c/d"}},
		"OpenRouter's preset":    {chatPath, openAIBody(`,"preset":"mine"`), []string{"mine"}},
		"what is no name":        {chatPath, openAIBody(`,"models":["a\nb",1,null,{"model":"m","x":["y"]}]`), []string{"?", "m"}},
		"Anthropic's list":       {messagesPath, messagesBody(`,"fallbacks":[{"model":"a","max_tokens":5},{"model":"b"}]`), []string{"a", "b"}},
		"whichever it may be":    {messagesPath, messagesBody(`,"fallbacks":"default"`), []string{"default"}},
		"Anthropic's, said null": {messagesPath, messagesBody(`,"fallbacks":null`), nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			var got []string
			w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
				got = c.Others
				return inbound.Answer{Receipt: receipt(), Response: chat.Said("x", "")}, nil
			}
			if a := w.post(tc.path, tc.body, aiKey); a.status != 200 || !slices.Equal(got, tc.want) {
				t.Errorf("got %q and %s, want %q", got, a, tc.want)
			}
		})
	}
}
