package rest_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

func TestHeadersThatMayConcernAVendor(t *testing.T) {
	tests := map[string]struct {
		sent []string
		want map[string]string
	}{
		"none":                {[]string{"X-Stainless-Lang: go", "User-Agent: x"}, nil},
		"of OpenAI":           {[]string{"OpenAI-Beta: assistants=v2"}, map[string]string{"Openai-Beta": "assistants=v2"}},
		"of Anthropic":        {[]string{"anthropic-beta: a", "anthropic-beta: b,c", "anthropic-version: 2023-06-01"}, map[string]string{"Anthropic-Beta": "a, b,c", "Anthropic-Version": "2023-06-01"}},
		"one that is no text": {[]string{"anthropic-beta: \xe9"}, nil},
		"one that is long":    {[]string{"anthropic-beta: " + strings.Repeat("x", 2000)}, nil},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got map[string]string
			w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
				got = c.Header
				return inbound.Answer{Receipt: receipt(), Response: chat.Said("x", "")}, nil
			}
			if a := w.post(chatPath, openAIBody(""), append(tc.sent, aiKey)...); a.status != 200 || !maps.Equal(got, tc.want) {
				t.Errorf("%d: got %q, want %q", a.status, got, tc.want)
			}
		})
	}
}

func TestTheListOfWhatWasDropped(t *testing.T) {
	many := make([]string, 200)
	for i := range many {
		many[i] = strings.Repeat("x", 47) + fmt.Sprintf("%03d", i)
	}
	tests := map[string]struct {
		dropped []string
		want    string
	}{
		"nothing":              {nil, ""},
		"some fields":          {[]string{"seed", "messages[].x"}, "seed, messages[].x"},
		"a field of any name":  {[]string{"a\r\nSet-Cookie: x", "é"}, `a\r\nSet-Cookie: x, \u00e9`},
		"more than there fits": {many, strings.Join(many[:78], ", ") + ", ..."},
		"one of them twice":    {[]string{"seed", "seed"}, "seed"},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
				r := receipt()
				r.Dropped = tc.dropped
				return inbound.Answer{Receipt: r, Response: chat.Said("x", "")}, nil
			}
			if a := w.post(chatPath, openAIBody(""), aiKey); a.header.Get("X-Forge-Dropped") != tc.want || a.header.Get("Set-Cookie") != "" {
				t.Errorf("got %q, want %q", a.header.Get("X-Forge-Dropped"), tc.want)
			}
		})
	}
}

func TestModelsForAnthropicsClients(t *testing.T) {
	w := start(t)
	const version = "anthropic-version: 2023-06-01"
	tests := map[string]struct {
		path   string
		status int
		want   string
	}{
		"all":          {"/v1/models", 200, `{"data":[{"type":"model","id":"auto","display_name":"auto","created_at":"1970-01-01T00:00:00Z"},{"type":"model","id":"auto:general",`},
		"their ends":   {"/v1/models?limit=1000", 200, `"first_id":"auto","last_id":"openrouter/vendor/model:free","has_more":false}`},
		"one":          {"/v1/models/openai/gpt-x", 200, `{"type":"model","id":"openai/gpt-x","display_name":"openai/gpt-x","created_at":"1970-01-01T00:00:00Z"}`},
		"no such":      {"/v1/models/gpt-0", 404, `{"type":"error","error":{"type":"not_found_error",`},
		"none is sent": {"/v1/models", 401, `{"type":"error","error":{"type":"authentication_error",`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			key := "x-api-key: " + aiKey
			if tc.status == 401 {
				key = "X-Nothing: x"
			}
			if a := w.get(tc.path, version, key); a.status != tc.status || !strings.Contains(string(a.body), tc.want) {
				t.Errorf("got %s, want %d %s", a, tc.status, tc.want)
			}
		})
	}
}
