package responses

import (
	"bytes"
	"encoding/json"

	"github.com/forge1/forge1/domain/chat"
)

// citationOf reads an annotation. Those that tell no address are of files at the vendor, and are kept as they are.
func citationOf(b []byte) (chat.Citation, bool) {
	if len(b) == 0 || b[0] != '{' {
		return chat.Citation{}, false
	}
	var a struct {
		Type     string `json:"type"`
		URL      string `json:"url"`
		Title    string `json:"title"`
		Filename string `json:"filename"`
		Start    int    `json:"start_index"`
		End      int    `json:"end_index"`
	}
	_ = json.Unmarshal(b, &a)
	c := chat.Citation{URL: a.URL, Title: a.Title, Start: max(a.Start, 0), End: max(a.End, 0)}
	if c.Title == "" {
		c.Title = a.Filename
	}
	if a.Type == "url_citation" {
		return c, true
	}
	c.Foreign = &chat.Foreign{Dialect: chat.DialectResponses, JSON: bytes.Clone(b)}
	return c, true
}

type token struct {
	Token   string  `json:"token"`
	Bytes   []int   `json:"bytes"`
	Logprob float64 `json:"logprob"`
	Top     []token `json:"top_logprobs"`
}

func logprobsOf(b []byte) []chat.TokenLogprob {
	if empty(b) {
		return nil
	}
	var list []token
	_ = json.Unmarshal(b, &list)
	return neutralTokens(list)
}

func neutralTokens(in []token) []chat.TokenLogprob {
	var out []chat.TokenLogprob
	for i := range in {
		one := chat.TokenLogprob{Token: in[i].Token, Logprob: in[i].Logprob, Top: neutralTokens(in[i].Top)}
		for _, b := range in[i].Bytes {
			one.Bytes = append(one.Bytes, byte(b))
		}
		out = append(out, one)
	}
	return out
}
