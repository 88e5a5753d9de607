package rest

import (
	"net/http"
	"slices"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
)

// OpenAIModels lists models in OpenAI's shape.
type OpenAIModels struct {
	Object string        `json:"object" enum:"list"`
	Data   []OpenAIModel `json:"data" nullable:"false"`
}

// OpenAIModel is a model in OpenAI's shape.
type OpenAIModel struct {
	ID      string `json:"id"`
	Object  string `json:"object" enum:"model"`
	Created int64  `json:"created" doc:"Always 0: nobody knows"`
	OwnedBy string `json:"owned_by"`
}

var errNoModel = fault.New(fault.NotFound, "model_not_found", "there is no model of that name here")

// namesOf lists the names that can stand for a model under /v1: auto, by task type, the tenant's aliases, and those of the providers in use.
func (x *exchange) namesOf() ([]OpenAIModel, error) {
	aliases, err := x.s.deps.Gateway.Aliases(x.ctx, x.caller)
	if err != nil {
		return nil, err
	}
	views, err := x.s.deps.Gateway.Models(x.ctx, x.caller)
	if err != nil {
		return nil, err
	}
	out := []OpenAIModel{{ID: "auto", Object: "model", OwnedBy: "forge1"}}
	for _, t := range routing.TaskTypes() {
		out = append(out, OpenAIModel{ID: "auto:" + string(t), Object: "model", OwnedBy: "forge1"})
	}
	for _, name := range aliases {
		out = append(out, OpenAIModel{ID: name, Object: "model", OwnedBy: "forge1"})
	}
	for _, v := range views {
		switch v.Reason {
		case "", routing.BreakerOpen, routing.RateLimited: // away for a moment is not gone
			out = append(out, OpenAIModel{ID: routing.Target{Provider: v.Provider, Model: v.Model}.String(), Object: "model", OwnedBy: v.Provider})
		}
	}
	return out, nil
}

// AnthropicModels lists models in Anthropic's shape, on one page.
type AnthropicModels struct {
	Data    []AnthropicModel `json:"data" nullable:"false"`
	FirstID *string          `json:"first_id"`
	LastID  *string          `json:"last_id"`
	HasMore bool             `json:"has_more" doc:"Always false"`
}

// AnthropicModel is a model in Anthropic's shape.
type AnthropicModel struct {
	Type        string    `json:"type" enum:"model"`
	ID          string    `json:"id"`
	DisplayName string    `json:"display_name"`
	CreatedAt   time.Time `json:"created_at" doc:"Always 1970-01-01: nobody knows"`
}

func anthropicModel(m OpenAIModel) AnthropicModel {
	return AnthropicModel{Type: "model", ID: m.ID, DisplayName: m.ID, CreatedAt: time.Unix(m.Created, 0).UTC()}
}

// openAIModels serves GET /v1/models, to Anthropic's clients too.
func (x *exchange) openAIModels() error {
	names, err := x.namesOf()
	if err != nil {
		return err
	}
	if x.shape() == shapeOpenAI {
		return x.reply(http.StatusOK, OpenAIModels{Object: "list", Data: names})
	}
	out := AnthropicModels{Data: make([]AnthropicModel, len(names))}
	for i, m := range names {
		out.Data[i] = anthropicModel(m)
	}
	if n := len(names); n > 0 {
		out.FirstID, out.LastID = &names[0].ID, &names[n-1].ID
	}
	return x.reply(http.StatusOK, out)
}

// openAIModel serves GET /v1/models/{id}, to Anthropic's clients too.
func (x *exchange) openAIModel() error {
	names, err := x.namesOf()
	if err != nil {
		return err
	}
	id := x.pathParam("+")
	at := slices.IndexFunc(names, func(m OpenAIModel) bool { return m.ID == id })
	if at < 0 { // a bare name is one too, on every surface
		at = slices.IndexFunc(names, func(m OpenAIModel) bool { return m.ID == m.OwnedBy+"/"+id })
	}
	if at < 0 {
		return errNoModel.At(fault.Field{Pointer: "model"})
	}
	m := names[at]
	if m.ID = id; x.shape() == shapeOpenAI {
		return x.reply(http.StatusOK, m)
	}
	return x.reply(http.StatusOK, anthropicModel(m))
}
