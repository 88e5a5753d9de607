package matrix_test

import (
	"reflect"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

// object is one of a client API's request objects: the client library knows its fields, the table has a value of each.
type object struct {
	name   string       // as it is shown
	path   string       // of the surface
	params reflect.Type // what the client library fills in
	base   string       // a body that holds the object
	at     []any        // where in the body
	values map[string]string
	given  string // fields that the base has, or that say what kind of object it is
}

const (
	chatTools = `"tools":[{"type":"function","function":{"name":"get_weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}},` +
		`{"type":"function","function":{"name":"get_time"}}]`
	chatBase      = `{"model":"%s","messages":[{"role":"user","content":"Say what you say."}]}`
	chatToolBase  = `{"model":"%s",` + chatTools + `,"messages":[{"role":"user","content":"Say what you say."}]}`
	responseTools = `"tools":[{"type":"function","name":"get_weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}]`
	responseBase  = `{"model":"%s","input":[{"type":"message","role":"user","content":"Say what you say."}]}`
	responseTool  = `{"model":"%s",` + responseTools + `,"input":[{"type":"message","role":"user","content":"Say what you say."}]}`
	messageTools  = `"tools":[{"name":"get_weather","description":"d","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}]`
	messageBase   = `{"model":"%s","max_tokens":4096,"messages":[{"role":"user","content":"Say what you say."}]}`
	messageTool   = `{"model":"%s","max_tokens":4096,` + messageTools + `,"messages":[{"role":"user","content":"Say what you say."}]}`
	pngURL        = `data:image/png;base64,` + pixel
	schemaText    = `{"type":"object","properties":{"answer":{"type":"string"}},"required":["answer"],"additionalProperties":false}`
	ephemeral     = `{"type":"ephemeral"}`
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// within puts a part into the base of a surface.
func chatParts(part string) string {
	return `{"model":"%s","messages":[{"role":"user","content":[{"type":"text","text":"Say."},` + part + `]}]}`
}

func responseItem(item string) string {
	return `{"model":"%s",` + responseTools + `,"input":[{"type":"message","role":"user","content":"Say what you say."},` + item + `]}`
}

func responseParts(part string) string {
	return responseItem(`{"type":"message","role":"user","content":[` + part + `]}`)
}

func messageParts(block string) string {
	return `{"model":"%s","max_tokens":4096,` + messageTools + `,"messages":[{"role":"user","content":[{"type":"text","text":"Say."},` + block + `]}]}`
}

const (
	chatTurn = `{"model":"%s",` + chatTools + `,"messages":[{"role":"user","content":"Say."},{"role":"assistant","content":"So.",` +
		`"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},` +
		`{"role":"tool","tool_call_id":"call_1","content":"Sun."}]}`
	messageTurn = `{"model":"%s","max_tokens":4096,` + messageTools + `,"messages":[{"role":"user","content":"Say."},{"role":"assistant","content":[` +
		`{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Rome"}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"Sun."}]}]}`
	responseCall = `{"type":"function_call","call_id":"call_1","name":"get_weather","arguments":"{\"city\":\"Rome\"}"},` +
		`{"type":"function_call_output","call_id":"call_1","output":"Sun."}`
)

var objects = []object{
	{"chat", "/v1/chat/completions", typeOf[openai.ChatCompletionNewParams](), chatToolBase, nil, map[string]string{
		"frequency_penalty": "0.5", "logprobs": "true", "max_completion_tokens": "77", "max_tokens": "77", "n": "2", "presence_penalty": "0.5",
		"prompt_cache_key": `"canary"`, "safety_identifier": `"canary"`, "seed": "77", "store": "true", "temperature": "0.77", "top_logprobs": "3", "top_p": "0.77",
		"parallel_tool_calls": "false", "user": `"canary"`, "audio": `{"voice":"alloy","format":"mp3"}`, "logit_bias": `{"50256":-100}`, "metadata": `{"canary":"x"}`,
		"modalities": `["text","audio"]`, "moderation": `{"model":"omni-moderation-latest"}`, "prompt_cache_retention": `"24h"`, "reasoning_effort": `"high"`, "service_tier": `"flex"`,
		"stop": `["canary"]`, "stream_options": `{"include_usage":true}`, "verbosity": `"low"`, "function_call": `"none"`, "functions": `[{"name":"canary"}]`,
		"prediction": `{"type":"content","content":"canary"}`, "prompt_cache_options": `{"mode":"explicit"}`,
		"response_format": `{"type":"json_schema","json_schema":{"name":"canary","schema":` + schemaText + `}}`,
		"tool_choice":     `"required"`, "web_search_options": `{"search_context_size":"high"}`,
	}, "messages model tools"},
	{"chat json mode", "/v1/chat/completions", nil, chatBase, nil, map[string]string{
		"response_format": `{"type":"json_object"}`, "reasoning": `{"effort":"high"}`, "top_k": "7", "models": `["canary"]`, "route": `"fallback"`, "provider": `{"order":["canary"]}`,
		"min_p": "0.5", "top_a": "0.5", "repetition_penalty": "1.5", "transforms": `["canary"]`, "canary": "1", "include_reasoning": "true", "plugins": `[{"id":"web"}]`,
		"max_tool_calls": "3",
	}, ""},
	{"chat tool_choice", "/v1/chat/completions", nil, chatToolBase, nil, map[string]string{
		"tool_choice": `{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"get_weather"}}]}}`,
	}, ""},
	{"chat named tool", "/v1/chat/completions", nil, chatToolBase, nil, map[string]string{"tool_choice": `{"type":"function","function":{"name":"get_weather"}}`}, ""},
	{"chat no tool", "/v1/chat/completions", nil, chatToolBase, nil, map[string]string{"tool_choice": `"none"`}, ""},
	{"chat custom tool", "/v1/chat/completions", nil, chatBase, nil, map[string]string{
		"tools": `[{"type":"custom","custom":{"name":"canary","description":"x","format":{"type":"grammar","grammar":{"definition":"canary","syntax":"lark"}}}}]`,
	}, ""},
	{
		"chat system", "/v1/chat/completions", typeOf[openai.ChatCompletionSystemMessageParam](), `{"model":"%s","messages":[{"role":"system","content":"Be."},{"role":"user","content":"Say."}]}`,
		[]any{"messages", 0},
		map[string]string{"name": `"canary"`},
		"role content",
	},
	{"chat user", "/v1/chat/completions", typeOf[openai.ChatCompletionUserMessageParam](), chatBase, []any{"messages", 0}, map[string]string{"name": `"canary"`, "canary": "1"}, "role content"},
	{"chat assistant", "/v1/chat/completions", typeOf[openai.ChatCompletionAssistantMessageParam](), chatTurn, []any{"messages", 1}, map[string]string{
		"name": `"canary"`, "refusal": `"canary"`, "audio": `{"id":"audio_canary"}`, "function_call": `{"name":"canary","arguments":"{}"}`,
		"reasoning": `"canary"`, "reasoning_details": `[{"type":"reasoning.text","text":"canary","signature":"c2ln","format":"acme-v1"}]`,
	}, "role content tool_calls"},
	{"chat tool message", "/v1/chat/completions", typeOf[openai.ChatCompletionToolMessageParam](), chatTurn, []any{"messages", 2}, map[string]string{"canary": "1"}, "role content tool_call_id"},
	{
		"chat text part", "/v1/chat/completions", typeOf[openai.ChatCompletionContentPartTextParam](), chatParts(`{"type":"text","text":"x"}`),
		[]any{"messages", 0, "content", 1},
		map[string]string{"prompt_cache_breakpoint": `{"type":"canary"}`, "cache_control": ephemeral, "canary": "1"},
		"type text",
	},
	{
		"chat image part", "/v1/chat/completions", typeOf[openai.ChatCompletionContentPartImageParam](), chatParts(`{"type":"image_url","image_url":{"url":"` + pngURL + `"}}`),
		[]any{"messages", 0, "content", 1},
		map[string]string{"prompt_cache_breakpoint": `{"type":"canary"}`},
		"type image_url",
	},
	{
		"chat image", "/v1/chat/completions", typeOf[openai.ChatCompletionContentPartImageImageURLParam](), chatParts(`{"type":"image_url","image_url":{"url":"` + pngURL + `"}}`),
		[]any{"messages", 0, "content", 1, "image_url"},
		map[string]string{"detail": `"low"`, "canary": "1"},
		"url",
	},
	{
		"chat file", "/v1/chat/completions", typeOf[openai.ChatCompletionContentPartFileFileParam](), chatParts(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0xLjQK"}}`),
		[]any{"messages", 0, "content", 1, "file"},
		map[string]string{"file_id": `"file-canary"`, "canary": "1"},
		"filename file_data",
	},
	{"chat any part", "/v1/chat/completions", nil, chatParts(`{"type":"text","text":"x"}`), []any{"messages", 0, "content"}, map[string]string{
		"1": `{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}`,
	}, ""},
	{"chat url part", "/v1/chat/completions", nil, chatParts(`{"type":"text","text":"x"}`), []any{"messages", 0, "content"}, map[string]string{
		"1": `{"type":"image_url","image_url":{"url":"https://example.com/canary.png"}}`,
	}, ""},
	{"chat video part", "/v1/chat/completions", nil, chatParts(`{"type":"text","text":"x"}`), []any{"messages", 0, "content"}, map[string]string{
		"1": `{"type":"video_url","video_url":{"url":"https://example.com/canary.mp4"}}`,
	}, ""},
	{"chat function", "/v1/chat/completions", typeOf[openai.FunctionDefinitionParam](), chatToolBase, []any{"tools", 0, "function"}, map[string]string{"strict": "true", "canary": "1"}, "name description parameters"},
	{"chat tool", "/v1/chat/completions", typeOf[openai.ChatCompletionFunctionToolParam](), chatToolBase, []any{"tools", 0}, map[string]string{"canary": "1", "cache_control": ephemeral}, "function type"},
	{"chat stream_options", "/v1/chat/completions", typeOf[openai.ChatCompletionStreamOptionsParam](), chatToolBase, nil, map[string]string{"stream_options": `{"canary":true}`}, "include_obfuscation include_usage"},
	{
		"chat json_schema", "/v1/chat/completions", nil, `{"model":"%s","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":` + schemaText + `}}}`,
		[]any{"response_format", "json_schema"},
		map[string]string{"strict": "true", "description": `"canary"`, "canary": "1"},
		"",
	},

	{"responses", "/v1/responses", typeOf[responses.ResponseNewParams](), responseTool, nil, map[string]string{
		"background": "true", "instructions": `"canary"`, "max_output_tokens": "77", "max_tool_calls": "3", "parallel_tool_calls": "false", "previous_response_id": `"resp_canary"`,
		"prompt_cache_key": `"canary"`, "safety_identifier": `"canary"`, "store": "false", "temperature": "0.77", "top_logprobs": "3", "top_p": "0.77", "user": `"canary"`,
		"context_management": `[{"type":"compaction","compact_threshold":1000}]`, "conversation": `"conv_canary"`, "include": `["message.output_text.logprobs"]`, "metadata": `{"canary":"x"}`,
		"moderation": `{"model":"canary"}`, "prompt": `{"id":"pmpt_canary"}`, "prompt_cache_retention": `"24h"`, "service_tier": `"flex"`, "stream_options": `{"include_obfuscation":false}`,
		"truncation": `"auto"`, "access_programs": `["canary"]`, "prompt_cache_options": `{"mode":"explicit"}`, "reasoning": `{"effort":"high","summary":"auto"}`,
		"text": `{"verbosity":"low"}`, "tool_choice": `"required"`, "canary": "1",
	}, "input model tools"},
	{"responses others", "/v1/responses", nil, responseTool, nil, map[string]string{
		"include": `["file_search_call.results"]`, "text": `{"format":{"type":"json_schema","name":"n","schema":` + schemaText + `}}`,
		"tool_choice": `{"type":"function","name":"get_weather"}`, "reasoning": `{"effort":"high"}`,
	}, ""},
	{"responses json mode", "/v1/responses", nil, responseTool, nil, map[string]string{
		"text": `{"format":{"type":"json_object"}}`, "tool_choice": `{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"get_weather"}]}`,
	}, ""},
	{"responses reasoning", "/v1/responses", typeOf[openai.ReasoningParam](), `{"model":"%s","input":"x","reasoning":{"effort":"high"}}`, []any{"reasoning"}, map[string]string{
		"context": `"canary"`, "generate_summary": `"auto"`, "summary": `"detailed"`, "mode": `"canary"`, "canary": "1",
	}, "effort"},
	{"responses text", "/v1/responses", typeOf[responses.ResponseTextConfigParam](), `{"model":"%s","input":"x","text":{}}`, []any{"text"}, map[string]string{"verbosity": `"low"`, "canary": "1"}, "format"},
	{"responses function", "/v1/responses", typeOf[responses.FunctionToolParam](), responseTool, []any{"tools", 0}, map[string]string{
		"strict": "true", "async": "true", "defer_loading": "true", "allowed_callers": `["canary"]`, "output_schema": `{"type":"object"}`, "canary": "1",
	}, "type name description parameters"},
	{
		"responses message", "/v1/responses", typeOf[responses.EasyInputMessageParam](), responseItem(`{"type":"message","role":"assistant","content":"So."},{"role":"user","content":"x"}`),
		[]any{"input", 1},
		map[string]string{"phase": `"commentary"`, "canary": "1"},
		"type role content",
	},
	{
		"responses text part", "/v1/responses", typeOf[responses.ResponseInputTextParam](), responseParts(`{"type":"input_text","text":"x"}`),
		[]any{"input", 1, "content", 0},
		map[string]string{"prompt_cache_breakpoint": `{"type":"canary"}`},
		"type text",
	},
	{
		"responses image part", "/v1/responses", typeOf[responses.ResponseInputImageParam](), responseParts(`{"type":"input_image","image_url":"` + pngURL + `"}`),
		[]any{"input", 1, "content", 0},
		map[string]string{"detail": `"low"`, "file_id": `"file-canary"`, "prompt_cache_breakpoint": `{"type":"canary"}`},
		"type image_url",
	},
	{
		"responses file part", "/v1/responses", typeOf[responses.ResponseInputFileParam](), responseParts(`{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0xLjQK"}`),
		[]any{"input", 1, "content", 0},
		map[string]string{
			"detail": `"low"`, "file_id": `"file-canary"`, "file_url": `"https://example.com/canary.pdf"`, "prompt_cache_breakpoint": `{"type":"canary"}`,
		},
		"type filename file_data",
	},
	{"responses call", "/v1/responses", typeOf[responses.ResponseFunctionToolCallParam](), responseItem(responseCall), []any{"input", 1}, map[string]string{
		"id": `"fc_canary"`, "async": "true", "namespace": `"canary"`, "caller": `{"type":"canary"}`, "status": `"completed"`,
	}, "type call_id name arguments"},
	{"responses output", "/v1/responses", typeOf[responses.ResponseInputItemFunctionCallOutputParam](), responseItem(responseCall), []any{"input", 2}, map[string]string{
		"name": `"get_weather"`, "namespace": `"canary"`, "id": `"fco_canary"`, "status": `"completed"`, "caller": `{"type":"canary"}`, "canary": "1",
	}, "type call_id output"},

	{"messages", "/v1/messages", typeOf[anthropic.BetaMessageNewParams](), messageTool, nil, map[string]string{
		"inference_geo": `"us"`, "temperature": "0.77", "top_k": "7", "top_p": "0.77", "container": `"canary"`, "speed": `"fast"`, "cache_control": ephemeral, "diagnostics": `{"canary":1}`,
		"metadata": `{"user_id":"canary"}`, "output_config": `{"effort":"high"}`, "service_tier": `"standard_only"`, "stop_sequences": `["canary"]`, "system": `"canary"`,
		"thinking": `{"type":"enabled","budget_tokens":1024}`, "tool_choice": `{"type":"any"}`, "fallback_credit_token": `"canary"`, "fallbacks": `[{"model":"canary"}]`,
		"compaction": `{"canary":1}`, "context_management": `{"edits":[{"type":"clear_tool_uses_20250919"}]}`, "mcp_servers": `[{"type":"url","url":"https://example.com","name":"canary"}]`,
		"output_format": `{"type":"json_schema","schema":` + schemaText + `}`, "canary": "1",
	}, "model messages max_tokens tools"},
	{"messages others", "/v1/messages", typeOf[anthropic.MessageNewParams](), messageTool, nil, map[string]string{
		"output_config": `{"format":{"type":"json_schema","schema":` + schemaText + `}}`, "thinking": `{"type":"adaptive"}`, "tool_choice": `{"type":"tool","name":"get_weather","disable_parallel_tool_use":true}`,
	}, "*"},
	{"messages no thinking", "/v1/messages", nil, messageTool, nil, map[string]string{
		"thinking": `{"type":"disabled"}`, "tool_choice": `{"type":"auto","disable_parallel_tool_use":true}`, "metadata": `{"canary":"1"}`,
		"output_config": `{"canary":"high"}`,
	}, ""},
	{
		"messages thinking", "/v1/messages", typeOf[anthropic.ThinkingConfigEnabledParam](), `{"model":"%s","max_tokens":4096,"messages":[{"role":"user","content":"x"}],"thinking":{"type":"enabled","budget_tokens":1024}}`,
		[]any{"thinking"},
		map[string]string{"display": `"omitted"`, "canary": "1"},
		"type budget_tokens",
	},
	{"messages none", "/v1/messages", nil, messageTool, nil, map[string]string{"tool_choice": `{"type":"none"}`}, ""},
	{"messages message", "/v1/messages", typeOf[anthropic.MessageParam](), messageBase, []any{"messages", 0}, map[string]string{"canary": "1"}, "role content"},
	{"messages text", "/v1/messages", typeOf[anthropic.TextBlockParam](), messageParts(`{"type":"text","text":"x"}`), []any{"messages", 0, "content", 1}, map[string]string{
		"citations": `[{"type":"char_location","cited_text":"canary","document_index":0,"document_title":"t","start_char_index":0,"end_char_index":1}]`, "cache_control": ephemeral, "canary": "1",
	}, "type text"},
	{
		"messages image", "/v1/messages", typeOf[anthropic.ImageBlockParam](), messageParts(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + pixel + `"}}`),
		[]any{"messages", 0, "content", 1},
		map[string]string{"cache_control": ephemeral, "transformations": `[{"type":"canary"}]`, "source": `{"type":"file","file_id":"file_canary"}`},
		"type source",
	},
	{
		"messages document", "/v1/messages", typeOf[anthropic.DocumentBlockParam](), messageParts(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjQK"}}`),
		[]any{"messages", 0, "content", 1},
		map[string]string{
			"context": `"canary"`, "title": `"canary"`, "cache_control": ephemeral, "citations": `{"enabled":true}`, "source": `{"type":"text","media_type":"text/plain","data":"canary"}`,
		},
		"type source",
	},
	{
		"messages document by url", "/v1/messages", nil, messageParts(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjQK"}}`),
		[]any{"messages", 0, "content", 1},
		map[string]string{"source": `{"type":"url","url":"https://example.com/canary.pdf"}`},
		"",
	},
	{
		"messages document of blocks", "/v1/messages", nil, messageParts(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjQK"}}`),
		[]any{"messages", 0, "content", 1},
		map[string]string{"source": `{"type":"content","content":[{"type":"text","text":"canary"}]}`},
		"",
	},
	{"messages blocks", "/v1/messages", nil, messageParts(`{"type":"text","text":"x"}`), []any{"messages", 0, "content"}, map[string]string{
		"1": `{"type":"search_result","source":"https://example.com","title":"canary","content":[{"type":"text","text":"canary"}],"citations":{"enabled":true}}`,
	}, ""},
	{"messages upload", "/v1/messages", nil, messageParts(`{"type":"text","text":"x"}`), []any{"messages", 0, "content"}, map[string]string{
		"1": `{"type":"container_upload","file_id":"file_canary"}`,
	}, ""},
	{"messages call", "/v1/messages", typeOf[anthropic.ToolUseBlockParam](), messageTurn, []any{"messages", 1, "content", 0}, map[string]string{
		"toolset_name": `"canary"`, "cache_control": ephemeral, "caller": `{"type":"canary"}`,
	}, "type id name input"},
	{"messages result", "/v1/messages", typeOf[anthropic.ToolResultBlockParam](), messageTurn, []any{"messages", 2, "content", 0}, map[string]string{
		"toolset_name": `"canary"`, "is_error": "true", "cache_control": ephemeral,
	}, "type tool_use_id content"},
	{"messages tool", "/v1/messages", typeOf[anthropic.ToolParam](), messageTool, []any{"tools", 0}, map[string]string{
		"eager_input_streaming": "true", "defer_loading": "true", "strict": "true", "allowed_callers": `["canary"]`, "cache_control": ephemeral, "input_examples": `[{"city":"canary"}]`,
		"type": `"custom"`, "canary": "1",
	}, "name description input_schema"},

	{"count", "/v1/messages/count_tokens", typeOf[anthropic.BetaMessageCountTokensParams](), `{"model":"%s",` + messageTools + `,"messages":[{"role":"user","content":"Say what you say."}]}`, nil, map[string]string{
		"cache_control": ephemeral, "context_management": `{"edits":[{"type":"clear_tool_uses_20250919"}]}`, "mcp_servers": `[{"type":"url","url":"https://example.com","name":"canary"}]`,
		"output_config": `{"effort":"high"}`, "output_format": `{"type":"json_schema","schema":` + schemaText + `}`, "speed": `"fast"`, "system": `"canary"`,
		"thinking": `{"type":"enabled","budget_tokens":1024}`, "tool_choice": `{"type":"any"}`, "compaction": `{"canary":1}`, "canary": "1",
	}, "model messages tools"},
	{"embeddings", "/v1/embeddings", typeOf[openai.EmbeddingNewParams](), `{"model":"%s","input":"x"}`, nil, map[string]string{
		"dimensions": "2", "user": `"canary"`, "encoding_format": `"base64"`, "canary": "1", "input_type": `"search_query"`, "provider": `{"order":["canary"]}`,
	}, "model input"},
	{"execute", "/api/v1/ai/execute", nil, `{"model_name":"%s","task":"Say.","context":{}}`, []any{"context"}, map[string]string{
		"latency_slo_ms": "5000", "max_tokens": "77", "temperature": "0.77", "top_p": "0.77", "system_prompt": `"canary"`, "messages": `[{"role":"user","content":"canary"}]`,
		"tools": `[{"type":"function","function":{"name":"canary","parameters":{"type":"object"}}}]`, "response_format": `{"type":"json_schema","json_schema":{"name":"n","schema":` + schemaText + `}}`, "cache": "false", "tags": `["canary"]`, "end_user": `"canary"`,
	}, ""},
	{
		"execute tools", "/api/v1/ai/execute", nil, `{"model_name":"%s","task":"Say.","context":{"tools":[{"type":"function","function":{"name":"canary","parameters":{"type":"object"}}}]}}`,
		[]any{"context"},
		map[string]string{"tool_choice": `"none"`},
		"",
	},
}
