package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// maxResponses bounds the responses that are kept; the oldest go first.
const maxResponses = 1000

// kept are the responses that OpenAI stores.
type kept struct {
	mu    sync.Mutex
	byID  map[string]keptResponse
	order []string
}

type keptResponse struct {
	body  []byte
	items []responseItem // of the conversation, the answer with it
}

func newKept() *kept { return &kept{byID: map[string]keptResponse{}} }

func (k *kept) add(id string, r keptResponse) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byID[id] = r
	k.order = append(k.order, id)
	for len(k.order) > maxResponses {
		delete(k.byID, k.order[0])
		k.order = k.order[1:]
	}
}

func (k *kept) items(id string) ([]responseItem, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, known := k.byID[id]
	return r.items, known
}

func (k *kept) read(id string) (reply, *problem) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r, known := k.byID[id]
	if !known {
		return reply{}, noResponse(id)
	}
	return jsonReply(http.StatusOK, r.body), nil
}

func (k *kept) remove(id string) (reply, *problem) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, known := k.byID[id]; !known {
		return reply{}, noResponse(id)
	}
	delete(k.byID, id)
	return jsonReply(http.StatusOK, encode(struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		Deleted bool   `json:"deleted"`
	}{id, "response", true})), nil
}

func noResponse(id string) *problem {
	return &problem{status: http.StatusNotFound, message: fmt.Sprintf("Response with id '%s' not found.", id)}
}

// keep stores a response, unless it is not to be.
func (o openai) keep(c *call, r *response) {
	if c.echoes.Store != nil && !*c.echoes.Store {
		return
	}
	body := encode(r)
	var said struct {
		Output []responseItem `json:"output"`
	}
	_ = json.Unmarshal(body, &said) // the simulator's own
	o.kept.add(r.ID, keptResponse{body: indent(r), items: append(c.echoes.items[:len(c.echoes.items):len(c.echoes.items)], said.Output...)})
}
