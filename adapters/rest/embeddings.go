package rest

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"strconv"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/embedding"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

// embeddings serves POST /v1/embeddings. The body is read once and goes to the gateway as bytes.
func (x *exchange) embeddings() error {
	body := x.takeBody()
	env, err := scan(body, &embeddingFields)
	if err != nil {
		return err
	}
	a, err := x.askedFor()
	if err != nil {
		return err
	}
	c := x.callOf(a, inbound.SurfaceEmbeddings, chat.DialectEmbeddings, body, &env)
	c.ParseEmbedding = func() (*embedding.Request, error) { return parseEmbedding(body, env.tokens, a.strict) }
	c.Fingerprint = func() ([32]byte, error) { return fingerprint(body, leftOutOfChat) }

	x.watchClient()
	v, err := x.s.deps.Embeddings.Embed(x.ctx, c)
	x.receipt, x.explain = &v.Receipt, a.explain
	if err != nil {
		return err
	}
	x.writeReceipt(v.Receipt, outcomeOK)
	if v.Response == nil {
		return x.relayed(v.Body)
	}
	return x.relayed(vectorsOf(v, env.base64))
}

// maxInputs bounds the texts of one request: OpenAI's limit.
const maxInputs = 2048

// embeddingFields are those of an embeddings body.
var embeddingFields = bodyFields{known: embeddingField, required: []string{"model", "input"}, read: (*scanner).embeddingField}

func embeddingField(key []byte) (place int, kinds uint8) {
	switch string(key) {
	case "model":
		return 0, isString
	case "input":
		return 1, isString | isArray
	case "encoding_format":
		return 2, isString | isNull
	case "dimensions":
		return 3, isNumber | isNull
	case "user":
		return 4, isString | isNull
	}
	return -1, 0
}

// embeddingField reads a known field.
func (s *scanner) embeddingField(place int, k uint8) {
	switch {
	case place == 0:
		s.chatField(0, k)
	case place == 1 && k == isString:
		s.out.textBytes += s.string()
	case place == 1:
		s.inputs()
	case place == 2 && k == isString:
		switch s.text() {
		case "float":
		case "base64":
			s.out.base64 = true
		default:
			s.breaks("/encoding_format", "unknown_value", "must be float or base64")
		}
	case place == 3 && k == isNumber:
		if n, ok := s.integer(); s.err == nil && !ok {
			s.wrong("/dimensions", "must be a whole number")
		} else if n < 1 {
			s.breaks("/dimensions", "out_of_range", "must be at least 1")
		}
	case place == 4 && k == isString:
		if user := s.text(); plainText(user) {
			s.out.user = user
		}
	default:
		s.skip(1)
	}
}

// inputs reads a list: of texts, of tokens, or of lists of tokens.
func (s *scanner) inputs() {
	n, first := 0, uint8(0)
	s.array(2, func() {
		k := s.kind()
		if n == 0 {
			first = k
		}
		n++
		switch {
		case k != first || k&(isString|isNumber|isArray) == 0:
			s.wrong("/input/"+strconv.Itoa(n-1), "must be a string, or all must be tokens")
		case k == isString:
			s.out.textBytes += s.string()
		case k == isNumber:
			s.token("/input")
		default:
			s.array(3, func() { s.token("/input/" + strconv.Itoa(n-1)) })
		}
		if n > maxInputs && first != isNumber {
			s.breaks("/input", "too_long", "must have at most "+strconv.Itoa(maxInputs)+" items")
		}
	})
	if s.err == nil && n == 0 {
		s.breaks("/input", "too_short", "must have at least 1 item")
	}
}

// bytesPerToken is about how much text a token stands for.
const bytesPerToken = 4

func (s *scanner) token(in string) {
	if n, ok := s.integer(); s.err == nil && (!ok || n < 0) {
		s.wrong(in, "must be strings, or tokens: whole numbers")
	}
	s.out.tokens = true
	s.out.textBytes += bytesPerToken
}

// parseEmbedding reads an embeddings body into the neutral form, for a vendor that speaks another dialect. Tokens are those of one vendor's models:
// no other can take them.
func parseEmbedding(body []byte, tokens, strict bool) (*embedding.Request, error) {
	if tokens {
		return nil, errForeignPart.At(fault.Field{Pointer: "/input", Code: "unsupported", Message: "only text can be translated"})
	}
	v, err := strictjson.Parse(body, largeJSON)
	if err != nil {
		return nil, err
	}
	d := &chatReader{Reader: new(strictjson.Reader), lenient: true}
	r := &embedding.Request{Strict: strict}
	d.members(v, "", func(key string, v strictjson.Value) bool {
		switch key {
		case "model", "encoding_format": // the router's, and ours
		case "input":
			r.Inputs = d.stop(v)
		case "dimensions":
			if n := d.count(v, 1, math.MaxInt32); n > 0 {
				r.Dimensions = &n
			}
		case "user":
			r.EndUser = d.text(v)
		default:
			return false
		}
		return true
	})
	r.Untranslated = d.dropped
	return r, d.Err()
}

// vectorsOf renders vectors in OpenAI's shape, as numbers or, as its clients ask by default, as base64 of 32-bit floats, little end first.
func vectorsOf(v inbound.Vectors, inBase64 bool) []byte {
	b := []byte(`{"object":"list","data":[`)
	for i, vector := range v.Response.Vectors {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"object":"embedding","index":`...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, `,"embedding":`...)
		if inBase64 {
			b = appendFloats32(b, vector)
		} else {
			b = appendFloats(b, vector)
		}
		b = append(b, '}')
	}
	b = append(b, `],"model":`...)
	b = appendString(b, servedModel(v.Receipt))
	b = append(b, `,"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(v.Receipt.Usage.Input), 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(v.Receipt.Usage.Total()), 10)
	return append(b, "}}"...)
}

func appendFloats(b []byte, vector []float64) []byte {
	b = append(b, '[')
	for i, f := range vector {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, f, 'g', -1, 64)
	}
	return append(b, ']')
}

func appendFloats32(b []byte, vector []float64) []byte {
	raw := make([]byte, 0, 4*len(vector))
	for _, f := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(f)))
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, raw)
	return append(b, '"')
}

// embeddingRoutes lists the route of vectors.
func embeddingRoutes() []route {
	return []route{{
		method: http.MethodPost, pattern: "/v1/embeddings", access: scopedKey, scope: tenant.ScopeAI, shape: shapeOpenAI, large: true,
		id: "embeddings", tag: "openai", summary: "OpenAI's embeddings",
		doc: "The model must be one: auto is refused, and another provider is asked for the same model alone, since vectors of two models do not compare. " +
			"Tokens go to a vendor of the same dialect alone.",
		params: aiHeaders(), body: embeddingRequest{}, example: exampleEmbedding, handle: (*exchange).embeddings, faults: callFaults,
		replies: []answer{{status: 200, doc: "A vector for each input, in their order", body: embeddingResponse{}, headers: callHeaders}},
	}}
}

var exampleEmbedding = map[string]any{
	"model": "openai/text-embedding-3-small", "input": []any{"The sky is blue.", "Grass is green."}, "encoding_format": "float",
}
