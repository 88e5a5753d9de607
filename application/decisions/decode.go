package decisions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/forge1/forge1/domain/routing"
)

// moment is a time as seconds since 1970 and nanoseconds.
type moment [2]int64

func (m *moment) time() time.Time {
	if m == nil {
		return time.Time{}
	}
	return time.Unix(m[0], m[1]).UTC()
}

type keptInputs struct {
	V        int           `json:"v"`
	Request  keptRequest   `json:"request"`
	Readings []keptReading `json:"readings"`
}

type keptRequest struct {
	Task        routing.TaskType `json:"task"`
	Pin         *keptTarget      `json:"pin"`
	Alias       *keptAlias       `json:"alias"`
	Draw        uint64           `json:"draw"`
	SLOMs       int              `json:"slo_ms"`
	InputTokens int              `json:"input_tokens"`
	MaxTokens   int              `json:"max_tokens"`
	Embedding   bool             `json:"embedding"`
	Vision      bool             `json:"vision"`
	Tools       bool             `json:"tools"`
	Schema      bool             `json:"schema"`
}

type keptTarget struct {
	Provider string  `json:"provider"`
	Model    string  `json:"model"`
	Weight   float64 `json:"weight"`
}

func (t keptTarget) target() routing.Target {
	return routing.Target{Provider: t.Provider, Model: t.Model}
}

type keptAlias struct {
	Name    string            `json:"name"`
	Mode    routing.AliasMode `json:"mode"`
	Targets []keptTarget      `json:"targets"`
}

type keptReading struct {
	Provider string    `json:"provider"`
	Model    keptModel `json:"model"`
	Whole    bool      `json:"whole"`
}

type keptModel struct {
	Model     string                      `json:"model"`
	Known     bool                        `json:"known"`
	Tasks     []routing.TaskType          `json:"tasks"`
	Embeds    bool                        `json:"embeds"`
	Vision    bool                        `json:"vision"`
	Tools     bool                        `json:"tools"`
	Schema    bool                        `json:"schema"`
	Context   int                         `json:"context"`
	Price     routing.Price               `json:"price"`
	OpenUntil *moment                     `json:"open_until"`
	RestUntil *moment                     `json:"rest_until"`
	Refused   bool                        `json:"refused"`
	Figures   map[routing.TaskType][3]int `json:"figures"`
}

type keptFacts struct {
	V          int            `json:"v"`
	SnapshotID string         `json:"snapshot_id"`
	At         *moment        `json:"at"`
	Providers  []keptProvider `json:"providers"`
}

type keptProvider struct {
	Name         string        `json:"name"`
	Configured   bool          `json:"configured"`
	DefaultModel string        `json:"default_model"`
	Price        routing.Price `json:"price"`
	Models       []keptModel   `json:"models"`
}

// DecodeInputs reads what EncodeInputs wrote.
func DecodeInputs(b []byte) (routing.Request, []routing.Reading, error) {
	var in keptInputs
	if err := decode(b, &in); err != nil {
		return routing.Request{}, nil, fmt.Errorf("decode inputs: %w", err)
	}
	r := routing.Request{
		Task: in.Request.Task, Draw: in.Request.Draw, SLOMs: in.Request.SLOMs, InputTokens: in.Request.InputTokens, MaxTokens: in.Request.MaxTokens,
		Embedding: in.Request.Embedding, Vision: in.Request.Vision, Tools: in.Request.Tools, Schema: in.Request.Schema,
	}
	if p := in.Request.Pin; p != nil {
		t := p.target()
		r.Pin = &t
	}
	if a := in.Request.Alias; a != nil {
		r.Alias = &routing.Alias{Name: a.Name, Mode: a.Mode}
		for _, t := range a.Targets {
			r.Alias.Targets = append(r.Alias.Targets, routing.AliasTarget{Target: t.target(), Weight: t.Weight})
		}
	}
	var readings []routing.Reading
	for _, k := range in.Readings {
		m, err := k.Model.facts()
		if err != nil {
			return routing.Request{}, nil, fmt.Errorf("decode inputs: %w", err)
		}
		readings = append(readings, routing.Reading{Provider: k.Provider, Model: m, Whole: k.Whole})
	}
	return r, readings, nil
}

// DecodeFacts reads what EncodeFacts wrote.
func DecodeFacts(b []byte) (routing.Facts, error) {
	var in keptFacts
	if err := decode(b, &in); err != nil {
		return routing.Facts{}, fmt.Errorf("decode facts: %w", err)
	}
	f := routing.Facts{SnapshotID: in.SnapshotID, At: in.At.time()}
	for _, k := range in.Providers {
		p := routing.ProviderFacts{Name: k.Name, Configured: k.Configured, DefaultModel: k.DefaultModel, Price: k.Price}
		for i := range k.Models {
			m, err := k.Models[i].facts()
			if err != nil {
				return routing.Facts{}, fmt.Errorf("decode facts: %w", err)
			}
			p.Models = append(p.Models, m)
		}
		f.Providers = append(f.Providers, p)
	}
	return f, nil
}

func (k *keptModel) facts() (routing.ModelFacts, error) {
	m := routing.ModelFacts{
		Model: k.Model, Known: k.Known, Tasks: k.Tasks, Embeds: k.Embeds, Vision: k.Vision, Tools: k.Tools, Schema: k.Schema, Context: k.Context, Price: k.Price,
		State: routing.State{OpenUntil: k.OpenUntil.time(), RestUntil: k.RestUntil.time(), Refused: k.Refused},
	}
	for task, f := range k.Figures {
		if !slices.Contains(routing.TaskTypes(), task) {
			return m, fmt.Errorf("there is no task type %q", task)
		}
		m.Set(task, routing.Figures{P95Ms: f[0], Samples: f[1], OutputTokens: f[2]})
	}
	return m, nil
}

// decode reads one JSON object of the version that this program writes. A field that it does not know may have changed the decision, so it is
// an error.
func decode(b []byte, into any) error {
	var head struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return err
	}
	if head.V != version {
		return fmt.Errorf("it has version %d, and this program reads version %d", head.V, version)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more follows after the end")
	}
	return nil
}
