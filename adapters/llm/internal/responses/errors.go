package responses

import (
	"bytes"
	"slices"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/adapters/llm/internal/chatcompletions"
	"github.com/forge1/forge1/domain/chat"
)

// explain reads an error body; it implements llm.Explain.
func (f Flavour) explain(body []byte) (llm.Refusal, bool) {
	read := f.Explain
	if read == nil {
		read = chatcompletions.Flavour{}.Explain
	}
	r, ok := read(body)
	if ok {
		refine(&r)
	}
	return r, ok
}

// refusal reads the error within an answer or an event. It reports false for none.
func (f Flavour) refusal(failure []byte) (llm.Refusal, bool) {
	if empty(failure) {
		return llm.Refusal{}, false
	}
	return f.explain(slices.Concat([]byte(`{"error":`), failure, []byte{'}'}))
}

// refine puts right what a status, or its absence, would be misread for.
func refine(r *llm.Refusal) {
	switch {
	case r.Code == "previous_response_not_found", r.Code == "" && strings.HasPrefix(r.Param, "input") && strings.Contains(r.Message, "not found"):
		r.Class = chat.ClassInvalid // something stands for what the vendor does not keep; with 404 it would be the model that is missing
	case r.Status != 0 || r.Class != "":
	case slices.Contains(callersCodes, r.Code), strings.HasPrefix(r.Code, "invalid_image"), strings.HasPrefix(r.Code, "image_"):
		r.Class = chat.ClassInvalid
	}
}

// callersCodes are the codes of a response that failed by what was asked, where no status says so.
var callersCodes = []string{
	"invalid_prompt", "invalid_base64_image", "unsupported_image_media_type", "empty_image_file", "failed_to_download_image", "bio_policy", "cyber_policy",
}

// empty reports whether a value tells nothing.
func empty(b []byte) bool {
	switch string(bytes.TrimSpace(b)) {
	case "", "null", `""`, "[]", "{}", "false":
		return true
	}
	return false
}
