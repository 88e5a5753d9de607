package rest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/forge1/forge1/domain/fault"
)

// The bounds of a page of input items, as OpenAI has them.
const (
	defaultItems = 20
	maxItems     = 100
)

// includes are what can be asked for beside a response and its input.
var includes = []string{
	"reasoning.encrypted_content", "message.output_text.logprobs", "message.input_image.image_url", "file_search_call.results", "web_search_call.results",
	"web_search_call.action.sources", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
}

// included reads what is asked for beside. What is kept has the most of it anyway.
func (x *exchange) included() (map[string]bool, error) {
	out := map[string]bool{}
	for _, name := range []string{"include", "include[]"} {
		for _, v := range x.fc.QueryArgs().PeekMulti(name) {
			if !slices.Contains(includes, string(v)) {
				return nil, queryFault("include", "must be one of those that OpenAI documents")
			}
			out[string(v)] = true
		}
	}
	return out, nil
}

// InputItems is a page of the items that a response answered.
type InputItems struct {
	Object  string      `json:"object" enum:"list"`
	Data    []inputItem `json:"data" nullable:"false"`
	FirstID *string     `json:"first_id"`
	LastID  *string     `json:"last_id"`
	HasMore bool        `json:"has_more"`
}

// inputItems serves GET /v1/responses/{id}/input_items: the whole conversation that the response answered, newest first unless asked otherwise.
func (x *exchange) inputItems() error {
	if _, err := x.included(); err != nil {
		return err
	}
	q := x.fc.QueryArgs()
	limit, order, after := defaultItems, string(q.Peek("order")), string(q.Peek("after"))
	if s := string(q.Peek("limit")); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxItems {
			return queryFault("limit", "must be 1 to "+strconv.Itoa(maxItems))
		}
		limit = n
	}
	if order != "" && order != "asc" && order != "desc" {
		return queryFault("order", "must be asc or desc")
	}
	kept, err := x.findResponse()
	if err != nil {
		return err
	}
	items := itemsOf(kept.Input)
	all := make([]keptItem, len(items))
	for i, item := range items {
		all[i] = fullItem(kept.ID, i, item)
	}
	if order != "asc" {
		slices.Reverse(all)
	}
	if after != "" {
		i := slices.IndexFunc(all, func(item keptItem) bool { return item.id == after })
		if i < 0 {
			return fault.ErrValidation.At(fault.Field{Pointer: "after", Code: "invalid_value", Message: "must be the id of an item of this list"})
		}
		all = all[i+1:]
	}
	page := InputItems{Object: "list", Data: []inputItem{}, HasMore: len(all) > limit}
	for _, item := range all[:min(limit, len(all))] {
		page.Data = append(page.Data, inputItem(item.raw))
		page.LastID = &item.id
		if page.FirstID == nil {
			page.FirstID = &item.id
		}
	}
	return x.reply(http.StatusOK, page)
}

// fullItem gives an item of the input in full form: with a type and an id, which stays the same, and its content as parts.
func fullItem(response string, i int, item []byte) keptItem {
	h := headOfItem(item)
	if h.members == nil {
		return keptItem{raw: item}
	}
	kind, role := h.kind, h.text(item, "role")
	if kind == "" {
		kind = "message"
	}
	var edits []edit
	if at, there := h.members["content"]; there && kind == "message" && item[at.from] == '"' {
		part := `[{"type":"input_text","text":`
		end := "}]"
		if role == "assistant" {
			part, end = `[{"type":"output_text","annotations":[],"logprobs":[],"text":`, "}]"
		}
		edits = append(edits, edit{at, slices.Concat([]byte(part), item[at.from:at.to], []byte(end))})
	}
	more, id := "", h.id
	if id == "" {
		sum := sha256.Sum256([]byte(response + " " + strconv.Itoa(i)))
		id = prefixOf(kind) + "_" + hex.EncodeToString(sum[:24])
		more += `"id":"` + id + `",`
		if at, there := h.members["id"]; there { // null, or no text
			edits, more = append(edits, edit{at, []byte(`"` + id + `"`)}), ""
		}
	}
	if _, there := h.members["type"]; !there {
		more += `"type":"` + kind + `",`
	}
	if _, there := h.members["status"]; !there && kind == "message" {
		more += `"status":"completed",`
	}
	edits = append(edits, edit{span{1, 1}, []byte(more)})
	return keptItem{id, edited(item, edits)}
}

// prefixOf begins the ids of a kind of item.
func prefixOf(kind string) string {
	switch kind {
	case "message":
		return "msg"
	case "reasoning":
		return "rs"
	case "function_call":
		return "fc"
	case "function_call_output":
		return "fco"
	case "custom_tool_call":
		return "ctc"
	case "custom_tool_call_output":
		return "ctco"
	}
	return "it"
}

// inputItem is an item as it is.
type inputItem []byte

// MarshalJSON writes it.
func (i inputItem) MarshalJSON() ([]byte, error) { return i, nil }

// Schema describes it as any object.
func (inputItem) Schema(huma.Registry) *huma.Schema { return anyObject() }
