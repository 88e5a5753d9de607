package bedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
)

// encoder turns a neutral request into the vendor's and remembers what had to be left out.
type encoder struct {
	out   *request
	model model
	ids   toolIDs
	drops llm.Drops
}

// encode gives the vendor's request, and the fields that it cannot honour. With r.Strict the first of them is a failure, and so is, always, content that
// cannot be left out without changing what was asked.
func encode(name string, r *chat.Request) (*request, []string, error) {
	e := &encoder{out: &request{}, model: modelOf(name), ids: newToolIDs()}
	if err := e.messages(r); err != nil {
		return nil, nil, err
	}
	if err := e.tools(r); err != nil {
		return nil, nil, err
	}
	e.format(r)
	in := &inferenceConfig{MaxTokens: r.MaxTokens}
	e.thinking(r, in)
	e.sampling(r, in)
	e.stops(r, in)
	if in.MaxTokens != nil || in.Temperature != nil || in.TopP != nil || in.Stop != nil {
		e.out.Inference = in
	}
	e.account(r)
	e.drops.AddAsked(r, "n", "seed", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty", "prompt_cache_key") // no words for them
	e.cache()
	dropped, err := e.drops.Fields(r)
	if err != nil {
		return nil, nil, err
	}
	return e.out, dropped, nil
}

// more sets a field of the model's own.
func (e *encoder) more(name string, value any) {
	if e.out.More == nil {
		e.out.More = map[string]any{}
	}
	e.out.More[name] = value
}

// stops sets what ends the answer. Claude says which of them did, when it is asked to.
func (e *encoder) stops(r *chat.Request, in *inferenceConfig) {
	for _, stop := range r.Stop {
		if strings.TrimSpace(stop) == "" && (stop == "" || e.model.is(claude)) {
			e.drops.Add("stop") // Claude refuses a sequence of white space
			continue
		}
		in.Stop = append(in.Stop, stop)
	}
	if in.Stop != nil && e.model.is(claude) {
		e.out.MorePaths = []string{"/stop_sequence"}
	}
}

// minTopP is the least topP that Claude takes when it thinks.
const minTopP = 0.95

// sampling sends what the model takes of it. What only says the default is not sent and not missed.
func (e *encoder) sampling(r *chat.Request, in *inferenceConfig) {
	temperature, topP, topK := r.Temperature, r.TopP, r.TopK
	thinks := e.out.More["thinking"] != nil
	takes := e.model.takesSampling()
	both := temperature != nil && topP != nil && e.model.claudeSince(v4_1)
	if temperature != nil && (!takes || thinks || *temperature > 1 || both && *temperature == 1) {
		if *temperature != 1 {
			e.drops.Add("temperature") // the API's scale ends at 1
		}
		temperature = nil
	}
	if topP != nil && (!takes || thinks && *topP < minTopP || both && temperature != nil) {
		if *topP != 1 {
			e.drops.Add("top_p")
		}
		topP = nil
	}
	in.Temperature, in.TopP = temperature, topP
	switch {
	case topK == nil:
	case !takes || thinks:
		e.drops.Add("top_k")
	case e.model.is(claude), e.model.is(mistral):
		e.more("top_k", *topK)
	case e.model.is(cohere):
		e.more("k", *topK)
	case e.model.is(nova):
		e.more("inferenceConfig", map[string]int{"topK": *topK})
	default:
		e.drops.Add("top_k")
	}
}

func (e *encoder) format(r *chat.Request) {
	switch {
	case r.Format.Kind == chat.FormatText:
	case r.Format.Kind == chat.FormatSchema && isObject(r.Format.Schema) && e.model.takesSchema():
		schema := jsonSchema{Schema: string(r.Format.Schema), Name: r.Format.Name, Description: r.Format.Description}
		e.output().TextFormat = &textFormat{Type: "json_schema", Structure: structure{Schema: schema}}
	default:
		e.drops.Add("response_format")
	}
}

func (e *encoder) output() *outputConfig {
	if e.out.Output == nil {
		e.out.Output = &outputConfig{}
	}
	return e.out.Output
}

// metadataValue is what requestMetadata may hold.
var metadataValue = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,\-.]{1,256}$`)

// account says for whom, and how soon. The end user stands in the metadata, by which an account finds a call in its own logs.
func (e *encoder) account(r *chat.Request) {
	switch r.ServiceTier {
	case "", "auto":
	case "default", "flex", "priority", "reserved":
		e.out.ServiceTier = &serviceTier{r.ServiceTier}
	default:
		e.drops.Add("service_tier")
	}
	switch {
	case r.EndUser == "":
	case metadataValue.MatchString(r.EndUser):
		e.out.Metadata = map[string]string{"user": r.EndUser}
	default:
		e.drops.Add("user")
	}
}

// isObject reports whether text is one whole JSON object.
func isObject(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Valid(text)
}

// unsupported is content that this vendor cannot take, found before the call.
func unsupported(why, param string, at ...any) *chat.Failure {
	return &chat.Failure{Class: chat.ClassUnsupport, Param: fmt.Sprintf(param, at...), Message: why, Err: errors.New(why)}
}
