package surfaces

import (
	"encoding/json"
	"fmt"
)

// Ask is a request that every surface can write in its own way.
type Ask struct {
	Model    string
	Stream   bool
	System   string
	Before   []string // texts of turns before: the user's, the assistant's, and so on
	Text     string   // the last of the user's
	Image    string   // a picture beside the text, PNG in base64
	Tools    bool     // get_weather is declared
	Tool     string   // the choice: "", required, or the name of a tool
	Schema   bool     // an answer by Schema is wanted
	Thinking bool
	Cached   bool // the vendor is asked to keep the system prompt
	Stop     []string
	Max      int    // tokens; 0: enough
	File     string // a PDF beside the text, in base64
	Sound    string // a WAV file beside the text, in base64
	Choices  int    // answers; 0: one
	Logprobs bool
	Seed     int
	Turns    []any // in the surface's own shape, after the text: answers and the results of tools
}

// Prompt is what is asked where it does not matter.
const Prompt = "Say what you say."

// Weather is the schema of the one tool's arguments, and Schema that of answers.
var (
	Weather = map[string]any{
		"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []any{"city"}, "additionalProperties": false,
	}
	Schema = map[string]any{
		"type": "object", "properties": map[string]any{"answer": map[string]any{"type": "string"}}, "required": []any{"answer"}, "additionalProperties": false,
	}
)

// All are the surfaces that clients bring with them.
var All = []Surface{
	{Name: "chat", Path: "/v1/chat/completions", Dialect: "chat", body: chatBody, read: readChat, turn: chatTurn},
	{Name: "responses", Path: "/v1/responses", Dialect: "responses", body: responsesBody, read: readResponses, turn: responsesTurn},
	{Name: "messages", Path: "/v1/messages", Dialect: "messages", body: messagesBody, read: readMessages, turn: messagesTurn},
}

// Execute is Forge's own.
var Execute = Surface{Name: "execute", Path: "/api/v1/ai/execute", read: readExecute, body: func(a Ask) map[string]any {
	return map[string]any{"task": a.Text, "model_name": a.Model, "stream": a.Stream}
}}

// speakers are the roles of turns before the last.
var speakers = [2]string{"user", "assistant"}

func chatBody(a Ask) map[string]any {
	messages := []any{}
	if a.System != "" {
		messages = append(messages, map[string]any{"role": "system", "content": a.System})
	}
	for i, text := range a.Before {
		messages = append(messages, map[string]any{"role": speakers[i%2], "content": text})
	}
	var content any = a.Text
	if more := chatMedia(a); more != nil {
		content = append([]any{map[string]any{"type": "text", "text": a.Text}}, more...)
	}
	messages = append(append(messages, map[string]any{"role": "user", "content": content}), a.Turns...)
	b := map[string]any{"model": a.Model, "messages": messages, "stream": a.Stream}
	if a.Stream {
		b["stream_options"] = map[string]any{"include_usage": true}
	}
	if a.Tools {
		b["tools"] = []any{map[string]any{"type": "function", "function": map[string]any{"name": "get_weather", "description": "The weather of a city", "parameters": Weather}}}
	}
	switch a.Tool {
	case "":
	case "required":
		b["tool_choice"] = a.Tool
	default:
		b["tool_choice"] = map[string]any{"type": "function", "function": map[string]any{"name": a.Tool}}
	}
	if a.Schema {
		b["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "answer", "schema": Schema, "strict": true}}
	}
	if a.Thinking {
		b["reasoning_effort"] = "low"
	}
	if a.Stop != nil {
		b["stop"] = a.Stop
	}
	if a.Max > 0 {
		b["max_completion_tokens"] = a.Max
	}
	if a.Choices > 0 {
		b["n"] = a.Choices
	}
	if a.Logprobs {
		b["logprobs"] = true
	}
	if a.Seed > 0 {
		b["seed"] = a.Seed
	}
	return b
}

func chatMedia(a Ask) []any {
	var out []any
	if a.Image != "" {
		out = append(out, map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:image/png;base64," + a.Image}})
	}
	if a.File != "" {
		out = append(out, map[string]any{"type": "file", "file": map[string]any{"filename": "one.pdf", "file_data": "data:application/pdf;base64," + a.File}})
	}
	if a.Sound != "" {
		out = append(out, map[string]any{"type": "input_audio", "input_audio": map[string]any{"data": a.Sound, "format": "wav"}})
	}
	return out
}

func responsesBody(a Ask) map[string]any {
	input := []any{}
	for i, text := range a.Before {
		input = append(input, map[string]any{"role": speakers[i%2], "content": text})
	}
	var content any = a.Text
	if a.Image != "" {
		content = []any{
			map[string]any{"type": "input_text", "text": a.Text},
			map[string]any{"type": "input_image", "image_url": "data:image/png;base64," + a.Image},
		}
	}
	if a.File != "" {
		content = []any{
			map[string]any{"type": "input_text", "text": a.Text},
			map[string]any{"type": "input_file", "filename": "one.pdf", "file_data": "data:application/pdf;base64," + a.File},
		}
	}
	input = append(append(input, map[string]any{"role": "user", "content": content}), a.Turns...)
	b := map[string]any{"model": a.Model, "input": input, "stream": a.Stream}
	if a.System != "" {
		b["instructions"] = a.System
	}
	if a.Tools {
		b["tools"] = []any{map[string]any{"type": "function", "name": "get_weather", "description": "The weather of a city", "parameters": Weather, "strict": true}}
	}
	switch a.Tool {
	case "":
	case "required":
		b["tool_choice"] = a.Tool
	default:
		b["tool_choice"] = map[string]any{"type": "function", "name": a.Tool}
	}
	if a.Schema {
		b["text"] = map[string]any{"format": map[string]any{"type": "json_schema", "name": "answer", "schema": Schema, "strict": true}}
	}
	if a.Thinking {
		b["reasoning"] = map[string]any{"effort": "low", "summary": "auto"}
		b["include"] = []any{"reasoning.encrypted_content"}
	}
	if a.Max > 0 {
		b["max_output_tokens"] = a.Max
	}
	if a.Logprobs {
		b["include"] = []any{"message.output_text.logprobs"}
		b["top_logprobs"] = 1
	}
	return b
}

func messagesBody(a Ask) map[string]any {
	messages := []any{}
	for i, text := range a.Before {
		messages = append(messages, map[string]any{"role": speakers[i%2], "content": text})
	}
	content := []any{map[string]any{"type": "text", "text": a.Text}}
	if a.File != "" {
		content = append(content, map[string]any{"type": "document", "source": map[string]any{"type": "base64", "media_type": "application/pdf", "data": a.File}})
	}
	if a.Image != "" {
		content = append(content, map[string]any{"type": "image", "source": map[string]any{"type": "base64", "media_type": "image/png", "data": a.Image}})
	}
	messages = append(append(messages, map[string]any{"role": "user", "content": content}), a.Turns...)
	b := map[string]any{"model": a.Model, "max_tokens": 4096, "messages": messages, "stream": a.Stream}
	if a.System != "" {
		block := map[string]any{"type": "text", "text": a.System}
		if a.Cached {
			block["cache_control"] = map[string]any{"type": "ephemeral"}
		}
		b["system"] = []any{block}
	}
	if a.Tools {
		b["tools"] = []any{map[string]any{"name": "get_weather", "description": "The weather of a city", "input_schema": Weather}}
	}
	switch a.Tool {
	case "":
	case "required":
		b["tool_choice"] = map[string]any{"type": "any"}
	default:
		b["tool_choice"] = map[string]any{"type": "tool", "name": a.Tool}
	}
	if a.Schema {
		b["output_config"] = map[string]any{"format": map[string]any{"type": "json_schema", "schema": Schema}}
	}
	if a.Thinking {
		b["thinking"] = map[string]any{"type": "enabled", "budget_tokens": 1024}
	}
	if a.Stop != nil {
		b["stop_sequences"] = a.Stop
	}
	if a.Max > 0 {
		b["max_tokens"] = a.Max
	}
	return b
}

// Result answers a call, in the surface's own shape. Messages wants all results of a turn in one; see Results.
func (s Surface) result(id, text string) map[string]any {
	switch s.Name {
	case "chat":
		return map[string]any{"role": "tool", "tool_call_id": id, "content": text}
	case "responses":
		return map[string]any{"type": "function_call_output", "call_id": id, "output": text}
	default:
		return map[string]any{"type": "tool_result", "tool_use_id": id, "content": text}
	}
}

// Next gives what follows an answer that called tools: the answer itself, as the surface's clients send it back, and a result of each call.
func (s Surface) Next(answer []map[string]any, r Reading, result func(arguments string) string) []any {
	out := s.turn(answer)
	var results []any
	for _, c := range r.Calls {
		results = append(results, s.result(c.ID, result(c.Arguments)))
	}
	if s.Name == "messages" {
		return append(out, map[string]any{"role": "user", "content": results})
	}
	return append(out, results...)
}

// City gives the city of the one tool's arguments.
func City(arguments string) string {
	var a struct {
		City string `json:"city"`
	}
	if err := json.Unmarshal([]byte(arguments), &a); err != nil {
		return fmt.Sprintf("no JSON: %v", err)
	}
	return a.City
}
