package decisions

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/routing"
)

type keptPolicy struct {
	V           int                               `json:"v"`
	Version     int64                             `json:"version"`
	Cost        float64                           `json:"cost"`
	Latency     float64                           `json:"latency"`
	SLOPenalty  float64                           `json:"slo_penalty"`
	Order       []string                          `json:"order"`
	Routes      map[routing.TaskType][]keptTarget `json:"routes"`
	Allowed     []string                          `json:"allowed_models"`
	Flags       []string                          `json:"flags"`
	MaxAttempts int                               `json:"max_attempts"`
	DeadlineNs  int64                             `json:"deadline_ns"`
}

// EncodePolicy writes what decisions read of a policy, and an id that follows from it: the same content has the same id, whoever's it is. It names no
// tenant, none who set a flag, and no alias, since a decision's inputs hold the one that was asked for. A policy does not change under its
// pointer, so once for each is enough.
func EncodePolicy(p *routing.Policy) (id string, body []byte) {
	s := p.Snapshot()
	b := strconv.AppendInt(append(make([]byte, 0, 512), `{"v":1,"version":`...), s.Version, 10)
	b = appendNumber(append(b, `,"cost":`...), s.Weights.Cost)
	b = appendNumber(append(b, `,"latency":`...), s.Weights.Latency)
	b = appendNumber(append(b, `,"slo_penalty":`...), s.Weights.SLOPenalty)
	b = appendNames(append(b, `,"order":`...), s.FallbackOrder)
	b = append(b, `,"routes":{`...)
	first := true
	for _, task := range routing.TaskTypes() {
		if len(s.Routes[task]) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, string(task)), ":["...)
		for i, t := range s.Routes[task] {
			b = append(appendTarget(append(separate(b, i), '{'), t), '}')
		}
		b = append(b, ']')
	}
	b = appendNames(append(b, `},"allowed_models":`...), s.AllowedModels)
	var on []string
	for _, f := range s.Flags {
		if f.Enabled && (!strings.HasPrefix(f.Name, routing.ForceFlag("")) || f.Name == routing.ForceFlag(p.Forced())) {
			on = append(on, f.Name)
		}
	}
	b = appendNames(append(b, `,"flags":`...), on)
	b = strconv.AppendInt(append(b, `,"max_attempts":`...), int64(s.MaxAttempts), 10)
	b = strconv.AppendInt(append(b, `,"deadline_ns":`...), int64(s.Deadline), 10)
	b = append(b, '}')
	return idOf(b), b
}

// DecodePolicy reads what EncodePolicy wrote. The policy decides as the one that was written; it belongs to no tenant.
func DecodePolicy(body []byte) (*routing.Policy, error) {
	var in keptPolicy
	if err := decode(body, &in); err != nil {
		return nil, fmt.Errorf("decode policy: %w", err)
	}
	s := routing.PolicySnapshot{
		Version: in.Version, Weights: routing.Weights{Cost: in.Cost, Latency: in.Latency, SLOPenalty: in.SLOPenalty}, FallbackOrder: in.Order,
		Routes: map[routing.TaskType][]routing.Target{}, AllowedModels: in.Allowed, MaxAttempts: in.MaxAttempts,
		Deadline: time.Duration(in.DeadlineNs),
	}
	for task, targets := range in.Routes {
		for _, t := range targets {
			s.Routes[task] = append(s.Routes[task], t.target())
		}
	}
	for _, name := range in.Flags {
		s.Flags = append(s.Flags, routing.Flag{Name: name, Enabled: true})
	}
	p := routing.RestorePolicy(s, routing.Defaults{Order: in.Order})
	var again keptPolicy
	if _, b := EncodePolicy(p); decode(b, &again) != nil || !reflect.DeepEqual(in, again) {
		return nil, errors.New("decode policy: what it says is no policy")
	}
	return p, nil
}

func appendNames(b []byte, names []string) []byte {
	b = append(b, '[')
	for i, n := range names {
		b = appendText(separate(b, i), n)
	}
	return append(b, ']')
}

// idOf gives content an id in the form of a UUID of version 8 (RFC 9562): what the SHA-256 begins with.
func idOf(body []byte) string {
	h := sha256.Sum256(body)
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
