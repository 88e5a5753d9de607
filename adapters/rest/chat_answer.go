package rest

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

// completion is a whole answer in OpenAI's shape, for vendors that speak another.
type completion struct {
	ID          string             `json:"id"`
	Object      string             `json:"object"`
	Created     int64              `json:"created"`
	Model       string             `json:"model"`
	Choices     []completionChoice `json:"choices"`
	Usage       completionUsage    `json:"usage"`
	Tier        string             `json:"service_tier,omitempty"`
	Fingerprint *string            `json:"system_fingerprint"`
}

type completionChoice struct {
	Index    int                 `json:"index"`
	Message  completionMessage   `json:"message"`
	Logprobs *completionLogprobs `json:"logprobs"`
	Finish   string              `json:"finish_reason"`
}

type completionMessage struct {
	Role        string              `json:"role"`
	Content     *string             `json:"content"`
	Refusal     *string             `json:"refusal"`
	Annotations []annotation        `json:"annotations"`
	Reasoning   string              `json:"reasoning,omitempty"`
	Details     []reasoningDetail   `json:"reasoning_details,omitempty"`
	Images      []completionImage   `json:"images,omitempty"`
	Audio       *completionAudio    `json:"audio,omitempty"`
	ToolCalls   []completionTool    `json:"tool_calls,omitempty"`
	Function    *completionFunction `json:"function_call,omitempty"`
}

type completionTool struct {
	ID       string              `json:"id"`
	Type     string              `json:"type"`
	Function *completionFunction `json:"function,omitempty"`
	Custom   *completionCustom   `json:"custom,omitempty"`
}

type completionFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type completionCustom struct {
	Name  string `json:"name"`
	Input string `json:"input"`
}

// annotation says where a piece of the text is from.
type annotation struct {
	Type string      `json:"type"`
	URL  urlCitation `json:"url_citation"`
}

// completionImage is a picture, as OpenRouter shows it.
type completionImage struct {
	Type  string   `json:"type"`
	URL   imageURL `json:"image_url"`
	Index int      `json:"index"`
}

type imageURL struct {
	URL string `json:"url"`
}

type completionAudio struct {
	ID         string `json:"id"`
	Data       string `json:"data"`
	Expires    int64  `json:"expires_at"`
	Transcript string `json:"transcript"`
}

type completionLogprobs struct {
	Content []tokenLogprob `json:"content"`
	Refusal []tokenLogprob `json:"refusal"`
}

type tokenLogprob struct {
	Token   string          `json:"token"`
	Logprob float64         `json:"logprob"`
	Bytes   []int           `json:"bytes"`
	Top     *[]tokenLogprob `json:"top_logprobs,omitempty"`
}

type completionUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
	PromptMore struct {
		Cached int `json:"cached_tokens"`
		Audio  int `json:"audio_tokens"`
		Write  int `json:"cache_write_tokens,omitempty"`
	} `json:"prompt_tokens_details"`
	CompletionMore struct {
		Reasoning int `json:"reasoning_tokens"`
		Audio     int `json:"audio_tokens"`
		Image     int `json:"image_tokens,omitempty"`
		Accepted  int `json:"accepted_prediction_tokens"`
		Rejected  int `json:"rejected_prediction_tokens"`
	} `json:"completion_tokens_details"`
}

func usageOf(u chat.Usage) completionUsage {
	out := completionUsage{Prompt: u.Input, Completion: u.Output, Total: u.Total()}
	out.PromptMore.Cached, out.PromptMore.Audio, out.PromptMore.Write = u.CacheRead, u.AudioInput, u.CacheWrite
	out.CompletionMore.Reasoning, out.CompletionMore.Audio, out.CompletionMore.Image = u.Reasoning, u.AudioOutput, u.ImageOutput
	return out
}

// completionOf renders a whole answer.
func completionOf(a inbound.Answer, created int64, forms *toolForms) completion {
	out := completion{
		ID: completionID(a.Receipt), Object: "chat.completion", Created: created, Model: servedModel(a.Receipt), Usage: usageOf(a.Receipt.Usage),
		Tier: a.Response.ServiceTier, Choices: make([]completionChoice, 0, len(a.Response.Choices)),
	}
	for i := range a.Response.Choices {
		c := &a.Response.Choices[i]
		shown := completionChoice{Index: i, Message: messageOf(c, out.ID, forms), Logprobs: logprobsOf(c.Logprobs)}
		shown.Finish = finishOf(c.Finish, i, a.Receipt.Finish, shown.Message.Function != nil)
		out.Choices = append(out.Choices, shown)
	}
	if len(out.Choices) == 0 {
		out.Choices = append(out.Choices, completionChoice{Message: messageOf(&chat.Choice{}, out.ID, forms), Finish: finishOf("", 0, a.Receipt.Finish, false)})
	}
	return out
}

// finishOf names the reason why a choice ended; function says that it called a function as before there were tools.
func finishOf(own chat.Finish, index int, whole chat.Finish, function bool) string {
	if index > 0 {
		whole = ""
	}
	switch f := cmp.Or(own, whole, chat.FinishStop); {
	case f == chat.FinishPause:
		return string(chat.FinishLength)
	case f == chat.FinishToolCalls && function:
		return "function_call"
	default:
		return string(f)
	}
}

// messageOf shows what a choice says; answer is the id of the answer.
func messageOf(c *chat.Choice, answer string, forms *toolForms) completionMessage {
	said, refused := c.Text(), c.Refusal()
	m := completionMessage{Role: "assistant", Refusal: orNull(refused), Annotations: []annotation{}, Reasoning: c.Thinking(), Details: detailsOf(c.Parts)}
	read, calls := 0, 0
	for i := range c.Parts {
		switch p := &c.Parts[i]; p.Kind {
		case chat.PartText:
			n := utf8.RuneCountInString(p.Text)
			m.Annotations = appendAnnotations(m.Annotations, p.Citations, read, n)
			read += n
		case chat.PartImage:
			m.Images = append(m.Images, imageOf(p.Media, len(m.Images)))
		case chat.PartAudio:
			m.Audio = audioOf(p.Media, answer)
		case chat.PartToolCall:
			calls++
			if forms.functions() {
				m.Function = &completionFunction{p.Call.Name, p.Call.Arguments}
			} else {
				m.ToolCalls = append(m.ToolCalls, forms.callOf(p.Call))
			}
		}
	}
	if said != "" || refused == "" && calls+len(m.Images) == 0 && m.Audio == nil {
		m.Content = &said
	}
	return m
}

// urlCitation is a citation of a page on the web.
type urlCitation struct {
	URL   string `json:"url"`
	Title string `json:"title"`
	Start int    `json:"start_index"`
	End   int    `json:"end_index"`
	Text  string `json:"content,omitempty"`
}

// appendAnnotations shows the citations of a text that begins at a place and has so many code points. OpenAI has a shape for pages on the web alone.
func appendAnnotations(out []annotation, citations []chat.Citation, from, length int) []annotation {
	for i := range citations {
		c := &citations[i]
		if c.URL == "" {
			continue
		}
		a := urlCitation{URL: c.URL, Title: c.Title, Start: from + c.Start, End: from + c.End, Text: c.Text}
		if c.Start == c.End {
			a.Start, a.End = from, from+length
		}
		out = append(out, annotation{"url_citation", a})
	}
	return out
}

func imageOf(m *chat.Media, index int) completionImage {
	url := m.URL
	if m.Data != "" {
		url = "data:" + cmp.Or(m.Type, "image/png") + ";base64," + m.Data
	}
	return completionImage{Type: "image_url", URL: imageURL{url}, Index: index}
}

// ownAudio begins the ids of sounds that a vendor made which has none for them.
const ownAudio = "audio_forge1_"

func audioOf(m *chat.Media, answer string) *completionAudio {
	return &completionAudio{ID: cmp.Or(m.FileID, ownAudio+strings.TrimPrefix(answer, completionPrefix)), Data: m.Data}
}

func logprobsOf(tokens []chat.TokenLogprob) *completionLogprobs {
	if len(tokens) == 0 {
		return nil
	}
	return &completionLogprobs{Content: tokensOf(tokens, true)}
}

func tokensOf(tokens []chat.TokenLogprob, top bool) []tokenLogprob {
	out := make([]tokenLogprob, len(tokens))
	for i, t := range tokens {
		out[i] = tokenLogprob{Token: t.Token, Logprob: t.Logprob}
		for _, b := range t.Bytes {
			out[i].Bytes = append(out[i].Bytes, int(b))
		}
		if top {
			others := tokensOf(t.Top, false)
			out[i].Top = &others
		}
	}
	return out
}

const completionPrefix = "chatcmpl-"

func completionID(r inbound.Receipt) string {
	return completionPrefix + strings.ReplaceAll(r.CallID, "-", "")
}

func servedModel(r inbound.Receipt) string { return cmp.Or(r.ServedModel, r.Model) }
