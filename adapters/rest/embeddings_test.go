package rest_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/ports/inbound"
)

const embeddingsPath = "/v1/embeddings"

func TestARequestForEmbeddingsReachesTheGatewayAsItIs(t *testing.T) {
	five := 5
	tests := map[string]struct {
		body  string
		bytes int
		want  *embedding.Request // nil: no other dialect can take it
	}{
		"a text":         {`{"model":"m","input":"h\u00e9"}`, 3, &embedding.Request{Inputs: []string{"hé"}}},
		"texts":          {`{"model":"m","input":["a",""],"encoding_format":"base64","dimensions":5,"user":"u"}`, 1, &embedding.Request{Inputs: []string{"a", ""}, Dimensions: &five, EndUser: "u"}},
		"what is unsaid": {`{"model":"m","input":"a","encoding_format":null,"dimensions":null,"user":null}`, 1, &embedding.Request{Inputs: []string{"a"}}},
		"other fields":   {`{"model":"m","input":"a","input_type":"query","provider":{}}`, 1, &embedding.Request{Inputs: []string{"a"}, Untranslated: []string{"input_type", "provider"}}},
		"tokens":         {`{"model":"m","input":[1,2,3]}`, 12, nil},
		"lists of them":  {`{"model":"m","input":[[1,2],[3]]}`, 12, nil},
	}
	w := start(t)
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got inbound.Call
			var parsed *embedding.Request
			var err error
			w.models.embed = func(c inbound.Call) (inbound.Vectors, error) {
				got = c
				parsed, err = c.ParseEmbedding()
				return inbound.Vectors{Receipt: receipt(), Body: []byte(` {"data":[],"x":1}`)}, nil
			}
			a := w.post(embeddingsPath, tc.body, aiKey, "X-Forge-Strict: true")
			if string(a.body) != ` {"data":[],"x":1}` || a.header.Get("X-Forge-Provider") != "openai" || string(got.Body) != tc.body {
				t.Errorf("got %s for the body %s", a, got.Body)
			}
			want := inbound.Call{
				Caller: got.Caller, Surface: inbound.SurfaceEmbeddings, Dialect: chat.DialectEmbeddings, TraceID: got.TraceID, RequestID: got.RequestID, Model: "m", Strict: true,
				TextBytes: tc.bytes,
			}
			if d := cmp.Diff(want, got, cmpopts.IgnoreFields(inbound.Call{}, "ParseEmbedding", "Body", "Fingerprint", "EndUser")); d != "" {
				t.Error(d)
			}
			if tc.want == nil {
				if f, ok := err.(*fault.Error); !ok || f.Code != "unsupported_by_provider" || f.Fields[0].Pointer != "/input" {
					t.Errorf("got %v", err)
				}
				return
			}
			tc.want.Strict = true
			if d := cmp.Diff(tc.want, parsed); d != "" || err != nil || got.EndUser != tc.want.EndUser {
				t.Errorf("%v\n%s", err, d)
			}
		})
	}
}

func TestRenderedEmbeddings(t *testing.T) {
	w := start(t)
	w.models.embed = func(inbound.Call) (inbound.Vectors, error) {
		r := receipt()
		r.Usage = chat.Usage{Input: 7}
		return inbound.Vectors{Receipt: r, Response: &embedding.Response{Vectors: [][]float64{{0.5, -1e-7, 0}, {1}}}}, nil
	}
	const end = `}],"model":"gpt-x-2026","usage":{"prompt_tokens":7,"total_tokens":7}}`
	for format, want := range map[string]string{
		``:                            `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-07,0]},{"object":"embedding","index":1,"embedding":[1]` + end,
		`,"encoding_format":"float"`:  `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-07,0]},{"object":"embedding","index":1,"embedding":[1]` + end,
		`,"encoding_format":"base64"`: `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAAP5W/1rMAAAAA"},{"object":"embedding","index":1,"embedding":"AACAPw=="` + end,
	} {
		if got := w.post(embeddingsPath, `{"model":"m","input":["a","b"]`+format+`}`, aiKey); string(got.body) != want || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got  %s\nwant %s", format, got.body, want)
		}
	}
}

func TestRequestsForEmbeddingsThatAreRefused(t *testing.T) {
	many := strings.Repeat(`"a",`, 2048) + `"a"`
	tests := map[string]struct {
		body   string
		status int
		code   string
		param  string
	}{
		"no input":                    {`{"model":"m"}`, 400, "missing_field", "input"},
		"no model":                    {`{"input":"a"}`, 400, "missing_field", "model"},
		"an input of another kind":    {`{"model":"m","input":1}`, 400, "wrong_type", "input"},
		"nothing in it":               {`{"model":"m","input":[]}`, 422, "validation_failed", "input"},
		"kinds that are mixed":        {`{"model":"m","input":["a",1]}`, 400, "wrong_type", "input[1]"},
		"a thing among texts":         {`{"model":"m","input":[{}]}`, 400, "wrong_type", "input[0]"},
		"a token that is none":        {`{"model":"m","input":[1.5]}`, 400, "wrong_type", "input"},
		"a token below nothing":       {`{"model":"m","input":[[1],[-1]]}`, 400, "wrong_type", "input[1]"},
		"a text among tokens":         {`{"model":"m","input":[[1,"a"]]}`, 400, "wrong_type", "input[0]"},
		"too many":                    {`{"model":"m","input":[` + many + `]}`, 422, "validation_failed", "input"},
		"a format that nobody knows":  {`{"model":"m","input":"a","encoding_format":"hex"}`, 422, "validation_failed", "encoding_format"},
		"no dimension":                {`{"model":"m","input":"a","dimensions":0}`, 422, "validation_failed", "dimensions"},
		"half a dimension":            {`{"model":"m","input":"a","dimensions":1.5}`, 400, "wrong_type", "dimensions"},
		"the model twice":             {`{"model":"m","model":"n","input":"a"}`, 400, "malformed", "model"},
		"the input in other spelling": {`{"model":"m","input":"a","Input":"b"}`, 400, "malformed", "Input"},
		"cut off":                     {`{"model":"m","input":["a`, 400, "malformed", ""},
		"depth":                       {`{"model":"m","input":` + strings.Repeat("[", 10_000), 400, "malformed", ""},
	}
	w := start(t)
	w.models.embed = func(inbound.Call) (inbound.Vectors, error) {
		t.Error("the gateway was asked")
		return inbound.Vectors{}, nil
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := w.post(embeddingsPath, tc.body, aiKey)
			var e struct {
				Error struct{ Type, Code, Param string }
			}
			got.into(t, &e)
			if got.status != tc.status || e.Error.Code != tc.code || e.Error.Param != tc.param && name != "depth" || e.Error.Type != "invalid_request_error" {
				t.Errorf("got %s, want %d %s at %q", got, tc.status, tc.code, tc.param)
			}
		})
	}
}

func TestAFailureOfEmbeddings(t *testing.T) {
	w := start(t)
	w.models.embed = func(inbound.Call) (inbound.Vectors, error) {
		return inbound.Vectors{Receipt: receipt()}, &fault.Error{Kind: fault.Invalid, Code: "unsupported_by_provider", Msg: "auto is no model", Param: "model"}
	}
	got := w.post(embeddingsPath, `{"model":"auto","input":"a"}`, aiKey)
	const want = `{"error":{"message":"auto is no model","type":"invalid_request_error","code":"unsupported_by_provider","param":"model"}}`
	if got.status != 422 || string(got.body) != want || got.header.Get("X-Forge-Decision-Id") != "d1" {
		t.Errorf("got %s", got)
	}
}

func TestABatchOfTheLargestSizeIsTaken(t *testing.T) {
	w := start(t)
	inputs := make([]string, 2048)
	for i := range inputs {
		inputs[i] = strconv.Itoa(i)
	}
	body := `{"model":"m","input":["` + strings.Join(inputs, `","`) + `"]}`
	w.models.embed = func(c inbound.Call) (inbound.Vectors, error) {
		r, err := c.ParseEmbedding()
		if err != nil || !cmp.Equal(r.Inputs, inputs) {
			t.Errorf("got %d inputs, %v", len(r.Inputs), err)
		}
		return inbound.Vectors{Receipt: receipt(), Response: &embedding.Response{Vectors: make([][]float64, len(r.Inputs))}}, nil
	}
	if got := w.post(embeddingsPath, body, aiKey); got.status != 200 {
		t.Error(got)
	}
}
