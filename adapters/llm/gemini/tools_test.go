package gemini_test

import (
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

var weather = chat.Tool{Name: "weather", Description: "d", Schema: []byte(`{"type":"object","properties":{}}`)}

const weatherJSON = `"tools":[{"functionDeclarations":[{"name":"weather","description":"d","parametersJsonSchema":{"type":"object","properties":{}}}]}]`

// tooled is a request with tools.
func tooled(change func(*chat.Request), tools ...chat.Tool) *chat.Request {
	return with(func(r *chat.Request) {
		r.Tools = tools
		change(r)
	})
}

func nothing(*chat.Request) {}

func TestFunctions(t *testing.T) {
	t.Parallel()
	strict := chat.Tool{Name: "b", Strict: new(true)}
	const strictJSON = `"tools":[{"functionDeclarations":[{"name":"b"}]}]`
	tests := map[string]sentence{
		"nothing said of choice":            {request: tooled(nothing, weather), want: says + `,` + weatherJSON},
		"a choice without tools is nothing": {request: tooled(func(r *chat.Request) { r.ToolChoice.Mode, r.ParallelTools = chat.ToolNone, new(false) }), want: says},
		"parallel calls forbidden": {
			request: tooled(func(r *chat.Request) { r.ParallelTools = new(false) }, weather), want: says + `,` + weatherJSON,
			dropped: []string{"parallel_tool_calls"},
		},
		"parallel calls allowed": {request: tooled(func(r *chat.Request) { r.ParallelTools = new(true) }, weather), want: says + `,` + weatherJSON},
		"a strict schema": {
			request: tooled(nothing, strict), want: says + `,` + strictJSON + `,"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}`,
		},
		"a strict schema, freely": {
			request: tooled(func(r *chat.Request) { r.ToolChoice.Mode = chat.ToolAuto }, strict),
			want:    says + `,` + strictJSON + `,"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}`,
		},
		"a strict schema of a forced call": {
			request: tooled(func(r *chat.Request) { r.ToolChoice.Mode = chat.ToolRequired }, strict),
			want:    says + `,` + strictJSON + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`,
		},
		"a strict schema of an older model": {
			model: "gemini-2.0-flash", request: tooled(nothing, strict), want: says + `,` + strictJSON, dropped: []string{"tools[].function.strict"},
		},
		"a choice of what is not there": {
			request: tooled(func(r *chat.Request) { r.ToolChoice = chat.ToolChoice{Mode: chat.ToolNamed, Name: "other"} }, weather),
			want:    says + `,` + weatherJSON, dropped: []string{"tool_choice"},
		},
		"a mark for the cache": {
			request: tooled(nothing, chat.Tool{Name: "b", Cache: chat.Cache5m}), want: says + `,` + strictJSON, dropped: []string{"tools[].cache_control"},
		},
	}
	for mode, want := range map[chat.ToolMode]string{
		chat.ToolAuto: `{"mode":"AUTO"}`, chat.ToolNone: `{"mode":"NONE"}`, chat.ToolRequired: `{"mode":"ANY"}`,
		chat.ToolNamed: `{"mode":"ANY","allowedFunctionNames":["weather"]}`,
	} {
		tests["choice "+string(mode)] = sentence{
			request: tooled(func(r *chat.Request) { r.ToolChoice = chat.ToolChoice{Mode: mode, Name: "weather"} }, weather),
			want:    says + `,` + weatherJSON + `,"toolConfig":{"functionCallingConfig":` + want + `}`,
		}
	}
	play(t, tests)
}

func TestToolsThatTheVendorRuns(t *testing.T) {
	t.Parallel()
	search := chat.Tool{Name: "web_search", Server: chat.ServerWebSearch}
	code := chat.Tool{Name: "code_execution", Server: chat.ServerCodeExecution}
	of := func(d chat.Dialect, server chat.ServerTool, declaration string) chat.Tool {
		return chat.Tool{Server: server, Foreign: &chat.Foreign{Dialect: d, JSON: []byte(declaration)}}
	}
	const modern = "gemini-3-flash-preview"
	play(t, map[string]sentence{
		"a search and a run of code": {
			request: tooled(nothing, search, code), want: says + `,"tools":[{"googleSearch":{}},{"codeExecution":{}}]`,
		},
		"the vendor's own, as it came": {
			request: tooled(nothing, of(chat.DialectGemini, chat.ServerOther, `{"urlContext":{},"x":1}`)), want: says + `,"tools":[{"urlContext":{},"x":1}]`,
		},
		"another vendor's, which has options": {
			request: tooled(nothing, of(chat.DialectAnthropic, chat.ServerWebSearch, `{"type":"web_search_20250305","name":"web_search","max_uses":3,"user_location":null}`)),
			want:    says + `,"tools":[{"googleSearch":{}}]`, dropped: []string{"tools[0].max_uses"},
		},
		"another vendor's, which nobody else has": {
			request: tooled(nothing, of(chat.DialectResponses, chat.ServerOther, `{"type":"mcp"}`)), want: says, dropped: []string{"tools[0]"},
		},
		"beside functions, which older models refuse": {
			request: tooled(nothing, weather, search), want: says + `,` + weatherJSON, dropped: []string{"tools[1]"},
		},
		"beside functions": {
			model: modern, request: tooled(nothing, weather, search),
			want: says + `,` + weatherJSON[:len(weatherJSON)-1] + `,{"googleSearch":{}}],"toolConfig":{"includeServerSideToolInvocations":true}`,
		},
		"none is to be called": {
			model: modern, request: tooled(func(r *chat.Request) { r.ToolChoice.Mode = chat.ToolNone }, weather, search),
			want: says + `,` + weatherJSON + `,"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}`,
		},
		"none of the vendor's is to be called": {request: tooled(func(r *chat.Request) { r.ToolChoice.Mode = chat.ToolNone }, search), want: says},
		"one must be called": {
			request: tooled(func(r *chat.Request) { r.ToolChoice.Mode = chat.ToolRequired }, search), want: says + `,"tools":[{"googleSearch":{}}]`,
			dropped: []string{"tool_choice"},
		},
		"beside an answer in JSON, which older models refuse": {
			request: tooled(func(r *chat.Request) { r.Format.Kind = chat.FormatJSON }, search), want: says + `,"tools":[{"googleSearch":{}}]`,
			dropped: []string{"response_format"},
		},
	})
}
